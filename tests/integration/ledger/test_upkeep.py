"""Old rows are removed where it is known how they ended; rows are written out; connections are limited."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from activities.errors import ServiceUnavailable
from activities.ledger import upkeep
from activities.ledger.ledger import Ledger
from activities.ledger.rows import State, Write
from tests.integration.ledger.conftest import Database
from tests.integration.ledger.postgres import Postgres
from workflows.contract.internal import ToolCall

pytestmark = pytest.mark.sampled(1)

OLD = datetime(2024, 1, 1, tzinfo=UTC)
NOW = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"


async def written(ledger: Ledger, key: str, state: State) -> None:
    call = ToolCall(key=key, tool="pay", arguments={"to": [key]})
    token = await ledger.begin(Write(call), attempt=1, seen=None)
    if state is not State.BEGUN:
        await ledger.finish(key, token, state)


async def keys(ledger: Ledger, since: datetime | None = None) -> list[str]:
    return [row.key async for row in ledger.upkeep.changed_since(since)]


@pytest.fixture
async def aged(database: Database, opened: Ledger) -> Ledger:
    """One row in each state, begun and ended in 2024, and one that was done today."""
    for state in State:
        await written(opened, f"old/{state}", state)
    await database.run("UPDATE errand_actions SET begun_at = '2024-01-01 00:00:00'")
    await database.run("UPDATE errand_actions SET finished_at = '2024-01-01 00:00:01' WHERE finished_at IS NOT NULL")
    await written(opened, "new/done", State.DONE)
    return opened


async def test_old_rows_are_removed_but_never_those_whose_end_is_not_known(aged: Ledger) -> None:
    before = datetime.now(UTC) - timedelta(days=30)
    assert await aged.upkeep.count_settled(before) == 2
    assert await aged.upkeep.remove_settled(before) == 2
    assert await keys(aged) == ["old/begun", "old/unknown", "new/done"]


async def test_what_was_taken_of_budgets_goes_with_old_rows_and_with_nothing_else(
    database: Database, aged: Ledger
) -> None:
    await written(aged, "now/not_done", State.NOT_DONE)
    for key in ("old/done", "old/not_done", "old/unknown", "old/model-call", "new/done", "now/not_done"):
        taken = datetime.now(UTC) if key.startswith("n") else OLD
        columns = "INSERT INTO errand_spending (budget, key, taken_at, amount)"
        await database.run(f"{columns} VALUES ('b', '{key}', '{taken:%Y-%m-%d %H:%M:%S}', 1)")
    await aged.upkeep.remove_settled(datetime.now(UTC) - timedelta(days=30))
    for key, is_kept in {
        "old/done": False,
        "old/not_done": False,
        "old/unknown": True,
        "old/model-call": False,
        "new/done": True,
        "now/not_done": True,
    }.items():
        assert await database.count(f"SELECT count(*) FROM errand_spending WHERE key = '{key}'") == is_kept, key


async def test_a_share_that_was_given_back_does_not_count_again_when_its_write_is_removed(
    database: Database, opened: Ledger
) -> None:
    """It was taken on the first of a month of 31 days, and the row is removed on its last."""
    await written(opened, "old/1.1", State.NOT_DONE)
    await database.run(
        f"INSERT INTO errand_spending (budget, key, taken_at, amount) VALUES ('b', 'old/1.1', '{NOW}', 1)"
    )
    assert await opened.upkeep.remove_settled(datetime.now(UTC) + timedelta(seconds=5)) == 1
    assert await database.count("SELECT count(*) FROM errand_spending") == 0


async def test_what_began_long_ago_and_ended_lately_stays(database: Database, opened: Ledger) -> None:
    await written(opened, "slow/1.1", State.DONE)
    await database.run("UPDATE errand_actions SET begun_at = '2024-01-01 00:00:00'")
    assert await opened.upkeep.remove_settled(datetime.now(UTC) - timedelta(days=30)) == 0


async def test_more_rows_than_one_transaction_takes_are_removed_and_written_out(
    opened: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "AT_ONCE", 3)
    for number in range(7):
        await written(opened, f"many/{number}", State.DONE)
    assert await keys(opened) == [f"many/{number}" for number in range(7)]
    assert await opened.upkeep.remove_settled(datetime.now(UTC) + timedelta(days=1)) == 7
    assert await keys(opened) == []


async def test_rows_that_began_or_ended_since_are_written_out_the_oldest_first(aged: Ledger) -> None:
    assert await keys(aged, OLD + timedelta(hours=1)) == ["new/done"]
    assert (await keys(aged, OLD))[-1] == "new/done"
    assert len(await keys(aged)) == 5


async def test_whether_a_ledger_can_be_written_is_found_out_without_a_change(
    database: Database, opened: Ledger, impatient: None
) -> None:
    identity = opened.identity
    await opened.upkeep.check_writable()
    assert (await database.open()).identity == identity
    async with database.gone():
        with pytest.raises(ServiceUnavailable):
            await opened.upkeep.check_writable()


async def test_its_clock_is_near_this_machines(opened: Ledger) -> None:
    assert abs(await opened.upkeep.clock() - datetime.now(UTC)) < timedelta(seconds=30)


@pytest.mark.usefixtures("empty")
async def test_a_worker_has_no_more_connections_to_postgresql_than_it_is_allowed(postgres: Postgres) -> None:
    async with aclosing(await Ledger.open(postgres.url, connections=4)) as ledger:
        reads = (ledger.find(str(number)) for number in range(40))
        writes = (written(ledger, f"busy/{number}", State.DONE) for number in range(40))
        await asyncio.gather(*reads, *writes)
        assert 1 < await postgres.count_connections() <= 4


async def test_text_is_kept_in_a_database_that_has_no_encoding(postgres: Postgres) -> None:
    as_is = "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    await postgres.outside_transactions("DROP DATABASE IF EXISTS ascii", f"CREATE DATABASE ascii {as_is}")
    async with aclosing(await Ledger.open(postgres.url.replace("/postgres?", "/ascii?"))) as ledger:
        await written(ledger, "Grüße/東京", State.DONE)
        assert await keys(ledger) == ["Grüße/東京"]
