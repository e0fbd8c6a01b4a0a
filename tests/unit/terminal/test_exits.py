"""How commands end."""

import pytest
from pydantic import ValidationError
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import ConfigurationError, InvalidArguments, NotOpen, ServiceUnavailable, Unreachable
from deploy.terminal.exits import explain
from workflows.contract import Request


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


def test_a_request_that_breaks_the_contract_names_the_field() -> None:
    with pytest.raises(ValidationError) as wrong:
        Request(text="")
    assert explain(wrong.value) == (2, "text: Value error, it is blank; say what should happen")


def test_an_interrupt_is_130_and_silent() -> None:
    assert explain(KeyboardInterrupt()) == (130, "")


def test_an_error_that_nobody_foresaw_is_raised_with_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        explain(ZeroDivisionError())
