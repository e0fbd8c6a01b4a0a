"""`make try`: the embedded model held to cases, by default its own.

python -m deploy.local.try_cases [OPTIONS OF `client.py try`]
"""

import asyncio
import sys
import tempfile
from asyncio.subprocess import DEVNULL
from collections.abc import Sequence
from pathlib import Path

from deploy.local.deployment import Deployment, surroundings
from deploy.local.part import REPOSITORY
from deploy.local.session import run_until_signal, say
from deploy.local.supervisor import Supervisor

CASES = REPOSITORY / "deploy" / "local" / "cases.toml"
INTERRUPTED = 130


async def try_cases(options: Sequence[str]) -> int:
    """Start the model, and no other part: results come from the cases. The exit code is that of `client.py try`."""
    with tempfile.TemporaryDirectory(prefix="errand-try-") as folder:
        deployment = Deployment.on_free_ports(Path(folder))
        async with Supervisor((deployment.language_model(),), deployment.logs, say):
            trying = await asyncio.create_subprocess_exec(
                *(sys.executable, "client.py", "try", *(options or [str(CASES)])),
                cwd=REPOSITORY,
                env=surroundings(deployment.worker_environment()),
                stdin=DEVNULL,
            )
            try:
                return await trying.wait()
            except asyncio.CancelledError:
                trying.terminate()
                await trying.wait()
                raise


def main() -> int:
    return run_until_signal(try_cases(sys.argv[1:]), interrupted=INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main())
