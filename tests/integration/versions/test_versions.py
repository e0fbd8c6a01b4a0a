"""Versions of workers take over from each other, and no request is lost on the way there or back."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

import pytest
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.testing import WorkflowEnvironment

from activities.errors import ConfigurationError
from activities.ledger import watch
from activities.ledger.ledger import Ledger
from activities.ledger.rows import State, Write
from activities.settings import Settings
from client import approve, close, handle_of, open_with, say
from deploy.service.assembly import Service, build_worker
from deploy.service.versioning import BUILD, DEPLOYMENT, check_current, promote
from tests.forked import Forked
from tests.integration.requests.asking import start, until_it_waits
from tests.integration.requests.test_stopping import ROOT, variables_of
from tests.sandbox import Sandbox
from tests.scripted_model import ScriptedModel, call, calls
from tests.scripted_model import say as saying
from workflows.contract.api import Request
from workflows.contract.internal import ToolCall

pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Deployment:
    """Of this test alone."""

    client: Client
    settings: Settings
    name: str

    def version(self, build: str) -> WorkerDeploymentVersion:
        return WorkerDeploymentVersion(self.name, build)

    @asynccontextmanager
    async def running(self, build: str) -> AsyncGenerator[None]:
        """A worker of this version, which promotes itself."""
        service = Service.assemble(self.settings)
        version = self.version(build)
        async with (
            build_worker(
                self.client, service, version=version, workflow_runner=Sandbox(), watches_ledger=True
            ) as worker,
            worker,
        ):
            await promote(self.client, self.version(build))
            await self.seen_as_current(build)
            yield

    async def back_to(self, build: str) -> None:
        """What an operator does."""
        await self.client.workflow_service.set_worker_deployment_current_version(
            SetWorkerDeploymentCurrentVersionRequest(
                namespace=self.client.namespace, deployment_name=self.name, build_id=build
            )
        )
        await self.seen_as_current(build)

    async def seen_as_current(self, build: str) -> None:
        queue = self.settings.worker.task_queue

        async def seen() -> bool:
            try:
                await check_current(self.client, queue, None)
            except ConfigurationError as error:
                return f"{self.name} {build} is current" in str(error)
            return False

        await eventually(seen)

    async def version_of(self, request_id: str) -> str:
        """The build that the request is with."""
        described = await handle_of(self.client, request_id).describe()
        info = described.raw_description.workflow_execution_info.versioning_info
        return info.deployment_version.build_id


async def eventually(look: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(15):
        while not await look():
            await asyncio.sleep(0.05)


@pytest.fixture
def deployment(client: Client, settings: Settings) -> Deployment:
    return Deployment(client, settings, f"errand-{uuid.uuid4().hex[:8]}")


async def test_conversations_and_waiting_approvals_go_from_version_1_to_2_and_back(
    deployment: Deployment, model: ScriptedModel
) -> None:
    client, queue = deployment.client, deployment.settings.worker.task_queue
    model.scripts["one"] = [saying(f"Heard {word}.") for word in ("one", "two", "three", "four", "five")]
    model.scripts["Tell ann."] = [calls(call("tell", to=["ann"], what="hi")), saying("Told.")]

    async def heard(word: str, request_id: str) -> None:
        assert (await say(client, request_id, word)).summary == f"Heard {word}."

    async def is_with(request_id: str, build: str) -> None:
        async def there() -> bool:
            return await deployment.version_of(request_id) == build

        await eventually(there)

    async with deployment.running("1"):
        first = await open_with(client, Request(keep_open=True), "one", task_queue=queue)
        waiting = await start(client, deployment.settings, "Tell ann.")
        pending = await until_it_waits(waiting)
        await is_with(first.request_id, "1")
        async with deployment.running("2"):
            await heard("two", first.request_id)
            await is_with(first.request_id, "2")
            await heard("three", first.request_id)
            assert await deployment.version_of(waiting.id) == "1"
            await approve(handle_of(client, waiting.id), pending, by="ann")
            assert (await waiting.result()).summary == "Told."
            assert await deployment.version_of(waiting.id) == "1"
            await deployment.back_to("1")
            await heard("four", first.request_id)
            await is_with(first.request_id, "1")
        await heard("five", first.request_id)
        await close(handle_of(client, first.request_id))
        ended = await handle_of(client, first.request_id).result()
        assert ended.summary == "Heard five."


async def test_a_version_that_was_current_before_does_not_promote_itself_again(deployment: Deployment) -> None:
    async with deployment.running("1"), deployment.running("2"):
        await promote(deployment.client, deployment.version("1"))
        await deployment.seen_as_current("2")


async def test_a_worker_without_a_version_is_told_that_it_would_get_nothing_and_what_to_do(
    deployment: Deployment, temporal: WorkflowEnvironment, python: Forked
) -> None:
    queue = deployment.settings.worker.task_queue
    await check_current(deployment.client, queue, None)
    async with deployment.running("1"):
        code, said = await worker_that_ends(python, variables_of(temporal, deployment.settings))
        assert code == 2
        assert f"{DEPLOYMENT}, {BUILD}: missing" in said
        assert f"set-current-version --deployment-name {deployment.name} --unversioned" in said


async def test_a_worker_process_with_both_variables_promotes_itself_and_works(
    deployment: Deployment, temporal: WorkflowEnvironment, model: ScriptedModel, python: Forked
) -> None:
    model.scripts["Hi"] = [saying("Hello.")]
    own = {DEPLOYMENT: deployment.name, BUILD: "7", "ERRAND_PROMOTE": "true"}
    environment = {**variables_of(temporal, deployment.settings), **own}
    process = await asyncio.create_subprocess_exec(
        *python("worker.py"), cwd=ROOT, env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        handle = await start(deployment.client, deployment.settings, "Hi")
        assert (await handle.result()).summary == "Hello."
        assert await deployment.version_of(handle.id) == "7"
    finally:
        process.terminate()
        assert await process.wait() == 0


async def worker_that_ends(python: Forked, environment: dict[str, str]) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *python("worker.py"), cwd=ROOT, env=environment, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(30):
        _, said = await process.communicate()
    return process.returncode, said.decode()


async def test_the_ledger_is_watched_by_the_next_version_although_the_one_before_is_gone(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LOOKS_EVERY", 0.2)
    ledger = await Ledger.open(deployment.settings.ledger.ledger_url)

    async def write(key: str) -> None:
        action = ToolCall(key=key, tool="pay", arguments={}, chain="5eed")
        await ledger.finish(key, await ledger.begin(Write(action), attempt=1, seen=None), State.DONE)

    async def known(key: str) -> bool:
        mark = await watch.mark_in_temporal(deployment.client, ledger.identity)
        return mark is not None and mark.key == key

    async with aclosing(ledger):
        for build in ("1", "2"):
            async with deployment.running(build):
                await write(f"by-{build}/1.1")
                await eventually(lambda build=build: known(f"by-{build}/1.1"))
