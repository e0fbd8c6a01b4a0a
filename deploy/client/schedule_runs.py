"""Requests of a schedule that a person starts: one now, or those of times that have passed."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from weakref import WeakKeyDictionary

from temporalio.client import Client, ScheduleBackfill, ScheduleOverlapPolicy
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import ConfigurationError
from deploy.client.requests import PATIENCE
from deploy.client.schedules import described_schedule, known_schedule, request_id_of
from deploy.client.timetables import times_between

ONE_AT_A_TIME = WeakKeyDictionary[Client, asyncio.Lock]()
"""Temporal would run a time twice that two calls at once find missing."""
MOST_AT_ONCE = 100
"""Times that one `backfill` makes up for."""


async def run_schedule_now(client: Client, schedule_id: str) -> str | None:
    """Start one request at once, also where the schedule is paused.

    Returns:
        The request's id; None where the schedule skips this time, because the run before still runs, or one was
        started in this very second.
    """
    before, _, _ = await described_schedule(client, schedule_id)
    async with known_schedule(client, schedule_id) as handle:
        await handle.trigger()
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                while True:
                    now = (await handle.describe()).info
                    if now.num_actions > before.info.num_actions:
                        return request_id_of(now.recent_actions[-1].action)
                    if now.num_actions_skipped_overlap > before.info.num_actions_skipped_overlap:
                        return None
                    await asyncio.sleep(0.05)
        except TimeoutError:
            return None


async def backfill_schedule(client: Client, schedule_id: str, start: datetime, end: datetime) -> tuple[str, ...]:
    """Start the requests of past times, one after the other; not those that were started at their time, or since.

    Returns:
        The ids that the requests will have, in order; each is started when the one before has ended.

    Raises:
        ConfigurationError: the period has too many times, or lies ahead.
        BackfillUnderWay: times of an earlier call still wait, of which nobody can say which they are.
    """
    async with ONE_AT_A_TIME.setdefault(client, asyncio.Lock()):
        ids = await _backfill(client, schedule_id, start, end)
        if ids:
            await _begun(client, ids[0])
    return ids


async def _backfill(client: Client, schedule_id: str, start: datetime, end: datetime) -> tuple[str, ...]:
    described, memo, _ = await described_schedule(client, schedule_id)
    if waiting := described.raw_description.info.buffer_size:
        raise BackfillUnderWay(
            f"{waiting} of the times of {schedule_id} still wait for the request before them to end; "
            "make the same call again when they have begun"
        )
    if end > datetime.now(UTC):
        raise ConfigurationError("the period ends in the future; its times will come by themselves")
    times = await times_between(client, memo.timetable, start, end)
    if len(times) > MOST_AT_ONCE:
        raise ConfigurationError(f"the period has more than {MOST_AT_ONCE} times; take a shorter one")
    missing = {each: run_id for each in times if not await _exists(client, run_id := _run_id(schedule_id, each))}
    if missing:
        # With jitter, a time is found a while after it.
        late = timedelta(seconds=memo.timetable.jitter_seconds)
        following = dict(pairwise(times))
        periods = [
            ScheduleBackfill(
                start_at=each,
                end_at=min(each + late, following.get(each, end + late) - timedelta(seconds=1)) if late else each,
                overlap=ScheduleOverlapPolicy.BUFFER_ALL,
            )
            for each in missing
        ]
        async with known_schedule(client, schedule_id) as handle:
            await handle.backfill(*periods)
    return tuple(missing.values())


class BackfillUnderWay(ConfigurationError):
    """Times that an earlier call makes up for have not begun."""


async def _begun(client: Client, request_id: str) -> None:
    """Wait until the first request is there for the next call to find; with a busy server, not for ever."""
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE.total_seconds() / 2):
            while True:
                if await _exists(client, request_id):
                    return
                await asyncio.sleep(0.05)


def _run_id(schedule_id: str, moment: datetime) -> str:
    return f"{schedule_id}-{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


async def _exists(client: Client, request_id: str) -> bool:
    try:
        await client.get_workflow_handle(request_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True
