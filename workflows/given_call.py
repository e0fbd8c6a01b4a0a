"""A request that is one call, made as it is given: held to schema and policy like any other, and no model is asked."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from workflows import receipts
from workflows.activity_results import UnusableResult, execute
from workflows.contract.api import GivenCall, Receipt, ReceiptStatus, Request, RequestStatus
from workflows.contract.conversation import UserEntry
from workflows.contract.internal import PREPARE, Decision, EditedCall, ToolCall
from workflows.contract.values import texts
from workflows.limits import Allowance, Ended
from workflows.markdown import code


async def decision_on(given: GivenCall, request: Request, allowance: Allowance) -> Decision:
    """What would be decided if a model asked for the call, in words of the requester.

    Raises:
        Ended: a limit is reached, or no worker can say.
        asyncio.CancelledError: the request is cancelled.
    """
    allowance.begin_turn()
    call = ToolCall(
        key=workflow.info().workflow_id, tool=given.tool, arguments=given.arguments, requester=request.requester
    )
    try:
        return await execute(
            PREPARE,
            EditedCall(call=call, conversation=(said_by(given),), notify=request.notify),
            Decision,
            summary=code(given.tool),
            start_to_close_timeout=timedelta(seconds=10),
            schedule_to_close_timeout=min(timedelta(minutes=10), allowance.time_left()),
        )
    except UnusableResult as error:
        raise Ended(RequestStatus.FAILED, f"Nothing was done: {error}") from error
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise asyncio.CancelledError from error
        raise Ended(RequestStatus.FAILED, f"Nothing was done: {receipts.reason(error)}") from error


def said_by(given: GivenCall) -> UserEntry:
    """What whoever gives a call has said thereby."""
    return UserEntry(text="\n".join(texts(given.arguments)))


def status_of(receipt: Receipt) -> RequestStatus:
    """The status of a request that is this one call."""
    good = (ReceiptStatus.DONE, ReceiptStatus.PLANNED)
    return RequestStatus.COMPLETED if receipt.status in good else RequestStatus.FAILED
