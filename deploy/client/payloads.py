"""What a history event carries, read as the contract's messages."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.api.sdk.v1 import UserMetadata
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.exceptions import TimeoutError as TimedOut

from activities.errors import CannotDecrypt

T = TypeVar("T")
ENCODED = "Encoded failure"
"""What the SDK has in place of a failure's message that is encrypted."""


@dataclass(frozen=True)
class Payloads:
    converter: DataConverter

    async def read(self, payloads: Sequence[Payload], kind: type[T]) -> T | None:
        """What the payloads say; None where they are of another kind, or from another version.

        Raises:
            CannotDecrypt: they are encrypted, and the key is not here.
        """
        try:
            values = await self.converter.decode(payloads, [kind])
        except CannotDecrypt:
            raise
        except Exception:
            return None
        # A converter takes bytes for bytes, whatever was to be read.
        return values[0] if values and isinstance(values[0], kind) else None

    async def summary(self, metadata: UserMetadata) -> str:
        """What a run, or an event of it, is said to be about; empty where that cannot be read."""
        with suppress(CannotDecrypt):
            return await self.read([metadata.summary], str) or ""
        return ""

    async def error(self, failure: Failure) -> BaseException:
        """What went wrong.

        Raises:
            CannotDecrypt: it is encrypted, and the key is not here.
        """
        link = failure
        while link.HasField("encoded_attributes"):  # of which the SDK passes over those that it cannot read
            await self.converter.decode([link.encoded_attributes])
            link = link.cause
        return await self.converter.decode_failure(failure)

    async def reason(self, failure: Failure) -> str:
        return reason(await self.error(failure))


def reason(error: BaseException) -> str:
    """What went wrong, in the words of whoever saw it; Temporal's wrappers around it say only that something did."""
    while error.__cause__ and not isinstance(error, ApplicationError | TimedOut):
        error = error.__cause__
    if isinstance(error, TimedOut):
        return f"it took too long ({error.message})" + (
            f", after: {reason(error.__cause__)}" if error.__cause__ else ""
        )
    if isinstance(error, FailureError):
        return "why is encrypted, and ERRAND_PAYLOAD_KEYS names no keys" if error.message == ENCODED else error.message
    return str(error)
