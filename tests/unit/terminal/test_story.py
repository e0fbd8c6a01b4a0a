"""A request's history, told as steps."""

from pathlib import Path

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ActivityError, ApplicationError, RetryState, TimeoutType
from temporalio.exceptions import TimeoutError as TimedOut

from deploy.terminal.story import (
    Approve,
    Asked,
    Broke,
    Calling,
    Corrected,
    Crashed,
    Decided,
    EditRefused,
    Ended,
    NotRun,
    Returned,
    Ruled,
    Settled,
    Settling,
    Step,
    Story,
    Waiting,
    reason,
)
from workflows.contract import (
    CHECK,
    DECIDE,
    SETTLE,
    AssistantEntry,
    NoteEntry,
    Progress,
    ReceiptStatus,
    Request,
    RequestStatus,
    Settlement,
    Situation,
    ToolCall,
    UserEntry,
)

RECORDED = Path(__file__).parent / "histories" / "mail_after_approval.json"
CONVERTER = pydantic_data_converter


async def told(*events: HistoryEvent, story: Story | None = None) -> list[Step]:
    story = story or Story(CONVERTER)
    return [step for event in events for step in await story.tell(event)]


async def recorded() -> list[Step]:
    history = WorkflowHistory.from_json("errand-recorded", RECORDED.read_text())
    return await told(*history.events)


def event(kind: EventType.ValueType, number: int = 1) -> HistoryEvent:
    return HistoryEvent(event_id=number, event_type=kind)


async def started(request: Request) -> HistoryEvent:
    made = event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)
    attributes = made.workflow_execution_started_event_attributes
    attributes.input.payloads.extend(await CONVERTER.encode([request]))
    return made


async def scheduled(tool: str, *inputs: object) -> HistoryEvent:
    made = event(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, 5)
    made.activity_task_scheduled_event_attributes.activity_type.name = tool
    made.activity_task_scheduled_event_attributes.input.payloads.extend(await CONVERTER.encode(inputs))
    return made


async def returned(result: object) -> HistoryEvent:
    made = event(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, 7)
    made.activity_task_completed_event_attributes.scheduled_event_id = 5
    made.activity_task_completed_event_attributes.result.payloads.extend(await CONVERTER.encode([result]))
    return made


async def update_accepted(verdict: Approve) -> HistoryEvent:
    made = event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED, 3)
    asked = made.workflow_execution_update_accepted_event_attributes.accepted_request.input
    asked.name = "approve"
    asked.args.payloads.extend(await CONVERTER.encode([verdict]))
    return made


def update_completed(*, failure: str = "") -> HistoryEvent:
    made = event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED, 9)
    ended = made.workflow_execution_update_completed_event_attributes
    ended.accepted_event_id = 3
    if failure:
        ended.outcome.failure.message = failure
        ended.outcome.failure.application_failure_info.type = "InvalidArguments"
    return made


async def test_the_first_step_is_the_request_and_the_last_its_outcome() -> None:
    steps = await recorded()
    assert isinstance(steps[0], Asked)
    assert steps[0].request.requester == "ann"
    assert isinstance(steps[-1], Ended)
    assert steps[-1].outcome.status is RequestStatus.COMPLETED


async def test_each_turn_is_told_with_the_calls_that_the_model_asked_for() -> None:
    decided = [step for step in await recorded() if isinstance(step, Decided)]
    assert [(step.turn, [call.tool for call in step.decision.calls]) for step in decided] == [
        (1, ["get_weather", "get_stock_price", "get_wether"]),
        (2, ["send_email"]),
        (3, []),
    ]


async def test_a_call_that_was_retried_says_how_often_and_after_what() -> None:
    (prices,) = [step for step in await recorded() if isinstance(step, Returned) and "stock" in step.calling.call.tool]
    assert prices.took.attempts == 3
    assert prices.took.after == "the stock service answered 503; it cannot answer now"
    assert prices.calling.about == "AAPL"


async def test_an_approval_is_told_from_the_wait_to_the_yes() -> None:
    steps = [step for step in await recorded() if isinstance(step, Waiting | Ruled)]
    assert [type(step) for step in steps] == [Waiting, Ruled, Waiting]
    assert isinstance(steps[1], Ruled)
    assert isinstance(steps[1].verdict, Approve)
    assert steps[1].verdict.by == "carol"


async def test_a_call_that_was_not_run_is_told_once_with_the_reason() -> None:
    assert [step for step in await recorded() if isinstance(step, NotRun)] == [
        NotRun("get_wether", "invalid", "there is no tool get_wether")
    ]


