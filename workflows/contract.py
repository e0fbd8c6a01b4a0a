"""The messages that cross a boundary: between a caller and a request, and between the workflow and its activities.

Every message is plain JSON, so a caller in any language starts the workflow type `RequestWorkflow` on the task queue
`errand` with one `Request` and reads one `Outcome`.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    JsonValue,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue, SkipJsonSchema
from pydantic_core import CoreSchema, to_json

TASK_QUEUE = "errand"
REQUEST_WORKFLOW = "RequestWorkflow"
DECIDE = "decide"
SETTLE = "settle"
RECALL = "recall"
CHECK = "check"
ANSWER = "answer"
CHECK_SCHEMA = "check_schema"
CONTEXT_TOO_LONG = "ContextTooLong"
PERHAPS_TOO_LONG = "PerhapsTooLong"
NOTHING_LEFT = "NothingLeft"
BAD_REQUEST = "BadRequest"
EVERY_TOOL = "*"
A_YEAR = 366 * 86_400
LONGEST_TEXT_BYTES = 128 * 1024
"""Of a request's text, as JSON: it is never shortened, and what was said and found has to fit beside it."""

Arguments: TypeAlias = dict[str, JsonValue]
Schema: TypeAlias = dict[str, JsonValue]
Effect: TypeAlias = Literal["read", "write"]
Ruling: TypeAlias = Literal["allow", "ask", "deny"]
INTERNAL_FIELDS = frozenset({"carried"})
"""Of a `Request`: no caller's."""
Extra: TypeAlias = dict[str, JsonValue]
"""What an endpoint put beside the fields that are known, to be given back to it as it came."""


class Message(BaseModel):
    """A frozen value; fields that a newer sender knows and this reader does not are ignored."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Of what is written: all fields but those that are left out where they say nothing."""
        document = handler(schema)
        always = [name for name, field in cls.model_fields.items() if field.exclude_if is None]
        handler.resolve_ref_schema(document)["required"] = always
        return document


