"""How a command ends: every error's exit code, and what is said about it."""

import asyncio
import errno
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NoReturn

import typer
from pydantic import ValidationError
from temporalio.client import WorkflowFailureError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import TemporalError
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import (
    CannotDecrypt,
    ErrandError,
    InvalidArguments,
    ModelUnavailable,
    ServiceUnavailable,
    Unreachable,
)
from deploy.client.endings import crash_of
from deploy.client.payloads import reason
from deploy.client.requests import TakenId, taken_id
from deploy.client.timetables import Timetable
from workflows.contract.api import Approve, Limits, Reject, Request, Say
from workflows.contract.messages import Input
from workflows.refusals import sentence

if TYPE_CHECKING:
    from deploy.terminal.screen import Screen

INPUTS: dict[type[Input], dict[str, str]] = {
    Request: {
        "text": "TEXT",
        "requester": "--requester",
        "approve": "--approve",
        "output_schema": "--schema",
        "notify": "--notify",
        "rehearse": "--rehearse",
    },
    Limits: {
        "turns": "--max-turns",
        "calls": "--max-calls",
        "input_tokens": "--max-input-tokens",
        "output_tokens": "--max-output-tokens",
        "cost": "--max-cost",
        "seconds": "--timeout",
        "idle_seconds": "--idle",
    },
    Say: {"by": "--by", "text": "the message"},
    Timetable: {
        "cron": "CRON",
        "zone": "--zone",
        "words": "--words",
        "jitter_seconds": "--jitter",
        "catch_up_seconds": "--catch-up",
    },
    Approve: {"by": "--by"},
    Reject: {"by": "--by", "reason": "--reason"},
}
"""What the commands call the fields of what they send."""
OPTIONS = INPUTS[Request] | {f"limits.{name}": option for name, option in INPUTS[Limits].items()}

ENDED_OTHERWISE, USAGE, UNREACHABLE, NOT_WRITTEN, INTERRUPTED = 1, 2, 3, 4, 130

NOTHING_IS_KNOWN = (
    "it is encrypted, so nothing is known here of what became of it, and it may have been done: "
    "name the file of the workers' keys in ERRAND_PAYLOAD_KEYS, and look again"
)


class CannotDecide(ErrandError):
    """It is not clear which call is meant, or none waits."""


def end_with(command: "Callable[[Screen], Awaitable[int]]", *, quiet: bool = False) -> NoReturn:
    """Run a command, and end with its exit code. `quiet` keeps standard output free for JSON."""
    from deploy.terminal.screen import Screen

    screen = Screen(quiet=quiet)

    async def run() -> int:
        return await command(screen)

    try:
        code = asyncio.run(run())
    except BaseException as error:
        code, text = explain(error)
        if text:
            screen.error(text)
    raise typer.Exit(code)


def explain(error: BaseException) -> tuple[int, str]:
    """The exit code that an error ends a command with, and what is said about it. What is not foreseen is raised."""
    match error:
        case KeyboardInterrupt():
            return INTERRUPTED, ""
        case TakenId(request_id=id, fields=fields):
            return USAGE, taken_id(id, [OPTIONS.get(name, name) for name in fields])
        case CannotDecrypt():
            return USAGE, f"{error}; {NOTHING_IS_KNOWN}"
        case Unreachable() | ServiceUnavailable() | ModelUnavailable():
            return UNREACHABLE, str(error)
        case InvalidArguments():
            return ENDED_OTHERWISE, str(error)
        case ErrandError():
            return USAGE, str(error)
        case ValidationError():
            kind = next((each for each in INPUTS if each.__name__ == error.title), Input)
            return USAGE, sentence(error, kind, INPUTS.get(kind))
        case WorkflowUpdateRPCTimeoutOrCancelledError():
            return UNREACHABLE, "no worker took the answer in time; it may still arrive"
        case RPCError():
            return _explain_rpc(error)
        case WorkflowFailureError():
            return ENDED_OTHERWISE, str(crash_of(error))
        case TemporalError():
            return ENDED_OTHERWISE, reason(error)
        case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EFBIG | errno.EIO | errno.EBADF, filename=None):
            return NOT_WRITTEN, f"the output cannot be written: {error.strerror}"
        case _:
            raise error


def _explain_rpc(error: RPCError) -> tuple[int, str]:
    gone = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)
    if error.status in gone:
        return UNREACHABLE, f"Temporal does not answer: {error.message}"
    return USAGE, error.message.replace("workflow not found for ID: ", "there is no request ")
