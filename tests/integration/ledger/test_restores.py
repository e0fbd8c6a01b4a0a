"""An older copy of the ledger, or of Temporal's database, is noticed, and nothing is written until that is settled."""

from datetime import UTC, datetime, timedelta

import pytest

from activities.errors import LedgerRestored
from activities.ledger.ledger import Ledger
from activities.ledger.rows import State, Write
from tests.integration.ledger.conftest import Database
from workflows.contract.internal import ToolCall
from workflows.contract.ledger import LedgerMark

pytestmark = pytest.mark.sampled(1)


def call(key: str) -> ToolCall:
    return ToolCall(key=key, tool="pay", arguments={"to": [key]}, chain="5eed")


async def begun(ledger: Ledger, key: str) -> str:
    return await ledger.begin(Write(call(key)), attempt=1, seen=None)


async def done(ledger: Ledger, key: str) -> None:
    await ledger.finish(key, await begun(ledger, key), State.DONE)


async def marked(ledger: Ledger, before: LedgerMark | None = None) -> LedgerMark:
    """The newest mark, which Temporal has heard."""
    mark = await ledger.restores.next_mark(before, namespace="default")
    assert mark
    await ledger.restores.confirmed(mark)
    return mark


async def held(ledger: Ledger) -> str:
    found = await ledger.restores.unsettled()
    return found.message if found else ""


async def test_a_worker_that_lives_on_notices_the_older_copy_at_its_next_write(database: Database) -> None:
    worker = await database.open()
    await done(worker, "before/1.1")
    copy = await database.backup()
    await done(worker, "lost/1.1")
    await database.put_back(copy)
    with pytest.raises(LedgerRestored, match=r"lost/1\.1.*client\.py ledger recover"):
        await begun(worker, "next/1.1")
    another = await database.open()
    with pytest.raises(LedgerRestored, match=r"lost/1\.1"):
        await begun(another, "other/1.1")
    assert await worker.find("next/1.1") is None


async def test_a_worker_in_the_act_notices_that_its_row_is_gone(database: Database) -> None:
    worker = await database.open()
    copy = await database.backup()
    token = await begun(worker, "acting/1.1")
    await database.put_back(copy)
    assert not await worker.finish("acting/1.1", token, State.DONE)
    assert "acting/1.1" in await held(worker)


async def test_workers_that_start_after_the_restore_know_from_temporal_what_is_missing(database: Database) -> None:
    before = await database.open()
    copy = await database.backup()
    await done(before, "lost/1.1")
    mark = await marked(before)
    await database.put_back(copy)
    after = await database.open()
    await after.restores.compare(mark)
    assert "Temporal knows lost/1.1" in await held(after)
    with pytest.raises(LedgerRestored):
        await begun(after, "next/1.1")


