"""Cases to try a model on: what is asked, which calls are expected of it, and what they shall return.

    [[stub]]                                    # for every case of the file
    tool = "get_weather"
    arguments = { city = "Tokyo" }
    result = { temperature_c = 12.3 }

    [[case]]
    name = "weather to Ann"
    request = "Get the weather in Tokyo and email it to ann@example.com."
    ordered = true
    summary = ["12.3", "ann@example.com"]
    [[case.call]]
    tool = "get_weather"
    [[case.call]]
    tool = "send_email"
    arguments = { to = ["ann@example.com"], body = "*12.3*" }

Texts are patterns as in the policy file (`*`, `?`, `[abc]`), in either case. Arguments that are not named may have any
value. `forbidden`: calls that must not be made; `none`: no call may be made; `more`: further calls may be. Beside calls
that are expected, no others may be made.
"""

import json
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError, model_validator

from activities.error_text import said_by
from activities.errors import ConfigurationError
from workflows.contract.api import Limits, Request, RequestStatus
from workflows.contract.values import Arguments, Ruling, Schema

KINDS = (".toml", ".jsonl")


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Patterns = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""One, or several."""


class Wanted(BaseModel):
    """A call, by the tool's name and by arguments."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tool: str
    arguments: Arguments = {}
    exact: bool = False
    """It has no other arguments than those named."""

    def fits(self, tool: str, arguments: Arguments) -> bool:
        if not _like(tool, self.tool) or (self.exact and arguments.keys() - self.arguments.keys()):
            return False
        return all(name in arguments and alike(value, arguments[name]) for name, value in self.arguments.items())

    def __str__(self) -> str:
        return f"{self.tool} {json.dumps(self.arguments, ensure_ascii=False)}" if self.arguments else self.tool


class Stub(Wanted):
    """What a call returns, in place of the tool."""

    result: JsonValue = None
    error: str | None = None
    rejected: str | None = None
    """Why a person who is asked says no; where nobody is asked, it counts for nothing."""

    @property
    def answers(self) -> bool:
        return bool(self.model_fields_set & {"result", "error", "rejected"})


class Expected(Stub):
    """A call that the model shall make, and perhaps what it returns."""

    ruling: Ruling | None = None
    """What the policy shall say of it."""


class Said(BaseModel):
    """A further message of a conversation, and what the answer to it shall say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(min_length=1)
    summary: Patterns = ()
    summary_not: Patterns = ()


class Before(BaseModel):
    """A write that was made before, of which the budgets know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tool: str
    arguments: Arguments = {}
    times: int = Field(default=1, ge=1, le=10_000)


def _message(value: object) -> object:
    return {"text": value} if isinstance(value, str) else value


