"""A write happens once, however often it is tried, and its receipt says what became of it."""

import asyncio
import dataclasses
import functools
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import pytest
from pydantic import JsonValue
from pydantic_core import to_json
from temporalio.activity import ActivityCancellationDetails
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.error_text import LONGEST_MESSAGE
from activities.errors import OutcomeUnknown, RehearsalOnly, ServiceRefused, ServiceUnavailable, ToolError, Withdrawn
from activities.execution import act as acting
from activities.execution.act import Act, Fence
from activities.execution.cancellation import to_the_end
from activities.execution.tool_activities import read_activity, write_activity
from activities.execution.writes import write_of
from activities.heartbeats import Heartbeats, remember, remembered
from activities.ledger import late_ends
from activities.ledger.ledger import Ledger
from activities.ledger.ledger_activities import LedgerActivities
from activities.ledger.rows import Action, State, Write
from activities.ledger.tokens import new_token
from activities.toolkit.tool import Tool, tool, tool_of
from tests.integration.ledger.conftest import Database
from workflows.contract.api import ReceiptStatus
from workflows.contract.internal import AttemptBeat, FailureDetail, Settle, Settlement, ToolCall, ToolResult

pytestmark = pytest.mark.sampled(2)

T = TypeVar("T")
CALL = ToolCall(key="r/1.1", tool="pay", arguments={"word": "tree"}, chain="5eed")
DONE = ToolResult(value="paid for tree")


class Paper:
    """What was done, and what the tool does before, in and after its act."""

    def __init__(self) -> None:
        self.acts: list[str] = []
        self.keys: list[str] = []
        self.before: Callable[[], Awaitable[object]] = nothing
        self.inside: Callable[[], Awaitable[object]] = nothing
        self.result: object = None


async def nothing(*_: object) -> None:
    """Let everything pass."""


def raising(error: BaseException) -> Callable[..., Awaitable[None]]:
    async def fail(*_: object) -> None:
        raise error

    return fail


@tool(effect="write")
async def pay(word: str, *, paper: Paper, act: Act) -> object:
    """Pay, with a point of no return."""
    await paper.before()
    async with act:
        await paper.inside()
        paper.acts.append(word)
    return paper.result or f"paid for {word}"


@tool(effect="write")
async def pay_at_once(word: str, *, paper: Paper) -> object:
    """Pay; all of it is the act."""
    await paper.inside()
    paper.acts.append(word)
    return paper.result or f"paid for {word}"


@tool(effect="write", idempotent=True)
async def pay_with_key(word: str, *, paper: Paper, call: ToolCall) -> str:
    """Pay at somebody who knows the key."""
    paper.keys.append(call.key)
    await paper.inside()
    paper.acts.append(word)
    return f"paid for {word}"


@tool(effect="write", idempotent=True, far_end="elsewhere")
async def pay_elsewhere_with_key(word: str, *, paper: Paper) -> str:
    """Pay at somebody else who knows the key."""
    paper.acts.append(word)
    return f"paid for {word} elsewhere"


def made(function: object) -> Tool:
    found = tool_of(function)
    assert found is not None
    return found


def token_of(function: object) -> str:
    """Of an attempt of this tool."""
    return new_token(made(function).repeated_as)


@pytest.fixture
def paper() -> Paper:
    return Paper()


EITHER = pytest.mark.parametrize("function", [pay, pay_at_once], ids=["pay", "pay_at_once"])


def environment(attempt: int = 1) -> ActivityEnvironment:
    new = ActivityEnvironment()
    new.info = dataclasses.replace(new.info, attempt=attempt)
    return new


async def run(
    ledger: Ledger,
    paper: Paper,
    function: object = pay,
    *,
    call: ToolCall = CALL,
    attempt: int = 1,
    fence: Fence = nothing,
    within: ActivityEnvironment | None = None,
) -> ToolResult:
    """One attempt."""
    activity: Any = write_activity(made(function), {Paper: paper}, ledger, fence=fence)
    return await (within or environment(attempt)).run(activity, call)


async def fails(attempt: Awaitable[object]) -> tuple[str | None, bool, ReceiptStatus]:
    """The type of an attempt's error, whether it is tried again, and what the receipt says if it is not."""
    with pytest.raises(ApplicationError) as raised:
        await attempt
    (detail,) = raised.value.details
    assert isinstance(detail, FailureDetail)
    return raised.value.type, not raised.value.non_retryable, detail.status


MEGABYTES = "x" * 3_000_000


class Unspeakable:
    def __str__(self) -> str:
        raise OSError("no words")


def nested(levels: int) -> object:
    """A text in so many lists."""
    return functools.reduce(lambda value, _: [value], range(levels), cast(object, "x"))


UNKNOWN = ("OutcomeUnknown", False, ReceiptStatus.UNKNOWN)
OVERTAKEN = ("OutcomeUnknownRetryable", True, ReceiptStatus.UNKNOWN)
AGAIN = ("ServiceUnavailable", True, ReceiptStatus.FAILED)


async def row(ledger: Ledger, key: str = CALL.key) -> Action:
    found = await ledger.find(key)
    assert found is not None
    return found


