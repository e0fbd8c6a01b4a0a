"""What a worker does not have is named in one line, and what is known of earlier attempts is not lost."""

import dataclasses

import pytest
from temporalio.common import RawValue
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.errors import NotOffered
from activities.execution.not_offered import not_offered
from workflows.contract.internal import AttemptBeat, Recall, ToolCall

CALL = ToolCall(key="r/1.1", tool="fax", arguments={"to": "ann"}, chain="5eed")
CONVERTER = pydantic_data_converter.payload_converter


def worker(activity: str, *beats: AttemptBeat) -> ActivityEnvironment:
    environment = ActivityEnvironment()
    environment.payload_converter = CONVERTER
    heard = [beat.model_dump() for beat in beats]
    environment.info = dataclasses.replace(
        environment.info, activity_type=activity, attempt=1 + len(beats), heartbeat_details=heard
    )
    return environment


def given(*values: object) -> list[RawValue]:
    return [RawValue(payload) for payload in CONVERTER.to_payloads(values)]


async def failure(environment: ActivityEnvironment, *values: object) -> ApplicationError:
    with pytest.raises(ApplicationError) as raised:
        await environment.run(not_offered, given(*values))
    return raised.value


async def test_a_tool_that_is_not_here_is_named_and_tried_again() -> None:
    error = await failure(worker("fax"), CALL)
    assert (error.type, error.non_retryable) == ("NotOffered", False)
    assert error.message.startswith("this worker does not offer the tool fax, so this attempt did nothing")
    assert "\n" not in error.message


async def test_that_an_earlier_attempt_has_acted_is_said_on() -> None:
    beat = AttemptBeat(stage="acting", attempt=1, token="t")
    [detail] = (await failure(worker("fax", beat), CALL)).details
    assert (detail.acting, detail.tokens, detail.certain) == (True, ("t",), False)
    [detail] = (await failure(worker("fax"), CALL)).details
    assert (detail.acting, detail.tokens) == (False, ())


async def test_a_write_that_is_asked_again_goes_on_counting_its_attempts() -> None:
    again = CALL.model_copy(update={"tried_before": 5})
    [detail] = (await failure(worker("fax"), again)).details
    assert detail.attempt == 6


@pytest.mark.parametrize("values", [(Recall(request_id="r", chain="5eed", known=(), ledger=""),), (), ("text",)])
async def test_an_activity_that_is_no_tool_is_of_another_release(values: tuple[object, ...]) -> None:
    with pytest.raises(NotOffered, match="this worker knows no look_ahead, so it did nothing: start workers"):
        await worker("look_ahead").run(not_offered, given(*values))
