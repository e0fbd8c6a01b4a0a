"""What a call takes of a budget, and for how long it counts."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from pydantic import JsonValue, ValidationError

from activities.budgets import UNITS, Amount, Budget, charges_of_write, in_units
from activities.errors import BudgetReached, ConfigurationError
from activities.policy import Policy
from activities.settings.model import ModelSettings

SENT = Budget(requester="Billing-*", tool="send_*", most=200, per="day")
PAID = Budget(tool="pay", amount=Amount(argument="total", most=10_000), per="month")
COST = Budget(cost=5, per="day")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestPeriods:
    @pytest.mark.parametrize(
        ("per", "now", "since", "until"),
        [
            ("hour", "2026-12-31T23:59:59", "2026-12-31T23:00", "2027-01-01T00:00"),
            ("day", "2024-02-28T12:00:00", "2024-02-28T00:00", "2024-02-29T00:00"),
            ("week", "2026-11-29T23:59:59", "2026-11-23T00:00", "2026-11-30T00:00"),
            ("week", "2026-11-30T00:00:00", "2026-11-30T00:00", "2026-12-07T00:00"),
            ("month", "2026-01-31T10:00:00", "2026-01-01T00:00", "2026-02-01T00:00"),
            ("month", "2026-12-01T00:00:00", "2026-12-01T00:00", "2027-01-01T00:00"),
        ],
    )
    def test_they_are_those_of_the_calendar(self, per: str, now: str, since: str, until: str) -> None:
        budget = Budget.model_validate({"most": 1, "per": per})
        assert budget.period(at(now)) == (at(since), at(until))

    def test_they_are_in_UTC_wherever_the_moment_comes_from(self) -> None:
        tokyo = datetime(2026, 5, 2, 8, tzinfo=timezone(timedelta(hours=9)))
        assert SENT.period(tokyo) == (at("2026-05-01"), at("2026-05-02"))


class TestWhoseCalls:
    @pytest.mark.parametrize(
        ("tool", "requester", "counted"),
        [
            ("send_email", "billing-7", True),
            ("send_email", "BILLING-7", True),
            ("send_email", "sales-1", False),
            ("send_email", "", False),
            ("pay", "billing-7", False),
        ],
    )
    def test_a_budget_holds_for_requesters_and_tools_that_fit_its_patterns(
        self, tool: str, requester: str, counted: bool
    ) -> None:
        assert bool(charges_of_write([SENT], tool, requester, {})) is counted

    def test_without_patterns_it_holds_for_every_write_of_everybody(self) -> None:
        assert [each.amount for each in charges_of_write([Budget(most=1, per="day")], "x", "", {})] == [UNITS]

    def test_a_budget_of_cost_counts_no_write(self) -> None:
        assert charges_of_write([COST], "send_email", "billing-1", {}) == ()


class TestAmounts:
    @pytest.mark.parametrize(
        ("total", "units"), [(12, 12 * UNITS), (0, 0), (0.1, 100_000), ("12.50", 12_500_000), (0.00000001, 1)]
    )
    def test_it_is_a_number_also_one_written_as_text_rounded_up(self, total: JsonValue, units: int) -> None:
        assert PAID.charge_of({"total": total}).amount == units

    @pytest.mark.parametrize("total", [None, True, "a lot", "NaN", "Infinity", -5, "-5", 1e13, [3], {"a": 1}])
    def test_a_call_whose_amount_cannot_be_counted_is_refused(self, total: JsonValue) -> None:
        with pytest.raises(BudgetReached, match=r"counts total, which (is no number|must be from 0 to)"):
            PAID.charge_of({"total": total})

    def test_so_is_one_without_it(self) -> None:
        with pytest.raises(BudgetReached, match="counts total, which is no number"):
            PAID.charge_of({})

    def test_sums_are_exact(self) -> None:
        assert sum(in_units(0.1) for _ in range(10)) == in_units(1)


class TestTheFile:
    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ('[[budget]]\nper = "day"\n', "budget.0: a budget has one of most, amount and cost"),
            ('[[budget]]\nmost = 1\ncost = 1.0\nper = "day"\n', "one of most, amount and cost"),
            ('[[budget]]\ncost = 1.0\ntool = "x"\nper = "day"\n', "goes with no tool"),
            ('[[budget]]\ncost = 1.0\nthen = "ask"\nper = "day"\n', "nobody is asked"),
            ('[[budget]]\nmost = -1\nper = "day"\n', "greater than or equal to 0"),
            ('[[budget]]\nmost = 1\nper = "year"\n', "'hour', 'day', 'week' or 'month'"),
            ("[[budget]]\nmost = 1\n", "budget.0.per: it is missing"),
            (
                '[[budget]]\nmost = 1\nper = "day"\n[[budget]]\nmost = 2\nper = "day"\n',
                "budget: two budgets count the same",
            ),
            ('[budget]\nmost = 1\nper = "day"\n', "budget: it is a list of tables: write [[budget]]"),
            ('[[budgets]]\nmost = 1\nper = "day"\n', "budgets: there is no such key; did you mean budget?"),
            ('[[budget]]\ncost = nan\nper = "day"\n', "budget.0.cost: it is a number, and neither nan nor inf"),
            ('[[budget]]\namount = 3\nper = "day"\n', "budget.0.amount: it is a table"),
        ],
    )
    def test_a_budget_that_means_nothing_is_refused(self, tmp_path: Path, text: str, why: str) -> None:
        file = tmp_path / "policy.toml"
        file.write_text(text)
        with pytest.raises(ConfigurationError, match=r"ERRAND_POLICY: .*budget") as refused:
            Policy.load(file)
        assert why in str(refused.value)

    @pytest.mark.parametrize(
        ("model", "lacking"),
        [
            ({"model_max_tokens": 9}, "the price of the model tiny (ERRAND_MODEL_PRICES=tiny=INPUT/OUTPUT)"),
            ({"model_prices": "tiny=0/1"}, "the longest answer of the model tiny (ERRAND_MODEL_MAX_TOKENS)"),
            (
                {"model_prices": "other=0/1"},
                "the price of the model tiny (ERRAND_MODEL_PRICES=tiny=INPUT/OUTPUT), "
                "and the longest answer of the model tiny (ERRAND_MODEL_MAX_TOKENS)",
            ),
            (
                {"openai_model": None, "model_max_tokens": 9},
                "a model (OPENAI_MODEL) and its price (ERRAND_MODEL_PRICES)",
            ),
        ],
    )
    def test_one_of_cost_says_what_is_missing_to_count_it(self, model: dict[str, object], lacking: str) -> None:
        settings = ModelSettings.model_validate({"openai_model": "tiny", **model})
        with pytest.raises(ConfigurationError) as refused:
            Policy(budget=(COST,)).check_budgets({}, settings)
        assert str(refused.value) == f"ERRAND_POLICY: budget 1: cost needs {lacking}"

    def test_one_that_asks_and_a_higher_one_that_refuses_go_together(self) -> None:
        soft, hard = {"most": 1, "per": "day", "then": "ask"}, {"most": 2, "per": "day"}
        assert len(Policy.model_validate({"budget": [soft, hard]}).budget) == 2

    def test_a_limit_that_is_raised_keeps_its_count_and_any_other_change_begins_anew(self) -> None:
        assert SENT.id == SENT.model_copy(update={"most": 300}).id
        assert SENT.id != Budget(requester="Billing-*", tool="send_*", most=200, per="week").id

    def test_an_unknown_field_is_refused(self) -> None:
        with pytest.raises(ValidationError):
            Budget.model_validate({"most": 1, "per": "day", "mots": 2})

    @pytest.mark.parametrize(
        ("budget", "words"),
        [
            (SENT, "200 calls of send_* per day for Billing-*"),
            (PAID, "10000 in total of pay per month for all"),
            (COST, "a cost of 5 per day for all"),
        ],
    )
    def test_it_is_told_in_words(self, budget: Budget, words: str) -> None:
        assert str(budget) == words
