"""Commands that wait for a request while nobody works."""

import asyncio
import re
import time

import pytest
from temporalio.client import Client

from activities.settings import Settings
from client import close, handle_of, open_with
from tests.conftest import running_worker
from tests.integration.cli.conftest import CommandLine, an_id
from tests.scripted_model import ScriptedModel, say
from workflows.contract.api import Request

pytestmark = pytest.mark.long


def nobody(cli: CommandLine, request_id: str) -> str:
    queue = cli.environment["ERRAND_TASK_QUEUE"]
    return (
        f"no worker polls the task queue {queue}, and {request_id} waits until one does; start one: uv run worker.py\n"
    )


async def noticed(process: asyncio.subprocess.Process) -> str:
    assert process.stderr
    async with asyncio.timeout(15):
        return (await process.stderr.readline()).decode()


async def test_submit_watch_and_result_say_once_that_no_worker_polls_and_go_on_waiting(
    cli: CommandLine, client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Say hello."] = [say("Hello.")]
    request_id = an_id()
    async with (
        cli.process("submit", "Say hello.", "--id", request_id) as submitting,
        cli.process("submit", "Say hello.", "--id", request_id, "--json") as for_a_program,
    ):
        assert await noticed(submitting) == nobody(cli, request_id)
        assert await noticed(for_a_program) == nobody(cli, request_id)
        async with cli.process("watch", request_id) as watching, cli.process("result", request_id) as waiting:
            assert await noticed(watching) == nobody(cli, request_id)
            assert await noticed(waiting) == nobody(cli, request_id)
            async with running_worker(client, settings):
                for process in (submitting, for_a_program, watching, waiting):
                    _, err = await process.communicate()
                    assert (process.returncode, err) == (0, b"")


async def test_no_wait_ends_with_3_where_no_worker_polls_and_the_request_is_started(
    cli: CommandLine, client: Client
) -> None:
    begun = time.monotonic()
    shown = await cli("submit", "Say hello.", "--no-wait")
    request_id = shown.out.strip()
    assert (shown.code, shown.err) == (3, nobody(cli, request_id))
    assert 5 <= time.monotonic() - begun < 10
    await handle_of(client, request_id).terminate()


async def test_no_wait_ends_with_0_as_soon_as_a_worker_has_taken_the_request(
    cli: CommandLine, worker: ScriptedModel
) -> None:
    worker.scripts["Say hello."] = [say("Hello.")]
    begun = time.monotonic()
    shown = await cli("submit", "Say hello.", "--no-wait")
    assert (shown.code, shown.err) == (0, "")
    assert time.monotonic() - begun < 4


async def test_a_worker_that_is_gone_is_missed_although_the_server_still_lists_it(
    cli: CommandLine, client: Client, settings: Settings, model: ScriptedModel
) -> None:
    async with running_worker(client, settings):
        pass
    shown = await cli("submit", "Say hello.", "--no-wait")
    assert (shown.code, shown.err) == (3, nobody(cli, shown.out.strip()))
    await handle_of(client, shown.out.strip()).terminate()


async def test_chat_says_that_no_worker_polls_for_the_first_message_and_for_a_later_one(
    cli: CommandLine, client: Client, settings: Settings, model: ScriptedModel
) -> None:
    async with cli.terminal("chat") as terminal:
        request_id = (await terminal.see("> ")).split()[0]
        terminal.type("Say hello.\n")
        assert nobody(cli, request_id).strip() in re.sub(r"\s+", " ", await terminal.see("uv run worker.py"))
        assert terminal.process.returncode is None
    await handle_of(client, request_id).terminate()

    model.scripts["Say hello."] = [say("Hello.")]
    async with running_worker(client, settings):
        queue = settings.worker.task_queue
        await open_with(
            client, Request(keep_open=True), "Say hello.", request_id=(open_id := an_id()), task_queue=queue
        )
    async with cli.terminal("chat", open_id) as terminal:
        await terminal.see("> Say hello.")
        await terminal.see("> ")
        terminal.type("And goodbye.\n")
        assert nobody(cli, open_id).strip() in re.sub(r"\s+", " ", await terminal.see("uv run worker.py"))
    async with running_worker(client, settings):
        await close(handle_of(client, open_id))
