"""A ledger goes from one release to the next and back with all its rows."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from activities.budgets import Budget, Charge, in_units
from activities.errors import ConfigurationError, LedgerRestored
from activities.ledger.ledger import Ledger
from activities.ledger.migrations import CONNECTIONS_OF_WORKERS, upgrade
from activities.ledger.rows import State, Write
from activities.ledger.tables import SCHEMA_VERSION, metadata
from tests.integration.ledger.conftest import Database
from workflows.contract.internal import ToolCall

pytestmark = pytest.mark.sampled(1)

T = TypeVar("T")
CALL = ToolCall(key="orders/7/1.1", tool="pay", arguments={}, chain="5eed")
TEN = Budget(tool="pay", most=10, per="month")
OF_VERSION_1 = "key, digest, tool, arguments, request_id, requester, approved_by, state, token, attempt, begun_at"


@pytest.fixture
def database(bare_database: Database) -> Database:
    return bare_database


def done_in(database: Database, work: Callable[[sa.Connection], T]) -> T:
    """Past the ledger."""
    engine = sa.create_engine(database.url)
    try:
        with engine.begin() as connection:
            return work(connection)
    finally:
        engine.dispose()


async def make_version_1(database: Database) -> None:
    """With one row, which is begun."""
    if not database.is_postgresql:
        sqlite3.connect(database.url.removeprefix("sqlite:///")).close()
    moment = "TIMESTAMP WITH TIME ZONE" if database.is_postgresql else "DATETIME"
    for statement in (
        "CREATE TABLE errand_schema (version INTEGER NOT NULL)",
        "INSERT INTO errand_schema VALUES (1)",
        "CREATE TABLE errand_actions (key TEXT NOT NULL PRIMARY KEY, digest VARCHAR(64) NOT NULL, tool TEXT NOT NULL,"
        " arguments JSON NOT NULL, request_id TEXT NOT NULL, requester TEXT NOT NULL, approved_by TEXT NOT NULL,"
        " state VARCHAR(16) NOT NULL, token VARCHAR(32) NOT NULL, attempt INTEGER NOT NULL,"
        f" begun_at {moment} NOT NULL, finished_at {moment}, result JSON, error TEXT, resolved_by TEXT)",
        *(
            f"CREATE INDEX ix_errand_actions_{column} ON errand_actions ({column})"
            for column in ("request_id", "state", "begun_at")
        ),
    ):
        await database.run(statement)
    await insert_as_version_1(database, CALL.key, CALL.digest)


async def insert_as_version_1(database: Database, key: str, digest: str) -> None:
    request_id = key.rpartition("/")[0]
    await database.run(
        f"INSERT INTO errand_actions ({OF_VERSION_1}) VALUES ('{key}', '{digest}', 'pay', '{{}}', "
        f"'{request_id}', '', '', 'begun', 'token', 1, '2026-01-01 00:00:00')"
    )


def version(connection: sa.Connection) -> int:
    return connection.exec_driver_sql("SELECT version FROM errand_schema").scalar_one()


def columns(connection: sa.Connection) -> dict[tuple[str, str], tuple[str, bool]]:
    """By table and name: its type, and whether a worker that does not know it can write a row."""
    found = sa.inspect(connection)
    return {
        (table, each["name"]): (str(each["type"]), each["nullable"] or each["default"] is not None)
        for table in found.get_table_names()
        for each in found.get_columns(table)
    }


class TestForward:
    async def test_a_ledger_that_an_older_worker_made_is_brought_up_to_date_and_keeps_its_rows(
        self, database: Database
    ) -> None:
        await make_version_1(database)
        with pytest.raises(ConfigurationError, match="of an older version; start a worker on it once"):
            await Ledger.open(database.url, create=False)
        ledger = await database.open()
        assert len(ledger.identity) == 8
        found = await ledger.look_up(Write(CALL))
        assert found.row is not None
        assert (found.row.state, found.write.call.key) == (State.BEGUN, CALL.key)
        (lost,) = await ledger.search(state=State.UNKNOWN)
        assert lost.key == CALL.key
        assert (await (await database.open()).resolve(CALL.key, delivered=True, by="ann")).state is State.DONE

    async def test_one_that_was_brought_up_to_date_is_as_one_that_is_made_new(self, database: Database) -> None:
        await make_version_1(database)
        await database.open()

        def differences(connection: sa.Connection) -> object:
            return compare_metadata(MigrationContext.configure(connection), metadata)

        assert done_in(database, differences) == []

    async def test_a_version_takes_nothing_away_and_adds_nothing_that_older_workers_would_have_to_write(
        self, database: Database
    ) -> None:
        await make_version_1(database)
        before = done_in(database, columns)
        for to in range(2, SCHEMA_VERSION + 1):
            done_in(database, lambda connection, to=to: upgrade(connection, to - 1, to))
            after = done_in(database, columns)
            tables = {table for table, _ in before}
            new = {name: told for name, told in after.items() if name not in before}
            assert {name: after.get(name) for name in before} == before
            assert [name for name, (_, may_lack) in new.items() if name[0] in tables and not may_lack] == []
            before = after

    async def test_a_ledger_that_is_two_versions_newer_is_not_touched(self, database: Database) -> None:
        await (await database.open()).begin(Write(CALL), attempt=1, seen=None)
        await database.run(f"UPDATE errand_schema SET version = {SCHEMA_VERSION + 2}")
        with pytest.raises(ConfigurationError, match=rf"^ERRAND_LEDGER_URL: .*version {SCHEMA_VERSION + 2}, .*newer"):
            await database.open()


class TestBackByOne:
    """Nothing has to be migrated: workers of the version before work on the newer tables."""

    async def test_a_worker_works_on_a_ledger_that_the_next_version_has_brought_up_to_date(
        self, database: Database
    ) -> None:
        ledger = await database.open()
        token = await ledger.begin(Write(CALL), attempt=1, seen=None)
        await database.run("ALTER TABLE errand_actions ADD COLUMN next VARCHAR(8) NOT NULL DEFAULT ''")
        await database.run(f"UPDATE errand_schema SET version = {SCHEMA_VERSION + 1}")
        assert await ledger.finish(CALL.key, token, State.DONE)  # it runs on while the next version takes over
        again = await database.open()
        found = await again.find(CALL.key)
        assert found is not None
        assert found.state is State.DONE
        await again.begin(Write(CALL.model_copy(update={"key": "orders/8/1.1"})), attempt=1, seen=None)
        assert done_in(database, version) == SCHEMA_VERSION + 1

    async def test_one_goes_back_to_the_worker_of_the_version_before_and_forward_again_with_all_rows(
        self, database: Database
    ) -> None:
        """That worker's statements, which know no newer column, run as they are."""
        await make_version_1(database)
        forward = await database.open()
        key = "orders/8/1.1"
        await forward.begin(Write(CALL.model_copy(update={"key": key})), attempt=1, seen=None)
        await insert_as_version_1(database, "orders/9/1.1", "d")
        for mine in ("orders/9/1.1", key):
            await database.run(f"UPDATE errand_actions SET state = 'done', result = '1' WHERE key = '{mine}'")
        again = await database.open()
        assert again.identity == forward.identity
        rows = {row.key: (row.state, row.result) for row in await again.search()}
        assert rows == {CALL.key: (State.UNKNOWN, None), key: (State.DONE, 1), "orders/9/1.1": (State.DONE, 1)}
        found = await again.look_up(Write(CALL.model_copy(update={"key": "orders/9/1.1"})))
        assert found.row is not None
        assert found.row.state is State.DONE


