"""What a request takes along when it goes on in a new run."""

from datetime import datetime

from pydantic import Field

from workflows.contract.api import Outcome, Receipt, Request, Usage
from workflows.contract.conversation import Entry
from workflows.contract.messages import Message, omitted
from workflows.contract.plans import Rehearsed


class QueuedMessage(Message):
    """A message to the request: its text, or an Update `say` of this id."""

    id: str = ""
    text: str
    by: str = omitted("")


class Messages(Message):
    """Which messages wait, which one is worked on, and which were answered."""

    waiting: tuple[QueuedMessage, ...] = ()
    under_way: QueuedMessage | None = None
    answered: tuple[str, ...] = Field(default=(), description="ids, the latest last")
    latest: Outcome | None = Field(default=None, description="the answer to the last of them")
    closed: bool = False


class LimitsUsed(Message):
    """How much of its limits a request has used."""

    usage: Usage = Usage()
    turn: int = 0
    turns_before: int = Field(default=0, description="in the messages before this one")
    calls_before: int = 0
    deadline: datetime
    mistakes: int = Field(default=0, description="replies in a row that could not be used at all")


class Progress(Message):
    """What a request carries into its next run when its history has grown long."""

    messages: Messages
    spending: LimitsUsed
    conversation: tuple[Entry, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    untrusted: bool = False
    acted: tuple[str, ...] = Field(default=(), description="the writes that are done or unknown")
    corrected: bool = Field(default=False, description="the model was given its chance to correct its summary")
    sent_back: tuple[str, ...] = Field(default=(), description="tools whose ungrounded arguments went back once")
    past_run: str = omitted(
        "", description="the run whose work this chain of runs does again, after a reset or as a retry"
    )
    writes: tuple[str, ...] = omitted((), description="the positions of the writes that were run")
    ledger: str = omitted("", description="the ledger that they stand in")
    earlier: bool = omitted(
        False, description="the ledger knows writes of the same request id of which this run knows nothing"
    )
    demoted: tuple[str, ...] = Field(default=(), description="what the endpoint does not take, or wants back")
    rehearsed: Rehearsed | None = omitted(None)

    @classmethod
    def carried_by(cls, request: Request) -> "Progress | None":
        """What the run before gave to a request; None where it is the first run."""
        return None if request.carried is None else cls.model_validate(request.carried)
