"""python -m tests.mcp    list the tools of MCP servers of others, and call one of each"""

import asyncio
import sys
import tempfile
from pathlib import Path

from deploy.service.logs import configure_logging
from tests.mcp.calling import called
from tests.mcp.servers import SERVERS, install


async def main() -> int:
    configure_logging()
    install()
    wrong = 0
    for name, server in SERVERS.items():
        if server.missing:
            print(f"{name}: skipped, {server.missing}")
            continue
        with tempfile.TemporaryDirectory(prefix="errand-mcp-") as folder:
            found = await called(name, server, Path(folder))
        is_well = server.answers(found.result)
        wrong += not is_well
        reads = sum(effect == "read" for effect in found.effects.values())
        print(f"{name}: {len(found.effects)} tools, {reads} of them reads, {len(found.left_out)} left out")
        for tool, effect in found.effects.items():
            print(f"    {effect:<6}{tool}")
        for tool, why in found.left_out.items():
            print(f"    left out: {tool}: {why}")
        print(f"  {'ok' if is_well else 'WRONG'}: {server.tool} → {str(found.result)[:100]!r}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