async def used_and_closed(database: Database) -> tuple[str, dict[str, object]]:
    """The identity and the rows of a ledger with one write done, one unknown and one begun; its worker has ended."""
    async with aclosing(await Ledger.open(database.url)) as ledger:
        for number, state in enumerate((State.DONE, State.UNKNOWN, State.BEGUN), start=1):
            call = CALL.model_copy(update={"key": f"orders/{number}/1.1"})
            write = Write(call, charges=(Charge(TEN, in_units(1)),))
            token = await ledger.begin(write, attempt=1, seen=None)
            if state is not State.BEGUN:
                await ledger.finish(call.key, token, state, result="paid" if state is State.DONE else None)
        identity = ledger.identity
        rows: dict[str, object] = {row.key: row async for row in ledger.upkeep.changed_since(None)}
    await nobody_is_connected(database)
    return identity, rows


async def nobody_is_connected(database: Database) -> None:
    """What PostgreSQL has for a connection goes a moment after it was closed."""
    async with asyncio.timeout(10):
        while database.is_postgresql and done_in(database, lambda on: on.execute(CONNECTIONS_OF_WORKERS).scalar_one()):
            await asyncio.sleep(0.01)


async def taken_back(database: Database, *, forget_budgets: bool = False) -> int:
    async with aclosing(await Ledger.open(database.url, create=False)) as ledger:
        return await ledger.upkeep.downgrade(forget_budgets=forget_budgets)


