"""An answer on the stream of a call is the call's only if it names the call."""

from collections.abc import Callable

import pytest
from temporalio.exceptions import ApplicationError

from activities.ledger.rows import State
from tests.unit.mcp.http_notebook import HttpNotebook, Message, Talk, text
from tests.unit.mcp.notebook import Notebook

REFUSED: Message = {"error": {"code": -32602, "message": "no such note"}}


def by_events(answer: Message, name: Callable[[int], int | str | None]) -> Callable[[Talk, Message], None]:
    def calls(talk: Talk, message: Message) -> None:
        talk.note(message)
        talk.begin_events()
        talk.event({"method": "notifications/message", "params": {"level": "info", "data": "two\nlines"}})
        talk.event({"id": name(message["id"]), **answer})

    return calls


def by_the_rest(answer: Message, name: Callable[[int], int | str | None]) -> Callable[[Talk, Message], None]:
    """The same, after the connection was lost."""

    def calls(talk: Talk, message: Message) -> None:
        talk.note(message)
        talk.book.rest = {"id": name(message["id"]), **answer}
        talk.begin_events()
        talk.lose_events()

    return calls


async def receipt(server: HttpNotebook, book: Notebook, calls: Callable[[Talk, Message], None]) -> str:
    server.calls = calls
    try:
        found = str((await book.call("take_note", text="milk")).value)
    except ApplicationError as error:
        found = f"{error.type}: {error.message}"
    assert server.notes == ["milk"]
    return found


@pytest.mark.parametrize("way", [by_events, by_the_rest])
@pytest.mark.parametrize("answer", [text("noted"), text("no", isError=True), REFUSED])
@pytest.mark.sampled(2)
async def test_the_answer_to_another_request_leaves_a_write_unknown(
    server: HttpNotebook,
    web_book: Notebook,
    answer: Message,
    way: Callable[[Message, Callable[[int], int]], Callable[[Talk, Message], None]],
) -> None:
    found = await receipt(server, web_book, way(answer, lambda number: number + 1000))
    assert found.startswith("OutcomeUnknown: book take_note gave no result: the server answered another request (10")
    assert await web_book.state() is State.UNKNOWN


@pytest.mark.parametrize("way", [by_events, by_the_rest])
async def test_its_own_is_its_result(
    server: HttpNotebook,
    web_book: Notebook,
    way: Callable[[Message, Callable[[int], int]], Callable[[Talk, Message], None]],
) -> None:
    assert await receipt(server, web_book, way(text("noted\n\nzwölf"), lambda number: number)) == "noted\n\nzwölf"


async def test_a_number_may_come_back_as_text(server: HttpNotebook, web_book: Notebook) -> None:
    assert await receipt(server, web_book, by_events(text("noted"), str)) == "noted"


async def test_an_error_of_what_the_server_could_not_read_needs_no_number(
    server: HttpNotebook, web_book: Notebook
) -> None:
    found = await receipt(server, web_book, by_events(REFUSED, lambda _: None))
    assert found == "ServiceRefused: book take_note was refused: no such note"


def at_once(answer: Message) -> Callable[[Talk, Message], None]:
    def calls(talk: Talk, message: Message) -> None:
        talk.note(message)
        talk.say(200, {"id": message["id"], **answer})

    return calls


BOTH = text("noted") | REFUSED


@pytest.mark.parametrize(
    "calls", [at_once(BOTH), by_events(BOTH, lambda number: number), by_the_rest(BOTH, lambda number: number)]
)
async def test_a_result_and_an_error_in_one_leave_a_write_unknown(
    server: HttpNotebook, web_book: Notebook, calls: Callable[[Talk, Message], None]
) -> None:
    found = await receipt(server, web_book, calls)
    assert (
        found == "OutcomeUnknown: book take_note gave no result: the server answered with a result and an error in one"
    )
    assert await web_book.state() is State.UNKNOWN


@pytest.mark.parametrize(
    ("answer", "ends"),
    [
        (text("noted") | {"error": None}, "noted"),
        (REFUSED | {"result": None}, "ServiceRefused: book take_note was refused: no such note"),
    ],
)
async def test_one_that_is_null_is_none(server: HttpNotebook, web_book: Notebook, answer: Message, ends: str) -> None:
    assert await receipt(server, web_book, at_once(answer)) == ends


HALF = text("half a character: \ud83d")


@pytest.mark.parametrize(
    "calls", [at_once(HALF), by_events(HALF, lambda number: number), by_the_rest(HALF, lambda number: number)]
)
async def test_half_a_character_in_it_costs_no_more_than_itself(
    server: HttpNotebook, web_book: Notebook, calls: Callable[[Talk, Message], None]
) -> None:
    assert await receipt(server, web_book, calls) == "half a character: \N{REPLACEMENT CHARACTER}"


async def test_one_that_breaks_off_leaves_a_write_unknown(server: HttpNotebook, web_book: Notebook) -> None:
    def calls(talk: Talk, message: Message) -> None:
        talk.note(message)
        talk.say_body(200, '{"jsonrpc": "2.0", "id": 3, "resu', "application/json")

    found = await receipt(server, web_book, calls)
    assert found.startswith("OutcomeUnknown: book take_note gave no result: Failed to parse JSON response")
