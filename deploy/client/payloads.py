"""What a history event carries, read as the contract's messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.api.sdk.v1 import UserMetadata
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.exceptions import TimeoutError as TimedOut

T = TypeVar("T")


@dataclass(frozen=True)
class Payloads:
    converter: DataConverter

    async def read(self, payloads: Sequence[Payload], kind: type[T]) -> T | None:
        try:
            values = await self.converter.decode(payloads, [kind])
        except Exception:  # a payload from another version, or one whose key is not here, is left out of the story
            return None
        # A converter takes bytes for bytes, whatever was to be read.
        return values[0] if values and isinstance(values[0], kind) else None

    async def summary(self, metadata: UserMetadata) -> str:
        """What a run, or an event of it, is said to be about."""
        return await self.read([metadata.summary], str) or ""

    async def error(self, failure: Failure) -> BaseException:
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
    return error.message if isinstance(error, FailureError) else str(error)
