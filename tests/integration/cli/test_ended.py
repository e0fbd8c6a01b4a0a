"""Of a request that Temporal has ended every command says so, and never that it runs or waits."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from temporalio.client import Client

from client import handle_of, state
from deploy.client.listing import describe
from tests.integration.cli.conftest import CommandLine, an_id, eventually
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import REQUEST_WORKFLOW, Request, RequestStatus

pytestmark = pytest.mark.long

WAITS = [calls(call("write_down", word="tree")), say("Written.")]


async def waiting(client: Client, cli: CommandLine, worker: ScriptedModel, seconds: float = 60) -> str:
    """A request whose one write waits for a yes; Temporal ends it after so many seconds."""
    worker.scripts["Write."] = WAITS
    await client.start_workflow(
        REQUEST_WORKFLOW,
        Request(text="Write."),
        id=(request_id := an_id()),
        task_queue=cli.environment["ERRAND_TASK_QUEUE"],
        execution_timeout=timedelta(seconds=seconds),
    )

    async def waits() -> bool:
        return bool((await state(handle_of(client, request_id))).awaiting_approval)

    await eventually(waits)
    return request_id


async def terminated(client: Client, cli: CommandLine, worker: ScriptedModel) -> tuple[str, str]:
    request_id = await waiting(client, cli, worker)
    await handle_of(client, request_id).terminate(reason="out of hand")
    return request_id, "terminated: out of hand"


async def timed_out(client: Client, cli: CommandLine, worker: ScriptedModel) -> tuple[str, str]:
    request_id = await waiting(client, cli, worker, seconds=2)

    async def is_over() -> bool:
        return (await describe(client, request_id)).closed_at is not None

    await eventually(is_over)
    return request_id, "timed out: the workflow's own time-out passed"


async def failed(client: Client, cli: CommandLine, worker: ScriptedModel) -> tuple[str, str]:
    queue = cli.environment["ERRAND_TASK_QUEUE"]
    handle = await client.start_workflow(REQUEST_WORKFLOW, {"txet": "hello"}, id=an_id(), task_queue=queue)

    async def is_over() -> bool:
        return (await handle.describe()).close_time is not None

    await eventually(is_over)
    return handle.id, "failed: "


Ending = Callable[[Client, CommandLine, ScriptedModel], Awaitable[tuple[str, str]]]
ENDS = pytest.mark.parametrize("end", [terminated, timed_out, failed], ids=["terminated", "timed out", "failed"])


@ENDS
async def test_every_command_says_how_temporal_ended_it(
    cli: CommandLine, client: Client, worker: ScriptedModel, end: Ending
) -> None:
    request_id, how = await end(client, cli, worker)
    ended = how.partition(":")[0]
    shown = await cli("status", request_id)
    assert f"{request_id}  failed  {how.removeprefix('failed: ')}" in shown.out
    assert "waits for approval" not in shown.out
    as_json = json.loads((await cli("status", request_id, "--json")).out)
    assert (as_json["status"], as_json["awaiting_approval"], as_json["running"]) == ("failed", [], [])
    assert as_json["doing"].startswith(how)
    for command in ("result", "watch"):
        shown = await cli(command, request_id)
        assert shown.code == 1
        assert f"error: the request {'' if ended in ('failed', 'timed out') else 'was '}{how}" in shown.err
        assert "waits for approval" not in shown.out + shown.err
    for command in (("approve", request_id), ("reject", request_id, "--reason", "no")):
        shown = await cli(*command)
        assert shown.code == 2
        assert f"no call of {request_id} waits for approval: it has ended, {how}" in shown.err
    assert f"{request_id} has ended already: {ended}" in (await cli("cancel", request_id)).err
    assert f"{request_id} has ended ({ended})" in (await cli("chat", request_id)).err


@ENDS
async def test_the_list_says_it_too(cli: CommandLine, client: Client, worker: ScriptedModel, end: Ending) -> None:
    request_id, how = await end(client, cli, worker)
    ended = how.partition(":")[0]

    async def listed() -> str | None:
        lines = (await cli("list", "--status", "failed", "--json")).out.splitlines()
        return next((line for line in lines if json.loads(line)["request_id"] == request_id), None)

    line = json.loads(await eventually(listed))
    assert (line["status"], line["without_outcome"], line["awaiting_approval"]) == ("failed", ended, False)
    assert f"{request_id} {ended} 20" in " ".join((await cli("list")).out.split())
    for other in RequestStatus:
        if other is not RequestStatus.FAILED:
            assert request_id not in (await cli("list", "--status", other.value)).out


async def test_without_a_worker_too(cli: CommandLine, client: Client) -> None:
    request_id = (await cli("submit", "Is anybody there?", "--no-wait")).out.strip()
    await handle_of(client, request_id).terminate(reason="nobody is")
    shown = await cli("status", request_id)
    assert (shown.code, shown.err) == (0, "")
    assert f"{request_id}  failed  terminated: nobody is" in shown.out


async def test_a_call_that_was_under_way_when_it_was_terminated_is_named(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    worker.scripts["Write slowly."] = [calls(call("write_down", word="tree", seconds=3)), say("Written.")]
    request_id = (await cli("submit", "Write slowly.", "--no-wait", "--yes")).out.strip()
    handle = handle_of(client, request_id)

    async def runs() -> bool:
        return bool((await state(handle)).running)

    await eventually(runs)
    await handle.terminate(reason="out of hand")
    doing = (await state(handle)).doing
    assert doing == f"terminated: out of hand (under way then, so it may have happened: {request_id}/1.1)"


async def test_of_one_that_has_its_outcome_status_tells_it_also_without_a_worker(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    worker.scripts["Look."] = [calls(call("look_up", word="tree")), say("A plant.")]
    request_id = (await cli("submit", "Look.", "--no-wait")).out.strip()
    outcome = await handle_of(client, request_id).result()
    now = await state(handle_of(client, request_id))
    assert (now.status, now.receipts, now.doing) == (RequestStatus.COMPLETED, outcome.receipts, "completed: A plant.")
