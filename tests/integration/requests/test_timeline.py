"""What the Temporal UI shows of a request without opening an event."""

import asyncio

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from activities.settings import Settings
from tests.conftest import running_worker
from tests.integration.requests.asking import Handle, ask, start, until_it_waits
from tests.scripted_model import ScriptedModel, call, calls, say


async def found(client: Client, query: str) -> list[str]:
    return [run.id async for run in client.list_workflows(query)]


async def details(handle: Handle) -> str:
    metadata = await handle.query("__temporal_workflow_metadata")
    return str(metadata)


async def test_a_request_is_found_by_its_status_requester_tools_and_whether_it_waits(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Write"] = [calls(call("look_up", word="a"), call("write_down", word="tree")), say("Done.")]
    async with running_worker(client, settings):
        handle = await start(client, settings, "Write", requester="billing-7")
        await until_it_waits(handle)
        running = "ExecutionStatus = 'Running' AND ErrandAwaitingApproval = true AND ErrandRequester = 'billing-7'"
        async with asyncio.timeout(10):
            while await found(client, running) != [handle.id]:
                await asyncio.sleep(0.1)
        await handle.cancel()
        await handle.result()
        ended = "ErrandStatus = 'cancelled' AND ErrandTools = 'write_down' AND ErrandRequester = 'billing-7'"
        async with asyncio.timeout(10):
            while await found(client, ended) != [handle.id]:
                await asyncio.sleep(0.1)
        assert await found(client, running) == []


async def test_every_activity_says_what_it_is_about_and_has_the_tools_own_name(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Look"] = [calls(call("look_up", word="tree")), say("Found.")]
    async with running_worker(client, settings):
        handle = await start(client, settings, "Look")
        await handle.result()
        history = await handle.fetch_history()
    summaries = {
        event.activity_task_scheduled_event_attributes.activity_type.name: event.user_metadata.summary.data.decode()
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    }
    assert summaries == {"decide": '"turn 2"', "look_up": '"`tree`"'}


async def test_current_details_say_what_it_waits_for_and_how_to_approve(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Write"] = [calls(call("write_down", word="tree")), say("Done.")]
    async with running_worker(client, settings):
        handle = await start(client, settings, "Write")
        pending = await until_it_waits(handle)
        shown = await details(handle)
        assert "`write_down tree`, until" in shown
        assert f"client.py approve {handle.id}" in shown
        assert pending.digest in shown
        await handle.cancel()
        await handle.result()


async def test_current_details_of_an_ended_request_list_its_receipts(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Both"] = [calls(call("look_up", word="tree"), call("look_up", word="nothing")), say("Half of it.")]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Both")
        shown = await details(client.get_workflow_handle(outcome.request_id))
    assert "completed: Half of it." in shown
    assert "`look_up` done" in shown
    assert "`look_up` failed" in shown