async def test_what_was_compared_before_an_operator_settled_it_holds_nothing_afterwards(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await database.open()
    copy = await database.backup()
    await done(before, "lost/1.1")
    mark = await marked(before)
    await database.put_back(copy)
    watching = await database.open()
    found = await watching.restores.difference(mark)
    assert found
    await (await database.open()).restores.compare(mark)
    await watching.restores.settle("carol")

    async def settled_meanwhile(_: LedgerMark) -> object:
        return found

    monkeypatch.setattr(watching.restores, "difference", settled_meanwhile)
    await watching.restores.compare(mark)
    assert await held(watching) == ""
    await begun(watching, "next/1.1")


async def test_a_ledger_that_remembers_a_newer_mark_than_temporal_holds_writes_too(database: Database) -> None:
    ledger = await database.open()
    marks: list[LedgerMark] = []
    for number in range(3):
        await done(ledger, f"r{number}/1.1")
        marks.append(await marked(ledger, marks[-1] if marks else None))
    await ledger.restores.compare(marks[-2])  # as where Temporal heard the last one late
    assert await held(ledger) == ""
    await ledger.restores.compare(marks[0])
    assert "Temporal's database is an older copy" in await held(ledger)
    with pytest.raises(LedgerRestored):
        await begun(ledger, "next/1.1")


async def test_a_ledger_of_two_namespaces_does_not_take_the_quiet_one_for_an_older_copy(database: Database) -> None:
    ledger = await database.open()
    quiet = await ledger.restores.next_mark(None, namespace="quiet")
    assert quiet
    await ledger.restores.confirmed(quiet)
    busy: LedgerMark | None = None
    for number in range(4):
        await done(ledger, f"r{number}/1.1")
        busy = await marked(ledger, busy)
    await ledger.restores.compare(quiet)
    assert await held(ledger) == ""


async def test_the_same_ledger_further_on_is_no_restore(database: Database) -> None:
    ledger = await database.open()
    await ledger.restores.compare(None)
    mark = await marked(ledger)
    await done(ledger, "first/1.1")
    await ledger.restores.compare(mark)
    assert (await marked(ledger, mark)).number == mark.number + 1
    await begun(ledger, "open/1.1")
    later = await marked(ledger, mark)
    assert await ledger.restores.next_mark(later, namespace="default") == later
    await done(await database.open(), "second/1.1")
    assert await held(ledger) == ""


async def test_an_old_row_that_was_pruned_is_not_missed(database: Database) -> None:
    ledger = await database.open()
    old = datetime.now(UTC) - timedelta(days=31)
    await ledger.restores.compare(LedgerMark(number=1, key="old/1.1", token="0" * 16, done_at=old))
    assert await held(ledger) == ""


async def test_what_is_settled_is_noticed_once_and_a_further_restore_again(database: Database) -> None:
    worker, another = await database.open(), await database.open()
    copy = await database.backup()
    await done(worker, "lost/1.1")
    await done(another, "lost/2.1")
    mark = await marked(worker)
    await database.put_back(copy)
    with pytest.raises(LedgerRestored):
        await begun(worker, "next/1.1")
    with pytest.raises(LedgerRestored):
        await begun(another, "next/2.1")
    await worker.restores.settle("ann")
    await worker.restores.compare(mark)
    await done(worker, "next/1.1")
    await done(another, "next/2.1")
    newer = await marked(worker, mark)
    assert newer.number > mark.number
    await database.put_back(copy)
    await another.restores.compare(newer)
    assert await held(another)


async def test_what_history_knows_is_put_back_where_the_ledger_knows_less(database: Database) -> None:
    ledger = await database.open()

    async def put_back(key: str, state: State, *, chain: str = "5eed") -> bool:
        write = Write(call(key).model_copy(update={"chain": chain}))
        return await ledger.restores.put_back(write, state, attempt=1, begun_at=datetime.now(UTC))

    assert await put_back("lost/1.1", State.UNKNOWN)
    assert not await put_back("lost/1.1", State.UNKNOWN)
    assert await put_back("lost/1.1", State.UNKNOWN, chain="0dd")
    assert await put_back("lost/1.1", State.DONE)
    assert not await put_back("lost/1.1", State.UNKNOWN)
    await ledger.finish("tried/1.1", await begun(ledger, "tried/1.1"), State.NOT_DONE)
    assert await put_back("tried/1.1", State.UNKNOWN)
    await ledger.resolve("tried/1.1", delivered=False, by="ann")
    assert not await put_back("tried/1.1", State.UNKNOWN)
    assert {row.key: row.state for row in await ledger.search()} == {
        "lost/1.1": State.DONE,
        "lost/1.1~0dd": State.UNKNOWN,
        "tried/1.1": State.NOT_DONE,
    }
    assert await put_back("tried/1.1", State.DONE)
    found = await ledger.find("tried/1.1")
    assert found is not None
    assert (found.state, found.resolved_by, found.error) == (State.DONE, None, None)  # ann has said the opposite
