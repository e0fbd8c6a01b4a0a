"""A caller's schedules: one is made after its next times were shown."""

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from deploy.client import schedules
from deploy.client.schedule_runs import run_schedule_now
from deploy.client.timetables import Timetable, preview
from deploy.web.desk.forms import Filled, Form, back_to, page_of
from deploy.web.desk.pages import page
from deploy.web.door import Submitter, TheDoor, in_time
from deploy.web.problems import Kind, Problem
from deploy.web.schedules import NewSchedule, OwnSchedule, made
from workflows.refusals import sentence

router = APIRouter(include_in_schema=False)


def _new(form: Filled) -> NewSchedule:
    try:
        timetable = Timetable(cron=form.said("cron"), zone=form.said("zone") or "UTC", words=form.said("words"))
        return NewSchedule.model_validate(
            {"schedule_id": form.said("schedule_id"), "timetable": timetable, "request": {"text": form.said("text")}}
        )
    except ValidationError as invalid:
        kind = Timetable if invalid.title == Timetable.__name__ else NewSchedule
        raise Problem(Kind.INVALID, sentence(invalid, kind)) from invalid


@router.post("/schedules/preview")
async def show_before(form: Form, request: Request, caller: Submitter, door: TheDoor) -> Response:
    new = _new(form)
    ahead = await in_time(preview(door.client, new.timetable))
    return page("schedule.html", door, request, caller, {"new": new, "ahead": ahead})


@router.post("/schedules")
async def add(form: Form, caller: Submitter, door: TheDoor) -> Response:
    await made(_new(form), caller, door)
    return back_to("/#schedules")


@router.post("/schedules/{schedule_id}/pause")
async def pause(_: Form, known: OwnSchedule, door: TheDoor) -> Response:
    await in_time(schedules.pause_schedule(door.client, known.schedule_id, note="at the desk"))
    return back_to("/#schedules")


@router.post("/schedules/{schedule_id}/resume")
async def resume(_: Form, known: OwnSchedule, door: TheDoor) -> Response:
    await in_time(schedules.resume_schedule(door.client, known.schedule_id))
    return back_to("/#schedules")


@router.post("/schedules/{schedule_id}/run")
async def run_now(_: Form, known: OwnSchedule, door: TheDoor) -> Response:
    request_id = await run_schedule_now(door.client, known.schedule_id)
    if request_id is None:
        why = f"{known.schedule_id} has started nothing: the run before still runs, or was started just now"
        raise Problem(Kind.NOT_OPEN, why)
    return back_to(page_of(request_id))


@router.post("/schedules/{schedule_id}/delete")
async def delete(_: Form, known: OwnSchedule, door: TheDoor) -> Response:
    await in_time(schedules.delete_schedule(door.client, known.schedule_id))
    return back_to("/#schedules")
