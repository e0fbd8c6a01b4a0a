"""What the Temporal UI shows of a request: search attributes, current details, and the activities' summaries."""

from collections.abc import Iterable
from datetime import timedelta
from textwrap import indent
from typing import Any

from pydantic import JsonValue
from pydantic_core import to_json
from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

from workflows.budget import beginning
from workflows.contract import PendingApproval, Receipt, ReceiptStatus, Request, RequestStatus

STATUS = SearchAttributeKey.for_keyword("ErrandStatus")
TOOLS = SearchAttributeKey.for_keyword_list("ErrandTools")
REQUESTER = SearchAttributeKey.for_keyword("ErrandRequester")
AWAITING_APPROVAL = SearchAttributeKey.for_bool("ErrandAwaitingApproval")
SEARCH_ATTRIBUTES = (STATUS, TOOLS, REQUESTER, AWAITING_APPROVAL)

SUMMARY_BYTES = 200
"""More than this the server refuses in a summary."""

MARKS = {
    ReceiptStatus.DONE: "✓",
    ReceiptStatus.UNKNOWN: "❓",
    ReceiptStatus.REJECTED: "✋",
    ReceiptStatus.REFUSED: "⛔",
}


def summary(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line.encode()) <= SUMMARY_BYTES else beginning(line, SUMMARY_BYTES - 3) + "…"


def span(time: timedelta) -> str:
    """A time in words: "8 s", "24:00 h"."""
    seconds = round(time.total_seconds())
    return f"{seconds} s" if seconds < 60 else f"{seconds // 3600}:{seconds % 3600 // 60:02} h"


def count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def started(request: Request) -> None:
    """Whose request it is. That it runs, Temporal's own `ExecutionStatus` says, and at no cost."""
    if request.requester and workflow.info().typed_search_attributes.get(REQUESTER) != request.requester:
        _upsert(REQUESTER.value_set(request.requester))


def awaiting_approval(yes: bool) -> None:
    _upsert(AWAITING_APPROVAL.value_set(yes))


def ended(status: RequestStatus, receipts: Iterable[Receipt]) -> None:
    tools = sorted({receipt.tool for receipt in receipts if receipt.effect is not None})
    _upsert(STATUS.value_set(status), TOOLS.value_set(tools))


def _upsert(*updates: SearchAttributeUpdate[Any]) -> None:
    workflow.upsert_search_attributes(updates)  # pyright: ignore[reportUnknownMemberType]  # the SDK leaves it open


def show(
    text: str, doing: str, receipts: Iterable[Receipt], waiting: Iterable[PendingApproval], demoted: Iterable[str]
) -> None:
    """Current details: what is being done now, what waits for whom, what has become of each call, and what the model's
    endpoint turned out not to take, or to want."""
    lines = [f"**{summary(doing)}**", "", f"> {summary(text)}", ""]
    lines += [line for pending in waiting for line in _how_to_approve(pending)]
    lines += [_line(receipt) for receipt in receipts]
    lines += [f"- ⚠ model: {summary(step)}" for step in demoted]
    workflow.set_current_details("\n".join(lines))


def _line(receipt: Receipt) -> str:
    tried = f", {receipt.attempts} attempts" if receipt.attempts > 1 else ""
    by = f", approved by {receipt.approved_by}" if receipt.approved_by else ""
    error = f": {summary(receipt.error)}" if receipt.error else ""
    return f"- {MARKS.get(receipt.status, '✗')} `{receipt.tool}` {receipt.status}{tried}{by}{error}"


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else to_json(value).decode()


def _how_to_approve(pending: PendingApproval) -> list[str]:
    # Indented line by line: no argument can leave the block and look like Errand's own words.
    arguments = "\n".join(
        indent(f"{name}: {_text(value)}", "    ", lambda _: True) for name, value in pending.arguments.items()
    )
    request_id = workflow.info().workflow_id
    update = f'{{"key": "{pending.key}", "digest": "{pending.digest}", "by": "your name"}}'
    reason = f" ({summary(pending.reason)})" if pending.reason else ""
    return [
        f"Waits for approval of `{pending.tool}` {summary(pending.about)}"
        f", until {pending.expires_at:%Y-%m-%d %H:%M} UTC{reason}",
        "",
        arguments,
        "",
        f"Approve: `uv run client.py approve {request_id}`, or Update `approve` (or `reject`) with",
        "",
        f"    {update}",
        "",
    ]
