"""What the desk shows to one caller: what waits for them, what runs, what has ended, and their schedules."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from temporalio.exceptions import TemporalError
from temporalio.service import RPCError

from activities.errors import ConfigurationError, ErrandError
from deploy.client import steps
from deploy.client.actions import ledger_of_the_workers
from deploy.client.history_steps import follow
from deploy.client.keys import Right
from deploy.client.listing import Found, find
from deploy.client.requests import handle_of, outcome_or_account, state
from deploy.client.schedules import Scheduled, find_schedules
from deploy.web.actions import Action
from deploy.web.callers import Caller
from deploy.web.door import UNLISTED, Door
from workflows.contract.api import Outcome, PendingApproval, PendingQuestion, RequestState, RequestStatus
from workflows.contract.values import Arguments

ANSWERS_WITHIN = 1.0
"""Seconds."""
MOST_WAITING = 50
MOST_RUNNING = 20
MOST_ENDED = 10


@dataclass(frozen=True)
class Call:
    """A call that waits; `before` are the arguments that the model gave it, where a person has edited them."""

    found: Found
    pending: PendingApproval
    before: Arguments | None
    may_decide: bool


@dataclass(frozen=True)
class Question:
    found: Found
    pending: PendingQuestion


@dataclass(frozen=True)
class Running:
    found: Found
    doing: str


@dataclass(frozen=True)
class Ended:
    found: Found
    outcome: Outcome | None


@dataclass(frozen=True)
class Live:
    """What changes while somebody looks."""

    calls: list[Call] = field(default_factory=list[Call])
    questions: list[Question] = field(default_factory=list[Question])
    running: list[Running] = field(default_factory=list[Running])
    unlisted: str = ""
    """Why nothing can be listed."""

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(each.found.request_id for each in (*self.calls, *self.questions, *self.running))


@dataclass(frozen=True)
class Settled:
    """What changes when something has ended."""

    ended: list[Ended]
    unknown: list[Action]
    schedules: list[Scheduled]


def whose(caller: Caller) -> str | None:
    """Of whom requests are listed; None for everybody's."""
    return None if caller.sees_all else caller.name


async def live(door: Door, caller: Caller) -> Live:
    """What waits and what runs, of what this caller may see."""
    if not (caller.may(Right.READ) or caller.sees_all):
        return Live()
    if _are_hidden(door, caller):
        return Live(unlisted=UNLISTED)
    waiting, running = await asyncio.gather(
        find(door.client, awaiting_approval=True, awaiting_answer=True, requester=whose(caller), limit=MOST_WAITING),
        find(door.client, status=RequestStatus.RUNNING, requester=whose(caller), limit=MOST_RUNNING),
    )
    known = {each.request_id: each for each in (*waiting, *running)}
    found = [each for each in known.values() if each.closed_at is None]
    states = await asyncio.gather(*(_state(door, each) for each in found))
    calls = [each for one, now in zip(found, states, strict=True) for each in await calls_of(door, caller, one, now)]
    return Live(
        sorted(calls, key=lambda each: each.pending.expires_at),
        [each for one, now in zip(found, states, strict=True) for each in questions_of(caller, one, now)],
        [Running(one, now.doing) for one, now in zip(found, states, strict=True) if not _waits(now)],
    )


def _are_hidden(door: Door, caller: Caller) -> bool:
    """Whether Temporal does not know which requests are the caller's, who may see no others."""
    return whose(caller) is not None and door.service.encryption.hides_requester


async def _state(door: Door, found: Found) -> RequestState:
    """Where a request stands. One that no worker answers for does not hold up the page."""
    try:
        async with asyncio.timeout(ANSWERS_WITHIN):
            return await state(handle_of(door.client, found.request_id))
    except (ErrandError, RPCError, TemporalError, TimeoutError) as error:
        doing = str(error) or "no worker answers"
        return RequestState(request_id=found.request_id, status=RequestStatus.RUNNING, turn=0, doing=doing)


