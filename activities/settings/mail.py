"""How mail goes out."""

from email.utils import parseaddr
from typing import Self
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from activities.settings.environment import Group, is_loopback


class SmtpServer(BaseModel):
    """Where mail goes out, from `smtp://user:pass@host:587` (STARTTLS required), `smtps://…:465` (TLS from the start)
    or `smtp+plain://127.0.0.1:1025` (no TLS, loopback only)."""

    model_config = ConfigDict(frozen=True)

    host: str
    port: int
    tls: bool
    start_tls: bool
    username: str | None
    password: SecretStr | None

    @classmethod
    def from_url(cls, text: str) -> Self:
        try:
            url = urlsplit(text)
            port = url.port
        except ValueError:
            # Without the cause: where the password holds a slash, it quotes the password.
            raise ValueError("it is no URL; in a password, write / as %2F, @ as %40 and # as %23") from None
        default_port = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
        if url.scheme not in default_port or not url.hostname:
            raise ValueError("expected smtp://user:password@host:587, smtps://… or smtp+plain://127.0.0.1:1025")
        if url.scheme == "smtp+plain" and not is_loopback(url.hostname):
            raise ValueError(f"smtp+plain:// sends without encryption, so only to loopback, not to {url.hostname}")
        return cls(
            host=url.hostname,
            port=port or default_port[url.scheme],
            tls=url.scheme == "smtps",
            start_tls=url.scheme == "smtp",
            username=unquote(url.username) if url.username else None,
            password=SecretStr(unquote(url.password)) if url.password else None,
        )


class MailSettings(Group):
    """The server, the sender, and how long the server is waited for."""

    smtp_url: SecretStr | None = Field(
        default=None,
        description="smtp://user:password@host:587 (STARTTLS required), smtps://…:465; smtp+plain:// only on loopback",
    )
    mail_from: str | None = Field(
        default=None, description="the sender of every mail, such as `Errand <me@example.com>`"
    )
    mail_pause: float = Field(default=300, gt=0, description='seconds until a mail server that said "not now" is asked')
    mail_timeout: float = Field(default=30, gt=0, description="seconds for a mail server's answer to one command")
    mail_verdict: float = Field(
        default=600, gt=0, description="seconds for its answer to a whole message (RFC 5321: 600)"
    )

    @field_validator("smtp_url")
    @classmethod
    def _smtp_url_is_usable(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            SmtpServer.from_url(url.get_secret_value())
        return url

    @field_validator("mail_from")
    @classmethod
    def _mail_from_is_an_address(cls, text: str | None) -> str | None:
        if text is not None:
            from activities.smtp.addresses import address  # loads the tables of IDNA, which only mail needs

            address(parseaddr(text)[1])
        return text

    @property
    def smtp_server(self) -> SmtpServer | None:
        return SmtpServer.from_url(self.smtp_url.get_secret_value()) if self.smtp_url else None
