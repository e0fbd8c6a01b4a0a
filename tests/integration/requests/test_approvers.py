"""The policy names who may decide about a call that waits, and who is told of it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from activities.errors import ConfigurationError
from activities.settings import Settings
from client import approve, outcome, reject, state, submit
from deploy.client.requests import RequestHandle
from deploy.service.assembly import Service
from tests.conftest import running_worker, settings_for
from tests.integration.requests.asking import until_it_waits
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from tests.unit.smtp.fake_smtp import FakeSmtp, fake_smtp
from tests.webhook_receiver import SECRET, Receiver, receiver
from workflows.contract.api import Limits, ReceiptStatus, Request
from workflows.contract.approvals import NoticeResult

TELL = calls(call("tell", to=["ann"], what="hello"))
APPROVERS = '[approvals]\napprovers = ["*@example.com"]\n'


class Worker:
    """Runs a worker with a policy, an endpoint `ops` and a mail server."""

    def __init__(self, client: Client, model: ScriptedModel, ops: Receiver, mail: FakeSmtp, folder: Path) -> None:
        self.client, self.model, self.ops, self.mail, self.folder = client, model, ops, mail, folder

    def settings(self, policy: str) -> Settings:
        (self.folder / "policy.toml").write_text(policy)
        (self.folder / "callbacks.toml").write_text(
            f'[endpoint.ops]\nurl = "{self.ops.url}"\nsecrets = ["OPS_SECRET"]\nprivate = true\nrequesters = ["none"]\n'
        )
        return settings_for(
            self.model,
            policy=self.folder / "policy.toml",
            callbacks=self.folder / "callbacks.toml",
            smtp_url=f"smtp+plain://127.0.0.1:{self.mail.port}",
            mail_from="Errand <errand@example.com>",
            request_url="https://errand.test/r/{request_id}",
        )

    @asynccontextmanager
    async def __call__(self, policy: str) -> AsyncGenerator[Settings]:
        settings = self.settings(policy)
        async with running_worker(self.client, settings, sandboxed=True):
            yield settings


@pytest_asyncio.fixture(loop_scope="session")
async def worker(
    client: Client, model: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Worker]:
    monkeypatch.setenv("OPS_SECRET", SECRET)
    model.scripts["Tell ann."] = [TELL, say("Told.")] * 2
    async with receiver() as ops, fake_smtp() as mail:
        yield Worker(client, model, ops, mail, tmp_path)


async def waiting(client: Client, settings: Settings, seconds: float = 60, **fields: object) -> RequestHandle:
    """A request whose one write waits for a person, for so long."""
    request = Request.model_validate(
        {"text": "Tell ann.", "requester": "bob", "limits": Limits(approval_seconds=seconds), **fields}
    )
    return await submit(client, request, task_queue=settings.worker.task_queue)


async def notices(client: Client, handle: RequestHandle) -> list[WorkflowHandle[object, NoticeResult]]:
    events = [event async for event in handle.fetch_history_events()]
    ids = [each.child_workflow_execution_started_event_attributes.workflow_execution.workflow_id for each in events]
    found = [each for each in ids if ".approval." in each]
    return [client.get_workflow_handle(each, result_type=NoticeResult) for each in found]


# --- who may decide --------------------------------------------------------------------------------------------------


async def test_only_an_approver_of_the_policy_may_decide(client: Client, worker: Worker, happened: World) -> None:
    async with worker(APPROVERS) as settings:
        handle = await waiting(client, settings)
        pending = await until_it_waits(handle)
        for decide in (
            lambda: approve(handle, pending, by="eve@rival.example"),
            lambda: reject(handle, pending, by="eve", reason="no"),
        ):
            with pytest.raises(WorkflowUpdateFailedError) as refused:
                await decide()
            assert isinstance(refused.value.cause, ApplicationError)
            assert refused.value.cause.type == "NotAnApprover"
            assert "the policy lets *@example.com decide about it" in str(refused.value.cause)
        assert happened.done("tell") == []
        await approve(handle, pending, by="Carol@Example.com")
        [receipt] = (await outcome(handle)).receipts
        assert await notices(client, handle) == []
    assert (receipt.status, receipt.approved_by) == (ReceiptStatus.DONE, "Carol@Example.com")


@pytest.mark.parametrize(("requester", "asked"), [("bob", True), ("bob@example.com", False)])
async def test_a_yes_in_advance_counts_only_from_an_approver(
    client: Client, worker: Worker, happened: World, requester: str, asked: bool
) -> None:
    async with worker(APPROVERS) as settings:
        handle = await waiting(client, settings, requester=requester, approve=("*",))
        if asked:
            await until_it_waits(handle)
            await handle.cancel()
        await outcome(handle)
    assert happened.done("tell") == ([] if asked else ["ann"])


# --- who is told -----------------------------------------------------------------------------------------------------


async def test_a_notice_takes_of_no_budget_and_goes_out_where_one_is_reached(
    client: Client, worker: Worker, happened: World
) -> None:
    budget = '[[budget]]\ntool = "send_email"\nmost = 0\nper = "day"\n'
    async with worker(f'[approvals]\nto = ["mailto:carol@example.com"]\nnotify = 0.2\n{budget}') as settings:
        handle = await waiting(client, settings, seconds=4)
        await until_it_waits(handle)
        [notice] = await notices(client, handle)
        assert (await notice.result()).not_told == ()
        await handle.cancel()
    assert happened.done("tell") == []
    assert len(worker.mail.messages) == 2


@pytest.mark.long
async def test_approvers_are_told_after_a_while_and_reminded_at_half_time(
    client: Client, worker: Worker, happened: World
) -> None:
    policy = '[approvals]\nto = ["ops", "mailto:carol@example.com"]\nnotify = 0.2\n'
    async with worker(policy) as settings:
        handle = await waiting(client, settings, seconds=10)
        await until_it_waits(handle)
        [notice] = await notices(client, handle)
        result = await notice.result()
        assert (await state(handle)).awaiting_approval != ()
        await handle.cancel()
        first, second = await worker.ops.until(2)
    told = [each.verified() for each in (first, second)]
    assert [each["type"] for each in told] == ["approval.requested", "approval.reminder"]
    assert {each["data"]["url"] for each in told} == {f"https://errand.test/r/{handle.id}"}
    mails = [each.decode() for each in worker.mail.messages]
    assert ["Subject: Waits for your approval: tell to ann" in each for each in mails] == [True, False]
    assert ["Subject: Still waits for your approval: tell to" in each for each in mails] == [False, True]
    assert all(f"https://errand.test/r/{handle.id}" in each and "hello" not in each for each in mails)
    assert result.told == (
        "ops: approval.requested",
        "carol@example.com",
        "ops: approval.reminder",
        "carol@example.com",
    )
    assert (result.not_told, happened.done("tell")) == ((), [])


async def test_nobody_is_told_of_a_call_that_is_decided_before(client: Client, worker: Worker, happened: World) -> None:
    async with worker('[approvals]\nto = ["ops", "mailto:carol@example.com"]\nnotify = 1\n') as settings:
        handle = await waiting(client, settings)
        await approve(handle, await until_it_waits(handle), by="carol")
        ended = await outcome(handle)
        [notice] = await notices(client, handle)
        assert await notice.result() == NoticeResult()
    assert (worker.ops.received, worker.mail.messages) == ([], [])
    assert [each.tool for each in ended.receipts] == ["tell"]


async def test_a_mail_that_cannot_be_sent_is_on_the_notice(client: Client, worker: Worker) -> None:
    worker.mail.stages = {"RCPT": "550 no such user"}
    async with worker('[approvals]\nto = ["mailto:carol@example.com"]\nnotify = 0\n') as settings:
        handle = await waiting(client, settings, seconds=2)
        await until_it_waits(handle)
        [notice] = await notices(client, handle)
        result = await notice.result()
        await outcome(handle)
    assert result.told == ()
    assert "carol@example.com: failed: " in result.not_told[0]


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("pos", "approvals.to: there is no such endpoint; did you mean ops?"),
        ("mailto:carol", "is not an address"),
    ],
)
async def test_a_policy_that_tells_whom_nobody_knows_is_refused_at_the_start(worker: Worker, to: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match="ERRAND_POLICY") as wrong:
        Service.assemble(worker.settings(f'[approvals]\nto = ["{to}"]\n'))
    assert why in str(wrong.value)
