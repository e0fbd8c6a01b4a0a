"""A server by Streamable HTTP is a source as well, and what becomes of its writes is told apart by what HTTP said."""

import asyncio
import ssl
import threading
import zlib
from collections.abc import Callable, Generator
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

import pytest
import trustme
from temporalio.exceptions import ApplicationError

from activities.errors import ConfigurationError
from activities.http.tls import trusted_roots
from activities.ledger.rows import State
from activities.toolkit.foreign_tools import foreign_tools
from tests.unit.mcp.http_notebook import HttpNotebook, Message, Talk, called, serving
from tests.unit.mcp.notebook import Notebook


@pytest.fixture
def roots_read_anew() -> Generator[None]:
    """In this test, and after it."""
    trusted_roots.cache_clear()
    yield
    trusted_roots.cache_clear()


async def test_a_write_is_done_once_and_every_request_carries_the_secret(
    server: HttpNotebook, web_book: Notebook
) -> None:
    assert (await web_book.call("take_note", text="milk")).value == "noted"
    assert (server.notes, await web_book.state()) == (["milk"], State.DONE)
    assert {*server.headers} == {"hush-hush"}


@pytest.mark.parametrize(
    ("status", "error", "state"),
    [
        (400, "ServiceRefused", State.NOT_DONE),
        (403, "ServiceRefused", State.NOT_DONE),
        (404, "ServiceUnavailable", State.NOT_DONE),
        (429, "ServiceUnavailable", State.NOT_DONE),
        (500, "OutcomeUnknown", State.UNKNOWN),
        (503, "OutcomeUnknown", State.UNKNOWN),
        (0, "OutcomeUnknown", State.UNKNOWN),
    ],
)
@pytest.mark.sampled(2)
async def test_what_is_not_taken_has_not_happened_and_what_is_lost_is_unknown(
    server: HttpNotebook, web_book: Notebook, status: int, error: str, state: State
) -> None:
    server.status = status
    with pytest.raises(ApplicationError) as raised:
        await web_book.call("take_note", text="milk")
    assert (raised.value.type, await web_book.state()) == (error, state)
    assert server.notes == ["milk"] * (state is State.UNKNOWN)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "book take_note was refused: HTTP 401 Unauthorized"),
        (404, "book take_note was not taken: HTTP 404 Not Found"),
        (500, "book take_note gave no result: HTTP 500 Internal Server Error"),
        (503, "book take_note gave no result: HTTP 503 Service Unavailable"),
        (599, "book take_note gave no result: HTTP 599"),
    ],
)
@pytest.mark.sampled(2)
async def test_what_http_said_of_it_is_told(server: HttpNotebook, web_book: Notebook, status: int, said: str) -> None:
    server.status = status
    with pytest.raises(ApplicationError) as raised:
        await web_book.call("take_note", text="milk")
    assert raised.value.message == said


async def test_so_it_is_of_a_list_of_tools_that_is_refused(server: HttpNotebook, web_book: Notebook) -> None:
    await web_book.call("take_note", text="milk")
    server.refuses = ("tools/list",)
    with pytest.raises(ApplicationError, match=r": book does not list its tools: HTTP 401 Unauthorized$"):
        await web_book.call("take_note", "r/2.0", text="bread")
    assert server.notes == ["milk"]


async def test_a_server_that_refuses_the_greeting_ends_the_worker_with_a_line_that_says_the_status(
    server: HttpNotebook, tmp_path: Path
) -> None:
    server.refuses = ("server/discover", "initialize")
    file = tmp_path / "sources.toml"
    file.write_text(f'[mcp.book]\nurl = "http://127.0.0.1:{server.server_port}/mcp"\nprivate = true\n')
    with pytest.raises(ConfigurationError, match=r"mcp\.book\.url: book cannot be used: HTTP 401 Unauthorized$"):
        await asyncio.to_thread(foreign_tools, file)


async def test_a_server_that_is_gone_has_done_nothing(server: HttpNotebook, web_book: Notebook) -> None:
    await web_book.call("take_note", text="milk")
    server.shutdown()
    server.server_close()
    with pytest.raises(ApplicationError) as raised:
        await web_book.call("take_note", "r/2.0", text="bread")
    assert raised.value.type == "ServiceUnavailable"
    assert await web_book.state("r/2.0") is not State.UNKNOWN


def test_a_url_at_a_private_address_ends_the_worker_unless_it_is_said_to_be_private(
    server: HttpNotebook, tmp_path: Path
) -> None:
    file = tmp_path / "sources.toml"
    file.write_text(f'[mcp.book]\nurl = "http://127.0.0.1:{server.server_port}/mcp"\n')
    refused = r"mcp\.book\.url: .*127\.0\.0\.1, which is no public address; private = true allows it"
    with pytest.raises(ConfigurationError, match=refused):
        foreign_tools(file)
    assert server.headers == []
    assert foreign_tools(file, private=True).tools


