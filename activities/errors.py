"""The error tree, and its one translation to Temporal's.

    ErrandError
    ├── ConfigurationError         a setting is missing or wrong; the message names it
    ├── BadRequest                 not retried: the request asks for what this worker does not have
    ├── NotOpen                    what a person wants to settle is settled, or is not there
    ├── Unreachable                Temporal, or the worker behind it, does not answer
    ├── DeliveryFailed             retried, by a schedule of its own: a callback's endpoint has not taken an event
    ├── DeliveryGivenUp            not retried: it will not take it, or there is no such endpoint
    ├── ToolError                  the model is told the message
    │   ├── InvalidArguments       the arguments do not fit the tool's schema
    │   ├── NotFound               the thing asked about does not exist
    │   ├── Ambiguous              several things have the name that was asked about
    │   ├── ServiceUnavailable     retried: no connection, time-out, 408, 425, 429, 5xx, an unreadable reply
    │   │   └── CannotDecrypt      retried: the key of something encrypted is not here; a worker that has it may come
    │   ├── ServiceRefused         not retried: the far end said no
    │   ├── Withdrawn              not retried: the request was cancelled before the action took effect
    │   ├── KeyTaken               not retried: the ledger knows another action under the same key, or a like one of
    │   │                          which the asking run knows nothing
    │   ├── RehearsalOnly          not retried: a write of a rehearsal, which is never made
    │   ├── BudgetReached          not retried: it would exceed a budget of the policy
    │   ├── NotOffered             retried: this worker does not have the tool; another worker may
    │   ├── AnotherLedger          retried: this worker's ledger is not the one in which the request's writes stand
    │   ├── LedgerRestored         retried: an older copy of the ledger or of Temporal's database was put back
    │   ├── ToolCrashed              not retried: a mistake in the tool, before the action took effect
    │   ├── ReadCrashed              retried: a mistake in a tool that only reads
    │   └── OutcomeUnknown         not retried: the action may have taken effect
    │       └── OutcomeUnknownRetryable         retried: the next attempt can find out
    └── ModelError
        ├── ModelUnavailable       retried
        ├── ModelReplyUnusable     retried: the reply is neither text nor calls, or our own code breaks on it
        ├── NoUsableReply          not retried: so were three replies in one place
        ├── ParameterUnsupported               retried at once, without the parameter that the endpoint does not take
        ├── WantedBack             retried at once, with what the endpoint wants to have back
        ├── CallsUnreadable        never leaves `decide`, which tells the model: the endpoint could not read its calls
        ├── ContextTooLong         not retried: the workflow shortens the conversation and asks anew
        ├── LimitExhausted            not retried: earlier attempts have used up what the request may use
        └── ModelRefused           not retried: bad key, unknown model, quota, the prompt is refused
            └── PerhapsTooLong     not retried: a long question is refused: the workflow shortens it once, and sees

`to_application_error` turns any of them into the `ApplicationError` whose `type` is the class's name, without secrets.
Only Temporal retries; whether it may is said here and nowhere else. `failures` says what else leaves an activity.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar

from temporalio.exceptions import ApplicationError

from activities.error_text import message_of, name_of
from workflows.contract.api import ReceiptStatus, Usage
from workflows.contract.internal import FailureDetail

LONGEST_PAUSE = timedelta(days=1)
"""Before the next attempt."""


class ErrandError(Exception):
    """Base of all. The message says what happened, to which thing, and what to do."""

    retryable: ClassVar[bool] = False
    status: ClassVar[ReceiptStatus] = ReceiptStatus.FAILED
    """What the receipt of a call says that ends with this error."""

    retry_after: timedelta | None = None
    """The pause that the far end asks for."""
    longest_pause: ClassVar[timedelta] = LONGEST_PAUSE
    trace: str = ""
    """Where a tool made a mistake; Temporal's UI shows it."""

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ConfigurationError(ErrandError):
    """A setting is missing or wrong."""


class BadRequest(ErrandError):
    """The request asks for what this worker does not have; the message begins with the request's field."""


class NotOpen(ErrandError):
    """What a person wants to settle is settled already, or is not there."""


class Unreachable(ErrandError):
    """Temporal, or the worker behind it, does not answer."""


class DeliveryFailed(ErrandError):
    """A callback's endpoint has not taken an event; it is tried again."""

    retryable = True


class DeliveryGivenUp(ErrandError):
    """A callback's endpoint will not take an event."""


class ToolError(ErrandError):
    """A tool could not do what it was called for."""


class InvalidArguments(ToolError):
    """The arguments do not fit the tool's schema."""


