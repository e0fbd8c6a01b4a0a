"""What a failure of SMTP means, by the stage at which it comes."""

import asyncio
from datetime import timedelta

import pytest

from activities.errors import OutcomeUnknown, ServiceRefused, ServiceUnavailable
from activities.settings.mail import SmtpServer
from activities.smtp.transaction import SmtpTransaction, Timeouts
from tests.unit.smtp.fake_smtp import DROP, HANG, RESET, FakeSmtp, fake_smtp

SHORT = Timeouts(command=0.3, preparation=5, verdict=0.3)
LONG_ENOUGH = Timeouts(command=10, preparation=30, verdict=10)
MESSAGE = b"Subject: hi\r\n\r\nhello\r\n"
LONG = MESSAGE * 300_000
ANN, BOB = "ann@example.com", "bob@corp.test"


def server(smtp: FakeSmtp) -> SmtpServer:
    return SmtpServer.from_url(f"smtp+plain://user:s3cret@127.0.0.1:{smtp.port}")


async def send(smtp: FakeSmtp, *to: str, message: bytes = MESSAGE, timeouts: Timeouts | None = None) -> str:
    timeouts = timeouts or (SHORT if HANG in smtp.stages.values() else LONG_ENOUGH)
    async with SmtpTransaction(server(smtp), timeouts) as transaction:
        await transaction.prepare("errand@example.com", to or (ANN,), message)
        return await transaction.commit()


@pytest.mark.parametrize("reply", ["250 2.0.0 Ok: queued as 4F2A", "251 Forwarded", "250-two\r\n250 lines"])
async def test_any_yes_at_the_dot_is_sent(reply: str) -> None:
    """A reply of class 2 at the dot is success, in the server's own words."""
    async with fake_smtp({"dot": reply}) as smtp:
        assert await send(smtp) == " ".join(reply.replace("\r\n250 ", " ").replace("250-", "250 ").split())
        assert len(smtp.messages) == 1