def test_its_certificate_is_held_to_the_roots_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, roots_read_anew: None
) -> None:
    authority, context, file = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), tmp_path / "sources.toml"
    certificate = authority.issue_cert("127.0.0.1")
    certificate.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]  # names pyOpenSSL's type too
    authority.cert_pem.write_to_path(tmp_path / "roots.pem")
    with HttpNotebook() as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        serving(server)
        file.write_text(f'[mcp.book]\nurl = "https://127.0.0.1:{server.server_port}/mcp"\nprivate = true\n')
        with pytest.raises(ConfigurationError, match="certificate verify failed"):
            foreign_tools(file)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "roots.pem"))
        trusted_roots.cache_clear()
        assert foreign_tools(file).tools
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "question"),
    [(202, "elicitation/create"), (400, "ping"), (404, "roots/list"), (429, "elicitation/create"), (0, "ping")],
)
@pytest.mark.sampled(2)
async def test_how_the_server_takes_the_reply_to_a_question_of_its_own_says_nothing_of_the_call(
    server: HttpNotebook, web_book: Notebook, status: int, question: str
) -> None:
    replied = threading.Event()

    def calls(talk: Talk, message: Message) -> None:
        talk.begin_events()
        talk.note(message)
        talk.event({"id": "s-1", "method": question, "params": {"message": "sure?", "requestedSchema": {}}})
        replied.wait(2)
        talk.event({"id": message["id"], "error": {"code": -32603, "message": "the pen broke"}})

    def replies(talk: Talk) -> None:
        talk.say(status) if status else talk.hang_up()
        replied.set()

    server.calls, server.replies = calls, replies
    for _ in range(2):
        with pytest.raises(ApplicationError) as raised:
            await web_book.call("take_note", text="milk")
        assert (raised.value.type, raised.value.non_retryable) == ("OutcomeUnknown", True)
    assert (server.notes, await web_book.state()) == (["milk"], State.UNKNOWN)
    assert "reply" in server.methods


@pytest.mark.parametrize("packed", [False, True])
async def test_a_reply_without_an_end_is_read_up_to_a_bound_and_the_write_is_unknown(
    server: HttpNotebook, web_book: Notebook, packed: bool
) -> None:
    sent = 0

    def calls(talk: Talk, message: Message) -> None:
        nonlocal sent
        talk.note(message)
        talk.begin("application/json", [("content-encoding", "gzip")] * packed)
        packer = zlib.compressobj(wbits=31)
        with suppress(OSError):
            talk.wfile.write(packer.compress(b'"') if packed else b'"')
            for _ in range(200):
                piece = b"x" * 1024 * 1024
                talk.wfile.write(packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH) if packed else piece)
                sent += len(piece)

    server.calls = calls
    with pytest.raises(ApplicationError, match="more than 4,194,304 bytes, and no more are read") as raised:
        await web_book.call("take_note", text="milk")
    assert (raised.value.type, await web_book.state()) == ("OutcomeUnknown", State.UNKNOWN)
    server.calls = called
    assert (await web_book.call("take_note", "r/2.0", text="bread")).value == "noted"
    assert (server.notes, server.methods.count("initialize")) == (["milk", "bread"], 2)  # on the same session
    assert packed or sent < 100 * 1024 * 1024


async def test_a_list_of_tools_without_an_end_makes_the_worker_end_and_not_its_memory(
    server: HttpNotebook, tmp_path: Path
) -> None:
    server.tools[0]["description"] = "x" * 5 * 1024 * 1024
    file = tmp_path / "sources.toml"
    file.write_text(f'[mcp.book]\nurl = "http://127.0.0.1:{server.server_port}/mcp"\nprivate = true\n')
    with pytest.raises(ConfigurationError, match=r"mcp\.book\.url: .*no more than 4,194,304 are read"):
        await asyncio.to_thread(foreign_tools, file)


async def _twice_after_the_server_has_lost_its_sessions(
    server: HttpNotebook, book: Notebook, refuse: Callable[[Talk, Message], None]
) -> list[str]:
    """What becomes of a write, and of the one after it."""

    def calls(talk: Talk, message: Message) -> None:
        known = talk.headers["mcp-session-id"] == server.session
        called(talk, message) if known else refuse(talk, message)

    server.calls = calls
    assert (await book.call("take_note", text="milk")).value == "noted"
    server.session = "two"
    found: list[str] = []
    for _ in range(2):
        try:
            found.append(str((await book.call("take_note", "r/2.0", text="bread")).value))
        except ApplicationError as error:
            found.append(f"{error.type}: {error.message}")
    return found


