"""`client.py approve`, `reject`, `cancel`, `status` and `list`."""

import asyncio
import json
import uuid

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.common import RawValue

from client import approve, find, handle_of, state
from deploy.terminal.exit_codes import explain
from tests.integration.cli.conftest import CommandLine, Said, an_id, eventually
from tests.sample_tools import World
from tests.scripted_model import Raw, ScriptedModel, call, calls, say
from workflows.contract.api import REQUEST_WORKFLOW, PendingApproval, RequestStatus


async def waiting(cli: CommandLine, client: Client, model: ScriptedModel, *, requester: str = "ann") -> str:
    """A request whose one write waits for a yes."""
    model.scripts["Tell ann."] = [calls(call("tell", to=["ann"], what="line one\nline two")), say("It is over.")]
    request_id = (await cli("submit", "Tell ann.", "--no-wait", "--requester", requester)).out.strip()
    await pending(client, request_id)
    return request_id


async def pending(client: Client, request_id: str) -> PendingApproval:
    async def first() -> PendingApproval | None:
        return next(iter((await state(handle_of(client, request_id))).awaiting_approval), None)

    return await eventually(first)


async def test_approve_shows_the_whole_call_and_lets_it_run(
    cli: CommandLine, client: Client, worker: ScriptedModel, happened: World
) -> None:
    request_id = await waiting(cli, client, worker)
    shown = await cli("approve", request_id, "--by", "carol")
    assert shown.code == 0
    assert all(part in shown.out for part in ("tell waits for approval", '["ann"]', "line one", "line two"))
    assert [line.strip() for line in shown.out.splitlines() if "←" in line] == [
        "← ann: from the request",
        "← worded by the model",
    ]
    outcome = await handle_of(client, request_id).result()
    assert outcome.receipts[0].approved_by == "carol"
    assert happened.done("tell") == ["ann"]


async def test_reject_tells_the_model_the_reason_and_nothing_runs(
    cli: CommandLine, client: Client, worker: ScriptedModel, happened: World
) -> None:
    request_id = await waiting(cli, client, worker)
    assert (await cli("reject", request_id, "1.1", "--reason", "she knows", "--by", "carol")).code == 0
    shown = await cli("result", request_id)
    assert "rejected by carol: she knows" in shown.out
    assert happened.done("tell") == []


