"""`client.py submit --rehearse` and `client.py apply`."""

import json

import pytest
from temporalio.client import Client

from deploy.client.plans import apply, plan_of
from tests.integration.cli.conftest import CommandLine, an_id
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import Outcome

TEXT = "Write oak down"


@pytest.fixture
def rehearsed(worker: ScriptedModel) -> str:
    """The id under which it is rehearsed."""
    worker.scripts[TEXT] = [calls(call("write_down", word="oak")), say("Done.")]
    return an_id()


async def test_a_rehearsal_shows_its_plan_and_how_to_apply_it(
    cli: CommandLine, rehearsed: str, happened: World
) -> None:
    shown = await cli("submit", "--rehearse", "--id", rehearsed, TEXT)
    assert shown.code == 0
    assert "! needs approval write_down" in shown.out
    assert f"uv run client.py apply {rehearsed}" in shown.err
    applied = await cli("apply", rehearsed, "--yes", "--json")
    assert (applied.code, Outcome.model_validate_json(applied.out).summary) == (0, "Done: write_down.")
    assert happened.done("write_down") == ["oak"]


@pytest.mark.parametrize(("answer", "code", "written"), [("n", 1, []), ("y", 0, ["oak"])])
async def test_at_a_terminal_the_whole_plan_is_asked_about_once(
    cli: CommandLine, rehearsed: str, happened: World, answer: str, code: int, written: list[str]
) -> None:
    await cli("submit", "--rehearse", "--id", rehearsed, TEXT)
    async with cli.terminal("apply", rehearsed) as terminal:
        await terminal.see("make it? [y/N]")
        terminal.type(f"{answer}\r")
        assert await terminal.ends() == code
    assert happened.done("write_down") == written


@pytest.mark.long
async def test_a_plan_that_waits_is_taken_or_rejected_as_it_stands(
    cli: CommandLine, client: Client, rehearsed: str, happened: World
) -> None:
    await cli("submit", "--rehearse", "--id", rehearsed, TEXT)
    plan, queue = await plan_of(client, rehearsed), cli.environment["ERRAND_TASK_QUEUE"]
    applying = await apply(client, plan, requester="ann", task_queue=queue)
    async with cli.terminal("watch", applying.id) as terminal:
        await terminal.see("approve? [y/N/reason]")
        terminal.type("e\n")
        await terminal.see("a plan is approved as it stands")
        await terminal.see("approve? [y/N/reason]")
        assert happened.done("write_down") == []
        terminal.type("y\n")
        assert await terminal.ends() == 0
    assert happened.done("write_down") == ["oak"]


async def test_what_is_no_rehearsal_has_no_plan(cli: CommandLine, worker: ScriptedModel) -> None:
    worker.scripts["Hello"] = [say("Hello.")]
    request_id = an_id()
    await cli("submit", "--id", request_id, "Hello")
    refused = await cli("apply", request_id, "--yes")
    assert (refused.code, f"{request_id} has no plan: completed: Hello." in refused.err) == (2, True)


async def test_one_call_by_hand_can_be_rehearsed(cli: CommandLine, worker: ScriptedModel, happened: World) -> None:
    shown = await cli("tools", "call", "write_down", "--arguments", '{"word": "oak"}', "--rehearse", "--json")
    assert (shown.code, len(json.loads(shown.out)["plan"]["writes"])) == (0, 1)
    assert happened.done("write_down") == []
