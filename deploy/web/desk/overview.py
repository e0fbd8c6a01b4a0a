"""What the desk shows to one caller: what waits for them, what runs, what has ended, and their schedules."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio.exceptions import TemporalError
from temporalio.service import RPCError

from activities.errors import ConfigurationError, ErrandError
from deploy.client.actions import ledger_of_the_workers
from deploy.client.keys import Right
from deploy.client.listing import Found
from deploy.client.requests import handle_of, outcome_or_account, state
from deploy.client.schedules import Scheduled, find_schedules
from deploy.client.traced_approvals import TracedApproval, traced
from deploy.web.callers import Caller
from deploy.web.desk.budgeting import budgets
from deploy.web.desk.deciders import why_no_word, why_no_yes
from deploy.web.desk.known import Ended, State
from deploy.web.desk.looking import GoingOn, Part, asking, going_on, over
from deploy.web.door import UNLISTED, Door
from deploy.web.recorded_action import Action
from workflows.contract.api import Outcome, PendingApproval, PendingQuestion, RequestState, RequestStatus
from workflows.contract.plans import is_of_a_plan
from workflows.contract.values import Arguments

if TYPE_CHECKING:
    from activities.ledger.spending import Standing

ANSWERS_WITHIN = timedelta(seconds=1)
MOST_UNKNOWN = 50


@dataclass(frozen=True)
class Call:
    """A call that waits. `why_no_yes` says why this caller cannot approve it, and is empty where they can."""

    found: Found
    pending: TracedApproval
    why_no_yes: str
    may_edit: bool
    """Whether it is one call: a plan is approved as it stands."""
    may_reject: bool


@dataclass(frozen=True)
class Question:
    found: Found
    pending: PendingQuestion


@dataclass(frozen=True)
class Running:
    found: Found
    doing: str


@dataclass(frozen=True)
class Live:
    """What changes while somebody looks. Of `going_on` and `asking`, all of it may not be shown."""

    calls: list[Call] = field(default_factory=list[Call])
    questions: list[Question] = field(default_factory=list[Question])
    running: list[Running] = field(default_factory=list[Running])
    going_on: GoingOn = field(default_factory=GoingOn)
    asking: Part = field(default_factory=Part)
    unlisted: str = ""
    """Why nothing can be listed."""

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(each.found.request_id for each in (*self.calls, *self.questions, *self.running))


@dataclass(frozen=True)
class Settled:
    """What changes when something has ended."""

    ended: list[Ended] = field(default_factory=list[Ended])
    more_have_ended: bool = False
    unknown: list[Action] = field(default_factory=list[Action])
    schedules: list[Scheduled] = field(default_factory=list[Scheduled])
    budgets: "list[Standing]" = field(default_factory=lambda: list["Standing"]())


def whose(caller: Caller) -> str | None:
    """Of whom requests are listed; None for everybody's."""
    return None if caller.sees_all else caller.name


async def live(door: Door, caller: Caller, age: float = 0) -> Live:
    """What waits and what runs, of what this caller may see: as it was `age` seconds ago at the most."""
    if not (caller.may(Right.READ) or caller.sees_all):
        return Live()
    of = whose(caller)
    if _are_hidden(door, of):
        return Live(unlisted=UNLISTED)
    (there, states), (asked, own) = await asyncio.gather(
        door.known.going_on.get(of, lambda: _going_on(door, of), age=age), _asking(door, caller, age)
    )
    seen = {found.request_id: (found, now) for found, now in (*states, *own)}.values()
    calls = [each for one, now in seen for each in await calls_of(door, caller, one, now)]
    questions = [each for one, now in seen for each in questions_of(caller, one, now)]
    return Live(
        sorted(calls, key=lambda each: each.pending.expires_at),
        sorted(questions, key=lambda each: each.pending.expires_at),
        [Running(one, now.doing) for one, now in states if not _waits(now)],
        there,
        asked,
    )


async def _going_on(door: Door, requester: str | None) -> tuple[GoingOn, list[State]]:
    there = await going_on(door.client, requester)
    return there, await _states(door, (*there.waiting.found, *there.running.found))


async def _asking(door: Door, caller: Caller, age: float) -> tuple[Part, list[State]]:
    """What waits for this caller's answer: a question of others, which they may not answer, takes no place of it."""
    if not caller.may(Right.SUBMIT):
        return Part(), []
    of = None if caller.may(Right.ADMIN) or _are_hidden(door, caller.name) else caller.name

    async def look() -> tuple[Part, list[State]]:
        there = await asking(door.client, of)
        return there, await _states(door, there.found)

    return await door.known.asking.get(of, look, age=age)