class Input(BaseModel):
    """What a caller writes: frozen. A misspelt field is an error instead of being ignored, and null is unset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _null_is_unset(cls, given: object) -> object:
        """Java, Go and .NET write null for what their caller has left out."""
        if not isinstance(given, dict):
            return given
        fields = cast("dict[str, object]", given)
        optional = {name for name, field in cls.model_fields.items() if not field.is_required()}
        return {name: value for name, value in fields.items() if value is not None or name not in optional}


# --- what a caller sends -------------------------------------------------------------------------------------------


class Limits(Input):
    """Where a request stops although the model would go on.

    Turns, calls and seconds count anew for each message of a request that is kept open; tokens and cost do not.
    """

    turns: int = Field(default=20, ge=1, description="model calls that may ask for tools")
    calls: int = Field(default=50, ge=1, le=300, description="tool calls in all")
    seconds: float = Field(default=86_400, gt=0, le=A_YEAR, description="from the start to the end, waiting included")
    approval_seconds: float = Field(default=86_400, gt=0, le=A_YEAR, description="how long one approval is waited for")
    idle_seconds: float = Field(
        default=3_600, gt=0, le=A_YEAR, description="how long a request that is kept open waits for a message"
    )
    input_tokens: int | None = Field(
        default=None, ge=1, exclude_if=lambda limit: limit is None, description="tokens that the model reads, in all"
    )
    output_tokens: int | None = Field(
        default=None, ge=1, exclude_if=lambda limit: limit is None, description="tokens that the model writes, in all"
    )
    cost: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        exclude_if=lambda limit: limit is None,
        description="by the worker's price table",
    )


class Request(Input):
    """What a person or a system asks for. The workflow id it is started under is its `request_id`."""

    keep_open: bool = Field(
        default=False,
        exclude_if=lambda yes: not yes,
        description="stay for more after the first answer: Update `say`, until Update `close` or `idle_seconds`",
    )
    text: str = Field(
        default="", validate_default=True, max_length=100_000, description="what should happen, in plain words"
    )
    requester: str = Field(
        default="",
        max_length=200,
        exclude_if=lambda name: not name,
        description="who asks; policies and the UI show it",
    )
    approve: tuple[str, ...] = Field(
        default=(), exclude_if=lambda tools: not tools, description="tools approved in advance; `*` is every tool"
    )
    limits: Limits = Field(default=Limits(), exclude_if=lambda limits: limits == Limits())
    output_schema: Schema | None = Field(
        default=None,
        exclude_if=lambda schema: schema is None,
        description="JSON Schema of the outcome's `output`",
    )
    carried: "SkipJsonSchema[Progress | None]" = Field(
        default=None,
        exclude_if=lambda progress: progress is None,
        description="set by the workflow itself when it continues as new; from anybody else it is refused",
    )

    @field_validator("text")
    @classmethod
    def _says_something(cls, text: str, known: ValidationInfo) -> str:
        if not text.strip() and not known.data.get("keep_open"):
            raise ValueError("it is blank; say what should happen")
        if (bytes_ := len(to_json(text))) > LONGEST_TEXT_BYTES:
            raise ValueError(f"it has {bytes_:,} bytes as JSON, and {LONGEST_TEXT_BYTES:,} are the most")
        return text


class Say(Input):
    """Update `say`: a further message to a request that is kept open. The Update's answer is the message's `Outcome`.

    The id of the Update is the message's own: the same id twice is one message.
    """

    text: str = Field(min_length=1, max_length=20_000)
    by: str = Field(default="", max_length=200)


Key: TypeAlias = Annotated[str, Field(description="of the call that waits, as `state` shows it")]
Digest: TypeAlias = Annotated[str, Field(description="of the call that waits, as `state` shows it")]
Decider: TypeAlias = Annotated[str, Field(pattern=r"\S", max_length=200, description="who decides: a person's name")]


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


# --- between the workflow and its activities -----------------------------------------------------------------------


class Usage(Message):
    model_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = Field(
        default=None,
        exclude_if=lambda cost: cost is None,
        description="by the worker's price table; null where the model has no price in it",
    )

    def __add__(self, other: "Usage") -> "Usage":
        costs = [usage.cost for usage in (self, other) if usage.cost is not None]
        return Usage(
            model_calls=self.model_calls + other.model_calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cost=sum(costs) if costs else None,
        )


class ToolCall(Message):
    """One call of one tool. `key` is `<request_id>/<turn>.<index>` and stays the same however often it is tried."""

    key: str
    tool: str
    arguments: Arguments
    requester: str = Field(default="", exclude_if=lambda text: not text)
    approved_by: str = Field(default="", exclude_if=lambda text: not text)
    chain: str = Field(
        default="",
        exclude_if=lambda text: not text,
        description="of a write: tells the request from others of the same id, before it and after it",
    )
    ledger: str = Field(
        default="",
        exclude_if=lambda text: not text,
        description="of a write: the identity of the ledger that the request's writes stand in",
    )
    known: tuple[str, ...] = Field(
        default=(),
        exclude_if=lambda positions: not positions,
        description="of a write: the positions of the request's writes that this run knows of",
    )
    past_run: str = Field(
        default="",
        exclude_if=lambda text: not text,
        description="of a write: the run whose work this one does again, after a reset or as a retry",
    )

    @property
    def request_id(self) -> str:
        return self.key.rpartition("/")[0]

    @property
    def position(self) -> str:
        return self.key.rpartition("/")[2]

    @property
    def digest(self) -> str:
        """SHA-256 over tool, arguments and key: what an approval is bound to."""
        return sha256([self.tool, self.arguments, self.key])

    @property
    def content(self) -> str:
        """SHA-256 over tool and arguments: the same for a call that is made again."""
        return sha256([self.tool, self.arguments])


def position(turn: int, index: int) -> str:
    """Where a call stands in its request, the part of its key behind the request id: "2.1" is turn 2, first call."""
    return f"{turn}.{index}"


def sha256(value: JsonValue) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def texts(value: JsonValue) -> Iterator[str]:
    """Every text in a value, numbers as they are written."""
    match value:
        case None:
            return
        case list():
            for each in value:
                yield from texts(each)
        case dict():
            for each in value.values():
                yield from texts(each)
        case _:
            yield str(value)


class Route(Message):
    """How a call is to be run, as it stood when the model asked for it. Times are in seconds."""

    effect: Effect
    start_to_close: float = Field(default=30, exclude_if=lambda seconds: seconds == 30, description="for one attempt")
    schedule_to_close: float = Field(default=600, exclude_if=lambda seconds: seconds == 600, description="for all")
    attempts: int = Field(default=5, exclude_if=lambda attempts: attempts == 5)
    ruling: Ruling = Field(default="allow", exclude_if=lambda ruling: ruling == "allow")
    reason: str = Field(default="", exclude_if=lambda text: not text, description="which rule made the ruling")
    untrusted: bool = Field(
        default=False, exclude_if=lambda yes: not yes, description="its result is a stranger's text"
    )
    ungrounded: tuple[str, ...] = Field(
        default=(),
        exclude_if=lambda values: not values,
        description="values that nobody mentioned before the model did",
    )


class ProposedCall(Message):
    """A call that the model asked for. Without a route it is not run, and `error` tells the model why."""

    tool: str
    arguments: Arguments
    about: str = Field(default="", exclude_if=lambda text: not text, description='for people: "to ann@example.com"')
    grounded: tuple[str, ...] = Field(
        default=(), exclude_if=lambda names: not names, description="the names of its grounded arguments"
    )
    route: Route | None = None
    error: str | None = Field(default=None, exclude_if=lambda text: text is None)
    hint: str = Field(default="", exclude_if=lambda text: not text, description="for the model: how to do it right")
    extra: Extra = Field(default={}, exclude_if=lambda extra: not extra)


class UnsupportedClaim(Message):
    """A sentence of the model's that claims what no receipt bears out."""

    sentence: str
    why: str
    unknown: bool = Field(
        default=False, exclude_if=lambda yes: not yes, description="it may be so: nobody knows what became of the call"
    )

    def __str__(self) -> str:
        return f'"{self.sentence}": {self.why}'


