"""What a person sees of schedules."""

from collections.abc import Sequence
from datetime import datetime

from deploy.client.schedules import Scheduled, ScheduleState
from deploy.client.timetables import Preview, Timetable
from deploy.terminal.console import INDENT, Paper
from deploy.terminal.text import column_width, short
from workflows.timeline import count

NEXT = 5
"""Times that `show` tells."""
WIDEST_TIMETABLE = 60


class ScheduleScreen(Paper):
    """Shows when things will be done."""

    def preview(self, timetable: Timetable, preview: Preview) -> None:
        """What a timetable comes to, before a schedule is made of it."""
        self._line((_timetable(timetable), "bold"))
        self._times("next", preview.next_times)
        self._changes(preview.clock_changes)

    def schedule(self, state: ScheduleState) -> None:
        """Where a schedule stands."""
        self._line((state.schedule_id, "bold cyan"), f"  {_timetable(state.timetable)}", *_paused(state))
        self._line(INDENT, state.request.title)
        whose = f"for {state.requester}, " if state.requester else ""
        approved = ", ".join(state.request.approve)
        yes = f"approved in advance: {approved}" if approved else "nothing is approved in advance"
        self._line(INDENT, (f"{whose}{yes}; overlap: {state.timetable.overlap.replace('_', ' ')}", "dim"))
        self._times("next", state.next_times[:NEXT])
        self._changes(state.clock_changes)
        missed = f", {count(state.missed, 'time')} missed" if state.missed else ""
        skipped = f", {count(state.skipped, 'time')} skipped" if state.skipped else ""
        self._line(INDENT, (f"{count(state.started, 'request')} started{skipped}{missed}", "dim"))
        for run in state.latest:
            running = "  running" if run.request_id in state.running else ""
            self._line(INDENT, (run.request_id, "cyan"), (f"  {_moment(run.scheduled_at)}", "dim"), running)

    def schedules(self, schedules: Sequence[Scheduled]) -> None:
        """A list of schedules, one on a line."""
        ids = column_width(each.schedule_id for each in schedules)
        times = column_width((_timetable(each.timetable) for each in schedules), WIDEST_TIMETABLE)
        for each in schedules:
            following = _moment(each.next_times[0]) if each.next_times else "never again"
            self._line(
                (each.schedule_id.ljust(ids), "cyan"),
                f"  {_timetable(each.timetable).ljust(times)}",
                *(_paused(each) or [(f"  next {following}", "dim")]),
                "  ",
                short(each.text, max(20, self._width - ids - times - 40)),
            )
        if not schedules:
            self.note("no schedules")

    def _times(self, what: str, times: Sequence[datetime]) -> None:
        for each in times:
            self._line(INDENT, (what.ljust(4), "dim"), f"  {_moment(each)}")

    def _changes(self, told: Sequence[str]) -> None:
        for each in told:
            self._line(INDENT, ("! ", "yellow"), each)


def _timetable(timetable: Timetable) -> str:
    words = f" ({timetable.words})" if timetable.words else ""
    return f"{timetable.cron} {timetable.zone}{words}"


def _paused(schedule: Scheduled) -> list[tuple[str, str]]:
    note = f": {schedule.note}" if schedule.note else ""
    return [(f"  paused{note}", "yellow")] if schedule.paused else []


def _moment(moment: datetime) -> str:
    """In the schedule's own zone: "Mon 2027-01-04 08:00 CET"; with seconds, where there are any."""
    seconds = ":%S" if moment.second else ""
    return f"{moment:%a %Y-%m-%d %H:%M{seconds} %Z}"
