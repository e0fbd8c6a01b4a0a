"""One attempt of a write: the ledger is asked before anything else can fail, and then it is done, once."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import structlog
from temporalio import activity

from activities.budgets import Budget, charges_of_write
from activities.error_text import message_of
from activities.errors import (
    AnotherLedger,
    BudgetReached,
    ErrandError,
    KeyTaken,
    LedgerRestored,
    OutcomeUnknown,
    OutcomeUnknownRetryable,
    ServiceRefused,
    ServiceUnavailable,
    ToolCrashed,
    ToolError,
)
from activities.execution.act import Act, Fence
from activities.execution.attempt_beats import count_attempt
from activities.execution.cancellation import to_the_end
from activities.execution.past_runs import ledger_of
from activities.execution.tool_mistakes import mistake
from activities.execution.unfinished_acts import GRACE, to_its_end
from activities.execution.writes import write_of
from activities.ledger.ledger import Ledger
from activities.ledger.rehearsals import refuse_rehearsed
from activities.ledger.rows import Action, State, Write
from activities.ledger.settling import FORGOTTEN, FORGOTTEN_SINCE, OF_ITS_TOOL
from activities.ledger.tokens import asked_as
from activities.toolkit.tool import Bound, Tool
from workflows.contract.internal import OF_NO_BUDGET, ToolCall
from workflows.contract.values import SettledBy

log = structlog.stdlib.get_logger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=5)
"""Between attempts of a write that waits for an operator."""
ENDED_BEFORE = "the attempt that began it ended before it acted"


class WriteAttempt:
    """Of one call of one tool. `detail` and `ledger_key` say what is known of the call once it was carried out."""

    def __init__(
        self,
        tool: Tool,
        function: Bound,
        ledger: Ledger,
        call: ToolCall,
        fence: Fence,
        grace: timedelta = GRACE,
        budgets: Sequence[Budget] = (),
        ask_again: float = 0,
    ) -> None:
        self._tool = tool
        self._function = function
        self._ledger = ledger
        self._call = call
        self._fence = fence
        self._grace = grace
        self._budgets = budgets
        self._may_ask_again = ask_again if tool.idempotent else 0
        self._ask_again = 0.0
        self.number = call.tried_before + activity.info().attempt
        self._said = count_attempt()
        self._certain = False
        self._held = False
        self._over_budgets: tuple[str, ...] = ()
        self.earlier = False
        """The ledger knows writes of the same request id that the asking run does not know of."""
        self.ledger_key: str | None = None
        """Where it is another than the call's own."""
        self.act: Act | None = None

    def detail(self) -> Mapping[str, object]:
        """What a failure of this attempt says beside its message: fields of a `FailureDetail`."""
        known = {"attempt": self.number, "certain": self._certain, "acting": self._acted_before}
        acts = {"tokens": self._tokens} if self._acted_before and not self._certain else {}
        about_ledger = {"earlier": self.earlier, "held": self._held, "ledger_key": self.ledger_key}
        return {**known, **acts, **about_ledger, "over_budgets": self._over_budgets, "ask_again": self._ask_again}

    @property
    def settled(self) -> SettledBy | None:
        """How this attempt found out what nobody knew before it."""
        return self.act.settled if self.act and self.act.may_have_happened else None

    async def carry_out(self) -> Action | object:
        """What the tool returned; the row, where an earlier attempt has done it.

        Raises:
            KeyTaken: the ledger knows another action, or a like one.
            OutcomeUnknown: an earlier attempt began, and nobody knows how it ended.
            AnotherLedger: this worker cannot know.
            BudgetReached: it would exceed a budget.
            LedgerRestored: an older copy of the ledger or of Temporal's database was put back.
            ErrandError: whatever the tool raises.
        """
        await self._check_ledger()
        write = write_of(self._call, self._tool)
        try:
            found = await self._ledger.look_up(write)
        except KeyTaken:
            self._certain = self.earlier = True
            raise
        write, seen, self.earlier = found.write, found.row, found.earlier
        if write.call.key != self._call.key:
            self.ledger_key = write.call.key
        if seen is None and self._acted_before:
            raise _never_reported(await self._ledger.give_up(write, acted=self._tokens))
        if seen is not None and (seen := await self._settled(write, seen)).state is State.DONE:
            return seen
        self._certain = True
        # Of an idempotent tool the row may be a second attempt's: that one had not acted, but the first may have.
        uncertain = seen is not None and seen.state is not State.NOT_DONE
        try:
            return await self._run(write, seen, may_have_happened=uncertain)
        except BudgetReached as reached:
            self._over_budgets = reached.ask
            raise
        except LedgerRestored as error:
            self._held = True
            raise _paused(error, activity.info().attempt, may_have_happened=uncertain) from error
        except ErrandError as error:
            if isinstance(error, OutcomeUnknown) and not uncertain:
                await self._leave_in_doubt(write)
            ended = _unknown_still(error) if uncertain else error
            # What a far end refuses again and again, it does not tell by being asked for an hour.
            if isinstance(ended, OutcomeUnknownRetryable) and not isinstance(error, ServiceRefused):
                self._ask_again = self._may_ask_again
            if ended is error:
                raise
            raise ended from error

    async def _check_ledger(self) -> None:
        """Refuse to act where the ledger is not the one that knows the request's writes.

        Raises:
            RehearsalOnly: it is a call of a rehearsal.
            ServiceUnavailable: another worker took the tool for a read, so nobody was asked for a yes.
            AnotherLedger: the request's writes stand in another ledger than this worker's.
        """
        call = self._call
        refuse_rehearsed(call)
        if not call.chain:
            raise ServiceUnavailable(f"{call.tool} was called as a read, and this worker knows it as a write")
        wanted = call.ledger
        if call.past_run:
            wanted = await ledger_of(call.past_run) or wanted
        try:
            self._ledger.must_be(wanted)
        except AnotherLedger:
            self._certain = not self._acted_before
            raise

    async def _settled(self, write: Write, seen: Action) -> Action:
        """The row as it stands: of a write that has happened, or that may happen (again).

        Raises:
            KeyTaken: the key was used for another action.
            OutcomeUnknown: an earlier attempt began, and nobody knows how it ended.
        """
        self._certain = True
        seen.must_be(write.call)
        too_little = self._knows_too_little(seen)
        if seen.state in (State.DONE, State.NOT_DONE) and not too_little:
            return seen
        if self._may_be_asked(seen) and not too_little:
            return seen
        if self._had_not_acted(seen):
            await self._ledger.finish(seen.key, seen.token, State.NOT_DONE, error=ENDED_BEFORE)
            return seen.model_copy(update={"state": State.NOT_DONE})
        self._certain = False  # the ledger may be read and not written, and an earlier attempt may have acted
        seen = await self._ledger.give_up(write, acted=self._tokens if self._acted_before else None)
        self._certain = True
        # It has ended at this very moment; or is asked.
        if seen.state is not State.UNKNOWN or self._may_be_asked(seen):
            return seen
        raise _never_reported(seen)

    async def _leave_in_doubt(self, write: Write) -> None:
        """Have the ledger say unknown too, where an attempt ends so and its act has not, or has come to nothing."""
        if self.act and self.act.overtaken:
            self._certain = False  # so that the ledger is asked how the other one ended
        elif self.act is None or not self.act.begun or self.act.came_to_nothing:
            try:
                await self._ledger.give_up(write, doubt=OF_ITS_TOOL)
            except ServiceUnavailable as unavailable:
                log.error("the ledger does not know that a write may have happened", reason=str(unavailable))

    def _may_be_asked(self, row: Action) -> bool:
        """Whether the attempts that may have done it asked as this worker's tool asks: under the same key of the same
        far end. One of another build, or with other sources, may not have."""
        acted = self._tokens if self._acted_before else ()
        return all(asked_as(token, self._tool.repeated_as) for token in (row.token, *acted))

    @property
    def _acted_before(self) -> bool:
        return bool(self._call.tried_before) or (self._said is not None and self._said.stage == "acting")

    def _knows_too_little(self, row: Action) -> bool:
        """Whether a row says that nothing happened, and is not of the attempt that acted."""
        return self._acted_before and row.says_less_than(self._tokens)

    @property
    def _tokens(self) -> tuple[str, ...]:
        """Of the attempt that acted, and of a later one, as far as Temporal has heard."""
        return self._said.tokens if self._said else ()

    def _had_not_acted(self, row: Action) -> bool:
        """Whether Temporal knows that the attempt which wrote the row did not come to its act.

        It has heard "preparing" from it, so it has forgotten nothing since, and it has not heard "acting".
        """
        said = self._said
        return said is not None and row.state is State.BEGUN and said.stage == "preparing" and said.token == row.token

    async def _run(self, write: Write, seen: Action | None, *, may_have_happened: bool) -> object:
        await self._ledger.restores.must_not_be_held()
        arguments = self._tool.as_decided(self._call.arguments)
        # What may have happened already has its share.
        if self._budgets and not may_have_happened and OF_NO_BUDGET not in self._call.over_budgets:
            call = self._call
            charges = charges_of_write(self._budgets, call.tool, call.requester, arguments.used)
            write = replace(write, charges=charges)
        self.act = act = Act(
            self._ledger,
            write,
            attempt=self.number,
            seen=seen,
            fence=self._fence,
            may_have_happened=may_have_happened,
        )
        given = {ToolCall: write.call, Act: act}
        acting = _acting(self._tool, act, lambda: self._function(arguments, given))
        return await to_its_end(act, acting, longest=self._tool.route.start_to_close, grace=self._grace)


