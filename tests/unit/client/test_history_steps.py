"""A request's history, told as steps."""

from datetime import UTC, datetime
from pathlib import Path

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ActivityError, ApplicationError, RetryState, TimeoutType
from temporalio.exceptions import TimeoutError as TimedOut

from deploy.client.history_steps import Story
from deploy.client.payloads import reason
from deploy.client.steps import (
    Answered,
    Asked,
    AskedAgain,
    Broke,
    Calling,
    CloseAsked,
    Corrected,
    Crashed,
    Decided,
    Demoted,
    EditRefused,
    Ended,
    Listening,
    MessageCame,
    NotAnswered,
    NotRun,
    Replied,
    Returned,
    Ruled,
    Settled,
    Settling,
    Shaped,
    Shaping,
    Step,
    Thinking,
    Waiting,
)
from workflows.contract.api import Approve, Outcome, PendingApproval, ReceiptStatus, Request, RequestStatus, Say, Usage
from workflows.contract.conversation import AssistantEntry, NoteEntry, UserEntry
from workflows.contract.internal import (
    ANSWER,
    CHECK,
    DECIDE,
    SETTLE,
    Answer,
    Decision,
    EditedCall,
    ModelInput,
    Settle,
    Settlement,
    ToolCall,
)
from workflows.contract.progress import LimitsUsed, Messages, Progress, QueuedMessage
from workflows.inbox import IDLE

RECORDED = Path(__file__).parent / "histories" / "mail_after_approval.json"
CONVERTER = pydantic_data_converter


async def told(*events: HistoryEvent, story: Story | None = None) -> list[Step]:
    story = story or Story(CONVERTER)
    return [step for event in events for step in await story.tell(event)]


async def recorded() -> list[Step]:
    history = WorkflowHistory.from_json("errand-recorded", RECORDED.read_text())
    return await told(*history.events)


def spent(*, turns: int) -> LimitsUsed:
    return LimitsUsed(turn=turns, deadline=datetime(2030, 1, 1, tzinfo=UTC))


def event(kind: EventType.ValueType, number: int = 1) -> HistoryEvent:
    return HistoryEvent(event_id=number, event_type=kind)


async def started(request: Request) -> HistoryEvent:
    made = event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)
    attributes = made.workflow_execution_started_event_attributes
    attributes.input.payloads.extend(await CONVERTER.encode([request]))
    return made


async def scheduled(tool: str, *inputs: object, about: str = "") -> HistoryEvent:
    made = event(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, 5)
    made.activity_task_scheduled_event_attributes.activity_type.name = tool
    made.activity_task_scheduled_event_attributes.input.payloads.extend(await CONVERTER.encode(inputs))
    made.user_metadata.summary.CopyFrom((await CONVERTER.encode([about]))[0])
    return made


async def listening() -> HistoryEvent:
    made = event(EventType.EVENT_TYPE_TIMER_STARTED, 20)
    made.user_metadata.summary.CopyFrom((await CONVERTER.encode([IDLE]))[0])
    return made


async def said(text: str, message_id: str, question: str = "") -> HistoryEvent:
    made = event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED, 3)
    request = made.workflow_execution_update_accepted_event_attributes.accepted_request
    request.input.name, request.meta.update_id = "say", message_id
    request.input.args.payloads.extend(await CONVERTER.encode([Say(text=text, by="bob", question=question)]))
    return made


async def answered(outcome: Outcome) -> HistoryEvent:
    made = event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED, 9)
    ended = made.workflow_execution_update_completed_event_attributes
    ended.accepted_event_id = 3
    ended.outcome.success.payloads.extend(await CONVERTER.encode([outcome]))
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


def update_completed(*, failure: str = "", kind: str = "InvalidArguments") -> HistoryEvent:
    made = event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED, 9)
    ended = made.workflow_execution_update_completed_event_attributes
    ended.accepted_event_id = 3
    if failure:
        ended.outcome.failure.message = failure
        ended.outcome.failure.application_failure_info.type = kind
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
    carried = whole.model_copy(
        update={"carried": Progress(messages=Messages(), spending=spent(turns=7)).model_dump(mode="json")}
    )
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
    steps = await told(await scheduled(SETTLE, Settle(call=call)), await returned(settlement))
    assert steps == [Settling(call), Settled(call, settlement)]


async def test_a_correction_that_is_asked_for_is_told_when_the_model_gets_it_and_only_then() -> None:
    said = (UserEntry(text="Write"), AssistantEntry(text="I wrote it."), NoteEntry(text="You did not."))
    later = (*said, AssistantEntry(text="Right."))
    story = Story(CONVERTER)
    first = await told(await scheduled(DECIDE, ModelInput(conversation=said)), story=story)
    second = await told(await scheduled(DECIDE, ModelInput(conversation=later)), story=story)
    assert first[0] == Corrected("You did not.")
    assert not any(isinstance(step, Corrected) for step in second)


async def test_an_edited_approval_is_told_once_the_worker_has_checked_it() -> None:
    verdict = Approve(key="r/1.1", digest="", by="ann", arguments={"to": ["bob"]})
    checked = await scheduled(CHECK, EditedCall(call=ToolCall(key="r/1.1", tool="tell", arguments={"to": ["bob"]})))
    looked_at = [await update_accepted(verdict), checked, await returned({"tool": "tell", "arguments": {}})]
    story = Story(CONVERTER)
    assert await told(*looked_at, story=story) == []
    assert await told(update_completed(), story=story) == [Ruled(verdict)]


