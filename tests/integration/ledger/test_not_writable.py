"""A ledger that cannot be written is noticed before a write needs it, and can still be read where that is safe."""

import asyncio
import shutil
import sqlite3
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing, suppress
from pathlib import Path

import pytest

from activities.errors import ConfigurationError, ServiceUnavailable, Unreachable
from activities.ledger import upkeep
from activities.ledger.ledger import Ledger
from activities.ledger.rows import Write
from activities.ledger.troubles import trouble_of
from tests.conftest import empty_ledger
from tests.disks import fill, make_read_only, small_disk
from tests.integration.ledger.conftest import Database
from tests.integration.ledger.postgres import Postgres
from workflows.contract.internal import ToolCall

CALL = ToolCall(key="orders/7/1.1", tool="pay", arguments={"to": ["ann"]}, chain="5eed")


@pytest.fixture
def disk(tmp_path: Path) -> Generator[Path]:
    """A small one of its own, with an empty ledger."""
    with small_disk(tmp_path) as mounted:
        shutil.copy(empty_ledger(), mounted / "ledger.db")
        yield mounted


@pytest.fixture
async def of_reader(postgres: Postgres) -> AsyncGenerator[str]:
    """The URL of a user who may read every table of a ledger, and write none."""
    await postgres.empty()
    await postgres.new_ledger()
    await postgres.run("CREATE ROLE reader LOGIN", "GRANT USAGE ON SCHEMA public TO reader")
    await postgres.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    yield postgres.url.replace("postgres@", "reader@")
    await postgres.run("DROP OWNED BY reader", "DROP ROLE reader")


async def write_until_refused(ledger: Ledger) -> None:
    """Until what SQLite has written before has no room for more."""
    with suppress(ServiceUnavailable):
        for number in range(10_000):
            await ledger.begin(Write(CALL.model_copy(update={"key": f"orders/7/1.{number}"})), attempt=1, seen=None)
        raise AssertionError("there is room without end")


async def test_nothing_is_left_of_what_is_written_to_find_out(database: Database, opened: Ledger) -> None:
    await opened.upkeep.check_writable()
    for table in ("errand_actions", "errand_spending", "errand_restores", "errand_marks"):
        assert await database.count(f"SELECT count(*) FROM {table}") == 0, table
    token = await opened.begin(Write(CALL), attempt=1, seen=None)
    await asyncio.gather(*(opened.upkeep.check_writable() for _ in range(3)))
    found = await opened.find(CALL.key)
    assert found is not None
    assert found.token == token


async def test_one_on_a_full_disk_cannot_be_written(disk: Path) -> None:
    async with aclosing(await Ledger.open(f"sqlite:///{disk}/ledger.db")) as ledger:
        fill(disk)
        with pytest.raises(ServiceUnavailable, match="is full") as raised:
            await ledger.upkeep.check_writable()
        assert trouble_of(str(raised.value)).todo == "make room on the ledger's disk"


async def test_what_is_written_after_it_was_found_out_outlives_the_worker(tmp_path: Path) -> None:
    """SQLite's log has it, from which whoever opens the file after a crash reads it."""
    async with aclosing(await Ledger.open(f"sqlite:///{tmp_path}/ledger.db")) as ledger:
        await ledger.upkeep.check_writable()
        await ledger.begin(Write(CALL), attempt=1, seen=None)
        for part in ("ledger.db", "ledger.db-wal"):
            shutil.copy(tmp_path / part, tmp_path / f"after-{part}")
    async with aclosing(await Ledger.open(f"sqlite:///{tmp_path}/after-ledger.db")) as after:
        assert await after.find(CALL.key) is not None


async def test_a_worker_does_not_start_on_a_full_disk(disk: Path) -> None:
    fill(disk)
    with pytest.raises(Unreachable, match=r"cannot be used now: .*room$"):
        await Ledger.open(f"sqlite:///{disk}/ledger.db")


async def test_a_disk_with_next_to_no_room_is_full(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "LEAST", 2**70)
    with pytest.raises(ServiceUnavailable, match="is full"):
        await ledger.upkeep.check_writable()


async def test_a_worker_does_not_start_on_a_ledger_that_it_may_only_read(of_reader: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"^ERRAND_LEDGER_URL: .*permission denied for table .*; give the user"
    ):
        await Ledger.open(of_reader)
    async with aclosing(await Ledger.open(of_reader, create=False)) as reader:
        assert await reader.search() == []


@pytest.mark.parametrize(
    "right",
    ["INSERT ON errand_marks", "UPDATE ON errand_restores", "UPDATE ON errand_actions", "DELETE ON errand_spending"],
)
async def test_a_worker_does_not_start_on_a_ledger_on_which_it_lacks_a_right(
    postgres: Postgres, of_reader: str, right: str
) -> None:
    await postgres.run("GRANT ALL ON ALL TABLES IN SCHEMA public TO reader")
    await postgres.run(f"REVOKE {right} FROM reader")
    with pytest.raises(ConfigurationError, match=f"permission denied for table {right.split()[-1]}"):
        await Ledger.open(of_reader)
    await postgres.run(f"GRANT {right} TO reader")
    await (await Ledger.open(of_reader)).aclose()


async def test_a_server_that_takes_no_writes_at_this_moment_is_no_setting_to_mend(
    postgres: Postgres, of_reader: str
) -> None:
    await postgres.run("GRANT ALL ON ALL TABLES IN SCHEMA public TO reader")
    await postgres.run("ALTER ROLE reader SET default_transaction_read_only = on")
    with pytest.raises(Unreachable, match=r"ERRAND_LEDGER_URL: .* in a read-only transaction; name the server"):
        await Ledger.open(of_reader)


async def test_a_copy_on_a_disk_that_is_read_only_can_be_read(disk: Path) -> None:
    async with aclosing(await Ledger.open(f"sqlite:///{disk}/ledger.db")) as ledger:
        await ledger.begin(Write(CALL), attempt=1, seen=None)
    make_read_only(disk)
    began = time.monotonic()
    async with aclosing(await Ledger.open(f"sqlite:///{disk}/ledger.db", create=False)) as copy:
        assert [each.key for each in await copy.search()] == [CALL.key]
        assert [each.key async for each in copy.upkeep.changed_since(None)] == [CALL.key]
        with pytest.raises(ServiceUnavailable, match="readonly database"):
            await copy.upkeep.check_writable()
    assert time.monotonic() - began < 5


async def test_a_file_with_changes_beside_it_is_not_read_without_them(
    disk: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "ledger.db"
    shutil.copy(disk / "ledger.db", elsewhere)
    with closing(sqlite3.connect(elsewhere)) as other:
        other.execute("INSERT INTO errand_marks VALUES ('default', 1)")
        other.commit()
        for suffix in ("", "-wal"):
            shutil.copy(f"{elsewhere}{suffix}", f"{disk}/ledger.db{suffix}")
    make_read_only(disk)
    with pytest.raises(ConfigurationError, match=r"unable to open database file; .*has a -wal"):
        await Ledger.open(f"sqlite:///{disk}/ledger.db", create=False)
