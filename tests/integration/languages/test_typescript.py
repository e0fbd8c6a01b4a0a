"""The clients of docs/contract/typescript do what they say, with this machine's Node."""

import asyncio
import importlib.util
import json
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from activities.http.tls import trusted_roots
from activities.settings import Settings
from client import close, handle_of
from tests.conftest import running_worker
from tests.dev_server import variables_for
from tests.forked import Forked
from tests.integration.languages import typescript
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import Outcome, PendingApproval

SCENARIO = Path(__file__).with_name("scenario.mjs")
LONGEST_CLIENT = 100
"""Lines."""


@pytest.mark.long
def test_the_types_are_those_of_the_messages() -> None:
    assert typescript.types() == (typescript.SOURCES / "typescript" / "contract.d.ts").read_text(encoding="utf-8")


@pytest.mark.parametrize("client", ["temporal-client.ts", "door-client.ts"])
def test_a_client_has_fewer_than_100_lines(client: str) -> None:
    text = (typescript.SOURCES / "typescript" / client).read_text(encoding="utf-8")
    assert len(text.splitlines()) < LONGEST_CLIENT


@pytest.mark.long
async def test_over_temporal_a_client_submits_approves_waits_and_talks(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    async with running_worker(client, settings):
        address, queue = client.service_client.config.target_host, settings.worker.task_queue
        came_back = await carried_out(client, model, "temporal", address, queue, client.namespace)
    assert came_back["refusal"] == "DigestMismatch"


@pytest.mark.skipif(importlib.util.find_spec("deploy.web") is None, reason="there is no door in this tree")
@pytest.mark.long
async def test_over_the_door_a_client_submits_approves_waits_and_talks(
    client: Client, settings: Settings, model: ScriptedModel, tmp_path: Path, python: Forked
) -> None:
    async with (
        running_worker(client, settings),
        door(python, client, settings, tmp_path) as (url, key),
    ):
        came_back = await carried_out(client, model, "door", url, key)
    assert came_back["refusal"] == "urn:errand:problem:stale-digest"


async def carried_out(client: Client, model: ScriptedModel, *words: str) -> dict[str, Any]:
    """What came back in the scenario, which is the same for every client."""
    model.scripts["Write down: milk."] = [calls(call("write_down", word="milk")), say("I wrote it down.")]
    model.scripts["Hello?"] = [say("Hello!")]
    questions = (call("ask_requester", question=each) for each in ("Which Paris?", "Which Rome?"))
    model.scripts["Paris or Rome?"] = [calls(*questions), say("Both.")]
    build = await asyncio.to_thread(typescript.compiled)
    node = await asyncio.create_subprocess_exec(
        *("node", str(SCENARIO), str(build), *words), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        told, wrong = await node.communicate()
    assert node.returncode == 0, wrong.decode()
    came_back = json.loads(told)
    await close(handle_of(client, f"{came_back['requestId']}-talk"))
    as_it_should_be(came_back)
    return came_back


def as_it_should_be(came_back: dict[str, Any]) -> None:
    waiting, outcome = (
        PendingApproval.model_validate(came_back["waiting"]),
        Outcome.model_validate(came_back["outcome"]),
    )
    [receipt] = outcome.receipts
    assert came_back["again"] == came_back["requestId"] == outcome.request_id
    assert (waiting.tool, waiting.arguments) == ("write_down", {"word": "milk"})
    assert came_back["second"] is None
    assert (receipt.status, receipt.approved_by, receipt.arguments) == ("done", "ann", {"word": "oat milk"})
    assert came_back["answer"]["summary"] == "Hello!"
    assert came_back["sameAnswer"] == came_back["answer"]
    assert (came_back["other"]["text"], came_back["first"]["text"]) == ("Which Rome?", "Which Paris?")
    assert came_back["goesOn"]["status"] == "running"
    answers = [each["result"]["answer"] for each in came_back["answered"]["receipts"]]
    assert answers == ["In Texas.", "In Italy."]


@asynccontextmanager
async def door(python: Forked, client: Client, settings: Settings, folder: Path) -> AsyncGenerator[tuple[str, str]]:
    """A door in a process of its own: its URL, and a key of ann's."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    surroundings = {
        **os.environ,
        **variables_for(client),
        "ERRAND_TASK_QUEUE": settings.worker.task_queue,
        "ERRAND_LEDGER_URL": settings.ledger.ledger_url,
        "ERRAND_WEB_PORT": str(port),
        "ERRAND_WEB_KEYS": str(folder / "keys.json"),
    }
    key = await key_of_ann(python, surroundings)
    running = await asyncio.create_subprocess_exec(*python("-m", "deploy.web"), cwd=typescript.ROOT, env=surroundings)
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(verify=trusted_roots(), trust_env=False) as http, asyncio.timeout(30):
            while not await is_ready(http, url):
                await asyncio.sleep(0.1)
        yield url, key
    finally:
        running.terminate()
        await running.wait()


async def key_of_ann(python: Forked, surroundings: dict[str, str]) -> str:
    words = ("client.py", "keys", "add", "ann", "--may", "submit,read,approve")
    made = await asyncio.create_subprocess_exec(
        *python(*words), cwd=typescript.ROOT, env=surroundings, stdout=asyncio.subprocess.PIPE
    )
    key, _ = await made.communicate()
    assert made.returncode == 0
    return key.decode().strip()


async def is_ready(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(f"{url}/readyz")).is_success
    except httpx.TransportError:
        return False
