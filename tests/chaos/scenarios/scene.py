"""One scenario's part of the stage: its task queue, its ledger, its workers, its letters and what became of them."""

import asyncio
import itertools
import sqlite3
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import WorkflowContinuedAsNewError, WorkflowFailureError, WorkflowHandle

from tests.chaos.insist import insist
from tests.chaos.scenarios.stage import Stage, WorkerProcess
from workflows.contract import REQUEST_WORKFLOW, Outcome, Receipt, Request

RUNNING = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
PATIENCE = 90.0
"""Seconds within which every request has to have its outcome."""


@dataclass(frozen=True)
class Letter:
    """A request for one mail."""

    request_id: str
    repeats: bool = False
    """It is a cron's: the same mail at every time."""

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
    ways: tuple[str, ...] = ()
    """Those of all its workers."""
    letters: list[Letter] = field(default_factory=list[Letter])
    runs: list[Run] = field(default_factory=list[Run])
    problems: list[str] = field(default_factory=list[str])
    _workers: list[WorkerProcess] = field(default_factory=list[WorkerProcess])
    _names: Iterator[int] = field(default_factory=itertools.count)

    @property
    def ledger(self) -> Path:
        return self.stage.folder / self.name / "ledger.db"

    async def worker(self, *ways: str, ledger: Path | None = None) -> WorkerProcess:
        """A further one that is ready for work."""
        process = await self.stage.worker(
            f"{self.name}-{next(self._names)}",
            task_queue=self.name,
            ledger_url=f"sqlite:///{ledger or self.ledger}",
            ways=(*self.ways, *ways),
        )
        self._workers.append(process)
        return process

    def letter(self, *, repeats: bool = False) -> Letter:
        letter = Letter(f"{self.name}-{len(self.letters) + 1}", repeats)
        self.letters.append(letter)
        self.stage.model.learn(letter.text, letter.token)
        return letter

    async def start(self, letter: Letter, *, asks: bool = False, **options: Any) -> WorkflowHandle[Any, Outcome]:
        """Start it, or start it again; returns a handle of this very run.

        Args:
            letter: which.
            asks: a person has to say yes to the mail.
            options: as of the SDK.
        """
        request = Request(text=letter.text, approve=() if asks else ("send_email",))
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
        info = await self.info(handle)
        run = Run(
            letter,
            chain=handle.run_id or "" if letter.repeats else info.first_run_id,
            began=info.start_time.ToDatetime(UTC),
            closed=info.close_time.ToDatetime(UTC) if outcome else datetime.now(UTC),
            outcome=outcome,
        )
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

    async def info(self, handle: WorkflowHandle[Any, Outcome]) -> WorkflowExecutionInfo:
        """Not by the SDK, which does not know every status."""
        execution = WorkflowExecution(workflow_id=handle.id, run_id=handle.run_id or "")
        ask = DescribeWorkflowExecutionRequest(namespace=self.stage.client.namespace, execution=execution)
        reply = await insist(lambda: self.stage.client.workflow_service.describe_workflow_execution(ask))
        return reply.workflow_execution_info

    def rows(self, ledger: Path | None = None) -> Sequence[tuple[str, str, str]]:
        """(key, state, subject) of everything in the ledger, past the service."""
        query = "SELECT key, state, json_extract(arguments, '$.subject') FROM errand_actions"
        with closing(sqlite3.connect(ledger or self.ledger, timeout=10)) as connection:
            return connection.execute(query).fetchall()

    def run_sql(self, statement: str) -> None:
        with closing(sqlite3.connect(self.ledger, timeout=10, isolation_level=None)) as connection:
            connection.execute(statement)

    async def close(self) -> None:
        await asyncio.gather(*(each.ended() for each in self._workers))


@asynccontextmanager
async def opened(name: str, stage: Stage, ways: tuple[str, ...]) -> AsyncGenerator[Scene]:
    """A scene whose workers are gone when the block ends."""
    scene = Scene(name, stage, ways)
    try:
        yield scene
    finally:
        await scene.close()
