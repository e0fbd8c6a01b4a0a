"""The model, as a request asks it: within its limits, and in the words of the conversation so far."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutError, is_cancelled_exception

from workflows.activity_results import UnusableResult, execute
from workflows.contract.api import BAD_REQUEST, Request, RequestStatus, Usage
from workflows.contract.conversation import AssistantEntry, NoteEntry
from workflows.contract.internal import (
    ANSWER,
    CHECK_SCHEMA,
    CONTEXT_TOO_LONG,
    DECIDE,
    LIMIT_EXHAUSTED,
    PERHAPS_TOO_LONG,
    Answer,
    Decision,
    ModelInput,
    UnsupportedClaim,
    UsageSoFar,
)
from workflows.contract.values import Schema
from workflows.conversation import Conversation
from workflows.limits import Allowance, Ended
from workflows.receipts import detail_of

HEARTBEAT = timedelta(seconds=10)
"""A worker silent for so long is taken to be gone; running activities beat more often."""

ONE_ANSWER = timedelta(minutes=10)
PATIENCE_WITH_MODEL = timedelta(minutes=30)
MODEL_RETRIES = RetryPolicy(maximum_attempts=8, maximum_interval=timedelta(seconds=60))
NO_ANSWER = "The model gave no usable answer"
NOT_SAID = "Neither the request nor a result says {figures}. Write the whole JSON again; make nothing up."
REPAIRS = 2
"""How often the model may correct an output."""

Reply = TypeVar("Reply", Decision, Answer)


class TooLong(Exception):
    """The conversation does not fit into what the model can read at once; or perhaps it does, if that is in doubt."""

    def __init__(self, reason: str, *, in_doubt: bool) -> None:
        super().__init__(reason)
        self.in_doubt = in_doubt


class Model:
    """Asks the model, and keeps count of what that used and of what the endpoint turned out not to take, or to want."""

    def __init__(
        self,
        request: Request,
        conversation: Conversation,
        allowance: Allowance,
        demoted: tuple[str, ...],
        show: Callable[[str], None],
    ) -> None:
        self._request = request
        self._conversation = conversation
        self._allowance = allowance
        self._show = show
        self.demoted = demoted

    async def decide(self) -> Decision:
        """What the model wants done next.

        Raises:
            Ended: a limit is reached, or the model gives no usable answer.
            asyncio.CancelledError: the request is cancelled.
        """
        self._allowance.begin_turn()
        turn = f"turn {self._allowance.turn}"
        self._show(f"{turn}: asking the model")
        decision = await self._ask(DECIDE, self._situation, Decision, turn)
        useless = decision.problem or (decision.calls and all(call.route is None for call in decision.calls))
        self._allowance.mistakes = self._allowance.mistakes + 1 if useless else 0
        return decision

    async def check_schema(self) -> None:
        """Before anything is done, have the worker check that `output_schema` can be used.

        Raises:
            Ended: `output_schema` cannot be used.
        """
        schema = self._request.output_schema
        if schema is None or self._allowance.turn:
            return
        try:
            await workflow.execute_activity(
                CHECK_SCHEMA,
                schema,
                result_type=RawValue,
                summary="the schema of the output",
                start_to_close_timeout=timedelta(seconds=10),
                schedule_to_close_timeout=min(timedelta(minutes=10), self._allowance.time_left()),
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise asyncio.CancelledError from error
            raise Ended(RequestStatus.FAILED, f"Nothing was done: {_reason(error)}") from error

    async def answer(self, schema: Schema) -> Answer:
        """The result in the form that the schema asks for, after at most two corrections; one of them is of figures
        that stand nowhere.

        Raises:
            Ended: it does not fit even then; or as `decide`.
        """
        return await output_of(lambda: self._answer(schema), self._conversation)

    async def _answer(self, schema: Schema) -> Answer:
        self._allowance.check()
        self._show("asking the model for the output")
        return await self._ask(ANSWER, lambda: self._situation(schema), Answer, "the output")

    def _situation(self, output_schema: Schema | None = None) -> ModelInput:
        is_first = self._allowance.turn == 1 and output_schema is None
        return ModelInput(
            requester=self._request.requester,
            conversation=self._conversation.entries,
            approve=self._request.approve if is_first else (),
            notify=self._request.notify if is_first else (),
            demoted=self.demoted,
            output_tokens=self._allowance.output_tokens_left(),
            cost_left=self._allowance.cost_left(),
            output_schema=output_schema,
        )

    async def _ask(self, activity: str, situation: Callable[[], ModelInput], kind: type[Reply], summary: str) -> Reply:
        """One question; again with a shorter conversation, as long as it is too long for the model. Where that is in
        doubt it is shortened once, and what comes then shows whether it was."""
        tried = False
        while True:
            try:
                reply = await self._ask_once(activity, situation(), kind, summary)
            except TooLong as error:
                if (error.in_doubt and tried) or not self._conversation.shorten():
                    why = NO_ANSWER if error.in_doubt else "The request is too long for the model"
                    raise Ended(RequestStatus.FAILED, f"{why}: {error}") from error
                tried = tried or error.in_doubt
                perhaps = "perhaps " if error.in_doubt else ""
                self._show(f"the conversation is {perhaps}too long for the model: shortening its oldest results")
                summary = f"{summary.removesuffix(', shortened')}, shortened"
            else:
                self._allowance.use(reply.usage)
                self.demoted = tuple(dict.fromkeys([*self.demoted, *reply.demoted]))
                return reply

    async def _ask_once(self, activity: str, situation: ModelInput, kind: type[Reply], summary: str) -> Reply:
        try:
            return await execute(
                activity,
                situation,
                kind,
                summary=summary,
                start_to_close_timeout=ONE_ANSWER,
                schedule_to_close_timeout=min(PATIENCE_WITH_MODEL, self._allowance.time_left()),
                heartbeat_timeout=HEARTBEAT,
                retry_policy=MODEL_RETRIES,
            )
        except UnusableResult as error:
            raise Ended(RequestStatus.FAILED, f"{NO_ANSWER}: {error}") from error
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise asyncio.CancelledError from error
            raise self._ended_by(error) from error

    def _ended_by(self, error: ActivityError | ApplicationError) -> Ended | TooLong:
        """What a question that failed for good comes to; what it has used is counted.

        Raises:
            Ended: a limit is reached.
        """
        cause = _cause(error)
        self._allowance.use(_used(cause))
        kind = cause.type if isinstance(cause, ApplicationError) else None
        if kind in (CONTEXT_TOO_LONG, PERHAPS_TOO_LONG):
            return TooLong(_reason(error), in_doubt=kind == PERHAPS_TOO_LONG)
        self._allowance.check()
        if kind == BAD_REQUEST:
            consequence = "Nothing was done" if self._allowance.turn == 1 else "The request cannot go on"
            return Ended(RequestStatus.FAILED, f"{consequence}: {_reason(error)}")
        if kind == LIMIT_EXHAUSTED:
            return Ended(RequestStatus.LIMIT_REACHED, f"Stopped: {_reason(error)}.")
        return Ended(RequestStatus.FAILED, f"{NO_ANSWER}: {_reason(error)}")


async def output_of(ask: Callable[[], Awaitable[Answer]], conversation: Conversation) -> Answer:
    """An output that fits, after at most two corrections, which the conversation gets.

    Args:
        ask: asks the model for the output.
        conversation: what it is asked after.

    Raises:
        Ended: it does not fit even then.
    """
    fitting: Answer | None = None
    for _ in range(REPAIRS):
        answer = await ask()
        if answer.problem is None and (fitting or not answer.unsupported):
            return answer
        fitting = fitting or (answer if answer.problem is None else None)
        problem = answer.problem or NOT_SAID.format(figures=", ".join(answer.unsupported))
        conversation.add([AssistantEntry(text=answer.text or "(nothing)"), NoteEntry(text=problem)])
    answer = await ask()
    if answer.problem is None:
        return answer
    if fitting is None:
        raise Ended(RequestStatus.FAILED, f"The model's output does not fit the schema: {answer.problem}")
    return fitting


def of_output(answer: Answer) -> tuple[UnsupportedClaim, ...]:
    """What the outcome's reader is told of figures in the output."""
    if not answer.unsupported:
        return ()
    why = f"neither the request nor a result says {', '.join(answer.unsupported)}"
    return (UnsupportedClaim(sentence="the output", why=why, figures=answer.unsupported),)


