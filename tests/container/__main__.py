"""python -m tests.container

Builds the image; starts a worker in it with a root that cannot be written to; runs a request through it; asks it
whether it is well as HEALTHCHECK does; stops it by SIGTERM, which has to end it with 0.
"""

import asyncio
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from client import outcome, submit
from deploy.local.ports import free_ports
from tests.container.engines import Engine, Missing, engine
from tests.dev_server import dev_server, variables_for
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import Outcome, Request, RequestStatus

TEXT = "Is it well?"
READY_WITHIN = 60


async def trial(built: Engine, data: Path) -> None:
    with ScriptedModel() as model:
        model.scripts[TEXT] = [calls(call("get_time", zone="UTC")), say("It is.")]
        [port] = free_ports(1)
        async with dev_server() as temporal:
            queue = f"errand-{uuid.uuid4().hex[:8]}"
            variables = {
                **variables_for(temporal.client),
                "OPENAI_BASE_URL": model.url,
                "OPENAI_MODEL": "scripted",
                "OPENAI_API_KEY": "unused",
                "ERRAND_TASK_QUEUE": queue,
                "ERRAND_LEDGER_URL": "sqlite:////data/ledger.db",
                "ERRAND_HEALTH_ADDRESS": f"127.0.0.1:{port}",
                "NO_PROXY": "127.0.0.1,localhost",
            }
            worker = await asyncio.create_subprocess_exec(*built.run(variables, data))
            try:
                started = time.monotonic()
                await until_it_is_well(built, worker)
                print(f"ready after {time.monotonic() - started:.1f} s")
                handle = await submit(temporal.client, Request(text=TEXT), task_queue=queue)
                ended = await outcome(handle)
                check(ended)
            finally:
                asked = time.monotonic()
                await ran(built.signal("TERM"))
                code = await asyncio.wait_for(worker.wait(), 60)
            print(f"SIGTERM ended it with {code} after {time.monotonic() - asked:.1f} s")
            if code:
                raise SystemExit(f"error: SIGTERM ended the worker with {code}")


async def ran(command: Sequence[str]) -> tuple[int | None, str]:
    """Its exit code, and what it says on standard error."""
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    return process.returncode, said.decode()


async def until_it_is_well(built: Engine, worker: asyncio.subprocess.Process) -> None:
    until = time.monotonic() + READY_WITHIN
    probe = built.inside("python", "-m", "deploy.service.probe")
    while (asked := await ran(probe))[0]:
        if worker.returncode is not None or time.monotonic() > until:
            raise SystemExit(f"error: the worker did not become ready: {asked[1]}")
        await asyncio.sleep(0.5)


def check(ended: Outcome) -> None:
    print(f"the request ended: {ended.status}, {ended.summary!r}, {[each.tool for each in ended.receipts]}")
    if ended.status is not RequestStatus.COMPLETED or not ended.receipts:
        raise SystemExit("error: the request did not end as it should")


def main() -> int:
    try:
        built = engine()
    except Missing as missing:
        print(f"error: {missing}", file=sys.stderr)
        return 2
    began = time.monotonic()
    built.build()
    print(f"built in {time.monotonic() - began:.0f} s")
    with tempfile.TemporaryDirectory(prefix="errand-image-") as folder:
        Path(folder).chmod(0o777)
        asyncio.run(trial(built, Path(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
