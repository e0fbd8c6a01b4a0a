"""What a tool raises that is no error of the tree: a mistake, told in one line.

Whatever it is, it must not leave the tool's coroutine as it is. `SystemExit` and `KeyboardInterrupt` would end the
worker where a task raises them, and so would a broken pool of processes; a message of 3 MB is more than Temporal keeps.
"""

import asyncio
from typing import NamedTuple

import structlog
from temporalio.exceptions import ApplicationError
from temporalio.exceptions import CancelledError as ActivityCancelled

from activities.error_text import in_one_line, trace_of
from activities.errors import ReadCrashed, ToolCrashed, ToolError

log = structlog.stdlib.get_logger(__name__)


class Mistake(NamedTuple):
    """`line` says what it was: "ValueError: not a number"."""

    line: str
    trace: str
    """Where it was made; nothing, where the tool raised Temporal's own error, which was meant."""


def mistake(error: BaseException) -> Mistake:
    """What a tool raised. The log has it too.

    Raises:
        BaseException: the error itself, where it is no mistake: the tool is being cancelled.
    """
    if isinstance(error, GeneratorExit) or (_is_cancellation(error) and _is_being_cancelled()):
        raise error
    line = in_one_line(error)
    if isinstance(error, ApplicationError):
        return Mistake(line, "")
    trace = trace_of(error)
    log.error("a mistake in a tool", error=line, exception=trace)
    return Mistake(line, trace)


def read_mistake(error: BaseException) -> ToolError:
    """The same of a tool that only reads. It is tried again, unless it says itself that this is of no use.

    Raises:
        BaseException: as above.
    """
    made = mistake(error)
    meant = error if isinstance(error, ApplicationError) else None
    kind = ToolCrashed if meant and meant.non_retryable else ReadCrashed
    broke = kind(made.line, retry_after=meant and meant.next_retry_delay)
    broke.trace = made.trace
    return broke


def _is_cancellation(error: BaseException) -> bool:
    return isinstance(error, asyncio.CancelledError | ActivityCancelled)


def _is_being_cancelled() -> bool:
    """Whether somebody wants the tool to end; otherwise it raises a cancellation of its own accord."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