class TestBackByTwo:
    """The newest version is taken off the ledger first: the version before the last would refuse it."""

    async def test_every_row_and_the_identity_stay_there_and_back_again(self, database: Database) -> None:
        identity, rows = await used_and_closed(database)
        assert await taken_back(database, forget_budgets=True) == SCHEMA_VERSION - 1
        async with aclosing(await Ledger.open(database.url, create=False)) as older:
            assert older.identity == identity
            assert {row.key: row async for row in older.upkeep.changed_since(None)} == rows
            assert [each.used for each in await older.spending.standings([TEN])] == [0]
        forward = await database.open()
        assert done_in(database, version) == SCHEMA_VERSION
        assert forward.identity == identity
        assert {row.key: row async for row in forward.upkeep.changed_since(None)} == rows
        await forward.begin(Write(CALL, charges=(Charge(TEN, in_units(1)),)), attempt=1, seen=None)

    async def test_the_tables_are_as_the_version_before_had_them(self, database: Database) -> None:
        await make_version_1(database)
        done_in(database, lambda connection: upgrade(connection, 1, SCHEMA_VERSION - 1))
        before = done_in(database, columns)
        await (await database.open()).aclose()
        await nobody_is_connected(database)
        await taken_back(database)
        assert done_in(database, columns) == before

    async def test_it_goes_back_by_one_version_only(self, database: Database) -> None:
        await used_and_closed(database)
        await taken_back(database, forget_budgets=True)
        with pytest.raises(ConfigurationError, match=rf"of version {SCHEMA_VERSION - 1}: only from {SCHEMA_VERSION}"):
            await taken_back(database)

    async def test_it_is_refused_while_a_worker_uses_the_ledger(self, database: Database) -> None:
        worker = await database.open()
        with pytest.raises(ConfigurationError, match=r"workers use the ledger \((processes|connections): \d+\): stop"):
            await taken_back(database)
        await worker.aclose()
        await nobody_is_connected(database)
        await taken_back(database)

    async def test_it_is_refused_while_budgets_count_what_would_be_lost(self, database: Database) -> None:
        await used_and_closed(database)
        with pytest.raises(ConfigurationError, match=r"budgets may still count 3 shares.*--forget-budgets"):
            await taken_back(database)
        old = f"{datetime.now(UTC) - timedelta(days=32):%Y-%m-%d %H:%M:%S}"
        await database.run(f"UPDATE errand_spending SET taken_at = '{old}'")
        await taken_back(database)

    async def test_it_is_refused_while_writes_are_held_for_an_older_copy(self, database: Database) -> None:
        async with aclosing(await Ledger.open(database.url)) as ledger:
            await ledger.restores.miss("orders/6/1.1")
            with pytest.raises(LedgerRestored):
                await ledger.begin(Write(CALL), attempt=1, seen=None)
        with pytest.raises(ConfigurationError, match=r"writes are held.*orders/6/1\.1.*client.py ledger recover"):
            await taken_back(database)
        async with aclosing(await Ledger.open(database.url, create=False)) as ledger:
            await ledger.restores.settle("ann")
        await taken_back(database)
