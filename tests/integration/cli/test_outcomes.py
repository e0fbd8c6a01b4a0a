"""What an outcome says beside the model's own words."""

import json

from tests.integration.cli.conftest import CommandLine
from tests.scripted_model import ScriptedModel, call, calls, say


async def test_a_false_claim_is_marked_and_the_attempt_to_correct_it_is_told(
    cli: CommandLine, worker: ScriptedModel
) -> None:
    worker.scripts["Write."] = [say("I wrote it down."), say("Really, I wrote it down.")]
    request_id = (await cli("submit", "Write.", "--no-wait")).out.strip()
    watched = await cli("watch", request_id)
    assert "asked the model to correct: That is not what happened" in watched.out
    for shown in (watched, await cli("result", request_id)):
        assert shown.code == 0
        assert "Really, I wrote it down.\n⚠ The summary claims what no receipt bears out." in shown.out
        assert '"Really, I wrote it down.": no call of write_down has succeeded' in shown.out


async def test_a_write_whose_end_is_unknown_is_found_and_settled_by_the_commands_that_its_receipt_names(
    cli: CommandLine, worker: ScriptedModel
) -> None:
    worker.scripts["Write."] = [calls(call("write_down", word="maybe")), say("I do not know.")]
    shown = await cli("submit", "Write.", "--yes")
    assert "the pencil broke" in shown.out
    assert "client.py actions --state unknown, client.py resolve KEY" in shown.out
    found = await cli("actions", "--state", "unknown")
    (key,) = (word for word in found.out.split() if word.endswith("/1.1"))
    assert "the pencil broke" in found.out
    assert (await cli("resolve", key, "not-delivered")).code == 0
    assert (await cli("actions", "--state", "unknown")).err == "no actions\n"


async def test_a_looping_answer_is_shortened_on_the_screen_and_whole_in_the_json(
    cli: CommandLine, worker: ScriptedModel
) -> None:
    worker.scripts["Look."] = [say("It is a plant. " * 60)]
    request_id = (await cli("submit", "Look.", "--no-wait")).out.strip()
    shown = await cli("result", request_id)
    assert "completed: It is a plant. It is a plant. … (the same 58 times more)\n" in shown.out
    assert json.loads((await cli("result", request_id, "--json")).out)["summary"].count("It is a plant.") == 60


async def test_in_a_namespace_that_is_not_there_nothing_is_said_of_a_request(cli: CommandLine) -> None:
    lost = CommandLine({**cli.environment, "TEMPORAL_NAMESPACE": "nowhere"})
    shown = await lost("why", "errand-1")
    assert shown.code != 0
    assert "Namespace nowhere is not found" in shown.err
    assert shown.out == ""
