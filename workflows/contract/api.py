"""The messages that callers send and get.

Every message is plain JSON, so a caller in any language starts the workflow type `RequestWorkflow` on the task queue
`errand` with one `Request` and reads one `Outcome`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias, TypeVar

from pydantic import Field, JsonValue, ValidationInfo, field_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import to_json

from workflows.contract.messages import Count, Flag, Input, Message, Number, Seen, omitted
from workflows.contract.plans import Apply, Plan
from workflows.contract.values import Arguments, Effect, Schema, SettledBy, is_blank

TASK_QUEUE = "errand"
REQUEST_WORKFLOW = "RequestWorkflow"
BAD_REQUEST = "BadRequest"
EVERY_TOOL = "*"
A_YEAR = 366 * 86_400
LONGEST_TEXT_BYTES = 128 * 1024
"""Of a request's text, as JSON: it is never shortened, and what was said and found has to fit beside it."""
INTERNAL_FIELDS = frozenset({"carried"})
"""Of a `Request`: no caller's."""
EXCLUDED = {
    "call": [(("keep_open",), "a request with a call of its own is not kept open")],
    "apply": [(("keep_open", "call"), "a request that applies a plan has no call, and is not kept open")],
    "rehearse": [(("keep_open", "apply"), "a rehearsal is not kept open, and applies no plan")],
    "output_schema": [
        (("call",), "a request with a call of its own asks no model for an output"),
        (("apply",), "a request that applies a plan asks no model for an output"),
    ],
}
"""Of a `Request`: with which fields before it a field does not go, and why."""
Given = TypeVar("Given")


class Limits(Input):
    """Where a request stops although the model would go on.

    Turns, calls and seconds count anew for each message of a request that is kept open; tokens and cost do not.
    """

    turns: Count = Field(default=20, description="model calls that may ask for tools")
    calls: Count = Field(default=50, le=300, description="tool calls in all")
    seconds: Number = Field(default=86_400, gt=0, le=A_YEAR, description="from the start to the end, waiting included")
    approval_seconds: Number = Field(
        default=86_400, gt=0, le=A_YEAR, description="how long a person is waited for: an approval, an answer"
    )
    idle_seconds: Number = Field(
        default=3_600, gt=0, le=A_YEAR, description="how long a request that is kept open waits for a message"
    )
    input_tokens: Count | None = omitted(None, description="tokens that the model reads, in all")
    output_tokens: Count | None = omitted(None, description="tokens that the model writes, in all")
    cost: Number | None = omitted(None, gt=0, allow_inf_nan=False, description="by the worker's price table")


class GivenCall(Input):
    """A call of a tool, to be made as it is."""

    tool: str = Field(min_length=1, max_length=64)
    arguments: Arguments = omitted({})


class Request(Input):
    """What a person or a system asks for. The workflow id it is started under is its `request_id`."""

    keep_open: Flag = omitted(
        False, description="stay for more after the first answer: Update `say`, until Update `close` or `idle_seconds`"
    )
    call: GivenCall | None = omitted(
        None, description="instead of a text to be understood: no model is asked, and `output` is the call's result"
    )
    apply: Apply | None = omitted(None, description="instead of a text: the plan whose writes are made")
    rehearse: Flag = omitted(
        False, description="reads run, writes do not: the outcome is the plan of what would be written"
    )
    text: str = Field(
        default="", validate_default=True, max_length=100_000, description="what should happen, in plain words"
    )
    requester: str = omitted("", max_length=200, description="who asks; policies and the UI show it")
    approve: tuple[str, ...] = omitted((), description="tools approved in advance; `*` is every tool")
    notify: tuple[str, ...] = omitted(
        (),
        max_length=5,
        description="names of callback endpoints that are told of its end, of calls that wait for a yes, of questions "
        "that wait for an answer and of actions whose end is unknown",
    )
    limits: Limits = omitted(Limits())
    output_schema: Schema | None = omitted(None, description="JSON Schema of the outcome's `output`")
    carried: SkipJsonSchema[dict[str, JsonValue] | None] = omitted(
        None, description="set by the workflow itself when it continues as new; from anybody else it is refused"
    )

    @property
    def title(self) -> str:
        """What people see of it; nothing, of a conversation that begins with a message."""
        given = self.call.tool if self.call else self.apply and self.apply.request_id
        return self.text or (f"{'call' if self.call else 'apply'} {given}" if given else "")

    @field_validator(*EXCLUDED)
    @classmethod
    def _goes_with_the_rest(cls, value: Given, known: ValidationInfo) -> Given:
        for others, why in EXCLUDED[str(known.field_name)]:
            if value not in (None, False) and any(known.data.get(name) for name in others):
                raise ValueError(why)
        return value

    @field_validator("text")
    @classmethod
    def _says_something(cls, text: str, known: ValidationInfo) -> str:
        if is_blank(text) and not any(known.data.get(name) for name in ("keep_open", "call", "apply")):
            raise ValueError("it is blank; say what should happen")
        if (bytes_ := len(to_json(text))) > LONGEST_TEXT_BYTES:
            raise ValueError(f"it has {bytes_:,} bytes as JSON, and {LONGEST_TEXT_BYTES:,} are the most")
        return text