class NotFound(ToolError):
    """The thing asked about does not exist."""


class Ambiguous(ToolError):
    """Several things have the name that was asked about; the message lists them."""


class ServiceUnavailable(ToolError):
    """The far end cannot answer now, and nothing has taken effect there."""

    retryable = True


class CannotDecrypt(ServiceUnavailable):
    """Something is encrypted, and cannot be read with the keys that are here."""


class NotYet(ToolError):
    """The time that a tool waits for has not come; until then nothing runs."""

    retryable = True
    longest_pause = timedelta(days=366)


class ServiceRefused(ToolError):
    """The far end said no, and nothing has taken effect there."""

    unauthorized: bool = False
    """By 401: it does not know who asks."""


class AddressRefused(ServiceRefused):
    """Requests may not go to the address; nothing was sent."""


class Withdrawn(ToolError):
    """The request was cancelled before the action took effect."""

    status = ReceiptStatus.CANCELLED


class KeyTaken(ToolError):
    """The ledger knows another action under the same key, or a like one of which the asking run knows nothing."""

    status = ReceiptStatus.REFUSED


class RehearsalOnly(ToolError):
    """It is a call of a rehearsal, which never writes."""

    status = ReceiptStatus.REFUSED


class BudgetReached(ToolError):
    """It would exceed a budget of the policy. `ask` has the ids of the budgets over which a person may say yes."""

    status = ReceiptStatus.REFUSED

    def __init__(self, message: str, *, ask: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.ask = tuple(ask)


class NotOffered(ToolError):
    """This worker does not have the tool, or the activity; another worker may have it."""

    retryable = True


class AnotherLedger(ToolError):
    """This worker's ledger is not the one in which the request's writes stand; another worker may have it."""

    retryable = True
    status = ReceiptStatus.REFUSED


class LedgerRestored(ToolError):
    """A copy of before was put back, of the ledger or of Temporal's database, and no operator has settled it yet."""

    retryable = True


class ToolCrashed(ToolError):
    """A mistake in the tool, before the action took effect."""


class ReadCrashed(ToolError):
    """A mistake in a tool that only reads, and so may be tried again."""

    retryable = True


class OutcomeUnknown(ToolError):
    """The action may have taken effect; trying again could do it twice."""

    status = ReceiptStatus.UNKNOWN


class OutcomeUnknownRetryable(OutcomeUnknown):
    """The action may have taken effect; the next attempt can find out, or do it again without doing it twice."""

    retryable = True


class ModelError(ErrandError):
    """The model could not be asked, or its reply could not be used."""

    def __init__(self, message: str, *, retry_after: timedelta | None = None, usage: Usage | None = None) -> None:
        super().__init__(message, retry_after=retry_after)
        self.usage = usage
        """What has been used: by this attempt, and once it leaves the activity, by all of them. None: nobody knows."""


class ModelUnavailable(ModelError):
    """The endpoint cannot answer now."""

    retryable = True


class ModelReplyUnusable(ModelError):
    """The reply is neither text nor tool calls, or our own code breaks on it."""

    retryable = True


class NoUsableReply(ModelError):
    """Reply after reply was of no use; a further one would be too."""


class ParameterUnsupported(ModelError):
    """The endpoint does not take a parameter; the next attempt does without."""

    retryable = True


class WantedBack(ModelError):
    """The endpoint wants to have back what it put on its calls; the next attempt gives it back."""

    retryable = True


class CallsUnreadable(ModelError):
    """The endpoint could not read the calls that the model wrote. `written` is what it wrote, or its beginning."""

    def __init__(self, message: str, *, written: str) -> None:
        super().__init__(message)
        self.written = written


class ContextTooLong(ModelError):
    """The question is longer than the model's context."""


class LimitExhausted(ModelError):
    """Earlier attempts have used up what the request may still use; the model was not asked again."""


class ModelRefused(ModelError):
    """The endpoint will give the same answer however often it is asked."""


class PerhapsTooLong(ModelRefused):
    """A long question is refused as invalid, in words that do not say why."""


def to_application_error(
    error: ErrandError, *, attempt: int, more: Mapping[str, object] | None = None
) -> ApplicationError:
    """Translate for Temporal; the one detail is a `FailureDetail`, with `more` of its fields."""
    usage = error.usage if isinstance(error, ModelError) else None
    detail = FailureDetail(attempt=attempt, status=error.status, usage=usage)
    return ApplicationError(
        message_of(error),
        detail.model_copy(update=more),
        type=name_of(error),
        non_retryable=not error.retryable,
        next_retry_delay=error.retry_after and min(max(error.retry_after, timedelta()), error.longest_pause),
    )
