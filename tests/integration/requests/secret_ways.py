"""The ways in which a secret comes back: each with its servers on loopback, its settings, and what the model says."""

import base64
import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import SupportsIndex, TypeVar
from urllib.parse import quote

import trustme
from pydantic import SecretStr

from activities.redaction import REDACTED, SECRETS
from tests import leaky_tools
from tests.scripted_model import Answer, Object, Raw, call, calls, say
from tests.unit.http.fake_web import fake_web
from tests.unit.smtp.fake_smtp import fake_smtp
from tests.unit.smtp.test_encryption import mail_server
from workflows.contract.api import Limits
from workflows.contract.values import Schema

T = TypeVar("T")

LONG_ENOUGH = Limits(seconds=60)
SOON = Limits(seconds=10)
"""For what is tried again for longer than a test can wait."""


@dataclass(frozen=True)
class Way:
    """What the model says, and the settings of the worker, so that the secret comes back."""

    script: Sequence[Answer]
    settings: Mapping[str, object] = field(default_factory=dict[str, object])
    limits: Limits = LONG_ENOUGH
    output_schema: Schema | None = None


Opened = Callable[[str], AbstractAsyncContextManager[Way]]
"""A way, with its servers, for a secret."""


def as_it_is(secret: str) -> str:
    return secret


def quoted(secret: str) -> str:
    return quote(secret, safe="")


def basic(secret: str) -> str:
    """As in `Authorization: Basic` (RFC 7617)."""
    return base64.b64encode(f"ann:{secret}".encode()).decode()


def plain(secret: str) -> str:
    """As in AUTH PLAIN (RFC 4616)."""
    return base64.b64encode(f"\0ann\0{secret}".encode()).decode()


# --- the model's endpoint --------------------------------------------------------------------------------------------


class EachOnce(list[Answer]):
    """A script whose next answer comes whatever the turn, so also where the same is asked again."""

    def __getitem__(self, turn: SupportsIndex | slice) -> Answer:  # pyright: ignore[reportIncompatibleMethodOverride]  # never a slice
        return self.pop(0)


def model_says(status: int, body: Callable[[str], str], *, output: bool = False) -> Opened:
    """It answers with the key once."""

    @asynccontextmanager
    async def opened(secret: str) -> AsyncGenerator[Way]:
        reply = Raw(status, body(secret), {"WWW-Authenticate": f"Bearer {secret}", "retry-after-ms": "10"})
        script = EachOnce([say("Done."), reply] if output else [reply, say("Done.")])
        yield Way(script, {"openai_api_key": secret}, output_schema={"type": "object"} if output else None)

    return opened


def error(form: Callable[[str], str]) -> Callable[[str], str]:
    return lambda secret: json.dumps({"error": {"message": f"Incorrect API key provided: {form(secret)}", "code": 7}})


def completion(message: Callable[[str], Object]) -> Callable[[str], str]:
    return lambda secret: json.dumps(
        {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message(secret)}}]}
    )


def model_at(url: str, secret: str) -> Way:
    return Way([], {"openai_api_key": secret, "openai_base_url": url}, SOON)


@asynccontextmanager
async def model_without_tls(secret: str) -> AsyncGenerator[Way]:
    async with fake_smtp() as no_tls:
        yield model_at(f"https://127.0.0.1:{no_tls.port}", secret)


@asynccontextmanager
async def no_model(secret: str) -> AsyncGenerator[Way]:
    yield model_at("http://127.0.0.1:1/v1", secret)


class Once(dict[str, T]):
    """What is taken out when it is looked up."""

    def get(self, key: str, default: T | None = None) -> T | None:  # pyright: ignore[reportIncompatibleMethodOverride]  # fewer overloads
        return self.pop(key) if key in self else default


# --- the mail server -------------------------------------------------------------------------------------------------


def mail_server_says(stage: str, words: Callable[[str], str]) -> Opened:
    @asynccontextmanager
    async def opened(secret: str) -> AsyncGenerator[Way]:
        async with fake_smtp(Once({stage: words(secret)})) as smtp:
            yield mail_by(f"smtp+plain://ann:{quoted(secret)}@127.0.0.1:{smtp.port}")

    return opened


@asynccontextmanager
async def mail_server_that_nobody_trusts(secret: str) -> AsyncGenerator[Way]:
    with mail_server(trustme.CA(), "smtps") as server:
        yield mail_by(f"smtps://ann:{quoted(secret)}@127.0.0.1:{server.port}")


def mail_by(url: str) -> Way:
    script = [calls(call("send_email", to=["ann@example.com"], subject="Hi", body="Hello.")), say("Done.")]
    return Way(script, {"smtp_url": url, "mail_from": "errand@example.com", "mail_pause": 0.02})


# --- a service over HTTP ---------------------------------------------------------------------------------------------


