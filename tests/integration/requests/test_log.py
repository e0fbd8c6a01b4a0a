"""A worker's log says of a failure what happened, to which call of which request: on one line."""

from temporalio.client import Client

from activities.settings import Settings
from tests.conftest import changed, running_worker
from tests.integration.requests.asking import start
from tests.logged import Line, lines_of, logged
from tests.sample_tools import World
from tests.scripted_model import Raw, ScriptedModel, call, calls, say
from workflows.contract.api import Outcome


async def asked(client: Client, settings: Settings, text: str) -> tuple[Outcome, list[Line]]:
    """The outcome of a request, and the lines of log that its activities left."""
    with logged() as log:
        async with running_worker(client, settings):
            outcome = await (await start(client, settings, text, approve=("*",))).result()
    return outcome, [line for line in lines_of(log) if "request_id" in line]


async def test_what_a_tool_expects_is_one_line_with_its_call_and_no_traceback(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Nothing"] = [calls(call("look_up", word="nothing")), say("There is no entry.")]
    outcome, [line] = await asked(client, settings, "Nothing")
    assert line["event"] == "activity failed"
    assert (line["error"], line["reason"], line["final"]) == ("NotFound", "there is no entry for nothing", True)
    assert (line["request_id"], line["key"]) == (outcome.request_id, f"{outcome.request_id}/1.1")
    assert (line["tool"], line["attempt"], line["level"]) == ("look_up", 1, "info")
    assert "exception" not in line


async def test_each_attempt_has_its_line(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    happened.failures["tree"] = 1
    model.scripts["Tree"] = [calls(call("look_up", word="tree")), say("Found.")]
    outcome, [line] = await asked(client, settings, "Tree")
    assert outcome.receipts[0].attempts == 2
    assert (line["error"], line["final"], line["attempt"]) == ("ServiceUnavailable", False, 1)


async def test_a_mistake_in_a_write_has_its_traceback_once(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Broken"] = [calls(call("write_down", word="broken")), say("It may be written.")]
    outcome, lines = await asked(client, settings, "Broken")
    [told] = [str(line["exception"]) for line in lines if "exception" in line]
    assert told.count("ValueError: a mistake in the tool") == 1
    assert all(line["key"] == f"{outcome.request_id}/1.1" for line in lines)


async def test_a_mistake_in_a_read_too(client: Client, settings: Settings, model: ScriptedModel) -> None:
    settings = changed(settings, tools={"tools": ("tests.leaky_tools",)})
    model.scripts["Read"] = [calls(call("leaky_read", how="is not there")), say("No.")]
    _, lines = await asked(client, settings, "Read")
    [told] = [str(line["exception"]) for line in lines if "exception" in line]
    assert told.count("KeyError: 'is not there'") == 1


async def test_a_model_that_cannot_answer_is_a_line_of_its_activity(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Refused"] = [Raw(401, '{"error": {"message": "no such key"}}')]
    outcome, [line] = await asked(client, settings, "Refused")
    assert (line["activity"], line["error"], line["request_id"]) == ("decide", "ModelRefused", outcome.request_id)
    assert "tool" not in line
