"""What the workflow asks the ledger: what became of a write, and what was done that it does not know of."""

import asyncio
import time
from collections.abc import Mapping

from pydantic_core import to_json
from temporalio import activity

from activities.errors import KeyTaken
from activities.execution.writes import write_of
from activities.failures import translated
from activities.ledger.ledger import NEVER_REPORTED, Ledger
from activities.ledger.rows import Action, State, Write
from activities.ledger.settling import BY_HAND
from activities.ledger.tokens import asked_as
from activities.sayable import beginning
from activities.toolkit.tool import Tool
from workflows.contract.api import Receipt, ReceiptStatus
from workflows.contract.internal import RECALL, SETTLE, Recall, Recalled, Settle, Settlement

MOST_RECALLED = 300
RECALLED_BYTES = 1024
"""Of the arguments of a recalled write, of its result and of its error: 300 of them have to fit into one payload."""
LOOKS_EVERY = 0.5
"""Seconds, while the end of an act is awaited."""


class LedgerActivities:
    """Questions to the ledger."""

    def __init__(self, ledger: Ledger, tools: Mapping[str, Tool], ask_again: float = 0) -> None:
        self._ledger = ledger
        self._tools = tools
        self._ask_again = ask_again

    @activity.defn(name=SETTLE)
    async def settle(self, question: Settle) -> Settlement:
        """Say what became of a write whose attempts were lost, and keep them from acting later."""
        call = question.call
        with translated():
            self._ledger.must_be(call.ledger)
            write = write_of(call, self._tools.get(call.tool))
            await self._await_act(write, question.patience)
            try:
                acted = question.tokens if question.acting else None
                doubt = BY_HAND if question.by_hand else ""
                found = await self._ledger.give_up(write, acted=acted, doubt=doubt)
            except KeyTaken as taken:
                return Settlement(status=ReceiptStatus.REFUSED, error=str(taken))
        known: dict[str, object] = {
            "attempts": found.attempt,
            "ledger_key": found.key if found.key != call.key else None,
        }
        match found.state:
            case State.DONE:
                return Settlement(status=ReceiptStatus.DONE, result=found.result).model_copy(update=known)
            case State.NOT_DONE:
                return Settlement(status=ReceiptStatus.FAILED, error=found.error).model_copy(update=known)
            case State.BEGUN | State.UNKNOWN:
                error = found.error or NEVER_REPORTED
                tool = self._tools.get(call.tool)
                may_be_asked = tool is not None and asked_as(found.token, tool.repeated_as)
                known["ask_again"] = self._ask_again if may_be_asked else 0.0
                return Settlement(status=ReceiptStatus.UNKNOWN, error=error).model_copy(update=known)

    async def _await_act(self, write: Write, patience: float) -> None:
        """Wait for the end of an act that is still under way although its attempt does not count any more."""
        until = time.monotonic() + patience
        # It may end in another process, which sets no event here.
        while patience and time.monotonic() < until and await self._ledger.is_under_way(write):  # noqa: ASYNC110
            await asyncio.sleep(LOOKS_EVERY)

    @activity.defn(name=RECALL)
    async def recall(self, wanted: Recall) -> Recalled:
        """Say what was done under the request's id that its run does not know of."""
        with translated():
            self._ledger.must_be(wanted.ledger)
            rows, more = await self._ledger.recall(wanted.request_id, wanted.chain, wanted.known, MOST_RECALLED)
        return Recalled(receipts=tuple(_receipt(row, wanted.chain) for row in reversed(rows)), more=more)


def _receipt(row: Action, chain: str) -> Receipt:
    known = row.state is State.DONE
    when = "before the request was reset" if row.chain in ("", chain) else "by an earlier request of the same id"
    return Receipt(
        key=row.key,
        tool=row.tool,
        arguments=row.arguments if len(to_json(row.arguments)) <= RECALLED_BYTES else {},
        effect="write",
        status=ReceiptStatus.DONE if known else ReceiptStatus.UNKNOWN,
        result=row.result if len(to_json(row.result)) <= RECALLED_BYTES else "(in the ledger)",
        error=None if known else beginning(f"begun {when}: {row.error or 'its end is not known'}", RECALLED_BYTES),
        attempts=row.attempt,
        approved_by=row.approved_by or None,
        started_at=row.begun_at,
        finished_at=row.finished_at,
        earlier=True,
    )
