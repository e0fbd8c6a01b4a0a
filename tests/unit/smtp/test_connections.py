"""One connection carries several messages, where that weakens nothing."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
import trustme
from aiosmtpd.smtp import SMTP, Envelope, Session

from activities.errors import ErrandError, OutcomeUnknown, ServiceRefused, ServiceUnavailable
from activities.settings.mail import SmtpServer
from activities.smtp import connections as smtp_connections
from activities.smtp.connections import MailConnections
from activities.smtp.transaction import SmtpTransaction, Timeouts
from tests.unit.smtp.fake_smtp import DROP, HANG, RESET, FakeSmtp, fake_smtp
from tests.unit.smtp.test_encryption import authority, mail_server, trusted

__all__ = ["authority", "trusted"]

TIMEOUTS = Timeouts(command=2, preparation=20, verdict=2)
ANN, BOB = "ann@example.com", "bob@corp.test"


@pytest.fixture
async def connections() -> AsyncIterator[MailConnections]:
    made = MailConnections()
    yield made
    await made.aclose()


@asynccontextmanager
async def prepared(
    smtp: FakeSmtp | SmtpServer, connections: MailConnections, text: str = "hello", to: tuple[str, ...] = (ANN,)
) -> AsyncGenerator[SmtpTransaction]:
    """A message that is at the server but for its dot."""
    server = smtp if isinstance(smtp, SmtpServer) else server_of(smtp)
    async with SmtpTransaction(server, TIMEOUTS, connections) as transaction:
        await transaction.prepare("errand@example.com", to, f"Subject: hi\r\n\r\n{text}\r\n".encode())
        yield transaction


def server_of(smtp: FakeSmtp, user: str = "user") -> SmtpServer:
    return SmtpServer.from_url(f"smtp+plain://{user}:s3cret@127.0.0.1:{smtp.port}")


async def send(
    smtp: FakeSmtp | SmtpServer, connections: MailConnections, text: str = "hello", to: tuple[str, ...] = (ANN,)
) -> str:
    async with prepared(smtp, connections, text, to) as transaction:
        return await transaction.commit()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(3):
        while not true():
            await asyncio.sleep(0.01)


async def test_the_next_message_goes_over_the_same_connection(connections: MailConnections) -> None:
    """One connection, one login; RSET stands between two messages."""
    async with fake_smtp() as smtp:
        for number in range(3):
            await send(smtp, connections, f"number {number}")
        message = ["MAIL", "RCPT", "DATA"]
        assert smtp.sessions == [["EHLO", "AUTH", *message, "RSET", *message, "RSET", *message]]
        assert [each.splitlines()[-2] for each in smtp.messages] == [b"number 0", b"number 1", b"number 2"]


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_an_encrypted_connection_is_used_again_too(
    connections: MailConnections, authority: trustme.CA, scheme: str
) -> None:
    """STARTTLS and TLS from the start: two messages, one peer, and a goodbye at the end that leaves nothing open."""
    peers: list[object] = []

    class Peers:
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
            peers.append(session.peer)
            return "250 Ok"

    with mail_server(authority, scheme, handler=Peers()) as server:
        for _ in range(3):
            assert await send(server, connections) == "250 Ok"
        assert len(peers) == 3
        assert len(set(peers)) == 1
        await connections.aclose()


async def test_messages_at_the_same_time_never_share_a_connection(connections: MailConnections) -> None:
    """As many connections as messages; of these the worker keeps four."""
    async with fake_smtp(dot_delay=0.1) as smtp:
        await asyncio.gather(*(send(smtp, connections, f"number {number}") for number in range(7)))
        assert len(smtp.sessions) == len(set(smtp.messages)) == 7
        await until(lambda: len(smtp.connected) == 4)
        await asyncio.gather(*(send(smtp, connections) for _ in range(4)))
        assert len(smtp.sessions) == 7
        assert all(each.count("DATA") <= 2 for each in smtp.sessions)


async def test_another_server_or_login_has_connections_of_its_own(connections: MailConnections) -> None:
    """A message never goes out under somebody else's login."""
    async with fake_smtp() as smtp, fake_smtp() as other:
        for server in (server_of(smtp), server_of(smtp, user="bob"), server_of(other), server_of(smtp)):
            await send(server, connections)
        assert [len(smtp.sessions), len(other.sessions)] == [2, 1]


