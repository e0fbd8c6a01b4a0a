"""The messages between the workflow and its activities."""

from typing import Literal

from pydantic import Field, JsonValue

from workflows.contract.api import Receipt, ReceiptStatus, Usage
from workflows.contract.approvals import ApprovalRules
from workflows.contract.conversation import Entry
from workflows.contract.messages import Message, omitted
from workflows.contract.values import AfterUntrusted, Arguments, Effect, Extra, Ruling, Schema, SettledBy, sha256

DECIDE = "decide"
SETTLE = "settle"
RECALL = "recall"
CHECK = "check"
PREPARE = "prepare"
ANSWER = "answer"
CHECK_SCHEMA = "check_schema"
CONTEXT_TOO_LONG = "ContextTooLong"
PERHAPS_TOO_LONG = "PerhapsTooLong"
LIMIT_EXHAUSTED = "LimitExhausted"
OF_NO_BUDGET = "*"


class ToolCall(Message):
    """One call of one tool. `key` is `<request_id>/<turn>.<index>` and stays the same however often it is tried."""

    key: str
    tool: str
    arguments: Arguments
    requester: str = omitted("")
    approved_by: str = omitted("")
    chain: str = omitted(
        "", description="of a write: tells the request from others of the same id, before it and after it"
    )
    ledger: str = omitted("", description="of a write: the identity of the ledger that the request's writes stand in")
    known: tuple[str, ...] = omitted(
        (), description="of a write: the positions of the request's writes that this run knows of"
    )
    past_run: str = omitted(
        "", description="of a write: the run whose work this one does again, after a reset or as a retry"
    )
    over_budgets: tuple[str, ...] = omitted(
        (), description='of a write: the reached budgets over which a person has said yes; "*": it counts for none'
    )
    rehearsed: bool = omitted(False, description="of a rehearsal: as a write it is never made")
    tried_before: int = omitted(
        0, description="of a write that may have happened: how often it was tried before it was asked again"
    )

    @property
    def request_id(self) -> str:
        return self.key.rpartition("/")[0]

    @property
    def position(self) -> str:
        return self.key.rpartition("/")[2]

    @property
    def digest(self) -> str:
        """SHA-256 over tool, arguments and key."""
        return sha256([self.tool, self.arguments, self.key])

    @property
    def approval_digest(self) -> str:
        """What an approval is bound to: the digest and, of one that is to go over budgets, which these are."""
        return sha256([self.digest, *self.over_budgets]) if self.over_budgets else self.digest

    @property
    def content(self) -> str:
        """SHA-256 over tool and arguments: the same for a call that is made again."""
        return sha256([self.tool, self.arguments])


class Route(Message):
    """How a call is to be run, as it stood when the model asked for it. Times are in seconds."""

    effect: Effect
    start_to_close: float = omitted(30, description="for one attempt")
    schedule_to_close: float = omitted(600, description="for all")
    attempts: int = omitted(5)
    ruling: Ruling = omitted("allow")
    reason: str = omitted("", description="which rule made the ruling")
    untrusted: bool = omitted(False, description="its result is a stranger's text")
    ungrounded: tuple[str, ...] = omitted((), description="values that nobody mentioned before the model did")
    four_eyes: bool = omitted(False, description="the requester's own yes does not count")
    asks: str = omitted(
        "", description="the argument that is a question to people: no activity runs, and the answer is the result"
    )
    approval: ApprovalRules | None = omitted(None, description="of a call that may have to wait for a person")
    unsupported: tuple[str, ...] = omitted((), description="figures in its texts that nobody mentioned either")
    strangers: tuple[str, ...] = omitted(
        (), description="figures and addresses in its texts that only a stranger's text mentions"
    )
    after_untrusted: AfterUntrusted = omitted("ask", description="what an allow becomes after a stranger's text")


class ProposedCall(Message):
    """A call that the model asked for. Without a route it is not run, and `error` tells the model why."""

    tool: str
    arguments: Arguments
    defaults: tuple[str, ...] = omitted((), description="the names of the arguments that the model left out")
    about: str = omitted("", description='for people: "to ann@example.com"')
    grounded: tuple[str, ...] = omitted((), description="the names of the grounded arguments that it is done for")
    same_as: str = omitted("", description="the tool whose action it may repeat, beside its own")
    route: Route | None = None
    error: str | None = omitted(None)
    hint: str = omitted("", description="for the model: how to do it right")
    crashed: bool = omitted(False, description="it is not run because of a mistake in the tool")
    extra: Extra = omitted({})

    @property
    def as_made(self) -> Arguments:
        """The arguments that the model gave, without the defaults."""
        return {name: value for name, value in self.arguments.items() if name not in self.defaults}


class UnsupportedClaim(Message):
    """A sentence of the model's that claims what no receipt bears out."""

    sentence: str
    why: str
    unknown: bool = omitted(False, description="it may be so: nobody knows what became of the call")
    figures: tuple[str, ...] = omitted((), description="numbers, dates and the like that stand nowhere")

    def __str__(self) -> str:
        return f'"{self.sentence}": {self.why}'


class Decision(Message):
    """What one model call returned: tool calls, the text that ends the request, or what is wrong with the reply."""

    text: str = omitted("")
    calls: tuple[ProposedCall, ...] = omitted(())
    usage: Usage
    problem: str | None = omitted(None, description="for the model: why the reply cannot be used")
    refused: bool = omitted(False, description="the text is a refusal")
    cut_off: bool = omitted(False, description="the text has no end")
    reasoning: str = omitted("", description="only where the endpoint wants to have it back")
    extra: Extra = omitted({})
    demoted: tuple[str, ...] = omitted((), description="what the endpoint does not take, or wants back")
    ledger: str = omitted("", description="where it asks for a write: the identity of the worker's ledger")
    unsupported_claims: tuple[UnsupportedClaim, ...] = omitted(())
    shown: tuple[str, ...] = omitted((), description="the tools that the model was shown, where it was not all of them")