class Say(Input):
    """Update `say`: the answer to a question of the request that waits, or else a further message to a request that is
    kept open. The Update's answer is the message's `Outcome`; of an answer, one that says that the request goes on.

    The id of the Update is the message's own: the same id twice is one message.
    """

    text: str = Field(min_length=1, max_length=20_000)
    by: str = Field(default="", max_length=200)
    question: str = omitted(
        "", description="the key of the question that this answers; without it, the first that waits, if any does"
    )


Key: TypeAlias = Annotated[str, Field(description="of the call that waits, as `state` shows it")]
Digest: TypeAlias = Annotated[str, Field(description="of the call that waits, as `state` shows it")]
Decider: TypeAlias = Annotated[Seen, Field(max_length=200, description="who decides: a person's name")]


class Approve(Input):
    """Update `approve`: a yes to one exact call. `digest` is the one shown with the call.

    With `arguments`, the yes is to the call with these in place of its own, if they fit the tool's schema. Where the
    rules say something of them that was not shown yet (nobody mentioned a recipient, a rule asks), nothing runs: the
    Update's answer is the `PendingApproval` that waits now, and its digest is what a second yes is given to.
    """

    key: Key
    digest: Digest
    by: Decider
    arguments: Arguments | None = None


class Reject(Input):
    """Update `reject`: a no to one exact call. The model is told `reason`."""

    key: Key
    digest: Digest
    by: Decider
    reason: str = Field(default="", max_length=2000)


class ReceiptStatus(StrEnum):
    DONE = "done"
    FAILED = "failed"
    INVALID = "invalid"
    REJECTED = "rejected"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    PLANNED = "planned"


class Usage(Message):
    model_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = omitted(None, description="by the worker's price table; null where the model has no price")

    def __add__(self, other: "Usage") -> "Usage":
        costs = [usage.cost for usage in (self, other) if usage.cost is not None]
        return Usage(
            model_calls=self.model_calls + other.model_calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cost=sum(costs) if costs else None,
        )


class Receipt(Message):
    """What became of one tool call, taken from what happened and never from the model's words.

    `failed` and `cancelled` mean that the action did not take effect; `unknown` means that it may have. `planned` is a
    write of a rehearsal, which did not take effect either.
    """

    key: str
    tool: str
    arguments: Arguments
    effect: Effect | None = Field(default=None, description="null where the model named no tool that there is")
    status: ReceiptStatus
    result: JsonValue = None
    error: str | None = None
    attempts: int = 0
    approved_by: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    earlier: bool = omitted(
        False, description="not of this run: the ledger knows it of the run before a reset, or of an earlier request"
    )
    ledger_key: str | None = omitted(
        None, description="the write's key in the ledger, where an earlier request of the same id has taken `key`"
    )
    settled: SettledBy | None = omitted(
        None, description="how it became known that a write is done of which that was not known at first"
    )


class RequestStatus(StrEnum):
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LIMIT_REACHED = "limit_reached"


class Outcome(Message):
    """What a request returns, however it ends."""

    request_id: str
    status: RequestStatus
    summary: str
    unsupported_claims: tuple[str, ...] = Field(
        default=(), description="sentences of the summary that no receipt bears out, each with what is wrong with it"
    )
    output: JsonValue = None
    receipts: tuple[Receipt, ...] = ()
    usage: Usage = Usage()
    plan: Plan | None = omitted(None, description="of a rehearsal: what would be written")


class PendingApproval(Message):
    """A call that waits for a yes or a no, exactly as it would be run."""

    key: str
    digest: str
    tool: str
    arguments: Arguments
    about: str = ""
    reason: str = Field(default="", description="why it needs a person")
    four_eyes: bool = omitted(False, description="the requester's own yes does not count")
    approvers: tuple[str, ...] = omitted((), description="patterns of who may decide; empty: anybody")
    expires_at: datetime


class PendingQuestion(Message):
    """A question of the model's that waits for an answer."""

    key: str
    text: str
    expires_at: datetime


class RequestState(Message):
    """The answer of query `state`: where a request stands now."""

    request_id: str
    status: RequestStatus
    turn: int
    doing: str
    awaiting_approval: tuple[PendingApproval, ...] = ()
    awaiting_answer: tuple[PendingQuestion, ...] = omitted((), description="the one that was asked first in front")
    running: tuple[str, ...] = Field(default=(), description="the keys of the calls that are under way")
    messages_waiting: int = Field(default=0, description="of a request that is kept open: said and not yet begun")
    receipts: tuple[Receipt, ...] = Field(default=(), description="of the calls that have ended")
    usage: Usage = Usage()


UpdateError: TypeAlias = Literal[
    "BadRequest",
    "Moved",
    "Busy",
    "NotOpen",
    "AnsweredBefore",
    "NotWaiting",
    "DigestMismatch",
    "NotAnApprover",
    "OwnRequest",
    "InvalidArguments",
]
"""The types of the application errors that Updates are refused with."""


class Refusal(Message):
    """What an Update that is refused fails with: Temporal's application error of this type, never to be retried."""

    type: UpdateError
    message: str = Field(description="what happened, to which thing, and what to do")
