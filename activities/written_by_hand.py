"""Reads the TOML files that people write; what is wrong with one is said in one sentence that names file and key."""

import difflib
import tomllib
import typing
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import NoneType

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from activities.error_text import said_by
from activities.errors import ConfigurationError
from activities.toolkit.definitions import short

Read = typing.TypeVar("Read", bound=BaseModel)

EXAMPLES = {"command": '["npx", "-y", "…"]', "offer": '["list*"]', "headers": '["ETag"]'}
"""Of keys that are a list."""


def read_toml(kind: type[Read], path: Path, of: str) -> Read:
    """Read a file strictly.

    Args:
        kind: what it is to be.
        path: of the file.
        of: what has named it: a variable, or an argument of the command line.

    Raises:
        ConfigurationError: it is missing or wrong.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise wrong(of, path, "", error.strerror or "it cannot be read") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise wrong(of, path, "", f"it is no text in UTF-8, see line {line}") from error
    except ValueError as error:  # also of a number that Python takes for too long
        raise wrong(of, path, "", f"it is no TOML: {error}") from error
    try:
        return kind.model_validate(found)
    except ValidationError as invalid:
        # A misspelt key first, for it is why another is missing.
        error = min(invalid.errors(include_url=False), key=lambda each: each["type"] != "extra_forbidden")
        raise wrong(
            of, path, ".".join(map(str, error["loc"])), _in_words(error, kind)
        ) from None  # it would quote values


def wrong(of: str, path: Path, key: str, what: str) -> ConfigurationError:
    """The error that says in one line which key of a file is wrong, and why."""
    return ConfigurationError(": ".join(part for part in (of, str(short(path)), key, " ".join(what.split())) if part))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest of the known names, as the end of a message; or all, where none is near and they are few."""
    every = sorted(known)
    if near := difflib.get_close_matches(name, every, n=1, cutoff=0.6):
        return f"; did you mean {near[0]}?"
    return f"; there are {', '.join(every)}" if 0 < len(every) <= 20 else ""


def _in_words(error: ErrorDetails, kind: type[BaseModel]) -> str:
    *before, last = error["loc"] or ("",)
    match error["type"]:
        case "extra_forbidden":
            table = _table_at(kind, before)
            return "there is no such key" + did_you_mean(str(last), table.model_fields if table else ())
        case "missing":
            return "it is missing"
        case "bool_type":
            return "it is true or false, without quotes"
        case "finite_number":
            return "it is a number, and neither nan nor inf"
        case "tuple_type" if _table_at(kind, [*before, last, 0]):
            return f"it is a list of tables: write [[{last}]]"
        case "tuple_type":
            return "it is a list, such as " + EXAMPLES.get(str(last), '["…"]')
        case "model_type" | "dict_type":
            named = "" if error["type"] == "model_type" else ".NAME"
            return "it is a table" + ("" if before else f": write [{last}{named}]")
        case "string_pattern_mismatch" if error.get("ctx", {}).get("pattern", "").startswith("^[A-Za-z_]"):
            return (
                "expected the name of an environment variable, such as CRM_TOKEN; the secret itself stands nowhere here"
            )
        case _:
            return said_by(error)


def _table_at(model: type[BaseModel], place: Sequence[int | str]) -> type[BaseModel] | None:
    """The model that a place in the file is held to."""
    found: object = model
    for step in place:
        if isinstance(found, type) and issubclass(found, BaseModel):
            field = found.model_fields.get(str(step))
            found = field.annotation if field else None
        else:
            kinds = [each for each in typing.get_args(found) if each is not ...]
            found = kinds[-1] if kinds else None
        found = _without_none(found)
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None


def _without_none(kind: object) -> object:
    kinds = [each for each in typing.get_args(kind) if each is not NoneType]
    return kinds[0] if NoneType in typing.get_args(kind) and len(kinds) == 1 else kind
