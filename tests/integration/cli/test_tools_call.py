"""`client.py tools call`: one call by hand, by the same policy, in the same ledger, with the same receipt."""

import json

from temporalio.client import Client

from client import handle_of
from tests.integration.cli.conftest import CommandLine, an_id
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel
from workflows.contract.api import Outcome, ReceiptStatus, RequestStatus


async def test_a_read_runs_and_its_whole_result_is_the_output(cli: CommandLine, worker: ScriptedModel) -> None:
    shown = await cli("tools", "call", "look_up", "--arguments", '{"word": "oak"}', "--json")
    outcome = Outcome.model_validate_json(shown.out)
    assert (shown.code, outcome.status) == (0, RequestStatus.COMPLETED)
    assert outcome.output == {"word": "oak", "meaning": "the meaning of oak"}
    [receipt] = outcome.receipts
    assert (receipt.key, receipt.status) == (f"{outcome.request_id}/1.1", ReceiptStatus.DONE)
    assert worker.asked == [], "no model is asked"


async def test_a_write_that_was_approved_in_advance_stands_in_the_ledger(
    cli: CommandLine, worker: ScriptedModel, happened: World
) -> None:
    request_id = an_id()
    words = ("tools", "call", "tell", "--arguments", '{"to": ["ann"], "what": "hello"}', "--yes", "--id", request_id)
    assert (await cli(*words)).code == 0
    assert (await cli(*words)).code == 0, "the same id is the same call"
    assert happened.done("tell") == ["ann"]
    [row] = (await cli("actions", "--request", request_id, "--json")).out.splitlines()
    assert (json.loads(row)["state"], json.loads(row)["approved_by"]) == ("done", "requester")


async def test_at_a_terminal_a_write_is_asked_about(
    cli: CommandLine, client: Client, worker: ScriptedModel, happened: World
) -> None:
    request_id = an_id()
    asked = ("tools", "call", "write_down", "--arguments", '{"word": "oak"}', "--id", request_id)
    async with cli.terminal(*asked) as terminal:
        await terminal.see("approve? ")
        terminal.type("y\r")
        await terminal.see("written")
        assert await terminal.ends() == 0
    [receipt] = (await handle_of(client, request_id).result()).receipts
    assert receipt.approved_by == "ann"
    assert happened.done("write_down") == ["oak"]


async def test_what_does_not_fit_the_tool_or_fails_ends_with_1_and_the_reason(
    cli: CommandLine, worker: ScriptedModel
) -> None:
    for tool, arguments, why in (
        ("look_up", '{"word": 3}', "the arguments of look_up are not valid"),
        ("look_up", '{"word": "nothing"}', "there is no entry for nothing"),
        ("fly", "{}", "there is no function 'fly'"),
    ):
        shown = await cli("tools", "call", tool, "--arguments", arguments)
        assert (shown.code, why in shown.out) == (1, True), shown.out
    assert (await cli("tools", "call", "look_up", "--arguments", "word")).code == 2
