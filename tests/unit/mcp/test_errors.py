"""What a tool says of its failure is believed, unless it can only have said so after it acted, or the file of sources
says that its word is not enough."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from activities.ledger.ledger import Ledger
from activities.ledger.rows import State
from activities.toolkit.foreign_tools import foreign_tools
from tests.forked import Forked
from tests.unit.mcp.http_notebook import HttpNotebook, Message, Talk, text
from tests.unit.mcp.notebook import OF_TODAY, Notebook, sources

SERVER_SAYS = 'error_means = "unknown"'
TOOL_SAYS = '[mcp.book.tool.take_note]\nerror_means = "unknown"'
TOOL_SAYS_OTHERWISE = f'{SERVER_SAYS}\n[mcp.book.tool.take_note]\nerror_means = "failed"'

TOO_LATE = "The read operation timed out"
NO_SUCH_OUTPUT = "Output validation error: 'id' is a required property"
NO_SUCH_INPUT = "Input validation error: Invalid arguments for tool take_note: structured content"
TYPESCRIPT = "MCP error -32602: Output validation error: Invalid structured content for tool take_note"
PYTHON_INPUT = "Error executing tool take_note: 1 validation error for take_noteArguments\ntext"
PYTHON_OUTPUT = "Error executing tool take_note: 1 validation error for take_noteOutput\nresult"


def error(said: str, code: int = -32602) -> Message:
    return {"error": {"code": code, "message": said}}


async def ends(server: HttpNotebook, book: Notebook, answer: Message) -> str:
    """The error of a write that was done, and of which the server says `answer`."""

    def calls(talk: Talk, message: Message) -> None:
        talk.note(message)
        talk.say(200, {"id": message["id"], **answer})

    server.calls = calls
    with pytest.raises(ApplicationError) as raised:
        await book.call("take_note", text="milk")
    assert raised.value.non_retryable
    assert server.notes == ["milk"]
    unknown = raised.value.type == "OutcomeUnknown"
    assert await book.state() is (State.UNKNOWN if unknown else State.NOT_DONE)
    return str(raised.value.type)


@pytest.mark.parametrize("said", [NO_SUCH_OUTPUT, TYPESCRIPT, PYTHON_OUTPUT, "Error executing tool take_note"])
@pytest.mark.sampled(2)
async def test_a_tool_whose_result_does_not_fit_or_that_crashed_has_run_so_that_the_end_is_unknown(
    server: HttpNotebook, web_book: Notebook, said: str
) -> None:
    assert await ends(server, web_book, text(said, isError=True)) == "OutcomeUnknown"


@pytest.mark.parametrize("said", [NO_SUCH_OUTPUT, TYPESCRIPT])
async def test_so_it_is_where_the_protocol_refuses_the_result(
    server: HttpNotebook, web_book: Notebook, said: str
) -> None:
    assert await ends(server, web_book, error(said)) == "OutcomeUnknown"


@pytest.mark.parametrize(
    "answer",
    [
        text(TOO_LATE, isError=True),
        text(NO_SUCH_INPUT, isError=True),
        text(PYTHON_INPUT, isError=True),
        error(NO_SUCH_INPUT),
        error("Unknown tool: take_note"),
    ],
)
@pytest.mark.sampled(2)
async def test_anything_else_has_failed_by_the_word_of_the_server(
    server: HttpNotebook, web_book: Notebook, answer: Message
) -> None:
    assert await ends(server, web_book, answer) == "ServiceRefused"


@pytest.mark.parametrize(
    ("more", "answer", "end"),
    [
        (SERVER_SAYS, text(TOO_LATE, isError=True), "OutcomeUnknown"),
        (SERVER_SAYS, text("", isError=True), "OutcomeUnknown"),
        (TOOL_SAYS, text(TOO_LATE, isError=True), "OutcomeUnknown"),
        (TOOL_SAYS_OTHERWISE, text(TOO_LATE, isError=True), "ServiceRefused"),
        (SERVER_SAYS, text(NO_SUCH_INPUT, isError=True), "ServiceRefused"),
        (SERVER_SAYS, text(PYTHON_INPUT, isError=True), "ServiceRefused"),
        (SERVER_SAYS, error("Unknown tool: take_note"), "ServiceRefused"),
        (SERVER_SAYS, error("no such method", -32601), "ServiceRefused"),
    ],
)
@pytest.mark.sampled(2)
async def test_where_the_file_of_sources_says_so_the_end_is_unknown_unless_the_tool_has_not_begun(
    server: HttpNotebook, web_book: Notebook, answer: Message, end: str
) -> None:
    assert await ends(server, web_book, answer) == end


@pytest.mark.parametrize("more", [SERVER_SAYS])
async def test_a_read_that_fails_has_failed(server: HttpNotebook, web_book: Notebook) -> None:
    server.calls = lambda talk, message: talk.say(200, {"id": message["id"], **text(TOO_LATE, isError=True)})
    with pytest.raises(ApplicationError, match=TOO_LATE) as raised:
        await web_book.call("read_notes")
    assert raised.value.type == "ServiceRefused"


async def test_a_tool_of_the_official_sdk_that_cannot_say_what_it_has_done_is_unknown(
    tmp_path: Path, ledger: Ledger, python: Forked
) -> None:
    found = await asyncio.to_thread(foreign_tools, sources(tmp_path, server=python(str(OF_TODAY))))
    async with aclosing(found):
        book = Notebook(tmp_path / "record", found, ledger)
        with pytest.raises(ApplicationError) as raised:
            await book.call("take_note", text="milk")
        assert (raised.value.type, book.notes) == ("OutcomeUnknown", ["milk"])