class TestRehearsal:
    @EITHER
    async def test_a_call_of_a_rehearsal_is_refused_before_the_tool_begins(
        self, opened: Ledger, paper: Paper, function: object
    ) -> None:
        refused = ("RehearsalOnly", False, ReceiptStatus.REFUSED)
        paper.before = paper.inside = raising(AssertionError("it has begun"))
        call = CALL.model_copy(update={"rehearsed": True})
        assert await fails(run(opened, paper, function, call=call)) == refused
        assert (paper.acts, await opened.find(CALL.key)) == ([], None)

    async def test_the_ledger_begins_no_row_for_it_whoever_asks(self, opened: Ledger) -> None:
        with pytest.raises(RehearsalOnly, match="a rehearsal never writes"):
            await opened.begin(Write(CALL.model_copy(update={"rehearsed": True})), attempt=1, seen=None)
        assert await opened.find(CALL.key) is None


class TestOnce:
    @EITHER
    async def test_the_first_attempt_acts_and_the_ledger_knows_the_result(
        self, opened: Ledger, paper: Paper, function: object
    ) -> None:
        assert await run(opened, paper, function) == DONE
        found = await row(opened)
        assert (found.state, found.result) == (State.DONE, "paid for tree")
        assert paper.acts == ["tree"]

    @EITHER
    async def test_a_later_attempt_of_any_worker_returns_the_result_and_does_not_act(
        self, database: Database, paper: Paper, function: object
    ) -> None:
        """A retry whose first answer was lost, a request that was reset, another worker."""
        await run(await database.open(), paper, function)
        again = await run(await database.open(), paper, function, attempt=2)
        assert again == ToolResult(value="paid for tree", attempts=2)
        assert paper.acts == ["tree"]

    @EITHER
    async def test_of_many_attempts_at_once_on_two_workers_one_acts(
        self, database: Database, paper: Paper, function: object
    ) -> None:
        ledgers = [await database.open(), await database.open()]
        ended = await asyncio.gather(
            *(run(ledgers[n % 2], paper, function, attempt=n) for n in range(16)), return_exceptions=True
        )
        assert paper.acts == ["tree"]
        errors = [each for each in ended if isinstance(each, BaseException)]
        assert all(
            isinstance(each, ApplicationError) and each.type in ("OutcomeUnknown", "OutcomeUnknownRetryable")
            for each in errors
        )
        assert (await row(ledgers[0])).state is State.DONE

    @EITHER
    async def test_an_attempt_that_finds_one_begun_does_not_act_and_leaves_it_unknown(
        self, opened: Ledger, paper: Paper, function: object
    ) -> None:
        await opened.begin(Write(CALL), attempt=1, seen=None)
        assert await fails(run(opened, paper, function, attempt=2)) == UNKNOWN
        assert (await row(opened)).state is State.UNKNOWN
        assert await fails(run(opened, paper, function, attempt=3)) == UNKNOWN
        assert paper.acts == []

    async def test_a_key_is_good_for_one_action_only(self, opened: Ledger, paper: Paper) -> None:
        await run(opened, paper)
        other = CALL.model_copy(update={"arguments": {"word": "house"}})
        assert await fails(run(opened, paper, call=other)) == ("KeyTaken", False, ReceiptStatus.REFUSED)
        assert paper.acts == ["tree"]
        assert (await row(opened)).result == "paid for tree"

    async def test_what_certainly_did_not_happen_is_done_by_a_later_attempt(self, opened: Ledger, paper: Paper) -> None:
        paper.inside = raising(ServiceUnavailable("closed"))
        assert await fails(run(opened, paper)) == AGAIN
        assert ((await row(opened)).state, (await row(opened)).error) == (State.NOT_DONE, "closed")
        paper.inside = nothing
        assert await run(opened, paper, attempt=2) == ToolResult(value="paid for tree", attempts=2)
        assert paper.acts == ["tree"]
        assert ((await row(opened)).state, (await row(opened)).attempt) == (State.DONE, 2)

    async def test_what_a_person_said_was_delivered_is_not_done_again(self, opened: Ledger, paper: Paper) -> None:
        await opened.begin(Write(CALL), attempt=1, seen=None)
        await opened.resolve(CALL.key, delivered=True, by="ann", even_if_under_way=True)
        assert await run(opened, paper, attempt=2) == ToolResult(value=None, attempts=2)
        assert paper.acts == []

    async def test_an_idempotent_tool_is_run_again_with_the_same_key_where_its_end_is_not_known(
        self, opened: Ledger, paper: Paper
    ) -> None:
        await opened.begin(Write(CALL), attempt=1, seen=None, token=token_of(pay_with_key))
        found_out = ToolResult(value="paid for tree", attempts=2, settled="asked again")
        assert await run(opened, paper, pay_with_key, attempt=2) == found_out
        assert await run(opened, paper, pay_with_key, attempt=3) == ToolResult(value="paid for tree", attempts=3)
        assert paper.keys == [CALL.key]
        assert (await row(opened)).state is State.DONE