class Decision(Message):
    """What one model call returned: tool calls, the text that ends the request, or what is wrong with the reply."""

    text: str = Field(default="", exclude_if=lambda text: not text)
    calls: tuple[ProposedCall, ...] = Field(default=(), exclude_if=lambda calls: not calls)
    usage: Usage
    problem: str | None = Field(
        default=None, exclude_if=lambda text: text is None, description="for the model: why the reply cannot be used"
    )
    refused: bool = Field(default=False, exclude_if=lambda yes: not yes, description="the text is a refusal")
    cut_off: bool = Field(default=False, exclude_if=lambda yes: not yes, description="the text has no end")
    reasoning: str = Field(
        default="", exclude_if=lambda text: not text, description="only where the endpoint wants to have it back"
    )
    extra: Extra = Field(default={}, exclude_if=lambda extra: not extra)
    demoted: tuple[str, ...] = Field(
        default=(), exclude_if=lambda steps: not steps, description="what the endpoint does not take, or wants back"
    )
    ledger: str = Field(
        default="",
        exclude_if=lambda text: not text,
        description="where it asks for a write: the identity of the worker's ledger",
    )
    unsupported_claims: tuple[UnsupportedClaim, ...] = Field(default=(), exclude_if=lambda claims: not claims)


class Answer(Message):
    """What the model returned when it was asked for the outcome's `output`."""

    text: str = Field(default="", description="as the model wrote it")
    output: JsonValue = None
    problem: str | None = Field(
        default=None, exclude_if=lambda text: text is None, description="for the model: why it does not fit the schema"
    )
    usage: Usage
    demoted: tuple[str, ...] = Field(default=(), exclude_if=lambda steps: not steps)


class UserEntry(Message):
    role: Literal["user"] = "user"
    text: str


class Told(Message):
    """What the model is told of a call."""

    value: JsonValue
    failed: bool = Field(default=False, exclude_if=lambda yes: not yes, description="it is not the tool's own result")
    untrusted: bool = Field(default=False, exclude_if=lambda yes: not yes, description="it is a stranger's text")
    arguments: Arguments | None = Field(
        default=None,
        exclude_if=lambda arguments: arguments is None,
        description="as a person edited them, where one did",
    )

    @property
    def text(self) -> str:
        """In the words that the model is given."""
        return self.value if isinstance(self.value, str) else to_json(self.value).decode()


class MadeCall(Message):
    """A call as the model made it, and what became of it."""

    tool: str
    arguments: Arguments
    extra: Extra = Field(default={}, exclude_if=lambda extra: not extra)
    told: Told | None = Field(default=None, exclude_if=lambda told: told is None, description="null until it has ended")


