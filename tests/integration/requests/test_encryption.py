"""With keys, nobody who can read Temporal, the ledger or the log can read what a request says. Each word is a canary.

One request goes every way at once; then each canary is looked for where it must not be, and, as a control, found with
the keys.
"""

import asyncio
import base64
import hashlib
import json
import os
import secrets
import sqlite3
import urllib.request
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from google.protobuf.json_format import MessageToJson, ParseDict
from pydantic import JsonValue
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.worker import Replayer
from typer.testing import CliRunner

from activities.encryption.codec import EncryptingCodec
from activities.encryption.hidden_requester import HiddenRequester
from activities.encryption.key_ring import KeyRing
from activities.settings import Settings
from activities.settings.environment import PROJECT
from activities.stages import OBSERVERS
from activities.temporal import data_converter
from client import app, approve, close, handle_of, outcome, reject, say, submit
from deploy.client.schedules import add_schedule, delete_schedule
from deploy.client.timetables import Timetable
from deploy.local.ports import free_ports
from deploy.service.metrics import Measuring, scraped
from deploy.service.observed import OFF, Telemetry
from deploy.service.open_work import OpenWork
from deploy.service.probe import why_not
from tests.conftest import running_worker, settings_for
from tests.dev_server import TEMPORAL, variables_for
from tests.forked import Forked
from tests.integration.requests.asking import until_it_waits
from tests.logged import logged
from tests.scripted_model import Raw, ScriptedModel, call, calls
from tests.scripted_model import say as says
from tests.unit.encryption.keys import key_file, new_key
from workflows.contract.api import Outcome, ReceiptStatus, Request
from workflows.request import RequestWorkflow
from workflows.timeline import REQUESTER

CONTENTS = (
    *("text", "requester", "read", "not found", "mistake", "later", "recipient", "what", "edited", "approver"),
    *("rejected", "reason", "rejecter", "unknown", "summary", "message", "second summary", "model's trouble"),
)
"""What a request says, is told and comes to."""
IN_SETTINGS = ("openai_api_key", "smtp_password", "stocks_token", "payload_key")


@dataclass(frozen=True)
class Seen:
    """What is left behind, as it is seen without the keys and with them."""

    canaries: Mapping[str, str]
    ended: Outcome
    without_keys: Mapping[str, str]
    with_keys: str
    requester: str | None


def payloads_in(value: JsonValue) -> list[Payload]:
    match value:
        case {"metadata": dict(), "data": str()}:
            return [ParseDict(value, Payload())]
        case dict():
            return [payload for each in value.values() for payload in payloads_in(each)]
        case list():
            return [payload for each in value for payload in payloads_in(each)]
        case _:
            return []


def scripted(model: ScriptedModel, of: Mapping[str, str]) -> None:
    model.scripts[of["text"]] = [
        calls(*(call("recite", how=how, word=of[how]) for how in ("read", "not found", "mistake", "later"))),
        calls(call("post", to=of["recipient"], what=of["what"])),
        calls(call("post", to="somebody", what=of["rejected"])),
        calls(call("post", to="somebody", what=f"unknown {of['unknown']}")),
        says(of["summary"]),
        says(of["second summary"]),
    ]
    trouble = json.dumps({"error": {"message": f"{of[CONTENTS[-1]]} and {of['openai_api_key']}"}})
    model.trouble.append(Raw(500, trouble, {"retry-after-ms": "10"}))


async def carry_out(client: Client, settings: Settings, of: Mapping[str, str]) -> Outcome:
    request = Request(text=of["text"], requester=of["requester"], keep_open=True)
    handle = await submit(client, request, task_queue=settings.worker.task_queue)
    edited: dict[str, JsonValue] = {"to": of["recipient"], "what": of["edited"]}
    await approve(handle, await until_it_waits(handle), by=of["approver"], arguments=edited)
    await reject(handle, await until_it_waits(handle), by=of["rejecter"], reason=of["reason"])
    await approve(handle, await until_it_waits(handle), by=of["approver"])
    await say(client, handle.id, of["message"])
    await close(handle)
    return await outcome(handle)


@asynccontextmanager
async def encrypting(client: Client, settings: Settings, telemetry: Telemetry = OFF) -> AsyncGenerator[Client]:
    """A client as `connect` makes it, with a worker."""
    assert settings.encryption.payload_keys is not None
    with_keys = await Client.connect(
        client.service_client.config.target_host,
        namespace=client.namespace,
        data_converter=data_converter(client.namespace, KeyRing.read(settings.encryption.payload_keys)),
        runtime=telemetry.runtime,
    )
    async with running_worker(with_keys, settings, telemetry=telemetry):
        yield with_keys