async def test_an_event_or_payload_of_another_version_tells_nothing() -> None:
    unknown = event(EventType.EVENT_TYPE_NEXUS_OPERATION_STARTED)
    strange = await scheduled("get_weather", {"not": "a call"})
    no_decision = event(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, 6)
    no_decision.activity_task_completed_event_attributes.scheduled_event_id = 5
    assert await told(unknown, strange, no_decision) == []


async def test_a_run_that_continues_another_goes_on_with_its_turn_and_does_not_repeat_the_request() -> None:
    story = Story(CONVERTER)
    whole = Request(text="count")
    moved = event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW)
    moved.workflow_execution_continued_as_new_event_attributes.new_execution_run_id = "second"
    assert await told(await started(whole), moved, story=story) == [Asked(whole)]
    assert story.next_run == "second"
    progress = Progress.model_validate({"conversation": (), "turn": 7, "deadline": "2030-01-01T00:00:00Z"})
    carried = whole.model_copy(update={"carried": progress})
    steps = await told(await started(carried), await scheduled(DECIDE, {"conversation": []}), story=story)
    assert [getattr(step, "turn", None) for step in steps] == [8]
    assert story.next_run is None


async def test_a_failed_call_is_told_in_the_words_of_the_tool() -> None:
    call = ToolCall(key="r/1.1", tool="look_up", arguments={})
    failed = event(EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED, 7)
    failed.activity_task_failed_event_attributes.scheduled_event_id = 5
    failed.activity_task_failed_event_attributes.failure.message = "there is no entry"
    failed.activity_task_failed_event_attributes.failure.application_failure_info.type = "NotFound"
    steps = await told(await scheduled("look_up", call), failed)
    assert steps == [Calling(call), Broke(Calling(call), "there is no entry")]


async def test_asking_the_ledger_is_told_with_what_it_says_and_not_as_the_call_again() -> None:
    call = ToolCall(key="r/1.1", tool="tell", arguments={})
    settlement = Settlement(status=ReceiptStatus.UNKNOWN, error="it was begun, and never reported on")
    steps = await told(await scheduled(SETTLE, call), await returned(settlement))
    assert steps == [Settling(call), Settled(call, settlement)]


async def test_a_correction_that_is_asked_for_is_told_when_the_model_gets_it_and_only_then() -> None:
    said = (UserEntry(text="Write"), AssistantEntry(text="I wrote it.", calls=()), NoteEntry(text="You did not."))
    later = (*said, AssistantEntry(text="Right.", calls=()))
    story = Story(CONVERTER)
    first = await told(await scheduled(DECIDE, Situation(conversation=said)), story=story)
    second = await told(await scheduled(DECIDE, Situation(conversation=later)), story=story)
    assert first[0] == Corrected("You did not.")
    assert not any(isinstance(step, Corrected) for step in second)


async def test_an_edited_approval_is_told_once_the_worker_has_checked_it() -> None:
    verdict = Approve(key="r/1.1", digest="", by="ann", arguments={"to": ["bob"]})
    checked = await scheduled(CHECK, ToolCall(key="r/1.1", tool="tell", arguments={"to": ["bob"]}))
    looked_at = [await update_accepted(verdict), checked, await returned({"tool": "tell", "arguments": {}})]
    story = Story(CONVERTER)
    assert await told(*looked_at, story=story) == []
    assert await told(update_completed(), story=story) == [Ruled(verdict)]


async def test_an_edited_approval_that_is_refused_is_told_as_that() -> None:
    verdict = Approve(key="r/1.1", digest="", by="ann", arguments={})
    steps = await told(await update_accepted(verdict), update_completed(failure="to: Field required"))
    assert steps == [EditRefused(verdict, "to: Field required")]


async def test_a_terminated_run_is_told_with_its_reason() -> None:
    ended = event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED)
    ended.workflow_execution_terminated_event_attributes.reason = "out of hand"
    assert await told(ended) == [Crashed("terminated", "out of hand")]


def test_a_reason_is_the_message_inside_the_wrappers() -> None:
    inner = ApplicationError("no such city")
    inner.__cause__ = ValueError("404")
    outer = ActivityError(
        "Activity task failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="",
        activity_type="get_weather",
        activity_id="1",
        retry_state=RetryState.NON_RETRYABLE_FAILURE,
    )
    outer.__cause__ = inner
    assert reason(outer) == "no such city"


def test_a_time_out_says_what_had_gone_wrong_before() -> None:
    late = TimedOut("activity ScheduleToClose timeout", type=TimeoutType.SCHEDULE_TO_CLOSE, last_heartbeat_details=[])
    late.__cause__ = ApplicationError("the service answered 503")
    assert reason(late) == "it took too long (activity ScheduleToClose timeout), after: the service answered 503"
