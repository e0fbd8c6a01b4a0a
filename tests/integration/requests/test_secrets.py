"""No secret is kept or shown, whichever way it comes back. Each way has a secret of its own.

Many ways are gone at once, by real workers and real servers on loopback. Then each secret is looked for in its
request's history, in the workers' log, in the ledger, and in what the command line shows.
"""

import asyncio
import base64
import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

import pytest
import pytest_asyncio
from pydantic import JsonValue
from temporalio.client import Client
from typer.testing import CliRunner

from activities.ledger.ledger import Ledger
from client import app
from tests.conftest import running_worker, settings_for
from tests.dev_server import variables_for
from tests.integration.requests.asking import start
from tests.integration.requests.secret_ways import MISTAKES, WAYS, basic, plain, quoted
from tests.logged import logged
from tests.scripted_model import ScriptedModel
from workflows.contract.api import Outcome

pytestmark = pytest.mark.long

AT_ONCE = 12


@dataclass(frozen=True)
class Traces:
    """What a way has left behind."""

    secret: str
    outcome: Outcome
    history: dict[str, JsonValue]
    log: str
    ledger: str
    shown: str

    @property
    def places(self) -> dict[str, str]:
        return {
            "history": json.dumps(self.history) + "\n".join(payloads(self.history)),
            "log": self.log,
            "ledger": self.ledger,
            "terminal": self.shown,
        }


def forms(secret: str) -> set[str]:
    """In which a secret, or the greater part of it, can be found. Not by the code that is tested."""
    cut = secret[: len(secret) // 3 * 3 - 3].encode()
    return {
        *(secret, quote(secret), quoted(secret), quote_plus(secret), json.dumps(secret)[1:-1]),
        *(base64.b64encode(cut).decode(), basic(secret), plain(secret)),
        secret[:20],
    }


def payloads(history: JsonValue) -> Iterator[str]:
    """Decoded."""
    match history:
        case {"metadata": _, "data": str() as data}:
            yield base64.b64decode(data).decode()
        case dict():
            for each in history.values():
                yield from payloads(each)
        case list():
            for each in history:
                yield from payloads(each)
        case _:
            pass


def failures(history: JsonValue) -> Iterator[dict[str, JsonValue]]:
    """Those that activities ended with."""
    match history:
        case {"activityTaskFailedEventAttributes": {"failure": dict() as failure}}:
            yield failure
        case dict():
            for each in history.values():
                yield from failures(each)
        case list():
            for each in history:
                yield from failures(each)
        case _:
            pass


async def go(
    client: Client, model: ScriptedModel, name: str, secret: str, ledger_url: str
) -> tuple[Outcome, dict[str, JsonValue]]:
    """The outcome of a request, and its history."""
    text = f"{name}: tell ann@example.com"
    opened, _ = WAYS[name]
    async with opened(secret) as way:
        model.scripts[text] = way.script
        settings = settings_for(model, tools=("tests.leaky_tools",), ledger_url=ledger_url, **way.settings)
        async with running_worker(client, settings):
            handle = await start(
                client, settings, text, approve=("*",), limits=way.limits, output_schema=way.output_schema
            )
            outcome = await handle.result()
    return outcome, (await handle.fetch_history()).to_json_dict()


def commands(environment: Mapping[str, str], request_ids: Sequence[str]) -> str:
    """What the command line shows of these requests, and of the ledger."""
    run = CliRunner(env=environment).invoke
    words = [["actions"], ["actions", "--json"], *(["watch", each] for each in request_ids)]
    return "\n".join(run(app, each).output for each in words)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def traces(
    client: Client, scripted_model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Traces]:
    """Of every way."""
    scripted_model.forget()
    path = tmp_path_factory.mktemp("secrets") / "ledger.db"
    url = f"sqlite:///{path}"
    await (await Ledger.open(url)).aclose()
    of = {name: f"canary{at:02}-/+&=%'\"{secrets.token_urlsafe(20)}" for at, name in enumerate(WAYS)}
    with logged() as log:
        slots = asyncio.Semaphore(AT_ONCE)

        async def go_through(name: str, secret: str) -> tuple[Outcome, dict[str, JsonValue]]:
            async with slots:
                return await go(client, scripted_model, name, secret, url)

        gone = await asyncio.gather(*(go_through(name, secret) for name, secret in of.items()))
    environment = {**variables_for(client), "ERRAND_LEDGER_URL": url}
    shown = await asyncio.to_thread(commands, environment, [outcome.request_id for outcome, _ in gone])
    with sqlite3.connect(path) as ledger:
        rows = "\n".join(map(str, ledger.execute("SELECT * FROM errand_actions")))
    return {
        name: Traces(secret, outcome, history, log.getvalue(), rows, shown)
        for (name, secret), (outcome, history) in zip(of.items(), gone, strict=True)
    }


async def test_no_secret_is_found_in_history_log_ledger_or_terminal(traces: dict[str, Traces]) -> None:
    not_gone = [name for name, way in traces.items() if WAYS[name][1] not in way.places["history"]]
    assert not_gone == []
    leaks = {
        (name, place)
        for name, way in traces.items()
        for place, text in way.places.items()
        if any(form in text for form in forms(way.secret))
    }
    assert leaks == set()


async def test_a_failure_in_history_has_nothing_behind_it_but_where_a_mistake_in_code_was_made(
    traces: dict[str, Traces],
) -> None:
    behind = {
        (name, what)
        for name, way in traces.items()
        for failure in failures(way.history)
        for what in failure.keys() & {"cause", "stackTrace"}
    }
    assert behind == {(name, "stackTrace") for name in MISTAKES}
