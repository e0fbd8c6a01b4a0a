"""What a person at a terminal sees of an explanation: call by call, where it came from, who allowed it, what became of
it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TypeAlias

from activities.model.origins import Source
from deploy.client.explanations import Attempts, ExplainedCall, Explanation, LedgerRow
from deploy.terminal.console import Paper
from deploy.terminal.marks import MARKS
from deploy.terminal.text import compact, short
from workflows.contract.api import ReceiptStatus
from workflows.timeline import count

Line: TypeAlias = tuple[str, str, str]
"""A label, what stands behind it, and its style."""
LABEL = 14
SUSPECT = ("made up", "stranger")


class ExplanationScreen(Paper):
    """Shows why a request did what it did."""

    def explanation(self, explanation: Explanation) -> None:
        who = explanation.requester or "somebody"
        when = f" at {_moment(explanation.started_at)}" if explanation.started_at else ""
        self._line((explanation.request_id, "bold cyan"), f"  {who} asked{when}: ", short(explanation.text, 400))
        if explanation.ended:
            self._line((f"{explanation.ended}: ", "dim"), short(explanation.summary, 400))
        for call in explanation.calls:
            self._call(call)
        for note in explanation.notes:
            self.note(note)

    def _call(self, call: ExplainedCall) -> None:
        mark, style = MARKS[call.status] if isinstance(call.status, ReceiptStatus) else ("?", "yellow")
        place = call.key.rpartition("/")[2]
        self._line()
        self._line((f"{mark} {place} ", style), (call.tool, "bold"), f" {call.about}  ", (call.status, style))
        for label, text, colour in _lines(call):
            self._line(("  " + label.ljust(LABEL), "dim"), (text, colour))


def _lines(call: ExplainedCall) -> Iterator[Line]:
    for source in call.sources:
        yield _source(source)
    if not call.sources and call.arguments:
        yield "arguments", short(compact(call.arguments), 400), ""
    for reason in call.doubts:
        yield "needs a yes", reason, "yellow"
    for verdict in call.verdicts:
        word = "yes" if verdict.yes else "no"
        more = "".join(f"; {each}" for each in (verdict.reason, verdict.came_to) if each)
        changed = f", with {short(compact(verdict.arguments), 200)}" if verdict.arguments is not None else ""
        yield word, f"{verdict.by}, {_moment(verdict.at)}, to {verdict.digest}{changed}{more}", ""
    if call.allowed:
        yield "because", call.allowed, ""
    yield "digest", call.digest, "dim"
    if call.attempts:
        yield from _attempts(call.attempts)
    if call.ledger:
        yield from _ledger(call.ledger)
    for contradiction in call.contradictions:
        yield "⚠", contradiction, "bold red"


def _source(source: Source) -> Line:
    label = "" if source.piece else source.argument
    value = short(compact(source.value), 80)
    colour = "yellow" if source.origins[0].where in SUSPECT else ""
    return label, f"{'· ' * source.piece}{value}  {', '.join(map(str, source.origins))}", colour


def _attempts(attempts: Attempts) -> Iterator[Line]:
    span = " to ".join(_moment(each) for each in (attempts.scheduled_at, attempts.ended_at) if each)
    yield "attempts", f"{count(attempts.number, 'attempt')}, {span}", ""
    if attempts.failed_before:
        yield "", f"before the last: {short(attempts.failed_before, 300)}", "yellow"
    if attempts.error:
        yield "", f"the last: {short(attempts.error, 300)}", "red"


def _ledger(row: LedgerRow) -> Iterator[Line]:
    ended = f", ended {_moment(row.finished_at)}" if row.finished_at else ""
    yield "ledger", f"{row.state}, attempt {row.attempt} began {_moment(row.begun_at)}{ended}", ""
    yield "", f"as {row.key}, digest {row.digest}, approved by {row.approved_by or 'nobody'}", ""
    if row.error:
        yield "", short(row.error, 300), "red"
    if row.resolved_by:
        yield "", f"settled by {row.resolved_by}", "yellow"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
