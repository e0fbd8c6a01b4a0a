"""A write of which nobody knows whether it happened is asked again under its key for longer than its attempts last."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType, PendingActivityState
from temporalio.client import Client

from activities.settings import Settings
from tests.conftest import changed, running_worker, settings_for
from tests.integration.http.faulty_server import FaultyServer, answered, faulty_server
from tests.integration.requests.asking import Handle, ask, start, until
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import Limits, Receipt, ReceiptStatus, RequestStatus

pytestmark = pytest.mark.long

TOOL = """
import httpx
from activities.execution.act import Act
from activities.http.staged import FarEnd, HttpSender, idempotency_key
from activities.toolkit.tool import tool
from workflows.contract.internal import ToolCall


@tool(effect="write", idempotent=True, attempts=2)
async def pay(sum: int, *, sender: HttpSender, act: Act, call: ToolCall) -> dict[str, int]:
    request = httpx.Request("POST", "{url}", json={{"sum": sum}})
    reply = await sender.write(request, FarEnd("bank", "Idempotency-Key"), act, idempotency_key(call))
    return reply.json()
"""
BUSY, PAID, NO = answered(503), answered(200, '{"paid": 5}'), answered(422)


@pytest.fixture
async def bank() -> AsyncIterator[FaultyServer]:
    async with faulty_server() as server:
        yield server


@pytest.fixture
def settings(model: ScriptedModel, bank: FaultyServer, tmp_path: Path) -> Settings:
    (tmp_path / "paying.py").write_text(TOOL.format(url=bank.url))
    model.scripts["Pay 5"] = [calls(call("pay", sum=5)), say("Done.")]
    return settings_for(model, tools=(str(tmp_path),), http_private=True, ask_again=6)


def keys(bank: FaultyServer) -> set[str]:
    return {line for taken in bank.taken for line in taken.lower().splitlines() if line.startswith("idempotency-key")}


async def until_it_is_asked_again(handle: Handle) -> None:
    now = await until(handle, lambda now: "asking again" in now.doing)
    assert now.doing == "asking again whether it happened: pay 5"
    assert now.running == (f"{handle.id}/1.1",)


async def waits_for_its_next_attempt(handle: Handle, activity: str) -> bool:
    pending = (await handle.describe()).raw_description.pending_activities
    scheduled = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    return [(each.activity_type.name, each.state) for each in pending] == [(activity, scheduled)]


async def receipt_of(handle: Handle) -> Receipt:
    [receipt] = (await handle.result()).receipts
    return receipt


async def test_a_far_end_that_comes_back_after_seven_failures_has_done_it_once(
    client: Client, settings: Settings, bank: FaultyServer
) -> None:
    bank.answers = [*[BUSY] * 7, PAID]
    async with running_worker(client, changed(settings, tools={"ask_again": 15})):  # two seconds more than they take
        outcome = await ask(client, settings, "Pay 5", approve=("pay",))
    [receipt] = outcome.receipts
    assert (receipt.status, receipt.result, receipt.error) == (ReceiptStatus.DONE, {"paid": 5}, None)
    assert (receipt.settled, receipt.attempts) == ("asked again", 8)
    assert (len(bank.taken), len(keys(bank))) == (8, 1)


async def test_temporal_and_whoever_waits_see_it_and_a_cancellation_ends_it_as_unknown_at_once(
    client: Client, settings: Settings, bank: FaultyServer
) -> None:
    bank.answers = [BUSY]
    async with running_worker(client, changed(settings, tools={"ask_again": 3600})):
        handle = await start(client, settings, "Pay 5", approve=("pay",))
        await until_it_is_asked_again(handle)
        await handle.cancel()
        async with asyncio.timeout(5):
            outcome = await handle.result()
    assert outcome.status is RequestStatus.CANCELLED
    assert (outcome.receipts[0].status, outcome.receipts[0].attempts) == (ReceiptStatus.UNKNOWN, 2)


async def test_a_cancellation_between_two_questions_is_unknown_too(
    client: Client, settings: Settings, bank: FaultyServer
) -> None:
    bank.answers = [BUSY]
    async with running_worker(client, changed(settings, tools={"ask_again": 20})):
        handle = await start(client, settings, "Pay 5", approve=("pay",))
        async with asyncio.timeout(20):
            while len(bank.taken) < 4 or not await waits_for_its_next_attempt(handle, "pay"):
                await asyncio.sleep(0.05)
        await handle.cancel()
        async with asyncio.timeout(5):
            receipt = await receipt_of(handle)
        summaries = [
            (await client.data_converter.decode([event.user_metadata.summary]))[0]
            async for event in handle.fetch_history_events()
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED and event.user_metadata.summary.data
        ]
    assert receipt.status is ReceiptStatus.UNKNOWN
    assert "cancelled" in (receipt.error or "")
    assert "it was asked again 2 times" in (receipt.error or "")
    assert any("asking again whether it happened" in each for each in summaries)


async def test_the_time_of_the_request_bounds_it(client: Client, settings: Settings, bank: FaultyServer) -> None:
    bank.answers = [BUSY]
    limits = Limits(seconds=3)
    async with running_worker(client, changed(settings, tools={"ask_again": 20})):
        handle = await start(client, settings, "Pay 5", approve=("pay",), limits=limits)
        async with asyncio.timeout(10):
            receipt = await receipt_of(handle)
    assert receipt.status is ReceiptStatus.UNKNOWN
    assert "it was asked again" in (receipt.error or "")


async def test_what_the_far_end_refuses_in_the_end_is_unknown_without_a_long_wait(
    client: Client, settings: Settings, bank: FaultyServer
) -> None:
    bank.answers = [BUSY, NO]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Pay 5", approve=("pay",))
    assert (outcome.receipts[0].status, len(bank.taken)) == (ReceiptStatus.UNKNOWN, 2)


async def test_what_certainly_did_not_happen_keeps_its_attempts(
    client: Client, settings: Settings, bank: FaultyServer
) -> None:
    bank.answers = [answered(429)]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Pay 5", approve=("pay",))
    assert (outcome.receipts[0].status, len(bank.taken)) == (ReceiptStatus.FAILED, 2)