async def test_a_decision_about_no_waiting_call_is_refused(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    request_id = await waiting(cli, client, worker)
    wrong = await cli("approve", request_id, "7.7")
    assert wrong.code == 2
    assert f"{request_id}/1.1  tell to" in wrong.err
    await cli("approve", request_id)
    await handle_of(client, request_id).result()
    over = f"error: no call of {request_id} waits for approval: it has ended, completed: It is over.\n"
    assert await cli("approve", request_id) == Said(2, "", over)


async def test_a_yes_to_another_call_than_the_one_that_waits_ends_with_1(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    request_id = await waiting(cli, client, worker)
    shown = (await pending(client, request_id)).model_copy(update={"digest": "of something else"})
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await approve(handle_of(client, request_id), shown, by="carol")
    code, text = explain(refused.value)
    assert code == 1
    assert "look at it before deciding" in text
    await cli("cancel", request_id)


async def test_an_edited_approval_shows_and_runs_what_was_made_of_the_call(
    cli: CommandLine, client: Client, worker: ScriptedModel, happened: World
) -> None:
    request_id = await waiting(cli, client, worker)
    shown = await cli("approve", request_id, "1.1", "--edit", '{"what": "line three"}', "--by", "carol")
    assert (shown.code, shown.err) == (0, "")
    assert "line three" in shown.out
    (receipt,) = (await handle_of(client, request_id).result()).receipts
    assert receipt.arguments == {"to": ["ann"], "what": "line three"}
    assert receipt.approved_by == "carol"
    assert happened.done("tell") == ["ann"]
    assert 'approved by carol, with to=["ann"]' in (await cli("watch", request_id)).out


async def test_an_edit_to_whom_nobody_mentioned_is_shown_again_with_the_reason_and_needs_a_second_approve(
    cli: CommandLine, client: Client, worker: ScriptedModel, happened: World
) -> None:
    request_id = await waiting(cli, client, worker)
    shown = await cli("approve", request_id, "--edit", '{"to": ["eve"]}', "--by", "carol")
    assert shown.code == 1
    assert "tell waits for approval  (nobody mentioned eve before)" in shown.out
    assert "not approved yet: what you made of it needs a second yes" in shown.err
    assert f"uv run client.py approve {request_id}" in shown.err
    assert happened.done("tell") == []
    again = await cli("approve", request_id, "--by", "carol")
    assert again.code == 0
    assert "(nobody mentioned eve before)" in again.out
    assert "← eve: put there by carol" in again.out
    await handle_of(client, request_id).result()
    assert happened.done("tell") == ["eve"]
    watched = (await cli("watch", request_id)).out
    assert "what carol made of it needs a second yes: nobody mentioned eve before" in watched
    assert "approved by carol" in watched


@pytest.mark.long
async def test_at_a_terminal_an_edit_to_whom_nobody_mentioned_is_asked_about_again_in_place(
    cli: CommandLine, client: Client, worker: ScriptedModel, happened: World
) -> None:
    request_id = await waiting(cli, client, worker)
    editor = """sed -i 's/"ann"/"eve"/'"""
    async with cli.terminal("watch", request_id, EDITOR=editor) as terminal:
        await terminal.see("approve? [y/N/e=edit/reason]")
        terminal.type("e\n")
        await terminal.see("approve? [y/N/e=edit/reason]")
        terminal.type("y\n")
        seen = await terminal.see("approve? [y/N/e=edit/reason]")
        assert "nobody mentioned eve before" in seen
        assert "← eve: put there by" in seen
        await asyncio.sleep(0.5)
        assert happened.done("tell") == []
        terminal.type("y\n")
        assert "approve?" not in await terminal.see("It is over.")
        assert await terminal.ends() == 0
    assert happened.done("tell") == ["eve"]


@pytest.mark.long
async def test_another_who_watches_is_asked_about_the_call_as_it_waits_after_the_edit(
    cli: CommandLine, client: Client, worker: ScriptedModel, happened: World
) -> None:
    request_id = await waiting(cli, client, worker)
    async with cli.terminal("watch", request_id) as terminal:
        await terminal.see("approve? [y/N/e=edit/reason]")
        await cli("approve", request_id, "--edit", '{"to": ["eve"]}', "--by", "carol")
        assert "nobody mentioned eve before" in await terminal.see("approve? [y/N/e=edit/reason]")
        terminal.type("n\n")
        assert await terminal.ends() == 0
    assert happened.done("tell") == []


async def test_an_edit_that_cannot_be_read_or_run_is_refused_and_the_call_waits_on(
    cli: CommandLine, client: Client, worker: ScriptedModel, happened: World
) -> None:
    request_id = await waiting(cli, client, worker)
    unread = await cli("approve", request_id, "--edit", "{to: bob}")
    assert (unread.code, unread.out) == (2, "")
    assert unread.err.startswith("error: --edit: expected a JSON object")
    unfit = await cli("approve", request_id, "--edit", '{"to": "bob"}')
    assert unfit.code == 1
    assert "to: Input should be a valid" in unfit.err
    assert (await pending(client, request_id)).arguments["to"] == ["ann"]
    await cli("reject", request_id, "--reason", "no")
    await handle_of(client, request_id).result()
    assert happened.done("tell") == []


async def test_an_edit_that_the_tool_does_not_take_is_not_shown_as_if_it_would_run(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    request_id = await waiting(cli, client, worker)
    shown = await cli("approve", request_id, "--edit", '{"waht": "x"}')
    assert (shown.code, shown.out) == (1, "")
    assert "waht: " in shown.err
    assert "there are to, what" in shown.err
    await handle_of(client, request_id).terminate()


@pytest.mark.parametrize("how", ["cancelled", "terminated", "completed"])
@pytest.mark.sampled(1)
async def test_a_decision_about_a_request_that_has_ended_says_how_it_ended(
    cli: CommandLine, client: Client, worker: ScriptedModel, how: str
) -> None:
    request_id = await waiting(cli, client, worker)
    handle = handle_of(client, request_id)
    match how:
        case "cancelled":
            await handle.cancel()
        case "terminated":
            await handle.terminate()
        case _:
            await cli("approve", request_id)
    await cli("result", request_id)
    for decision in (("approve", request_id), ("reject", request_id, "--reason", "no")):
        shown = await cli(*decision)
        assert (shown.code, shown.out) == (2, "")
        assert shown.err.startswith(f"error: no call of {request_id} waits for approval: it has ended, {how}: ")


async def test_list_shows_a_conversation_that_began_without_a_text_and_the_text_where_no_summary_was_given(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    who, queue = f"foreign-{uuid.uuid4().hex[:6]}", cli.environment["ERRAND_TASK_QUEUE"]
    worker.scripts["Say hello."] = [say("Hello.")]
    for given in ({"keep_open": True, "requester": who}, {"text": "Say hello.", "requester": who}):
        await client.start_workflow(REQUEST_WORKFLOW, given, id=an_id(), task_queue=queue)

    async def both() -> str | None:
        listed = (await cli("list", "--requester", who)).out
        return listed if listed.count(who) == 2 else None

    listed = await eventually(both)
    assert "Say hello." in listed
    assert f"{who}  a conversation" in listed


async def test_without_a_terminal_submit_says_once_how_to_approve_and_waits_on(
    cli: CommandLine, client: Client, worker: ScriptedModel, happened: World
) -> None:
    worker.scripts["Write errand."] = [calls(call("write_down", word="errand")), say("Written.")]
    request_id = f"cli-{uuid.uuid4().hex[:8]}"
    async with cli.process("submit", "Write errand.", "--id", request_id, "--json") as process:
        assert process.stderr
        async with asyncio.timeout(20):
            while b"waits for approval: uv run client.py approve" not in await process.stderr.readline():
                pass
        await cli("approve", request_id)
        out, err = await process.communicate()
    assert json.loads(out)["receipts"][0]["status"] == "done"
    assert (process.returncode, err) == (0, b"")


async def test_cancel_ends_the_request_with_its_receipts_and_cannot_be_had_twice(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    request_id = await waiting(cli, client, worker)
    assert (await cli("cancel", request_id)).code == 0
    shown = await cli("watch", request_id)
    assert shown.code == 1
    assert "cancelled: " in shown.out
    assert "tell" in shown.out
    again = await cli("cancel", request_id)
    assert (again.code, again.err) == (2, f"error: {request_id} has ended already: cancelled\n")


@pytest.mark.long
async def test_status_without_a_worker_says_so_and_shows_what_temporal_knows(cli: CommandLine, client: Client) -> None:
    request_id = (await cli("submit", "Is anybody there?", "--no-wait")).out.strip()
    async with asyncio.timeout(12):
        shown = await cli("status", request_id)
    assert shown.code == 3
    assert f"no worker answers for {request_id}" in shown.err
    assert f"{request_id}  running" in shown.out
    assert "Is anybody there?" in shown.out
    await handle_of(client, request_id).terminate()


async def test_list_finds_by_status_requester_and_waiting(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    who = f"Ann O'Hara {uuid.uuid4().hex[:6]}"
    request_id = await waiting(cli, client, worker, requester=who)

    async def found(*options: str) -> bool:
        shown = await cli("list", "--requester", who, "--json", *options)
        assert shown.code == 0, shown.err
        return [json.loads(line)["request_id"] for line in shown.out.splitlines()] == [request_id]

    await eventually(lambda: found("--awaiting-approval", "--status", "running"))
    assert not await found("--status", "failed")
    assert "awaiting approval" in (await cli("list", "--requester", who)).out
    await handle_of(client, request_id).terminate("out of hand")
    await eventually(lambda: found("--status", "failed"))
    (ended,) = await find(client, requester=who)
    assert (ended.status, ended.summary) == (RequestStatus.FAILED, "Tell ann.")
    assert ended.awaiting_approval is False


@pytest.mark.long
async def test_list_says_that_there_are_more_than_it_shows_and_how_to_see_them(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    who = f"ann-{uuid.uuid4().hex[:6]}"
    ids = [await waiting(cli, client, worker, requester=who) for _ in range(2)]
    options = ("list", "--awaiting-approval", "--requester", who)

    async def both() -> bool:
        return (await cli(*options, "--json")).out.count(who) == 2

    await eventually(both)
    shown, enough, as_json = [
        await cli(*options, *more) for more in (("--limit", "1"), ("--limit", "2"), ("--limit", "1", "--json"))
    ]
    assert [each in shown.out for each in ids] == [False, True]
    assert shown.err == "there are more than the latest 1: see them with --limit 5\n"
    assert enough.err == ""
    assert (len(as_json.out.splitlines()), as_json.err) == (1, "")
    for each in ids:
        await cli("cancel", each)


async def test_a_name_cannot_widen_the_search(cli: CommandLine) -> None:
    shown = await cli("list", "--requester", f'nobody" OR WorkflowType = "{REQUEST_WORKFLOW}')
    assert shown == Said(0, "", "no requests\n")


@pytest.mark.parametrize(
    "given",
    [b"Go", RawValue(Payload(metadata={"encoding": b"binary/of-somebody"}, data=b"?")), {"txt": "Go"}],
    ids=["bytes", "a payload whose key is not here", "another shape"],
)
async def test_a_request_that_cannot_be_read_is_listed_and_hides_no_other(
    cli: CommandLine, client: Client, given: object
) -> None:
    queue, ids = cli.environment["ERRAND_TASK_QUEUE"], [an_id(), an_id()]
    await client.start_workflow(REQUEST_WORKFLOW, given, id=ids[0], task_queue=queue)
    await client.start_workflow(REQUEST_WORKFLOW, {"text": "Go"}, id=ids[1], task_queue=queue)

    async def listed() -> Said | None:
        said = await cli("list")
        return said if all(each in said.out for each in ids) else None

    said = await eventually(listed)
    assert "cannot be read here" in next(line for line in said.out.splitlines() if ids[0] in line)
    for each in ids:
        await client.get_workflow_handle(each).terminate()


async def test_the_status_of_a_request_says_what_fails_and_is_tried_again(
    cli: CommandLine, worker: ScriptedModel
) -> None:
    worker.trouble.append(Raw(503, '{"error": {"message": "no room"}}', {"Retry-After": "30"}))
    await cli("submit", "Say hello.", "--no-wait", "--id", (request_id := an_id()))

    async def is_tried_again() -> bool:
        said = (await cli("status", request_id)).err
        return "decide failed once, and is tried again; next at " in said and "503: no room" in said

    await eventually(is_tried_again)
    assert (await cli("cancel", request_id)).code == 0
