"""A ledger that was put back from an older copy: writes wait, and an operator puts the lost rows back."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from activities.errors import LedgerRestored
from activities.execution import write_attempts
from activities.ledger import watch
from activities.ledger.ledger import Ledger
from activities.settings import Settings
from deploy.client.doctor_checks import ledger as ledger_check
from tests.conftest import running_worker, settings_for
from tests.integration.cli.conftest import CommandLine, eventually
from tests.integration.ledger.conftest import Database
from tests.integration.requests.asking import Handle, reset_to_its_beginning, start, why_it_is_tried_again
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import Outcome, ReceiptStatus


@pytest.fixture
def settings(model: ScriptedModel, database: Database) -> Settings:
    return settings_for(model, ledger_url=database.url)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, model: ScriptedModel) -> None:
    monkeypatch.setattr(watch, "LOOKS_EVERY", 0.2)
    monkeypatch.setattr(watch, "TURN", 1.0)  # and it goes on in a new run
    monkeypatch.setattr(write_attempts, "FIRST_PAUSE", timedelta(seconds=0.2))
    monkeypatch.setattr(write_attempts, "LONGEST_PAUSE", timedelta(seconds=0.5))
    for word in ("before", "lost", "next"):
        model.scripts[word] = [calls(call("write_down", word=word)), say("Written.")]


@asynccontextmanager
async def watching(client: Client, settings: Settings) -> AsyncGenerator[None]:
    async with running_worker(client, settings, sandboxed=False, watches_ledger=True):
        yield


async def known_to_temporal(client: Client, settings: Settings, key: str) -> None:
    ledger = await Ledger.open(settings.ledger.ledger_url, create=False)
    await ledger.aclose()

    async def is_known() -> bool:
        mark = await watch.mark_in_temporal(client, ledger.identity)
        return mark is not None and mark.key == key

    await eventually(is_known)


async def has_begun_anew(handle: Handle) -> bool:
    """Whether all attempts of its write were used up, and the request has asked for it once more."""
    scheduled = [
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in (await handle.fetch_history()).events
        if event.event_type is EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    ]
    return scheduled.count("write_down") > 1


async def test_nothing_is_written_until_the_lost_rows_are_back_and_nothing_twice(
    client: Client, settings: Settings, database: Database, cli: CommandLine, happened: World
) -> None:
    async with watching(client, settings):
        await (await start(client, settings, "before", approve=("*",))).result()
        copy = await database.backup()
        lost = await start(client, settings, "lost", approve=("*",))
        await lost.result()
        await known_to_temporal(client, settings, f"{lost.id}/1.1")
    await database.put_back(copy)
    said = await cli("doctor", "--json")
    [line] = [each for each in map(json.loads, said.out.splitlines()) if each["of"] == "restores"]
    assert (said.code > 0, line["level"]) == (True, "fail")
    assert "the ledger is an older copy" in line["said"]
    assert "ledger recover" in line["todo"]
    async with watching(client, settings):
        following = await start(client, settings, "next", approve=("*",))
        again = await reset_to_its_beginning(client, lost)
        assert f"Temporal knows {lost.id}/1.1" in await why_it_is_tried_again(following)
        with pytest.raises(LedgerRestored, match="older copy"):
            await ledger_check(settings)
        await eventually(lambda: has_begun_anew(following))
        would = await cli("ledger", "recover", "--dry-run", "--since", "1d")
        assert (would.code, happened.done("write_down")) == (0, ["before", "lost"])
        assert "missing: 1 rows" in would.out
        put = await cli("ledger", "recover", "--yes", "--json", "--by", "carol")
        assert put.code == 0
        # The worker of this process may log meanwhile.
        assert json.loads(put.out.splitlines()[-1])["writes"] == [
            {"key": f"{lost.id}/1.1", "tool": "write_down", "state": "done"}
        ]
        outcomes = await asyncio.gather(
            following.result(), client.get_workflow_handle(lost.id, run_id=again, result_type=Outcome).result()
        )
    for outcome in outcomes:
        assert [each.status for each in outcome.receipts] == [ReceiptStatus.DONE]
    assert happened.done("write_down") == ["before", "lost", "next"]
