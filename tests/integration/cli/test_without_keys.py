"""Commands whose keys are not the workers': they say so, and claim nothing about what they cannot read."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client

from activities.errors import ConfigurationError
from activities.ledger import watch
from activities.ledger.ledger import Ledger
from activities.ledger.watch import mark_in_temporal, watched_by_temporal
from activities.settings import Settings
from activities.temporal import data_converter
from tests.conftest import changed, new_ledger, running_worker, settings_for
from tests.integration.cli.conftest import CommandLine, an_id, eventually
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from tests.unit.encryption.keys import key_file, new_key, ring
from workflows.contract.api import Outcome

pytestmark = pytest.mark.long

OLD, NEW = new_key(), new_key()
MISSING = "ERRAND_PAYLOAD_KEYS: the key k1 is missing"
NOTHING_IS_KNOWN = "it is encrypted, so nothing is known here of what became of it"


def with_keys(client: Client, folder: Path, **keys: str) -> Client:
    """As `connect` makes one where ERRAND_PAYLOAD_KEYS names these; without any, where it names no file."""
    config = client.config()
    config["data_converter"] = data_converter(client.namespace, ring(folder, **keys) if keys else None)
    return Client(**config)


@pytest.fixture
def settings(model: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(watch, "LOOKS_EVERY", 0.1)
    model.scripts["tree"] = [calls(call("write_down", word="tree")), say("Written.")]
    return settings_for(model, ledger_url=new_ledger(), payload_keys=key_file(tmp_path, k1=OLD))


@pytest_asyncio.fixture(loop_scope="session")
async def encrypting(client: Client, settings: Settings, tmp_path: Path) -> AsyncGenerator[Client]:
    """A client with the key k1, and a worker with it whose ledger is watched."""
    keyed = with_keys(client, tmp_path, k1=OLD)
    async with running_worker(keyed, settings, watches_ledger=True):
        yield keyed


async def known_to_temporal(client: Client, settings: Settings) -> Ledger:
    """Wait until Temporal has a mark of the ledger."""
    ledger = await Ledger.open(settings.ledger.ledger_url, create=False)
    await eventually(lambda: mark_in_temporal(client, ledger.identity))
    return ledger


async def test_a_command_without_the_key_says_that_it_cannot_tell_what_became_of_a_request(
    encrypting: Client, cli: CommandLine, happened: World
) -> None:
    request_id = an_id()
    commands = [
        ("submit", "--id", request_id, "--yes", "tree"),
        ("status", request_id),
        ("result", request_id),
        ("watch", request_id),
        ("approve", request_id, "--by", "bob"),
        ("apply", request_id, "--yes"),
        ("tools", "call", "write_down", "--arguments", '{"word": "oak"}', "--yes"),
    ]
    for words in commands:
        said = await cli(*words)
        await encrypting.get_workflow_handle(request_id, result_type=Outcome).result()
        assert said.code == 2, said
        assert MISSING in said.err
        assert NOTHING_IS_KNOWN in said.err
        assert "failed" not in said.err

    async def both_are_written() -> bool:
        return happened.done("write_down") == ["tree", "oak"]

    await eventually(both_are_written)


async def test_doctor_says_at_keys_that_the_workers_have_one_that_is_missing(
    encrypting: Client, cli: CommandLine, settings: Settings
) -> None:
    await (await known_to_temporal(encrypting, settings)).aclose()
    said = await cli("doctor", "--json")
    lines = {line["of"]: line for line in map(json.loads, said.out.splitlines())}
    assert (said.code, lines["keys"]["level"], lines["restores"]["level"]) == (2, "fail", "warn")
    assert MISSING in lines["keys"]["said"]


@pytest.mark.parametrize("keys", [{}, {"k2": NEW}], ids=["no key", "another key"])
async def test_a_worker_that_lacks_the_key_does_not_start_and_names_it(
    encrypting: Client, client: Client, settings: Settings, tmp_path: Path, keys: dict[str, str]
) -> None:
    ledger = await known_to_temporal(encrypting, settings)
    without = with_keys(client, tmp_path, **keys)
    with pytest.raises(ConfigurationError, match=MISSING):
        async with watched_by_temporal(without, ledger, settings.worker.task_queue):
            pass
    await ledger.aclose()


async def test_why_names_what_it_cannot_read_and_claims_nothing_of_it(
    client: Client, settings: Settings, cli: CommandLine, tmp_path: Path
) -> None:
    """A request that was begun with the key k1, and went on with k2."""
    request_id = an_id()
    files = {
        name: key_file(tmp_path, **keys)
        for name, keys in {"k1": {"k1": OLD}, "k2": {"k2": NEW}, "both": {"k2": NEW, "k1": OLD}}.items()
    }
    by = {name: {**cli.environment, "ERRAND_PAYLOAD_KEYS": str(file)} for name, file in files.items()}
    await CommandLine(by["k1"])("submit", "--id", request_id, "--no-wait", "--yes", "tree")
    rotated = changed(settings, encryption={"payload_keys": files["both"]})
    both = with_keys(client, tmp_path, k2=NEW, k1=OLD)
    async with running_worker(both, rotated):
        await both.get_workflow_handle(request_id).result()
    assert (await CommandLine(by["both"])("why", request_id)).code == 0
    for name, part in (("k2", "the request"), ("k1", "its outcome")):
        said = await CommandLine(by[name])("why", request_id)
        assert said.code == 2, said
        shown = " ".join((said.out + said.err).split())
        assert f"nothing is said of: {part}" in shown or f", {part}" in shown
        assert "is missing" in shown
        claims = ("made up", "address book", "failed", "nobody has decided", "by the model", "history does not")
        assert [claim for claim in claims if claim in shown] == []
