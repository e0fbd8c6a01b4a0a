"""What /readyz asks, of a real worker, and how long one that is stopped lets activities finish."""

import asyncio
from datetime import timedelta

from temporalio.client import Client

from deploy.service.health import Ready, readiness
from tests.conftest import running_worker, settings_for
from tests.scripted_model import ScriptedModel


async def until(why_not: Ready, wanted: str) -> None:
    """A worker polls a moment after it was started."""
    async with asyncio.timeout(20):
        while await why_not() != wanted:
            await asyncio.sleep(0.02)


async def test_a_worker_is_ready_while_it_polls_and_not_before_nor_after(client: Client, model: ScriptedModel) -> None:
    async with running_worker(client, settings_for(model)) as worker:
        why_not = readiness(worker, client)
        await until(why_not, "")
    assert await why_not() == "the worker does not poll"


async def test_a_worker_is_not_ready_while_temporal_does_not_answer(client: Client, model: ScriptedModel) -> None:
    nowhere = await Client.connect("127.0.0.1:1", lazy=True)
    async with running_worker(client, settings_for(model)) as worker:
        await until(readiness(worker, client), "")
        assert (await readiness(worker, nowhere)()).startswith("Temporal does not answer: ")


async def test_activities_may_finish_for_as_long_as_the_setting_says(client: Client, model: ScriptedModel) -> None:
    async with running_worker(client, settings_for(model, grace=77)) as worker:
        config = worker.config()
        grace = config["graceful_shutdown_timeout"]  # pyright: ignore[reportTypedDictNotRequiredAccess]  # all have it
        assert grace == timedelta(seconds=77)
