"""`client.py schedule`: requests that start at set times."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from activities.errors import ConfigurationError
from deploy.client.schedule_runs import backfill_schedule, run_schedule_now
from deploy.client.schedules import (
    add_schedule,
    delete_schedule,
    describe_schedule,
    find_schedules,
    pause_schedule,
    resume_schedule,
)
from deploy.client.timetables import AN_HOUR, Overlap, Timetable, preview
from deploy.terminal.exit_codes import ENDED_OTHERWISE
from deploy.terminal.options import (
    Approved,
    AsJson,
    Name,
    Yes,
    check_endpoints,
    duration,
    in_advance,
    login_name,
    moment,
)
from deploy.terminal.session import Session, run
from workflows.contract.api import Limits, Request
from workflows.timeline import count

app = typer.Typer(help="Requests that start at set times.", no_args_is_help=True)

ScheduleId = Annotated[str, typer.Argument(metavar="ID", help="the schedule's id")]
Note = Annotated[str, typer.Option(metavar="TEXT", help="why; `list` and `show` say it")]


@app.command("add")
def add_command(
    cron: Annotated[str, typer.Argument(metavar="CRON", help='five fields, such as "0 8 * * 1-5", or @daily')],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="what should happen each time")],
    zone: Annotated[str, typer.Option(metavar="ZONE", help="the time zone, such as Europe/Berlin")] = "UTC",
    id: Annotated[str | None, typer.Option(help="the schedule's id; the same twice is the same schedule")] = None,
    words: Annotated[str, typer.Option(metavar="TEXT", help="the times in your own words; `list` shows them")] = "",
    requester: Name = None,
    approved: Approved = None,
    yes: Yes = False,
    notify: Annotated[
        list[str] | None, typer.Option(metavar="ENDPOINT", help="a callback endpoint that is told of each end")
    ] = None,
    overlap: Annotated[Overlap, typer.Option(help="what happens at a time when the run before still runs")] = "skip",
    jitter: Annotated[str, typer.Option(metavar="TIME", help="each run starts up to so much later: 30s, 5m")] = "0s",
    catch_up: Annotated[
        str, typer.Option(metavar="TIME", help="how late a time is still made up for, after an outage")
    ] = f"{AN_HOUR // 3600}h",
    timeout: Annotated[float, typer.Option(help="seconds until a run stops, waiting included")] = Limits().seconds,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only show the times")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the next three times, and make a schedule that starts a request at each."""

    async def command(session: Session) -> int:
        from deploy.terminal.approval_prompt import can_ask

        timetable = Timetable(
            cron=cron,
            zone=zone,
            words=words,
            overlap=overlap,
            jitter_seconds=duration("--jitter", jitter).total_seconds(),
            catch_up_seconds=duration("--catch-up", catch_up).total_seconds(),
        )
        request = Request(
            text=text,
            requester=requester or login_name(),
            approve=in_advance(approved, yes=yes),
            notify=tuple(notify or ()),
            limits=Limits(seconds=timeout),
        )
        check_endpoints(request, session.settings)
        ahead = await preview(session.client, timetable)
        session.screen.preview(timetable, ahead)
        if dry_run:
            if as_json:
                typer.echo(ahead.model_dump_json(indent=2))
            return 0
        if can_ask() and not as_json and not typer.confirm("make it?", default=True):
            return ENDED_OTHERWISE
        made = await add_schedule(
            session.client, timetable, request, schedule_id=id, task_queue=session.settings.worker.task_queue
        )
        if as_json:
            typer.echo(made.model_dump_json(indent=2))
        else:
            session.screen.say(f"made: {made.schedule_id}")
            session.screen.say(f"its requests: uv run client.py list --schedule {made.schedule_id}")
        return 0

    run(command, quiet=as_json)


@app.command("list")
def list_command(
    requester: Annotated[str | None, typer.Option(help="only those asked by NAME", metavar="NAME")] = None,
    as_json: AsJson = False,
) -> None:
    """List schedules; with --json, one object a line."""

    async def command(session: Session) -> int:
        found = await find_schedules(session.client, requester=requester)
        if as_json:
            typer.echo("".join(each.model_dump_json() + "\n" for each in found), nl=False)
        else:
            session.screen.schedules(found)
        return 0

    run(command, quiet=as_json)


@app.command("show")
def show_command(id: ScheduleId, as_json: AsJson = False) -> None:
    """Show a schedule: its next five times, and its latest requests."""

    async def command(session: Session) -> int:
        state = await describe_schedule(session.client, id)
        typer.echo(state.model_dump_json(indent=2)) if as_json else session.screen.schedule(state)
        return 0

    run(command, quiet=as_json)


@app.command("pause")
def pause_command(id: ScheduleId, note: Note = "") -> None:
    """Start nothing more until `resume`; what runs goes on."""

    async def command(session: Session) -> int:
        await pause_schedule(session.client, id, note=note)
        session.screen.say(f"{id} is paused")
        return 0

    run(command)


@app.command("resume")
def resume_command(id: ScheduleId, note: Note = "") -> None:
    """Go on with the next time; those in between are not made up for."""

    async def command(session: Session) -> int:
        await resume_schedule(session.client, id, note=note)
        session.screen.say(f"{id} goes on")
        return 0

    run(command)


@app.command("run-now")
def run_now_command(id: ScheduleId) -> None:
    """Start one request of a schedule at once."""

    async def command(session: Session) -> int:
        request_id = await run_schedule_now(session.client, id)
        if request_id is None:
            session.screen.note(f"{id} has started nothing: the run before still runs, or was started just now")
            return ENDED_OTHERWISE
        session.screen.say(request_id)
        return 0

    run(command)


@app.command("backfill")
def backfill_command(
    id: ScheduleId,
    start: Annotated[str, typer.Option("--from", metavar="WHEN", help="2h, 3d or an ISO date; the time itself counts")],
    end: Annotated[str | None, typer.Option("--to", metavar="WHEN", help="as --from; by default, now")] = None,
) -> None:
    """Start the requests of times that have passed, one after the other; not those that were started already."""

    async def command(session: Session) -> int:
        since, until = moment("--from", start), moment("--to", end) if end else datetime.now(UTC)
        if since > until:
            raise ConfigurationError("--from: it lies after --to")
        ids = await backfill_schedule(session.client, id, since, until)
        for each in ids:
            session.screen.say(each)
        many = f"{count(len(ids), 'request')}, each when the one before has ended"
        session.screen.note(many if ids else "nothing to make up for: no time there is without its request")
        return 0

    run(command)


@app.command("delete")
def delete_command(id: ScheduleId) -> None:
    """Remove a schedule; its requests stay, and one that runs goes on."""

    async def command(session: Session) -> int:
        await delete_schedule(session.client, id)
        session.screen.say(f"{id} is deleted; what it has started stays")
        return 0

    run(command)
