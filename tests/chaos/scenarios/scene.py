"""One scenario's part of the stage: its task queue, its ledger, its workers, its letters and what became of them."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest, DescribeWorkflowExecutionResponse
from temporalio.client import WorkflowContinuedAsNewError, WorkflowFailureError, WorkflowHandle

from tests.chaos.insist import insist
from tests.chaos.scenarios.ledgers import SceneLedger
from tests.chaos.scenarios.stage import Stage, WorkerProcess
from workflows.contract.api import REQUEST_WORKFLOW, Outcome, Receipt, Request

PATIENCE = 150.0
"""Seconds within which every request has to have its outcome."""


@dataclass(frozen=True)
class Letter:
    """A request for one mail, or for one order over HTTP."""

    request_id: str
    repeats: bool = False
    """It is a cron's: the same mail at every time."""
    tool: str = "send_email"

    @property
    def token(self) -> str:
        return self.request_id

    @property
    def text(self) -> str:
        return f"Write to {self.token}@example.com"


@dataclass(frozen=True)
class Run:
    """Of a request: what it said at its end."""

    letter: Letter
    chain: str
    """The id of the first of the runs that are one request; a cron's are one each."""
    began: datetime
    closed: datetime
    outcome: Outcome | None

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        return self.outcome.receipts if self.outcome else ()


@dataclass
class Scene:
    name: str
    stage: Stage
    ledger: SceneLedger
    ways: tuple[str, ...] = ()
    """Those of all its workers."""
    tool: str = "send_email"
    """The write that is allowed."""
    variables: dict[str, str] = field(default_factory=dict[str, str])
    """Of its workers, besides the stage's."""
    letters: list[Letter] = field(default_factory=list[Letter])
    runs: list[Run] = field(default_factory=list[Run])
    problems: list[str] = field(default_factory=list[str])
    _workers: list[WorkerProcess] = field(default_factory=list[WorkerProcess])
    _names: Iterator[int] = field(default_factory=itertools.count)

    async def worker(self, *ways: str, ledger: SceneLedger | None = None) -> WorkerProcess:
        """A further one that is ready for work, on this ledger or another one."""
        process = await self.stage.worker(
            f"{self.name}-{next(self._names)}",
            task_queue=self.name,
            ledger_url=(ledger or self.ledger).url,
            ways=(*self.ways, *ways),
            variables=self.variables,
        )
        self._workers.append(process)
        return process

    def letter(self, *, repeats: bool = False, tool: str = "") -> Letter:
        letter = Letter(f"{self.name}-{len(self.letters) + 1}", repeats, tool or self.tool)
        self.letters.append(letter)
        if tool:
            self.stage.model.learn_order(letter.text, letter.token, tool)
        else:
            self.stage.model.learn(letter.text, letter.token)
        return letter

    async def start(self, letter: Letter, *, asks: bool = False, **options: Any) -> WorkflowHandle[Any, Outcome]:
        """Start it, or start it again; returns a handle of this very run.

        Args:
            letter: which.
            asks: a person has to say yes to the mail.
            options: as of the SDK.
        """
        request = Request(text=letter.text, approve=() if asks else (letter.tool,))
        client = self.stage.client

        async def start() -> WorkflowHandle[Any, Outcome]:
            return await client.start_workflow(
                REQUEST_WORKFLOW, request, id=letter.request_id, task_queue=self.name, **options
            )

        handle = await insist(start)
        return client.get_workflow_handle(letter.request_id, run_id=handle.result_run_id, result_type=Outcome)

    async def ends(self, letter: Letter, handle: WorkflowHandle[Any, Outcome]) -> Run:
        """Wait for its outcome, and keep it to be judged."""
        outcome = None
        try:
            async with asyncio.timeout(PATIENCE):
                outcome = await insist(lambda: handle.result(follow_runs=False), each=PATIENCE)
        except WorkflowContinuedAsNewError:  # so the server calls a cron's end to this SDK
            outcome, _ = await self.cron_run(handle)
        except (WorkflowFailureError, TimeoutError) as error:
            self.problems.append(f"{letter.request_id}: {error!r}, {getattr(error, 'cause', None)!r}")
        info = (await self.describe(handle)).workflow_execution_info
        chain = info.execution.run_id if letter.repeats else info.first_run_id
        closed = info.close_time.ToDatetime(UTC) if outcome else datetime.now(UTC)
        run = Run(letter, chain, await self._began(handle, chain), closed, outcome)
        self.runs.append(run)
        return run

    async def cron_run(self, handle: WorkflowHandle[Any, Outcome]) -> tuple[Outcome, str]:
        """What a run of a cron's request said, and the id of the next run."""
        events = (await insist(handle.fetch_history)).events
        ending = events[-1].workflow_execution_completed_event_attributes
        (said,) = await self.stage.client.data_converter.decode(ending.result.payloads, [Outcome])
        return said, ending.new_execution_run_id

    async def carry_out(self, letter: Letter, **options: Any) -> Run:
        return await self.ends(letter, await self.start(letter, **options))

    async def describe(self, handle: WorkflowHandle[Any, Any]) -> DescribeWorkflowExecutionResponse:
        """Not by the SDK, which does not know every status."""
        execution = WorkflowExecution(workflow_id=handle.id, run_id=handle.run_id or "")
        ask = DescribeWorkflowExecutionRequest(namespace=self.stage.client.namespace, execution=execution)
        return await insist(lambda: self.stage.client.workflow_service.describe_workflow_execution(ask))

    async def _began(self, handle: WorkflowHandle[Any, Any], chain: str) -> datetime:
        """When the first run of a chain did."""
        first = self.stage.client.get_workflow_handle(handle.id, run_id=chain)
        return (await self.describe(first)).workflow_execution_info.start_time.ToDatetime(UTC)

    async def close(self) -> None:
        await asyncio.gather(*(each.kill() for each in self._workers))


@asynccontextmanager
async def opened(name: str, stage: Stage, ledger: SceneLedger, ways: tuple[str, ...]) -> AsyncGenerator[Scene]:
    """A scene whose workers are gone when the block ends."""
    scene = Scene(name, stage, ledger, ways)
    try:
        yield scene
    finally:
        await scene.close()
