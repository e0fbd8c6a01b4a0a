"""What the Temporal UI shows of a request: search attributes, current details, and the activities' summaries."""

import json
import shlex
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

from workflows.contract.api import PendingApproval, PendingQuestion, Receipt, ReceiptStatus, Request, RequestStatus
from workflows.contract.values import SettledBy
from workflows.markdown import block, code

STATUS = SearchAttributeKey.for_keyword("ErrandStatus")
TOOLS = SearchAttributeKey.for_keyword_list("ErrandTools")
REQUESTER = SearchAttributeKey.for_keyword("ErrandRequester")
AWAITING_APPROVAL = SearchAttributeKey.for_bool("ErrandAwaitingApproval")
AWAITING_ANSWER = SearchAttributeKey.for_bool("ErrandAwaitingAnswer")
HIDES_REQUESTER = "errand_hides_requester"
"""The external function that a worker gives its workflows where the search attribute shall not say who asks."""
SEARCH_ATTRIBUTES = (STATUS, TOOLS, REQUESTER, AWAITING_APPROVAL, AWAITING_ANSWER)

WHOLE = 4000
"""Bytes: more than a command can have."""

MARKS = {
    ReceiptStatus.DONE: "✓",
    ReceiptStatus.UNKNOWN: "❓",
    ReceiptStatus.REJECTED: "✋",
    ReceiptStatus.REFUSED: "⛔",
    ReceiptStatus.PLANNED: "☐",
}


SETTLED: dict[SettledBy, str] = {"asked again": "known by being asked again", "looked": "known by looking"}
"""For people, of a write whose end was not known at first."""


def span(time: timedelta) -> str:
    """A time in words: "8 s", "24:00 h"."""
    seconds = round(time.total_seconds())
    return f"{seconds} s" if seconds < 60 else f"{seconds // 3600}:{seconds % 3600 // 60:02} h"


def count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def started(request: Request) -> None:
    """Whose request it is. That it runs, Temporal's own `ExecutionStatus` says, and at no cost."""
    if request.requester and workflow.info().typed_search_attributes.get(REQUESTER) != request.requester:
        # An event either way: so a run can be replayed by a worker that is set otherwise.
        hidden = HIDES_REQUESTER in workflow.extern_functions()  # pyright: ignore[reportUnknownMemberType]  # as above
        _upsert(REQUESTER.value_set("" if hidden else request.requester))


def awaiting_approval(yes: bool) -> None:
    _upsert(AWAITING_APPROVAL.value_set(yes))


def awaiting_answer(yes: bool) -> None:
    _upsert(AWAITING_ANSWER.value_set(yes))


def ended(status: RequestStatus, receipts: Iterable[Receipt]) -> None:
    tools = sorted({receipt.tool for receipt in receipts if receipt.effect is not None})
    _upsert(STATUS.value_set(status), TOOLS.value_set(tools))


def _upsert(*updates: SearchAttributeUpdate[Any]) -> None:
    workflow.upsert_search_attributes(updates)  # pyright: ignore[reportUnknownMemberType]  # the SDK leaves it open


def show(
    text: str,
    doing: str,
    receipts: Iterable[Receipt],
    waiting: Iterable[PendingApproval | PendingQuestion],
    demoted: Iterable[str],
) -> None:
    """Let the Temporal UI show how things stand."""
    request_id = workflow.info().workflow_id
    workflow.set_current_details(details(request_id, text, doing, receipts, waiting, demoted))


def details(
    request_id: str,
    text: str,
    doing: str,
    receipts: Iterable[Receipt],
    waiting: Iterable[PendingApproval | PendingQuestion],
    demoted: Iterable[str],
) -> str:
    """In Markdown: what waits for whom, what is being done now, what has become of each call, and what the model's
    endpoint turned out not to take, or to want. How to approve or to answer comes first, and only Errand's own words
    are outside of code."""
    lines = [line for pending in waiting for line in _how_to_decide(request_id, pending)]
    lines += [f"Now: {code(doing)}", "", f"Request: {code(text)}", ""]
    lines += [_line(receipt) for receipt in receipts]
    lines += [f"- ⚠ model: {code(step)}" for step in demoted]
    return "\n".join(lines)


def _line(receipt: Receipt) -> str:
    tried = f", {receipt.attempts} attempts" if receipt.attempts > 1 else ""
    tried += f", {SETTLED[receipt.settled]}" if receipt.settled else ""
    by = f", approved by {code(receipt.approved_by)}" if receipt.approved_by else ""
    error = f": {code(receipt.error)}" if receipt.error else ""
    earlier = " (earlier, not by this run)" if receipt.earlier else ""
    return f"- {MARKS.get(receipt.status, '✗')} {code(receipt.tool)} {receipt.status}{tried}{by}{error}{earlier}"


def _how_to_decide(request_id: str, pending: PendingApproval | PendingQuestion) -> list[str]:
    if isinstance(pending, PendingQuestion):
        return _how_to_answer(request_id, pending)
    return _how_to_approve(request_id, pending)


def _how_to_answer(request_id: str, pending: PendingQuestion) -> list[str]:
    command = f'uv run client.py say {shlex.quote(request_id)} "your answer"'
    update = json.dumps({"text": "your answer", "question": pending.key, "by": "your name"})
    return [
        "### Waits for an answer",
        "",
        block({"question": pending.text}),
        "",
        f"Answer: {code(command, WHOLE)}, or Update `say` with",
        "",
        f"    {update}",
        "",
        f"Until {pending.expires_at:%Y-%m-%d %H:%M} UTC; then the model is told that nobody answered.",
        "",
    ]


def _how_to_approve(request_id: str, pending: PendingApproval) -> list[str]:
    command = f"uv run client.py approve {shlex.quote(request_id)}"
    # Escaped, so that it is seen as it is; Temporal reads it back.
    update = json.dumps({"key": pending.key, "digest": pending.digest, "by": "your name"})
    what = code(f"{pending.tool} {pending.about}")
    reason = f", because {code(pending.reason)}" if pending.reason else ""
    return [
        "### Waits for approval",
        "",
        f"Approve: {code(command, WHOLE)}, or Update `approve` (or `reject`) with",
        "",
        f"    {update}",
        "",
        f"{what}, until {pending.expires_at:%Y-%m-%d %H:%M} UTC{reason}. It would run with",
        "",
        block(pending.arguments),
        "",
    ]