def problem_with(decision: Decision, *, corrected: bool) -> str | None:
    """What the model has to be told before its words can be taken; of what they say, only once."""
    if decision.problem or corrected:
        return decision.problem
    if decision.unsupported_claims:
        return correction(decision.unsupported_claims)
    return "Your answer was cut off. Say it again in fewer words." if decision.cut_off else None


def correction(claims: Sequence[UnsupportedClaim]) -> str:
    """What the model is told of what it claims."""
    wrong, unknown = (
        [claim.why for claim in claims if claim.unknown is so and not claim.figures] for so in (False, True)
    )
    figures = [figure for claim in claims for figure in claim.figures]
    told: list[str] = []
    if wrong:
        told.append(f"That is not what happened: {'; '.join(dict.fromkeys(wrong))}. Do it now, or say it is not done.")
    if unknown:
        told.append(f"Nobody knows that: {'; '.join(dict.fromkeys(unknown))}. Say so, and do not do it again.")
    if figures:
        made_up = ", ".join(dict.fromkeys(figures))
        told.append(
            f"Neither the request nor a result says {made_up}. Say it again with what they say, and nothing else."
        )
    return " ".join(told)


def _used(cause: BaseException | None) -> Usage:
    """What a model call has used that came to nothing."""
    if isinstance(cause, TimeoutError) and cause.last_heartbeat_details:
        try:
            account = UsageSoFar.model_validate(cause.last_heartbeat_details[0])
        except ValidationError:  # of another release
            return Usage()
        return account.before + account.at_most
    detail = detail_of(cause)
    return (detail and detail.usage) or Usage()


def _cause(error: ActivityError | ApplicationError) -> BaseException | None:
    return error.cause if isinstance(error, ActivityError) else error


def _reason(error: ActivityError | ApplicationError) -> str:
    cause = _cause(error)
    return cause.message if isinstance(cause, ApplicationError) else str(error)
