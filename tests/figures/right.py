"""A summary with what it rests on."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import cast

from pydantic import JsonValue

from activities.model.figures.spoken import Spoken
from workflows.contract.conversation import AssistantEntry, ToolCallRecord, ToolMessage, UserEntry
from workflows.contract.internal import ModelInput

TODAY = date(2026, 11, 28)


@dataclass(frozen=True)
class Right:
    asked: str
    found: tuple[object, ...]
    """JSON values."""
    summary: str

    @cached_property
    def spoken(self) -> Spoken:
        """The conversation that it comes after."""
        calls = tuple(
            ToolCallRecord(tool="find", arguments={}, told=ToolMessage(value=cast("JsonValue", each)))
            for each in self.found
        )
        return Spoken(ModelInput(conversation=(UserEntry(text=self.asked), AssistantEntry(turn=1, calls=calls))), TODAY)

    def wrong_figures(self, summary: str | None = None) -> tuple[str, ...]:
        """Those that are taken for made up, in this summary or in another of the same conversation."""
        claims = self.spoken.unsupported_in_summary(self.summary if summary is None else summary, ())
        return tuple(figure for claim in claims for figure in claim.figures)
