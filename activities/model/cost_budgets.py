"""A model call held to the policy's budgets of cost: the most that it may cost is taken before, and settled after."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from temporalio import activity

from activities.budgets import Budget, Charge, in_units
from activities.errors import BudgetReached, LimitExhausted, ModelUnavailable, ServiceUnavailable
from workflows.contract.api import Usage

if TYPE_CHECKING:
    from activities.ledger.spending import SpendingBook

log = structlog.stdlib.get_logger(__name__)


class CostAccount:
    """Of one attempt of a model call."""

    def __init__(self, budgets: Sequence[Budget], book: "SpendingBook") -> None:
        self._budgets = budgets
        self._book = book
        info = activity.info()
        # Attempts are numbered anew when an operator resets the activity, so their numbers do not tell them apart.
        self._key = f"{info.workflow_id}/{info.activity_id} {secrets.token_hex(8)}"
        self._reserved = False

    async def reserve(self, at_most: Usage, before: Usage) -> None:
        """Take what the attempt may cost.

        Args:
            at_most: of this attempt.
            before: of the attempts before it, which an error carries.

        Raises:
            LimitExhausted: it does not fit into a budget; the model is not to be asked.
            ModelUnavailable: the ledger cannot be written.
        """
        amount = in_units(at_most.cost or 0)
        try:
            await self._book.reserve(self._key, [Charge(budget, amount) for budget in self._budgets])
        except BudgetReached as reached:
            raise LimitExhausted(str(reached), usage=before) from reached
        except ServiceUnavailable as error:
            raise ModelUnavailable(f"the model is not asked before its cost is written down: {error}") from error
        self._reserved = True

    async def settle(self, used: Usage) -> None:
        """Write down what the attempt has cost. Where that cannot be done, the most stands."""
        if not self._reserved:
            return
        try:
            await self._book.settle(self._key, in_units(used.cost or 0))
        except ServiceUnavailable as error:
            log.warning("the most that a model call may cost stays taken", reason=str(error))


@dataclass(frozen=True)
class CostBudgets:
    """All of the policy's."""

    budgets: Sequence[Budget]
    book: "SpendingBook"

    def account(self, requester: str) -> CostAccount | None:
        """For one attempt; None where no budget holds for the requester."""
        held = [budget for budget in self.budgets if budget.cost is not None and budget.is_for(requester)]
        return CostAccount(held, self.book) if held else None
