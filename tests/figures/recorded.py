"""The recorded conversations of the tests: the leaderboard's right calls as writes, and the recorded histories."""

import base64
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from pydantic import JsonValue

from activities.model.figures.numerals import number_words
from activities.model.figures.spoken import Spoken
from activities.toolkit.tool import Tool
from tests.bfcl.gold import first
from tests.bfcl.imported import tools_of
from tests.bfcl.leaderboard import PYTHON, Case, cases
from tests.record_histories import HISTORIES
from workflows.contract.conversation import UserEntry
from workflows.contract.internal import DECIDE, Decision, ModelInput
from workflows.contract.values import Arguments

TODAY = date(2026, 11, 28)
ASKED_AT = date(2023, 6, 1)
"""About when the leaderboard's requests were made: a date without a year is one of that year."""


@dataclass(frozen=True)
class Write:
    """A right call of the leaderboard, with what was asked for."""

    case: str
    asked: str
    tool: Tool
    arguments: Arguments

    def made_up(self, arguments: Arguments | None = None) -> tuple[str, ...]:
        """Those figures that are taken for made up: of the call, or of one with other arguments."""
        return self.spoken.unsupported_in_call(self.tool, self.arguments if arguments is None else arguments)[0]

    @cached_property
    def spoken(self) -> Spoken:
        """What it comes after."""
        return Spoken(ModelInput(conversation=(UserEntry(text=self.asked),)), ASKED_AT)

    @property
    def held_out(self) -> bool:
        """Whether it is of the half that nobody has looked at while the rules for numbers were made."""
        return zlib.crc32(self.case.encode()) % 2 == 1

    def says(self, number: float) -> bool:
        """Whether the request says a number, to the letter or in words."""
        written = (float(each) for each in re.findall(r"\d+(?:\.\d+)?", self.asked.replace(",", "")))
        return abs(number) in {*written, *number_words(self.asked)}

    @property
    def texts_alone(self) -> Arguments:
        """The arguments without their numbers."""
        return {name: without_numbers(value) for name, value in self.arguments.items()}

    @property
    def numbers_alone(self) -> Arguments:
        """The arguments, of which the numbers are left."""
        return {name: without_texts(value) for name, value in self.arguments.items()}


def without_numbers(value: JsonValue) -> JsonValue:
    match value:
        case list():
            return [without_numbers(each) for each in value]
        case dict():
            return {name: without_numbers(each) for name, each in value.items()}
        case int() | float():
            return None
        case _:
            return value


def without_texts(value: JsonValue) -> JsonValue:
    match value:
        case list():
            return [without_texts(each) for each in value]
        case dict():
            return {name: without_texts(each) for name, each in value.items()}
        case str():
            return None
        case _:
            return value


def leaderboard(step: int = 1) -> Iterator[Write]:
    """Every right call that has a figure."""
    for category in PYTHON:
        for case in cases(category)[::step]:
            for write in writes_of(case):
                if any(char.isdigit() for char in json.dumps(write.arguments)):
                    yield write


def writes_of(case: Case) -> Iterator[Write]:
    called = {call.function for call in case.gold}
    tools = tools_of(each for each in case.functions if each["name"] in called)
    for call in case.gold:
        tool = tools[call.function]
        as_write = replace(tool, route=tool.route.model_copy(update={"effect": "write"}))
        yield Write(case.id, case.question, as_write, first(call, tool))


def histories() -> Iterator[tuple[ModelInput, Decision]]:
    """What the model was asked in the recorded histories, and what it decided."""
    for path in sorted(HISTORIES.glob("*.json")):
        asked: dict[str, ModelInput] = {}
        for event in json.loads(path.read_text())["events"]:
            scheduled = event.get("activityTaskScheduledEventAttributes")
            completed = event.get("activityTaskCompletedEventAttributes")
            if scheduled and scheduled["activityType"]["name"] == DECIDE:
                asked[event["eventId"]] = ModelInput.model_validate_json(_payload(scheduled["input"]))
            elif completed and completed["scheduledEventId"] in asked:
                yield asked[completed["scheduledEventId"]], Decision.model_validate_json(_payload(completed["result"]))


def _payload(payloads: dict[str, Any]) -> bytes:
    return base64.b64decode(payloads["payloads"][0]["data"])
