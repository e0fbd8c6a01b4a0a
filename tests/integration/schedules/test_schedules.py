"""Requests that start at set times, against a real dev server and a real worker."""

import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError
from temporalio.client import (
    Client,
    CreateScheduleInput,
    Interceptor,
    OutboundInterceptor,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleSpec,
)
from temporalio.service import RPCError, RPCStatusCode
from typing_extensions import override

from activities.errors import ConfigurationError
from activities.settings import Settings
from client import approve, find, handle_of, outcome, state
from deploy.client.schedule_runs import BackfillUnderWay, backfill_schedule, run_schedule_now
from deploy.client.schedules import (
    NoSchedule,
    ScheduleState,
    TakenScheduleId,
    add_schedule,
    delete_schedule,
    describe_schedule,
    find_schedules,
    pause_schedule,
    resume_schedule,
)
from deploy.client.timetables import Preview, Timetable, preview, times_between
from tests.conftest import running_worker
from tests.integration.cli.conftest import eventually
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import GivenCall, PendingApproval, Request

TELL = Request(text="Tell ann.", requester="bob", approve=("tell",))
YEARLY = Timetable(cron="0 8 1 1 *", zone="Europe/Berlin")
BERLIN = ZoneInfo("Europe/Berlin")


@asynccontextmanager
async def scheduled(
    client: Client, settings: Settings, timetable: Timetable = YEARLY, request: Request = TELL
) -> AsyncGenerator[ScheduleState]:
    made = await add_schedule(
        client, timetable, request, schedule_id=f"s-{uuid.uuid4().hex[:6]}", task_queue=settings.worker.task_queue
    )
    try:
        yield made
    finally:
        await delete_schedule(client, made.schedule_id)


async def ended(client: Client, request_id: str) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await outcome(handle_of(client, request_id))
            except Exception:  # it is not started yet
                await asyncio.sleep(0.1)
            else:
                return


async def approved(client: Client, request_id: str) -> None:
    """Say yes to the call of a request, once it waits."""
    handle = handle_of(client, request_id)

    async def waiting() -> tuple[PendingApproval, ...]:
        with suppress(Exception):  # it is not started yet
            return (await state(handle)).awaiting_approval
        return ()

    await approve(handle, (await eventually(waiting))[0], by="carol")


def scripted(model: ScriptedModel) -> None:
    model.scripts["Tell ann."] = [calls(call("tell", to=["ann"], what="hello")), say("Told.")] * 5


# --- times -----------------------------------------------------------------------------------------------------------


async def test_the_next_three_times_are_shown_in_the_zone_and_nothing_is_left_of_the_preview(client: Client) -> None:
    made = Made()
    watched = Client(client.service_client, namespace=client.namespace, interceptors=[made])
    ahead = await preview(watched, Timetable(cron="0 8 * * 1-5", zone="Europe/Berlin"))
    assert len(ahead.next_times) == 3
    assert {(each.hour, each.minute, each.weekday() < 5) for each in ahead.next_times} == {(8, 0, True)}
    assert {each.utcoffset() for each in ahead.next_times} <= {timedelta(hours=1), timedelta(hours=2)}
    assert ahead.clock_changes == ()
    assert made.ids
    for draft in made.ids:
        with pytest.raises(RPCError) as raised:
            await client.get_schedule_handle(draft).describe()
        assert raised.value.status is RPCStatusCode.NOT_FOUND


