"""The file of sources, in TOML: which documents and servers are to be tools, and what they do not say themselves.

    [openapi.crm]
    document = "crm.yaml"
    auth = { bearer = "CRM_TOKEN" }
    offer = ["listCustomers", "createTicket"]

    [mcp.files]
    command = ["npx", "-y", "@modelcontextprotocol/server-filesystem", "/data"]
    offer = ["read_*", "write_file"]

docs/tools.md shows one whole.
"""

import difflib
import tomllib
import typing
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import NoneType

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from pydantic_core import ErrorDetails

from activities.errors import ConfigurationError
from activities.toolkit.definitions import short
from activities.toolkit.function_names import LEGAL
from activities.toolkit.mcp.settings import McpSettings
from activities.toolkit.openapi.settings import OpenApiSettings

VARIABLE = "ERRAND_SOURCES"
EXAMPLES = {"command": '["npx", "-y", "…"]', "offer": '["list*"]', "headers": '["ETag"]'}
"""Of keys that are a list."""


class SourceFile(BaseModel):
    """Name of a source → what is said of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    openapi: dict[str, OpenApiSettings] = {}
    mcp: dict[str, McpSettings] = {}

    @field_validator("openapi", "mcp")
    @classmethod
    def _names_are_legal(cls, sources: dict[str, object]) -> dict[str, object]:
        if wrong := [name for name in sources if not LEGAL.fullmatch(name)]:
            raise ValueError(f"{wrong[0]!r} becomes a part of its tools' names, which have a-z A-Z 0-9 _ -")
        return sources


def read_sources(path: Path | None) -> SourceFile:
    """Read the file; without one there are no sources.

    Raises:
        ConfigurationError: it is missing or wrong; one line names file and key.
    """
    if path is None:
        return SourceFile()
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise wrong(path, "", error.strerror or "it cannot be read") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise wrong(path, "", f"it is no TOML: {error}") from error
    try:
        return SourceFile.model_validate(found)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_input=False)[0]
        raise wrong(path, _key(first), _in_words(first)) from invalid


def wrong(path: Path, key: str, what: str) -> ConfigurationError:
    """The error that says in one line which key of the file is wrong, and why."""
    return ConfigurationError(
        ": ".join(part for part in (VARIABLE, str(short(path)), key, " ".join(what.split())) if part)
    )


class WrongKey(ValueError):
    """A key of a source's table does not fit what the source has."""

    def __init__(self, key: str, what: str) -> None:
        super().__init__(what)
        self.key = key


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest of the known names, as the end of a message; or all, where none is near and they are few."""
    every = sorted(known)
    if near := difflib.get_close_matches(name, every, n=1, cutoff=0.6):
        return f"; did you mean {near[0]}?"
    return f"; there are {', '.join(every)}" if 0 < len(every) <= 20 else ""


def _key(error: ErrorDetails) -> str:
    return ".".join(map(str, error["loc"]))


def _in_words(error: ErrorDetails) -> str:
    *before, last = error["loc"]
    match error["type"]:
        case "extra_forbidden":
            table = _table_at(SourceFile, before)
            return "there is no such key" + did_you_mean(str(last), table.model_fields if table else ())
        case "missing":
            return "it is missing"
        case "bool_type":
            return "it is true or false, without quotes"
        case "tuple_type":
            return "it is a list, such as " + EXAMPLES.get(str(last), '["…"]')
        case "string_pattern_mismatch" if error.get("ctx", {}).get("pattern", "").startswith("^[A-Za-z_]"):
            return (
                "expected the name of an environment variable, such as CRM_TOKEN; the secret itself stands nowhere here"
            )
        case _:
            return error["msg"].removeprefix("Value error, ")


def _table_at(model: type[BaseModel], place: Sequence[int | str]) -> type[BaseModel] | None:
    """The model that a place in the file is held to."""
    found: object = model
    for step in place:
        if isinstance(found, type) and issubclass(found, BaseModel):
            field = found.model_fields.get(str(step))
            found = field.annotation if field else None
        else:
            found = next(iter(typing.get_args(found)[-1:]), None)
        found = _without_none(found)
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None


def _without_none(kind: object) -> object:
    kinds = [each for each in typing.get_args(kind) if each is not NoneType]
    return kinds[0] if NoneType in typing.get_args(kind) and len(kinds) == 1 else kind
