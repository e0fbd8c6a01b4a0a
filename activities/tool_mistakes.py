"""What a tool raises that is no error of the tree: a mistake, told in one line.

Whatever it is, it must not leave the tool's coroutine as it is. `SystemExit` and `KeyboardInterrupt` would end the
worker where a task raises them, and so would a broken pool of processes; a message of 3 MB is more than Temporal keeps.
"""

import asyncio

import structlog
from temporalio.exceptions import ApplicationError
from temporalio.exceptions import CancelledError as ActivityCancelled

from activities.error_text import in_one_line, trace_of
from activities.errors import ReadBroke, ToolBroke, ToolError

log = structlog.stdlib.get_logger(__name__)


def mistake(error: BaseException) -> str:
    """What a tool raised, in one line: "ValueError: not a number". The log has where, once.

    Raises:
        BaseException: the error itself, where it is no mistake: the tool is being cancelled.
    """
    if isinstance(error, GeneratorExit) or (_is_cancellation(error) and _is_being_cancelled()):
        raise error
    line = in_one_line(error)
    log.error("a mistake in a tool", error=line, exception=trace_of(error))
    return line


def read_mistake(error: BaseException) -> ToolError:
    """The same of a tool that only reads. It is tried again, unless it says itself that this is of no use.

    Raises:
        BaseException: as above.
    """
    line = mistake(error)
    said = error if isinstance(error, ApplicationError) else None
    kind = ToolBroke if said and said.non_retryable else ReadBroke
    broke = kind(line, retry_after=said and said.next_retry_delay)
    broke.trace = trace_of(error)
    return broke


def _is_cancellation(error: BaseException) -> bool:
    return isinstance(error, asyncio.CancelledError | ActivityCancelled)


def _is_being_cancelled() -> bool:
    """Whether somebody wants the tool to end; otherwise it raises a cancellation of its own accord."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