@pytest.mark.parametrize(
    "answer",
    [DROP, RESET, HANG, "421 4.4.2 Idle for too long", "502 What?", "garbage", "251 Hm", "250 Ok\r\n250 Ok", "250-Ok"],
)
async def test_a_connection_that_does_not_begin_anew_is_replaced_in_the_same_attempt(
    connections: MailConnections, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is not a plain 250 to RSET: nothing was sent, so a new connection carries the message at once."""
    monkeypatch.setattr(smtp_connections, "RESET_SECONDS", 0.2)
    async with fake_smtp({"RSET": answer}) as smtp:
        await send(smtp, connections, "one")
        async with asyncio.timeout(1.5):
            assert (await send(smtp, connections, "two")).startswith("250")
        assert [len(smtp.sessions), len(smtp.messages)] == [2, 2]
        assert smtp.sessions[0][-1] == "RSET"


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    "what", [DROP, "421 4.7.0 Too many messages", "451 Not in this session", "554 Enough", "garbage"]
)
async def test_what_fails_before_the_dot_on_an_old_connection_is_tried_on_a_new_one(
    connections: MailConnections, stage: str, what: str
) -> None:
    """A server may have had enough of a connection and not of its client: only a new one's word counts."""
    async with fake_smtp({f"{stage} again": what}) as smtp:
        await send(smtp, connections, "one")
        async with asyncio.timeout(1.5):
            assert (await send(smtp, connections, "two")).startswith("250")
        assert [len(smtp.sessions), len(smtp.messages)] == [2, 2]


async def test_what_a_new_connection_is_told_too_is_what_counts(connections: MailConnections) -> None:
    """The old connection's failure does not stand for an answer, nor is it tried more than once more."""
    async with fake_smtp() as smtp:
        await send(smtp, connections)
        smtp.stages = {"MAIL": "554 5.7.1 No"}
        with pytest.raises(ServiceRefused, match=r"554 5\.7\.1"):
            await send(smtp, connections)
        assert len(smtp.sessions) == 2
        await until(lambda: not smtp.connected)


async def test_a_connection_that_the_server_closes_is_not_kept(connections: MailConnections) -> None:
    """The server's own time limit ends an idle connection; the next message meets a new one."""
    async with fake_smtp() as smtp:
        await send(smtp, connections)
        smtp.say("421 4.4.2 Idle for too long\r\n")
        await smtp.hang_up()
        await until(lambda: not smtp.connected)
        assert (await send(smtp, connections)).startswith("250")
        assert [each.count("RSET") for each in smtp.sessions] == [0, 0]


@pytest.mark.parametrize("stray", ["250 2.0.0 Ok\r\n", "250-2.0.0", "421 4.4.2 Idle\r\n", "\r\n"])
async def test_words_that_nobody_asked_for_end_an_idle_connection(connections: MailConnections, stray: str) -> None:
    """What a server says by itself, be it a piece of a reply, can never be taken for the answer to the next message."""
    async with fake_smtp() as smtp:
        await send(smtp, connections)
        smtp.say(stray)
        await until(lambda: not smtp.connected)
        assert (await send(smtp, connections)).startswith("250")
        assert [each.count("RSET") for each in smtp.sessions] == [0, 0]


@pytest.mark.parametrize("stray", ["250 2.0.0 Ok\r\n", "354 Go on\r\n", "25", None])
async def test_a_worker_that_was_frozen_meanwhile_finds_out_before_it_asks(
    connections: MailConnections, stray: str | None
) -> None:
    """What has come in the meantime, and was not read yet, is seen: words, or the end (here None)."""
    async with fake_smtp() as smtp:
        await send(smtp, connections)
        # QueuedMessage and not read: between here and the next message nothing else runs in this loop.
        if stray is None:
            smtp.end()
        else:
            smtp.say(stray)
        assert (await send(smtp, connections)).startswith("250")
        assert [each.count("RSET") for each in smtp.sessions] == [0, 0]


@pytest.mark.parametrize("reply", ["250 Ok\r\n250 Ok", "250 Ok\r\n421 Closing", "250 Ok\r\n25", "250 Ok\r\n354 Go on"])
async def test_the_verdict_of_one_message_is_never_read_as_the_answer_to_the_next(
    connections: MailConnections, reply: str
) -> None:
    """Behind a yes that is followed by anything, the connection ends, and the next message has its own verdict."""
    async with fake_smtp({"dot": reply}) as smtp:
        assert await send(smtp, connections) == "250 Ok"
        smtp.stages = {"dot": "554 5.7.1 Spam"}
        with pytest.raises(ServiceRefused, match=r"554 5\.7\.1 Spam"):
            await send(smtp, connections)
        assert [each.count("DATA") for each in smtp.sessions] == [1, 1]


@pytest.mark.parametrize(
    ("stages", "kind"),
    [
        ({"MAIL": "451 Not now"}, ServiceUnavailable),
        ({"RCPT": "550 No such user"}, ServiceRefused),
        ({"DATA": "554 No"}, ServiceRefused),
        ({"dot": "451 Not now"}, ServiceUnavailable),
        ({"dot": "554 Spam"}, ServiceRefused),
        ({"dot": "354 Go on"}, OutcomeUnknown),
        ({"dot": HANG}, OutcomeUnknown),
    ],
)
async def test_a_connection_whose_message_did_not_end_in_a_yes_is_closed(
    connections: MailConnections, stages: dict[str, str], kind: type[ErrandError]
) -> None:
    """A refusal, a failure, an unknown: the next message begins on a new connection."""
    async with fake_smtp(stages) as smtp:
        with pytest.raises(kind):
            await send(smtp, connections)
        smtp.stages = {}
        await send(smtp, connections)
        assert [each.count("RSET") for each in smtp.sessions] == [0, 0]


async def test_a_connection_that_was_given_up_before_the_dot_is_closed(connections: MailConnections) -> None:
    """A cancellation or an error between the message and its dot ends the connection, a used one too; none is sent."""
    async with fake_smtp() as smtp:
        await send(smtp, connections)
        for error in (asyncio.CancelledError, RuntimeError):
            with suppress(error):
                async with prepared(smtp, connections):
                    raise error
        await until(lambda: not smtp.connected)
        assert len(smtp.messages) == 1
        await send(smtp, connections)
        assert len(smtp.sessions) == 3


async def test_a_connection_whose_reset_is_cancelled_is_closed(connections: MailConnections) -> None:
    """A cancellation leaves nothing open and gives nothing back."""
    async with fake_smtp({"RSET": HANG}) as smtp:
        await send(smtp, connections)
        sending = asyncio.create_task(send(smtp, connections))
        await until(lambda: smtp.commands[-1] == "RSET")
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await connections.aclose()
        await send(smtp, connections)
        assert len(smtp.sessions) == 2


async def test_cancelled_at_the_dot_the_verdict_of_a_used_connection_is_its_own(connections: MailConnections) -> None:
    """The dot's answer is awaited as on a new connection."""
    async with fake_smtp(dot_delay=0.2) as smtp:
        await send(smtp, connections)
        smtp.dot_arrived.clear()
        sending = asyncio.create_task(send(smtp, connections))
        await smtp.dot_arrived.wait()
        sending.cancel()
        assert (await sending).startswith("250")
        assert [len(smtp.sessions), len(smtp.messages)] == [1, 2]


async def test_a_recipient_that_is_refused_does_not_end_the_connection(connections: MailConnections) -> None:
    """The message went to the others, with a yes."""
    async with fake_smtp({f"RCPT {BOB}": "550 5.1.1 No such user"}) as smtp:
        await send(smtp, connections, to=(ANN, BOB))
        await send(smtp, connections)
        assert len(smtp.sessions) == 1


async def test_a_connection_carries_so_many_messages_and_says_goodbye() -> None:
    """Fewer than any server is known to count."""
    connections = MailConnections(messages=3)
    async with fake_smtp() as smtp:
        for _ in range(7):
            await send(smtp, connections)
        await until(lambda: [each[-1] for each in smtp.sessions] == ["QUIT", "QUIT", "DATA"])
        assert [each.count("DATA") for each in smtp.sessions] == [3, 3, 1]
        await connections.aclose()


async def test_an_idle_connection_is_closed_in_time_although_nothing_else_happens() -> None:
    """An idle worker holds no connection for long, and says goodbye."""
    connections = MailConnections(idle_seconds=0.2)
    async with fake_smtp() as smtp:
        await send(smtp, connections)
        await asyncio.sleep(0.1)
        assert len(smtp.connected) == 1
        await until(lambda: not smtp.connected)
        assert smtp.sessions[0][-1] == "QUIT"


@pytest.mark.parametrize("goodbye", ["221 Bye", HANG, DROP])
async def test_a_worker_that_stops_says_goodbye_and_waits_for_nobody(goodbye: str) -> None:
    """Idle connections are closed at once; one whose message is under way when it is given back."""
    connections = MailConnections()
    async with fake_smtp({"QUIT": goodbye}) as smtp:
        await send(smtp, connections)
        async with prepared(smtp, connections) as transaction:
            await send(smtp, connections)
            async with asyncio.timeout(0.5):
                await connections.aclose()
            await until(lambda: [each[-1] for each in smtp.sessions].count("QUIT") == 1)
            await transaction.commit()
        await until(lambda: [each[-1] for each in smtp.sessions] == ["QUIT", "QUIT"])
