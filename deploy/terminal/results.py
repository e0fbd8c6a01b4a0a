"""What has become of a request, and of many: outcomes, receipts, approvals that wait, lists."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import JsonValue
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from activities.budgets import amount_text
from activities.model.origins import told
from deploy.client.listing import Found
from deploy.client.steps import Crashed
from deploy.client.traced_approvals import TracedApproval
from deploy.terminal.console import INDENT, Paper
from deploy.terminal.loops import without_loops
from deploy.terminal.marks import COLOURS, MARKS, STATE_COLOURS
from deploy.terminal.text import arguments, column_width, compact, short, visible
from workflows.contract.api import (
    Outcome,
    PendingApproval,
    PendingQuestion,
    Receipt,
    ReceiptStatus,
    RequestState,
    RequestStatus,
    Usage,
)
from workflows.timeline import SETTLED, count

if TYPE_CHECKING:
    from activities.ledger.rows import Action
    from activities.ledger.spending import Standing

RECEIPT_INDENT = " " * 13
SHORTEST_TEXT = 40  # where lines may be as long as they are
UNSUPPORTED = "⚠ The summary claims what no receipt bears out. The receipts are what happened."
HOW_TO_SETTLE = (
    "It may have happened. Look, then settle it: client.py actions --state unknown, "
    "client.py resolve KEY delivered|not-delivered"
)


class ResultScreen(Paper):
    """Shows what has become of things."""

    # --- outcomes ---

    def outcome(self, outcome: Outcome, link: str) -> None:
        """The summary, every receipt, what it cost, and where to see more."""
        self._line()
        status = outcome.status.replace("_", " ")
        if self._out.is_terminal:
            self._panel(outcome, status)
        else:
            self._line(f"{status}: ", without_loops(outcome.summary))
        self._details(outcome)
        self._line((_used(outcome.usage), "dim"))
        self._out.print(Text(link, style="dim"), soft_wrap=True)

    def answer(self, outcome: Outcome) -> None:
        """The outcome of one message of many."""
        status = outcome.status.replace("_", " ")
        if self._out.is_terminal:
            self._line()
            self._panel(outcome, status)
        else:
            ended = "" if outcome.status is RequestStatus.COMPLETED else f"{status}: "
            self._line(ended, without_loops(outcome.summary))
        self._details(outcome)
        if self._out.is_terminal:
            self._line((f"{_used(outcome.usage)}, so far", "dim"))
            self._line()

    def _panel(self, outcome: Outcome, status: str) -> None:
        colour = COLOURS.get(outcome.status, "red")
        title = Text(status, style=f"bold {colour}")
        panel = Panel(
            Text(visible(without_loops(outcome.summary))), title=title, title_align="left", border_style=colour
        )
        self._out.print(panel, width=self._width, soft_wrap=False)

    def _details(self, outcome: Outcome) -> None:
        if outcome.unsupported_claims:
            self._line((UNSUPPORTED, "bold yellow"))
            for claim in outcome.unsupported_claims:
                self._line(INDENT, (short(claim, 400), "yellow"))
        if outcome.output is not None:
            self._out.print(Text(visible(json.dumps(outcome.output, indent=2, ensure_ascii=False))))
        self.receipts(outcome.receipts)

    def receipts(self, receipts: Sequence[Receipt]) -> None:
        """One line for each call, with its error below it."""
        names = max((len(visible(receipt.tool)) for receipt in receipts), default=0)
        for receipt in receipts:
            self._receipt(receipt, names)
        if any(receipt.status is ReceiptStatus.UNKNOWN for receipt in receipts):
            self._line(RECEIPT_INDENT, (HOW_TO_SETTLE, "dim"))

    def _receipt(self, receipt: Receipt, names: int) -> None:
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
            self._line(RECEIPT_INDENT, (short(receipt.error, 300), style))
        for who, why in _refused(receipt):
            self._line(RECEIPT_INDENT, (f"not to {who}: {short(compact(why), 200)}", "yellow"))

    def crashed(self, crash: Crashed, link: str) -> None:
        self.error(str(crash))
        self._err.print(Text(link, style="dim"))

    # --- approvals ---

    def pending(self, call: PendingApproval, *, to_stderr: bool = False) -> None:
        """Show a call exactly as it would be run, whole."""
        self.pause()
        console = self._err if to_stderr else self._out
        self._line(console=console)
        why = f"  ({call.reason})" if call.reason else ""
        self._line(INDENT, ("! ", "yellow"), (call.tool, "bold"), " waits for approval", (why, "dim"), console=console)
        self._arguments(call, console)
        until = f"{call.expires_at.astimezone():%Y-%m-%d %H:%M}"
        by = f"; {', '.join(call.approvers)} may decide" if call.approvers else ""
        self._line(INDENT, "  ", (f"{call.key}, undecided until {until} is a no{by}", "dim"), console=console)

    def edited(self, call: PendingApproval) -> None:
        """Show what a call was changed into."""
        self._line()
        self._line(INDENT, (call.tool, "bold"), " as it runs")
        self._arguments(call, self._out)

    def _arguments(self, call: PendingApproval, console: Console) -> None:
        names = max(map(len, call.arguments), default=0)
        for name, value in call.arguments.items():
            shown = visible(value if isinstance(value, str) else compact(value))
            first, *rest = shown.split("\n")
            self._line(INDENT, "  ", (name.ljust(names), "dim"), "  ", first, console=console)
            for line in rest:
                self._line(INDENT, "  ", " " * names, "  ", line, console=console)
            for origin in told(name, call.sources) if isinstance(call, TracedApproval) else ():
                style = "yellow" if origin.is_doubtful else "dim"
                self._line(INDENT, "  ", " " * names, "  ", (f"← {origin.text}", style), console=console)

    def how_to_decide(self, request_id: str) -> None:
        """Tell who cannot be asked here where to say yes or no."""
        self.note(f"waits for approval: uv run client.py approve {request_id}   (or: reject {request_id} --reason …)")

    def asked(self, question: PendingQuestion, *, to_stderr: bool = False) -> None:
        """Show what the model asks, whole."""
        self.pause()
        console = self._err if to_stderr else self._out
        self._line(console=console)
        self._line(INDENT, ("? ", "yellow"), (question.text, "bold"), console=console)
        until = f"{question.expires_at.astimezone():%Y-%m-%d %H:%M}"
        self._line(INDENT, "  ", (f"{question.key}, waits for an answer until {until}", "dim"), console=console)

    def how_to_answer(self, request_id: str) -> None:
        """Tell who cannot be asked here where to answer."""
        self.note(f'waits for an answer: uv run client.py say {request_id} "your answer"')

    def prompt(self, text: str) -> None:
        self._out.print(Text(f"{INDENT}  {text}", style="bold"), end="")

    # --- where things stand ---

    def state(self, state: RequestState) -> None:
        """Where a request stands."""
        colour = COLOURS.get(state.status, "red")
        status = state.status.replace("_", " ")
        doing = short(without_loops(state.doing.removeprefix(f"{state.status}: ")), 300)
        waiting = f"  ({count(state.messages_waiting, 'message')} waiting)" if state.messages_waiting else ""
        self._line((state.request_id, "bold cyan"), "  ", (status, colour), "  ", doing, (waiting, "yellow"))
        self.receipts(state.receipts)
        for call in state.awaiting_approval:
            self.pending(call)
        for question in state.awaiting_answer:
            self.asked(question)

    def found(self, requests: Sequence[Found]) -> None:
        """A list of requests, one on a line."""
        ids = column_width(each.request_id for each in requests)
        names = column_width(each.requester for each in requests)
        shortest = 0 if self._out.is_terminal else SHORTEST_TEXT
        for each in requests:
            running = "open" if each.keep_open else (each.without_outcome or each.status.replace("_", " "))
            waits = "awaiting approval" if each.awaiting_approval else "awaiting answer" if each.awaiting_answer else ""
            status, colour = waits or running, "yellow" if waits else COLOURS.get(each.status, "red")
            self._line(
                (each.request_id.ljust(ids), "cyan"),
                (f"  {status:17}", colour),
                (f"  {each.started_at.astimezone():%Y-%m-%d %H:%M}", "dim"),
                f"  {each.requester.ljust(names)}  ",
                short(each.summary, max(shortest, self._width - ids - names - 41)),
                (f"  (schedule {each.schedule})" if each.schedule else "", "dim"),
            )
        if not requests:
            self.note("no requests")

    # --- the ledger ---

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
            table.add_row(
                f"{each.begun_at.astimezone():%Y-%m-%d %H:%M}",
                Text(each.state, style=STATE_COLOURS[each.state]),
                Text(visible(each.key), style="cyan"),
                _what(each, room),
                Text(visible(each.approved_by)),
            )
        self._out.print(table, width=self._width, soft_wrap=False)

    def budgets(self, standings: "Sequence[Standing]") -> None:
        """What is left of each, in this period."""
        table = Table(box=None, header_style="dim", pad_edge=False)
        table.add_column("budget", overflow="fold", ratio=1)
        for heading in ("used", "reserved", "left"):
            table.add_column(heading, justify="right", no_wrap=True)
        table.add_column("free again", no_wrap=True)
        for each in standings:
            table.add_row(
                Text(visible(str(each.budget))),
                amount_text(each.used),
                amount_text(each.reserved),
                Text(amount_text(each.left), style="" if each.left else "red"),
                f"{each.free_at:%Y-%m-%d %H:%M} UTC",
            )
        self._out.print(table, width=self._width, soft_wrap=False)


def link(ui_url: str, namespace: str, request_id: str, run_id: str) -> str:
    """Where the Temporal UI shows a request."""
    return f"{ui_url.rstrip('/')}/namespaces/{namespace}/workflows/{quote(request_id, safe='')}/{run_id}/history"


def _what(action: "Action", room: int) -> Text:
    shown = (arguments(action.arguments, room - len(action.tool)), "dim")
    what = Text.assemble(visible(action.tool), " ", shown)
    if action.error:
        what.append(f"\n{short(action.error, 300)}", style="red")
    if action.resolved_by:
        what.append(f"\nsettled by {visible(action.resolved_by)}", style="yellow")
    return what


def _used(usage: Usage) -> str:
    cost = "" if usage.cost is None else f", cost {usage.cost:.4g}"
    return (
        f"{count(usage.model_calls, 'model call')}, {usage.input_tokens} tokens in and {usage.output_tokens} out{cost}"
    )


def _refused(receipt: Receipt) -> list[tuple[str, JsonValue]]:
    """The recipients that a mail server did not take although it took others, with its words."""
    match receipt.result:
        case {"refused": dict(refused)} if receipt.status is ReceiptStatus.DONE:
            return list(refused.items())
        case _:
            return []


def _notes(receipt: Receipt) -> str:
    notes = ["earlier, not by this run"] if receipt.earlier else []
    if receipt.attempts > 1:
        notes.append(count(receipt.attempts, "attempt"))
    if receipt.settled:
        notes.append(SETTLED[receipt.settled])
    if receipt.approved_by:
        notes.append(f"approved by {visible(receipt.approved_by)}")
    if receipt.ledger_key:
        notes.append(f"in the ledger as {visible(receipt.ledger_key)}")
    return ", ".join(notes)
