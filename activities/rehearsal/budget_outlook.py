"""Whether the budgets of the policy would let writes through, one after the other. Nothing is taken of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from activities.budgets import Budget, Charge, charges_of_write
from activities.errors import BudgetReached
from activities.ledger.spending import Standing
from workflows.contract.values import Arguments


class Standings(Protocol):
    """Knows what has been taken of budgets."""

    async def standings(self, budgets: Sequence[Budget]) -> list[Standing]: ...


@dataclass(frozen=True)
class Outlook:
    """What would become of the last of the writes."""

    refused: str = ""
    """Which budget would refuse it."""
    ask: str = ""
    """Which budget would have a person asked."""


async def outlook(
    budgets: Sequence[Budget],
    spending: Standings,
    requester: str,
    writes: Iterable[tuple[str, Arguments]],
) -> Outlook:
    """What the budgets say of the last of some writes, if those before it were made.

    Args:
        budgets: all of the policy's.
        spending: what has been taken of them.
        requester: who asks.
        writes: tools, with the arguments as they will be used.
    """
    taken, last = dict[str, int](), list[Charge]()
    try:
        for tool, arguments in writes:
            last = [*charges_of_write(budgets, tool, requester, arguments)]
            for charge in last:
                taken[charge.budget.id] = taken.get(charge.budget.id, 0) + charge.amount
    except BudgetReached as impossible:
        return Outlook(refused=str(impossible))
    if not last:
        return Outlook()
    standings = {each.budget.id: each for each in await spending.standings([charge.budget for charge in last])}
    reached = [
        (charge, standings[charge.budget.id].refusal(charge.amount, taken[charge.budget.id] - charge.amount))
        for charge in last
        if not standings[charge.budget.id].allows(taken[charge.budget.id])
    ]
    told = "; ".join(text for _, text in reached)
    if any(charge.budget.then == "refuse" for charge, _ in reached):
        return Outlook(refused=told)
    return Outlook(ask=told)
