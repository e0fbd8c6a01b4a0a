"""What the model asks, at the command line: in place at a terminal, by `say` elsewhere."""

import json

from temporalio.client import Client

from client import find, handle_of, state
from tests.integration.cli.conftest import CommandLine, an_id, eventually
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import PendingQuestion, ReceiptStatus

ASKS = calls(call("ask_requester", question="Which Ann do you mean?"))


async def asked(client: Client, request_id: str) -> PendingQuestion:
    async def first() -> PendingQuestion | None:
        return next(iter((await state(handle_of(client, request_id))).awaiting_answer), None)

    return await eventually(first)


async def test_at_a_terminal_submit_asks_and_sends_the_answer(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    worker.scripts["Tell Ann."] = [ASKS, say("It is over.")]
    request_id = an_id()
    async with cli.terminal("submit", "Tell Ann.", "--id", request_id) as terminal:
        await terminal.see("Which Ann do you mean?")
        await terminal.see("answer: ")
        terminal.type("the one with the hat\r")
        assert "answered by ann: the one with the hat" in await terminal.see("It is over.")
        assert await terminal.ends() == 0
    [receipt] = (await handle_of(client, request_id).result()).receipts
    assert (receipt.status, receipt.result) == (ReceiptStatus.DONE, {"answer": "the one with the hat", "by": "ann"})


async def test_elsewhere_a_question_is_found_shown_and_answered_by_say(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    worker.scripts["Tell Ann."] = [ASKS, say("It is over.")]
    request_id = an_id()
    await cli("submit", "Tell Ann.", "--id", request_id, "--no-wait")
    await asked(client, request_id)
    async with cli.process("watch", request_id) as process:
        assert process.stderr is not None
        while b"client.py say" not in (line := await process.stderr.readline()):
            assert line

        async def listed() -> bool:
            return any(each.request_id == request_id for each in await find(client, awaiting_answer=True, limit=100))

        await eventually(listed)
        shown = await cli("list", "--awaiting-answer", "--limit", "100")
        assert any(request_id in line and "awaiting answer" in line for line in shown.out.splitlines())
        assert "Which Ann do you mean?" in (await cli("status", request_id)).out
        said = await cli("say", request_id, "the first", "--question", "1.1", "--by", "carol")
        assert (said.code, said.out) == (0, "answered\n")
        out, _ = await process.communicate()
    assert "answered by carol: the first" in out.decode()
    late = await cli("say", request_id, "the second")
    assert (late.code, late.err) == (2, f"error: {request_id} has ended\n")


async def test_in_a_conversation_the_answer_is_asked_for_in_place(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    worker.scripts["Tell Ann."] = [ASKS, say("It is over."), say("Goodbye.")]
    async with cli.terminal("chat") as terminal:
        await terminal.see("> ")
        terminal.type("Tell Ann.\r")
        await terminal.see("answer: ")
        terminal.type("the first\r")
        await terminal.see("It is over.")
        await terminal.see("> ")
        terminal.type("Thanks.\r")
        await terminal.see("Goodbye.")
        await terminal.see("> ")
        terminal.type("/close\r")
        assert await terminal.ends() == 0


async def test_a_script_answers_the_question_that_its_message_led_to(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    worker.scripts["Hello"] = [say("Hi."), ASKS, say("It is over.")]
    started = await cli.piped("Hello\n", "chat", "--json")
    request_id = json.loads(started.out)["request_id"]
    async with cli.process("say", request_id, "Tell Ann.", "--json") as process:
        await asked(client, request_id)
        assert (await cli("say", request_id, "the first")).out == "answered\n"
        out, _ = await process.communicate()
    assert json.loads(out)["summary"] == "It is over."
    await cli.piped("/close\n", "chat", request_id)
