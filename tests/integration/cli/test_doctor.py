"""`client.py doctor` looks at every part of a deployment, and says what to do about each."""

import asyncio
import json
import shutil
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.worker import Worker

from activities.ledger.ledger import Ledger
from activities.ledger.rows import State, Write
from tests.conftest import empty_ledger
from tests.disks import make_read_only, small_disk
from tests.integration.cli.conftest import CommandLine, Said
from tests.scripted_model import Raw, ScriptedModel, call, calls, say
from workflows.contract.internal import ToolCall
from workflows.ledger_watch import LedgerWatchWorkflow

WORKFLOWS = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
QUESTION = "What's the weather in Paris?"


class Found(TypedDict):
    of: str
    level: str
    said: str
    todo: str


class NoMail:
    """A handler that lets nothing be sent."""

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        raise AssertionError("a mail was begun")


@contextmanager
def mail_server(password: str) -> Generator[int]:
    """A server on loopback that takes one password of ann's; its port."""

    def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        right = getattr(data, "password", b"") == password.encode()
        return AuthResult(success=right, handled=right)

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(
        NoMail(),
        hostname="127.0.0.1",
        port=port,
        authenticator=authenticate,
        auth_require_tls=False,
        auth_required=True,
    )
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@pytest.fixture
def whole(cli: CommandLine, model: ScriptedModel) -> Generator[CommandLine]:
    """With a mail server and a model that answers with a call."""
    model.scripts[QUESTION] = [calls(call("get_weather", city="Paris"))]
    with mail_server("right") as port:
        more = {
            "OPENAI_MODEL": "scripted",
            "OPENAI_BASE_URL": model.url,
            "ERRAND_SMTP_URL": f"smtp+plain://ann:right@127.0.0.1:{port}",
            "ERRAND_MAIL_FROM": "Errand <errand@example.com>",
        }
        yield CommandLine({**cli.environment, **more})


def found(said: Said) -> dict[str, Found]:
    lines: list[Found] = [json.loads(line) for line in said.out.splitlines()]
    return {line["of"]: line for line in lines}


@pytest.mark.usefixtures("worker")
async def test_where_everything_is_there_every_line_is_ok(whole: CommandLine, model: ScriptedModel) -> None:
    said = await whole("doctor", "--json")
    assert said.code == 0, said
    lines = found(said)
    assert {line["level"] for line in lines.values()} == {"ok"}, lines
    names = ["temporal", "namespace", "search attributes", "workers", "restores", "sources", "model", "mail", "ledger"]
    assert [*lines] == [*names, "clock", "keys"]
    assert "greets and takes the password" in lines["mail"]["said"]
    assert len(model.asked) == 1


@pytest.mark.usefixtures("worker")
async def test_what_fails_says_what_to_do_and_ends_with_2_where_a_setting_is_wrong(whole: CommandLine) -> None:
    url = whole.environment["ERRAND_SMTP_URL"].replace("right", "wrong")
    said = await CommandLine({**whole.environment, "ERRAND_SMTP_URL": url})("doctor")
    assert said.code == 2, said.out
    assert "fail  mail: " in said.out
    assert "→ see that ERRAND_SMTP_URL is right" in said.out
    assert "wrong" not in said.out


@pytest.mark.usefixtures("worker")
async def test_workers_that_differ_in_sources_tools_or_policy_are_noticed(whole: CommandLine, client: Client) -> None:
    address = client.service_client.config.target_host
    other = await Client.connect(address, namespace=client.namespace, identity="another")
    queue = TaskQueue(name=whole.environment["ERRAND_TASK_QUEUE"])
    asked = DescribeTaskQueueRequest(namespace=client.namespace, task_queue=queue, task_queue_type=WORKFLOWS)
    async with Worker(other, task_queue=queue.name, workflows=[LedgerWatchWorkflow], build_id="another"):
        async with asyncio.timeout(20):
            while len((await client.workflow_service.describe_task_queue(asked)).pollers) < 2:
                await asyncio.sleep(0.05)
        line = found(await whole("doctor", "--json"))["workers"]
    assert line["level"] == "warn"
    assert "2 polled the task queue" in line["said"]
    assert line["said"].endswith("of 2 kinds: other sources, tools or policy")
    assert "ERRAND_POLICY" in line["todo"]


