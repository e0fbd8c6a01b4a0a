"""Where a receipt says unknown, so does the ledger: a budget's share is kept, and an operator can settle it."""

import asyncio
from collections.abc import Awaitable, Sequence

import pytest
from pydantic import JsonValue
from temporalio.activity import ActivityCancellationDetails
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.budgets import Budget, in_units
from activities.errors import OutcomeUnknown, OutcomeUnknownRetryable, ServiceUnavailable
from activities.execution.act import Act
from activities.execution.tool_activities import write_activity
from activities.ledger.ledger import Ledger
from activities.ledger.ledger_activities import LedgerActivities
from activities.ledger.rows import Action, State, Write
from activities.toolkit.tool import tool
from tests.integration.ledger.conftest import Database
from tests.integration.ledger.test_acting import (
    AGAIN,
    CALL,
    OVERTAKEN,
    UNKNOWN,
    Paper,
    environment,
    fails,
    heard,
    made,
    pay,
    pay_with_key,
    raising,
    row,
    run,
    token_of,
)
from workflows.contract.api import ReceiptStatus
from workflows.contract.internal import FailureDetail, Settle, Settlement, ToolResult

pytestmark = pytest.mark.sampled(2)

TEN = Budget(tool="pay*", most=10, per="month")


@pytest.fixture
def paper() -> Paper:
    return Paper()


async def budgeted(
    ledger: Ledger, paper: Paper, function: object = pay, *, within: ActivityEnvironment | None = None
) -> ToolResult:
    """One attempt of a tool that has a budget."""
    activity = write_activity(made(function), {Paper: paper}, ledger, fence=_passing, budgets=[TEN])
    return await (within or environment()).run(activity, CALL)


async def _passing(*_: object) -> None:
    """Every attempt counts."""


async def taken(ledger: Ledger) -> float:
    [standing] = await ledger.spending.standings([TEN])
    return (standing.used + standing.reserved) / in_units(1)


async def not_taken_at_first(ledger: Ledger, paper: Paper, function: object = pay) -> None:
    paper.inside = raising(ServiceUnavailable("429"))
    await fails(budgeted(ledger, paper, function))
    paper.inside = _passing
    assert ((await row(ledger)).state, await taken(ledger)) == (State.NOT_DONE, 0)


async def settled(ledger: Ledger, **known: object) -> Settlement:
    question = Settle.model_validate({"call": CALL, **known})
    return await environment().run(LedgerActivities(ledger, {}).settle, question)


@tool(effect="write", idempotent=True)
async def pay_asking_first(word: str, *, paper: Paper, act: Act) -> str:
    """Pay at somebody who knows the key and has to be reached first."""
    await paper.before()
    async with act:
        await paper.inside()
    return f"paid for {word}"


