"""Two workers on one PostgreSQL carry out many requests at once, and write each thing once."""

import asyncio

import pytest
from temporalio.client import Client

from activities.ledger.ledger import Ledger
from activities.ledger.rows import State
from tests.conftest import running_worker, settings_for
from tests.integration.ledger.postgres import Postgres
from tests.integration.requests.asking import Handle, reset_to_its_beginning, start
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import Outcome, ReceiptStatus

REQUESTS = 30


@pytest.mark.long
async def test_every_request_writes_once_and_again_nothing_when_it_is_reset(
    client: Client, postgres: Postgres, empty: None, model: ScriptedModel, happened: World
) -> None:
    settings = settings_for(model, ledger_url=postgres.url)
    words = [f"word-{number}" for number in range(REQUESTS)]
    for word in words:
        model.scripts[word] = [calls(call("write_down", word=word, seconds=1)), say("Written.")]
    # A connection of its own, as one connection has one worker a task queue.
    other = await Client.connect(
        client.service_client.config.target_host,
        namespace=client.namespace,
        data_converter=client.data_converter,
        identity="other",
    )
    async with running_worker(client, settings), running_worker(other, settings):
        handles = await asyncio.gather(*(start(client, settings, word, approve=("*",)) for word in words))
        first = await asyncio.gather(*(handle.result() for handle in handles))
        assert await who_worked_on(handles) == {client.identity, "other"}
        runs = await asyncio.gather(*(reset_to_its_beginning(client, handle) for handle in handles[:5]))
        again = await asyncio.gather(
            *(
                client.get_workflow_handle(handle.id, run_id=run, result_type=Outcome).result()
                for handle, run in zip(handles, runs, strict=False)
            )
        )
    for outcome in (*first, *again):
        assert [(each.status, each.result) for each in outcome.receipts] == [(ReceiptStatus.DONE, "written")]
    assert sorted(happened.done("write_down")) == sorted(words)
    ledger = await Ledger.open(postgres.url)
    rows = await ledger.search()
    await ledger.aclose()
    assert sorted(row.key for row in rows) == sorted(f"{handle.id}/1.1" for handle in handles)
    assert {row.state for row in rows} == {State.DONE}


async def who_worked_on(handles: list[Handle]) -> set[str]:
    histories = [await handle.fetch_history() for handle in handles]
    events = [event for history in histories for event in history.events]
    return {event.workflow_task_completed_event_attributes.identity for event in events} - {""}
