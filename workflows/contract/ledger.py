"""What Temporal keeps of a ledger, so that an older copy of either is noticed."""

from datetime import datetime

from workflows.contract.messages import Message, omitted

LEDGER_WATCH_WORKFLOW = "LedgerWatchWorkflow"
WATCH_LEDGER = "watch_ledger"


class LedgerMark(Message):
    """The newest write that a ledger knew to be done, at one moment."""

    number: int
    """Rises by one with each mark of the same ledger."""
    namespace: str = omitted("", description="Temporal's: a ledger may serve several")
    key: str = ""
    token: str = ""
    """A part of what the row's own is hashed to: a write that is done never changes it."""
    done_at: datetime | None = omitted(None)


class WatchedLedger(Message):
    """The input of the watch's workflow and activity; also the activity's output."""

    identity: str
    mark: LedgerMark | None = omitted(None, description="the last one that the run before has heard of")


def watch_id(identity: str) -> str:
    """The id of the workflow that watches a ledger."""
    return f"errand-ledger-{identity}"