class TestAnActThatTheLedgerHasForgotten:
    async def test_it_keeps_the_share_that_an_attempt_before_it_had_taken_and_can_be_settled(
        self, opened: Ledger, paper: Paper
    ) -> None:
        await not_taken_at_first(opened, paper)
        assert await fails(budgeted(opened, paper, within=heard("acting", "forgotten", 3))) == UNKNOWN
        found = await row(opened)
        assert (found.state, await taken(opened)) == (State.UNKNOWN, 1)
        assert found.error == "an attempt acted, and the ledger knows only of one before it"
        assert (await opened.resolve(CALL.key, delivered=False, by="ann")).state is State.NOT_DONE
        assert await taken(opened) == 0
        assert (await budgeted(opened, paper, within=heard("acting", "forgotten", 4))).value == "paid for tree"
        assert paper.acts == ["tree"]

    async def test_it_is_unknown_too_where_it_is_asked_again_and_not_even_that_can_be_done(
        self, opened: Ledger, paper: Paper
    ) -> None:
        await not_taken_at_first(opened, paper, pay_asking_first)
        paper.before = raising(ServiceUnavailable("no connection"))
        within = heard("acting", token_of(pay_asking_first), 3)
        assert await fails(budgeted(opened, paper, pay_asking_first, within=within)) == OVERTAKEN
        assert ((await row(opened)).state, await taken(opened)) == (State.UNKNOWN, 1)

    async def test_an_attempt_that_saw_that_nothing_had_happened_cannot_begin_any_more(
        self, opened: Ledger, paper: Paper
    ) -> None:
        await not_taken_at_first(opened, paper)
        seen = await row(opened)
        await fails(budgeted(opened, paper, within=heard("acting", "forgotten", 3)))
        with pytest.raises(OutcomeUnknown):
            await opened.begin(Write(CALL), attempt=2, seen=seen)

    @pytest.mark.parametrize(
        ("tokens", "status"),
        [(["forgotten"], ReceiptStatus.UNKNOWN), ([], ReceiptStatus.UNKNOWN), (["own"], ReceiptStatus.FAILED)],
    )
    async def test_it_is_settled_as_unknown_unless_the_row_is_of_the_attempt_that_acted(
        self, opened: Ledger, paper: Paper, tokens: Sequence[str], status: ReceiptStatus
    ) -> None:
        await not_taken_at_first(opened, paper)
        own = (await row(opened)).token
        known = [own if each == "own" else each for each in tokens]
        assert (await settled(opened, acting=True, tokens=known)).status is status
        unknown = status is ReceiptStatus.UNKNOWN
        assert (await row(opened)).state is (State.UNKNOWN if unknown else State.NOT_DONE)
        assert await taken(opened) == unknown
        again = await settled(opened, acting=True, tokens=known)
        assert again.status is status, "Temporal asks again where the first answer was lost"
        assert await taken(opened) == unknown

    @pytest.mark.usefixtures("impatient")
    async def test_a_failure_to_ask_the_ledger_says_which_attempts_acted(
        self, database: Database, paper: Paper
    ) -> None:
        ledger = await database.open()
        await ledger.begin(Write(CALL), attempt=1, seen=None, token="first")
        async with database.gone():
            detail = await detail_of(run(ledger, paper, within=heard("acting", "first")))
        assert (detail.certain, detail.acting, detail.tokens) == (False, True, ("first",))


class TestCompletedByHand:
    """With what is no result of the tool: an operator may have done it, and has not said so."""

    async def test_what_had_not_begun_is_unknown_and_cannot_begin_any_more(self, opened: Ledger) -> None:
        assert (await settled(opened, by_hand=True)).status is ReceiptStatus.UNKNOWN
        assert (await row(opened)).state is State.UNKNOWN
        with pytest.raises(OutcomeUnknown):
            await opened.begin(Write(CALL), attempt=1, seen=None)

    async def test_what_had_failed_is_unknown_and_keeps_its_share(self, opened: Ledger, paper: Paper) -> None:
        await not_taken_at_first(opened, paper)
        assert (await settled(opened, by_hand=True)).status is ReceiptStatus.UNKNOWN
        assert ((await row(opened)).state, await taken(opened)) == (State.UNKNOWN, 1)

    async def test_what_is_done_or_was_settled_by_a_person_stays(self, opened: Ledger, paper: Paper) -> None:
        await opened.begin(Write(CALL), attempt=1, seen=None)
        await opened.resolve(CALL.key, delivered=False, by="ann", even_if_under_way=True)
        assert (await settled(opened, by_hand=True)).status is ReceiptStatus.FAILED
        await budgeted(opened, paper)
        assert (await settled(opened, by_hand=True)).status is ReceiptStatus.DONE


class TestBeforeTheAct:
    async def test_an_attempt_that_ended_between_its_row_and_its_act_leaves_nothing_open(
        self, opened: Ledger, paper: Paper
    ) -> None:
        """Its worker died there, and the attempt after it cannot reach the far end."""
        paper.inside = raising(SystemExit())
        token = await opened.begin(Write(CALL, charges=(TEN.charge_of({}),)), attempt=1, seen=None)
        paper.before = raising(ServiceUnavailable("no connection"))
        assert await fails(budgeted(opened, paper, within=heard("preparing", token))) == AGAIN
        found = await row(opened)
        assert (found.state, found.error) == (State.NOT_DONE, "the attempt that began it ended before it acted")
        assert await taken(opened) == 0

    async def test_a_tool_that_takes_back_that_its_act_came_to_nothing_is_believed(
        self, opened: Ledger, paper: Paper
    ) -> None:
        @tool(effect="write")
        async def pay_and_doubt(word: str, *, paper: Paper, act: Act) -> None:
            """Pay, and find that it may have gone out."""
            try:
                async with act:
                    raise ServiceUnavailable("429")
            except ServiceUnavailable as error:
                raise OutcomeUnknown("it may have gone out") from error

        assert await fails(budgeted(opened, paper, pay_and_doubt)) == UNKNOWN
        assert ((await row(opened)).state, await taken(opened)) == (State.UNKNOWN, 1)

    async def test_where_a_tool_says_that_it_may_have_happened_all_the_same_it_is_not_run_again(
        self, opened: Ledger, paper: Paper
    ) -> None:
        paper.before = raising(OutcomeUnknown("it was sent too early"))
        assert await fails(budgeted(opened, paper)) == UNKNOWN
        paper.before = _passing
        assert await fails(budgeted(opened, paper)) == UNKNOWN
        assert (paper.acts, (await row(opened)).state) == ([], State.UNKNOWN)


