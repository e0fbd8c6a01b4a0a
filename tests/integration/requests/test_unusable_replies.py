"""A reply that cannot be used goes back to the model, so often and no more."""

import pytest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from tests.integration.requests.deciding import Decisions, calls_nothing_that_is_there, looks_up, says
from tests.integration.requests.test_conversations import close, say
from workflows.contract.api import ReceiptStatus, Request, RequestStatus, Usage
from workflows.contract.conversation import NoteEntry
from workflows.contract.internal import CONTEXT_TOO_LONG, PERHAPS_TOO_LONG, FailureDetail
from workflows.limits import MISTAKES_IN_A_ROW

pytestmark = pytest.mark.long


async def test_the_model_is_told_what_is_wrong_with_its_reply_and_asked_again(client: Client) -> None:
    decisions = Decisions(says("", problem="your call was not JSON"), says("Done."))
    outcome = await decisions.ask(client, Request(text="Go"))
    assert (outcome.status, outcome.summary) == (RequestStatus.COMPLETED, "Done.")
    assert decisions.asked[1].conversation[-1] == NoteEntry(text="your call was not JSON")


async def test_a_model_that_goes_on_making_mistakes_fails_the_request_before_its_turns_are_used_up(
    client: Client,
) -> None:
    useless = [calls_nothing_that_is_there(), says("", problem="nothing in it")] * MISTAKES_IN_A_ROW
    decisions = Decisions(*useless)
    outcome = await decisions.ask(client, Request(text="Go"))
    assert outcome.status is RequestStatus.FAILED
    assert f"{MISTAKES_IN_A_ROW} times in a row" in outcome.summary
    assert len(decisions.asked) == MISTAKES_IN_A_ROW
    assert {receipt.status for receipt in outcome.receipts} == {ReceiptStatus.INVALID}


async def test_a_usable_reply_makes_good_the_mistakes_before_it(client: Client) -> None:
    wrong = [calls_nothing_that_is_there()] * (MISTAKES_IN_A_ROW - 1)
    decisions = Decisions(*wrong, looks_up("tree"), *wrong, says("Done."))
    assert (await decisions.ask(client, Request(text="Go"))).status is RequestStatus.COMPLETED


async def test_a_refusal_of_the_model_fails_the_request_with_the_models_words(client: Client) -> None:
    outcome = await Decisions(says("I will not.", refused=True)).ask(client, Request(text="Go"))
    assert (outcome.status, outcome.summary) == (RequestStatus.FAILED, "The model refused: I will not.")


async def test_an_answer_that_was_cut_off_is_asked_for_again_once_and_then_marked(client: Client) -> None:
    decisions = Decisions(says("It was a", cut_off=True), says("It was", cut_off=True))
    outcome = await decisions.ask(client, Request(text="Go"))
    assert outcome.summary == "It was … [cut off: the model's answer was too long]"
    assert "fewer words" in str(decisions.asked[1].conversation[-1])


async def test_a_conversation_too_long_for_the_model_is_shortened_and_asked_again(client: Client) -> None:
    used = FailureDetail(attempt=1, status=ReceiptStatus.FAILED, usage=Usage(model_calls=1, input_tokens=7))
    too_long = ApplicationError("8,000 tokens", used, type=CONTEXT_TOO_LONG, non_retryable=True)
    decisions = Decisions(looks_up("a", "b", "c"), too_long, says("Done."))
    outcome = await decisions.ask(client, Request(text="Go"))
    assert (outcome.status, outcome.usage.model_calls, outcome.usage.input_tokens) == (RequestStatus.COMPLETED, 3, 207)
    whole, shortened = (str(asked.conversation) for asked in decisions.asked[1:])
    assert "shortened" not in whole
    assert "[shortened: 240 of 2,000 bytes]" in shortened


async def test_a_long_question_that_is_refused_without_a_word_of_why_is_shortened_once_and_asked_again(
    client: Client,
) -> None:
    perhaps = ApplicationError("answered 400: no", type=PERHAPS_TOO_LONG, non_retryable=True)
    decisions = Decisions(looks_up("a", "b", "c"), perhaps, says("Done."))
    outcome = await decisions.ask(client, Request(text="Go"))
    assert (outcome.status, outcome.summary) == (RequestStatus.COMPLETED, "Done.")
    assert ["shortened" in str(asked.conversation) for asked in decisions.asked] == [False, False, True]


async def test_where_that_does_not_help_the_request_fails_as_the_endpoint_says(client: Client) -> None:
    perhaps = ApplicationError("answered 400: no", type=PERHAPS_TOO_LONG, non_retryable=True)
    for decided in ([looks_up("a", "b", "c"), perhaps, perhaps], [perhaps]):
        decisions = Decisions(*decided)
        outcome = await decisions.ask(client, Request(text="Go"))
        assert outcome.status is RequestStatus.FAILED
        assert outcome.summary.startswith("The model gave no usable answer: answered 400: no")
        assert len(decisions.asked) == len(decided)


async def test_a_request_too_long_for_the_model_fails_when_nothing_is_left_to_shorten(client: Client) -> None:
    too_long = ApplicationError("8,000 tokens", type=CONTEXT_TOO_LONG, non_retryable=True)
    outcome = await Decisions(too_long).ask(client, Request(text="Go"))
    assert outcome.status is RequestStatus.FAILED
    assert "too long for the model: 8,000 tokens" in outcome.summary


async def test_what_the_endpoint_cannot_do_is_known_to_every_later_decision_and_shown(client: Client) -> None:
    step = "calling: native → json_schema (400 tools)"
    decisions = Decisions(looks_up("a").model_copy(update={"demoted": (step,)}), says("Done."))
    async with decisions.at_work(client):
        handle = await decisions.start(client, Request(text="Go"))
        await handle.result()
        details = await handle.query("__temporal_workflow_metadata")
    assert decisions.asked[1].demoted == (step,)
    assert f"⚠ model: `{step}`" in str(details)


async def test_what_was_said_first_is_left_out_where_shortening_is_not_enough(client: Client) -> None:
    too_long = ApplicationError("8,000 tokens", type=CONTEXT_TOO_LONG, non_retryable=True)
    talk = [says("word " * 60) for _ in range(10)]
    decisions = Decisions(*talk, too_long, says("Fine."))
    async with decisions.at_work(client):
        handle = await decisions.start(client, Request(keep_open=True))
        for number in range(11):
            await say(handle, f"message {number}")
        assert (await close(handle)).summary == "Fine."
    left = str(decisions.asked[-1].conversation)
    assert "message 0" not in left
    assert "message 10" in left