@pytest.mark.parametrize("stage", ["banner", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("what", [DROP, RESET, HANG, "421 4.3.2 Going down", "451 4.3.0 Not now", "garbage"])
async def test_a_passing_fault_before_the_dot_may_be_tried_again(stage: str, what: str) -> None:
    """Whatever breaks before the dot has sent nothing, and may work another time."""
    async with fake_smtp({stage: what}) as smtp:
        with pytest.raises(ServiceUnavailable) as error:
            await send(smtp)
        assert not smtp.messages
    assert "nothing was sent" in str(error.value)


@pytest.mark.parametrize("stage", ["banner", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"])
async def test_a_refusal_before_the_dot_is_final(stage: str) -> None:
    """A reply of class 5 before the dot has sent nothing and will come again; it never contains the password."""
    async with fake_smtp({stage: "554 5.7.1 No, not AHVzZXIAczNjcmV0"}) as smtp:
        with pytest.raises(ServiceRefused, match="554") as error:
            await send(smtp)
        assert not smtp.messages
    if stage == "AUTH":
        assert "AHVzZXIAczNjcmV0" not in str(error.value)
        assert "ERRAND_SMTP_URL" in str(error.value)


@pytest.mark.parametrize("what", [DROP, RESET])
async def test_a_connection_lost_in_the_middle_of_the_message_sent_nothing(what: str) -> None:
    """A message that did not get to its dot is nobody's, and may be sent again."""
    async with fake_smtp({"body": what}) as smtp:
        with pytest.raises(ServiceUnavailable):
            await send(smtp, message=LONG)
        assert not smtp.messages


async def test_a_server_that_stops_reading_has_been_sent_nothing() -> None:
    """A message that cannot be got rid of up to its dot is given up, and its dot is never sent."""
    async with fake_smtp({"body": HANG}) as smtp:
        with pytest.raises(ServiceUnavailable):
            await send(smtp, message=LONG, timeouts=Timeouts(0.3, 0.6, 0.3))
        assert not smtp.messages


@pytest.mark.parametrize("what", [DROP, RESET, HANG, "garbage", "354 Go on", "999 Hm", "-1 Hm"])
async def test_a_dot_without_a_verdict_is_unknown(what: str) -> None:
    """Once the dot is out, only a definite answer decides; without one the message may have been sent."""
    async with fake_smtp({"dot": what}) as smtp:
        with pytest.raises(OutcomeUnknown, match="may have been sent"):
            await send(smtp)
        assert len(smtp.messages) == 1


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("451 4.3.0 Not now", ServiceUnavailable),
        ("421 4.3.2 Going down", ServiceUnavailable),
        ("554 5.7.1 Spam", ServiceRefused),
    ],
)
async def test_a_no_at_the_dot_is_a_no(reply: str, kind: type[Exception]) -> None:
    """A reply of class 4 or 5 at the dot means that the server did not take the message."""
    async with fake_smtp({"dot": reply}) as smtp:
        with pytest.raises(kind, match=reply):
            await send(smtp)


async def test_the_recipients_that_are_refused_are_named_and_the_others_get_it() -> None:
    """What the server does not take is said with its words, for each; the message goes to the rest."""
    stages = {f"RCPT {BOB}": "550 5.1.1 No such user", "RCPT eve@corp.test": "450 4.2.1 Greylisted"}
    async with fake_smtp(stages) as smtp:
        async with SmtpTransaction(server(smtp), LONG_ENOUGH) as transaction:
            refused = await transaction.prepare("errand@example.com", [ANN, BOB, "eve@corp.test"], MESSAGE)
            await transaction.commit()
        assert len(smtp.messages) == 1
    assert refused == {BOB: "550 5.1.1 No such user", "eve@corp.test": "450 4.2.1 Greylisted"}


async def test_every_recipient_refused_is_nothing_sent() -> None:
    """The error names each recipient with the server's words, and nobody gets the message."""
    stages = {f"RCPT {BOB}": "550 5.1.1 No such user", "RCPT eve@corp.test": "450 4.2.1 Greylisted"}
    async with fake_smtp(stages) as smtp:
        with pytest.raises(ServiceRefused) as error:
            await send(smtp, BOB, "eve@corp.test")
        assert "DATA" not in smtp.commands
    assert f"{BOB} (550 5.1.1 No such user), eve@corp.test (450 4.2.1 Greylisted)" in str(error.value)


@pytest.mark.parametrize("reply", ["450 4.2.1 Greylisted", "552 5.5.3 Too many", "421 4.3.2 Going down"])
async def test_recipients_refused_for_now_may_be_tried_again_minutes_later(reply: str) -> None:
    """Greylisting, "too many recipients" (RFC 5321 section 4.5.3.1.10) and a server that goes down pass."""
    async with fake_smtp({f"RCPT {BOB}": reply}) as smtp:
        with pytest.raises(ServiceUnavailable, match=reply) as error:
            await send(smtp, BOB)
    assert error.value.retry_after == timedelta(minutes=5)


async def test_a_server_that_goes_down_between_two_recipients_gets_nothing() -> None:
    """421 at one recipient of several closes the connection: nothing is sent to the others either."""
    async with fake_smtp({f"RCPT {BOB}": "421 4.3.2 Going down"}) as smtp:
        with pytest.raises(ServiceUnavailable, match=r"421 4\.3\.2"):
            await send(smtp, BOB, ANN)
        assert "DATA" not in smtp.commands


@pytest.mark.parametrize("what", [DROP, HANG, "500 What?"])
async def test_goodbye_changes_nothing(what: str) -> None:
    """Once the server has said yes, nobody waits for its goodbye."""
    async with fake_smtp({"QUIT": what}) as smtp:
        async with asyncio.timeout(3):
            assert (await send(smtp, timeouts=LONG_ENOUGH)).startswith("250")


async def test_cancelled_at_the_dot_it_still_learns_the_truth() -> None:
    """A cancellation while the verdict is awaited waits for it and returns it, even when repeated."""
    async with fake_smtp(dot_delay=0.2) as smtp:
        sending = asyncio.create_task(send(smtp, timeouts=LONG_ENOUGH))
        await smtp.dot_arrived.wait()
        for _ in range(3):
            sending.cancel()
            await asyncio.sleep(0.01)
        assert (await sending).startswith("250")


async def test_cancelled_before_the_dot_it_sends_nothing() -> None:
    """A cancellation before the dot stops at once, and the message never arrives."""
    async with fake_smtp({"RCPT": HANG}) as smtp:
        sending = asyncio.create_task(send(smtp, timeouts=LONG_ENOUGH))
        await asyncio.sleep(0.1)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert not smtp.messages


async def test_nobody_there() -> None:
    """A port on which nobody listens may be listened on later."""
    with pytest.raises(ServiceUnavailable, match=r"127\.0\.0\.1:1"):
        await send(FakeSmtp({}, port=1))


async def test_a_login_that_is_not_offered_is_final() -> None:
    """A server without AUTH is not sent a password, nor a message."""
    async with fake_smtp({"EHLO": "250 fake"}) as smtp:
        with pytest.raises(ServiceRefused, match="AUTH"):
            await send(smtp)
        assert not [line for line in smtp.commands if line.startswith("AUTH")]


async def test_dots_arrive_as_they_were() -> None:
    """Lines that begin with a dot are doubled on the wire (RFC 5321 section 4.5.2); none ends the message."""
    async with fake_smtp() as smtp:
        await send(smtp, message=b"a: b\r\n\r\n.\r\n..\r\nQUIT\r\n")
        assert smtp.messages == [b"a: b\r\n\r\n..\r\n...\r\nQUIT\r\n.\r\n"]


@pytest.mark.parametrize("pause", [0, 0.05])
@pytest.mark.parametrize("unasked", ["250 2.0.0 Ok: never asked\r\n", "250-2.0.0 Ok: half\r\n", "2"])
async def test_what_the_server_said_unasked_is_no_verdict(unasked: str, pause: float) -> None:
    """A reply that is there before the dot belongs to nothing: the dot is not sent, and another time it may work."""
    async with fake_smtp() as smtp:
        async with SmtpTransaction(server(smtp), LONG_ENOUGH) as transaction:
            await transaction.prepare("errand@example.com", [ANN], MESSAGE)
            smtp.say(unasked)
            await asyncio.sleep(pause)
            with pytest.raises(ServiceUnavailable, match=r"unasked.*nothing was sent"):
                await transaction.commit()
        assert not smtp.messages


async def test_what_came_with_the_permission_to_send_is_no_verdict() -> None:
    """Also where it came in one packet with 354."""
    async with fake_smtp({"DATA": "354 Go on\r\n250 2.0.0 Ok: never asked"}) as smtp:
        with pytest.raises(ServiceUnavailable, match="nothing was sent"):
            await send(smtp, message=b"hello\r\n")
        assert "." not in smtp.commands


UTF8 = {"EHLO": "250-fake\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN"}
FOREIGN = "änn@example.com"


async def test_an_address_of_any_script_is_announced_as_one() -> None:
    """MAIL says so (RFC 6531 section 3.4), and the address stands on the wire as it is, in UTF-8."""
    async with fake_smtp(UTF8) as smtp:
        assert (await send(smtp, ANN, FOREIGN)).startswith("250")
        mail, *recipients = [line for line in smtp.commands if line.startswith(("MAIL", "RCPT"))]
    assert mail == "MAIL FROM:<errand@example.com> SMTPUTF8 BODY=8BITMIME"
    assert recipients == [f"RCPT TO:<{ANN}>", f"RCPT TO:<{FOREIGN}>"]


async def test_a_header_that_is_not_ascii_is_announced_too() -> None:
    """Although everybody it goes to has a plain address: of the others, the message still has the headers."""
    async with fake_smtp(UTF8) as smtp:
        await send(smtp, ANN, message=f"To: {FOREIGN}\r\n\r\nhello\r\n".encode())
        assert "MAIL FROM:<errand@example.com> SMTPUTF8 BODY=8BITMIME" in smtp.commands


async def test_a_plain_message_asks_for_nothing_more() -> None:
    async with fake_smtp(UTF8) as smtp:
        await send(smtp, ANN)
        assert "MAIL FROM:<errand@example.com>" in smtp.commands


@pytest.mark.parametrize("message", [MESSAGE, f"To: {FOREIGN}\r\n\r\n".encode()])
async def test_a_server_without_it_is_asked_nothing(message: bytes) -> None:
    """It would take the letters for others; nobody gets the message, also not those whom it could reach."""
    async with fake_smtp() as smtp:
        with pytest.raises(ServiceRefused, match=r"not supported by this server.*nothing was sent to anybody"):
            await send(smtp, ANN, *([FOREIGN] if message is MESSAGE else []), message=message)
        assert not [line for line in smtp.commands if line.startswith("MAIL")]


async def test_such_a_recipient_may_be_refused_as_any_other() -> None:
    stages = UTF8 | {f"RCPT {FOREIGN}": "553 5.6.7 Not here"}
    async with fake_smtp(stages) as smtp, SmtpTransaction(server(smtp), LONG_ENOUGH) as transaction:
        refused = await transaction.prepare("errand@example.com", [ANN, FOREIGN], MESSAGE)
        await transaction.commit()
    assert refused == {FOREIGN: "553 5.6.7 Not here"}
