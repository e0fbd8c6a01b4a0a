"""How commands end."""

from collections.abc import Callable

import pytest
from pydantic import ValidationError
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import (
    CannotDecrypt,
    ConfigurationError,
    InvalidArguments,
    NotOpen,
    ServiceUnavailable,
    Unreachable,
)
from deploy.terminal.exit_codes import explain
from workflows.contract.api import Approve, Limits, Reject, Request, Say
from workflows.contract.messages import Input


def rpc(status: RPCStatusCode, message: str) -> RPCError:
    return RPCError(message, status, b"")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (WorkflowFailureError(cause=ApplicationError("bad input")), 1),
        (WorkflowUpdateFailedError(ApplicationError("bad input")), 1),
        (InvalidArguments("bad input"), 1),
        (ConfigurationError("bad input"), 2),
        (NotOpen("bad input"), 2),
        (CannotDecrypt("bad input"), 2),
        (rpc(RPCStatusCode.INVALID_ARGUMENT, "bad input"), 2),
        (Unreachable("bad input"), 3),
        (ServiceUnavailable("bad input"), 3),
        (rpc(RPCStatusCode.UNAVAILABLE, "bad input"), 3),
        (rpc(RPCStatusCode.DEADLINE_EXCEEDED, "bad input"), 3),
    ],
)
def test_every_kind_of_error_has_its_exit_code_and_keeps_its_message(error: Exception, code: int) -> None:
    assert explain(error)[0] == code
    assert "bad input" in explain(error)[1]


def test_an_unknown_request_is_named() -> None:
    unknown = rpc(RPCStatusCode.NOT_FOUND, "workflow not found for ID: errand-1")
    assert explain(unknown) == (2, "there is no request errand-1")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Request(text=""), "TEXT: it is blank; say what should happen"),
        (lambda: Request(text="Go", requester="x" * 201), "--requester: it has 201 characters, and 200 are the most"),
        (lambda: Limits(turns=0), "--max-turns: expected 1 or more, not 0"),
        (lambda: Limits(calls=301), "--max-calls: expected 300 or less, not 301"),
        (lambda: Limits(seconds=0), "--timeout: expected more than 0, not 0"),
        (lambda: Limits(idle_seconds=-1), "--idle: expected more than 0, not -1"),
        (lambda: Limits(cost=float("nan")), "--max-cost: expected a number, not NaN"),
        (lambda: Say(text="x" * 20_001), "the message: it has 20,001 characters, and 20,000 are the most"),
        (lambda: Say(text="Go", by="x" * 201), "--by: it has 201 characters, and 200 are the most"),
        (lambda: Approve(key="k", digest="d", by=" "), "--by: it is blank (who decides: a person's name)"),
        (
            lambda: Reject(key="k", digest="d", by="ann", reason="x" * 2001),
            "--reason: it has 2,001 characters, and 2,000 are the most",
        ),
    ],
)
def test_an_option_that_breaks_the_contract_is_called_by_its_own_name(make: Callable[[], Input], words: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        make()
    assert explain(wrong.value) == (2, words)


def test_an_interrupt_is_130_and_silent() -> None:
    assert explain(KeyboardInterrupt()) == (130, "")


def test_an_error_that_nobody_foresaw_is_raised_with_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        explain(ZeroDivisionError())
