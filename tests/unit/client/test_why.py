"""Why a request did what it did, from its recorded history and rows of a ledger."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.errors import ConfigurationError
from activities.ledger.ledger import Ledger
from activities.ledger.rows import State, Write
from deploy.client.cases import Case
from deploy.client.explanations import ExplainedCall, Explanation, explained
from deploy.client.recorded_cases import case_of
from deploy.client.why import Reading, explain_exported
from workflows.contract.api import ReceiptStatus, RequestStatus
from workflows.contract.internal import ToolCall
from workflows.contract.values import Arguments

RECORDED = Path(__file__).parents[2] / "histories"


async def wrote(ledger: Ledger, key: str, tool: str, arguments: Arguments, by: str, state: State = State.DONE) -> None:
    write = Write(ToolCall(key=key, tool=tool, arguments=arguments, approved_by=by))
    await ledger.finish(key, await ledger.begin(write, attempt=1, seen=None), state)


async def why(name: str, ledger: Ledger) -> Explanation:
    return await explain_exported(name, [RECORDED / f"{name}.json"], pydantic_data_converter, ledger)


def the(explanation: Explanation, position: str) -> ExplainedCall:
    [call] = explanation.only(position).calls
    return call


def origins(call: ExplainedCall) -> list[tuple[str, list[str]]]:
    return [(source.argument, [str(origin) for origin in source.origins]) for source in call.sources]


async def test_a_persons_yes_is_told_with_who_when_and_the_digest_that_also_the_ledger_has(ledger: Ledger) -> None:
    await wrote(ledger, "approved/1.1", "write_down", {"word": "tree"}, "ann")
    call = the(await why("approved", ledger), "1.1")
    [yes] = call.verdicts
    assert (yes.yes, yes.by, yes.digest) == (True, "ann", call.digest)
    assert call.ledger is not None
    assert (call.ledger.state, call.ledger.digest, call.contradictions) == ("done", call.digest, ())
    assert call.allowed.startswith("ann said yes at 20")


async def test_what_a_person_put_into_a_call_is_told_as_theirs(ledger: Ledger) -> None:
    await wrote(ledger, "edited/1.1", "write_down", {"word": "oak"}, "ann")
    call = the(await why("edited", ledger), "1.1")
    assert (call.about, call.arguments, origins(call)) == ("oak", {"word": "oak"}, [("word", ["put there by ann"])])
    assert (call.allowed[-22:], call.contradictions) == (", with other arguments", ())


async def test_a_call_is_headed_by_what_it_was_made_to_do_and_not_by_what_the_model_had_proposed(
    ledger: Ledger,
) -> None:
    assert the(await why("edited-asked-again", ledger), "2.1").about == "to eve"


async def test_a_first_yes_that_did_not_count_is_told_beside_the_second_that_did(ledger: Ledger) -> None:
    await wrote(ledger, "edited-asked-again/2.1", "tell", {"to": ["eve"], "what": "hi"}, "ann")
    call = the(await why("edited-asked-again", ledger), "2.1")
    assert [verdict.came_to for verdict in call.verdicts] == [
        "a second yes was asked for: nobody mentioned eve before",
        "",
    ]
    assert call.contradictions == ()


async def test_a_no_a_refusal_and_an_invalid_call_say_why_nothing_ran(ledger: Ledger) -> None:
    rejected = the(await why("rejected", ledger), "1.1")
    assert (rejected.status, rejected.allowed) == (
        ReceiptStatus.REJECTED,
        "it was not run: rejected by ann: not today",
    )
    invalid = the(await why("invalid-calls", ledger), "1.1")
    assert invalid.status is ReceiptStatus.INVALID
    assert "there is no function 'fly'" in invalid.allowed


async def test_attempts_are_told_with_the_failure_before_the_last(ledger: Ledger) -> None:
    call = the(await why("tool-retried", ledger), "1.1")
    assert call.attempts is not None
    assert call.attempts.number == 2
    assert call.attempts.failed_before
    assert call.allowed == "a read needs no yes"


async def test_a_request_in_several_runs_is_explained_as_one(ledger: Ledger) -> None:
    files = [RECORDED / f"continued-as-new-{run}.json" for run in (1, 2, 3)]
    whole = await explain_exported("continued-as-new", files, pydantic_data_converter, ledger)
    later = await explain_exported("continued-as-new", files[1:], pydantic_data_converter, ledger)
    expected = [f"continued-as-new/{turn}.1" for turn in range(1, 6)]
    assert [call.key for call in whole.calls] == [call.key for call in later.calls] == expected
    assert whole.calls[0].asked_at is not None
    assert later.calls[0].asked_at is None
    assert later.calls[0].status is ReceiptStatus.DONE


async def test_what_history_and_ledger_say_differently_is_told(ledger: Ledger) -> None:
    await wrote(ledger, "edited/1.1", "write_down", {"word": "elm"}, "bob", State.NOT_DONE)
    await wrote(ledger, "edited/9.1", "write_down", {"word": "fir"}, "bob")
    explanation = await why("edited", ledger)
    digests, approver, end = the(explanation, "1.1").contradictions
    assert digests.startswith("the ledger has the digest")
    assert approver == "the ledger says that bob approved it, and not ann"
    assert end == "its receipt says done, and the ledger not_done"
    assert the(explanation, "9.1").contradictions[0].startswith("the history does not know of it")


async def test_arguments_that_were_changed_in_the_ledger_contradict_the_digest_beside_them(ledger: Ledger) -> None:
    await wrote(ledger, "approved/1.1", "write_down", {"word": "tree"}, "ann")
    await wrote(ledger, "approved/9.1", "write_down", {"word": "fir"}, "bob")
    [alone, row] = await ledger.search(request_id="approved")
    altered = [each.model_copy(update={"arguments": {"word": "oak"}}) for each in (row, alone)]
    account = (await read("approved")).account
    for rows, known in ((altered, account), (altered[1:], None)):
        for call in explained("approved", known, rows, asked=True).calls:
            assert call.contradictions[-1].startswith("the ledger's row was changed")


async def test_a_row_that_cannot_be_read_is_told_at_its_call_and_the_others_are_explained(ledger: Ledger) -> None:
    for key in ("approved/1.1", "approved/9.1"):
        await wrote(ledger, key, "write_down", {"word": "tree"}, "ann")
    with closing(sqlite3.connect(ledger.place)) as connection, connection:
        connection.execute("UPDATE errand_actions SET state = 'finished' WHERE key = 'approved/1.1'")
    explanation = await why("approved", ledger)
    [told] = the(explanation, "1.1").contradictions
    assert told.startswith("approved/1.1: state of its row in the ledger is damaged")
    assert explanation.notes == (told,)
    assert the(explanation, "9.1").ledger is not None


async def test_a_receipt_that_says_unknown_contradicts_no_row(ledger: Ledger) -> None:
    await wrote(ledger, "write-unknown/1.1", "write_down", {"word": "maybe"}, "requester")
    call = the(await why("write-unknown", ledger), "1.1")
    assert (call.status, call.contradictions) == (ReceiptStatus.UNKNOWN, ())
    assert call.allowed == "the requester approved * in advance, with the request"


async def test_where_temporal_has_no_history_the_ledger_tells_of_the_writes(ledger: Ledger) -> None:
    await wrote(ledger, "old/2.1", "tell", {"to": ["ann"]}, "carol")
    rows = await ledger.search(request_id="old")
    [call] = explained("old", None, rows, asked=True).calls
    assert (call.key, call.allowed, call.contradictions) == ("old/2.1", "approved by carol, says the ledger", ())


async def test_what_a_request_made_becomes_a_case_also_what_a_person_rejected() -> None:
    [expected] = (await recorded_case("rejected")).call
    told = (expected.tool, expected.arguments, expected.rejected, expected.error)
    assert told == ("write_down", {"word": "tree"}, "not today", None)


async def test_a_conversation_becomes_a_case_with_its_messages_and_one_that_stopped_with_its_limits() -> None:
    case = await recorded_case("conversation")
    assert (case.request, [each.text for each in case.say]) == ("conversation", ["What is a tree?"])
    assert (await recorded_case("question")).say == ()  # they answer questions, and their calls have them as results
    case = await recorded_case("turn-limit")
    assert (case.limits.turns, case.status) == (2, RequestStatus.LIMIT_REACHED)
    assert (await recorded_case("output")).output_schema is not None


async def recorded_case(name: str) -> Case:
    return case_of((await read(name)).account)


async def read(name: str) -> Reading:
    history = WorkflowHistory.from_json(name, (RECORDED / f"{name}.json").read_text())
    reading = Reading(name, pydantic_data_converter)
    for event in history.events:
        await reading.take(event)
    return reading


async def test_a_write_that_is_done_and_has_no_row_in_the_ledger_is_told(ledger: Ledger) -> None:
    assert the(await why("approved", ledger), "1.1").contradictions == ("it is done, and the ledger has no row of it",)


async def test_a_history_of_another_request_and_a_file_that_is_none_are_refused(ledger: Ledger) -> None:
    for name, file in (("other", RECORDED / "edited.json"), ("other", Path(__file__))):
        with pytest.raises(ConfigurationError, match="--history"):
            await explain_exported(name, [file], pydantic_data_converter, ledger)


@pytest.mark.parametrize("file", sorted(RECORDED.glob("*.json")), ids=lambda file: file.stem)
async def test_every_recorded_history_can_be_explained(file: Path, ledger: Ledger) -> None:
    name = file.stem.rstrip("-123") if file.stem.startswith("continued") else file.stem
    explanation = await explain_exported(name, [file], pydantic_data_converter, ledger)
    assert Explanation.model_validate_json(explanation.model_dump_json()) == explanation


async def test_a_recorded_call_becomes_the_one_that_the_model_made_without_the_defaults() -> None:
    account = (await read("approved")).account
    (call,) = account.calls.values()
    assert call.proposed is not None
    told = {"arguments": {"word": "tree", "to": "ann"}, "defaults": ("to",)}
    call.proposed = call.proposed.model_copy(update=told)
    assert [each.arguments for each in case_of(account).call] == [{"word": "tree"}]
