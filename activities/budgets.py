"""What may be sent and spent in a period: the budgets of the policy file.

[[budget]]
requester = "billing-*"     # all who fit share it; by default everybody
tool = "send_email"         # a pattern, as in a rule
most = 200                  # calls
per = "day"                 # or "hour", "week" (from Monday), "month": of the calendar, in UTC
then = "ask"                # wait for a person when it is reached; by default the call is refused

[[budget]]
tool = "pay_invoice"
amount = { argument = "total", most = 10000 }
per = "month"

[[budget]]
cost = 5.00                 # of the model's tokens, by ERRAND_MODEL_PRICES
per = "day"
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from activities.errors import BudgetReached
from workflows.contract.values import Arguments, sha256

Period = Literal["hour", "day", "week", "month"]

LONGEST_PERIOD = timedelta(days=31)
"""What a call has taken counts until its month is over."""
UNITS = 1_000_000
"""Amounts are kept in millionths, as whole numbers: their sums are exact."""
LARGEST = 1_000_000_000_000
"""Amount of one call, and of a budget."""


class Amount(BaseModel):
    """The sum of a numeric argument."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    argument: str = Field(min_length=1)
    most: float = Field(ge=0, le=LARGEST)


class Budget(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    requester: str = "*"
    tool: str = "*"
    most: int | None = Field(default=None, ge=0, le=LARGEST)
    amount: Amount | None = None
    cost: float | None = Field(default=None, ge=0, le=LARGEST)
    per: Period
    then: Literal["refuse", "ask"] = "refuse"

    @model_validator(mode="after")
    def _limits_one_thing(self) -> Self:
        if [self.most, self.amount, self.cost].count(None) != 2:
            raise ValueError("a budget has one of most, amount and cost")
        if self.cost is not None and (self.tool != "*" or self.then == "ask"):
            raise ValueError("cost is of the model's tokens: it goes with no tool, and nobody is asked")
        return self

    @property
    def counts(self) -> str:
        """What it limits."""
        return "cost" if self.cost is not None else "amount" if self.amount else "calls"

    @cached_property
    def id(self) -> str:
        """By what is counted and for whom, so that a limit that is raised keeps its count."""
        argument = self.amount.argument if self.amount else None
        return sha256([self.requester, self.tool, self.counts, argument, self.per, self.then])[:16]

    @property
    def limit(self) -> int:
        """In millionths."""
        return in_units(self.amount.most if self.amount else (self.most if self.cost is None else self.cost) or 0)

    def __str__(self) -> str:
        """For people: "200 calls of send_email per day for billing-*"."""
        limit = amount_text(self.limit)
        if self.cost is not None:
            counted = f"a cost of {limit}"
        elif self.amount:
            counted = f"{limit} in {self.amount.argument} of {self.tool}"
        else:
            counted = f"{limit} calls of {self.tool}"
        return f"{counted} per {self.per} for {'all' if self.requester == '*' else self.requester}"

    def is_for(self, requester: str) -> bool:
        return fnmatchcase(requester.casefold(), self.requester.casefold())

    def period(self, now: datetime) -> tuple[datetime, datetime]:
        """The calendar's period in UTC that holds a moment: its begin, and the begin of the next."""
        hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        day = hour.replace(hour=0)
        match self.per:
            case "hour":
                return hour, hour + timedelta(hours=1)
            case "day":
                return day, day + timedelta(days=1)
            case "week":
                monday = day - timedelta(days=day.weekday())
                return monday, monday + timedelta(days=7)
            case "month":
                first = day.replace(day=1)
                return first, (first + timedelta(days=32)).replace(day=1)

    def charge_of(self, arguments: Arguments) -> "Charge":
        """What a call takes of it.

        Raises:
            BudgetReached: its amount is none that can be counted.
        """
        if self.amount is None:
            return Charge(self, UNITS)
        name = self.amount.argument
        try:
            return Charge(self, in_units(_number(arguments.get(name))))
        except ValueError as error:
            raise BudgetReached(f"the budget of {self} counts {name}, which {error}") from None


@dataclass(frozen=True)
class Charge:
    """What one call takes of a budget."""

    budget: Budget
    amount: int
    """In millionths."""


def charges_of_write(budgets: Iterable[Budget], tool: str, requester: str, arguments: Arguments) -> tuple[Charge, ...]:
    """What a write takes of each budget that holds for it.

    Args:
        budgets: all of the policy's.
        tool: that is called.
        requester: who asks.
        arguments: as they will be used.

    Raises:
        BudgetReached: an amount is none that can be counted.
    """
    return tuple(
        budget.charge_of(arguments)
        for budget in budgets
        if budget.cost is None and fnmatchcase(tool, budget.tool) and budget.is_for(requester)
    )


def in_units(amount: float | Decimal) -> int:
    """In millionths, rounded up."""
    return int((Decimal(str(amount)) * UNITS).to_integral_value(ROUND_CEILING))


def amount_text(units: int) -> str:
    """For people: "12.5"."""
    return f"{Decimal(units) / UNITS:f}"


def _number(value: JsonValue) -> Decimal:
    """The amount that an argument is, also one that is written as text.

    Raises:
        ValueError: it is none; the message says what it is instead.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("is no number")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("is no number") from None
    if not number.is_finite() or number < 0 or number > LARGEST:
        raise ValueError(f"must be from 0 to {LARGEST:,}")
    return number
