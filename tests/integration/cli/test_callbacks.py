"""`client.py submit --notify`, `callbacks` and what `status` says of callbacks."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client

from activities.settings import Settings
from tests.conftest import changed, running_worker
from tests.integration.cli.conftest import CommandLine, Said, an_id, eventually
from tests.scripted_model import ScriptedModel, say
from tests.webhook_receiver import SECRET, Receiver, receiver


@pytest_asyncio.fixture(loop_scope="session")
async def ops(
    client: Client, settings: Settings, model: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Receiver]:
    """An endpoint, and a worker that knows it as `ops`."""
    monkeypatch.setenv("OPS_SECRET", SECRET)
    async with receiver() as listening:
        file = tmp_path / "callbacks.toml"
        ops = f'[endpoint.ops]\nurl = "{listening.url}"\nsecrets = ["OPS_SECRET"]\nprivate = true\n'
        file.write_text(f"pauses = [0.05, 0.05]\n{ops}")
        known = changed(settings, notification={"callbacks": file})
        async with running_worker(client, known):
            yield listening


async def test_what_could_not_be_told_is_said_and_told_again(
    cli: CommandLine, ops: Receiver, model: ScriptedModel
) -> None:
    model.scripts["Hello."] = [say("Hello.")]
    ops.answers = ["410 Gone"]
    id = an_id()
    assert (await cli("submit", "Hello.", "--notify", "ops", "--id", id)).code == 0

    async def failed() -> bool:
        return (await cli("callbacks", id)).code == 1

    assert await eventually(failed)
    shown = (await cli("callbacks", id)).out
    assert "ops  request.completed  failed" in shown
    assert ", 1 attempt  ops answered 410 Gone" in shown
    assert "ops was not told of request.completed: ops answered 410 Gone" in (await cli("status", id)).err
    assert (await cli("callbacks", id, "--again")).err == "1 callback told again\n"
    await ops.until(2)

    async def delivered() -> bool:
        return json.loads((await cli("callbacks", id, "--json")).out)["status"] == "delivered"

    assert await eventually(delivered)
    assert (await cli("status", id)).err == ""


async def test_what_was_given_up_says_after_how_many_attempts(
    cli: CommandLine, ops: Receiver, model: ScriptedModel
) -> None:
    model.scripts["Hello."] = [say("Hello.")]
    ops.answers = ["500 Oh"] * 3
    id = an_id()
    assert (await cli("submit", "Hello.", "--notify", "ops", "--id", id)).code == 0

    async def given_up() -> str | None:
        shown = await cli("callbacks", id)
        return shown.out if shown.code == 1 else None

    shown = await eventually(given_up)
    assert ", 3 attempts  ops answered 500 Oh; given up after 3 attempts" in shown


async def test_a_request_that_there_is_not_is_told_from_one_that_nobody_is_told_of(
    cli: CommandLine, ops: Receiver, model: ScriptedModel
) -> None:
    model.scripts["Hello."] = [say("Hello.")]
    assert (await cli("submit", "Hello.", "--id", (id := an_id()))).code == 0
    assert await cli("callbacks", id) == Said(0, "", "no callbacks\n")
    for as_json in ((), ("--json",)):
        assert await cli("callbacks", "no-such", *as_json) == Said(2, "", "error: there is no request no-such\n")


async def test_an_endpoint_that_there_is_not_ends_the_request_with_a_sentence(cli: CommandLine, ops: Receiver) -> None:
    refused = await cli("submit", "Hello.", "--notify", "pos", "--id", an_id())
    assert refused.code == 1
    assert "notify: pos: there is no such endpoint; did you mean ops?" in refused.out


async def test_an_endpoint_that_this_machine_knows_not_to_be_there_starts_nothing(
    cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "callbacks.toml"
    file.write_text('[endpoint.ops]\nurl = "https://ops.example.com"\nsecrets = ["NOT_SET_HERE"]\n')
    monkeypatch.setenv("ERRAND_CALLBACKS", str(file))
    id = an_id()
    submitted = await cli("submit", "Hello.", "--notify", "pos", "--id", id)
    scheduled = await cli("schedule", "add", "0 8 * * *", "Hello.", "--notify", "pos", "--id", id)
    for refused in (submitted, scheduled):
        assert refused.code == 2
        assert "--notify: pos: there is no such endpoint; did you mean ops?" in refused.err
    assert f"there is no request {id}" in (await cli("status", id)).err
