"""A request's steps, as callers are told them."""

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter

from deploy.client.events import Event, EventType, event_of
from deploy.client.history_steps import Place, Story

HISTORIES = sorted((Path(__file__).parents[2] / "histories").glob("*.json"))
INSIDE = ('"carried"', '"reasoning"', '"chain"', '"ledger"', '"extra"', '"route"')
"""Fields of messages that no caller is told."""


def recorded(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json("recorded", path.read_text(encoding="utf-8"))


async def told(path: Path) -> list[Event]:
    history = recorded(path)
    story = Story(pydantic_data_converter)
    return [
        event_of(step, event.event_time.ToDatetime()) for event in history.events for step in await story.tell(event)
    ]


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_every_step_of_a_recorded_request_can_be_told_and_read_again_and_says_nothing_of_the_inside(
    path: Path,
) -> None:
    events = await told(path)
    assert events[0].type is EventType.STARTED
    written = [event.model_dump_json() for event in events]
    assert [Event.model_validate_json(each) for each in written] == events
    assert [each for each in written if any(word in each for word in INSIDE)] == []
    if not path.stem.startswith("continued-as-new") or path.stem.endswith("3"):
        assert events[-1].type is EventType.ENDED


async def test_what_does_not_matter_to_a_step_is_not_there() -> None:
    events = await told(next(path for path in HISTORIES if path.stem == "approved"))
    [approved] = [event for event in events if event.type is EventType.APPROVED]
    assert json.loads(approved.model_dump_json()).keys() == {"type", "at", "key", "by"}


@pytest.mark.parametrize("text", ["", "nonsense", "x:1.0", "01a2232a-d67d-7576-9738-6c1704ef41e0:-1.0"])
def test_a_place_that_was_never_told_is_none(text: str) -> None:
    assert Place.parse(text) is None


def test_a_place_is_read_as_it_was_written_and_knows_what_is_behind_it() -> None:
    place = Place("01a2232a-d67d-7576-9738-6c1704ef41e0", 7, 1)
    assert Place.parse(str(place)) == place
    later = Place(place.run_id, 8)
    assert later.is_after(place)
    assert not place.is_after(later)
    assert not place.is_after(place)
    assert Place("another", 1).is_after(place)
