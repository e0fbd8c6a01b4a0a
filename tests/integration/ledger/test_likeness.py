"""A like write of the same request id is not done twice, whoever asks for it and whatever forgot it."""

import asyncio
from typing import Any

import pytest
from pydantic_core import to_json
from temporalio.testing import ActivityEnvironment

from activities.error_text import LONGEST_MESSAGE
from activities.errors import KeyTaken
from activities.execution.writes import write_of
from activities.ledger.ledger import Ledger
from activities.ledger.ledger_activities import MOST_RECALLED, LedgerActivities
from activities.ledger.rows import State, Write
from activities.toolkit.tool import tool, tool_of
from tests.integration.ledger.conftest import Database
from workflows.contract.internal import Recall, ToolCall
from workflows.contract.values import Arguments

pytestmark = pytest.mark.sampled(1)

MOST_OF_A_PAYLOAD = 2 * 1024 * 1024


@tool(effect="write", grounded=("to",))
async def tell(to: list[str], what: str) -> str:
    """Tell people something."""
    return f"told {to} {what}"


@tool(effect="write")
async def note(what: str) -> str:
    """Write something down."""
    return what


def asked(
    key: str = "r/1.1", chain: str = "one", known: tuple[str, ...] = (), kind: object = tell, **arguments: object
) -> Write:
    """A write, as a run of a chain asks for it that knows the writes at some positions."""
    made = tool_of(kind)
    assert made is not None
    given: Arguments = arguments or {"to": ["ann"], "what": "hello"}  # pyright: ignore[reportAssignmentType]
    return write_of(ToolCall(key=key, tool=made.name, arguments=given, chain=chain, known=known), made)


async def done(ledger: Ledger, write: Write) -> None:
    found = await ledger.look_up(write)
    token = await ledger.begin(found.write, attempt=1, seen=found.row)
    await ledger.finish(found.write.call.key, token, State.DONE, result="told")


LIKE = [
    pytest.param({"to": ["ann"], "what": "something else"}, id="other words to the same people"),
    pytest.param({"to": ["ANN"], "what": "hello"}, id="the same people in capitals"),
]
UNLIKE = pytest.param({"to": ["bob"], "what": "hello"}, id="the same words to others")


class TestBefore:
    @pytest.mark.parametrize("key", ["r/1.1", "r/2.1"])
    @pytest.mark.parametrize("arguments", [pytest.param({}, id="the same"), *LIKE])
    @pytest.mark.sampled(4)
    async def test_a_like_write_of_an_earlier_request_is_refused_at_the_same_position_and_at_another(
        self, opened: Ledger, key: str, arguments: dict[str, Any]
    ) -> None:
        await done(opened, asked())
        with pytest.raises(KeyTaken, match=r"done as r/1\.1 at .*by an earlier request of the same id"):
            await opened.look_up(asked(key, "two", **arguments))

    async def test_an_unlike_write_of_a_later_request_gets_a_key_of_its_own_in_the_ledger(self, opened: Ledger) -> None:
        await done(opened, asked())
        other = asked(chain="two", to=["bob"], what="hello")
        found = await opened.look_up(other)
        assert (found.write.call.key, found.row, found.earlier) == ("r/1.1~two", None, True)
        await done(opened, other)
        found = await opened.look_up(other)
        assert found.row is not None
        assert (found.row.key, found.row.state) == ("r/1.1~two", State.DONE)

    async def test_what_the_same_chain_of_runs_knows_of_is_asked_for_on_purpose(self, opened: Ledger) -> None:
        await done(opened, asked())
        found = await opened.look_up(asked("r/2.1", known=("1.1",)))
        assert (found.row, found.earlier) == (None, False)

    async def test_a_position_that_is_known_does_not_hide_an_earlier_requests_write_at_it(self, opened: Ledger) -> None:
        await done(opened, asked())
        await done(opened, asked(chain="two", to=["bob"], what="hello"))
        with pytest.raises(KeyTaken):
            await opened.look_up(asked("r/2.1", "two", ("1.1",)))

    async def test_what_the_same_chain_of_runs_has_forgotten_is_refused(self, opened: Ledger) -> None:
        """Temporal's database was restored from an older copy, and the model goes another way."""
        await done(opened, asked())
        with pytest.raises(KeyTaken, match="that Temporal forgot"):
            await opened.look_up(asked("r/2.1"))

    async def test_what_certainly_did_not_happen_stands_in_nobodys_way(self, opened: Ledger) -> None:
        write = asked()
        token = await opened.begin(write, attempt=1, seen=None)
        await opened.finish(write.call.key, token, State.NOT_DONE)
        assert not (await opened.look_up(asked("r/2.1", "two"))).earlier

    async def test_a_write_that_failed_before_a_reset_is_not_done_where_a_like_one_was_done_after_it(
        self, opened: Ledger
    ) -> None:
        failed = asked()
        token = await opened.begin(failed, attempt=1, seen=None)
        await opened.finish(failed.call.key, token, State.NOT_DONE)
        await done(opened, asked("r/2.1", known=("1.1",)))
        with pytest.raises(KeyTaken):
            await opened.look_up(failed)

    async def test_requests_of_other_ids_are_no_concern(self, opened: Ledger) -> None:
        await done(opened, asked())
        assert not (await opened.look_up(asked("s/1.1", "two"))).earlier

    @pytest.mark.long
    async def test_a_like_write_is_found_among_thousands(self, opened: Ledger) -> None:
        for number in range(600):
            await opened.begin(asked(f"r/{number}.1", kind=note, what=str(number)), attempt=1, seen=None)
        with pytest.raises(KeyTaken, match=r"r/3\.1"):
            await opened.look_up(asked("r/9999.1", kind=note, what="3"))

    async def test_of_two_runs_that_ask_at_the_same_moment_one_does_it(self, database: Database) -> None:
        """A run that was terminated still acts, while a new one of its id begins."""
        ledgers = [await database.open(), await database.open()]
        for number in range(15):
            writes = [asked(f"r{number}/{turn}.1", f"c{turn}") for turn in (1, 2)]
            begun = await asyncio.gather(
                *(each.begin(write, attempt=1, seen=None) for each, write in zip(ledgers, writes, strict=True)),
                return_exceptions=True,
            )
            assert sorted(type(each).__name__ for each in begun) == ["KeyTaken", "str"]


class TestRecalling:
    async def test_as_many_as_are_told_at_once_fit_into_a_payload_whatever_they_say(self, opened: Ledger) -> None:
        write = asked(kind=note, what="\x01" * 160)
        token = await opened.begin(write, attempt=1, seen=None)
        await opened.finish(write.call.key, token, State.UNKNOWN, error="\x01" * LONGEST_MESSAGE)
        asking = LedgerActivities(opened, {}).recall
        told = await ActivityEnvironment().run(asking, Recall(request_id="r", chain="two", known=()))
        assert len(told.receipts) == 1
        assert MOST_RECALLED * len(to_json(told)) < MOST_OF_A_PAYLOAD

    async def test_it_tells_what_a_run_does_not_know_of_and_how_much_more_there_is(self, opened: Ledger) -> None:
        for turn in range(1, 6):
            await done(opened, asked(f"r/{turn}.1", kind=note, what=str(turn)))
        rows, more = await opened.recall("r", "one", ("2.1",), 3)
        assert ([row.key for row in rows], more) == (["r/5.1", "r/4.1", "r/3.1"], 1)
        rows, more = await opened.recall("r", "two", ("2.1",), 9)
        assert (len(rows), more) == (5, 0)
