"""The point of no return of a write, written down in the ledger before and after.

    async with act:
        reply = await transaction.commit()

A write tool asks for it by a keyword-only parameter of type `Act`, does everything that can still be undone before the
block, and inside it only what cannot. For a tool that does not ask, its whole run is the act.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Self

import structlog
from pydantic import JsonValue

from activities.errors import ErrandError, OutcomeUnknown, ServiceUnavailable, Withdrawn
from activities.ledger import Action, Ledger, State
from activities.redaction import redacted
from workflows.contract import ToolCall

log = structlog.stdlib.get_logger(__name__)

PAUSES = (0.2, 1.0, 3.0)
"""Seconds between tries to write down what happened."""

Fence = Callable[[], Awaitable[None]]
"""Raises ServiceUnavailable where the server has given this attempt up."""

STALE = 5.0
"""Seconds between asking whether the attempt still counts and acting, after which it is not acted: the process was
frozen in between, and the server takes an attempt for lost after ten seconds of silence."""


class Act:
    """Of one attempt of one call."""

    def __init__(self, ledger: Ledger, call: ToolCall, *, attempt: int, seen: Action | None, fence: Fence) -> None:
        self._ledger = ledger
        self._call = call
        self._attempt = attempt
        self._seen = seen
        self._fence = fence
        self._token: str | None = None
        self.withdrawn = False
        """Set where the request was cancelled: what has not begun then does not begin."""

    @property
    def begun(self) -> bool:
        return self._token is not None

    async def __aenter__(self) -> Self:
        """
        Raises:
            Withdrawn: the request was cancelled before.
            ServiceUnavailable: the attempt no longer counts, or the ledger cannot be written; nothing has happened.
            OutcomeUnknown: another attempt has begun.
        """
        started = time.monotonic()
        await self._fence()
        if self.withdrawn:
            raise Withdrawn("the request was cancelled before it happened")
        self._token = await self._ledger.begin(self._call, attempt=self._attempt, seen=self._seen)
        if time.monotonic() - started > STALE:
            await self._end(State.NOT_DONE, error="the worker was held up before it could act")
            raise ServiceUnavailable("the worker was held up before it could act; nothing has happened")
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is not None:
            # Without an error the state is stored with the result, when the tool has returned it.
            certain = isinstance(error, ErrandError) and not isinstance(error, OutcomeUnknown)
            await asyncio.shield(self._end(State.NOT_DONE if certain else State.UNKNOWN, error=_text(error)))

    async def done(self, result: JsonValue) -> None:
        """Store the result. It stands on the receipt too, so that a ledger which is gone now is not waited for long."""
        if self.begun:
            await self._end(State.DONE, result=result)

    async def _end(self, state: State, *, result: JsonValue = None, error: str | None = None) -> None:
        for pause in (*PAUSES, None):
            try:
                if not await self._ledger.finish(self._call.key, self._token or "", state, result=result, error=error):
                    log.warning("the ledger row was decided by somebody else", key=self._call.key, state=state)
                return
            except ServiceUnavailable as unavailable:
                if pause is None:
                    log.error("the ledger does not know how a write ended", key=self._call.key, state=state)
                    return
                log.warning(str(unavailable), key=self._call.key)
                await asyncio.sleep(pause)


def _text(error: BaseException) -> str:
    """Its words, or else its name, without what a database cannot store as text."""
    words = redacted(str(error)) or type(error).__name__
    return words.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
