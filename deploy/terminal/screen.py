"""Steps and outcomes, drawn on a terminal or printed as plain lines.

Everything here was written by somebody else: the requester, the model, a web page. So it is printed as text, never as
markup, and characters that would move the cursor or turn the writing direction are shown as escapes.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import JsonValue
from rich.console import Console
from rich.panel import Panel
from rich.status import Status
from rich.table import Table
from rich.text import Text

from deploy.terminal.listing import Found
from deploy.terminal.story import (
    Asked,
    Broke,
    Calling,
    CancelAsked,
    Corrected,
    Crashed,
    Decided,
    EditRefused,
    Ended,
    NotRun,
    Returned,
    Ruled,
    Settled,
    Settling,
    Step,
    Stuck,
    Thinking,
    Took,
    Waiting,
)
from workflows.contract import (
    Approve,
    Arguments,
    Outcome,
    PendingApproval,
    Receipt,
    ReceiptStatus,
    Reject,
    RequestState,
    RequestStatus,
    ToolCall,
)

if TYPE_CHECKING:
    from activities.ledger import Action

INDENT = " " * 8
RECEIPT_INDENT = " " * 13
WIDEST = 120

MARKS: dict[ReceiptStatus, tuple[str, str]] = {
    ReceiptStatus.DONE: ("✓", "green"),
    ReceiptStatus.FAILED: ("✗", "red"),
    ReceiptStatus.INVALID: ("✗", "red"),
    ReceiptStatus.REJECTED: ("✗", "yellow"),
    ReceiptStatus.REFUSED: ("✗", "yellow"),
    ReceiptStatus.CANCELLED: ("–", "yellow"),
    ReceiptStatus.UNKNOWN: ("?", "bold red"),
}
STATE_COLOURS = {"begun": "cyan", "done": "green", "not_done": "red", "unknown": "bold red"}
COLOURS: dict[RequestStatus, str] = {RequestStatus.COMPLETED: "green", RequestStatus.RUNNING: "cyan"}


class Screen:
    """Shows what happens in one request. `quiet` keeps standard output free for JSON."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._out = Console(quiet=quiet, highlight=False)
        self._out.soft_wrap = not self._out.is_terminal
        self._err = Console(stderr=True, highlight=False, soft_wrap=True)
        if not self._out.is_terminal:
            self._out.width = WIDEST
        self._width = min(self._out.width, WIDEST)
        self._live = Status("", console=self._out, spinner_style="cyan")
        self._running: dict[str, str] = {}

    # --- while it runs ---

    def show(self, step: Step, request_id: str) -> None:
        """Draw one step, and on a terminal say below it what is being waited for."""
        self._running.pop(STARTING, None)
        match step:
            case Asked(request):
                self._line((request_id, "bold cyan"), "  ", (_short(request.text, 2 * self._width), "bold"))
                self._line()
                self._wait(STARTING, "waiting for a worker")
            case Thinking(turn):
                self._wait(DECIDING, f"turn {turn}: asking the model")
            case Calling(call, about):
                self._wait(call.key, f"{call.tool} {about}")
            case Decided():
                self._decided(step)
            case Returned(calling, result, took):
                value = _short(compact(result.value), self._width - len(INDENT) - len(calling.call.tool) - 24)
                self._closed("✓", "green", calling, (value, ""), took)
            case Broke():
                self._broke(step)
            case NotRun(tool, status, error):
                self._line(INDENT, ("✗ ", "yellow"), tool, "  ", (f"{status}: {_short(error, 300)}", "yellow"))
            case Settling() | Settled():
                self._settle(step)
            case Corrected() | Ruled() | EditRefused() | CancelAsked() | Stuck() | Waiting():
                self._happened(step)
            case Ended() | Crashed():
                self._running.clear()
                self._live.stop()

    def _decided(self, step: Decided) -> None:
        self._done(DECIDING)
        calls = step.decision.calls
        does = f"the model asks for {_count(len(calls), 'call')}" if calls else "the model answers"
        if calls and step.decision.text:
            does = _short(f"{does}: {step.decision.text}", self._width - len(INDENT) - 20)
        self._line((f"turn {step.turn}".ljust(len(INDENT)), "bold"), does, _took(step.took))
        self._again(step.took)
        for call in calls:
            room = self._width - len(INDENT) - len(call.tool) - 3
            self._line(INDENT, ("→ ", "cyan"), call.tool, " ", (arguments(call.arguments, room), "dim"))

    def _broke(self, step: Broke) -> None:
        error = (_short(step.error, 300), "red")
        match step.doing:
            case Calling():
                self._closed("✗", "red", step.doing, error, step.took)
            case Thinking(turn):
                self._done(DECIDING)
                label = (f"turn {turn}".ljust(len(INDENT)), "bold")
                self._line(label, ("✗ the model: ", "red"), error, _took(step.took))
            case Settling(call):
                self._done(_settling(call))
                self._line(INDENT, ("✗ the ledger: ", "red"), error, _took(step.took))

    def _settle(self, step: Settling | Settled) -> None:
        match step:
            case Settling(call):
                what = f"asking the ledger what became of {call.tool}"
                room = self._width - len(INDENT) - len(what) - 3
                self._line(INDENT, ("? ", "yellow"), what, " ", (arguments(call.arguments, room), "dim"))
                self._wait(_settling(call), what)
            case Settled(call, settlement, took):
                self._done(_settling(call))
                mark, style = MARKS[settlement.status]
                why = f": {_short(settlement.error, 300)}" if settlement.error else ""
                self._line(INDENT, (f"{mark} ", style), call.tool, f"  {settlement.status}{why}", _took(took))

    def _closed(self, mark: str, style: str, calling: Calling, what: tuple[str, str], took: Took) -> None:
        self._done(calling.call.key)
        self._line(INDENT, (f"{mark} ", style), calling.call.tool, "  ", what, _took(took))
        self._again(took)

    def _again(self, took: Took) -> None:
        if took.after:
            self._line(INDENT, ("  tried again after: ", "yellow"), (_short(took.after, 200), "yellow"))

    def _happened(self, step: Corrected | Ruled | EditRefused | CancelAsked | Stuck | Waiting) -> None:
        match step:
            case Corrected(text):
                self._line(INDENT, ("asked the model to correct: ", "yellow"), (_short(text, 300), "yellow"))
            case Ruled(Approve(arguments=edited) as verdict):
                instead = "" if edited is None else f", with {arguments(edited, self._width - len(INDENT) - 40)}"
                self._line(INDENT, ("✓ approved", "green"), f" by {verdict.by or 'somebody'}{instead}")
            case Ruled(verdict):
                why = f": {verdict.reason}" if isinstance(verdict, Reject) and verdict.reason else ""
                self._line(INDENT, ("✗ rejected", "yellow"), f" by {verdict.by or 'somebody'}{why}")
            case EditRefused(verdict, error):
                by = verdict.by or "somebody"
                self._line(INDENT, (f"✗ what {by} made of it cannot be run: ", "yellow"), _short(error, 300))
            case CancelAsked():
                self._line(INDENT, ("cancellation was asked for", "yellow"))
            case Stuck(error):
                self._line(INDENT, ("the worker's code fails, and is tried again: ", "red"), error)
            case Waiting(yes):
                self._wait(APPROVAL, "waiting for approval") if yes else self._done(APPROVAL)

    # --- approvals ---

    def pending(self, call: PendingApproval, *, to_stderr: bool = False) -> None:
        """Show a call exactly as it would be run, whole."""
        self.pause()
        console = self._err if to_stderr else self._out
        self._line(console=console)
        why = f"  ({call.reason})" if call.reason else ""
        self._line(INDENT, ("! ", "yellow"), (call.tool, "bold"), " waits for approval", (why, "dim"), console=console)
        names = max(map(len, call.arguments), default=0)
        for name, value in call.arguments.items():
            shown = visible(value if isinstance(value, str) else compact(value))
            first, *rest = shown.split("\n")
            self._line(INDENT, "  ", (name.ljust(names), "dim"), "  ", first, console=console)
            for line in rest:
                self._line(INDENT, "  ", " " * names, "  ", line, console=console)
        until = f"{call.expires_at.astimezone():%Y-%m-%d %H:%M}"
        self._line(INDENT, "  ", (f"{call.key}, undecided until {until} is a no", "dim"), console=console)

    def how_to_decide(self, request_id: str) -> None:
        """Tell who cannot be asked here where to say yes or no."""
        self.note(f"waits for approval: uv run client.py approve {request_id}   (or: reject {request_id} --reason …)")

    def question(self) -> None:
        self._out.print(Text(INDENT + "  approve? [y/N/e=edit/reason] ", style="bold"), end="")

    def pause(self) -> None:
        """Take the live line away, so that somebody can type."""
        self._live.stop()

    # --- when it is over, or asked about ---

    def outcome(self, outcome: Outcome, link: str) -> None:
        """The summary, every receipt, what it cost, and where to see more."""
        status = outcome.status.replace("_", " ")
        colour = COLOURS.get(outcome.status, "red")
        summary = Text(visible(outcome.summary))
        self._line()
        if self._out.is_terminal:
            panel = Panel(summary, title=Text(status, style=f"bold {colour}"), title_align="left", border_style=colour)
            self._out.print(panel, width=self._width, soft_wrap=False)
        else:
            self._line(f"{status}: ", summary.plain)
        if not outcome.summary_verified:
            self._line((UNVERIFIED, "bold yellow"))
        if outcome.output is not None:
            self._out.print(Text(visible(json.dumps(outcome.output, indent=2, ensure_ascii=False))))
        self.receipts(outcome.receipts)
        usage = outcome.usage
        self._line((f"{_count(usage.model_calls, 'model call')}, {usage.input_tokens} tokens in and "
                    f"{usage.output_tokens} out", "dim"))  # fmt: skip
        self._out.print(Text(link, style="dim"), soft_wrap=True)

    def receipts(self, receipts: Sequence[Receipt]) -> None:
        """One line for each call, with its error below it."""
        names = max((len(visible(receipt.tool)) for receipt in receipts), default=0)
        for receipt in receipts:
            mark, style = MARKS[receipt.status]
            notes = _notes(receipt)
            room = self._width - len(RECEIPT_INDENT) - names - len(notes) - 4
            self._line(
                (f"{mark} {receipt.status}".ljust(len(RECEIPT_INDENT)), style),
                f"{visible(receipt.tool).ljust(names)}  ",
                (arguments(receipt.arguments, room), "dim"),
                f"  {notes}" if notes else "",
            )
            if receipt.error:
                self._line(RECEIPT_INDENT, (_short(receipt.error, 300), style))
            for who, why in _refused(receipt):
                self._line(RECEIPT_INDENT, (f"not to {who}: {_short(why, 200)}", "yellow"))
        if any(receipt.status is ReceiptStatus.UNKNOWN for receipt in receipts):
            self._line(RECEIPT_INDENT, (HOW_TO_SETTLE, "dim"))

    def actions(self, actions: "Sequence[Action]") -> None:
        """What the ledger knows, one action a row, with its error below it."""
        if not actions:
            self.note("no actions")
            return
        table = Table(box=None, header_style="dim", pad_edge=False)
        keys = max(len(each.key) for each in actions)
        table.add_column("when", no_wrap=True)
        table.add_column("state", no_wrap=True)
        table.add_column("key", overflow="fold", min_width=min(keys, self._width // 2))
        table.add_column("what", overflow="fold", ratio=1)
        table.add_column("approved by", overflow="fold")
        room = max(24, self._width - 48 - keys)
        for each in actions:
            what = Text.assemble(visible(each.tool), " ", (arguments(each.arguments, room - len(each.tool)), "dim"))
            if each.error:
                what.append(f"\n{_short(each.error, 300)}", style="red")
            if each.resolved_by:
                what.append(f"\nsettled by {visible(each.resolved_by)}", style="yellow")
            table.add_row(
                f"{each.begun_at.astimezone():%Y-%m-%d %H:%M}",
                Text(each.state, style=STATE_COLOURS[each.state]),
                Text(visible(each.key), style="cyan"),
                what,
                Text(visible(each.approved_by)),
            )
        self._out.print(table, width=self._width, soft_wrap=False)

    def crashed(self, crash: Crashed, link: str) -> None:
        self.error(f"the request {crash.how}: {crash.error}" if crash.how in ("failed", "timed out") else
                   f"the request was {crash.how}: {crash.error}")  # fmt: skip
        self._err.print(Text(link, style="dim"))

    def state(self, state: RequestState) -> None:
        """Where a request stands."""
        colour = COLOURS.get(state.status, "red")
        status = state.status.replace("_", " ")
        doing = _short(state.doing.removeprefix(f"{state.status}: "), 300)
        self._line((state.request_id, "bold cyan"), "  ", (status, colour), "  ", doing)
        self.receipts(state.receipts)
        for call in state.awaiting_approval:
            self.pending(call)

    def found(self, requests: Sequence[Found]) -> None:
        """A list of requests, one on a line."""
        ids = max((len(each.request_id) for each in requests), default=0)
        names = max((len(each.requester) for each in requests), default=0)
        for each in requests:
            status = "awaiting approval" if each.awaiting_approval else each.status.replace("_", " ")
            colour = "yellow" if each.awaiting_approval else COLOURS.get(each.status, "red")
            self._line(
                (each.request_id.ljust(ids), "cyan"),
                (f"  {status:17}", colour),
                (f"  {each.started_at.astimezone():%Y-%m-%d %H:%M}", "dim"),
                f"  {each.requester.ljust(names)}  ",
                _short(each.summary, self._width - ids - names - 41),
            )
        if not requests:
            self.note("no requests")

    def say(self, text: str) -> None:
        self._line(text)

    def note(self, text: str) -> None:
        """A remark to the person, which is no output."""
        self._err.print(Text(visible(text), style="yellow"))

    def error(self, text: str) -> None:
        self._err.print(Text.assemble(("error: ", "bold red"), visible(text)))

    # --- drawing ---

    def _line(self, *parts: str | tuple[str, str], console: Console | None = None) -> None:
        text = Text.assemble(
            *(visible(part) if isinstance(part, str) else (visible(part[0]), part[1]) for part in parts)
        )
        (console or self._out).print(text)

    def _wait(self, key: str, what: str) -> None:
        self._running[key] = what
        self._refresh()

    def _done(self, key: str) -> None:
        self._running.pop(key, None)
        self._refresh()

    def _refresh(self) -> None:
        if not self._out.is_terminal:
            return
        if self._running:
            self._live.update(Text(_short(", ".join(self._running.values()), self._width - 4), style="dim"))
            self._live.start()
        else:
            self._live.stop()


UNVERIFIED = "⚠ The summary claims what no receipt bears out. The receipts are what happened."
HOW_TO_SETTLE = (
    "It may have happened. Look, then settle it: client.py actions --state unknown, "
    "client.py resolve KEY delivered|not-delivered"
)
STARTING = "start"
DECIDING = "decide"
APPROVAL = "approval"


def visible(text: str) -> str:
    """The text with every character that cannot be seen written as an escape; new lines stay."""
    return "".join(each if each.isprintable() or each in "\n\u00a0" else _escape(each) for each in text)


def compact(value: JsonValue) -> str:
    """A value on one line: an object as `name=value`, anything else as JSON."""
    if isinstance(value, dict):
        return " ".join(f"{name}={json.dumps(each, ensure_ascii=False)}" for name, each in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def arguments(values: Arguments, room: int) -> str:
    """`to=["ann@example.com"] subject="…"`, where long values give way so that all names can be seen."""
    whole = visible(compact(values))
    if len(whole) <= room:
        return whole
    each = max(12, room // max(1, len(values)) - 1)
    return _short(" ".join(_short(compact({name: value}), each) for name, value in values.items()), room)


def link(ui_url: str, namespace: str, request_id: str, run_id: str) -> str:
    """Where the Temporal UI shows a request."""
    return f"{ui_url.rstrip('/')}/namespaces/{namespace}/workflows/{quote(request_id, safe='')}/{run_id}/history"


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _short(text: str, room: int) -> str:
    line = visible(" ".join(text.split()))
    return line if len(line) <= room else line[: max(room, 2) - 1] + "…"


def _took(took: Took) -> tuple[str, str]:
    tried = f", {took.attempts} attempts" if took.attempts > 1 else ""
    return (f"  {took.seconds:.1f} s{tried}", "dim")


def _settling(call: ToolCall) -> str:
    return f"{call.key}: ledger"


def _refused(receipt: Receipt) -> list[tuple[str, str]]:
    """The recipients that a mail server did not take although it took others, with its words."""
    match receipt.result:
        case {"refused": dict(refused)} if receipt.status is ReceiptStatus.DONE:
            return [(who, compact(why)) for who, why in refused.items()]
        case _:
            return []


def _notes(receipt: Receipt) -> str:
    notes = [_count(receipt.attempts, "attempt")] if receipt.attempts > 1 else []
    if receipt.approved_by:
        notes.append(f"approved by {visible(receipt.approved_by)}")
    return ", ".join(notes)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