class AssistantEntry(Message):
    role: Literal["assistant"] = "assistant"
    turn: int = Field(default=0, exclude_if=lambda turn: turn == 0, description="of its calls, where it has any")
    text: str = Field(default="", exclude_if=lambda text: not text)
    calls: tuple[MadeCall, ...] = Field(default=(), exclude_if=lambda calls: not calls)
    reasoning: str = Field(default="", exclude_if=lambda text: not text)
    extra: Extra = Field(default={}, exclude_if=lambda extra: not extra)

    @property
    def positioned(self) -> list[tuple[str, MadeCall]]:
        """The calls, each with its position."""
        return [(position(self.turn, index), call) for index, call in enumerate(self.calls, start=1)]


class NoteEntry(Message):
    """What Errand itself says to the model."""

    role: Literal["note"] = "note"
    text: str


Entry: TypeAlias = UserEntry | AssistantEntry | NoteEntry


class Situation(Message):
    """The input of `decide` and `answer`: all that the model may know about the request so far."""

    requester: str = Field(default="", exclude_if=lambda text: not text)
    conversation: tuple[Entry, ...]
    approve: tuple[str, ...] = Field(
        default=(),
        exclude_if=lambda tools: not tools,
        description="only of the first decision, which refuses a tool that there is not",
    )
    demoted: tuple[str, ...] = Field(
        default=(), exclude_if=lambda steps: not steps, description="what earlier decisions say of the endpoint"
    )
    output_tokens: int | None = Field(
        default=None, exclude_if=lambda left: left is None, description="the most that the model may write now"
    )
    cost_left: float | None = Field(
        default=None, exclude_if=lambda left: left is None, description="the most that it may cost now"
    )
    output_schema: Schema | None = Field(
        default=None, exclude_if=lambda schema: schema is None, description="only for `answer`"
    )


class EditedCall(Message):
    """The input of `check`: a call as a person has edited it, and what was said that mentions its values."""

    call: ToolCall
    conversation: tuple[Entry, ...] = ()


class ToolResult(Message):
    """The output of a tool's activity."""

    value: JsonValue
    attempts: int = Field(default=1, exclude_if=lambda attempts: attempts == 1)
    earlier: bool = Field(
        default=False,
        exclude_if=lambda yes: not yes,
        description="of a write: the ledger knows writes of the same request id of which this run knows nothing",
    )
    ledger_key: str | None = Field(default=None, exclude_if=lambda key: key is None, description="as on a receipt")


class FailureDetail(Message):
    """What an activity's failure says beside its message, as the error's first detail."""

    attempt: int
    status: ReceiptStatus = Field(description="of the receipt, if it ends with this failure")
    usage: Usage | None = Field(
        default=None,
        exclude_if=lambda usage: usage is None,
        description="of a model call: what all its attempts together have used; one that timed out, its `max_tokens`",
    )
    certain: bool = Field(
        default=False,
        exclude_if=lambda yes: not yes,
        description="of a write: this attempt has asked the ledger, so `status` holds for all attempts before it too",
    )
    acting: bool = Field(
        default=False, exclude_if=lambda yes: not yes, description="of a write: an attempt has said that it acts"
    )
    earlier: bool = Field(default=False, exclude_if=lambda yes: not yes, description="as on a tool's result")
    ledger_key: str | None = Field(default=None, exclude_if=lambda key: key is None, description="as on a receipt")


class AttemptBeat(Message):
    """The heartbeat details of a tool: Temporal knows from it, beside the ledger, how far the attempts got.

    `preparing` says that the ledger is about to be told, `acting` that it was told and the act begins now.
    """

    stage: Literal["started", "preparing", "acting"]
    attempt: int
    token: str = Field(default="", exclude_if=lambda text: not text, description="of the attempt's row in the ledger")


class Account(Message):
    """The heartbeat details of a model call: what it has used as of one attempt."""

    attempt: int = 0
    before: Usage = Field(default=Usage(), description="of all that is over")
    at_most: Usage = Field(default=Usage(), description="of this attempt, if nothing more is heard of it")
    unusable: int = Field(default=0, exclude_if=lambda replies: replies == 0, description="replies that were of no use")


