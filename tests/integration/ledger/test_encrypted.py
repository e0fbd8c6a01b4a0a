"""With keys, the ledger's contents are encrypted: what is compared is still compared, and older rows are still read."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from activities.encryption.key_ring import KeyRing
from activities.errors import KeyTaken, ServiceUnavailable
from activities.ledger.ledger import Ledger
from activities.ledger.rows import State, Write
from tests.integration.ledger.conftest import Database
from tests.unit.encryption.keys import new_key, ring
from workflows.contract.internal import ToolCall

pytestmark = pytest.mark.sampled(1)

OLD, NEW = new_key(), new_key()
MAIL = ToolCall(
    key="r/1.1",
    tool="send_email",
    arguments={"to": ["canary-to"], "body": "canary-body"},
    requester="canary-requester",
    approved_by="canary-approver",
    chain="c0ffee00",
)
WRITE = Write(MAIL, likeness="a" * 64)


@asynccontextmanager
async def opened(database: Database, keys: KeyRing | None) -> AsyncGenerator[Ledger]:
    async with aclosing(await Ledger.open(database.url, keys=keys)) as ledger:
        yield ledger


def rows_of(database: Database) -> str:
    """As anybody reads them who can read the database."""
    engine = sa.create_engine(database.url)
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM errand_actions").all()
    engine.dispose()
    return str(rows)


async def done(ledger: Ledger, write: Write = WRITE) -> str:
    token = await ledger.begin(write, attempt=1, seen=None)
    await ledger.finish(write.call.key, token, State.DONE, result={"id": "canary-result"}, error="canary-error")
    return token


async def test_what_was_written_is_found_again_and_the_database_has_none_of_it(
    database: Database, tmp_path: Path
) -> None:
    async with opened(database, ring(tmp_path, old=OLD)) as ledger:
        await done(ledger)
        row = await ledger.find(MAIL.key)
        [listed] = await ledger.search(request_id="r")
    assert row is not None
    assert (row.arguments, row.requester, row.approved_by) == (MAIL.arguments, MAIL.requester, MAIL.approved_by)
    assert (row.result, row.error) == ({"id": "canary-result"}, "canary-error")
    assert listed == row
    kept = await asyncio.to_thread(rows_of, database)
    assert "r/1.1" in kept
    assert "canary" not in kept


async def test_the_writes_of_one_requester_are_found_among_those_of_others(database: Database, tmp_path: Path) -> None:
    async with opened(database, None) as ledger:
        await done(ledger, Write(MAIL.model_copy(update={"key": "r/0.1"})))
    async with opened(database, ring(tmp_path, old=OLD)) as ledger:
        for number in range(1, 5):
            whose = "somebody else" if number % 2 else MAIL.requester
            await done(ledger, Write(MAIL.model_copy(update={"key": f"r/{number}.1", "requester": whose})))
        found = await ledger.search(requester=MAIL.requester)
        [latest] = await ledger.search(requester=MAIL.requester, limit=1)
    assert [row.key for row in found] == ["r/4.1", "r/2.1", "r/0.1"]
    assert latest.key == "r/4.1"


async def test_a_like_write_is_refused_although_nobody_can_read_the_first_one_in_the_database(
    database: Database, tmp_path: Path
) -> None:
    async with opened(database, ring(tmp_path, old=OLD)) as ledger:
        await done(ledger)
        again = MAIL.model_copy(update={"key": "r/2.1", "chain": "deadbeef"})
        with pytest.raises(KeyTaken, match=r"the same was done as r/1\.1"):
            await ledger.look_up(Write(again, likeness="a" * 64))


async def test_rows_in_clear_and_by_an_older_key_are_read_after_a_rotation(database: Database, tmp_path: Path) -> None:
    for at, keys in enumerate((None, ring(tmp_path, old=OLD), ring(tmp_path, new=NEW, old=OLD))):
        async with opened(database, keys) as ledger:
            await done(ledger, Write(MAIL.model_copy(update={"key": f"r/{at}.1"})))
            found = await ledger.search(request_id="r")
        assert len(found) == at + 1
        assert all(row.arguments == MAIL.arguments for row in found)


async def test_an_act_that_began_before_there_were_keys_is_finished_and_settled_with_them(
    database: Database, tmp_path: Path
) -> None:
    async with opened(database, None) as ledger:
        token = await ledger.begin(WRITE, attempt=1, seen=None)
    async with opened(database, ring(tmp_path, old=OLD)) as ledger:
        await ledger.finish(MAIL.key, token, State.UNKNOWN, error="canary-error")
        row = await ledger.resolve(MAIL.key, delivered=True, by="canary-operator")
    assert (row.state, row.resolved_by, row.arguments) == (State.DONE, "canary-operator", MAIL.arguments)


async def test_without_the_key_a_write_waits_and_is_not_taken_for_another(database: Database, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(opened(database, ring(tmp_path, old=OLD)))
        await done(first)
        none = await stack.enter_async_context(opened(database, None))
        with pytest.raises(ServiceUnavailable, match="encrypted with the key old; ERRAND_PAYLOAD_KEYS has to name it"):
            await none.look_up(WRITE)
        other = await stack.enter_async_context(opened(database, ring(tmp_path, new=NEW)))
        with pytest.raises(ServiceUnavailable, match="the key old is missing; the keys here are: new"):
            await other.look_up(WRITE)


@pytest.mark.parametrize("encrypts", [False, True])
async def test_a_far_ends_words_are_not_taken_for_something_encrypted(
    database: Database, tmp_path: Path, encrypts: bool
) -> None:
    async with opened(database, ring(tmp_path, old=OLD) if encrypts else None) as ledger:
        token = await ledger.begin(WRITE, attempt=1, seen=None)
        await ledger.finish(MAIL.key, token, State.DONE, result="errand-encrypted:", error="errand-encrypted:old:x")
        row = await ledger.find(MAIL.key)
    assert row is not None
    assert (str(row.result).strip(), str(row.error).strip()) == ("errand-encrypted:", "errand-encrypted:old:x")


async def test_contents_that_somebody_moved_to_another_row_are_not_believed(database: Database, tmp_path: Path) -> None:
    async with opened(database, ring(tmp_path, old=OLD)) as ledger:
        await done(ledger)
        await done(ledger, Write(MAIL.model_copy(update={"key": "r/1.2"})))
        source = "SELECT result FROM errand_actions WHERE key = 'r/1.2'"
        await database.run(f"UPDATE errand_actions SET result = ({source}) WHERE key = 'r/1.1'")
        with pytest.raises(ServiceUnavailable, match="cannot be decrypted"):
            await ledger.find("r/1.1")
