"""What a caller of any language is told of an input that cannot be taken, and that nothing is done before."""

import uuid
from typing import Any, cast

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from activities.settings import Settings
from tests.conftest import running_worker, settings_for
from tests.integration.requests.asking import Handle, ask, start, until_it_waits
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import REQUEST_WORKFLOW, Limits, Outcome, RequestStatus

JSON_NOBODY_CAN_READ = Payload(metadata={"encoding": b"json/plain"}, data=b'{"text": "\\ud83d"}')


async def started(client: Client, settings: Settings, *given: object, request_id: str | None = None) -> Handle:
    return await client.start_workflow(
        REQUEST_WORKFLOW,
        args=given,
        id=request_id or f"test-{uuid.uuid4().hex[:12]}",
        task_queue=settings.worker.task_queue,
        result_type=Outcome,
    )


async def refusal(handle: Handle) -> str:
    """Why a start was refused; it is all that the Temporal UI shows."""
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    error = failed.value.cause
    assert isinstance(error, ApplicationError)
    assert error.failure
    assert (error.type, error.failure.stack_trace, error.failure.HasField("cause")) == ("BadRequest", "", False)
    return error.message


class TestAStart:
    @pytest.mark.parametrize(
        ("given", "words"),
        cast("list[tuple[list[object], str]]", [
            ([{"txt": "Go"}], "txt: there is no such field; did you mean text? The fields are apply, approve, "),
            ([{"text": "Go", "limits": {"turn": 1}}], "limits.turn: there is no such field; did you mean turns?"),
            ([{"text": "Go", "approve": "tell"}], 'approve: expected a list, not "tell"'),
            ([{"text": "Go", "carried": {}}], "carried: only the workflow itself may set it"),
            (["Go"], 'the input: expected an object, not "Go"'),
            ([b"Go"], "the input: expected an object, not "),
            ([None], "the input: expected an object, not null"),
            ([], "the input: expected one Request, not nothing"),
            ([{"text": "Go"}, {"approve": []}], "the input: expected one Request, not 2"),
            ([RawValue(JSON_NOBODY_CAN_READ)], "the input: it is not JSON: "),
        ]),
    )  # fmt: skip
    @pytest.mark.sampled(3)
    async def test_that_is_no_request_fails_the_run_with_one_sentence_and_no_stack(
        self, client: Client, settings: Settings, given: list[Any], words: str
    ) -> None:
        async with running_worker(client, settings):
            said = await refusal(await started(client, settings, *given))
        assert said.startswith(words)
        assert "pydantic" not in said

    @pytest.mark.parametrize("request_id", ["a b", "a/1.1", "-a", "ä", "x" * 201, "a\nb"])
    async def test_under_an_id_that_cannot_stand_in_a_URL_and_a_mail_is_refused_before_the_model_is_asked(
        self, client: Client, settings: Settings, model: ScriptedModel, request_id: str
    ) -> None:
        async with running_worker(client, settings):
            said = await refusal(await started(client, settings, {"text": "Go"}, request_id=request_id))
        assert said.startswith("the request id ")
        assert "1 to 200 letters (A to Z), digits and . _ ~ : @ + = -" in said
        assert model.asked == []

    async def test_under_the_id_of_one_that_applies_a_plan_is_refused_where_it_applies_none(
        self, client: Client, settings: Settings, model: ScriptedModel
    ) -> None:
        async with running_worker(client, settings):
            said = await refusal(await started(client, settings, {"text": "Go"}, request_id="weather-1.apply"))
        assert said == "the request id: ids that end in .apply are those of requests that apply a plan; use another"
        assert model.asked == []

    async def test_with_null_for_what_is_unset_is_a_request(
        self, client: Client, settings: Settings, model: ScriptedModel
    ) -> None:
        model.scripts["Say hello."] = [say("Hello.")]
        unset = dict.fromkeys(("approve", "requester", "limits", "keep_open", "output_schema"))
        async with running_worker(client, settings):
            outcome = await (await started(client, settings, {"text": "Say hello.", **unset})).result()
        assert (outcome.status, outcome.summary) == (RequestStatus.COMPLETED, "Hello.")


class TestTheFirstDecision:
    async def test_refuses_an_approval_of_a_tool_that_there_is_not(
        self, client: Client, settings: Settings, model: ScriptedModel, happened: World
    ) -> None:
        model.scripts["Tell ann."] = [calls(call("tell", to=["ann"], what="hi")), say("ToolMessage.")]
        async with running_worker(client, settings):
            outcome = await ask(client, settings, "Tell ann.", approve=("look_up", "tel"))
        assert outcome.status is RequestStatus.FAILED
        assert outcome.summary.startswith(
            "Nothing was done: approve: there is no such tool; did you mean tell? The tools are "
        )
        assert (model.asked, outcome.receipts, happened.happened) == ([], (), [])

    async def test_refuses_a_limit_on_the_cost_of_a_model_without_a_price(
        self, client: Client, settings: Settings, model: ScriptedModel
    ) -> None:
        async with running_worker(client, settings):
            outcome = await ask(client, settings, "Go", limits=Limits(cost=1))
        assert outcome.status is RequestStatus.FAILED
        assert outcome.summary == (
            "Nothing was done: limits.cost: the worker has no price for its model scripted (ERRAND_MODEL_PRICES), "
            "so it cannot keep the cost within a limit"
        )
        assert model.asked == []

    async def test_is_made_where_the_model_has_a_price_and_every_tool_is_there(
        self, client: Client, model: ScriptedModel
    ) -> None:
        model.scripts["Say hello."] = [say("Hello.")]
        settings = settings_for(model, model_prices={"scripted": {"input": 1, "output": 1}})
        async with running_worker(client, settings):
            outcome = await ask(client, settings, "Say hello.", approve=("tell", "*"), limits=Limits(cost=1))
        assert outcome.summary == "Hello."


class TestAnUpdate:
    @pytest.mark.parametrize(
        ("name", "given", "words"),
        [
            ("approve", [{"key": "k", "digets": "d", "by": "a"}], "digets: there is no such field; did you mean dig"),
            ("approve", [{"key": "k", "digest": "d"}], "by: it is missing (who decides: a person's name)"),
            ("approve", [], "the input: expected one Approve, not nothing"),
            ("reject", [{"key": "k", "digest": "d", "by": " ", "reason": "no"}], "by: it is blank"),
            ("reject", ["k"], 'the input: expected an object, not "k"'),
            (
                "say",
                [{"txt": "More"}],
                "txt: there is no such field; did you mean text? The fields are by, question, text.",
            ),
            ("say", [None], "the input: expected an object, not null"),
        ],
    )  # fmt: skip
    @pytest.mark.sampled(3)
    async def test_that_says_something_else_is_refused_with_one_sentence_and_no_stack(
        self, client: Client, settings: Settings, model: ScriptedModel, name: str, given: list[Any], words: str
    ) -> None:
        model.scripts["Write."] = [calls(call("write_down", word="a")), say("Never said.")]
        async with running_worker(client, settings):
            handle = await start(client, settings, "Write.")
            waits = await until_it_waits(handle)
            with pytest.raises(WorkflowUpdateFailedError) as refused:
                await handle.execute_update(name, args=given)  # pyright: ignore[reportUnknownMemberType]  # as in asking.py
            assert (await until_it_waits(handle)).key == waits.key
            await handle.terminate()
        error = refused.value.cause
        assert isinstance(error, ApplicationError)
        assert error.failure
        assert error.message.startswith(words)
        assert (error.type, error.failure.stack_trace, error.failure.HasField("cause")) == ("BadRequest", "", False)
