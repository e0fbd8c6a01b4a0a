"""A request whose mail has come to a certain moment, held there until an operator has acted."""

import asyncio
import sqlite3
import uuid
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest, DescribeWorkflowExecutionResponse
from temporalio.client import Client

from activities.settings import Settings
from tests.integration.operators.command_line import type_command
from tests.integration.requests.asking import Handle, start
from tests.scripted_model import ScriptedModel, call, calls, say
from tests.unit.smtp.fake_smtp import FakeSmtp
from workflows.contract.api import Outcome

TEXT = "Write to ann@example.com"
TOOL = "send_email"
PATIENCE = 15
"""Seconds within which a request has to end after the operator has acted."""


class Moment(StrEnum):
    """How far the mail is when the operator acts."""

    CONNECTING = "waits for a connection"
    BACKING_OFF = "waits for its next attempt"
    ACTING = "waits for the verdict"


@dataclass
class Scene:
    """A worker, its mail server, and the Temporal server's own command line."""

    client: Client
    settings: Settings
    model: ScriptedModel
    mail: FakeSmtp

    async def begin(self, moment: Moment, *, request_id: str | None = None) -> Handle:
        """Start a request, and come back when its mail is at that moment and stays there."""
        match moment:
            case Moment.CONNECTING:
                self.mail.gates["banner"] = asyncio.Event()
            case Moment.BACKING_OFF:
                self.mail.stages = {"MAIL": "450 4.2.0 Not now"}
            case Moment.ACTING:
                self.mail.gates["dot"] = asyncio.Event()
        handle = await self.start(request_id=request_id)
        async with asyncio.timeout(20):
            match moment:
                case Moment.CONNECTING:
                    while not self.mail.sessions:
                        await asyncio.sleep(0.02)
                case Moment.BACKING_OFF:
                    while not await self._backs_off(handle):
                        await asyncio.sleep(0.02)
                case Moment.ACTING:
                    await self.mail.dot_arrived.wait()
        return handle

    async def start(self, *, request_id: str | None = None) -> Handle:
        self.model.scripts[TEXT] = [
            calls(call(TOOL, to=["ann@example.com"], subject="Hello", body="Hello, Ann.")),
            say("That is all."),
        ]
        name = request_id or f"operated-{uuid.uuid4().hex[:10]}"
        return await start(self.client, self.settings, TEXT, approve=("*",), request_id=name)

    def go_on(self) -> None:
        """Whatever was held back comes now, and every message is taken."""
        self.mail.stages = {}
        for gate in self.mail.gates.values():
            gate.set()

    async def _backs_off(self, handle: Handle) -> bool:
        pending = await self.pending(handle, TOOL)
        waits = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
        return pending is not None and pending.state == waits and pending.attempt > 1

    async def until_pending(self, handle: Handle, activity: str) -> None:
        """Until an activity of that type runs."""
        running = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
        async with asyncio.timeout(20):
            while (pending := await self.pending(handle, activity)) is None or pending.state != running:
                await asyncio.sleep(0.02)

    async def pending(self, handle: Handle, activity: str) -> PendingActivityInfo | None:
        """An activity of that type that has not ended."""
        found = (await self.describe(handle)).pending_activities
        return next((each for each in found if each.activity_type.name == activity), None)

    async def describe(self, handle: Handle) -> DescribeWorkflowExecutionResponse:
        """Not by the SDK, which cannot read that a workflow is paused."""
        execution = WorkflowExecution(workflow_id=handle.id)
        ask = DescribeWorkflowExecutionRequest(namespace=self.client.namespace, execution=execution)
        return await self.client.workflow_service.describe_workflow_execution(ask)

    async def attempts(self, handle: Handle) -> int:
        """How often the write was tried, as the server has recorded it of the latest run."""
        history = await self.client.get_workflow_handle(handle.id).fetch_history()
        scheduled = [
            each.event_id
            for each in history.events
            if each.activity_task_scheduled_event_attributes.activity_type.name == TOOL
        ]
        return max(
            each.activity_task_started_event_attributes.attempt
            for each in history.events
            if each.activity_task_started_event_attributes.scheduled_event_id in scheduled
        )

    async def operate(self, command: str, handle: Handle, *, activity: str = TOOL) -> str:
        """Type a command of the Temporal CLI.

        Args:
            command: its words; `{id}` is the workflow's id, `{activity}` that of its pending activity.
            handle: of the request.
            activity: the type of the activity that is meant.

        Returns:
            Why that cannot be done; nothing where it was.
        """
        pending = await self.pending(handle, activity)
        number = pending.activity_id if pending else "?"
        return await type_command(self.client, command, workflow_id=handle.id, activity_id=number)

    async def outcome(self, handle: Handle) -> Outcome:
        """Of the latest run."""
        async with asyncio.timeout(PATIENCE):
            return await self.client.get_workflow_handle(handle.id, result_type=Outcome).result()

    @contextmanager
    def ledger_locked(self) -> Generator[None]:
        """Nobody else writes it in here."""
        with closing(sqlite3.connect(self._ledger, timeout=10, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield

    @property
    def _ledger(self) -> str:
        return self.settings.ledger.ledger_url.removeprefix("sqlite:///")

    def ledger(self, request_id: str) -> list[tuple[str, str]]:
        """(key, state) of every row of a request, past the service."""
        with closing(sqlite3.connect(self._ledger, timeout=10)) as connection:
            query = "SELECT key, state FROM errand_actions WHERE request_id = ? ORDER BY key"
            return connection.execute(query, (request_id,)).fetchall()

    async def ledger_at_rest(self, request_id: str) -> list[tuple[str, str]]:
        """The same, as soon as nothing is under way."""
        async with asyncio.timeout(8):
            while "begun" in [state for _, state in self.ledger(request_id)]:
                await asyncio.sleep(0.05)
        return self.ledger(request_id)

    async def ledger_done(self, request_id: str) -> list[tuple[str, str]]:
        """The same, as soon as the act is written down as done; or after a while as it is."""
        with suppress(TimeoutError):
            async with asyncio.timeout(8):
                while {state for _, state in self.ledger(request_id)} != {"done"}:
                    await asyncio.sleep(0.05)
        return self.ledger(request_id)