class Settle(Message):
    """The input of `settle`: a write of whose attempts none could say what became of it."""

    call: ToolCall
    acting: bool = Field(
        default=False, exclude_if=lambda yes: not yes, description="Temporal knows that an attempt was acting"
    )
    patience: float = Field(
        default=0,
        exclude_if=lambda seconds: seconds == 0,
        description="seconds to wait for the end of an act that may still be under way",
    )


class Settlement(Message):
    """The output of `settle`: what the ledger knows of a write whose attempts were lost."""

    status: ReceiptStatus
    result: JsonValue = None
    error: str | None = None
    attempts: int = Field(default=0, exclude_if=lambda attempts: attempts == 0, description="0: not known")
    ledger_key: str | None = Field(default=None, exclude_if=lambda key: key is None, description="as on a receipt")


# --- what comes back -----------------------------------------------------------------------------------------------


class Receipt(Message):
    """What became of one tool call, taken from what happened and never from the model's words.

    `failed` and `cancelled` mean that the action did not take effect; `unknown` means that it may have.
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
    earlier: bool = Field(
        default=False,
        exclude_if=lambda yes: not yes,
        description="not a call of this run: the ledger knows it of the run before a reset, or of an earlier request "
        "of the same id",
    )
    ledger_key: str | None = Field(
        default=None,
        exclude_if=lambda key: key is None,
        description="the write's key in the ledger, where an earlier request of the same id has taken `key`",
    )


class Recall(Message):
    """The input of `recall`: which writes of the request id does this run not know of?"""

    request_id: str
    chain: str
    ledger: str = ""
    known: tuple[str, ...] = Field(description="the positions of the writes that this run has receipts for")


class Recalled(Message):
    """The receipts of the other writes of the request id that the ledger knows, the latest ones, in their order."""

    receipts: tuple[Receipt, ...]
    more: int = Field(default=0, exclude_if=lambda more: more == 0, description="how many older ones are left out")


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


class PendingApproval(Message):
    """A call that waits for a yes or a no, exactly as it would be run."""

    key: str
    digest: str
    tool: str
    arguments: Arguments
    about: str = ""
    reason: str = Field(default="", description="why it needs a person")
    expires_at: datetime


class RequestState(Message):
    """The answer of query `state`: where a request stands now."""

    request_id: str
    status: RequestStatus
    turn: int
    doing: str
    awaiting_approval: tuple[PendingApproval, ...] = ()
    running: tuple[str, ...] = Field(default=(), description="the keys of the calls that are under way")
    messages_waiting: int = Field(default=0, description="of a request that is kept open: said and not yet begun")
    receipts: tuple[Receipt, ...] = Field(default=(), description="of the calls that have ended")
    usage: Usage = Usage()


class Said(Message):
    """A message to the request: its text, or an Update `say` of this id."""

    id: str = ""
    text: str
    by: str = Field(default="", exclude_if=lambda name: not name)


class Messages(Message):
    """Which messages wait, which one is worked on, and which were answered."""

    waiting: tuple[Said, ...] = ()
    under_way: Said | None = None
    answered: tuple[str, ...] = Field(default=(), description="ids, the latest last")
    latest: Outcome | None = Field(default=None, description="the answer to the last of them")
    closed: bool = False


class Spending(Message):
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
    spending: Spending
    conversation: tuple[Entry, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    untrusted: bool = False
    acted: tuple[str, ...] = Field(default=(), description="the writes that are done or unknown")
    corrected: bool = Field(default=False, description="the model was given its chance to correct its summary")
    sent_back: tuple[str, ...] = Field(default=(), description="tools whose ungrounded arguments went back once")
    past_run: str = Field(
        default="",
        exclude_if=lambda text: not text,
        description="the run whose work this chain of runs does again, after a reset or as a retry",
    )
    writes: tuple[str, ...] = Field(
        default=(), exclude_if=lambda positions: not positions, description="the positions of the writes that were run"
    )
    ledger: str = Field(default="", exclude_if=lambda text: not text, description="the ledger that they stand in")
    earlier: bool = Field(
        default=False,
        exclude_if=lambda yes: not yes,
        description="the ledger knows writes of the same request id of which this run knows nothing",
    )
    demoted: tuple[str, ...] = Field(default=(), description="what the endpoint does not take, or wants back")


Request.model_rebuild()
