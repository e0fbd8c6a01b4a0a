"""A worker that beats often, so that it hears soon what an operator did."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.client import Client

from activities import heartbeats
from deploy.service import assembly
from tests.conftest import running_worker, settings_for
from tests.integration.operators.scene import Scene
from tests.scripted_model import ScriptedModel
from tests.unit.smtp.fake_smtp import fake_smtp

INTERVAL = 0.2


@pytest_asyncio.fixture(loop_scope="session")
async def scene(client: Client, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setattr(heartbeats, "INTERVAL", INTERVAL)
    monkeypatch.setattr(assembly, "INTERVAL", INTERVAL)
    async with fake_smtp() as mail:
        settings = settings_for(
            model,
            smtp_url=f"smtp+plain://127.0.0.1:{mail.port}",
            mail_from="errand@example.com",
            mail_timeout=20,
            mail_pause=2,
        )
        async with running_worker(client, settings):
            made = Scene(client, settings, model, mail)
            yield made
            made.go_on()
            model.go.set()
