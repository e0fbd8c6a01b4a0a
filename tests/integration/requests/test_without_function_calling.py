"""A request runs the same with a model that cannot call functions: the envelope does what `tool_calls` do elsewhere."""

import json
from typing import Any

from temporalio.client import Client

from activities.settings import Settings
from tests.conftest import running_worker, settings_for
from tests.integration.requests.asking import ask
from tests.sample_tools import World
from tests.scripted_model import Raw, ScriptedModel, call, calls, say
from workflows.contract.api import REQUEST_WORKFLOW, Outcome, ReceiptStatus, Request, RequestStatus
from workflows.contract.values import Schema

TEXT = "Look up rain and write it down."
MEANING: Schema = {"type": "array", "items": {"type": "string"}, "minItems": 1}


def envelope(*made: dict[str, Any]) -> Any:
    return say(json.dumps({"tool_calls": made}))


def made(name: str, **arguments: Any) -> dict[str, Any]:
    return {"name": name, "arguments": arguments}


async def test_a_request_is_carried_out_in_the_envelope_and_ends_with_receipts(
    client: Client, model: ScriptedModel, happened: World
) -> None:
    model.scripts[TEXT] = [
        envelope(made("look_up", word="rain"), made("look_up", sound="rain")),
        envelope(made("write_down", word="rain")),
        say('{"final": "It is written."}'),
    ]
    settings = settings_for(model, model_calling="json_schema")
    async with running_worker(client, settings):
        outcome = await ask(client, settings, TEXT, approve=("*",))
    assert (outcome.status, outcome.summary) == (RequestStatus.COMPLETED, "It is written.")
    assert [each.status for each in outcome.receipts] == [ReceiptStatus.DONE, ReceiptStatus.INVALID, ReceiptStatus.DONE]
    assert (happened.done("look_up"), happened.done("write_down")) == (["rain"], ["rain"])
    assert all("tools" not in each for each in model.asked)


async def test_an_endpoint_that_takes_no_functions_is_asked_in_the_envelope_from_then_on(
    client: Client, model: ScriptedModel, settings: Settings, happened: World
) -> None:
    no = {"error": {"message": "this model does not support tools", "param": "tools"}}
    model.trouble.append(Raw(400, json.dumps(no)))
    model.scripts[TEXT] = [envelope(made("look_up", word="rain")), say('{"final": "Found."}')]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, TEXT)
    assert (outcome.status, outcome.summary, happened.done("look_up")) == (RequestStatus.COMPLETED, "Found.", ["rain"])
    assert ["tools" in each for each in model.asked] == [True, False, False]


async def test_the_output_comes_from_a_question_of_its_own_without_functions(
    client: Client, model: ScriptedModel, settings: Settings, happened: World
) -> None:
    model.scripts[TEXT] = [
        calls(call("look_up", word="rain")),
        say("Rain is water."),
        say('{"output": []}'),
        say('{"output": ["water"]}'),
    ]
    async with running_worker(client, settings):
        outcome: Outcome = await client.execute_workflow(
            REQUEST_WORKFLOW,
            Request(text=TEXT, output_schema=MEANING),
            id=f"output-{settings.worker.task_queue}",
            task_queue=settings.worker.task_queue,
            result_type=Outcome,
        )
    assert (outcome.summary, outcome.output) == ("Rain is water.", ["water"])
    assert [("tools" in each, "response_format" in each) for each in model.asked] == [(True, False)] * 2 + [
        (False, True)
    ] * 2
    assert happened.done("look_up") == ["rain"]
