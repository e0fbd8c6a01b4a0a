"""An explained call as people read it: one fact a line, in an order, for whatever shows it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pydantic_core import to_json

from deploy.client.explanations import Attempts, ExplainedCall, LedgerRow
from workflows.timeline import count

Tone = Literal["plain", "aside", "doubt", "wrong", "alarm"]


@dataclass(frozen=True)
class Fact:
    """A label, what stands behind it, and how much it asks to be looked at."""

    label: str
    text: str
    tone: Tone = "plain"


def facts(call: ExplainedCall) -> Iterator[Fact]:
    """All but where its arguments came from: why it needed a yes, who gave it, its attempts, and the ledger's row."""
    for reason in call.doubts:
        yield Fact("needs a yes", reason, "doubt")
    for verdict in call.verdicts:
        word = "yes" if verdict.yes else "no"
        more = "".join(f"; {each}" for each in (verdict.reason, verdict.came_to) if each)
        changed = f", with {to_json(verdict.arguments).decode()}" if verdict.arguments is not None else ""
        yield Fact(word, f"{verdict.by}, {moment(verdict.at)}, to {verdict.digest}{changed}{more}")
    if call.allowed:
        yield Fact("because", call.allowed)
    yield Fact("digest", call.digest, "aside")
    if call.attempts:
        yield from _attempts(call.attempts)
    if call.ledger:
        yield from _ledger(call.ledger)
    for contradiction in call.contradictions:
        yield Fact("⚠", contradiction, "alarm")


def moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _attempts(attempts: Attempts) -> Iterator[Fact]:
    span = " to ".join(moment(each) for each in (attempts.scheduled_at, attempts.ended_at) if each)
    yield Fact("attempts", f"{count(attempts.number, 'attempt')}, {span}")
    if attempts.failed_before:
        yield Fact("", f"before the last: {attempts.failed_before}", "doubt")
    if attempts.error:
        yield Fact("", f"the last: {attempts.error}", "wrong")


def _ledger(row: LedgerRow) -> Iterator[Fact]:
    ended = f", ended {moment(row.finished_at)}" if row.finished_at else ""
    yield Fact("ledger", f"{row.state}, attempt {row.attempt} began {moment(row.begun_at)}{ended}")
    yield Fact("", f"as {row.key}, digest {row.digest}, approved by {row.approved_by or 'nobody'}")
    if row.error:
        yield Fact("", row.error, "wrong")
    if row.resolved_by:
        yield Fact("", f"settled by {row.resolved_by}", "doubt")
