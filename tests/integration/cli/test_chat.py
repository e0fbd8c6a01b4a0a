"""`client.py chat`."""

import asyncio
import json
import re

import pytest
from temporalio.client import Client

from client import close, handle_of, open_with, state
from client import say as said_to
from tests.integration.cli.conftest import CommandLine, Said, an_id
from tests.sample_tools import World
from tests.scripted_model import Raw, ScriptedModel, call, calls, say
from workflows.contract.api import Outcome, Request, RequestStatus

OPEN = Request(keep_open=True, requester="ann")


def script(model: ScriptedModel) -> None:
    """Of a conversation that begins with a look, and goes on with thanks."""
    model.scripts["Look up errand."] = [
        calls(call("look_up", word="errand")),
        say("An errand."),
        say("You are welcome."),
    ]


async def opened(cli: CommandLine, client: Client, text: str) -> str:
    """A conversation in which one message has been answered."""
    request_id, queue = an_id(), cli.environment["ERRAND_TASK_QUEUE"]
    await open_with(client, OPEN, text, request_id=request_id, by="ann", task_queue=queue)
    return request_id


# --- by a pipe -----------------------------------------------------------------------------------------------------


async def test_each_line_of_a_pipe_is_a_message_and_the_answers_are_printed(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    script(worker)
    shown = await cli.piped("Look up errand.\n\nThank you.\n", "chat")
    first, receipt, second = shown.out.splitlines()
    assert (first, second) == ("An errand.", "You are welcome.")
    assert receipt.split() == ["✓", "done", "look_up", 'word="errand"']
    assert shown.code == 0
    assert "stays open; come back: uv run client.py chat errand-" in shown.err
    request_id = shown.err.split()[0]
    assert (await state(handle_of(client, request_id))).status is RequestStatus.RUNNING
    await close(handle_of(client, request_id))


async def test_with_json_there_is_one_outcome_a_line_and_close_ends_the_conversation(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    script(worker)
    shown = await cli.piped("Look up errand.\nThank you.\n/close\nToo late.\n", "chat", "--json")
    first, second = (Outcome.model_validate_json(line) for line in shown.out.splitlines())
    assert (first.summary, len(first.receipts)) == ("An errand.", 1)
    assert (second.summary, len(second.receipts)) == ("You are welcome.", 0)
    assert (shown.code, shown.err) == (0, "")
    ended = await handle_of(client, first.request_id).result()
    assert (ended.summary, len(ended.receipts)) == ("You are welcome.", 1)


async def test_closing_what_was_never_begun_is_no_mistake(cli: CommandLine) -> None:
    assert await cli.piped("\n/close\nToo late.\n", "chat") == Said(0, "", "")


async def test_a_message_that_is_not_completed_makes_the_exit_code_1(cli: CommandLine, worker: ScriptedModel) -> None:
    unknown = Raw(401, json.dumps({"error": {"message": "who are you?"}}))
    worker.scripts["Say hello."] = [say("Hello."), unknown]
    shown = await cli.piped("Say hello.\nAnd goodbye.\n/close\n", "chat")
    hello, goodbye = shown.out.splitlines()
    assert (shown.code, hello) == (1, "Hello.")
    assert goodbye.startswith("failed: ")
    assert "who are you?" in goodbye


async def test_a_pipe_goes_on_with_a_conversation_by_its_id(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    script(worker)
    request_id = await opened(cli, client, "Look up errand.")
    shown = await cli.piped("Thank you.\n", "chat", request_id)
    assert shown == Said(
        0, "You are welcome.\n", f"{request_id} stays open; come back: uv run client.py chat {request_id}\n"
    )
    await close(handle_of(client, request_id))


async def test_a_request_that_takes_no_messages_is_refused(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    worker.scripts["Say hello."] = [say("Hello.")]
    request_id = await opened(cli, client, "Say hello.")
    await close(handle_of(client, request_id))
    await handle_of(client, request_id).result()
    ended = await cli.piped("Hello?\n", "chat", request_id)
    assert ended == Said(1, "", f"error: {request_id} has ended; see how: uv run client.py result {request_id}\n")
    worker.scripts["Write."] = [calls(call("write_down", word="errand")), say("It is over.")]
    waits = (await cli("submit", "Write.", "--no-wait")).out.strip()
    short = await cli.piped("Hello?\n", "chat", waits)
    assert short == Said(1, "", f"error: {waits} is not kept open, so it takes no messages\n")
    await cli("cancel", waits)
    assert (await cli.piped("", "chat", "no-such")) == Said(2, "", "error: there is no request no-such\n")


async def test_options_of_a_new_conversation_are_refused_for_one_that_is_open(cli: CommandLine) -> None:
    for options in (("--yes",), ("--idle", "5"), ("--approve", "tell")):
        shown = await cli("chat", "some-id", *options)
        assert shown.code == 2
        assert "only a new conversation takes" in shown.err


async def test_approvals_in_advance_and_the_name_reach_the_request(
    cli: CommandLine, worker: ScriptedModel, happened: World
) -> None:
    worker.scripts["Write."] = [calls(call("write_down", word="errand")), say("It is over.")]
    shown = await cli.piped("Write.\n/close\n", "chat", "--approve", "write_down", "--by", "carol", "--json")
    (receipt,) = json.loads(shown.out)["receipts"]
    assert (receipt["status"], receipt["approved_by"]) == ("done", "requester")
    assert happened.done("write_down") == ["errand"]


# --- at a terminal -------------------------------------------------------------------------------------------------


async def test_at_a_terminal_each_message_shows_its_steps_and_ctrl_d_leaves_the_conversation_open(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    script(worker)
    async with cli.terminal("chat") as terminal:
        shown = await terminal.see("> ")
        request_id = shown.split()[0]
        terminal.type("Look up errand.\n")
        shown = await terminal.see("so far")
        for expected in (
            "turn 1  the model asks for 1 call",
            "✓ look_up",
            "turn 2  the model answers",
            "completed",
            "An errand.",
            "✓ done",
        ):
            assert expected in shown, shown
        assert shown.count("Look up errand.") == 1
        await terminal.see("> ")
        terminal.type("Thank you.\n")
        shown = await terminal.see("so far")
        assert "You are welcome." in shown
        assert "look_up" not in shown
        await terminal.see("> ")
        terminal.type("\x04")
        shown = await terminal.see(f"come back: uv run client.py chat {request_id}")
        assert await terminal.ends() == 0
    now = await state(handle_of(client, request_id))
    assert (now.status, now.doing) == (RequestStatus.RUNNING, "waiting for a message")
    await close(handle_of(client, request_id))


async def test_at_a_terminal_calls_are_approved_in_place_and_close_ends_the_conversation(
    cli: CommandLine, client: Client, worker: ScriptedModel, happened: World
) -> None:
    worker.scripts["Write errand."] = [calls(call("write_down", word="errand")), say("Written.")]
    async with cli.terminal("chat") as terminal:
        request_id = (await terminal.see("> ")).split()[0]
        terminal.type("Write errand.\n")
        await terminal.see("approve? [y/N/e=edit/reason]")
        terminal.type("y\n")
        assert "✓ approved by ann" in await terminal.see("so far")
        terminal.type("/close\n")
        await terminal.see(f"{request_id} is closed; every receipt: uv run client.py result {request_id}")
        assert await terminal.ends() == 0
    assert happened.done("write_down") == ["errand"]
    assert (await handle_of(client, request_id).result()).receipts[0].approved_by == "ann"


@pytest.mark.long
async def test_what_is_typed_before_a_call_is_shown_is_no_answer_to_it(
    cli: CommandLine, client: Client, worker: ScriptedModel, happened: World
) -> None:
    slowly = calls(call("look_up", word="errand", seconds=1.5))
    worker.scripts["Write errand."] = [slowly, calls(call("write_down", word="errand")), say("Not written.")]
    async with cli.terminal("chat") as terminal:
        request_id = (await terminal.see("> ")).split()[0]
        terminal.type("Write errand.\n")
        await terminal.see("look_up")
        terminal.type("y\n")
        await terminal.see("approve? [y/N/e=edit/reason]")
        await asyncio.sleep(0.5)
        assert len((await state(handle_of(client, request_id))).awaiting_approval) == 1
        terminal.type("n\n")
        await terminal.see("so far")
        terminal.type("/close\n")
        assert await terminal.ends() == 0
    assert happened.done("write_down") == []


@pytest.mark.long
async def test_ctrl_c_stops_waiting_and_the_message_goes_on_and_ctrl_c_again_leaves(
    cli: CommandLine, client: Client, worker: ScriptedModel, happened: World
) -> None:
    worker.scripts["Write errand."] = [calls(call("write_down", word="errand")), say("Written."), say("Bye.")]
    async with cli.terminal("chat") as terminal:
        request_id = (await terminal.see("> ")).split()[0]
        terminal.type("Write errand.\n")
        await terminal.see("approve? [y/N/e=edit/reason]")
        terminal.type("\x03")
        await terminal.see(f"it goes on; Enter waits on, or elsewhere: uv run client.py watch {request_id}")
        await terminal.see("> ")
        terminal.type("\n")
        await terminal.see("approve? [y/N/e=edit/reason]")
        terminal.type("\x03")
        await terminal.see("> ")
        await terminal.interrupt("come back")
        assert await terminal.ends() == 130
    (waiting,) = (await state(handle_of(client, request_id))).awaiting_approval
    assert waiting.tool == "write_down"
    async with cli.terminal("chat", request_id) as terminal:
        shown = await terminal.see("approve? [y/N/e=edit/reason]")
        assert "> Write errand." in shown
        terminal.type("y\n")
        await terminal.see("Written.")
        await terminal.see("> ")
        terminal.type("/close\n")
        assert await terminal.ends() == 0
    assert happened.done("write_down") == ["errand"]


@pytest.mark.long
async def test_joining_shows_what_was_said_and_enter_what_others_say_meanwhile(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    script(worker)
    request_id = await opened(cli, client, "Look up errand.")
    async with cli.terminal("chat", request_id) as terminal:
        shown = await terminal.see("An errand. (1 receipt)")
        assert "> Look up errand." in shown
        await terminal.see("> ")
        await said_to(client, request_id, "Thank you.", by="bob")
        terminal.type("\n")
        await terminal.see("> Thank you.  (bob)")
        await terminal.see("completed: You are welcome.")
        terminal.type("/nonsense\n/help\n/close\n")
        await terminal.see("there is no /nonsense")
        await terminal.see("Ctrl-D")
        assert await terminal.ends() == 0


async def test_a_conversation_that_ended_meanwhile_says_so_at_the_next_message(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    worker.scripts["Say hello."] = [say("Hello.")]
    async with cli.terminal("chat", "--idle", "1") as terminal:
        request_id = (await terminal.see("> ")).split()[0]
        terminal.type("Say hello.\n")
        await terminal.see("so far")
        await handle_of(client, request_id).result()
        terminal.type("Thank you.\n")
        await terminal.see("error: ")
        assert await terminal.ends() == 1


# --- seen from elsewhere -------------------------------------------------------------------------------------------


async def test_status_list_and_watch_know_a_conversation_that_waits(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    script(worker)
    request_id = await opened(cli, client, "Look up errand.")
    assert "running  waiting for a message" in (await cli("status", request_id)).out
    async with asyncio.timeout(10):
        while not re.search(rf"{request_id} +open ", (await cli("list")).out):
            await asyncio.sleep(0.1)
    await close(handle_of(client, request_id))
    watched = await cli("watch", request_id)
    for expected in (f"{request_id}  a conversation", "> Look up errand.  (ann)", "✓ look_up", "completed: An errand."):
        assert expected in watched.out, watched.out
    assert "it is to be closed" in watched.out


async def test_the_first_text_of_a_request_that_is_kept_open_is_answered_where_it_is_watched(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    script(worker)
    queue = cli.environment["ERRAND_TASK_QUEUE"]
    request = Request(keep_open=True, text="Look up errand.")
    handle = await client.start_workflow("RequestWorkflow", request, id=(request_id := an_id()), task_queue=queue)
    async with cli.terminal("watch", request_id) as terminal:
        shown = await terminal.see("waiting for a message")
        assert "An errand." in shown
        await close(handle_of(client, request_id))
        assert await terminal.ends() == 0
    await handle.result()
