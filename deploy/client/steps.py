"""What a person wants to see of a request, one step at a time."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from workflows.contract.api import Approve, Outcome, PendingApproval, Reject, Request
from workflows.contract.internal import Answer, Decision, Settlement, ToolCall, ToolResult
from workflows.contract.progress import QueuedMessage


@dataclass(frozen=True)
class Took:
    """What an activity took: its time, and how often it was tried. `after` is why it was tried again."""

    seconds: float = 0.0
    attempts: int = 1
    after: str = ""


@dataclass(frozen=True)
class Asked:
    """The request as it was started, or as it continues in a new run."""

    request: Request


# --- of a request that is kept open --------------------------------------------------------------------------------


@dataclass(frozen=True)
class MessageCame:
    """It is told once, also where it is said again in the next run."""

    message: QueuedMessage


@dataclass(frozen=True)
class Answered:
    """A message has its outcome."""

    message_id: str
    outcome: Outcome


@dataclass(frozen=True)
class NotAnswered:
    """A message ended without an outcome."""

    message_id: str
    error: str


@dataclass(frozen=True)
class CloseAsked:
    pass


@dataclass(frozen=True)
class Listening:
    """The next message is waited for. `answer` is the model's to the request's own text, which no `Answered` tells."""

    answer: str = ""


# --- the model -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Thinking:
    """The model is being asked; `shortened`: with less of the conversation than before, which it could not read."""

    turn: int
    shortened: bool = False


@dataclass(frozen=True)
class Decided:
    turn: int
    decision: Decision
    took: Took = Took()


@dataclass(frozen=True)
class Shaping:
    """The model is being asked to put its result into the schema."""

    turn: int


@dataclass(frozen=True)
class Shaped:
    turn: int
    answer: Answer
    took: Took = Took()


@dataclass(frozen=True)
class Demoted:
    """The endpoint turned out not to take something, or to want it; it is told once."""

    what: str


@dataclass(frozen=True)
class Corrected:
    """Errand itself has said something to the model: its answer claims what did not happen."""

    text: str


# --- the calls -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Calling:
    """A tool is being run."""

    call: ToolCall
    about: str = ""


@dataclass(frozen=True)
class Returned:
    calling: Calling
    result: ToolResult
    took: Took = Took()


@dataclass(frozen=True)
class Settling:
    """The ledger is asked what became of a write whose attempts were lost."""

    call: ToolCall


@dataclass(frozen=True)
class Settled:
    """What the ledger knows of the write."""

    call: ToolCall
    settlement: Settlement
    took: Took = Took()


@dataclass(frozen=True)
class NotRun:
    """A call ended without being tried: it was invalid, the policy refused it, or nobody said yes."""

    tool: str
    status: str
    error: str


Doing: TypeAlias = Thinking | Shaping | Calling | Settling


@dataclass(frozen=True)
class Broke:
    """A model call or a tool ended without a result."""

    doing: Doing
    error: str
    took: Took = Took()


# --- people, and the end -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Waiting:
    """Whether any call waits for approval has changed."""

    yes: bool


@dataclass(frozen=True)
class WaitingForAnswer:
    """Whether any question of the model's waits has changed."""

    yes: bool


@dataclass(frozen=True)
class Replied:
    """Somebody has answered a question; `question` is its key, where the answer named it."""

    message: QueuedMessage
    question: str = ""


@dataclass(frozen=True)
class Ruled:
    """Somebody approved or rejected a call."""

    verdict: Approve | Reject


@dataclass(frozen=True)
class EditRefused:
    """Somebody approved a call with other arguments, which cannot be run; it goes on waiting."""

    verdict: Approve | Reject
    error: str


@dataclass(frozen=True)
class AskedAgain:
    """Somebody approved a call with other arguments, of which the rules say something: it waits with them now."""

    verdict: Approve
    pending: PendingApproval


@dataclass(frozen=True)
class CancelAsked:
    pass


@dataclass(frozen=True)
class Stuck:
    """The worker's own code failed; Temporal tries again until a worker with a fix is there."""

    error: str


@dataclass(frozen=True)
class Ended:
    outcome: Outcome


How: TypeAlias = Literal["failed", "cancelled", "terminated", "timed out"]


@dataclass(frozen=True)
class Crashed:
    """The workflow ended without an outcome."""

    how: How
    error: str

    def __str__(self) -> str:
        did = self.how if self.how in ("failed", "timed out") else f"was {self.how}"
        return f"the request {did}: {self.error}"


Step: TypeAlias = (
    Asked
    | MessageCame
    | Answered
    | NotAnswered
    | CloseAsked
    | Listening
    | Thinking
    | Decided
    | Shaping
    | Shaped
    | Demoted
    | Corrected
    | Calling
    | Returned
    | Settling
    | Settled
    | NotRun
    | Broke
    | Waiting
    | WaitingForAnswer
    | Replied
    | Ruled
    | EditRefused
    | AskedAgain
    | CancelAsked
    | Stuck
    | Ended
    | Crashed
)
