"""What waits for a person, measured again and again: writes whose end nobody knows, calls that wait for a yes, a
restore that is not settled; and how the policy's budgets stand."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from activities.budgets import Budget
from activities.errors import ErrandError
from activities.ledger.ledger import Ledger
from activities.ledger.rows import State
from deploy.service.metrics import Metrics
from workflows.contract.api import PendingApproval, RequestState
from workflows.timeline import AWAITING_APPROVAL

log = structlog.stdlib.get_logger(__name__)

INTERVAL = 30.0
"""Seconds."""
MOST_UNKNOWN = 1000
"""That are counted."""
MOST_ASKED = 50
"""Requests that are asked for what they wait for, those that have run for longest in front."""
PATIENCE = timedelta(seconds=5)
WAITING = f'{AWAITING_APPROVAL.name}=true AND ExecutionStatus="Running"'


class OpenWork:
    """Every worker measures the same, so the largest of their values is the true one."""

    def __init__(self, client: Client, ledger: Ledger, metrics: Metrics, budgets: Sequence[Budget] = ()) -> None:
        # Without the interceptors: these questions are no part of any request's trace.
        config = client.config()
        config["interceptors"] = []
        self._client = Client(**config)
        self._ledger = ledger
        self._metrics = metrics
        self._budgets = budgets
        self._noticed: dict[str, datetime] = {}

    @asynccontextmanager
    async def watched(self) -> AsyncGenerator[None]:
        """Measure now, and every half minute while the block runs."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _watch(self) -> None:
        while True:
            await self.measure()
            await asyncio.sleep(INTERVAL)

    async def measure(self) -> None:
        """Once. What cannot be asked keeps the value that it had."""
        try:
            await self._unknown_writes()
            await self._writes_held()
            for standing in await self._ledger.spending.standings(self._budgets) if self._budgets else ():
                self._metrics.budget(standing)
        except ErrandError as error:
            self._metrics.ledger_up.set(0)
            log.warning("the ledger cannot be read", reason=str(error))
        try:
            await self._approvals()
        except (RPCError, RuntimeError) as error:
            log.warning("what waits for approval is not known now", reason=str(error))

    async def _unknown_writes(self) -> None:
        rows = await self._ledger.search(state=State.UNKNOWN, limit=MOST_UNKNOWN)
        now = datetime.now(UTC)
        self._metrics.ledger_up.set(1)
        self._metrics.unknown.set(len(rows))
        self._metrics.unknown_age.set(max(((now - row.begun_at).total_seconds() for row in rows), default=0))

    async def _writes_held(self) -> None:
        self._metrics.held.set(int(await self._ledger.restores.unsettled() is not None))

    async def _approvals(self) -> None:
        requests = [each async for each in self._client.list_workflows(WAITING, limit=1000)]
        oldest = sorted(requests, key=lambda each: each.start_time)[:MOST_ASKED]
        asked = await asyncio.gather(*(self._waiting_in(each.id) for each in oldest))
        waiting = [call for calls in asked for call in calls]
        now = datetime.now(UTC)
        self._noticed = {call.key: self._noticed.get(call.key, now) for call in waiting}
        unasked = len(requests) - len(oldest)
        self._metrics.approvals.set(len(waiting) + unasked)
        noticed = min(self._noticed.values(), default=now)
        self._metrics.approval_age.set((now - noticed).total_seconds())
        expires = min((call.expires_at for call in waiting), default=now)
        self._metrics.approval_expires.set(max(0, (expires - now).total_seconds()))

    async def _waiting_in(self, request_id: str) -> tuple[PendingApproval, ...]:
        handle = self._client.get_workflow_handle(request_id)
        try:
            state = await handle.query("state", result_type=RequestState, rpc_timeout=PATIENCE)
        except RPCError:  # over meanwhile, or nobody answers for it now
            return ()
        return state.awaiting_approval
