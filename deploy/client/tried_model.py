"""The model of a case: asked in this process, by the workflow's own rules."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import cast

from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.model.answer import Answers, check_schema
from activities.model.decide import Decide
from workflows.asking import Model, Reply
from workflows.contract.api import Request, RequestStatus
from workflows.contract.internal import ANSWER, ModelInput
from workflows.contract.progress import LimitsUsed
from workflows.conversation import Conversation
from workflows.limits import Allowance, Ended

ATTEMPTS = 3
"""Of one question to the model."""
PAUSE = 1.0
"""Seconds before the next."""


def now() -> datetime:
    return datetime.now(UTC)


def allowance_of(request: Request) -> Allowance:
    """All that the request's limits leave it at its start, by this machine's clock."""
    return Allowance(request.limits, LimitsUsed(deadline=now()), now)


class TriedModel(Model):
    """Asks as the workflow does, but runs the worker's activities here and without Temporal."""

    def __init__(
        self, decide: Decide, answers: Answers, request: Request, conversation: Conversation, allowance: Allowance
    ) -> None:
        super().__init__(request, conversation, allowance, (), lambda _: None)
        self._decide = decide
        self._answers = answers

    async def check_schema(self) -> None:
        if (schema := self._request.output_schema) is None:
            return
        try:
            await ActivityEnvironment().run(check_schema, schema)
        except ApplicationError as error:
            raise Ended(RequestStatus.FAILED, f"Nothing was done: {error.message}") from error

    async def _ask_once(self, activity: str, situation: ModelInput, kind: type[Reply], summary: str) -> Reply:
        question = self._answers.answer if activity == ANSWER else self._decide.decide
        ask = cast("Callable[[ModelInput], Awaitable[Reply]]", question)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with asyncio.timeout(self._allowance.time_left().total_seconds()):
                    return await ActivityEnvironment().run(ask, situation)
            except TimeoutError:
                self._allowance.check()
                raise
            except ApplicationError as error:
                if error.non_retryable or attempt == ATTEMPTS:
                    raise self._ended_by(error) from error
                await asyncio.sleep(PAUSE)
        raise AssertionError