def _waits(now: RequestState) -> bool:
    return bool(now.awaiting_approval or now.awaiting_answer)


async def calls_of(door: Door, caller: Caller, found: Found, now: RequestState) -> list[Call]:
    """The calls of a request that wait for a yes."""
    return [
        Call(found, each, await before(door, each, found.request_id), may_decide(caller, found, each))
        for each in now.awaiting_approval
    ]


def questions_of(caller: Caller, found: Found, now: RequestState) -> list[Question]:
    """The questions of a request that this caller may answer."""
    if not caller.may(Right.SUBMIT) or (found.requester != caller.name and not caller.may(Right.ADMIN)):
        return []
    return [Question(found, each) for each in now.awaiting_answer]


def may_decide(caller: Caller, found: Found, pending: PendingApproval) -> bool:
    own = found.requester.strip().casefold() == caller.name.strip().casefold()
    return caller.may(Right.APPROVE) and not (pending.four_eyes and own)


async def before(door: Door, pending: PendingApproval, request_id: str) -> Arguments | None:
    """The arguments that the model gave to a call which waits with others now; None where they are the same."""
    given = door.known.given
    if (known := (pending.key, pending.digest)) not in given:
        given[known] = await _arguments_before(door, pending, request_id)
    return given[known]


async def _arguments_before(door: Door, pending: PendingApproval, request_id: str) -> Arguments | None:
    turn, _, index = pending.key.rpartition("/")[2].partition(".")
    first: Arguments | None = None
    try:
        async with aclosing(follow(door.client, request_id, to_the_end=False)) as told:
            async for step in told:
                match step:
                    case steps.Decided(number, decision) if str(number) == turn:
                        first = decision.calls[int(index) - 1].arguments
                    case _:
                        pass
    except (RPCError, TemporalError, IndexError, ValueError):
        return None
    return None if first == pending.arguments else first


async def settled(door: Door, caller: Caller) -> Settled:
    """What has ended, what nobody knows the end of, and this caller's schedules."""
    if not (caller.may(Right.READ) or caller.sees_all):
        return Settled([], [], [])
    latest, unknown, schedules = await asyncio.gather(
        _latest(door, caller),
        unknown_writes(door, caller),
        find_schedules(door.client, requester=caller.name),
    )
    over = [each for each in latest if each.closed_at][:MOST_ENDED]
    outcomes = await asyncio.gather(*(outcome(door, each) for each in over))
    return Settled([Ended(*each) for each in zip(over, outcomes, strict=True)], unknown, schedules)


async def _latest(door: Door, caller: Caller) -> list[Found]:
    if _are_hidden(door, caller):
        return []
    return await find(door.client, requester=whose(caller), limit=MOST_ENDED + MOST_RUNNING)


async def outcome(door: Door, found: Found) -> Outcome | None:
    known = (found.request_id, str(found.started_at))
    outcomes = door.known.outcomes
    if known not in outcomes:
        try:
            async with asyncio.timeout(5):
                outcomes[known] = await outcome_or_account(handle_of(door.client, found.request_id))
        except (ErrandError, RPCError, TemporalError, TimeoutError):
            return None
    return outcomes[known]


async def unknown_writes(door: Door, caller: Caller, request_id: str | None = None) -> list[Action]:
    """The writes of which nobody knows whether they happened; none where the door has no ledger to ask."""
    from activities.ledger.rows import State

    try:
        async with ledger_of_the_workers(door.service) as ledger:
            found = await ledger.search(
                request_id=request_id, requester=whose(caller), state=State.UNKNOWN, since=None, limit=MOST_WAITING
            )
    except ConfigurationError:
        return []
    return [Action.model_validate(each) for each in found]


def differences(before: Arguments, now: Arguments) -> Mapping[str, tuple[object, object]]:
    """The arguments that were edited, each as it was and as it is; None where there was or is none."""
    return {
        name: (before.get(name), now.get(name))
        for name in dict.fromkeys([*before, *now])
        if before.get(name) != now.get(name) or (name in before) != (name in now)
    }
