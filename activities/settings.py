"""What a worker and a client read from the environment."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import unquote, urlsplit

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from activities.errors import ConfigurationError
from activities.model.prices import Price, read_prices
from activities.model.profiles import PROFILES, Calling
from activities.redaction import SECRETS
from workflows.contract.api import TASK_QUEUE

PREFIX = "ERRAND_"
PROJECT = Path(__file__).resolve().parents[1]
"""The folder of worker.py and client.py."""
DEFAULT_LEDGER = ".errand/ledger.db"
"""Below it."""


def _words(value: object) -> object:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]
"""Several values in one variable, separated by spaces or commas."""


def _prices(value: object) -> object:
    return read_prices(value) if isinstance(value, str) else value


Prices = Annotated[dict[str, Price], NoDecode, BeforeValidator(_prices)]
"""Of each model: `gpt-x=1.25/10`, per million tokens read and written, separated by spaces or commas."""


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


class Settings(BaseSettings):
    """One object, read once. Field names are the variables' names without `ERRAND_`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, env_ignore_empty=True, populate_by_name=True, hide_input_in_errors=True
    )

    task_queue: str = Field(default=TASK_QUEUE, description="the queue on which workers and callers meet")
    cached_requests: int = Field(
        default=500, gt=0, description="requests that a worker keeps in memory while they wait"
    )
    workflow_slots: int = Field(default=100, ge=2, description="steps of requests that a worker decides at once")
    activity_slots: int = Field(default=100, ge=1, description="model calls and tools that it runs at once")
    pollers: int = Field(default=5, ge=2, description="with which it asks Temporal for either")
    sticky_seconds: float = Field(
        default=2, gt=0, description="after which a request's next step goes to another worker if this one is gone"
    )
    ui_url: str = Field(default="http://127.0.0.1:8233", description="the Temporal UI, for links that people follow")

    openai_model: str | None = Field(
        default=None,
        validation_alias=AliasChoices("OPENAI_MODEL"),
        description="the model's name, as its endpoint knows it",
    )
    openai_base_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("OPENAI_BASE_URL"),
        description="its endpoint; OpenAI's by default",
    )
    openai_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("OPENAI_API_KEY"),
        description="its key; an endpoint of your own needs none",
    )
    model_timeout: float = Field(default=120, gt=0, description="seconds for one answer of the model")
    model_max_tokens: int | None = Field(default=None, gt=0, description="the longest answer of the model, in tokens")
    model_profile: str | None = Field(default=None, description="what its endpoint can do; by default from its URL")
    model_calling: Calling | None = Field(default=None, description="how it calls functions, whatever the profile says")
    model_constrained: bool | None = Field(
        default=None, description="whether its endpoint holds it to the functions' schemas, whatever the profile says"
    )
    model_prices: Prices = Field(
        default={}, description="as in gpt-x=1.25/10, for a million tokens; without, no request limits its cost"
    )
    system_prompt: str | None = Field(default=None, description="what the model is told first, instead of the default")

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
    address_book: Words = Field(default=(), description="addresses that may be written to without being in a request")
    weather_url: str = Field(default="https://api.open-meteo.com", description="a weather service of the same HTTP")
    geocoding_url: str = Field(
        default="https://geocoding-api.open-meteo.com", description="a geocoding service of the same HTTP"
    )
    exchange_rates_url: str = Field(
        default="https://api.frankfurter.dev", description="Frankfurter, or what speaks its HTTP"
    )
    stocks_url: str | None = Field(default=None, description="Stooq without a token, Finnhub with one")
    stocks_token: SecretStr | None = Field(default=None, description="a Finnhub token; prices come from Stooq without")

    http_hosts: Words = Field(
        default=(), description="patterns of the hosts that http_get and http_request may ask, such as *.example.com"
    )
    http_headers: Words = Field(
        default=(), description="what goes along to a host: api.example.com/Authorization=NAME_OF_A_VARIABLE"
    )
    http_timeout: float = Field(default=30, gt=0, description="seconds for the whole answer to a tool's own request")
    http_private: bool = Field(
        default=False, description="whether requests of tools may go to addresses that are not public"
    )
    ledger_url: str = Field(
        default=f"sqlite:///{DEFAULT_LEDGER}",
        validate_default=True,
        repr=False,  # it may hold a password
        description="the table that knows every write; postgresql://… for workers on more than one machine",
    )
    policy: Path | None = Field(default=None, description="the TOML file that says which writes need a yes")
    sources: Path | None = Field(default=None, description="the TOML file of documents and servers that become tools")
    tools: Words = Field(default=(), description="modules, files and folders with further tools")
    offer: Words = Field(
        default=("*",), min_length=1, description="patterns of the tools that are offered; one with a - takes away"
    )

    def model_post_init(self, _: object) -> None:
        SECRETS.add_settings(self)

    @field_validator("smtp_url")
    @classmethod
    def _smtp_url_is_usable(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            SmtpServer.from_url(url.get_secret_value())
        return url

    @field_validator("ledger_url")
    @classmethod
    def _names_the_same_file_wherever_it_is_read(cls, url: str) -> str:
        """A relative path is one from the project's folder: two start folders must not be two ledgers."""
        relative = re.fullmatch(r"(sqlite(?:\+\w+)?:///)([^/:?].*)", url)
        return f"{relative[1]}{PROJECT / relative[2]}" if relative else url

    @field_validator("openai_base_url", "weather_url", "geocoding_url", "exchange_rates_url", "stocks_url", "ui_url")
    @classmethod
    def _url_is_usable(cls, url: str | None) -> str | None:
        if url is not None:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0 or " " in url:
                raise ValueError("expected a URL such as https://host/path")
            if parts.username or parts.password:
                raise ValueError("a user or password in the URL would be written into logs and histories")
        return url

    @field_validator("openai_api_key", "stocks_token")
    @classmethod
    def _fits_into_a_header(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and not re.fullmatch(r"[!-~]+", secret.get_secret_value()):
            raise ValueError("it has characters that no key has: a space, a line end, or one that is not ASCII")
        return secret

    @field_validator("model_profile")
    @classmethod
    def _profile_is_known(cls, name: str | None) -> str | None:
        if name is not None and name not in PROFILES:
            raise ValueError(f"there is no profile {name!r}; the profiles are: {', '.join(PROFILES)}")
        return name

    @property
    def smtp_server(self) -> SmtpServer | None:
        return SmtpServer.from_url(self.smtp_url.get_secret_value()) if self.smtp_url else None

    @classmethod
    def from_environment(cls) -> Self:
        """Read the environment.

        Raises:
            ConfigurationError: a variable's value is wrong; the message names the variable.
        """
        try:
            return cls()
        except ValidationError as invalid:
            first = invalid.errors()[0]
            raise ConfigurationError(f"{variable(str(first['loc'][0]))}: {first['msg']}") from invalid


def variable(field: str) -> str:
    """The name of the variable that a field of the settings is read from."""
    return field.upper() if field.casefold().startswith("openai_") else PREFIX + field.upper()


def is_loopback(host: str) -> bool:
    """Whether a host, with or without a port, is this machine itself."""
    with_port = re.fullmatch(r"(\[.*\]|[^:]*):\d+", host)
    name = (with_port[1] if with_port else host).strip("[]")
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
