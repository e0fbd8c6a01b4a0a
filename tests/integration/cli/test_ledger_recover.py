"""A ledger that was put back from an older copy: writes wait, and an operator puts the lost rows back."""

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities.errors import LedgerRestored
from activities.execution import write_attempts
from activities.ledger import watch
from activities.ledger.ledger import Ledger
from activities.settings import Settings
from activities.temporal import data_converter
from deploy.client.doctor_checks import ledger as ledger_check
from tests.conftest import changed, running_worker, settings_for
from tests.dev_server import connected, variables_for
from tests.integration.cli.conftest import CommandLine, eventually
from tests.integration.ledger.conftest import Database
from tests.integration.requests.asking import Handle, reset_to_its_beginning, start, why_it_is_tried_again
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from tests.unit.encryption.keys import key_file, new_key, ring
from workflows.contract.api import Outcome, ReceiptStatus
from workflows.contract.ledger import watch_id

pytestmark = pytest.mark.long


@pytest.fixture
async def client(temporal: WorkflowEnvironment) -> Client:
    """Of a namespace in which no other test has histories: one that cannot be read lets no write go on."""
    address = temporal.client.service_client.config.target_host
    return await connected(address, f"recover-{uuid.uuid4().hex[:8]}")


@pytest.fixture
def cli(cli: CommandLine, client: Client) -> CommandLine:
    return CommandLine({**cli.environment, **variables_for(client)}, cli.python)


@pytest.fixture
def settings(model: ScriptedModel, database: Database) -> Settings:
    return settings_for(model, ledger_url=database.url)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, model: ScriptedModel) -> None:
    monkeypatch.setattr(watch, "LOOKS_EVERY", 0.2)
    monkeypatch.setattr(watch, "TURN", 0.1)  # and it goes on in a new run
    monkeypatch.setattr(write_attempts, "FIRST_PAUSE", timedelta(seconds=0.2))
    monkeypatch.setattr(write_attempts, "LONGEST_PAUSE", timedelta(seconds=0.5))
    for word in ("before", "lost", "next"):
        model.scripts[word] = [calls(call("write_down", word=word)), say("Written.")]


@asynccontextmanager
async def watching(client: Client, settings: Settings) -> AsyncGenerator[None]:
    async with running_worker(client, settings, watches_ledger=True):
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
        assert "to be put back: 1 writes of which they know more than the ledger" in would.out
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


OLD, NEW = new_key(), new_key()


def with_keys(client: Client, folder: Path, **keys: str) -> Client:
    config = client.config()
    config["data_converter"] = data_converter(client.namespace, ring(folder, **keys))
    return Client(**config)


async def carried_out(client: Client, settings: Settings, text: str, folder: Path, **keys: str) -> Handle:
    """A request of a worker with these keys, whose end Temporal knows."""
    keyed = with_keys(client, folder, **keys)
    with_file = changed(settings, encryption={"payload_keys": key_file(folder, **keys)})
    async with watching(keyed, with_file):
        handle = await start(keyed, with_file, text, approve=("*",))
        await handle.result()
        await known_to_temporal(keyed, with_file, f"{handle.id}/1.1")
    return handle


async def test_no_write_goes_on_while_a_history_cannot_be_read_which_is_named_with_its_key(
    client: Client, settings: Settings, database: Database, cli: CommandLine, tmp_path: Path
) -> None:
    await carried_out(client, settings, "before", tmp_path, k1=OLD)
    copy = await database.backup()
    lost = await carried_out(client, settings, "lost", tmp_path, k1=OLD)
    newer = await carried_out(client, settings, "next", tmp_path, k2=NEW, k1=OLD)
    await database.put_back(copy)
    new, both = key_file(tmp_path, k2=NEW), key_file(tmp_path, k2=NEW, k1=OLD)
    lacking = CommandLine({**cli.environment, "ERRAND_PAYLOAD_KEYS": str(new)})
    for words in (("--dry-run",), ("--yes", "--by", "op")):
        said = await lacking("ledger", "recover", *words)
        assert said.code == 2, said
        assert f"unread   {lost.id}  ERRAND_PAYLOAD_KEYS: the key k1 is missing; the keys here are: k2" in said.out
        assert f"done     {newer.id}/1.1" in said.out
        assert "Writes go on" not in said.out
        assert "Run this again with every key in ERRAND_PAYLOAD_KEYS" in " ".join(said.err.split())
    complete = CommandLine({**cli.environment, "ERRAND_PAYLOAD_KEYS": str(both)})
    said = await complete("ledger", "recover", "--yes", "--by", "op")
    assert (said.code, f"done     {lost.id}/1.1" in said.out, "Writes go on" in said.out) == (0, True, True)


async def test_who_says_so_lets_writes_go_on_without_what_cannot_be_read(
    client: Client, settings: Settings, database: Database, cli: CommandLine, tmp_path: Path
) -> None:
    lost = await carried_out(client, settings, "lost", tmp_path, k1=OLD)
    await carried_out(client, settings, "next", tmp_path, k2=NEW, k1=OLD)
    lacking = CommandLine({**cli.environment, "ERRAND_PAYLOAD_KEYS": str(key_file(tmp_path, k2=NEW))})
    said = await lacking("ledger", "recover", "--yes", "--by", "op", "--without-unread", "--json")
    assert said.code == 0, said
    [unread] = json.loads(said.out.splitlines()[-1])["unread"]
    assert unread["request_id"] == lost.id


async def test_the_recovery_of_a_ledger_needs_no_key_of_a_service_beside_it(
    client: Client, settings: Settings, model: ScriptedModel, database: Database, cli: CommandLine, tmp_path: Path
) -> None:
    async with watching(client, settings):
        await (await start(client, settings, "before", approve=("*",))).result()
    beside = settings_for(model)
    other = await carried_out(client, beside, "lost", tmp_path, k1=OLD)
    said = await cli("ledger", "recover", "--yes", "--by", "op")
    assert (said.code, "Writes go on" in said.out) == (0, True), said
    watched = await Ledger.open(beside.ledger.ledger_url, create=False)
    await watched.aclose()
    await deleted(client, watch_id(watched.identity))
    said = await cli("ledger", "recover", "--yes", "--by", "op")
    assert (said.code, f"unread   {other.id}" in said.out) == (2, True), said


async def deleted(client: Client, workflow_id: str) -> None:
    """Every run of it: a watch that went on has several, of which the server deletes only the newest unasked."""

    async def is_gone() -> bool:
        runs = [each async for each in client.list_workflows(f"WorkflowId = '{workflow_id}'")]
        for run in runs:
            execution = WorkflowExecution(workflow_id=workflow_id, run_id=run.run_id)
            asked = DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=execution)
            with suppress(RPCError):
                await client.workflow_service.delete_workflow_execution(asked)
        return not runs

    await eventually(is_gone)
