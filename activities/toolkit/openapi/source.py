"""A document as a source of tools: each operation that is offered, with a function that sends its request."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from pydantic import JsonValue

from activities.error_text import message_of
from activities.errors import (
    OutcomeUnknown,
    OutcomeUnknownRetryable,
    ServiceRefused,
    ServiceUnavailable,
)
from activities.execution.act import Act
from activities.http.staged import FarEnd, HttpSender, idempotency_key
from activities.settings.environment import is_loopback
from activities.toolkit.argument_model import ToolFunction
from activities.toolkit.expressions import NotAnExpression, in_short, is_something
from activities.toolkit.openapi.answers import Answers
from activities.toolkit.openapi.credentials import Credentials, Token, variables_of
from activities.toolkit.openapi.idempotency import notes_on
from activities.toolkit.openapi.importing import import_document
from activities.toolkit.openapi.recipe import Operation
from activities.toolkit.openapi.requests import request_of
from activities.toolkit.openapi.settings import OpenApiSettings, OperationSettings
from activities.toolkit.options import ToolOptions
from activities.toolkit.schema_tools import tool_from_schema
from activities.toolkit.source_file import WrongKey
from activities.toolkit.tool import Tool
from workflows.contract.internal import ToolCall
from workflows.contract.values import Arguments


@dataclass(frozen=True)
class Imported:
    """What a source gives."""

    tools: Sequence[Tool]
    missing: tuple[str, ...]
    """The variables without which none of them can be offered."""
    left_out: Mapping[str, str]
    """Operation → why it is no tool."""
    not_offered: int
    """Operations that the patterns do not name."""
    notes: Mapping[Tool, Sequence[str]]
    """Tool → what the document has otherwise than its schema, and what else is to be known of it."""


def tools_of(
    source: str,
    settings: OpenApiSettings,
    *,
    folder: Path,
    kept: Path,
    sender: Callable[[], HttpSender],
    private: bool = False,
    environment: Mapping[str, str] = os.environ,
) -> Imported:
    """Make a tool of every operation that a source offers.

    Args:
        source: what it is called: the beginning of the tools' names.
        settings: its table in the file of sources.
        folder: of that file.
        kept: the folder of what is kept from start to start.
        sender: gives what sends the requests, once the first is to be sent.
        private: whether the document may be at a private address although the table does not say so.
        environment: has the secrets.

    Raises:
        WrongKey: a key does not fit the document.
        ConfigurationError: a secret cannot be sent, or an option does not fit its operation.
    """
    compiled = import_document(source, settings, folder=folder, kept=kept, private=private)
    credentials = Credentials(settings.auth, environment)
    making = _Making(source, settings, credentials, sender)
    tools = {making.tool(operation, compiled.looks): operation for operation in compiled.operations}
    notes = {tool: making.notes(tool, operation) for tool, operation in tools.items()}
    return Imported([*tools], credentials.missing, compiled.left_out, compiled.not_offered, notes)


@dataclass(frozen=True)
class _Making:
    """Makes the tools of one source."""

    source: str
    settings: OpenApiSettings
    credentials: Credentials
    sender: Callable[[], HttpSender]

    def tool(self, operation: Operation, looks: Mapping[str, Operation]) -> Tool:
        own = self._own(operation)
        self._check_server(operation)
        far = self._far(operation, own)
        look = next((self._far(looks[name]) for name in _names(operation) if name in looks), None)
        reads = (own.effect or ("read" if operation.reads else "write")) == "read"
        options: ToolOptions = {
            "effect": "read" if reads else "write",
            "timeout": self.settings.timeout,
            "grounded": own.grounded,
            "untrusted": self.settings.untrusted,
            "idempotent": not reads and bool(own.idempotency_header or own.repeatable or look),
            "far_end": asked_at(far, look),
            "about": own.about,
        }
        return tool_from_schema(
            name=operation.tool,
            description=operation.description,
            parameters=operation.arguments,
            function=_reading(far) if reads else _writing(far, look),
            defined_at=f"openapi.{self.source}, {operation.method} {operation.path}",
            **options,
        )

    def notes(self, tool: Tool, operation: Operation) -> Sequence[str]:
        keyless = tool.route.effect == "write" and not self._own(operation).idempotency_header
        return [*operation.notes, *(notes_on(operation) if keyless else ())]

    def _own(self, operation: Operation) -> OperationSettings:
        known = self.settings.operation
        return next((known[name] for name in _names(operation) if name in known), OperationSettings())

    def _far(self, operation: Operation, own: OperationSettings | None = None) -> "FarOperation":
        own = own or self._own(operation)
        try:
            name = f"{self.source} {operation.id}"
            return FarOperation(operation, own, name, self.credentials, self.sender, self.settings.timeout)
        except NotAnExpression as error:
            raise WrongKey(f"operation.{operation.id}.{error.option}", str(error)) from error

    def _check_server(self, operation: Operation) -> None:
        auth = self.settings.auth
        if variables_of(auth) and self._is_open(operation.server):
            raise WrongKey("url", f"auth would be sent without encryption to {operation.server}; use https://")
        if auth.oauth2 and self._is_open(auth.oauth2.token_url):
            raise WrongKey("auth.oauth2.token_url", "the secret would be sent without encryption; use https://")

    def _is_open(self, address: str) -> bool:
        """Whether anybody on the way could read what is sent there."""
        url = urlsplit(address)
        return url.scheme == "http" and not (self.settings.private or is_loopback(url.netloc))


def _names(operation: Operation) -> tuple[str, str]:
    """What the table of a source may call it."""
    return operation.id, f"{operation.method} {operation.path}"


def asked_at(far: "FarOperation", look: "FarOperation | None") -> str:
    """Where and how a write is sent, and looked for."""
    sent = [far.address, far.own.idempotency_header, str(far.own.repeatable)]
    return " ".join([*sent, look.address, look.own.result, look.own.failed_when] if look else sent)


def _reading(far: "FarOperation") -> ToolFunction:
    async def run(arguments: Arguments) -> JsonValue:
        return await far.read(arguments)

    return run


def _writing(far: "FarOperation", look: "FarOperation | None") -> ToolFunction:
    async def run(arguments: Arguments, *, call: ToolCall, act: Act) -> JsonValue:
        if look is None:
            return await far.write(arguments, act, idempotency_key(call))
        return await _looked_after(far, look, arguments, act, idempotency_key(call))

    return run


async def _looked_after(
    far: "FarOperation", look: "FarOperation", arguments: Arguments, act: Act, key: str
) -> JsonValue:
    """A write of which the far end can show whether it happened.

    Raises:
        ServiceRefused: it shows so before anything was sent.
        ServiceUnavailable: it does not show whether it has happened. After a write that may have, this is `unknown`.
        OutcomeUnknownRetryable: it may have happened, and does not show yet.
    """
    shown = await look.look(arguments)
    if act.may_have_happened:
        if not is_something(shown):
            raise OutcomeUnknownRetryable(f"{far.far.name} may have happened; {look.far.name} does not show it yet")
        act.settled = "looked"
        async with act:
            return shown
    if is_something(shown):
        raise ServiceRefused(f"{look.far.name} shows that it is there already, and nothing was sent: {in_short(shown)}")
    try:
        return await far.write(arguments, act, key)
    except OutcomeUnknown as error:
        raise OutcomeUnknownRetryable(message_of(error), retry_after=error.retry_after) from error


class FarOperation:
    """One operation of a far end: arguments become its request, and its answer a value."""

    def __init__(
        self,
        operation: Operation,
        own: OperationSettings,
        name: str,
        credentials: Credentials,
        sender: Callable[[], HttpSender],
        timeout: float,
    ) -> None:
        self.operation = operation
        self.own = own
        self.far = FarEnd(
            name=name,
            idempotency_header=own.idempotency_header,
            safe_503=own.safe_503,
            repeatable=own.repeatable,
            credentials=credentials.variables,
        )
        self.answers = Answers(
            name, failed_when=own.failed_when, result=own.result, headers=own.headers, only_json=operation.only_json
        )
        self._credentials = credentials
        self._sender = sender
        # A little less than the attempt's own limit, so that the attempt can say that it was the far end.
        self._limits = {"timeout": httpx.Timeout(timeout * 0.9).as_dict()}

    @property
    def address(self) -> str:
        return f"{self.operation.method} {self.operation.server}{self.operation.path}"

    async def read(self, arguments: Arguments) -> JsonValue:
        try:
            return self.answers.result(await self._answer(arguments))
        except OutcomeUnknown as error:  # of a write it would be; by a read nothing happens
            raise ServiceRefused(message_of(error)) from error

    async def write(self, arguments: Arguments, act: Act, key: str) -> JsonValue:
        request, token = await self._request(arguments)
        with self._credentials.noticing_refusals(self.far.name, token):
            reply = await self._sender().write(request, self.far, act, key, judge=self._judge)
        return self.answers.result(reply)

    async def look(self, arguments: Arguments) -> JsonValue:
        """What the far end shows of a call of another operation: those of its arguments that are known here.

        Raises:
            ServiceUnavailable: it shows neither that it is there nor that it is not.
        """
        properties = self.operation.arguments.get("properties")
        names = properties.keys() if isinstance(properties, dict) else ()
        try:
            known = {name: value for name, value in arguments.items() if name in names}
            reply = await self._answer(known, may_be_missing=True)
            return self.answers.shown(reply) if reply.is_success else None
        except OutcomeUnknown as error:
            raise ServiceUnavailable(message_of(error)) from error

    async def _answer(self, arguments: Arguments, *, may_be_missing: bool = False) -> httpx.Response:
        """The answer to a read."""
        request, token = await self._request(arguments)
        with self._credentials.noticing_refusals(self.far.name, token):
            reply = await self._sender().read(request, self.far, may_be_missing=may_be_missing)
        if reply.is_success:
            self.answers.judge(reply)
        return reply

    def _judge(self, reply: httpx.Response) -> None:
        """Of a write: what its answer does not tell, a far end that knows its key can be asked again."""
        try:
            self.answers.judge(reply)
        except OutcomeUnknown as error:
            if not self.far.can_be_asked_again:
                raise
            raise OutcomeUnknownRetryable(message_of(error)) from error

    async def _request(self, arguments: Arguments) -> tuple[httpx.Request, Token]:
        """The request, and the token with which it asks."""
        request = request_of(self.operation, arguments)
        request.extensions = {**request.extensions, **self._limits}
        return request, await self._credentials.put_on(request, self._fetch_token)

    async def _fetch_token(self, request: httpx.Request) -> httpx.Response:
        request.extensions = {**request.extensions, **self._limits}
        source, _, _ = self.far.name.partition(" ")  # whose calls all wait for it
        return await self._sender().read(request, FarEnd(name=f"the token server of {source}"))
