"""The policy's budgets at the desk: how much of each is used, reserved and left."""

from typing import TYPE_CHECKING

from activities.errors import ErrandError
from activities.policy import Policy
from deploy.client.actions import ledger_of_the_workers
from deploy.web.callers import Caller
from deploy.web.door import Door

if TYPE_CHECKING:
    from activities.ledger.spending import Standing


async def budgets(door: Door, caller: Caller) -> "list[Standing]":
    """Those that hold for this caller, or all for who sees everybody's requests; none, where the door cannot know."""
    try:
        policy = Policy.load(door.service.tools.policy)
        mine = [each for each in policy.budget if caller.sees_all or each.is_for(caller.name)]
        if not mine:
            return []
        async with ledger_of_the_workers(door.service) as ledger:
            return [*await ledger.spending.standings(mine)]
    except ErrandError:
        return []
