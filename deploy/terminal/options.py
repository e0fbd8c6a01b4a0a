"""Options that several commands share, and how their values are read."""

import getpass
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from activities.callbacks.endpoint_file import problem_before_start
from activities.errors import ConfigurationError
from activities.settings import Settings
from workflows.contract.api import EVERY_TOOL, Request
from workflows.contract.values import Arguments, Schema

Id = Annotated[str, typer.Argument(metavar="ID", help="the request's id")]
Key = Annotated[str | None, typer.Argument(metavar="[KEY]", help='the call, where several wait; "2.1" will do')]
Name = Annotated[str | None, typer.Option(metavar="NAME", help="by default, your login name")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output, and nothing else there")]

Approved = Annotated[list[str] | None, typer.Option("--approve", metavar="TOOL", help="approve a tool in advance")]
Yes = Annotated[bool, typer.Option("--yes", help="approve every tool in advance")]
SchemaFile = Annotated[
    str | None,
    typer.Option("--schema", metavar="FILE", help="JSON Schema that the output shall fit; - is standard input"),
]

UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
ARGUMENTS: TypeAdapter[Arguments] = TypeAdapter(Arguments)


def login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return ""


def in_advance(approved: list[str] | None, *, yes: bool) -> tuple[str, ...]:
    """The tools that need no further yes."""
    return (EVERY_TOOL,) if yes else tuple(approved or ())


def check_endpoints(request: Request, settings: Settings) -> None:
    """Refuse a request that has an endpoint told which there is not, as far as this machine knows.

    Raises:
        ConfigurationError: it does.
    """
    if problem := problem_before_start(request.notify, request.requester, settings.notification.callbacks):
        raise ConfigurationError(f"--notify: {problem}")


def json_schema(option: str, file: str) -> Schema:
    """The JSON Schema in a file, or on standard input.

    Raises:
        ConfigurationError: there is none, or none that the worker could hold an output to.
    """
    from activities.lenient_json import is_object, parse
    from activities.schema.json_schema import NotASchema, check

    named = "standard input" if file == "-" else file
    try:
        schema = parse(sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{option}: {named}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"{option}: {named} is not JSON: {error}") from error
    if not is_object(schema):
        raise ConfigurationError(f'{option}: {named}: expected a JSON object such as {{"type": "object", …}}')
    try:
        check(schema)
    except NotASchema as error:
        raise ConfigurationError(f"{option}: {named} is not a JSON Schema that can be used: {error}") from error
    return schema


def json_object(option: str, text: str) -> Arguments:
    """Read an option's text as a JSON object.

    Raises:
        ConfigurationError: the text is no JSON object.
    """
    try:
        return ARGUMENTS.validate_json(text)
    except ValidationError as invalid:
        what = invalid.errors(include_url=False)[0]["msg"]
        raise ConfigurationError(f'{option}: expected a JSON object such as {{"body": "…"}}: {what}') from invalid


def duration(option: str, text: str) -> timedelta:
    """`30s`, `5m`, `2h`, `1d` or `1w`.

    Raises:
        ConfigurationError: it is none of these.
    """
    units = {"s": timedelta(seconds=1), **UNITS}
    if found := re.fullmatch(r"(\d{1,6})([smhdw])", text.strip()):
        return int(found[1]) * units[found[2]]
    raise ConfigurationError(f"{option}: expected 30s, 5m, 2h, 1d or 1w: {text}")


def moment(option: str, text: str) -> datetime:
    """`2h` or `3d` ago, or an ISO date, which is in this machine's time zone where it names none.

    Raises:
        ConfigurationError: it is neither.
    """
    try:
        if ago := re.fullmatch(r"(\d+)([mhdw])", text.strip()):
            return datetime.now(UTC) - int(ago[1]) * UNITS[ago[2]]
        return datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError) as error:
        raise ConfigurationError(f"{option}: expected 30m, 2h, 3d, 1w or a date such as 2026-01-31: {text}") from error
