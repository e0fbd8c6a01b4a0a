"""`client.py schedule`."""

import json
import uuid

import pytest

from tests.integration.cli.conftest import CommandLine, eventually
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say


def an_id() -> str:
    return f"daily-{uuid.uuid4().hex[:6]}"


async def test_add_shows_the_next_three_times_and_a_dry_run_makes_nothing(cli: CommandLine) -> None:
    id = an_id()
    shown = await cli("schedule", "add", "30 2 * * *", "Tell ann.", "--zone", "Europe/Berlin", "--id", id, "--dry-run")
    assert shown.code == 0
    assert shown.out.count("  next  ") == 3
    assert "02:30 is skipped" in shown.out
    assert f"error: there is no schedule {id}" in (await cli("schedule", "show", id)).err


async def test_times_that_lie_seconds_apart_are_shown_with_their_seconds(cli: CommandLine) -> None:
    shown = await cli("schedule", "add", "@every 7s", "Tell ann.", "--dry-run")
    assert len({line for line in shown.out.splitlines() if "next  " in line}) == 3


async def test_a_schedule_from_its_making_to_its_end(cli: CommandLine, worker: ScriptedModel, happened: World) -> None:
    worker.scripts["Tell ann."] = [calls(call("tell", to=["ann"], what="hello")), say("Told.")]
    id = an_id()
    timetable = ("0 8 1 1 *", "Tell ann.", "--zone", "Europe/Berlin", "--words", "on New Year's Day", "--id", id)
    made = await cli("schedule", "add", *timetable, "--approve", "tell", "--jitter", "5m")
    assert (made.code, made.err) == (0, "")
    assert f"made: {id}" in made.out

    async def schedules() -> bool:
        return f"{id}  0 8 1 1 * Europe/Berlin (on New Year's Day)" in (await cli("schedule", "list")).out

    assert await eventually(schedules)
    request_id = (await cli("schedule", "run-now", id)).out.strip()
    assert "Told." in (await cli("result", request_id)).out
    assert happened.done("tell") == ["ann"]
    shown = (await cli("schedule", "show", id)).out
    assert all(part in shown for part in (id, "Tell ann.", "approved in advance: tell", "overlap: skip", request_id))

    async def listed() -> str:
        return (await cli("list", "--requester", "ann", "--schedule", id, "--json")).out

    found = json.loads(await eventually(listed))
    assert (found["request_id"], found["schedule"]) == (request_id, id)
    assert f"(schedule {id})" in (await cli("list", "--schedule", id)).out
    assert (await cli("schedule", "pause", id, "--note", "holiday")).code == 0
    assert "  paused: holiday" in (await cli("schedule", "show", id)).out
    assert (await cli("schedule", "resume", id)).code == 0
    assert (await cli("schedule", "backfill", id, "--from", "1h")).err.startswith("nothing to make up for")
    assert (await cli("schedule", "delete", id)).code == 0
    assert (await cli("schedule", "delete", id)).code == 2


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("every day", "x"), "error: the cron text 'every day' has 2 fields: expected 5 (minute, hour,"),
        (("0 8 * * *", "x", "--zone", "Nowhere"), "error: --zone: there is no time zone 'Nowhere'"),
        (("0 8 * * *", "x", "--jitter", "soon"), "error: --jitter: expected 30s, 5m, 2h, 1d or 1w: soon\n"),
        (("0 8 * * *", " "), "error: TEXT: it is blank; say what should happen\n"),
    ],
)
async def test_what_cannot_be_scheduled_is_refused_in_a_sentence(
    cli: CommandLine, words: tuple[str, ...], error: str
) -> None:
    refused = await cli("schedule", "add", *words)
    assert refused.code == 2
    assert refused.err.startswith(error)