def measured(address: str) -> Telemetry:
    """As a worker measures whom Prometheus scrapes."""
    runtime, metrics = scraped(address, {})
    return Telemetry(
        runtime=runtime,
        interceptors=(Measuring(metrics),),
        watching=lambda client, ledger, budgets: OpenWork(client, ledger, metrics, budgets).watched(),
    )


def scrape_of(address: str) -> str:
    with urllib.request.urlopen(f"http://{address}/metrics") as reply:
        return reply.read().decode()


def letters() -> str:
    return "".join(secrets.choice("bcdfghjkmnpqrstvwxz") for _ in range(16))


def canaries() -> dict[str, str]:
    """Of letters alone: a figure that nobody mentioned goes back to the model."""
    made = {name: f"canary-{letters()}-{name.replace(' ', '-')}" for name in (*CONTENTS, *IN_SETTINGS)}
    return {**made, "payload_key": new_key()}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def seen(client: Client, scripted_model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    scripted_model.forget()
    folder = tmp_path_factory.mktemp("encryption")
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    of = canaries()
    settings = settings_for(
        scripted_model,
        tools=("tests.canary_tools",),
        ledger_url=f"sqlite:///{folder}/ledger.db",
        payload_keys=key_file(folder, k1=of["payload_key"]),
        openai_api_key=of["openai_api_key"],
        smtp_url=f"smtps://ann:{of['smtp_password']}@127.0.0.1:1",
        mail_from="errand@example.com",
        stocks_token=of["stocks_token"],
    )
    scripted(scripted_model, of)
    with logged(contents=False) as log:
        async with encrypting(client, settings, measured(address)) as with_keys:
            ended = await carry_out(with_keys, settings, of)
            metrics = await asyncio.to_thread(scrape_of, address)
    OBSERVERS.clear()
    plain = handle_of(client, ended.request_id)
    history = (await plain.fetch_history()).to_json_dict()
    found = payloads_in(history)
    description = await plain.describe()
    codec = EncryptingCodec(KeyRing.read(key_file(folder, k1=of["payload_key"])), client.namespace)
    with sqlite3.connect(folder / "ledger.db") as ledger:
        rows = "\n".join(map(str, ledger.execute("SELECT * FROM errand_actions")))
    return Seen(
        canaries=of,
        ended=ended,
        without_keys={
            "history": json.dumps(history) + "".join(payload.data.decode(errors="replace") for payload in found),
            "visibility": MessageToJson(description.raw_description),
            "log": log.getvalue(),
            "ledger": rows,
            "metrics": metrics,
        },
        with_keys="".join(payload.data.decode() for payload in await codec.decode(found)),
        requester=description.typed_search_attributes.get(REQUESTER),
    )


async def test_nothing_that_is_said_and_no_secret_is_in_temporal_ledger_log_or_metrics(seen: Seen) -> None:
    assert len(seen.canaries) >= 20
    leaks = {
        (name, place)
        for name, canary in seen.canaries.items()
        for place, text in seen.without_keys.items()
        if canary in text or base64.b64encode(canary.encode())[:-4].decode() in text
    }
    assert leaks == set()


async def test_with_the_keys_all_of_it_is_there_but_the_secrets_of_the_settings(seen: Seen) -> None:
    assert {name for name, canary in seen.canaries.items() if canary not in seen.with_keys} == {*IN_SETTINGS}


async def test_the_request_went_every_way(seen: Seen) -> None:
    done = [ReceiptStatus.DONE, ReceiptStatus.FAILED, ReceiptStatus.FAILED, ReceiptStatus.DONE]
    posted = [ReceiptStatus.DONE, ReceiptStatus.REJECTED, ReceiptStatus.UNKNOWN]
    assert [receipt.status for receipt in seen.ended.receipts] == [*done, *posted]
    assert all(seen.without_keys.values())
    assert "activity failed" in seen.without_keys["log"]
    assert 'errand_tool_calls_total{status="rejected"' in seen.without_keys["metrics"]


async def test_who_asks_is_no_search_attribute_unless_a_setting_says_so(
    seen: Seen, client: Client, model: ScriptedModel, tmp_path: Path
) -> None:
    assert seen.requester == ""
    model.scripts["Hello."] = [says("Hello.")]
    keys = key_file(tmp_path, k1=new_key())
    settings = settings_for(model, payload_keys=keys, show_requester=True)
    async with encrypting(client, settings) as with_keys:
        request = Request(text="Hello.", requester="ann@example.com")
        handle = await submit(with_keys, request, task_queue=settings.worker.task_queue)
        await outcome(handle)
        assert (await handle.describe()).typed_search_attributes.get(REQUESTER) == "ann@example.com"
        history = await handle.fetch_history()
    # The setting may change while a request is open.
    hiding = Replayer(
        workflows=[RequestWorkflow], data_converter=with_keys.data_converter, interceptors=[HiddenRequester()]
    )
    await hiding.replay_workflow(history)


async def test_a_schedule_tells_temporal_neither_who_asks_nor_what(client: Client, tmp_path: Path) -> None:
    config = client.config()
    config["data_converter"] = data_converter(client.namespace, KeyRing.read(key_file(tmp_path, k1=new_key())))
    with_keys, (who, what, when) = Client(**config), (letters(), letters(), letters())
    yearly, request = Timetable(cron="0 8 1 1 *", words=when), Request(text=what, requester=who)
    made = await add_schedule(with_keys, yearly, request, schedule_id=f"s-{letters()}")
    try:
        described = (await client.get_schedule_handle(made.schedule_id).describe()).raw_description
    finally:
        await delete_schedule(with_keys, made.schedule_id)
    assert (made.requester, made.text, made.timetable.words) == (who, what, when)
    kept = MessageToJson(described)
    kept += "".join(payload.data.decode(errors="replace") for payload in payloads_in(json.loads(kept)))
    assert [each for each in (who, what, when) if each in kept] == []


async def test_a_plain_start_by_any_client_still_runs_and_its_result_needs_the_keys(
    client: Client, model: ScriptedModel, tmp_path: Path
) -> None:
    model.scripts["Hello."] = [says("Hello yourself.")]
    settings = settings_for(model, payload_keys=key_file(tmp_path, k1=new_key()))
    async with encrypting(client, settings) as with_keys:
        handle = await submit(client, Request(text="Hello."), task_queue=settings.worker.task_queue)
        assert (await outcome(handle_of(with_keys, handle.id))).summary == "Hello yourself."


async def test_temporals_own_command_line_shows_it_in_clear_by_way_of_the_codec_server(
    client: Client, model: ScriptedModel, tmp_path: Path, python: Forked
) -> None:
    model.scripts["Hello."] = [says("Hello yourself.")]
    keys = key_file(tmp_path, k1=new_key())
    settings = settings_for(model, payload_keys=keys)
    async with encrypting(client, settings) as with_keys:
        handle = await submit(with_keys, Request(text="Hello."), task_queue=settings.worker.task_queue)
        await outcome(handle)
    digest = hashlib.sha256(b"t0ken").hexdigest()
    (tmp_path / "access.toml").write_text(f'[token.a]\nsha256 = "{digest}"\nkeys = ["k1"]\n')
    asked = ("workflow", "result", "--workflow-id", handle.id)
    async with codec_server(python, keys, tmp_path / "access.toml") as url:
        endpoint = ("--codec-endpoint", f"{url}/{{namespace}}", "--codec-auth", "Bearer t0ken")
        assert "Hello yourself." in await said_by_temporal(client, *asked, *endpoint)
    assert "Hello yourself." not in await said_by_temporal(client, *asked)


@asynccontextmanager
async def codec_server(python: Forked, keys: Path, access: Path) -> AsyncGenerator[str]:
    """As it is started in production; its URL."""
    [port] = free_ports(1)
    variables = {
        "ERRAND_PAYLOAD_KEYS": str(keys),
        "ERRAND_CODEC_ADDRESS": f"127.0.0.1:{port}",
        "ERRAND_CODEC_ACCESS": str(access),
    }
    process = await asyncio.create_subprocess_exec(
        *python("-m", "deploy.codec_server"), cwd=PROJECT, env=os.environ | variables
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(30):
            while await asyncio.to_thread(why_not, f"{url}/livez"):
                await asyncio.sleep(0.1)
        yield url
    finally:
        process.terminate()
        assert await process.wait() == 0


async def said_by_temporal(client: Client, *words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(TEMPORAL, *words),
        env=os.environ | variables_for(client),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return said.decode()


async def test_a_list_by_requester_says_why_it_would_find_nobody(client: Client, tmp_path: Path) -> None:
    environment = {
        **variables_for(client),
        "ERRAND_PAYLOAD_KEYS": str(key_file(tmp_path, k1=new_key())),
    }
    ended = await asyncio.to_thread(CliRunner(env=environment).invoke, app, ["list", "--requester", "ann"])
    assert ended.exit_code == 2
    assert "--requester: Temporal is not told who asks, unless ERRAND_SHOW_REQUESTER is true" in ended.output