class TestASessionThatTheServerDoesNotKnowAnyMore:
    @pytest.fixture(autouse=True)
    def session(self, server: HttpNotebook) -> None:
        server.session = "one"

    async def test_it_is_made_anew_and_the_write_is_tried_again_where_a_400_says_so_in_plain_text(
        self, server: HttpNotebook, web_book: Notebook
    ) -> None:
        def refuse(talk: Talk, _: Message) -> None:
            talk.say_body(400, "Bad Request: No valid session ID provided", "text/plain")

        first, second = await _twice_after_the_server_has_lost_its_sessions(server, web_book, refuse)
        assert first.startswith(
            "ServiceUnavailable: book take_note was not taken: HTTP 400 Bad Request: Bad Request: No "
        )
        assert (second, server.notes) == ("noted", ["milk", "bread"])

    async def test_it_is_made_anew_where_the_protocol_says_so(self, server: HttpNotebook, web_book: Notebook) -> None:
        def refuse(talk: Talk, message: Message) -> None:
            talk.say(400, {"id": message["id"], "error": {"code": -32000, "message": "Session not found"}})

        first, second = await _twice_after_the_server_has_lost_its_sessions(server, web_book, refuse)
        assert first.startswith(
            "ServiceUnavailable: book take_note was not taken: HTTP 400 Bad Request: Session not found"
        )
        assert (second, server.notes) == ("noted", ["milk", "bread"])

    @pytest.mark.parametrize("status", [400, 401, 403, 410])
    @pytest.mark.sampled(2)
    async def test_any_other_refusal_stands_and_the_next_call_goes_over_a_new_one(
        self, server: HttpNotebook, web_book: Notebook, status: int
    ) -> None:
        def refuse(talk: Talk, _: Message) -> None:
            talk.say_body(status, "Go away", "text/plain")

        first, second = await _twice_after_the_server_has_lost_its_sessions(server, web_book, refuse)
        assert (
            first == f"ServiceRefused: book take_note was refused: HTTP {status} {HTTPStatus(status).phrase}: Go away"
        )
        assert (second, server.notes) == ("noted", ["milk", "bread"])

    async def test_a_server_that_is_busy_keeps_it(self, server: HttpNotebook, web_book: Notebook) -> None:
        await web_book.call("take_note", text="milk")
        server.status = 429
        with pytest.raises(ApplicationError, match="was not taken: HTTP 429"):
            await web_book.call("take_note", "r/2.0", text="bread")
        server.status = 200
        assert (await web_book.call("take_note", "r/2.0", text="bread")).value == "noted"
        assert server.methods.count("initialize") == 2  # one to list the tools, one to call them


@pytest.mark.parametrize(
    "change",
    [
        {"description": "Take a note, and show it to everybody."},
        {"inputSchema": {"type": "object", "properties": {"text": {}, "to": {}}}},
        {"annotations": {"destructiveHint": True}},
    ],
)
@pytest.mark.parametrize("announced", [False, True])
@pytest.mark.sampled(2)
async def test_a_changed_tool_is_not_called_under_an_old_yes_whether_or_not_the_server_says_that_it_tells_of_changes(
    server: HttpNotebook, web_book: Notebook, change: Message, announced: bool
) -> None:
    server.greeting = {**server.greeting, "capabilities": {"tools": {"listChanged": announced}}}
    await web_book.call("take_note", text="milk")
    server.tools[0] |= change
    with pytest.raises(ApplicationError, match="has changed take_note since this worker started") as raised:
        await web_book.call("take_note", "r/2.0", text="bread")
    assert (raised.value.type, server.notes) == ("ServiceRefused", ["milk"])


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, "OutcomeUnknown"),
        (302, "OutcomeUnknown"),
        (303, "OutcomeUnknown"),
        (307, "ServiceRefused"),
        (308, "ServiceRefused"),
    ],
)
@pytest.mark.sampled(2)
async def test_a_call_is_not_sent_again_to_where_it_is_redirected(
    server: HttpNotebook, web_book: Notebook, status: int, error: str
) -> None:
    def calls(talk: Talk, message: Message) -> None:
        talk.note(message)
        talk.say(status, headers=[("location", "/moved")])

    server.calls = calls
    with pytest.raises(ApplicationError, match=r"Redirect to http://.*/moved not followed; use that URL") as raised:
        await web_book.call("take_note", text="milk")
    assert (raised.value.type, raised.value.non_retryable, server.notes) == (error, True, ["milk"])


async def test_a_server_that_has_moved_ends_the_worker_with_a_line_that_says_where_it_is(
    server: HttpNotebook, tmp_path: Path
) -> None:
    server.moved = True
    file = tmp_path / "sources.toml"
    file.write_text(f'[mcp.book]\nurl = "http://127.0.0.1:{server.server_port}/mcp"\nprivate = true\n')
    with pytest.raises(
        ConfigurationError, match=r"mcp\.book\.url: .*Redirect to http://.*/moved not followed; use that"
    ):
        await asyncio.to_thread(foreign_tools, file)
