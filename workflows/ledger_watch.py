"""Keeping in Temporal how far a ledger has come, so that a copy of either database that is too old is noticed."""

from datetime import timedelta

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RetryPolicy

from workflows.activity_results import execute
from workflows.asking import HEARTBEAT
from workflows.contract.ledger import LEDGER_WATCH_WORKFLOW, WATCH_LEDGER, WatchedLedger

LONGEST = timedelta(hours=2)
"""For one attempt, which by itself ends after one hour."""


@workflow.defn(name=LEDGER_WATCH_WORKFLOW, failure_exception_types=[ValidationError])
class LedgerWatchWorkflow:
    """One activity looks at the ledger for an hour, and a new run goes on. The marks are its heartbeats: no events."""

    @workflow.run
    async def run(self, ledger: WatchedLedger) -> None:
        seen = await execute(
            WATCH_LEDGER,
            ledger,
            WatchedLedger,
            summary=f"ledger {ledger.identity}",
            start_to_close_timeout=LONGEST,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=RetryPolicy(backoff_coefficient=1.0),
        )
        # A worker of a new version takes it over here.
        upgrade = workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE
        workflow.continue_as_new(seen, initial_versioning_behavior=upgrade)
