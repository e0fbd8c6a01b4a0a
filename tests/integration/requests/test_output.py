"""A request may ask for its result in the form of a JSON Schema."""

from temporalio.client import Client

from tests.integration.requests.deciding import ONCE, Decisions, looks_up, says
from workflows.contract.api import Request, RequestStatus
from workflows.contract.internal import Answer
from workflows.contract.values import Schema

TEMPERATURE: Schema = {"type": "object", "properties": {"celsius": {"type": "number"}}, "required": ["celsius"]}
FITS = Answer(text='{"celsius": 19}', output={"celsius": 19}, usage=ONCE)
DOES_NOT = Answer(text='{"celsius": "19"}', problem="celsius: '19' is not of type 'number'", usage=ONCE)


async def test_the_output_is_asked_for_after_the_last_call_and_stands_in_the_outcome(client: Client) -> None:
    decisions = Decisions(looks_up("tree"), says("It is 19 °C."), answers=[FITS])
    outcome = await decisions.ask(client, Request(text="How warm?", output_schema=TEMPERATURE))
    assert (outcome.summary, outcome.output) == ("It is 19 °C.", {"celsius": 19})
    assert outcome.usage.model_calls == 3
    assert [asked.output_schema for asked in decisions.asked] == [None, None, TEMPERATURE]


async def test_an_output_that_does_not_fit_goes_back_to_the_model_with_the_errors(client: Client) -> None:
    decisions = Decisions(says("It is 19 °C."), answers=[DOES_NOT, FITS])
    outcome = await decisions.ask(client, Request(text="How warm?", output_schema=TEMPERATURE))
    assert outcome.output == {"celsius": 19}
    assert "is not of type 'number'" in str(decisions.asked[-1].conversation[-1])


MADE_UP = FITS.model_copy(update={"unsupported": ("19",)})
NOT_SAID = ('"the output": neither the request nor a result says 19',)


async def test_an_output_with_a_figure_that_stands_nowhere_goes_back_once_and_then_says_so(client: Client) -> None:
    decisions = Decisions(says("It is warm."), answers=[MADE_UP, MADE_UP])
    outcome = await decisions.ask(client, Request(text="How warm?", output_schema=TEMPERATURE))
    assert (outcome.output, outcome.unsupported_claims) == ({"celsius": 19}, NOT_SAID)
    assert "Neither the request nor a result says 19." in str(decisions.asked[-1].conversation[-1])


async def test_an_output_that_is_spoilt_by_its_correction_is_taken_as_it_was(client: Client) -> None:
    decisions = Decisions(says("It is warm."), answers=[MADE_UP, DOES_NOT, DOES_NOT])
    outcome = await decisions.ask(client, Request(text="How warm?", output_schema=TEMPERATURE))
    assert (outcome.status, outcome.output) == (RequestStatus.COMPLETED, {"celsius": 19})
    assert outcome.unsupported_claims == NOT_SAID


async def test_an_output_that_does_not_fit_after_two_corrections_fails_the_request_which_keeps_its_receipts(
    client: Client,
) -> None:
    decisions = Decisions(looks_up("tree"), says("It is 19 °C."), answers=[DOES_NOT] * 3)
    outcome = await decisions.ask(client, Request(text="How warm?", output_schema=TEMPERATURE))
    assert (outcome.status, outcome.output) == (RequestStatus.FAILED, None)
    assert "does not fit the schema: celsius" in outcome.summary
    assert len(outcome.receipts) == 1


async def test_a_schema_that_is_none_ends_the_request_before_the_model_is_asked(client: Client) -> None:
    decisions = Decisions()
    outcome = await decisions.ask(client, Request(text="How warm?", output_schema={"type": "nothing"}))
    assert outcome.status is RequestStatus.FAILED
    assert outcome.summary == "Nothing was done: output_schema: 'nothing' is no type"
    assert decisions.asked == []
