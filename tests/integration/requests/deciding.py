"""A worker whose model is a list of decisions: what the workflow makes of each, without an endpoint."""

import uuid
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from tests.integration.requests.asking import Handle
from tests.sandbox import Sandbox
from workflows.contract.api import REQUEST_WORKFLOW, Outcome, Request, Usage
from workflows.contract.internal import (
    ANSWER,
    CHECK_SCHEMA,
    DECIDE,
    Answer,
    Decision,
    ModelInput,
    ProposedCall,
    Route,
    ToolCall,
    ToolResult,
)
from workflows.contract.values import Arguments, Schema
from workflows.request import RequestWorkflow

ONCE = Usage(model_calls=1, input_tokens=100, output_tokens=10)
READ = Route(effect="read", start_to_close=10, schedule_to_close=20, attempts=1)


def says(text: str, **more: object) -> Decision:
    return Decision.model_validate({"text": text, "usage": ONCE, **more})


def looks_up(*words: str, usage: Usage = ONCE) -> Decision:
    calls = (ProposedCall(tool="look_up", arguments={"word": word}, about=word, route=READ) for word in words)
    return Decision(calls=tuple(calls), usage=usage)


def calls_nothing_that_is_there() -> Decision:
    return Decision(calls=(ProposedCall(tool="fly", arguments={}, error="there is no function 'fly'"),), usage=ONCE)


class Decisions:
    """Gives one reply after the other, and raises those that are errors."""

    def __init__(self, *decisions: Decision | ApplicationError, answers: Iterable[Answer] = ()) -> None:
        self.task_queue = f"decisions-{uuid.uuid4().hex[:8]}"
        self.asked: list[ModelInput] = []
        self.looked_up: list[Arguments] = []
        self._decisions = list(decisions)
        self._answers = list(answers)

    @activity.defn(name=DECIDE)
    async def decide(self, situation: ModelInput) -> Decision:
        self.asked.append(situation)
        decision = self._decisions.pop(0)
        if isinstance(decision, ApplicationError):
            raise decision
        return decision

    @activity.defn(name=ANSWER)
    async def answer(self, situation: ModelInput) -> Answer:
        self.asked.append(situation)
        return self._answers.pop(0)

    @activity.defn(name=CHECK_SCHEMA)
    async def check_schema(self, schema: Schema) -> None:
        if schema.get("type") == "nothing":
            raise ApplicationError("output_schema: 'nothing' is no type", non_retryable=True)

    @activity.defn(name="look_up")
    async def look_up(self, call: ToolCall) -> ToolResult:
        self.looked_up.append(call.arguments)
        return ToolResult(value="x" * 2000)

    @asynccontextmanager
    async def at_work(self, client: Client) -> AsyncGenerator[None]:
        made = [self.decide, self.answer, self.check_schema, self.look_up]
        async with Worker(
            client, task_queue=self.task_queue, workflows=[RequestWorkflow], activities=made, workflow_runner=Sandbox()
        ):
            yield

    async def start(self, client: Client, request: Request) -> Handle:
        return await client.start_workflow(
            REQUEST_WORKFLOW,
            request,
            id=f"test-{uuid.uuid4().hex[:12]}",
            task_queue=self.task_queue,
            execution_timeout=timedelta(seconds=60),
            result_type=Outcome,
        )

    async def ask(self, client: Client, request: Request) -> Outcome:
        async with self.at_work(client):
            return await (await self.start(client, request)).result()
