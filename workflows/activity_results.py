"""Run an activity and read its result, which need not be what the activity returns: an operator may have written it."""

from typing import TypeVar, Unpack

from temporalio import workflow
from temporalio.common import RawValue

T = TypeVar("T")


class UnusableResult(Exception):
    """An activity was completed, by hand or by a worker of another release, with what cannot be read."""


async def execute(activity: str, argument: object, kind: type[T], **options: Unpack[workflow.ActivityConfig]) -> T:
    """Await an activity.

    Raises:
        UnusableResult: its result is no `kind`.
        ActivityError: it failed.
    """
    return read(await workflow.execute_activity(activity, argument, result_type=RawValue, **options), activity, kind)


def read(raw: RawValue | None, activity: str, kind: type[T]) -> T:
    """The result in it; None is what the SDK makes of a completion without one.

    Raises:
        UnusableResult: the result is no `kind`.
    """
    if raw is None:
        raise UnusableResult(f"{activity} was completed without a result")
    try:
        result = workflow.payload_converter().from_payload(raw.payload, kind)
    except Exception as error:  # whatever a converter has to say of somebody's bytes
        raise UnusableResult(f"{activity} was completed with a result that is none of its own") from error
    if not isinstance(result, kind):
        raise UnusableResult(f"{activity} was completed without a result")
    return result