def stocks_say(status: Callable[[str], str], body: Callable[[str], str]) -> Opened:
    """Once; then they know nothing of it."""

    @asynccontextmanager
    async def opened(secret: str) -> AsyncGenerator[Way]:
        async with fake_web() as web:
            web.answers = Once()
            web.answer("/api/v1/quote", body(secret), status=status(secret), headers=f"X-Echo: {secret}\r\n")
            yield stocks_at(web.url, secret)

    return opened


@asynccontextmanager
async def stocks_without_tls(secret: str) -> AsyncGenerator[Way]:
    async with fake_smtp() as no_tls:
        yield stocks_at(f"https://127.0.0.1:{no_tls.port}", secret, SOON)


def stocks_at(url: str, secret: str, limits: Limits = LONG_ENOUGH) -> Way:
    script = [calls(call("get_stock_price", symbol="IBM")), say("Done.")]
    return Way(script, {"stocks_url": url, "stocks_token": secret}, limits)


# --- a third party's tool --------------------------------------------------------------------------------------------


def tool(name: str, how: str) -> Opened:
    """It has the secret in settings of its own."""

    @asynccontextmanager
    async def opened(secret: str) -> AsyncGenerator[Way]:
        leaky_tools.settings.tokens[how] = SecretStr(secret)
        SECRETS.add_settings(leaky_tools.settings)
        yield Way([calls(call(name, how=how)), say("Done.")])

    return opened


WAYS: dict[str, tuple[Opened, str]] = {
    "model: 401 with the key": (model_says(401, error(as_it_is)), REDACTED),
    "model: 400 with the key quoted": (model_says(400, error(quoted)), REDACTED),
    "model: 500 with the key in base64": (model_says(500, error(basic)), REDACTED),
    "model: 403 in HTML": (model_says(403, lambda secret: f"<b>{secret}</b>"), REDACTED),
    "model: 404 that is cut": (model_says(404, lambda secret: "x" * 480 + secret), "answered 404: xxx"),
    "model: an error under 200": (model_says(200, error(as_it_is)), REDACTED),
    "model: no JSON": (model_says(200, lambda secret: f"no JSON for {secret}"), REDACTED),
    "model: an answer": (model_says(200, completion(lambda secret: {"content": f"It is {secret}."})), REDACTED),
    "model: a refusal": (model_says(200, completion(lambda secret: {"refusal": f"Not {secret}."})), REDACTED),
    "model: a call": (
        model_says(200, completion(lambda secret: {"tool_calls": [call("nothing", key=secret)]})),
        REDACTED,
    ),
    "model: 400 for the output": (model_says(400, error(as_it_is), output=True), REDACTED),
    "model: no TLS": (model_without_tls, "cannot be reached"),
    "model: no connection": (no_model, "cannot be reached"),
    "mail: 535 with the line": (mail_server_says("AUTH", lambda secret: f"535 PLAIN {plain(secret)}"), "logging in"),
    "mail: 451 with the password": (mail_server_says("MAIL", lambda secret: f"451 later, {secret}"), REDACTED),
    "mail: 550 that is cut": (mail_server_says("RCPT", lambda secret: f"550 {'x' * 280}{secret}"), "does not take"),
    "mail: 250 with the password": (mail_server_says("dot", lambda secret: f"250 ann:{quoted(secret)}"), REDACTED),
    "mail: neither yes nor no": (mail_server_says("dot", lambda secret: f"354 {secret}"), REDACTED),
    "mail: TLS that nobody trusts": (mail_server_that_nobody_trusts, "certificate does not hold"),
    "stocks: 401 with the token": (stocks_say(lambda secret: f"401 no {secret}", as_it_is), REDACTED),
    "stocks: no JSON": (stocks_say(lambda _: "200 OK", as_it_is), "could not be read"),
    "stocks: no TLS": (stocks_without_tls, "could not be reached"),
    "tool: a mistake": (tool("leaky_read", "mistake"), REDACTED),
    "tool: mistakes in a group": (tool("leaky_read", "group"), REDACTED),
    "tool: a cause and a context": (tool("leaky_read", "chain"), "the service says no"),
    "tool: Temporal's own error": (tool("leaky_read", "application error"), REDACTED),
    "tool: an error that is cut": (tool("leaky_read", "long"), REDACTED),
    "tool: a result": (tool("leaky_read", "result"), REDACTED),
    "tool: its log": (tool("leaky_read", "log"), "logged"),
    "tool: a mistake in a write": (tool("leaky_write", "write: mistake"), REDACTED),
    "tool: a refused write": (tool("leaky_write", "write: refused"), REDACTED),
    "tool: an unknown write": (tool("leaky_write", "write: unknown"), REDACTED),
    "tool: the result of a write": (tool("leaky_write", "write: result"), REDACTED),
}
"""And what the history shows in the secret's place, or of the way."""
MISTAKES = ("tool: a mistake", "tool: mistakes in a group", "tool: a mistake in a write")
