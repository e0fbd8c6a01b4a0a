"""`client.py try`: a model held to cases of one's own, without anything happening."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from activities.errors import ConfigurationError
from deploy.terminal.exit_codes import end_with
from deploy.terminal.logs import only_warnings
from deploy.terminal.options import AsJson, login_name

if TYPE_CHECKING:
    from deploy.client.cases import Case
    from deploy.client.pass_rates import Report
    from deploy.client.tried_calls import Live
    from deploy.terminal.screen import Screen

app = typer.Typer()
BELOW = 1


@app.command("try")
def try_command(
    cases: Annotated[Path | None, typer.Argument(metavar="[CASES]", help="a .toml or .jsonl file, or a folder")] = None,
    times: Annotated[int, typer.Option(min=1, metavar="N", help="how often each case is tried")] = 1,
    only: Annotated[str | None, typer.Option(metavar="WORDS", help="only cases with these words in their name")] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(metavar="VARIABLE=VALUE", help="compare: the same again with this setting, as OPENAI_MODEL=…"),
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="have a worker make reads that no stub answers")] = False,
    at_least: Annotated[float, typer.Option(min=0, max=1, metavar="SHARE", help="of passes; less ends with 1")] = 1,
    at_once: Annotated[int, typer.Option(min=1, metavar="N", help="trials at the same time")] = 4,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="also write JUnit XML")] = None,
    record: Annotated[str | None, typer.Option(metavar="ID", help="print a request as a case, and try nothing")] = None,
    as_json: AsJson = False,
) -> None:
    """Try the configured model on cases: what it calls and says, with recorded results, and no write is made.

    Ends with 1 where fewer trials passed than --at-least says.
    """

    async def command(screen: "Screen") -> int:
        only_warnings()
        if record is not None:
            return await _record(record)
        if cases is None:
            raise ConfigurationError("CASES: name a file of cases, or a folder")
        chosen = _chosen(cases, only)
        reports = [
            await _tried(screen, chosen, changes, times, at_once, live)
            for changes in ([], against)
            if changes is not None
        ]
        if junit:
            _write_junit(junit, reports, at_least)
        if as_json:
            typer.echo(json.dumps([_as_json(report) for report in reports], indent=2, ensure_ascii=False))
        else:
            screen.tried(reports)
        return BELOW if reports[0].rate.share < at_least else 0

    end_with(command, quiet=as_json)


def _chosen(path: Path, only: str | None) -> "list[Case]":
    from deploy.client.cases import load_cases

    cases = load_cases(path)
    chosen = [case for case in cases if only is None or only.casefold() in case.title.casefold()]
    if not chosen:
        raise ConfigurationError(f"--only: no case has {only!r} in its name")
    return chosen


async def _tried(
    screen: "Screen", cases: "list[Case]", changes: list[str], times: int, at_once: int, live: bool
) -> "Report":
    from deploy.client.pass_rates import Report
    from deploy.client.tryouts import changed_settings, label_of, tryout_of

    settings = changed_settings(changes)
    reads = await _live(settings.worker.task_queue) if live else None
    label, count = label_of(settings, changes), 0

    def one_more() -> None:
        nonlocal count
        count += 1
        screen.trying(f"{label}: {count} of {len(cases) * times}")

    async with tryout_of(settings, reads) as tryout:
        trials = await tryout.run_all(cases, times, at_once=at_once, each=one_more)
    screen.trying(None)
    return Report.of(label, cases, trials)


async def _live(task_queue: str) -> "Live":
    from activities.temporal import connect
    from deploy.client.requests import PATIENCE
    from deploy.client.tryouts import live_reads

    return live_reads(await connect(patience=PATIENCE), task_queue, login_name())


async def _record(request_id: str) -> int:
    from activities.temporal import connect
    from deploy.client.cases import as_json_line
    from deploy.client.recorded_cases import case_of
    from deploy.client.requests import PATIENCE
    from deploy.client.why import account_of

    typer.echo(as_json_line(case_of(await account_of(await connect(patience=PATIENCE), request_id))))
    return 0


def _write_junit(file: Path, reports: "list[Report]", at_least: float) -> None:
    from deploy.client.junit import junit_xml

    try:
        file.write_text(junit_xml(reports, at_least), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"--junit: {file}: {error.strerror}") from error


def _as_json(report: "Report") -> dict[str, object]:
    rate = report.rate
    return {
        "model": report.label,
        "passed": rate.passed,
        "of": rate.of,
        "interval": rate.interval,
        "usage": report.usage.model_dump(mode="json"),
        "seconds": round(report.seconds, 3),
        "cases": [
            {
                "name": each.case.title,
                "passed": each.rate.passed,
                "of": each.rate.of,
                "interval": each.rate.interval,
                "differences": each.differences,
                "trials": [trial.model_dump(mode="json") for trial in each.trials],
            }
            for each in report.tried
        ],
    }