async def _states(door: Door, listed: Iterable[Found]) -> list[State]:
    found = [each for each in {each.request_id: each for each in listed}.values() if each.closed_at is None]
    return list(zip(found, await asyncio.gather(*(_state(door, each) for each in found)), strict=True))


def _are_hidden(door: Door, requester: str | None) -> bool:
    """Whether Temporal does not know which requests are this requester's."""
    return requester is not None and door.service.encryption.hides_requester


async def _state(door: Door, found: Found) -> RequestState:
    """Where a request stands. One that no worker answers for does not hold up the page."""
    try:
        async with asyncio.timeout(ANSWERS_WITHIN.total_seconds()):
            return await state(handle_of(door.client, found.request_id))
    except (ErrandError, RPCError, TemporalError, TimeoutError) as error:
        doing = str(error) or "no worker answers"
        return RequestState(request_id=found.request_id, status=RequestStatus.RUNNING, turn=0, doing=doing)


def _waits(now: RequestState) -> bool:
    return bool(now.awaiting_approval or now.awaiting_answer)


async def calls_of(door: Door, caller: Caller, found: Found, now: RequestState) -> list[Call]:
    """The calls of a request that wait for a yes."""
    return [
        Call(
            found,
            await _traced(door, each, found.request_id),
            why_no_yes=why_no_yes(caller, found, each),
            may_edit=not is_of_a_plan(each.key),
            may_reject=not why_no_word(caller, each),
        )
        for each in now.awaiting_approval
    ]


def questions_of(caller: Caller, found: Found, now: RequestState) -> list[Question]:
    """The questions of a request that this caller may answer."""
    if not caller.may(Right.SUBMIT) or (found.requester != caller.name and not caller.may(Right.ADMIN)):
        return []
    return [Question(found, each) for each in now.awaiting_answer]


async def _traced(door: Door, pending: PendingApproval, request_id: str) -> TracedApproval:
    """The call, with where its arguments came from, which never changes as long as they do not."""
    known, at = door.known.traced, (pending.key, pending.digest)
    if at not in known:
        [found] = await traced(door.client, request_id, [pending])
        if not found.sources:
            return found
        known[at] = found
    return known[at].model_copy(update=dict(pending))


async def settled(door: Door, caller: Caller, now: Live | None = None, age: float = 0) -> Settled:
    """What has ended, what nobody knows the end of, this caller's schedules, and the budgets.

    Args:
        now: what goes on. Where that is not the same as it was, nor is what has ended.
        age: how many seconds ago it may have been so.
    """
    if not (caller.may(Right.READ) or caller.sees_all):
        return Settled()
    of, ids, known = whose(caller), now and now.ids, door.known
    (ended, more), unknown, schedules, standings = await asyncio.gather(
        known.ended.get(of, lambda: _ended(door, of), age=age, about=ids),
        known.unknown.get(of, lambda: unknown_writes(door, of), age=age, about=ids),
        known.schedules.get(
            caller.name, lambda: find_schedules(door.client, requester=caller.name), age=age, about=ids
        ),
        known.budgets.get(of, lambda: budgets(door, caller), age=age, about=ids),
    )
    return Settled(ended, more, unknown, schedules, standings)


async def _ended(door: Door, requester: str | None) -> tuple[list[Ended], bool]:
    """What has ended, and whether there is more of it."""
    if _are_hidden(door, requester):
        return [], False
    there = await over(door.client, requester)
    outcomes = await asyncio.gather(*(outcome(door, each) for each in there.found))
    return [Ended(*each) for each in zip(there.found, outcomes, strict=True)], there.is_cut


async def outcome(door: Door, found: Found) -> Outcome | None:
    known = (found.request_id, str(found.started_at))
    outcomes = door.known.outcomes
    if known not in outcomes:
        try:
            async with asyncio.timeout(5):
                ended = await outcome_or_account(handle_of(door.client, found.request_id), patience=ANSWERS_WITHIN)
        except (ErrandError, RPCError, TemporalError, TimeoutError):
            return None
        if found.without_outcome and not ended.receipts:
            return ended  # a worker that is there again may know more
        outcomes[known] = ended
    return outcomes[known]


async def unknown_writes(door: Door, requester: str | None, request_id: str | None = None) -> list[Action]:
    """The writes of which nobody knows whether they happened; none where the door has no ledger to ask."""
    from activities.ledger.rows import State

    try:
        async with ledger_of_the_workers(door.service) as ledger:
            found = await ledger.search(
                request_id=request_id, requester=requester, state=State.UNKNOWN, since=None, limit=MOST_UNKNOWN
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
