"""A write that was under way when its worker died, of a run that an operator has ended: nobody is left to ask."""

import json
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.conftest import settings_for
from tests.forked.process import Processes
from tests.integration.cli.conftest import CommandLine
from tests.integration.operators.scene import Moment, Scene
from tests.integration.operators.verbs import BY_HAND, WORKFLOW
from tests.integration.requests.test_stopping import Workers, variables_of
from tests.scripted_model import ScriptedModel
from tests.unit.smtp.fake_smtp import fake_smtp


async def test_it_is_listed_as_unknown_and_a_person_settles_it(
    temporal: WorkflowEnvironment,
    model: ScriptedModel,
    processes: Processes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = settings_for(model)
    cli = CommandLine({"ERRAND_LEDGER_URL": settings.ledger.ledger_url, "LOGNAME": "ann"})
    async with fake_smtp() as mail:
        monkeypatch.setenv("ERRAND_SMTP_URL", f"smtp+plain://127.0.0.1:{mail.port}")
        monkeypatch.setenv("ERRAND_MAIL_FROM", "errand@example.com")
        scene = Scene(temporal.client, settings, model, mail)
        workers = Workers(variables_of(temporal, settings), processes, tmp_path / "worker.log")
        async with workers.one() as worker:
            handle = await scene.begin(Moment.ACTING)
            listed = await cli("actions", "--state", "unknown", "--json")
            assert listed.out == "", "it is under way"
            worker.kill()
            await worker.wait()
        assert not await scene.operate(f"workflow terminate {WORKFLOW} {BY_HAND}", handle)
        listed = await cli("actions", "--state", "unknown", "--json")
        assert [json.loads(line)["key"] for line in listed.out.splitlines()] == [f"{handle.id}/1.1"]
        settled = await cli("resolve", f"{handle.id}/1.1", "delivered")
        assert settled.code == 0, settled.err
        assert scene.ledger(handle.id) == [(f"{handle.id}/1.1", "done")]
