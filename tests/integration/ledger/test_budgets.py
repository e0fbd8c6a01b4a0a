"""A budget is never exceeded: a share is taken before the act, given back only where nothing happened."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from activities.budgets import Amount, Budget, Charge, in_units
from activities.errors import BudgetReached
from activities.ledger.ledger import Ledger
from activities.ledger.rows import State, Write
from activities.ledger.spending import Standing
from tests.integration.ledger.conftest import Database
from workflows.contract.internal import ToolCall

pytestmark = pytest.mark.sampled(1)

TEN = Budget(requester="billing-*", tool="send", most=10, per="month")
HUNDRED = Budget(tool="pay", amount=Amount(argument="total", most=100), per="month")
ASKED = Budget(tool="send", most=1, per="month", then="ask")
COST = Budget(cost=1, per="month")


def write(number: int, *charges: Charge, over: tuple[str, ...] = ()) -> Write:
    call = ToolCall(key=f"r{number}/1.1", tool="send", arguments={}, chain="5eed", over_budgets=over)
    return Write(call, charges=charges)


def one_of(budget: Budget) -> Charge:
    return Charge(budget, in_units(1))


async def begin(ledger: Ledger, write: Write) -> str | None:
    """The token; None where a budget is reached."""
    try:
        return await ledger.begin(write, attempt=1, seen=await ledger.find(write.call.key))
    except BudgetReached:
        return None


async def standing(ledger: Ledger, budget: Budget) -> tuple[float, float, float]:
    """Used, reserved, left."""
    [found] = await ledger.spending.standings([budget])
    return found.used / in_units(1), found.reserved / in_units(1), found.left / in_units(1)


class TestAtOnce:
    @pytest.mark.sampled(1)
    async def test_of_fifty_at_once_on_two_workers_as_many_begin_as_there_may_be(self, database: Database) -> None:
        ledgers = [await database.open(), await database.open()]
        tokens = await asyncio.gather(*(begin(ledgers[number % 2], write(number, one_of(TEN))) for number in range(50)))
        assert sum(token is not None for token in tokens) == 10
        assert await standing(ledgers[0], TEN) == (0, 10, 0)

    @pytest.mark.sampled(1)
    async def test_of_fifty_amounts_at_once_the_sum_is_never_above_by_one(self, database: Database) -> None:
        ledgers = [await database.open(), await database.open()]
        amounts = [7.01] * 50
        tokens = await asyncio.gather(
            *(
                begin(ledgers[number % 2], write(number, Charge(HUNDRED, in_units(amount))))
                for number, amount in enumerate(amounts)
            )
        )
        assert sum(token is not None for token in tokens) == 14
        assert await standing(ledgers[0], HUNDRED) == (0, 98.14, 1.86)

    async def test_writes_that_take_of_two_budgets_in_any_order_do_not_wait_for_each_other(
        self, opened: Ledger
    ) -> None:
        both = [one_of(TEN), one_of(HUNDRED)]
        tokens = await asyncio.gather(
            *(begin(opened, write(number, *(both if number % 2 else reversed(both)))) for number in range(30))
        )
        assert sum(token is not None for token in tokens) == 10

    async def test_of_fifty_model_calls_at_once_as_many_are_made_as_can_be_paid(self, database: Database) -> None:
        ledgers = [await database.open(), await database.open()]

        async def reserve(number: int) -> bool:
            try:
                await ledgers[number % 2].spending.reserve(f"r/{number}", [Charge(COST, in_units(0.03))])
            except BudgetReached:
                return False
            return True

        assert sum(await asyncio.gather(*map(reserve, range(50)))) == 33


class TestWhatBecomesOfAShare:
    async def test_what_is_done_is_used_and_what_did_not_happen_is_given_back(self, opened: Ledger) -> None:
        for number, state in enumerate((State.DONE, State.NOT_DONE)):
            token = await begin(opened, write(number, one_of(TEN)))
            await opened.finish(f"r{number}/1.1", token or "", state)
        assert await standing(opened, TEN) == (1, 0, 9)

    async def test_what_a_dead_worker_has_begun_stays_taken_and_is_used_when_it_is_unknown(
        self, database: Database
    ) -> None:
        dead = await database.open()
        for number in range(10):
            await begin(dead, write(number, one_of(TEN)))
        await dead.aclose()
        ledger = await database.open()
        assert await begin(ledger, write(11, one_of(TEN))) is None
        for number in range(10):
            await ledger.give_up(write(number))
        assert await standing(ledger, TEN) == (10, 0, 0)
        assert await begin(ledger, write(11, one_of(TEN))) is None

    async def test_a_persons_word_that_it_did_not_happen_gives_it_back(self, opened: Ledger) -> None:
        await begin(opened, write(1, one_of(ASKED)))
        await opened.give_up(write(1))
        await opened.resolve("r1/1.1", delivered=False, by="ann")
        assert await standing(opened, ASKED) == (0, 0, 1)

    async def test_a_write_that_begins_again_takes_its_share_once(self, opened: Ledger) -> None:
        for _ in range(3):
            token = await begin(opened, write(1, one_of(ASKED)))
            assert token
            await opened.finish("r1/1.1", token, State.NOT_DONE)
        token = await begin(opened, write(1, one_of(ASKED)))
        await opened.finish("r1/1.1", token or "", State.DONE)
        assert await standing(opened, ASKED) == (1, 0, 0)

    async def test_a_write_that_is_refused_leaves_no_row(self, opened: Ledger) -> None:
        await begin(opened, write(1, one_of(ASKED)))
        assert await begin(opened, write(2, one_of(ASKED))) is None
        assert await opened.find("r2/1.1") is None

    async def test_a_model_call_keeps_the_most_that_it_may_cost_until_it_is_settled(self, opened: Ledger) -> None:
        for key in ("r/1", "r/2"):
            await opened.spending.reserve(key, [Charge(COST, in_units(0.4))])
        await opened.spending.settle("r/1", in_units(0.05))
        assert await standing(opened, COST) == (0.05, 0.4, 0.55)


class TestOver:
    async def test_a_person_may_say_yes_over_a_budget_that_says_so(self, opened: Ledger) -> None:
        await begin(opened, write(1, one_of(ASKED)))
        with pytest.raises(BudgetReached) as reached:
            await opened.begin(write(2, one_of(ASKED)), attempt=1, seen=None)
        assert reached.value.ask == (ASKED.id,)
        assert await begin(opened, write(2, one_of(ASKED), over=reached.value.ask))
        assert await standing(opened, ASKED) == (0, 2, 0)

    async def test_nobody_is_asked_where_a_budget_that_refuses_is_reached_too(self, opened: Ledger) -> None:
        for number in range(10):
            await begin(opened, write(number, one_of(TEN)))
        await begin(opened, write(10, one_of(ASKED)))
        with pytest.raises(BudgetReached) as reached:
            await opened.begin(write(11, one_of(TEN), one_of(ASKED)), attempt=1, seen=None)
        assert reached.value.ask == ()
        assert await begin(opened, write(11, one_of(TEN), one_of(ASKED), over=(ASKED.id, TEN.id))) is None

    async def test_the_refusal_says_whose_it_is_what_is_left_and_when_it_is_free_again(self, opened: Ledger) -> None:
        await begin(opened, write(1, Charge(HUNDRED, in_units(80))))
        token = await begin(opened, write(2, Charge(HUNDRED, in_units(12.5))))
        await opened.finish("r2/1.1", token or "", State.DONE)
        _, free_at = HUNDRED.period(datetime.now(UTC))
        with pytest.raises(BudgetReached) as reached:
            await opened.begin(write(3, Charge(HUNDRED, in_units(8))), attempt=1, seen=None)
        assert str(reached.value) == (
            "the budget of 100 in total of pay per month for all is reached: 92.5 is taken, 80 of it under way; 7.5 is "
            f"left, and this takes 8; it is free again at {free_at:%Y-%m-%d} 00:00 UTC"
        )


async def test_a_share_of_the_period_before_counts_no_longer(database: Database) -> None:
    ledger = await database.open()
    await begin(ledger, write(1, one_of(ASKED)))
    since, _ = ASKED.period(datetime.now(UTC))
    before = since - timedelta(seconds=1)
    await database.run(f"UPDATE errand_spending SET taken_at = '{before:%Y-%m-%d %H:%M:%S}'")
    assert await standing(ledger, ASKED) == (0, 0, 1)


async def test_a_ledger_from_before_has_nothing_taken_until_a_worker_adds_the_table(bare_database: Database) -> None:
    ledger = await bare_database.open()
    await bare_database.run("DROP TABLE errand_spending")
    await bare_database.run("UPDATE errand_schema SET version = 2")
    assert await standing(ledger, TEN) == (0, 0, 10)
    assert await begin(await bare_database.open(), write(1, one_of(TEN)))


def test_a_call_that_is_more_than_the_whole_budget_is_never_free() -> None:
    now = datetime(2026, 1, 31, tzinfo=UTC)
    refusal = Standing(HUNDRED, 0, 0, *HUNDRED.period(now)).refusal(in_units(101))
    assert "this takes 101; that is more than all of it" in refusal