class TestZombies:
    async def test_an_attempt_that_saw_no_row_cannot_act_after_it_was_given_up(
        self, opened: Ledger, paper: Paper
    ) -> None:
        async def given_up_meanwhile() -> None:
            await environment().run(LedgerActivities(opened, {}).settle, Settle(call=CALL))

        paper.before = given_up_meanwhile
        assert await fails(run(opened, paper)) == OVERTAKEN
        assert paper.acts == []
        assert (await row(opened)).state is State.NOT_DONE

    async def test_an_attempt_that_saw_no_row_cannot_act_after_another_has(self, opened: Ledger, paper: Paper) -> None:
        other = Paper()

        async def done_by_another() -> None:
            await run(opened, other, attempt=2)

        paper.before = done_by_another
        assert await fails(run(opened, paper)) == OVERTAKEN
        assert (paper.acts, other.acts) == ([], ["tree"])
        assert (await row(opened)).state is State.DONE

    async def test_an_attempt_that_the_server_gave_up_does_not_act(self, opened: Ledger, paper: Paper) -> None:
        assert await fails(run(opened, paper, fence=raising(ServiceUnavailable("given up")))) == AGAIN
        assert paper.acts == []
        assert await opened.find(CALL.key) is None

    async def test_an_attempt_that_was_frozen_before_it_could_act_does_not(
        self, opened: Ledger, paper: Paper, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(acting, "STALE", 0.1)

        async def frozen(_: AttemptBeat) -> None:
            time.sleep(0.2)  # noqa: ASYNC251  # as SIGSTOP does, it stops everything

        assert await fails(run(opened, paper, fence=frozen)) == AGAIN
        assert paper.acts == []
        assert (await row(opened)).state is State.NOT_DONE
        assert await run(opened, paper, attempt=2) == ToolResult(value="paid for tree", attempts=2)

    async def test_an_end_that_comes_late_tells_the_truth(self, opened: Ledger, paper: Paper) -> None:
        async def taken_for_lost() -> None:
            await opened.give_up(Write(CALL))

        paper.inside = taken_for_lost
        assert await run(opened, paper) == DONE
        assert (await row(opened)).state is State.DONE


class TestFailing:
    @pytest.mark.parametrize("error", [ServiceRefused("no\x00 \ud800"), ServiceUnavailable(""), ToolError("no")])
    @EITHER
    async def test_an_error_of_the_tree_in_the_act_says_that_nothing_happened(
        self, opened: Ledger, paper: Paper, error: ToolError, function: object
    ) -> None:
        paper.inside = raising(error)
        kind, again, status = await fails(run(opened, paper, function))
        assert (kind, again, status) == (type(error).__name__, error.retryable, ReceiptStatus.FAILED)
        found = await row(opened)
        assert found.state is State.NOT_DONE
        assert found.error
        assert found.finished_at is not None

    @pytest.mark.parametrize(
        "error",
        [
            OutcomeUnknown("no answer"),
            ValueError("a mistake"),
            TimeoutError(),
            SystemExit(3),
            asyncio.CancelledError(),
            ValueError("Ann \ud83d\0\x1b"),
            ValueError(MEGABYTES),
            OutcomeUnknown(MEGABYTES),
        ],
        ids=lambda error: type(error).__name__,
    )
    @EITHER
    async def test_any_other_error_in_the_act_leaves_it_unknown(
        self, opened: Ledger, paper: Paper, error: BaseException, function: object
    ) -> None:
        paper.inside = raising(error)
        assert await fails(run(opened, paper, function)) == UNKNOWN
        found = await row(opened)
        assert found.state is State.UNKNOWN
        assert 0 < len(str(found.error)) <= LONGEST_MESSAGE

    @pytest.mark.parametrize(
        "error",
        [
            ValueError("a mistake"),
            ServiceUnavailable("a mistake"),
            OutcomeUnknown("a mistake"),
        ],
        ids=repr,
    )
    async def test_an_error_after_the_act_leaves_it_unknown(
        self, opened: Ledger, paper: Paper, error: BaseException
    ) -> None:
        @tool(effect="write")
        async def pay_and_fail(word: str, *, paper: Paper, act: Act) -> None:
            """Pay, and make a mistake."""
            async with act:
                paper.acts.append(word)
            raise error

        assert await fails(run(opened, paper, pay_and_fail)) == UNKNOWN
        found = await row(opened)
        assert (found.state, str(found.error).rpartition(": ")[2]) == (State.UNKNOWN, "a mistake")
        assert await fails(run(opened, paper, pay_and_fail, attempt=2)) == UNKNOWN
        assert paper.acts == ["tree"]

    async def test_a_write_has_one_act_and_a_second_is_told_for_a_mistake_in_the_tool(
        self, opened: Ledger, paper: Paper
    ) -> None:
        @tool(effect="write")
        async def pay_twice(word: str, *, paper: Paper, act: Act) -> None:
            """Pay, and pay."""
            for _ in range(2):
                async with act:
                    await paper.inside()
                    paper.acts.append(word)

        with pytest.raises(ApplicationError, match="a mistake in the tool: it begins its act twice") as raised:
            await run(opened, paper, pay_twice)
        assert (raised.value.type, raised.value.details[0].status) == ("OutcomeUnknown", ReceiptStatus.UNKNOWN)
        assert paper.acts == ["tree"]
        found = await row(opened)
        assert (found.state, found.error) == (State.UNKNOWN, acting.TWICE)

    async def test_a_second_act_within_the_first_leaves_it_unknown(self, opened: Ledger, paper: Paper) -> None:
        @tool(effect="write")
        async def pay_within(word: str, *, paper: Paper, act: Act) -> None:
            """Pay within paying."""
            async with act:
                paper.acts.append(word)
                async with act:
                    paper.acts.append(word)

        assert await fails(run(opened, paper, pay_within)) == UNKNOWN
        assert paper.acts == ["tree"]
        assert (await row(opened)).state is State.UNKNOWN

    async def test_a_second_act_after_one_that_came_to_nothing_failed(self, opened: Ledger, paper: Paper) -> None:
        @tool(effect="write")
        async def pay_again(word: str, *, paper: Paper, act: Act) -> None:
            """Pay, by another try of its own."""
            for _ in range(2):
                try:
                    async with act:
                        raise ServiceRefused("closed")
                except ServiceRefused:
                    continue
            paper.acts.append(word)

        assert await fails(run(opened, paper, pay_again)) == ("ToolCrashed", False, ReceiptStatus.FAILED)
        assert (await row(opened)).state is State.NOT_DONE
        assert paper.acts == []

    async def test_a_mistake_before_the_act_failed_and_leaves_no_row(self, opened: Ledger, paper: Paper) -> None:
        paper.before = raising(ValueError("a mistake"))
        assert await fails(run(opened, paper)) == ("ToolCrashed", False, ReceiptStatus.FAILED)
        assert await opened.find(CALL.key) is None

    async def test_an_error_of_the_tree_before_the_act_leaves_no_row(self, opened: Ledger, paper: Paper) -> None:
        paper.before = raising(ServiceUnavailable("closed"))
        assert await fails(run(opened, paper)) == AGAIN
        assert await opened.find(CALL.key) is None

    async def test_arguments_that_do_not_fit_leave_no_row(self, opened: Ledger, paper: Paper) -> None:
        wrong = CALL.model_copy(update={"arguments": {"word": 3}})
        assert await fails(run(opened, paper, call=wrong)) == ("InvalidArguments", False, ReceiptStatus.FAILED)
        assert await opened.find(CALL.key) is None

    @pytest.mark.parametrize(
        "result",
        [
            object(),
            Unspeakable(),
            float("nan"),
            {"when": Path("x"), "how": {1, 2}},
            {"n": 10**5000, 10**5000: "n"},
            {"\ud800": "\ud83d \0"},
            "\0" * 3_000_000,
            [b"\xff"],
            *map(nested, (64, 65, 199, 200, 256, 5000)),
        ],
    )
    async def test_what_has_happened_does_not_fail_over_what_it_returned(
        self, opened: Ledger, paper: Paper, result: object
    ) -> None:
        paper.result = result
        returned = await run(opened, paper)
        found = await row(opened)
        assert (found.state, found.result) == (State.DONE, returned.value)
        assert ToolResult.model_validate_json(to_json(returned)) == returned


async def done_while_it_is_gone(database: Database, paper: Paper) -> Ledger:
    """A ledger that goes during the act, and is back once that is over."""
    ledger = await database.open()
    gone = database.gone()
    paper.inside = gone.__aenter__
    try:
        assert await run(ledger, paper) == DONE
    finally:
        await gone.__aexit__(None, None, None)
    return ledger


@pytest.mark.usefixtures("impatient")
class TestLedgerGone:
    @EITHER
    async def test_nothing_is_done_without_it(self, database: Database, paper: Paper, function: object) -> None:
        ledger = await database.open()
        async with database.gone():
            assert await fails(run(ledger, paper, function)) == AGAIN
        assert paper.acts == []
        assert await run(ledger, paper, function) == DONE

    async def test_nothing_is_done_where_it_goes_before_the_act(self, database: Database, paper: Paper) -> None:
        ledger = await database.open()
        gone = database.gone()
        paper.before = gone.__aenter__
        try:
            assert await fails(run(ledger, paper)) == AGAIN
        finally:
            await gone.__aexit__(None, None, None)
        assert paper.acts == []
        assert await ledger.find(CALL.key) is None

    async def test_what_was_done_is_on_the_receipt_where_it_goes_during_the_act(
        self, database: Database, paper: Paper
    ) -> None:
        ledger = await done_while_it_is_gone(database, paper)
        assert (await row(ledger)).state is State.BEGUN
        assert await fails(run(ledger, paper, attempt=2)) == UNKNOWN
        assert paper.acts == ["tree"]

    async def test_a_ledger_that_is_back_is_told_what_was_done_while_it_was_gone(
        self, database: Database, paper: Paper, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(late_ends, "PAUSES", (0.1,))
        ledger = await done_while_it_is_gone(database, paper)
        async with asyncio.timeout(20):
            while (await row(ledger)).state is State.BEGUN:
                await asyncio.sleep(0.05)
        assert (await row(ledger)).state is State.DONE
        assert await run(ledger, paper, attempt=2) == ToolResult(value="paid for tree", attempts=2)
        assert paper.acts == ["tree"]


ATTEMPT_OVER = pytest.mark.parametrize(
    "details", [{"not_found": True}, {"timed_out": True}, {"paused": True}, {"reset": True}], ids=str
)


class TestStopping:
    async def test_a_request_that_was_cancelled_before_the_act_does_not_act(self, opened: Ledger, paper: Paper) -> None:
        assert await fails(run(opened, paper, fence=raising(Withdrawn("cancelled")))) == (
            "Withdrawn",
            False,
            ReceiptStatus.CANCELLED,
        )
        assert paper.acts == []
        assert await opened.find(CALL.key) is None

    async def test_a_cancellation_that_comes_before_the_act_keeps_it_from_beginning(
        self, opened: Ledger, paper: Paper
    ) -> None:
        within, reached, go = environment(), asyncio.Event(), asyncio.Event()

        async def wait() -> None:
            reached.set()
            await go.wait()

        paper.before = wait
        attempt = asyncio.ensure_future(run(opened, paper, within=within))
        await reached.wait()
        within.cancel(ActivityCancellationDetails(cancel_requested=True))
        await asyncio.sleep(0.05)
        go.set()
        assert await fails(attempt) == ("Withdrawn", False, ReceiptStatus.CANCELLED)
        assert paper.acts == []
        assert await opened.find(CALL.key) is None

    async def test_a_cancellation_in_the_act_waits_for_its_result(self, opened: Ledger, paper: Paper) -> None:
        within, reached, go = environment(), asyncio.Event(), asyncio.Event()

        async def wait() -> None:
            reached.set()
            await go.wait()

        paper.inside = wait
        attempt = asyncio.ensure_future(run(opened, paper, within=within))
        await reached.wait()
        within.cancel(ActivityCancellationDetails(cancel_requested=True))
        await asyncio.sleep(0.05)
        go.set()
        assert await attempt == DONE
        assert (await row(opened)).state is State.DONE

    async def test_a_worker_that_stops_in_the_act_leaves_it_unknown(self, opened: Ledger, paper: Paper) -> None:
        assert await fails(self._stopped(opened, paper, "inside", forever, {"worker_shutdown": True})) == UNKNOWN
        assert (await row(opened)).state is State.UNKNOWN

    @ATTEMPT_OVER
    async def test_an_act_is_awaited_and_its_end_stored_although_its_attempt_does_not_count_any_more(
        self, opened: Ledger, paper: Paper, details: dict[str, bool]
    ) -> None:
        async def slow() -> None:
            await asyncio.sleep(0.3)

        assert await self._stopped(opened, paper, "inside", slow, details) == DONE
        assert (await row(opened)).state is State.DONE

    @ATTEMPT_OVER
    async def test_an_attempt_that_does_not_count_any_more_before_the_act_ends_without_it(
        self, opened: Ledger, paper: Paper, details: dict[str, bool]
    ) -> None:
        assert await fails(self._stopped(opened, paper, "before", forever, details)) == AGAIN
        assert paper.acts == []
        assert await opened.find(CALL.key) is None

    async def test_a_worker_that_stops_before_the_act_leaves_it_to_another(self, opened: Ledger, paper: Paper) -> None:
        assert await fails(self._stopped(opened, paper, "before", forever, {"worker_shutdown": True})) == AGAIN
        assert await opened.find(CALL.key) is None

    async def test_an_act_that_does_not_let_itself_be_cut_short_has_its_result_although_the_worker_stops(
        self, opened: Ledger, paper: Paper
    ) -> None:
        async def verdict() -> None:
            await to_the_end(asyncio.sleep(0.2))

        assert await self._stopped(opened, paper, "inside", verdict, {"worker_shutdown": True}) == DONE
        assert (await row(opened)).state is State.DONE

    async def _stopped(
        self,
        ledger: Ledger,
        paper: Paper,
        where: str,
        what: Callable[[], Awaitable[object]],
        details: dict[str, bool],
    ) -> ToolResult:
        """An attempt whose worker stops while it does `what`, before or inside the act."""
        within, reached = environment(), asyncio.Event()

        async def reach() -> None:
            reached.set()
            await what()

        setattr(paper, where, reach)
        attempt = asyncio.ensure_future(run(ledger, paper, within=within))
        await reached.wait()
        within.cancel(ActivityCancellationDetails(**details))
        return await attempt

    async def test_what_is_done_is_written_down_although_the_request_is_cancelled_meanwhile(
        self, database: Database, paper: Paper
    ) -> None:
        finishing = asyncio.Event()

        class Slow(Ledger):
            async def finish(
                self, key: str, token: str, state: State, *, result: JsonValue = None, error: str | None = None
            ) -> bool:
                finishing.set()
                await asyncio.sleep(0.1)
                return await super().finish(key, token, state, result=result, error=error)

        within = environment()
        async with aclosing(await Slow.open(database.url)) as ledger:
            attempt = asyncio.ensure_future(run(ledger, paper, within=within))
            await finishing.wait()
            within.cancel(ActivityCancellationDetails(cancel_requested=True))
            assert await attempt == DONE
            assert (await row(ledger)).state is State.DONE


async def forever() -> None:
    await asyncio.sleep(3600)


async def settle(ledger: Ledger, call: ToolCall = CALL) -> Settlement:
    return await environment().run(LedgerActivities(ledger, {}).settle, Settle(call=call))


class TestSettling:
    async def test_what_had_not_begun_did_not_happen_and_cannot_any_more(self, opened: Ledger) -> None:
        assert (await settle(opened)).status is ReceiptStatus.FAILED
        with pytest.raises(OutcomeUnknown):
            await opened.begin(Write(CALL), attempt=1, seen=None)

    async def test_what_had_begun_is_unknown(self, opened: Ledger) -> None:
        await opened.begin(Write(CALL), attempt=1, seen=None)
        for _ in range(2):
            settled = await settle(opened)
            assert (settled.status, settled.error) == (
                ReceiptStatus.UNKNOWN,
                "it was begun, and never reported on",
            )

    async def test_what_was_done_is_done_with_its_result(self, opened: Ledger, paper: Paper) -> None:
        await run(opened, paper)
        assert await settle(opened) == Settlement(status=ReceiptStatus.DONE, result="paid for tree", attempts=1)

    async def test_what_failed_failed_with_its_error(self, opened: Ledger, paper: Paper) -> None:
        paper.inside = raising(ServiceRefused("no"))
        await fails(run(opened, paper))
        assert await settle(opened) == Settlement(status=ReceiptStatus.FAILED, error="no", attempts=1)

    async def test_another_action_under_the_key_is_not_taken_for_this_one(self, opened: Ledger, paper: Paper) -> None:
        await run(opened, paper)
        settled = await settle(opened, CALL.model_copy(update={"arguments": {"word": "house"}}))
        assert (settled.status, settled.result) == (ReceiptStatus.REFUSED, None)


def heard(stage: Literal["started", "preparing", "acting"], token: str, attempt: int = 2) -> ActivityEnvironment:
    """A later attempt, which Temporal has told how far the one before it got."""
    within = environment(attempt)
    beat = AttemptBeat(stage=stage, token=token, attempt=attempt - 1).model_dump(mode="json")
    within.info = dataclasses.replace(within.info, heartbeat_details=[beat])
    return within


async def in_an_activity(work: Callable[[], Awaitable[T]]) -> T:
    """What is done where heartbeats remember."""

    class Runs(ActivityInboundInterceptor):
        def __init__(self) -> None:
            """Nothing is behind it."""

        async def execute_activity(self, input: ExecuteActivityInput) -> object:
            return await work()

    beating = Heartbeats().intercept_activity(Runs())
    done = await environment().run(beating.execute_activity, ExecuteActivityInput(nothing, (), None, {}))
    return cast("T", done)


class TestTwoWitnesses:
    """Temporal and the ledger both know how far an attempt got, so one of them may forget."""

    @EITHER
    async def test_temporal_hears_of_the_act_before_and_after_the_ledger(
        self, opened: Ledger, paper: Paper, function: object
    ) -> None:
        said: list[tuple[str, bool, bool]] = []

        async def listen(beat: AttemptBeat) -> None:
            known = await opened.find(CALL.key)
            said.append((beat.stage, known is not None and known.token == beat.token, bool(paper.acts)))

        await run(opened, paper, function, fence=listen)
        assert said == [("preparing", False, False), ("acting", True, False)]

    @EITHER
    async def test_an_act_that_the_ledger_has_forgotten_is_unknown_and_not_done_again(
        self, opened: Ledger, paper: Paper, function: object
    ) -> None:
        within = heard("acting", "forgotten")
        assert await fails(run(opened, paper, function, within=within)) == UNKNOWN
        assert paper.acts == []
        assert (await row(opened)).state is State.UNKNOWN
        assert await fails(run(opened, paper, function, attempt=3)) == UNKNOWN

    async def test_an_act_of_which_the_ledger_knows_only_an_earlier_failure_is_unknown(
        self, opened: Ledger, paper: Paper
    ) -> None:
        """It was restored from a copy that was made between the two."""
        paper.inside = raising(ServiceUnavailable("closed"))
        await fails(run(opened, paper))
        paper.inside = nothing
        assert await fails(run(opened, paper, within=heard("acting", "forgotten", 3))) == UNKNOWN
        assert paper.acts == []

    async def test_an_act_that_failed_for_certain_is_tried_again(self, opened: Ledger, paper: Paper) -> None:
        paper.inside = raising(ServiceUnavailable("closed"))
        await fails(run(opened, paper))
        paper.inside = nothing
        within = heard("acting", (await row(opened)).token)
        assert await run(opened, paper, within=within) == ToolResult(value="paid for tree", attempts=2)

    @pytest.mark.parametrize("row_of", ["the second", "the third"])
    async def test_what_is_repeated_of_an_earlier_act_does_not_hide_the_attempts_after_it(
        self, opened: Ledger, paper: Paper, row_of: str
    ) -> None:
        """A heartbeat of the third attempt, from before its own act, came last."""
        token = await opened.begin(Write(CALL), attempt=2, seen=None)
        await opened.finish(CALL.key, token, State.NOT_DONE)
        seen = await row(opened)
        act = Act(opened, Write(CALL), attempt=3, seen=seen, fence=nothing)
        act.withdrawn = Withdrawn("not now")

        async def repeat() -> AttemptBeat:
            remember(AttemptBeat(stage="acting", token="first", attempt=3))
            with pytest.raises(Withdrawn):
                await act.__aenter__()
            late = remembered()
            assert isinstance(late, AttemptBeat)
            return late

        late = await in_an_activity(repeat)
        if row_of == "the third":
            await opened.begin(Write(CALL), attempt=3, seen=seen, token=late.preparing)
            await opened.finish(CALL.key, late.preparing, State.NOT_DONE)
        fourth = environment(4)
        fourth.info = dataclasses.replace(fourth.info, heartbeat_details=[late.model_dump(mode="json")])
        assert await run(opened, paper, within=fourth) == ToolResult(value="paid for tree", attempts=4)

    async def test_a_row_whose_attempt_is_known_not_to_have_acted_is_no_obstacle(
        self, opened: Ledger, paper: Paper
    ) -> None:
        """Its worker died between the row and the act."""
        token = await opened.begin(Write(CALL), attempt=1, seen=None)
        within = heard("preparing", token)
        assert await run(opened, paper, within=within) == ToolResult(value="paid for tree", attempts=2)
        assert paper.acts == ["tree"]

    async def test_a_row_of_which_temporal_has_not_heard_may_have_been_acted_on(
        self, opened: Ledger, paper: Paper
    ) -> None:
        """Temporal's database was restored from an older copy."""
        await opened.begin(Write(CALL), attempt=1, seen=None)
        assert await fails(run(opened, paper, within=heard("preparing", "another's"))) == UNKNOWN
        assert paper.acts == []

    async def test_what_the_ledger_has_forgotten_is_settled_as_unknown(self, opened: Ledger, paper: Paper) -> None:
        settling = LedgerActivities(opened, {}).settle
        settled = await environment().run(settling, Settle(call=CALL, acting=True))
        assert settled.status is ReceiptStatus.UNKNOWN
        assert (await row(opened)).state is State.UNKNOWN

    @EITHER
    async def test_an_attempt_that_stops_counting_between_the_row_and_the_act_does_not_act(
        self, opened: Ledger, paper: Paper, function: object
    ) -> None:
        async def gone_when_acting(beat: AttemptBeat) -> None:
            if beat.stage == "acting":
                raise ServiceUnavailable("it does not count any more")

        assert await fails(run(opened, paper, function, fence=gone_when_acting)) == AGAIN
        assert paper.acts == []
        assert (await row(opened)).state is State.NOT_DONE
        assert await run(opened, paper, function, attempt=2) == ToolResult(value="paid for tree", attempts=2)

    async def test_a_worker_with_another_ledger_does_not_act_and_says_which_setting_is_wrong(
        self, opened: Ledger, paper: Paper
    ) -> None:
        call = CALL.model_copy(update={"ledger": "0therone"})
        with pytest.raises(ApplicationError, match=r"0therone.*ERRAND_LEDGER_URL") as raised:
            await run(opened, paper, call=call)
        (detail,) = raised.value.details
        assert isinstance(detail, FailureDetail)
        assert (raised.value.type, raised.value.non_retryable) == ("AnotherLedger", False)
        assert (detail.status, detail.certain) == (ReceiptStatus.REFUSED, True)
        assert paper.acts == []


class TestAskedFirst:
    """The ledger is asked before anything else can fail."""

    async def test_what_is_done_is_done_although_the_tools_schema_has_changed(
        self, opened: Ledger, paper: Paper
    ) -> None:
        await run(opened, paper)

        @tool(effect="write")
        async def pay_more(word: str, currency: str, *, paper: Paper, act: Act) -> None:
            """Pay, in a later version."""

        assert await run(opened, paper, pay_more, attempt=2) == ToolResult(value="paid for tree", attempts=2)

    async def test_a_failure_before_the_ledger_was_asked_is_not_certain(
        self, database: Database, paper: Paper, impatient: None
    ) -> None:
        ledger = await database.open()
        if database.can_be_read_while_gone:
            pytest.skip("a file that another locks can be read")
        async with database.gone():
            with pytest.raises(ApplicationError) as raised:
                await run(ledger, paper, attempt=2)
        assert [detail.certain for detail in raised.value.details if isinstance(detail, FailureDetail)] == [False]

    @pytest.mark.parametrize("error", [ServiceRefused("no"), ValueError("a mistake")])
    async def test_an_idempotent_write_that_may_be_done_does_not_fail_because_a_later_attempt_does(
        self, opened: Ledger, paper: Paper, error: Exception
    ) -> None:
        await opened.begin(Write(CALL), attempt=1, seen=None)
        paper.inside = raising(error)
        kind, again, status = await fails(run(opened, paper, pay_with_key, attempt=2))
        assert (kind, status) == ("OutcomeUnknownRetryable" if again else "OutcomeUnknown", ReceiptStatus.UNKNOWN)
        assert (await row(opened)).state is State.UNKNOWN

    async def test_a_worker_that_knows_the_tool_as_a_read_does_not_run_a_write(self, paper: Paper) -> None:
        @tool(effect="read")
        async def look(word: str, *, paper: Paper) -> str:
            """Look, in another version."""
            paper.acts.append(word)
            return word

        with pytest.raises(ApplicationError, match="knows it as a read"):
            await environment().run(read_activity(made(look), {Paper: paper}), CALL)
        assert paper.acts == []

    async def test_a_worker_that_knows_the_tool_as_a_write_does_not_run_a_read(
        self, opened: Ledger, paper: Paper
    ) -> None:
        """Nobody was asked for a yes."""
        with pytest.raises(ApplicationError, match="knows it as a write"):
            await run(opened, paper, call=CALL.model_copy(update={"chain": ""}))
        assert paper.acts == []


@tool(effect="write", idempotent=True)
async def pay_with_key_and_act(word: str, *, paper: Paper, act: Act) -> str:
    """Pay at somebody who knows the key, with a point of no return."""
    async with act:
        await paper.inside()
    return f"paid for {word}"


class TestAskedAgain:
    async def test_an_attempt_that_could_not_begin_does_not_take_back_that_an_earlier_one_may_have_done_it(
        self, opened: Ledger, paper: Paper
    ) -> None:
        paper.inside = raising(OutcomeUnknown("the answer was lost"))
        assert await fails(run(opened, paper, pay_with_key_and_act)) == OVERTAKEN

        async def stops_at_the_act(beat: AttemptBeat) -> None:
            if beat.stage == "acting":
                raise ServiceUnavailable("the attempt does not count")

        second = run(opened, paper, pay_with_key_and_act, attempt=2, fence=stops_at_the_act)
        assert await fails(second) == OVERTAKEN
        assert (await row(opened)).state is State.UNKNOWN
        paper.inside = raising(ServiceRefused("429"))
        assert (await fails(run(opened, paper, pay_with_key_and_act, attempt=3)))[2] is ReceiptStatus.UNKNOWN

    async def test_nor_does_one_that_died_before_its_act(self, opened: Ledger, paper: Paper) -> None:
        paper.inside = raising(OutcomeUnknown("the answer was lost"))
        await fails(run(opened, paper, pay_with_key_and_act))
        seen = await row(opened)
        second = token_of(pay_with_key_and_act)
        await opened.begin(Write(CALL), attempt=2, seen=seen, token=second)
        third = heard("preparing", second, attempt=3)
        paper.inside = raising(ServiceRefused("429"))
        assert (await fails(run(opened, paper, pay_with_key_and_act, within=third)))[2] is ReceiptStatus.UNKNOWN

    async def test_a_row_of_an_attempt_before_the_one_that_acted_is_no_reason_not_to_ask(
        self, opened: Ledger, paper: Paper
    ) -> None:
        token = await opened.begin(Write(CALL), attempt=1, seen=None)
        await opened.finish(CALL.key, token, State.NOT_DONE)
        second = heard("acting", token_of(pay_with_key), attempt=2)
        result = await run(opened, paper, pay_with_key, within=second)
        assert (result.value, result.settled) == ("paid for tree", "asked again")

    async def test_once_its_attempts_are_used_up_nothing_is_done_that_the_ledger_has_forgotten(
        self, opened: Ledger, paper: Paper
    ) -> None:
        call = CALL.model_copy(update={"tried_before": 5})
        assert await fails(run(opened, paper, pay_with_key, call=call)) == UNKNOWN
        assert paper.acts == []

    async def test_what_a_person_has_settled_meanwhile_counts(self, opened: Ledger, paper: Paper) -> None:
        token = await opened.begin(Write(CALL), attempt=5, seen=None)
        await opened.finish(CALL.key, token, State.UNKNOWN)
        await opened.resolve(CALL.key, delivered=True, by="ann")
        call = CALL.model_copy(update={"tried_before": 5})
        assert await run(opened, paper, pay_with_key, call=call) == ToolResult(value=None, attempts=6)
        assert paper.acts == []

    @pytest.mark.parametrize(
        ("function", "error", "hour"),
        [
            (pay_with_key, OutcomeUnknown("lost"), True),
            (pay_with_key, ServiceUnavailable("503"), True),
            (pay_with_key, ServiceRefused("422"), False),
            (pay_with_key, Withdrawn("cancelled"), False),
            (pay, OutcomeUnknown("lost"), False),
        ],
    )
    async def test_for_how_long_it_may_be_asked_again_is_said_with_the_failure(
        self, opened: Ledger, paper: Paper, function: object, error: ToolError, *, hour: bool
    ) -> None:
        if function is pay_with_key:
            await opened.begin(Write(CALL), attempt=1, seen=None, token=token_of(function))
        paper.inside = raising(error)
        activity: Any = write_activity(made(function), {Paper: paper}, opened, fence=nothing, ask_again=3600)
        with pytest.raises(ApplicationError) as raised:
            await environment(2).run(activity, CALL)
        (detail,) = raised.value.details
        assert isinstance(detail, FailureDetail)
        assert (detail.status, detail.ask_again) == (ReceiptStatus.UNKNOWN, 3600 if hour else 0)

    async def test_the_ledger_says_it_of_a_write_whose_last_attempt_has_died(self, opened: Ledger) -> None:
        tools = {"pay": made(pay), "pay_with_key": made(pay_with_key)}
        settle = LedgerActivities(opened, tools, 3600).settle
        settled: list[Settlement] = []
        for place, name in enumerate(tools, start=1):
            call = CALL.model_copy(update={"key": f"r{place}/1.1", "tool": name})
            await opened.begin(write_of(call, tools[name]), attempt=5, seen=None)
            settled.append(await environment().run(settle, Settle(call=call)))
        assert [(each.status, each.ask_again) for each in settled] == [
            (ReceiptStatus.UNKNOWN, 0),
            (ReceiptStatus.UNKNOWN, 3600),
        ]


PAY_DIFFERENTLY: list[tuple[object, object]] = [
    (pay, pay_with_key),
    (pay_with_key, pay_elsewhere_with_key),
    (pay_elsewhere_with_key, pay_with_key),
]


class TestAskedByAnotherBuild:
    """The key that an attempt sent is known to the far end that got it, and to no other."""

    @pytest.mark.parametrize(("began", "goes_on"), PAY_DIFFERENTLY)
    async def test_a_write_that_was_begun_otherwise_is_unknown_and_not_done_again(
        self, opened: Ledger, paper: Paper, began: object, goes_on: object
    ) -> None:
        await opened.begin(Write(CALL), attempt=1, seen=None, token=token_of(began))
        assert await fails(run(opened, paper, goes_on, attempt=2)) == UNKNOWN
        assert paper.acts == []

    async def test_so_it_is_where_temporal_knows_more_of_the_act_than_the_ledger(
        self, opened: Ledger, paper: Paper
    ) -> None:
        token = await opened.begin(write_of(CALL, made(pay_with_key)), attempt=1, seen=None)
        await opened.finish(CALL.key, token, State.NOT_DONE)
        second = heard("acting", token_of(pay_elsewhere_with_key), attempt=2)
        assert await fails(run(opened, paper, pay_with_key, within=second)) == UNKNOWN
        assert paper.acts == []

    @pytest.mark.parametrize(("began", "goes_on"), PAY_DIFFERENTLY)
    async def test_nor_is_it_asked_about_once_its_attempts_are_used_up(
        self, opened: Ledger, began: object, goes_on: object
    ) -> None:
        await opened.begin(Write(CALL), attempt=5, seen=None, token=token_of(began))
        settle = LedgerActivities(opened, {CALL.tool: made(goes_on)}, 3600).settle
        settled = await environment().run(settle, Settle(call=CALL))
        assert (settled.status, settled.ask_again) == (ReceiptStatus.UNKNOWN, 0)

    async def test_what_had_not_happened_is_done_as_it_is_done_now(self, opened: Ledger, paper: Paper) -> None:
        token = await opened.begin(write_of(CALL, made(pay_with_key)), attempt=1, seen=None)
        await opened.finish(CALL.key, token, State.NOT_DONE)
        assert (await run(opened, paper, pay_elsewhere_with_key, attempt=2)).value == "paid for tree elsewhere"
