"""Kills the door while it is called: no request may be lost, none doubled.

python -m tests.integration.web.killed [TRIES]    100 by default
"""

import asyncio
import os
import random
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path

import httpx
from temporalio.client import Client

from activities.http.tls import trusted_roots
from deploy.local.ports import free_ports
from tests.dev_server import dev_server, variables_for
from workflows.contract.api import REQUEST_WORKFLOW

ROOT = Path(__file__).parents[3]
COMMAND = (sys.executable, "-m", "deploy.web")
CALLS = 20
"""Of each try."""
LONGEST_PAUSE = 0.15


class KilledDoor:
    """A door in a process of its own, which is started again as often as it is killed."""

    def __init__(self, environment: Mapping[str, str], command: Sequence[str] = COMMAND) -> None:
        [self.port] = free_ports(1)
        self._command = command
        self._environment = {**os.environ, **environment, "ERRAND_WEB_PORT": str(self.port)}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            cwd=ROOT,
            env=self._environment,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with httpx.AsyncClient(verify=trusted_roots(), base_url=self.url) as anybody, asyncio.timeout(60):
            while not await _is_ready(anybody):
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


async def _is_ready(anybody: httpx.AsyncClient) -> bool:
    try:
        return (await anybody.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False


async def try_once(door: KilledDoor, client: Client, chance: random.Random) -> tuple[int, int]:
    """Call the door, kill it meanwhile, start it again; every call is made again until it is answered.

    Returns:
        How many requests are lost, and how many are there twice.
    """
    await door.start()
    keys = [uuid.uuid4().hex for _ in range(CALLS)]
    async with httpx.AsyncClient(verify=trusted_roots(), base_url=door.url, timeout=10) as caller:
        calling = asyncio.gather(*(insist(caller, key) for key in keys))
        await asyncio.sleep(chance.uniform(0, LONGEST_PAUSE))
        await door.kill()
        await door.start()
        ids = await calling
    await door.kill()
    there = Counter([each async for each in _started(client, ids)])
    return sum(there[id] == 0 for id in ids), sum(there[id] > 1 for id in ids) + len(ids) - len({*ids})


async def insist(caller: httpx.AsyncClient, key: str) -> str:
    """The id of the request that this call has become."""
    async with asyncio.timeout(90):
        while True:
            try:
                answer = await caller.post("/v1/requests", json={"text": "x"}, headers={"Idempotency-Key": key})
                if answer.status_code in (200, 201):
                    return str(answer.json()["request_id"])
            except (httpx.TransportError, AttributeError):  # anyio's, of a connection that ended as it was made
                pass
            await asyncio.sleep(0.05)


async def _started(client: Client, ids: list[str]) -> AsyncGenerator[str]:
    """The ids of the requests that Temporal has, each as often as it has a run of it."""
    wanted = {*ids}
    for id in wanted:
        runs = client.list_workflows(f'WorkflowType = "{REQUEST_WORKFLOW}" AND WorkflowId = "{id}"')
        # What was just started may not be indexed yet; whether it is there at all, describe says.
        found = [each.run_id async for each in runs]
        described = await client.get_workflow_handle(id).describe()
        for _ in {*found, described.run_id}:
            yield id


async def main(tries: int) -> int:
    async with dev_server() as server:
        with tempfile.TemporaryDirectory() as folder:
            door = KilledDoor(surroundings(server.client, Path(folder)))
            chance, lost, doubled = random.Random(7), 0, 0
            for _ in range(tries):
                lost_now, doubled_now = await try_once(door, server.client, chance)
                lost, doubled = lost + lost_now, doubled + doubled_now
    print(f"{tries} times killed, {tries * CALLS} requests: {lost} lost, {doubled} doubled")  # noqa: T201  # its purpose
    return lost + doubled


def surroundings(client: Client, folder: Path) -> dict[str, str]:
    """In which the door finds this server, and no keys."""
    return {
        **variables_for(client),
        "ERRAND_WEB_KEYS": str(folder / "keys.json"),
        "ERRAND_TASK_QUEUE": "nobody-polls-this",
        "ERRAND_WEB_RATE_LIMIT": "100000",
    }


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)))
