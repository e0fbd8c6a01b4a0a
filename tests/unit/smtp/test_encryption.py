"""TLS: required, and only with a certificate that holds."""

import socket
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from activities.errors import ServiceRefused, ServiceUnavailable
from activities.settings.mail import SmtpServer
from activities.smtp.transaction import SmtpTransaction, Timeouts
from tests.unit.smtp.fake_smtp import DROP, HANG, FakeSmtp, fake_smtp


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A private authority is trusted as OpenSSL has it: by SSL_CERT_FILE."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


@contextmanager
def mail_server(
    authority: trustme.CA, scheme: str, name: str = "127.0.0.1", handler: object = None
) -> Generator[SmtpServer]:
    handler = handler or Sink()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate = authority.issue_cert(name)
    certificate.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]  # names pyOpenSSL's type too
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    if scheme == "smtps":
        controller = Controller(handler, hostname="127.0.0.1", port=port, ssl_context=context)
    else:
        controller = Controller(handler, hostname="127.0.0.1", port=port, tls_context=context, require_starttls=True)
    controller.start()
    try:
        yield SmtpServer.from_url(f"{scheme}://127.0.0.1:{port}")
    finally:
        controller.stop()


async def send(server: SmtpServer) -> str:
    async with SmtpTransaction(server, Timeouts(2, 5, 2)) as transaction:
        await transaction.prepare("errand@example.com", ["ann@example.com"], b"Subject: hi\r\n\r\nhello\r\n")
        return await transaction.commit()


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_mail_goes_out_encrypted(authority: trustme.CA, scheme: str) -> None:
    """STARTTLS and TLS from the start both carry a message to a server whose certificate holds."""
    with mail_server(authority, scheme) as server:
        assert (await send(server)).startswith("250")


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_an_authority_that_nobody_trusts_is_final(authority: trustme.CA, scheme: str) -> None:
    """A certificate from an unknown authority is refused, and says so."""
    with mail_server(authority, scheme) as server, pytest.raises(ServiceRefused, match="certificate does not hold"):
        await send(server)


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_certificate_for_another_host_is_final(authority: trustme.CA, scheme: str) -> None:
    """A certificate for another name is refused, although its authority is trusted."""
    server = mail_server(authority, scheme, name="mail.example.com")
    with server as other, pytest.raises(ServiceRefused, match="certificate does not hold"):
        await send(other)


async def starttls(smtp: FakeSmtp) -> None:
    server = SmtpServer.from_url(f"smtp://user:s3cret@127.0.0.1:{smtp.port}")
    async with SmtpTransaction(server, Timeouts(0.3, 5, 0.3)) as transaction:
        await transaction.prepare("errand@example.com", ["ann@example.com"], b"a: b\r\n\r\nc\r\n")


async def test_a_server_without_starttls_gets_nothing() -> None:
    """Where STARTTLS is not offered, neither the password nor the message goes out in clear."""
    async with fake_smtp() as smtp:
        with pytest.raises(ServiceRefused, match="STARTTLS"):
            await starttls(smtp)
        assert [line.split()[0] for line in smtp.commands] == ["EHLO"]


@pytest.mark.parametrize("what", [DROP, HANG, "454 4.7.0 Not now", "220 Go\r\ngarbage"])
async def test_starttls_that_fails_for_now(what: str) -> None:
    """A handshake that breaks, hangs or makes no sense may work another time; nothing is sent in clear meanwhile."""
    async with fake_smtp({"EHLO": "250-fake\r\n250 STARTTLS", "STARTTLS": what}) as smtp:
        with pytest.raises(ServiceUnavailable):
            await starttls(smtp)
        assert not [line for line in smtp.commands if line.startswith(("AUTH", "MAIL"))]