@pytest.mark.parametrize(
    ("budget", "why"),
    [
        ('tool = "no_such"\nmost = 1', "no tool that writes is called no_such"),
        ("cost = 1", "cost needs the price of the model scripted (ERRAND_MODEL_PRICES=scripted=INPUT/OUTPUT), and "),
    ],
)
async def test_a_budget_that_keeps_workers_from_starting_fails_in_their_words(
    whole: CommandLine, tmp_path: Path, budget: str, why: str
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(f'[[budget]]\n{budget}\nper = "day"\n')
    said = await CommandLine({**whole.environment, "ERRAND_POLICY": str(policy)})("doctor", "--json")
    line = found(said)["sources"]
    assert (said.code, line["level"]) == (2, "fail")
    assert line["said"].startswith(f"ERRAND_POLICY: budget 1: {why}")


@pytest.mark.usefixtures("worker")
async def test_what_cannot_be_reached_ends_with_3(whole: CommandLine) -> None:
    away = {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1", "TEMPORAL_ADDRESS": "127.0.0.1:1"}
    said = await CommandLine({**whole.environment, **away})("doctor", "--json")
    lines = found(said)
    assert (said.code, lines["temporal"]["level"], lines["model"]["level"]) == (3, "fail", "fail")
    assert "namespace" not in lines


async def test_without_a_ledger_none_is_made(whole: CommandLine, tmp_path: Path) -> None:
    whole.environment["ERRAND_LEDGER_URL"] = f"sqlite:///{tmp_path}/none.db"
    said = await whole("doctor", "--json")
    assert (said.code, found(said)["ledger"]["level"]) == (2, "fail")
    assert not (tmp_path / "none.db").exists()


async def test_a_ledger_that_cannot_be_reached_is_no_ledger_to_be_made(whole: CommandLine, tmp_path: Path) -> None:
    whole.environment["ERRAND_LEDGER_URL"] = "postgresql://ann@127.0.0.1:1/errand"
    line = found(await whole("doctor", "--json"))["ledger"]
    assert line["level"] == "fail"
    assert "refused" in line["said"]
    assert line["todo"] == "see that host and port in ERRAND_LEDGER_URL are right, or that its server runs"
    assert line["todo"] not in line["said"]
    whole.environment["ERRAND_LEDGER_URL"] = f"sqlite:///{tmp_path}/none.db"
    assert "the first worker makes it" in found(await whole("doctor", "--json"))["ledger"]["todo"]


async def test_a_ledger_on_a_disk_that_is_read_only_is_told_soon_and_can_be_listed(
    whole: CommandLine, tmp_path: Path
) -> None:
    with small_disk(tmp_path) as disk:
        shutil.copy(empty_ledger(), disk / "ledger.db")
        make_read_only(disk)
        whole.environment["ERRAND_LEDGER_URL"] = f"sqlite:///{disk}/ledger.db"
        async with asyncio.timeout(10):
            line = found(await whole("doctor", "--json"))["ledger"]
        assert (await whole("actions")).code == 0
        assert (await whole("ledger", "export")).code == 0
    assert (line["level"], "readonly database" in line["said"]) == ("fail", True)
    assert line["todo"].startswith("see that this user may write the file")


@pytest.mark.usefixtures("worker")
async def test_what_may_be_meant_is_a_warning_and_ends_with_0(whole: CommandLine, model: ScriptedModel) -> None:
    model.scripts[QUESTION] = [say("It is sunny.")]
    unknown = await Ledger.open(whole.environment["ERRAND_LEDGER_URL"], create=False)
    action = Write(ToolCall(key="lost/1.1", tool="pay", arguments={}))
    token = await unknown.begin(action, attempt=1, seen=None)
    await unknown.finish("lost/1.1", token, State.UNKNOWN)
    await unknown.aclose()
    environment = {**whole.environment, "ERRAND_TASK_QUEUE": "nobody-polls-this"}
    del environment["ERRAND_SMTP_URL"]
    said = await CommandLine(environment)("doctor", "--json")
    assert said.code == 0, said
    lines = found(said)
    assert {of for of, line in lines.items() if line["level"] == "warn"} == {"workers", "model", "mail", "ledger"}
    assert all(line["todo"] for line in lines.values() if line["level"] == "warn")


@pytest.mark.usefixtures("worker")
async def test_an_endpoint_that_takes_no_functions_is_asked_in_words(whole: CommandLine, model: ScriptedModel) -> None:
    model.trouble.append(Raw(400, '{"error": {"message": "tools is not supported", "param": "tools"}}'))
    model.scripts[QUESTION] = [say('{"tool_calls": [{"name": "get_weather", "arguments": {"city": "Paris"}}]}')]
    assert found(await whole("doctor", "--json"))["model"]["level"] == "ok"
    assert "tools" not in model.asked[-1]