class Case(BaseModel):
    """One request, and what is expected of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    request: str = Field(min_length=1)
    name: str = ""
    requester: str = ""
    call: tuple[Expected, ...] = ()
    ordered: bool = False
    more: bool = False
    none: bool = False
    forbidden: tuple[Wanted, ...] = ()
    summary: Patterns = ()
    """Each has to stand in the summary."""
    summary_not: Patterns = ()
    stub: tuple[Stub, ...] = ()
    say: tuple[Annotated[Said, BeforeValidator(_message)], ...] = ()
    """What is said after the answer, one message after the other; calls are those of the whole conversation."""
    limits: Limits = Limits()
    approve: tuple[str, ...] = ()
    """Tools that the requester has approved in advance."""
    status: RequestStatus = RequestStatus.COMPLETED
    """How it shall end."""
    output_schema: Schema | None = None
    output: JsonValue = None
    """What the output shall be: texts by pattern, of objects the named parts."""
    output_exact: bool = False
    """It is that and nothing more, to the letter."""
    refused: tuple[Wanted, ...] = ()
    """Calls that the policy or a budget shall refuse."""
    before: tuple[Before, ...] = ()
    """Writes that the budgets have counted before the case begins."""

    @model_validator(mode="after")
    def _expects_something(self) -> Self:
        summaries = (
            self.summary,
            self.summary_not,
            *(part for each in self.say for part in (each.summary, each.summary_not)),
        )
        ends = self.status is not RequestStatus.COMPLETED or self.output_schema is not None or self.refused
        if not (self.call or self.none or self.forbidden or ends or any(summaries)):
            raise ValueError("it expects nothing: name a call, forbidden calls, a summary, or none = true")
        if self.none and self.call:
            raise ValueError("none = true, and yet it expects calls")
        if "output" in self.model_fields_set and self.output_schema is None:
            raise ValueError("output: an output is asked for where there is an output_schema")
        _ = self.asked  # which may not be
        return self

    @property
    def asked(self) -> Request:
        """What is asked at first.

        Raises:
            ValueError: no request may be so.
        """
        return Request(
            text=self.request,
            requester=self.requester,
            approve=self.approve,
            limits=self.limits,
            output_schema=self.output_schema,
        )

    @property
    def title(self) -> str:
        return self.name or self.request

    def stub_for(self, tool: str, arguments: Arguments, used: set[int]) -> Stub | None:
        """What a call returns: of the calls that are expected, each answers once, then stubs as often as they fit."""
        for index, expected in enumerate(self.call):
            if index not in used and expected.answers and expected.fits(tool, arguments):
                used.add(index)
                return expected
        return next((each for each in self.stub if each.fits(tool, arguments)), None)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    case: list[Case] = []
    stub: tuple[Stub, ...] = ()


def load_cases(path: Path) -> list[Case]:
    """The cases of a file (TOML, or JSON lines with one case a line), or of all such files in a folder.

    Raises:
        ConfigurationError: a file cannot be read, a case is wrong or expects nothing, or there is none.
    """
    files = sorted(each for each in path.iterdir() if each.suffix in KINDS) if path.is_dir() else [path]
    cases = [case for file in files for case in _cases_of(file)]
    if not cases:
        raise ConfigurationError(f"{path}: there are no cases in it")
    twice = {case.title for case in cases if [each.title for each in cases].count(case.title) > 1}
    if twice:
        raise ConfigurationError(f"{path}: two cases have the same name: {min(twice)}")
    return cases


def _cases_of(file: Path) -> Iterator[Case]:
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".jsonl":
            lines = [line for line in text.split("\n") if line.strip()]
            read = _File(case=[Case.model_validate_json(line) for line in lines])
        else:
            read = _File.model_validate(tomllib.loads(text))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{file}: {error}") from error
    except ValidationError as invalid:
        first = invalid.errors(include_url=False)[0]
        raise ConfigurationError(f"{file}: {'.'.join(map(str, first['loc']))}: {said_by(first)}") from invalid
    for case in read.case:
        yield case.model_copy(update={"stub": (*case.stub, *read.stub)})


def alike(expected: JsonValue, actual: JsonValue) -> bool:
    """Whether a value is as expected: texts by pattern, of objects the named parts, of lists each in its place."""
    match expected, actual:
        case str(), str():
            return expected == actual or _like(actual, expected)
        case dict(), dict():
            return all(name in actual and alike(value, actual[name]) for name, value in expected.items())
        case list(), list():
            return len(expected) == len(actual) and all(map(alike, expected, actual))
        case str(), int() | float() if not isinstance(actual, bool):
            return _like(str(actual), expected)
        case _:
            return expected == actual and isinstance(expected, bool) == isinstance(actual, bool)


def stands_in(pattern: str, text: str) -> bool:
    """Whether something like it stands anywhere in a text."""
    return pattern.casefold() in text.casefold() or _like(text, f"*{pattern}*")


def _like(text: str, pattern: str) -> bool:
    return fnmatchcase(text.casefold(), pattern.casefold())


def as_json_line(case: Case) -> str:
    """A case as one line of a `.jsonl` file."""
    return case.model_dump_json(exclude_defaults=True)
