"""A real request as a case: the same texts and limits, the calls that were made, and the results that they brought."""

from activities.errors import ConfigurationError
from deploy.client.call_accounts import CallAccount, RequestAccount
from deploy.client.cases import Case, Expected, Said
from workflows.contract.api import Limits, ReceiptStatus, RequestStatus


def case_of(account: RequestAccount) -> Case:
    """The case that a request makes. What it shall say in the end is for a person to add.

    Raises:
        ConfigurationError: the request has no text of its own.
    """
    if not account.text:
        raise ConfigurationError(f"{account.request_id}: it has no text that a model could be asked again")
    made = (each for each in account.calls.values() if each.began_at or each.status is ReceiptStatus.REJECTED)
    calls = tuple(map(_expected, made))
    asked = account.request
    stopped = account.ended == RequestStatus.LIMIT_REACHED
    return Case(
        name=account.request_id,
        request=account.text,
        requester=account.requester,
        say=tuple(Said(text=text) for text in account.messages.values()),
        limits=asked.limits if asked else Limits(),
        approve=account.approve,
        output_schema=asked.output_schema if asked else None,
        status=RequestStatus.LIMIT_REACHED if stopped else RequestStatus.COMPLETED,
        call=calls,
        none=not calls,
        ordered=any(each.effect == "write" for each in account.calls.values()),
    )


def _expected(each: CallAccount) -> Expected:
    """The call as the model made it, also where a person changed it."""
    written = each.proposed.as_made if each.proposed else each.arguments
    if each.status is ReceiptStatus.DONE:
        return Expected(tool=each.tool, arguments=written, result=each.result)
    if each.status is ReceiptStatus.REJECTED:
        said_no = next((verdict for verdict in reversed(each.verdicts) if not verdict.yes), None)
        return Expected(tool=each.tool, arguments=written, rejected=said_no.reason if said_no else "")
    return Expected(tool=each.tool, arguments=written, error=each.error or "it failed")