class TestOvertaken:
    async def test_an_attempt_that_another_has_overtaken_leaves_it_to_the_ledger_to_say_what_it_came_to(
        self, opened: Ledger, paper: Paper
    ) -> None:
        """That one did nothing, and none is left to try again: it failed, and is not unknown."""

        async def another() -> None:
            token = await opened.begin(Write(CALL), attempt=1, seen=None)
            await opened.finish(CALL.key, token, State.NOT_DONE, error="429")

        paper.before = another
        detail = await detail_of(run(opened, paper, attempt=2))
        assert (detail.status, detail.certain) == (ReceiptStatus.UNKNOWN, False)
        assert (await settled(opened)).status is ReceiptStatus.FAILED

    async def test_one_that_ends_in_nothing_just_as_it_is_given_up_is_tried_again(
        self, database: Database, paper: Paper
    ) -> None:
        """Its worker was too slow to say that it lived, and so taken for dead."""

        class Late(Ledger):
            async def give_up(self, write: Write, *, acted: Sequence[str] | None = None, doubt: str = "") -> Action:
                await self.finish(CALL.key, "first", State.NOT_DONE, error="429")
                return await super().give_up(write, acted=acted, doubt=doubt)

        ledger = await Late.open(database.url)
        await ledger.begin(Write(CALL), attempt=1, seen=None, token="first")
        result = await budgeted(ledger, paper, within=heard("acting", "first"))
        assert (result.value, paper.acts, await taken(ledger)) == ("paid for tree", ["tree"], 1)
        await ledger.aclose()

    async def test_one_whose_far_end_has_lost_the_answer_knows_that_nobody_knows(
        self, opened: Ledger, paper: Paper
    ) -> None:
        paper.inside = raising(OutcomeUnknown("the answer was lost"))
        assert (await detail_of(run(opened, paper))).certain
        assert (await detail_of(run(opened, paper, pay_with_key, attempt=2))).certain


async def test_a_worker_that_stops_while_it_writes_down_that_nothing_happened_does_not_say_that_it_may_have(
    database: Database, paper: Paper
) -> None:
    writing = asyncio.Event()

    class Slow(Ledger):
        async def finish(
            self, key: str, token: str, state: State, *, result: JsonValue = None, error: str | None = None
        ) -> bool:
            writing.set()
            await asyncio.sleep(0.2)
            return await super().finish(key, token, state, result=result, error=error)

    ledger, within = await Slow.open(database.url), environment()
    paper.inside = raising(ServiceUnavailable("429"))
    attempt = asyncio.ensure_future(budgeted(ledger, paper, within=within))
    await writing.wait()
    within.cancel(ActivityCancellationDetails(worker_shutdown=True))
    assert await fails(attempt) == AGAIN
    await asyncio.sleep(0.3)
    assert ((await row(ledger)).state, await taken(ledger)) == (State.NOT_DONE, 0)
    await ledger.aclose()


async def detail_of(attempt: Awaitable[object]) -> FailureDetail:
    with pytest.raises(ApplicationError) as raised:
        await attempt
    [detail] = raised.value.details
    assert isinstance(detail, FailureDetail)
    return detail


@tool(effect="write", idempotent=True)
async def pay_and_look(word: str, *, paper: Paper, act: Act) -> str:
    """Pay, and look afterwards what it came to."""
    async with act:
        await paper.inside()
    await paper.before()
    return f"paid for {word}"


async def test_a_tool_that_cannot_find_out_after_its_act_leaves_a_row_that_can_be_settled(
    opened: Ledger, paper: Paper
) -> None:
    paper.before = raising(OutcomeUnknownRetryable("the far end does not say"))
    assert await fails(budgeted(opened, paper, pay_and_look)) == OVERTAKEN
    assert ((await row(opened)).state, await taken(opened)) == (State.UNKNOWN, 1)