class Made(Interceptor, OutboundInterceptor):
    """The ids of the schedules that a client makes."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    @override
    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        OutboundInterceptor.__init__(self, next)
        return self

    @override
    async def create_schedule(self, input: CreateScheduleInput) -> ScheduleHandle:
        self.ids.append(input.id)
        return await super().create_schedule(input)


async def test_a_time_in_the_hour_of_a_clock_change_is_explained_both_ways(client: Client) -> None:
    told = (await preview(client, Timetable(cron="30 2 * * *", zone="Europe/Berlin"))).clock_changes
    assert sorted(each.partition(", ")[2] for each in told) == [
        "clocks go back and show 02:30 twice: one run, at the second",
        "clocks go forward: 02:30 is skipped",
    ]


async def test_what_is_said_of_a_clock_change_is_what_the_server_does(client: Client) -> None:
    nightly = Timetable(cron="30 2 * * *", zone="Europe/Berlin")
    spring = [datetime(2027, 3, day, tzinfo=BERLIN) for day in (27, 30)]
    runs = [each.astimezone(BERLIN) for each in await times_between(client, nightly, *spring)]
    assert [(each.day, each.hour) for each in runs] == [(27, 2), (29, 2)]
    autumn = [datetime(2027, 10, 31, tzinfo=BERLIN), datetime(2027, 11, 1, tzinfo=BERLIN)]
    assert await times_between(client, nightly, *autumn) == [datetime(2027, 10, 31, 1, 30, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("every day at 8", "has 4 fields: expected 5"),
        ("0 0 8 * * *", "has 6 fields: expected 5 \\(minute, hour, day, month, weekday\\)"),
        ("0 8 * * * 2027", "has 6 fields: expected 5"),
        ("@now", "cron text"),
        ("0 8 31 2 *", "there is no such time to come"),
        ("0 8 L * *", "cron text"),
    ],
)
async def test_a_cron_text_that_is_none_is_refused_in_words(client: Client, cron: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        await preview(client, Timetable(cron=cron))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"cron": "CRON_TZ=Europe/Berlin 0 8 * * *"}, "a field of its own"),
        ({"cron": " "}, "it is blank"),
        ({"cron": "0 8 * * *", "zone": "Mars/Base"}, "there is no time zone"),
    ],
)
def test_a_timetable_that_is_none_is_refused(fields: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Timetable.model_validate(fields)


# --- schedules -------------------------------------------------------------------------------------------------------


async def test_a_schedule_keeps_the_words_that_it_was_made_with(client: Client, settings: Settings) -> None:
    timetable = Timetable(cron="0 8 * * 1-5", zone="Europe/Berlin", words="every weekday at 8")
    async with scheduled(client, settings, timetable) as made:
        known = await describe_schedule(client, made.schedule_id)
        assert (known.timetable, known.request) == (timetable, TELL)
        assert [each.timetable for each in await find_schedules(client) if each.schedule_id == made.schedule_id] == [
            timetable
        ]
        assert await find_schedules(client, requester="nobody") == []
        policy = (await client.get_schedule_handle(made.schedule_id).describe()).schedule.policy
        assert (policy.overlap.name, policy.catchup_window) == ("SKIP", timedelta(hours=1))


@pytest.mark.long
async def test_the_same_schedule_under_the_same_id_is_one_and_another_is_refused(
    client: Client, settings: Settings
) -> None:
    async with scheduled(client, settings) as made:
        again = await add_schedule(
            client, YEARLY, TELL, schedule_id=made.schedule_id, task_queue=settings.worker.task_queue
        )
        assert again == made
        other = TELL.model_copy(update={"text": "Tell bob."})
        with pytest.raises(TakenScheduleId, match="is taken by another schedule"):
            await add_schedule(client, YEARLY, other, schedule_id=made.schedule_id)
        with pytest.raises(TakenScheduleId):
            await add_schedule(client, Timetable(cron="0 9 1 1 *"), TELL, schedule_id=made.schedule_id)


async def test_a_request_that_stays_open_cannot_be_scheduled(client: Client) -> None:
    with pytest.raises(ConfigurationError, match="keep_open"):
        await add_schedule(client, YEARLY, Request(text="Hello.", keep_open=True))


async def test_a_schedule_of_somebody_else_is_not_listed_and_not_described(client: Client) -> None:
    id = f"other-{uuid.uuid4().hex[:6]}"
    action = ScheduleActionStartWorkflow("Other", id=id, task_queue="nobody")
    handle = await client.create_schedule(id, Schedule(action, ScheduleSpec(cron_expressions=["0 8 1 1 *"])))
    assert id not in [each.schedule_id for each in await find_schedules(client)]
    with pytest.raises(NoSchedule, match="something else"):
        await describe_schedule(client, id)
    await handle.delete()


async def test_what_is_said_of_a_schedule_that_there_is_not(client: Client) -> None:
    for act in (describe_schedule, pause_schedule, resume_schedule, delete_schedule, run_schedule_now):
        with pytest.raises(NoSchedule, match="there is no schedule nowhere"):
            await act(client, "nowhere")


# --- its requests ----------------------------------------------------------------------------------------------------


async def test_a_run_says_its_schedule_and_its_time_and_so_do_the_keys_of_its_writes(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    scripted(model)
    async with running_worker(client, settings), scheduled(client, settings) as made:
        request_id = await run_schedule_now(client, made.schedule_id)
        assert request_id is not None
        done = await outcome(handle_of(client, request_id))
        [receipt] = done.receipts
        assert (receipt.key, receipt.approved_by) == (f"{request_id}/1.1", "requester")
        assert request_id.startswith(f"{made.schedule_id}-{datetime.now(UTC):%Y-%m-%dT}")
        async with asyncio.timeout(10):
            while not (found := await find(client, schedule=made.schedule_id)):
                await asyncio.sleep(0.05)
        [run] = found
        assert (run.request_id, run.schedule, run.requester) == (request_id, made.schedule_id, "bob")
        assert run.scheduled_at is not None
        assert run.request_id.endswith(f"{run.scheduled_at:%Y-%m-%dT%H:%M:%SZ}")
        now = await describe_schedule(client, made.schedule_id)
        assert ([each.request_id for each in now.latest], now.started) == ([request_id], 1)


@pytest.mark.long
async def test_a_time_at_which_the_run_before_still_runs_is_skipped(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    scripted(model)
    asking = TELL.model_copy(update={"approve": ()})
    async with running_worker(client, settings), scheduled(client, settings, request=asking) as made:
        request_id = await run_schedule_now(client, made.schedule_id)
        assert request_id is not None
        await asyncio.sleep(1)  # the id of a run says its second
        assert await run_schedule_now(client, made.schedule_id) is None
        handle = handle_of(client, request_id)
        async with asyncio.timeout(10):
            while not (waiting := (await state(handle)).awaiting_approval):
                await asyncio.sleep(0.05)
        now = await describe_schedule(client, made.schedule_id)
        assert (now.running, now.skipped) == ((request_id,), 1)
        await approve(handle, waiting[0], by="carol")
        await outcome(handle)
    assert happened.done("tell") == ["ann"]


@pytest.mark.parametrize("jitter", [0, 600])
@pytest.mark.long
async def test_a_past_time_is_made_up_for_once(
    client: Client, settings: Settings, model: ScriptedModel, happened: World, jitter: float
) -> None:
    scripted(model)
    timetable = Timetable(cron="0 8 * * *", zone="Europe/Berlin", jitter_seconds=jitter)
    async with running_worker(client, settings), scheduled(client, settings, timetable) as made:
        await pause_schedule(client, made.schedule_id, note="tried")
        first, last = datetime(2026, 7, 6, 8, tzinfo=BERLIN), datetime(2026, 7, 8, 8, tzinfo=BERLIN)
        [one] = await backfill_schedule(client, made.schedule_id, first, first)
        assert one == f"{made.schedule_id}-2026-07-06T06:00:00Z"
        await ended(client, one)
        two, three = await backfill_schedule(client, made.schedule_id, first, last)
        assert three == f"{made.schedule_id}-2026-07-08T06:00:00Z"
        await ended(client, two)
        await ended(client, three)
        assert await backfill_schedule(client, made.schedule_id, first, last) == ()
        assert (await describe_schedule(client, made.schedule_id)).started == 3
    assert happened.done("tell") == ["ann"] * 3


@pytest.mark.long
async def test_the_same_times_asked_for_twice_at_once_are_made_up_for_once(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    scripted(model)
    asking = TELL.model_copy(update={"approve": ()})
    timetable = Timetable(cron="0 8 * * *", zone="Europe/Berlin")
    first, last = datetime(2026, 7, 6, 8, tzinfo=BERLIN), datetime(2026, 7, 7, 8, tzinfo=BERLIN)
    async with (
        running_worker(client, settings),
        scheduled(client, settings, timetable, asking) as made,
    ):
        await pause_schedule(client, made.schedule_id, note="tried")
        both = (backfill_schedule(client, made.schedule_id, first, last) for _ in range(2))
        found = await asyncio.gather(*both, return_exceptions=True)
        [ids] = [each for each in found if isinstance(each, tuple)]
        [refused] = [each for each in found if isinstance(each, BackfillUnderWay)]
        for each in ids:
            await approved(client, each)
            await ended(client, each)
        assert await backfill_schedule(client, made.schedule_id, first, last) == ()
        assert (await describe_schedule(client, made.schedule_id)).started == 2
    assert "1 of the times" in str(refused)
    assert happened.done("tell") == ["ann"] * 2


async def test_a_backfill_of_too_many_times_or_of_the_future_is_refused(client: Client, settings: Settings) -> None:
    now = datetime.now(UTC)
    async with scheduled(client, settings, Timetable(cron="* * * * *")) as made:
        await pause_schedule(client, made.schedule_id)
        with pytest.raises(ConfigurationError, match="more than 100 times"):
            await backfill_schedule(client, made.schedule_id, now - timedelta(days=1), now)
        with pytest.raises(ConfigurationError, match="in the future"):
            await backfill_schedule(client, made.schedule_id, now, now + timedelta(days=1))


async def test_a_schedule_is_paused_with_a_reason_and_resumed(client: Client, settings: Settings) -> None:
    async with scheduled(client, settings) as made:
        await pause_schedule(client, made.schedule_id, note="on holiday")
        paused = await describe_schedule(client, made.schedule_id)
        assert (paused.paused, paused.note) == (True, "on holiday")
        await resume_schedule(client, made.schedule_id)
        going_on = await describe_schedule(client, made.schedule_id)
        assert (going_on.paused, going_on.note) == (False, "")
        await pause_schedule(client, made.schedule_id)
        assert (await describe_schedule(client, made.schedule_id)).note == ""


async def test_a_schedule_of_a_call_is_known_by_the_call(client: Client, settings: Settings) -> None:
    request = Request(call=GivenCall(tool="look_up", arguments={"word": "tree"}))
    async with scheduled(client, settings, request=request) as made:
        assert made.text == "call look_up"


def test_what_a_schedule_says_is_plain_json() -> None:
    ahead = Preview(next_times=(datetime(2027, 1, 4, 8, tzinfo=BERLIN),))
    assert ahead.model_dump(mode="json") == {"next_times": ["2027-01-04T08:00:00+01:00"], "clock_changes": []}
