"""What the desk looks for: what waits for a yes, for an answer, what runs, and what has ended.

Each is a query of its own with a bound of its own, so that nothing crowds out another. Temporal lists the latest first,
and a call that has waited longest is the nearest to its expiry: so of what waits, more is listed than is shown.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from temporalio.client import Client, WorkflowExecution

from deploy.client.listing import Found, described, query_for
from workflows.timeline import AWAITING_ANSWER, AWAITING_APPROVAL, REQUESTER

MOST_WAITING = 50
MOST_RUNNING = 20
MOST_ENDED = 10
MOST_LISTED = 1000
"""Of what waits: as many as Temporal lists by one call."""

WAITS = (AWAITING_APPROVAL.name, AWAITING_ANSWER.name)
FOR_NOBODY = tuple(f"({each} IS NULL OR {each} = false)" for each in WAITS)


@dataclass(frozen=True)
class Part:
    """Those requests of a kind that are shown. `of` is how many there are, as far as was counted."""

    found: Sequence[Found] = ()
    of: int = 0

    @property
    def is_cut(self) -> bool:
        return self.of > len(self.found)

    @property
    def is_counted(self) -> bool:
        """Whether there are no more than `of`."""
        return self.of < MOST_LISTED


@dataclass(frozen=True)
class GoingOn:
    """`waiting` is what waits for a yes, `running` what waits for nobody."""

    waiting: Part = field(default_factory=Part)
    running: Part = field(default_factory=Part)


async def going_on(client: Client, requester: str | None) -> GoingOn:
    """What goes on of this requester, or of everybody."""
    running = query_for(requester=requester, also=("CloseTime IS NULL", *FOR_NOBODY))
    return GoingOn(
        *await asyncio.gather(
            _oldest(client, query_for(waits=[AWAITING_APPROVAL.name], requester=requester)),
            _latest(client, running, MOST_RUNNING),
        )
    )


async def asking(client: Client, requester: str | None) -> Part:
    """What waits for an answer of this requester, or of everybody."""
    return await _oldest(client, query_for(waits=[AWAITING_ANSWER.name], requester=requester))


async def over(client: Client, requester: str | None) -> Part:
    """What has ended; that there is more is said by a number that is one too high, and no count."""
    return await _latest(client, query_for(requester=requester, also=["CloseTime IS NOT NULL"]), MOST_ENDED)


async def _latest(client: Client, query: str, most: int) -> Part:
    """One more than is shown is listed: Temporal would have to go through all of them to count them."""
    listed = [each async for each in client.list_workflows(query, limit=most + 1, page_size=most + 1)]
    return Part(await described(client, listed[:most]), len(listed))


async def _oldest(client: Client, query: str) -> Part:
    listed = [each async for each in client.list_workflows(query, limit=MOST_LISTED, page_size=MOST_LISTED)]
    return Part(await described(client, in_turn(listed)[:MOST_WAITING]), len(listed))


def in_turn(listed: Sequence[WorkflowExecution]) -> list[WorkflowExecution]:
    """The oldest first: first the oldest of each requester, then the second of each, so that nobody who asks for a lot
    hides what others ask for."""
    before: defaultdict[str | None, int] = defaultdict(int)
    turns: list[tuple[int, WorkflowExecution]] = []
    for each in sorted(listed, key=lambda each: each.start_time):
        whose = each.typed_search_attributes.get(REQUESTER)
        turns.append((before[whose], each))
        before[whose] += 1
    return [each for _, each in sorted(turns, key=lambda turn: turn[0])]
