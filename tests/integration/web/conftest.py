"""The door, as it runs: uvicorn on a free port, over a real dev server and a real worker with a scripted model."""

import asyncio
import socket
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from temporalio.client import Client
from temporalio.service import RPCError

from activities.http.tls import trusted_roots
from activities.settings import Settings
from deploy.client import tools
from deploy.client.keys import Right, add_key
from deploy.web.application import application
from deploy.web.connections import PromptProtocol
from deploy.web.settings import WebSettings
from tests.conftest import running_worker
from tests.forked import Forked
from tests.scripted_model import ScriptedModel
from workflows.contract.api import Outcome

LONGEST = 60.0
"""Seconds that a busy machine is waited for."""
EVERYTHING = (Right.SUBMIT, Right.READ, Right.APPROVE)


def an_id() -> str:
    return f"web-{uuid.uuid4().hex[:8]}"


async def submitted(caller: httpx.AsyncClient, text: str, **more: object) -> str:
    """The id of a new request."""
    request_id = an_id()
    answer = await caller.post("/v1/requests", json={"text": text, "request_id": request_id, **more})
    assert answer.status_code == 201, answer.text
    return request_id


async def outcome(caller: httpx.AsyncClient, request_id: str) -> Outcome:
    """The outcome of a request, which is waited for."""
    answer = await answered(lambda: caller.get(f"/v1/requests/{request_id}/outcome?wait=20"), (202, 503))
    assert answer.status_code == 200, answer.text
    return Outcome.model_validate_json(answer.content)


async def answered(send: Callable[[], Awaitable[httpx.Response]], not_yet: Collection[int] = (503,)) -> httpx.Response:
    """What the door answers; it is asked again, as it says itself, where Temporal's server has taken too long."""
    ends = time.monotonic() + LONGEST
    while (answer := await send()).status_code in not_yet and time.monotonic() < ends:
        pass  # the door itself has waited
    return answer


@asynccontextmanager
async def served(app: FastAPI) -> AsyncGenerator[str]:
    """The URL at which the application answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            app,
            http=PromptProtocol,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


@dataclass(frozen=True)
class Door:
    """A running door, and its keys."""

    url: str
    keys: Path

    def caller(self, name: str, may: Sequence[Right] = EVERYTHING) -> httpx.AsyncClient:
        """Somebody with a key of their own."""
        return self.with_key(add_key(self.keys, name, may))

    def with_key(self, key: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            verify=trusted_roots(), base_url=self.url, headers={"Authorization": f"Bearer {key}"}, timeout=30
        )


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def _nothing_else_runs(client: Client) -> None:
    """The desk shows what runs in the whole namespace, and waits a second for a request whose worker is gone."""
    async for each in client.list_workflows("ExecutionStatus = 'Running'"):
        with suppress(RPCError):  # it has ended meanwhile
            await client.get_workflow_handle(each.id).terminate()


@pytest.fixture(autouse=True)
def _tools_load_at_once(monkeypatch: pytest.MonkeyPatch, python: Forked) -> None:
    """In a process of their own, as ever."""
    monkeypatch.setattr(tools, "PROGRAM", python("-m", "deploy.client.tools"))


@pytest.fixture
def web_settings(tmp_path: Path) -> WebSettings:
    return WebSettings(keys=tmp_path / "keys.json", rate_limit=100_000)


@pytest_asyncio.fixture(loop_scope="session")
async def door(client: Client, settings: Settings, web_settings: WebSettings) -> AsyncGenerator[Door]:
    add_key(web_settings.keys, "nobody", [Right.READ])
    async with served(application(client, web_settings, settings)) as url:
        yield Door(url, web_settings.keys)


@pytest_asyncio.fixture(loop_scope="session")
async def worker(client: Client, settings: Settings, model: ScriptedModel) -> AsyncGenerator[ScriptedModel]:
    """A worker on this test's task queue; the fixture's value is its model."""
    async with running_worker(client, settings):
        yield model
