"""A write needs a yes: from the policy, from the requester in advance, or from a person."""

from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError

from activities.settings import Settings
from client import approve
from tests.conftest import running_worker, settings_for
from tests.integration.requests.asking import (
    Handle,
    answer,
    ask,
    last_told,
    outcome_after_reset,
    start,
    until,
    until_it_waits,
)
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import Approve, Limits, PendingApproval, ReceiptStatus, Reject, RequestStatus
from workflows.contract.internal import CHECK, ToolCall

WRITE = [calls(call("write_down", word="tree")), say("Done.")]


async def test_a_write_waits_for_a_person_who_sees_it_exactly_as_it_will_run(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write"] = WRITE
    async with running_worker(client, settings):
        handle = await start(client, settings, "Write")
        pending = await until_it_waits(handle)
        assert (pending.key, pending.tool, pending.arguments) == (f"{handle.id}/1.1", "write_down", {"word": "tree"})
        assert happened.done("write_down") == []
        await answer(handle, Approve(key=pending.key, digest=pending.digest, by="ann"))
        outcome = await handle.result()
    assert happened.done("write_down") == ["tree"]
    assert (outcome.receipts[0].status, outcome.receipts[0].approved_by) == (ReceiptStatus.DONE, "ann")


async def test_a_yes_to_another_digest_or_another_key_or_given_twice_is_refused(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write slowly"] = [calls(call("write_down", word="tree", seconds=1.0)), say("Done.")]
    async with running_worker(client, settings):
        handle = await start(client, settings, "Write slowly")
        pending = await until_it_waits(handle)
        for wrong in (
            Approve(key=pending.key, digest="0" * 64, by="ann"),
            Approve(key="other/1.1", digest=pending.digest, by="ann"),
        ):
            with pytest.raises(WorkflowUpdateFailedError):
                await answer(handle, wrong)
        assert happened.done("write_down") == []
        yes = Approve(key=pending.key, digest=pending.digest, by="ann")
        await answer(handle, yes)
        with pytest.raises(WorkflowUpdateFailedError) as twice:
            await answer(handle, yes)
        outcome = await handle.result()
    assert "decided by ann" in str(twice.value.__cause__)
    assert happened.done("write_down") == ["tree"]
    assert len(outcome.receipts) == 1


async def test_nobody_says_yes_under_the_name_of_a_yes_in_advance(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write"] = WRITE
    async with running_worker(client, settings):
        handle = await start(client, settings, "Write")
        pending = await until_it_waits(handle)
        for name in ("policy", "Requester "):
            with pytest.raises(WorkflowUpdateFailedError) as refused:
                await answer(handle, Approve(key=pending.key, digest=pending.digest, by=name))
            assert "stands for a yes given in advance" in str(refused.value.__cause__)
        await answer(handle, Reject(key=pending.key, digest=pending.digest, by="ann"))
        await handle.result()
    assert happened.done("write_down") == []


async def test_a_no_keeps_the_write_from_running_and_the_model_is_told_the_reason(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write"] = WRITE
    async with running_worker(client, settings):
        handle = await start(client, settings, "Write")
        pending = await until_it_waits(handle)
        no = Reject(key=pending.key, digest=pending.digest, by="bob", reason="not today")
        await answer(handle, no)
        outcome = await handle.result()
    assert happened.done("write_down") == []
    assert (outcome.receipts[0].status, outcome.receipts[0].error) == (
        ReceiptStatus.REJECTED,
        "rejected by bob: not today",
    )
    assert "not today" in last_told(model)[0][1]


async def test_a_write_that_nobody_decides_about_in_time_is_rejected(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write"] = WRITE
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Write", limits=Limits(approval_seconds=1))
    assert (outcome.status, outcome.receipts[0].status) == (RequestStatus.COMPLETED, ReceiptStatus.REJECTED)
    assert "nobody approved it" in str(outcome.receipts[0].error)
    assert happened.done("write_down") == []


@pytest.mark.parametrize("approve", [("write_down",), ("*",)])
async def test_a_requester_may_say_yes_in_advance_to_a_tool_or_to_all(
    client: Client, settings: Settings, model: ScriptedModel, approve: tuple[str, ...]
) -> None:
    model.scripts["Write"] = WRITE
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Write", approve=approve)
    assert (outcome.receipts[0].status, outcome.receipts[0].approved_by) == (ReceiptStatus.DONE, "requester")


async def test_the_policy_allows_and_forbids_by_tool_and_arguments(
    client: Client, model: ScriptedModel, happened: World, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(
        '[[rule]]\ntool = "write_down"\narguments = { word = "hid*" }\nruling = "deny"\n'
        '[[rule]]\ntool = "write_*"\nruling = "allow"\n'
    )
    settings = settings_for(model, policy=policy)
    model.scripts["Both"] = [calls(call("write_down", word="tree"), call("write_down", word="hidden")), say("Done.")]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Both", approve=("*",))
    allowed, forbidden = outcome.receipts
    assert (allowed.status, allowed.approved_by) == (ReceiptStatus.DONE, "policy")
    assert forbidden.status is ReceiptStatus.REFUSED
    assert "rule 1" in str(forbidden.error)
    assert happened.done("write_down") == ["tree"]


async def test_after_a_strangers_text_was_read_the_policys_yes_becomes_a_question(
    client: Client, model: ScriptedModel, happened: World, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[[rule]]\nruling = "allow"\n')
    settings = settings_for(model, policy=policy)
    page, pwned = calls(call("read_page", name="x")), calls(call("write_down", word="we are pwned"))
    model.scripts["Read"] = [calls(call("write_down", word="before")), page, pwned, say("Done.")]
    async with running_worker(client, settings):
        handle = await start(client, settings, "Read")
        pending = await until_it_waits(handle)
        assert (pending.arguments, pending.reason) == (
            {"word": "we are pwned"},
            "the request has read a stranger's text",
        )
        await answer(handle, Reject(key=pending.key, digest=pending.digest, by="ann"))
        await handle.result()
    assert happened.done("write_down") == ["before"]


async def test_a_recipient_that_nobody_mentioned_goes_back_to_the_model_once_and_then_needs_a_person(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    mistyped = calls(call("tell", to=["ann@exmple.com"], what="hello"))
    model.scripts["Tell ann@example.com hello"] = [mistyped, mistyped, say("I could not.")]
    async with running_worker(client, settings):
        handle = await start(client, settings, "Tell ann@example.com hello", approve=("*",))
        pending = await until_it_waits(handle)
        assert "ann@exmple.com" in pending.reason
        await answer(handle, Reject(key=pending.key, digest=pending.digest, by="ann"))
        outcome = await handle.result()
    assert [receipt.status for receipt in outcome.receipts] == [ReceiptStatus.INVALID, ReceiptStatus.REJECTED]
    assert happened.done("tell") == []


async def test_a_recipient_that_the_request_names_is_covered_by_a_yes_in_advance(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Tell Ann@example.com hello"] = [calls(call("tell", to=["ann@example.com"], what="hello")), say("Ok")]
    async with running_worker(client, settings):
        await ask(client, settings, "Tell Ann@example.com hello", approve=("*",))
    assert happened.done("tell") == ["ann@example.com"]


async def test_a_person_may_edit_the_call_which_runs_and_is_receipted_as_edited(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write"] = WRITE
    async with running_worker(client, settings):
        handle = await start(client, settings, "Write")
        pending = await until_it_waits(handle)
        edited = Approve(key=pending.key, digest=pending.digest, by="ann", arguments={"word": "oak"})
        await answer(handle, edited)
        outcome = await handle.result()
    assert happened.done("write_down") == ["oak"]
    assert (outcome.receipts[0].arguments, outcome.receipts[0].approved_by) == ({"word": "oak"}, "ann")
    assert "edited_by:ann" in last_told(model)[0][1]


async def test_an_edit_that_does_not_fit_the_schema_is_refused_and_the_call_goes_on_waiting(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write"] = WRITE
    async with running_worker(client, settings):
        handle = await start(client, settings, "Write")
        pending = await until_it_waits(handle)
        wrong = Approve(key=pending.key, digest=pending.digest, by="ann", arguments={"wrod": "oak"})
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await answer(handle, wrong)
        assert "wrod" in str(refused.value.__cause__)
        assert await until_it_waits(handle) == pending
        await handle.cancel()
        await handle.result()
    assert happened.done("write_down") == []


async def edited_to(handle: Handle, word: str, to: str) -> PendingApproval:
    """The call as it waits after a person has edited its recipient."""
    pending = await until_it_waits(handle)
    edit = Approve(key=pending.key, digest=pending.digest, by="ann", arguments={"to": [to], "what": word})
    await answer(handle, edit)
    return await until_it_waits(handle)


async def test_an_edit_to_a_recipient_that_nobody_mentioned_is_asked_about_again_and_runs_with_a_second_yes(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Tell ann hello"] = [calls(call("tell", to=["ann"], what="hello")), say("Done.")]
    async with running_worker(client, settings):
        handle = await start(client, settings, "Tell ann hello")
        first = await until_it_waits(handle)
        again = await edited_to(handle, "hello", "eve")
        assert (again.key, again.arguments) == (first.key, {"to": ["eve"], "what": "hello"})
        assert (again.reason, again.about) == ("nobody mentioned eve before", "to eve")
        assert again.digest == ToolCall(key=again.key, tool="tell", arguments=again.arguments).digest
        assert again.expires_at == first.expires_at
        assert happened.done("tell") == []
        named = {"key": first.key, "digest": first.digest, "by": "bob"}
        for late in (Approve.model_validate(named), Reject.model_validate(named)):
            with pytest.raises(WorkflowUpdateFailedError):
                await answer(handle, late)
        await answer(handle, Approve(key=again.key, digest=again.digest, by="bob"))
        (receipt,) = (await handle.result()).receipts
    assert happened.done("tell") == ["eve"]
    assert (receipt.arguments, receipt.approved_by) == (again.arguments, "bob")
    assert "edited_by:ann" in last_told(model)[0][1]


async def test_the_update_answers_with_the_call_as_it_waits_and_a_second_edit_back_runs_at_once(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Tell ann hello"] = [calls(call("tell", to=["ann"], what="hello")), say("Done.")]
    async with running_worker(client, settings):
        handle = await start(client, settings, "Tell ann hello")
        pending = await until_it_waits(handle)
        again = await approve(handle, pending, by="ann", arguments={"to": ["eve"], "what": "hello"})
        assert again is not None
        assert again == await until_it_waits(handle)
        assert await approve(handle, again, by="ann", arguments={"to": ["ann"], "what": "bye"}) is None
        await handle.result()
    assert happened.done("tell") == ["ann"]


@pytest.mark.parametrize("request_text", ["Tell ann or bob hello", "Look bob up and tell ann hello"])
async def test_an_edit_to_somebody_whom_the_request_or_a_result_mentions_runs_at_once(
    client: Client, settings: Settings, model: ScriptedModel, happened: World, request_text: str
) -> None:
    look, tell = calls(call("look_up", word="bob")), calls(call("tell", to=["ann"], what="hello"))
    model.scripts[request_text] = [look, tell, say("Done.")]
    async with running_worker(client, settings):
        handle = await start(client, settings, request_text)
        pending = await until_it_waits(handle)
        edit = Approve(key=pending.key, digest=pending.digest, by="ann", arguments={"to": ["bob"], "what": "hello"})
        await answer(handle, edit)
        await handle.result()
        history = await handle.fetch_history()
    assert happened.done("tell") == ["bob"]
    (recorded,) = (
        event.activity_task_scheduled_event_attributes.input.payloads
        for event in history.events
        if event.activity_task_scheduled_event_attributes.activity_type.name == CHECK
    )
    assert sum(len(payload.data) for payload in recorded) < 600


async def test_an_edit_that_another_rule_of_the_policy_asks_about_is_asked_about_again_with_that_rule(
    client: Client, model: ScriptedModel, happened: World, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(
        '[[rule]]\narguments = { word = "o*" }\nruling = "ask"\n[[rule]]\narguments = { word = "t*" }\nruling = "ask"\n'
    )
    model.scripts["Write"] = WRITE
    settings = settings_for(model, policy=policy)
    async with running_worker(client, settings):
        handle = await start(client, settings, "Write")
        pending = await until_it_waits(handle)
        assert pending.reason == "rule 2 of the policy"
        again = await approve(handle, pending, by="ann", arguments={"word": "oak"})
        assert again is not None
        assert again.reason == "rule 1 of the policy"
        assert await approve(handle, again, by="ann") is None
        await handle.result()
    assert happened.done("write_down") == ["oak"]


async def test_an_edit_to_what_is_done_already_is_asked_about_again(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Twice"] = [WRITE[0], calls(call("write_down", word="oak")), say("Done.")]
    async with running_worker(client, settings):
        handle = await start(client, settings, "Twice")
        first = await until_it_waits(handle)
        await approve(handle, first, by="ann")
        second = await until(handle, lambda now: any(each.key != first.key for each in now.awaiting_approval))
        again = await approve(handle, second.awaiting_approval[0], by="ann", arguments={"word": "tree"})
        assert again is not None
        assert again.reason == "the same is done already, or may be"
        await answer(handle, Reject(key=again.key, digest=again.digest, by="ann"))
        await handle.result()
    assert happened.done("write_down") == ["tree"]


async def test_resetting_a_run_does_no_write_again(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write"] = WRITE
    async with running_worker(client, settings):
        handle = await start(client, settings, "Write", approve=("*",))
        await handle.result()
        again = await outcome_after_reset(client, handle)
    assert happened.done("write_down") == ["tree"]
    assert [receipt.status for receipt in again.receipts] == [ReceiptStatus.DONE]


async def test_a_run_that_was_reset_and_goes_another_way_still_has_the_receipts_of_what_was_done_before(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write"] = WRITE
    async with running_worker(client, settings):
        handle = await start(client, settings, "Write", approve=("*",))
        first = await handle.result()
        model.scripts["Write"] = [say("There was nothing to do.")]
        again = await outcome_after_reset(client, handle)
    assert again.summary == "There was nothing to do."
    (was, now) = (first.receipts[0], again.receipts[0])
    assert (now.key, now.status, now.result, now.approved_by) == (was.key, was.status, was.result, was.approved_by)


async def test_a_reset_run_that_comes_to_the_same_write_by_another_way_does_not_do_it_again(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write"] = [calls(call("look_up", word="x")), *WRITE]
    async with running_worker(client, settings):
        handle = await start(client, settings, "Write", approve=("*",))
        await handle.result()
        model.scripts["Write"] = WRITE
        again = await outcome_after_reset(client, handle)
    assert happened.done("write_down") == ["tree"]
    assert [(receipt.key[-3:], receipt.status) for receipt in again.receipts] == [
        ("1.1", ReceiptStatus.REFUSED),
        ("2.1", ReceiptStatus.DONE),
    ]
    assert "before the request was reset" in str(again.receipts[0].error)


async def test_a_reset_run_that_uses_a_key_for_something_else_keeps_the_receipt_of_what_was_done_under_it(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write"] = WRITE
    async with running_worker(client, settings):
        handle = await start(client, settings, "Write", approve=("*",))
        await handle.result()
        model.scripts["Write"] = [calls(call("look_up", word="x")), say("There was nothing to do.")]
        again = await outcome_after_reset(client, handle)
    assert [(receipt.key.rpartition("/")[2], receipt.tool, receipt.status) for receipt in again.receipts] == [
        ("1.1", "look_up", ReceiptStatus.DONE),
        ("1.1 (earlier)", "write_down", ReceiptStatus.DONE),
    ]


async def test_a_write_that_is_done_or_may_be_is_not_covered_by_a_yes_in_advance_again(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Twice"] = [*(WRITE[:1] * 3), say("Done.")]
    async with running_worker(client, settings):
        handle = await start(client, settings, "Twice", approve=("*",))
        pending = await until_it_waits(handle)
        assert pending.reason == "the same is done already, or may be"
        await answer(handle, Reject(key=pending.key, digest=pending.digest, by="ann"))
        outcome = await handle.result()
    statuses = [receipt.status for receipt in outcome.receipts]
    assert statuses == [ReceiptStatus.DONE, ReceiptStatus.INVALID, ReceiptStatus.REJECTED]
    assert happened.done("write_down") == ["tree"]


async def test_a_second_message_to_the_same_recipients_goes_back_once_and_is_sent_if_the_model_insists(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    one, two = (calls(call("tell", to=["ann@example.com"], what=what)) for what in ("one", "two"))
    text = "Tell ann@example.com one, and then, in another message, two"
    model.scripts[text] = [one, two, two, say("Done.")]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, text, approve=("*",))
    statuses = [receipt.status for receipt in outcome.receipts]
    assert statuses == [ReceiptStatus.DONE, ReceiptStatus.INVALID, ReceiptStatus.DONE]
    assert "call it again if that is asked for" in str(outcome.receipts[1].error)
    assert happened.done("tell") == ["ann@example.com"] * 2


async def test_where_the_policy_wants_four_eyes_the_requesters_own_yes_does_not_count(
    client: Client, model: ScriptedModel, happened: World, tmp_path: Path
) -> None:
    (tmp_path / "policy.toml").write_text("four_eyes = true\n")
    settings = settings_for(model, policy=tmp_path / "policy.toml")
    model.scripts["Write"] = WRITE
    async with running_worker(client, settings):
        handle = await start(client, settings, "Write", requester="ann", approve=("write_down",))
        pending = await until_it_waits(handle)
        assert pending.four_eyes
        with pytest.raises(WorkflowUpdateFailedError) as own:
            await answer(handle, Approve(key=pending.key, digest=pending.digest, by="Ann "))
        assert happened.done("write_down") == []
        await answer(handle, Approve(key=pending.key, digest=pending.digest, by="bob"))
        outcome = await handle.result()
    assert "the policy wants the yes of somebody else" in str(own.value.__cause__)
    assert outcome.receipts[0].approved_by == "bob"