class Answer(Message):
    """What the model returned when it was asked for the outcome's `output`."""

    text: str = Field(default="", description="as the model wrote it")
    output: JsonValue = None
    problem: str | None = omitted(None, description="for the model: why it does not fit the schema")
    unsupported: tuple[str, ...] = omitted((), description="figures in it that stand nowhere")
    usage: Usage
    demoted: tuple[str, ...] = omitted(())


class ModelInput(Message):
    """The input of `decide` and `answer`: all that the model may know about the request so far."""

    requester: str = omitted("")
    conversation: tuple[Entry, ...]
    approve: tuple[str, ...] = omitted(
        (), description="only of the first decision, which refuses a tool that there is not"
    )
    notify: tuple[str, ...] = omitted(
        (), description="only of the first decision, which refuses an endpoint that there is not"
    )
    demoted: tuple[str, ...] = omitted((), description="what earlier decisions say of the endpoint")
    output_tokens: int | None = omitted(None, description="the most that the model may write now")
    cost_left: float | None = omitted(None, description="the most that it may cost now")
    output_schema: Schema | None = omitted(None, description="only for `answer`")


class EditedCall(Message):
    """The input of `check` and `prepare`: a call as a person has written it, and what was said that has its values."""

    call: ToolCall
    conversation: tuple[Entry, ...] = ()
    notify: tuple[str, ...] = omitted((), description="only for `prepare`, which refuses an endpoint that there is not")


class ToolResult(Message):
    """The output of a tool's activity."""

    value: JsonValue
    attempts: int = omitted(1)
    earlier: bool = omitted(
        False, description="of a write: the ledger knows writes of the same request id of which this run knows nothing"
    )
    ledger_key: str | None = omitted(None, description="as on a receipt")
    settled: SettledBy | None = omitted(None, description="as on a receipt")


class FailureDetail(Message):
    """What an activity's failure says beside its message, as the error's first detail."""

    attempt: int
    status: ReceiptStatus = Field(description="of the receipt, if it ends with this failure")
    usage: Usage | None = omitted(
        None,
        description="of a model call: what all its attempts together have used; one that timed out, its `max_tokens`",
    )
    certain: bool = omitted(
        False,
        description="of a write: this attempt has asked the ledger, so `status` holds for all attempts before it too",
    )
    acting: bool = omitted(False, description="of a write: an attempt has said that it acts")
    tokens: tuple[str, ...] = omitted((), description="as in `Settle`")
    earlier: bool = omitted(False, description="as on a tool's result")
    held: bool = omitted(False, description="of a write: it waits until an operator has settled a restore")
    over_budgets: tuple[str, ...] = omitted(
        (), description="of a write: the reached budgets over which a person may say yes"
    )
    ledger_key: str | None = omitted(None, description="as on a receipt")
    ask_again: float = omitted(
        0, description="of a write that may have happened: seconds for which the far end may be asked again"
    )


class AttemptBeat(Message):
    """The heartbeat details of a tool: Temporal knows from it, beside the ledger, how far the attempts got.

    `preparing` says that the ledger is about to be told, `acting` that it was told and the act begins now.
    """

    stage: Literal["started", "preparing", "acting"]
    attempt: int
    token: str = omitted("", description="of the attempt's row in the ledger")
    preparing: str = omitted("", description="beside `acting`: of a later attempt that has said so")

    @property
    def tokens(self) -> tuple[str, ...]:
        """Of the rows of the attempt that acted, and of a later one."""
        return tuple(filter(None, (self.token, self.preparing)))


class UsageSoFar(Message):
    """The heartbeat details of a model call: what it has used as of one attempt."""

    attempt: int = 0
    before: Usage = Field(default=Usage(), description="of all that is over")
    at_most: Usage = Field(default=Usage(), description="of this attempt, if nothing more is heard of it")
    unusable: int = omitted(0, description="replies that were of no use")


class Settle(Message):
    """The input of `settle`: a write of whose attempts none could say what became of it."""

    call: ToolCall
    acting: bool = omitted(False, description="Temporal knows that an attempt was acting")
    tokens: tuple[str, ...] = omitted((), description="beside `acting`: its row's, and that of a later attempt's")
    by_hand: bool = omitted(False, description="its activity was completed by hand, with what is no result of it")
    patience: float = omitted(0, description="seconds to wait for the end of an act that may still be under way")


class Settlement(Message):
    """The output of `settle`: what the ledger knows of a write whose attempts were lost."""

    status: ReceiptStatus
    result: JsonValue = None
    error: str | None = None
    attempts: int = omitted(0, description="0: not known")
    ledger_key: str | None = omitted(None, description="as on a receipt")
    ask_again: float = omitted(0, description="as in a failure")


class Recall(Message):
    """The input of `recall`: which writes of the request id does this run not know of?"""

    request_id: str
    chain: str
    ledger: str = ""
    known: tuple[str, ...] = Field(description="the positions of the writes that this run has receipts for")


class Recalled(Message):
    """The receipts of the other writes of the request id that the ledger knows, the latest ones, in their order."""

    receipts: tuple[Receipt, ...]
    more: int = omitted(0, description="how many older ones are left out")