async def test_an_edited_approval_that_needs_a_second_yes_is_told_with_the_call_as_it_waits_then() -> None:
    verdict = Approve(key="r/1.1", digest="", by="ann", arguments={"to": ["eve"]})
    pending = PendingApproval(
        key="r/1.1",
        digest="d",
        tool="tell",
        arguments={"to": ["eve"]},
        reason="nobody",
        expires_at=datetime(2030, 1, 1, tzinfo=UTC),
    )
    done = update_completed()
    outcome = done.workflow_execution_update_completed_event_attributes.outcome
    outcome.success.payloads.extend(await CONVERTER.encode([pending]))
    assert await told(await update_accepted(verdict), done) == [AskedAgain(verdict, pending)]


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


HELLO = Outcome(request_id="r", status=RequestStatus.COMPLETED, summary="Hello.")


async def test_a_message_is_told_with_its_answer_and_only_then_that_the_next_one_is_waited_for() -> None:
    steps = await told(await said("Hi.", "m1"), await listening(), await answered(HELLO))
    assert steps == [MessageCame(QueuedMessage(id="m1", text="Hi.", by="bob")), Answered("m1", HELLO), Listening()]


async def test_the_next_message_takes_the_place_of_waiting_for_one() -> None:
    story = Story(CONVERTER)
    await told(await said("Hi.", "m1"), await listening(), story=story)
    later = await said("And?", "m2")
    later.event_id = 11
    steps = await told(later, await answered(HELLO), story=story)
    assert [type(step) for step in steps] == [MessageCame, Answered]


async def test_the_answer_to_the_first_text_is_told_when_the_next_message_is_waited_for_and_once() -> None:
    decided = [await scheduled(DECIDE, ModelInput(conversation=()), about="turn 1"), await returned(saying("Hello."))]
    steps = await told(*decided, await listening(), await listening())
    assert [step for step in steps if isinstance(step, Listening)] == [Listening("Hello."), Listening()]


async def test_a_message_that_is_said_again_in_the_next_run_is_told_once() -> None:
    moved = update_completed(failure="it goes on in a new run", kind="Moved")
    steps = await told(await said("Hi.", "m1"), moved, await said("Hi.", "m1"), await answered(HELLO))
    assert steps == [MessageCame(QueuedMessage(id="m1", text="Hi.", by="bob")), Answered("m1", HELLO)]


async def test_a_message_without_an_answer_and_the_wish_to_close_are_told() -> None:
    steps = await told(await said("Hi.", "m1"), update_completed(failure="it was lost", kind="Other"))
    assert isinstance(steps[1], NotAnswered)
    assert "it was lost" in steps[1].error
    close = event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED, 4)
    close.workflow_execution_update_accepted_event_attributes.accepted_request.input.name = "close"
    assert await told(close) == [CloseAsked()]


def saying(text: str, **more: object) -> Decision:
    return Decision.model_validate({"text": text, "usage": Usage(), **more})


async def test_the_turn_is_the_one_that_the_workflow_says_also_where_it_asks_twice() -> None:
    asked = ModelInput(conversation=(UserEntry(text="Hi."), NoteEntry(text="You did not.")))
    steps = await told(
        await scheduled(DECIDE, asked, about="turn 4"), await scheduled(DECIDE, asked, about="turn 4, shortened")
    )
    assert steps == [Corrected("You did not."), Thinking(4), Thinking(4, shortened=True)]


async def test_putting_the_result_into_the_schema_belongs_to_the_last_turn() -> None:
    answer = Answer(output={"price": 3}, usage=Usage())
    steps = await told(
        await scheduled(DECIDE, ModelInput(conversation=()), about="turn 2"),
        await returned(saying("It is 3.")),
        await scheduled(ANSWER, ModelInput(conversation=()), about="the output"),
        await returned(answer),
    )
    assert steps[2:] == [Shaping(2), Shaped(2, answer)]


async def test_what_the_endpoint_cannot_do_is_told_once() -> None:
    asked = await scheduled(DECIDE, ModelInput(conversation=()))
    first, second = saying("", demoted=["no tools"]), saying("", demoted=["no tools", "no schema"])
    steps = await told(asked, await returned(first), asked, await returned(second))
    assert [step for step in steps if isinstance(step, Demoted)] == [Demoted("no tools"), Demoted("no schema")]


async def test_what_is_wrong_with_a_reply_is_not_told_again_as_a_correction() -> None:
    problem = "That is no JSON."
    told_so = ModelInput(conversation=(UserEntry(text="Hi."), NoteEntry(text=problem)))
    asked = await scheduled(DECIDE, ModelInput(conversation=()))
    steps = await told(asked, await returned(saying("", problem=problem)), await scheduled(DECIDE, told_so))
    assert [type(step) for step in steps] == [Thinking, Decided, Thinking]


RUNNING = Outcome(request_id="r", status=RequestStatus.RUNNING, summary="This answers r/1.1.")


async def test_an_answer_that_names_its_question_is_told_as_one_and_never_as_a_message() -> None:
    reply = Replied(QueuedMessage(id="m1", text="the first", by="bob"), "r/1.1")
    assert await told(await said("the first", "m1", "r/1.1"), await answered(RUNNING)) == [reply]


async def test_a_message_that_turns_out_to_answer_a_question_is_told_as_both() -> None:
    message = QueuedMessage(id="m1", text="the first", by="bob")
    assert await told(await said("the first", "m1"), await answered(RUNNING)) == [
        MessageCame(message),
        Replied(message),
    ]
