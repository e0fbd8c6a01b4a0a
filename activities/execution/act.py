"""The point of no return of a write, written down in the ledger before and after.

    async with act:
        reply = await transaction.commit()

A write tool asks for it by a keyword-only parameter of type `Act`, does everything that can still be undone before the
block, and inside it only what cannot. For a tool that does not ask, its whole run is the act.

Two witnesses know how far an attempt got, so that one of them may forget. Before the block, in this order:

    Temporal    hears "preparing", and says whether the attempt still counts
    the ledger  gets the row
    Temporal    hears "acting", and says once more whether the attempt still counts
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Literal, Self

import structlog
from pydantic import JsonValue

from activities.error_text import message_of, name_of
from activities.errors import ErrandError, OutcomeUnknown, ServiceUnavailable, ToolCrashed, ToolError
from activities.execution.cancellation import to_the_end
from activities.heartbeats import remember, remembered
from activities.ledger.ledger import Ledger
from activities.ledger.rows import Action, State, Write
from activities.ledger.tokens import new_token
from workflows.contract.internal import AttemptBeat
from workflows.contract.values import SettledBy

log = structlog.stdlib.get_logger(__name__)

PAUSES = (0.2, 1.0, 3.0)
"""Seconds between tries to write down what happened."""

Fence = Callable[[AttemptBeat], Awaitable[None]]
"""Tells Temporal how far the attempt is, and raises where it does not count any more."""

STALE = 5.0
"""Seconds between asking whether the attempt still counts and acting, after which it is not acted: the process was
frozen in between, and the server takes an attempt for lost after ten seconds of silence."""


TWICE = (
    "a mistake in the tool: it begins its act twice, and a write has one; all that it does belongs into one "
    "`async with act`, or into tools of their own"
)


class Act:
    """Of one attempt of one call."""

    def __init__(
        self,
        ledger: Ledger,
        write: Write,
        *,
        attempt: int,
        seen: Action | None,
        fence: Fence,
        may_have_happened: bool = False,
    ) -> None:
        self._ledger = ledger
        self._write = write
        self._attempt = attempt
        self._seen = seen
        self._fence = fence
        self._token: str | None = None
        self.may_have_happened = may_have_happened
        """By an earlier attempt, whose end nobody knows: a tool that is idempotent is tried again all the same."""
        self.withdrawn: ToolError | None = None
        """Set where the attempt is given up: what has not begun then does not begin, for this reason."""
        self.settled: SettledBy = "asked again"
        """Where it may have happened before: how this attempt finds out. A tool that looks says so."""
        self.happened = False
        """The block has ended without an error."""
        self.overtaken = False
        """Another attempt has begun it: only the ledger can tell how that one ends."""
        self.came_to_nothing = False
        """The block has ended with an error that says that nothing happened."""

    @property
    def begun(self) -> bool:
        return self._token is not None

    async def __aenter__(self) -> Self:
        """Begin the act: write it down in the ledger, and have Temporal told.

        Raises:
            Withdrawn: the request was cancelled before.
            ServiceUnavailable: the attempt no longer counts, or the ledger cannot be written; nothing has happened.
            KeyTaken: a like write was begun meanwhile, by a run that this one does not know of.
            OutcomeUnknown: another attempt has begun; or this one has, and its tool begins it a second time.
            ToolCrashed: its tool begins it a second time, and the first has come to nothing.
        """
        if self.begun:
            raise ToolCrashed(TWICE) if self.came_to_nothing else OutcomeUnknown(TWICE)
        token = new_token(self._write.repeated_as)
        await self._tell("preparing", token)
        if self.withdrawn:
            raise self.withdrawn
        try:
            self._token = await self._ledger.begin(self._write, attempt=self._attempt, seen=self._seen, token=token)
        except OutcomeUnknown:
            self.overtaken = True
            raise
        try:
            await self._begin(token)
        except BaseException as error:
            state = State.UNKNOWN if self.may_have_happened else State.NOT_DONE
            await to_the_end(self._end(state, error=_text(error)))
            self._token = None
            raise
        return self

    async def _begin(self, token: str) -> None:
        asked = _seconds()
        await self._tell("acting", token)
        if self.withdrawn:
            raise self.withdrawn
        if _seconds() - asked > STALE:
            raise ServiceUnavailable("the worker was held up before it could act; nothing has happened")

    async def _tell(self, stage: Literal["preparing", "acting"], token: str) -> None:
        beat = AttemptBeat(stage=stage, token=token, attempt=self._attempt)
        if stage == "acting":
            # Every heartbeat from now on says so too. "preparing" is said once: it must not come after "acting".
            remember(beat)
        await self._fence(beat)
        before = remembered()
        if stage == "preparing" and isinstance(before, AttemptBeat) and before.stage == "acting":
            # What is repeated of an earlier attempt may come after this one's word, and must not hide it.
            known = self._seen.token if self._seen else before.token
            remember(before.model_copy(update={"token": known, "preparing": token}))

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is None:
            self.happened = True  # and stored with the result, when the tool has returned it
        else:
            certain = isinstance(error, ErrandError) and not isinstance(error, OutcomeUnknown)
            state = State.NOT_DONE if certain and not self.may_have_happened else State.UNKNOWN
            self.came_to_nothing = state is State.NOT_DONE
            await asyncio.shield(self._end(state, error=_text(error)))

    async def done(self, result: JsonValue) -> None:
        """Store the result. It stands on the receipt too: a ledger that is gone now is told later, not waited for."""
        if self.begun:
            await self._end(State.DONE, result=result)

    async def unknown(self, why: str) -> None:
        """Store that nobody knows what it came to, where the tool failed after the act."""
        if self.happened:
            await self._end(State.UNKNOWN, error=_storable(why))

    async def _end(self, state: State, *, result: JsonValue = None, error: str | None = None) -> None:
        key = self._write.call.key
        finish = partial(self._ledger.finish, key, self._token or "", state, result=result, error=error)
        for pause in (*PAUSES, None):
            try:
                if not await finish():
                    log.warning("the ledger row was decided by somebody else", key=key, state=state)
                return
            except ServiceUnavailable as unavailable:
                if pause is None:
                    log.error("the ledger does not know yet how a write ended", key=key, state=state)
                    self._ledger.late_ends.tell(finish, key=key, state=state)
                    return
                log.warning(str(unavailable), key=key)
                await asyncio.sleep(pause)


def _seconds() -> float:
    """Of a clock that goes on while the machine sleeps, where it has one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME if sys.platform == "linux" else time.CLOCK_MONOTONIC)


def _text(error: BaseException) -> str:
    """Its words, or else its name."""
    return _storable(message_of(error) or name_of(error))


def _storable(text: str) -> str:
    """PostgreSQL stores no NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