def _paused(error: LedgerRestored, attempt: int, *, may_have_happened: bool) -> ToolError:
    """With the pause before the next attempt: an operator comes in minutes or hours, not in seconds."""
    kind = OutcomeUnknownRetryable if may_have_happened else LedgerRestored
    return kind(message_of(error), retry_after=min(FIRST_PAUSE * 2 ** min(attempt - 1, 10), LONGEST_PAUSE))


def _unknown_still(error: ErrandError) -> ErrandError:
    """What it means that an attempt failed after one that may have done it: a no of now says nothing of then."""
    if isinstance(error, OutcomeUnknown):
        return error
    again = error.retryable or isinstance(error, ServiceRefused)
    what = f"an earlier attempt may have done it, and this one could not find out: {message_of(error)}"
    return OutcomeUnknownRetryable(what, retry_after=error.retry_after) if again else OutcomeUnknown(what)


async def _acting(tool: Tool, act: Act, run: Callable[[], Awaitable[object]]) -> object:
    """Run a write. Where its tool does not mark the point of no return, all of it is the act."""
    try:
        if tool.asks_for(Act):
            return await run()
        async with act:
            return await run()
    except OutcomeUnknownRetryable as error:
        await to_the_end(act.unknown(message_of(error)))
        raise
    except OutcomeUnknown as error:
        raise await _unknown(tool, act, message_of(error)) from error
    except ErrandError as error:
        if not act.happened:
            raise
        raise await _unknown(tool, act, message_of(error)) from error
    except BaseException as error:
        made = mistake(error)
        broke = await _unknown(tool, act, made.line) if act.begun else ToolCrashed(made.line)
        broke.trace = made.trace
        raise broke from error


async def _unknown(tool: Tool, act: Act, what: str) -> OutcomeUnknown:
    """An idempotent tool can find out by being asked again."""
    await to_the_end(act.unknown(what))
    return OutcomeUnknownRetryable(what) if tool.idempotent else OutcomeUnknown(what)


def _never_reported(row: Action) -> OutcomeUnknown:
    if row.error in (FORGOTTEN, FORGOTTEN_SINCE):
        return OutcomeUnknown(f"{row.error}: it was restored, emptied or exchanged meanwhile")
    return OutcomeUnknown(f"attempt {row.attempt} began at {row.begun_at:%H:%M:%S} UTC and was never reported on")
