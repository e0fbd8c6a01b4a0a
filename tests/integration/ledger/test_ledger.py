"""The ledger knows every write before and after; a row is changed only by who may."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager, closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import structlog

from activities.errors import ConfigurationError, KeyTaken, NotOpen, OutcomeUnknown, ServiceUnavailable, Unreachable
from activities.ledger import database as ledger_database
from activities.ledger import engine
from activities.ledger.ledger import Ledger
from activities.ledger.rows import State, Write
from activities.settings.ledger import DEFAULT_LEDGER
from tests.forked import Forked
from tests.integration.ledger.conftest import Database
from tests.integration.ledger.postgres import Postgres
from workflows.contract.internal import ToolCall

ROOT = Path(__file__).parents[3]
CALL = ToolCall(
    key="orders/7/1.1",
    tool="pay",
    arguments={"to": ["ann"], "sum": 3.5},
    requester="bob",
    approved_by="policy",
    chain="5eed",
)
OTHER = CALL.model_copy(update={"arguments": {"to": ["eve"]}})


class TestBeginning:
    async def test_a_row_says_everything_about_the_call_before_anything_has_happened(self, opened: Ledger) -> None:
        before = datetime.now(UTC)
        token = await opened.begin(Write(CALL), attempt=2, seen=None)
        row = await opened.find(CALL.key)
        assert row is not None
        assert row.model_dump(exclude={"begun_at"}) == {
            "key": "orders/7/1.1",
            "digest": CALL.digest,
            "tool": "pay",
            "arguments": {"to": ["ann"], "sum": 3.5},
            "request_id": "orders/7",
            "requester": "bob",
            "approved_by": "policy",
            "state": State.BEGUN,
            "token": token,
            "attempt": 2,
            "finished_at": None,
            "result": None,
            "error": None,
            "resolved_by": None,
            "chain": "5eed",
        }
        assert before <= row.begun_at <= datetime.now(UTC)

    async def test_nobody_knows_a_key_that_was_not_used(self, opened: Ledger) -> None:
        assert await opened.find("r/9.9") is None

    async def test_an_attempt_that_saw_no_row_cannot_begin_after_another(self, opened: Ledger) -> None:
        await opened.begin(Write(CALL), attempt=1, seen=None)
        with pytest.raises(OutcomeUnknown, match="has begun meanwhile"):
            await opened.begin(Write(CALL), attempt=2, seen=None)

    async def test_what_certainly_did_not_happen_may_begin_again_once(self, opened: Ledger) -> None:
        token = await opened.begin(Write(CALL), attempt=1, seen=None)
        await opened.finish(CALL.key, token, State.NOT_DONE, error="no")
        seen = await opened.find(CALL.key)
        again = await opened.begin(Write(CALL), attempt=2, seen=seen)
        with pytest.raises(OutcomeUnknown):
            await opened.begin(Write(CALL), attempt=3, seen=seen)
        row = await opened.find(CALL.key)
        assert row is not None
        assert (row.state, row.token, row.attempt, row.error) == (State.BEGUN, again, 2, None)

    @pytest.mark.parametrize("refused_before", [False, True])
    async def test_of_many_attempts_at_once_on_two_workers_one_begins(
        self, database: Database, refused_before: bool
    ) -> None:
        ledgers = [await database.open(), await database.open()]
        if refused_before:
            token = await ledgers[0].begin(Write(CALL), attempt=1, seen=None)
            await ledgers[0].finish(CALL.key, token, State.NOT_DONE)
        seen = await ledgers[0].find(CALL.key)
        begun = await asyncio.gather(
            *(ledgers[number % 2].begin(Write(CALL), attempt=number, seen=seen) for number in range(24)),
            return_exceptions=True,
        )
        tokens = [each for each in begun if isinstance(each, str)]
        assert len(tokens) == 1
        assert all(isinstance(each, OutcomeUnknown) for each in begun if not isinstance(each, str))
        row = await ledgers[1].find(CALL.key)
        assert row is not None
        assert row.token == tokens[0]

    async def test_of_many_attempts_in_several_processes_one_begins_each_key(
        self, database: Database, python: Forked
    ) -> None:
        script = Path(__file__).with_name("begin_all.py")
        processes = [
            await asyncio.create_subprocess_exec(
                *python(str(script), database.url), cwd=ROOT, stdout=asyncio.subprocess.PIPE
            )
            for _ in range(2)
        ]
        outputs = [(await each.communicate())[0].decode().split() for each in processes]
        assert [each.returncode for each in processes] == [0, 0]
        assert sorted(key for begun in outputs for key in begun) == sorted(f"r/1.{number}" for number in range(15))


class TestFinishing:
    @pytest.mark.parametrize("result", [None, "sent", 3.5, True, ["ä", {"a": None}], {"text": "\x00 ☀ \ud800"}])
    @pytest.mark.sampled(4)
    async def test_what_was_done_has_its_result(self, opened: Ledger, result: object) -> None:
        token = await opened.begin(Write(CALL), attempt=1, seen=None)
        assert await opened.finish(CALL.key, token, State.DONE, result=result)  # pyright: ignore[reportArgumentType]
        row = await opened.find(CALL.key)
        assert row is not None
        assert (row.state, row.result) == (State.DONE, result)
        assert row.finished_at is not None
        assert row.finished_at.utcoffset() == timedelta(0)

    async def test_a_row_that_was_replaced_is_no_longer_this_attempts_to_change(self, opened: Ledger) -> None:
        first = await opened.begin(Write(CALL), attempt=1, seen=None)
        await opened.begin(Write(CALL), attempt=2, seen=await opened.find(CALL.key))
        assert not await opened.finish(CALL.key, first, State.DONE, result="mine")
        row = await opened.find(CALL.key)
        assert row is not None
        assert row.state is State.BEGUN

    async def test_a_key_that_nobody_knows_cannot_finish(self, opened: Ledger) -> None:
        assert not await opened.finish("r/9.9", "token", State.DONE)


class TestGivingUp:
    async def test_an_attempt_that_had_not_begun_cannot_begin_after_it_was_given_up(self, opened: Ledger) -> None:
        settled = await opened.give_up(Write(CALL))
        assert settled.state is State.NOT_DONE
        with pytest.raises(OutcomeUnknown):
            await opened.begin(Write(CALL), attempt=1, seen=None)
        assert await opened.find(CALL.key) == settled

    async def test_an_attempt_that_saw_an_earlier_one_fail_cannot_begin_after_it_was_given_up(
        self, opened: Ledger
    ) -> None:
        token = await opened.begin(Write(CALL), attempt=1, seen=None)
        await opened.finish(CALL.key, token, State.NOT_DONE, error="closed")
        seen = await opened.find(CALL.key)
        assert (await opened.give_up(Write(CALL))).state is State.NOT_DONE
        with pytest.raises(OutcomeUnknown):
            await opened.begin(Write(CALL), attempt=2, seen=seen)

    async def test_what_had_begun_is_unknown_until_its_own_attempt_tells_the_truth(self, opened: Ledger) -> None:
        token = await opened.begin(Write(CALL), attempt=1, seen=None)
        assert (await opened.give_up(Write(CALL))).state is State.UNKNOWN
        row = await opened.find(CALL.key)
        assert row is not None
        assert row.state is State.UNKNOWN
        assert await opened.finish(CALL.key, token, State.DONE, result="sent")
        row = await opened.find(CALL.key)
        assert row is not None
        assert (row.state, row.result) == (State.DONE, "sent")

    async def test_what_is_done_stays_done(self, opened: Ledger) -> None:
        token = await opened.begin(Write(CALL), attempt=1, seen=None)
        await opened.finish(CALL.key, token, State.DONE, result="sent")
        settled = await opened.give_up(Write(CALL))
        assert (settled.state, settled.result) == (State.DONE, "sent")

    async def test_another_action_under_the_key_is_not_taken_for_this_one(self, opened: Ledger) -> None:
        token = await opened.begin(Write(OTHER), attempt=1, seen=None)
        await opened.finish(CALL.key, token, State.DONE, result="sent to eve")
        with pytest.raises(KeyTaken):
            await opened.give_up(Write(CALL))

    async def test_an_end_that_comes_at_the_same_moment_is_never_overwritten(self, database: Database) -> None:
        """Whichever of the two is first, the row says at the end what the attempt said."""
        ledgers = [await database.open(), await database.open()]
        for number in range(25):
            call = CALL.model_copy(update={"key": f"r/1.{number}"})
            token = await ledgers[0].begin(Write(call), attempt=1, seen=None)
            finished, settled = await asyncio.gather(
                ledgers[0].finish(call.key, token, State.DONE, result="sent"), ledgers[1].give_up(Write(call))
            )
            row = await ledgers[1].find(call.key)
            assert row is not None
            assert finished
            assert row.state is State.DONE
            assert settled.state in (State.DONE, State.UNKNOWN)

    async def test_giving_up_and_beginning_at_the_same_moment_agree(self, database: Database) -> None:
        """Either the attempt begins, and it is unknown; or it never can, and it is not done."""
        ledgers = [await database.open(), await database.open()]
        for number in range(25):
            call = CALL.model_copy(update={"key": f"r/1.{number}"})
            begun, settled = await asyncio.gather(
                ledgers[0].begin(Write(call), attempt=1, seen=None),
                ledgers[1].give_up(Write(call)),
                return_exceptions=True,
            )
            if isinstance(settled, ServiceUnavailable):  # it lost the race for the row, and is retried
                settled = await ledgers[1].give_up(Write(call))
            assert not isinstance(settled, BaseException)
            assert settled.state is (State.UNKNOWN if isinstance(begun, str) else State.NOT_DONE)


class TestResolving:
    @pytest.mark.parametrize(("delivered", "state"), [(True, State.DONE), (False, State.NOT_DONE)])
    async def test_a_persons_word_settles_it_and_is_kept_with_the_name(
        self, opened: Ledger, delivered: bool, state: State
    ) -> None:
        await opened.begin(Write(CALL), attempt=1, seen=None)
        await opened.give_up(Write(CALL))
        settled = await opened.resolve(CALL.key, delivered=delivered, by="ann")
        assert (settled.state, settled.resolved_by) == (state, "ann")
        assert await opened.find(CALL.key) == settled

    async def test_what_has_begun_may_be_under_way_and_is_settled_only_where_that_is_said(
        self, opened: Ledger, database: Database
    ) -> None:
        token = await opened.begin(Write(CALL), attempt=1, seen=None)
        begun = await opened.find(CALL.key)
        ends = "when its tool's time is over" if database.is_postgresql else "when its worker has ended"
        with pytest.raises(NotOpen, match=rf"may be under way; settle it {ends}, .*--even-if-under-way"):
            await opened.resolve(CALL.key, delivered=True, by="ann")
        assert await opened.find(CALL.key) == begun
        settled = await opened.resolve(CALL.key, delivered=True, by="ann", even_if_under_way=True)
        assert settled.state is State.DONE
        assert not await opened.finish(CALL.key, token, State.NOT_DONE)

    async def test_what_cannot_be_under_way_any_more_is_listed_as_unknown_and_settled(self, database: Database) -> None:
        """Its worker has ended; on PostgreSQL, the time of its tool is over, by the database's own clock."""
        worker, reader = await Ledger.open(database.url), await database.open()
        longest = timedelta(seconds=0.3)
        await worker.begin(Write(CALL, longest=longest), attempt=1, seen=None)
        assert [row.key for row in await reader.search(state=State.BEGUN)] == [CALL.key]
        assert await reader.search(state=State.UNKNOWN) == []
        assert await reader.is_under_way(Write(CALL))
        await worker.aclose()
        await asyncio.sleep(0.4 if database.is_postgresql else 0)
        assert not await reader.is_under_way(Write(CALL))
        assert await reader.search(state=State.BEGUN) == []
        (lost,) = await reader.search(state=State.UNKNOWN)
        assert (lost.key, lost.state, lost.error) == (CALL.key, State.UNKNOWN, "it was begun, and never reported on")
        assert (await reader.resolve(CALL.key, delivered=True, by="ann")).state is State.DONE

    async def test_a_second_word_is_refused_and_says_what_the_first_was(self, opened: Ledger) -> None:
        await opened.begin(Write(CALL), attempt=1, seen=None)
        await opened.give_up(Write(CALL))
        await opened.resolve(CALL.key, delivered=True, by="ann")
        with pytest.raises(NotOpen, match=r"orders/7/1\.1: it is done already"):
            await opened.resolve(CALL.key, delivered=False, by="bob")
        row = await opened.find(CALL.key)
        assert row is not None
        assert row.resolved_by == "ann"

    async def test_of_many_people_at_once_one_settles_it(self, database: Database) -> None:
        ledgers = [await database.open(), await database.open()]
        await ledgers[0].begin(Write(CALL), attempt=1, seen=None)
        await ledgers[0].give_up(Write(CALL))
        settled = await asyncio.gather(
            *(ledgers[n % 2].resolve(CALL.key, delivered=n % 3 == 0, by=str(n)) for n in range(12)),
            return_exceptions=True,
        )
        rows = [each for each in settled if not isinstance(each, BaseException)]
        assert len(rows) == 1
        assert all(isinstance(each, NotOpen) for each in settled if isinstance(each, BaseException))
        assert await ledgers[0].find(CALL.key) == rows[0]

    async def test_an_unknown_key_is_named(self, opened: Ledger) -> None:
        with pytest.raises(NotOpen, match=r"r/9\.9: there is no such action"):
            await opened.resolve("r/9.9", delivered=True, by="ann")

    async def test_an_attempt_that_wakes_up_after_it_was_settled_changes_nothing(self, opened: Ledger) -> None:
        token = await opened.begin(Write(CALL), attempt=1, seen=None)
        await opened.give_up(Write(CALL))
        await opened.resolve(CALL.key, delivered=False, by="ann")
        assert not await opened.finish(CALL.key, token, State.DONE, result="sent")

    async def test_what_is_begun_again_after_a_persons_no_no_longer_bears_the_name(self, opened: Ledger) -> None:
        await opened.begin(Write(CALL), attempt=1, seen=None)
        await opened.give_up(Write(CALL))
        token = await opened.begin(
            Write(CALL), attempt=2, seen=await opened.resolve(CALL.key, delivered=False, by="ann")
        )
        await opened.finish(CALL.key, token, State.DONE, result="sent")
        row = await opened.find(CALL.key)
        assert row is not None
        assert (row.state, row.resolved_by) == (State.DONE, None)


class TestSearching:
    async def test_it_finds_the_latest_first_by_request_by_state_and_by_time(self, opened: Ledger) -> None:
        for key in ("a/1.1", "a/1.2", "b/1.1", "a/b/1.1"):
            token = await opened.begin(Write(CALL.model_copy(update={"key": key})), attempt=1, seen=None)
            if key != "b/1.1":
                await opened.finish(key, token, State.DONE)
            await asyncio.sleep(0.002)

        async def keys(**wanted: object) -> list[str]:
            return [row.key for row in await opened.search(**wanted)]  # pyright: ignore[reportArgumentType]

        assert await keys() == ["a/b/1.1", "b/1.1", "a/1.2", "a/1.1"]
        assert await keys(limit=2) == ["a/b/1.1", "b/1.1"]
        assert await keys(request_id="a") == ["a/1.2", "a/1.1"]
        assert await keys(request_id="a/b") == ["a/b/1.1"]
        assert await keys(request_id="nobody") == []
        assert await keys(state=State.BEGUN) == ["b/1.1"]
        assert await keys(request_id="a", state=State.BEGUN) == []
        third = await opened.find("b/1.1")
        assert third is not None
        elsewhere = third.begun_at.astimezone(timezone(timedelta(hours=-9)))
        for since in (third.begun_at, elsewhere, elsewhere.astimezone().replace(tzinfo=None)):
            assert await keys(since=since) == ["a/b/1.1", "b/1.1"]
        assert await keys(since=datetime.now(UTC)) == []


@asynccontextmanager
async def waiting_to_begin(ledger: Ledger, folder: Path) -> AsyncGenerator[asyncio.Task[str]]:
    """A beginning that cannot be written before the block ends, because another process writes."""
    with closing(sqlite3.connect(folder / "ledger.db", isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        beginning = asyncio.create_task(ledger.begin(Write(CALL), attempt=1, seen=None))
        await asyncio.sleep(0.1)
        yield beginning


class TestWaiting:
    """What nobody waits for any longer does not happen later."""

    async def test_a_beginning_that_is_cancelled_while_another_writes_is_not_written_later(
        self, tmp_path: Path
    ) -> None:
        async with aclosing(await Ledger.open(f"sqlite:///{tmp_path}/ledger.db")) as ledger:
            async with waiting_to_begin(ledger, tmp_path) as beginning:
                beginning.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await beginning
            assert await ledger.find(CALL.key) is None

    @pytest.mark.usefixtures("impatient", "empty")
    async def test_a_server_that_is_frozen_is_not_waited_for_and_nothing_is_written_when_it_wakes_up(
        self, postgres: Postgres
    ) -> None:
        async with aclosing(await Ledger.open(postgres.url)) as ledger:
            assert await ledger.find(CALL.key) is None
            async with postgres.frozen():
                with pytest.raises(ServiceUnavailable, match="writing the ledger failed: no answer in time"):
                    await ledger.begin(Write(CALL), attempt=1, seen=None)
            assert await ledger.find(CALL.key) is None
            await ledger.begin(Write(CALL), attempt=2, seen=None)

    @pytest.mark.usefixtures("impatient", "empty")
    async def test_connections_that_never_answer_do_not_keep_new_ones_from_it(self, postgres: Postgres) -> None:
        async with aclosing(await Ledger.open(postgres.url)) as ledger:
            await asyncio.gather(*(ledger.find(str(number)) for number in range(20)))
            async with postgres.frozen():
                with pytest.raises(ServiceUnavailable):
                    await ledger.find(CALL.key)
                assert await ledger.find(CALL.key) is None
                await ledger.begin(Write(CALL), attempt=1, seen=None)

    async def test_what_reads_does_not_wait_behind_what_waits_to_write(self, tmp_path: Path) -> None:
        async with aclosing(await Ledger.open(f"sqlite:///{tmp_path}/ledger.db")) as ledger:
            async with waiting_to_begin(ledger, tmp_path) as beginning:
                assert await asyncio.wait_for(ledger.find(CALL.key), 2) is None
            assert await beginning

    async def test_a_ledger_that_is_closed_is_unavailable(self, opened: Ledger) -> None:
        await opened.aclose()
        with pytest.raises(ServiceUnavailable, match="closed"):
            await opened.find(CALL.key)


class TestOpening:
    async def test_several_workers_that_start_at_once_create_the_tables_once(self, database: Database) -> None:
        ledgers = await asyncio.gather(*(database.open() for _ in range(8)))
        await ledgers[0].begin(Write(CALL), attempt=1, seen=None)
        assert await ledgers[-1].find(CALL.key) is not None

    async def test_what_is_written_is_there_after_a_restart(self, database: Database) -> None:
        first = await database.open()
        await first.begin(Write(CALL), attempt=1, seen=None)
        row = await first.find(CALL.key)
        await first.aclose()
        assert await (await database.open()).find(CALL.key) == row

    @pytest.mark.usefixtures("impatient")
    async def test_a_ledger_that_is_gone_is_unavailable_and_works_again_when_it_is_back(
        self, database: Database
    ) -> None:
        ledger = await database.open()
        token = await ledger.begin(Write(CALL), attempt=1, seen=None)
        async with database.gone():
            reads = () if database.can_be_read_while_gone else (ledger.find(CALL.key), ledger.search())
            for attempt in (
                ledger.begin(Write(CALL), attempt=2, seen=None),
                ledger.finish(CALL.key, token, State.DONE),
                ledger.give_up(Write(CALL)),
                *reads,
            ):
                with pytest.raises(ServiceUnavailable, match=r"^(reading|writing) the ledger failed: "):
                    await attempt
        assert await ledger.finish(CALL.key, token, State.DONE)

    @pytest.mark.usefixtures("impatient")
    async def test_sqlite_is_read_beside_a_writer_and_a_reader_keeps_nobody_from_writing(
        self, database: Database
    ) -> None:
        if not database.can_be_read_while_gone:
            pytest.skip("PostgreSQL does so by itself")
        ledger = await database.open()
        await ledger.begin(Write(CALL), attempt=1, seen=None)
        async with database.gone():
            found = await ledger.find(CALL.key)
            assert await ledger.search() == [found]
        await asyncio.gather(*(ledger.search() for _ in range(8)), ledger.give_up(Write(CALL)))

    async def test_a_new_ledger_is_told_once_and_without_user_and_password(self, bare_database: Database) -> None:
        with structlog.testing.capture_logs() as told:
            await asyncio.gather(*(bare_database.open() for _ in range(4)))
            await bare_database.open()
        (line,) = told
        assert (line["log_level"], line["event"]) == (
            "warning",
            "a new ledger was made: writes of earlier runs are not known in it",
        )
        place = str(line["ledger"])
        assert place in bare_database.url
        assert place.endswith(("/ledger.db", "/postgres"))
        assert "@" not in place

    async def test_a_reader_makes_no_ledger_and_says_that_there_is_none(self, bare_database: Database) -> None:
        with pytest.raises(
            ConfigurationError, match=r"^ERRAND_LEDGER_URL: there is no ledger at .*(ledger\.db|/postgres);"
        ):
            await Ledger.open(bare_database.url, create=False)
        with structlog.testing.capture_logs() as told:
            await bare_database.open()
        assert len(told) == 1

    async def test_a_reader_finds_what_a_worker_wrote(self, database: Database, opened: Ledger) -> None:
        await opened.begin(Write(CALL), attempt=1, seen=None)
        async with aclosing(await Ledger.open(database.url, create=False)) as reader:
            assert await reader.search() == [await opened.find(CALL.key)]

    async def test_a_folder_that_is_not_there_is_not_made(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match=rf"there is no folder {tmp_path}/slip; make it, or name another"):
            await Ledger.open(f"sqlite:///{tmp_path}/slip/ledger.db")
        assert not (tmp_path / "slip").exists()

    async def test_the_folder_of_the_default_place_is_made(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(engine, "PROJECT", tmp_path)
        ledger = await Ledger.open(f"sqlite:///{tmp_path / DEFAULT_LEDGER}")
        await ledger.aclose()
        assert (tmp_path / DEFAULT_LEDGER).exists()

    async def test_one_that_is_locked_is_no_setting_to_mend(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in (ledger_database, engine):
            monkeypatch.setattr(module, "BUSY_SECONDS", 0.1)
        with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(
                Unreachable, match=r"ledger /\S+ cannot be used now: database is locked; see what holds it"
            ):
                await Ledger.open(f"sqlite:///{tmp_path}/ledger.db")

    async def test_a_server_that_does_not_run_is_no_setting_to_mend_and_its_password_is_not_quoted(self) -> None:
        with pytest.raises(Unreachable, match=r"refused.*, or that its server runs") as raised:
            await Ledger.open("postgresql://ann:hush@127.0.0.1:1/errand")
        assert "hush" not in str(raised.value)

    async def test_sqlite_survives_a_reader_beside_a_writer_by_its_write_ahead_log(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path}/ledger.db"
        await (await Ledger.open(url)).aclose()
        with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        assert mode == "wal"

    @pytest.mark.parametrize(
        "url",
        [
            "hush",
            "sqlite+aiosqlite:////tmp/hush.db",
            "sqlite:////proc/no/such/place/ledger.db",
            "sqlite:////tmp",
            "mysql+asyncmy://ann:hush@127.0.0.1/errand",
            "nosuch://ann:hush@127.0.0.1/errand",
            "postgresql+asyncpg://ann:hush@127.0.0.1/errand",
            "postgresql+psycopg2://ann:hush@127.0.0.1/errand",
            "postgresql://ann:hush@127.0.0.1:port/errand",
            "postgresql://ann:hush@127.0.0.1:ha/hush@db/errand",
            "postgresql://ann:hush@no.such.host.invalid/errand",
            "postgresql://ann:hush@127.0.0.1:1/errand?no_such_option=hush",
        ],
    )
    async def test_one_that_cannot_be_used_is_a_setting_to_mend_and_its_password_is_not_quoted(self, url: str) -> None:
        with pytest.raises(
            ConfigurationError, match=r"^ERRAND_LEDGER_URL: the ledger( \S+)? cannot be used: ."
        ) as raised:
            await Ledger.open(url)
        assert "hush" not in str(raised.value)

    @pytest.mark.parametrize("scheme", ["mysql", "mysql+asyncmy", "oracle", "nosuch", "postgres"])
    async def test_one_of_another_kind_is_told_which_there_are(self, scheme: str) -> None:
        kinds = r"it is of SQLite \(sqlite:////PATH\) or PostgreSQL \(postgresql://…\), and not of "
        with pytest.raises(ConfigurationError, match=f"{kinds}{scheme.partition('+')[0]}; see that ERRAND_LEDGER_URL"):
            await Ledger.open(f"{scheme}://ann:hush@127.0.0.1/errand")

    async def test_a_database_that_is_not_there_is_a_setting_to_mend(self, bare_database: Database) -> None:
        if bare_database.url.startswith("postgresql"):
            wrong = bare_database.url.replace("/postgres?", "/not_there?").replace("postgres@", "postgres:hush@")
        else:
            wrong = bare_database.url.replace("ledger.db", "")
        with pytest.raises(
            ConfigurationError, match=r"^ERRAND_LEDGER_URL: .*(does not exist|unable to open)"
        ) as raised:
            await Ledger.open(wrong)
        assert "hush" not in str(raised.value)


async def test_a_file_that_is_removed_or_exchanged_under_a_worker_takes_no_writes(tmp_path: Path) -> None:
    """It would go on writing where nobody else can read."""
    file, aside = tmp_path / "ledger.db", tmp_path / "aside.db"
    async with aclosing(await Ledger.open(f"sqlite:///{file}")) as ledger:
        await ledger.begin(Write(CALL), attempt=1, seen=None)
        file.rename(aside)
        with pytest.raises(ServiceUnavailable, match=r"ERRAND_LEDGER_URL: the ledger .* was removed; put it back"):
            await ledger.begin(Write(OTHER), attempt=1, seen=None)
        async with aclosing(await Ledger.open(f"sqlite:///{file}")):
            with pytest.raises(ServiceUnavailable, match="another ledger lies at"):
                await ledger.look_up(Write(OTHER))
        file.unlink()
        file.symlink_to(file)
        with pytest.raises(ServiceUnavailable, match="cannot be looked at: Too many levels of symbolic links"):
            await ledger.look_up(Write(OTHER))
        file.unlink()
        aside.rename(file)
        await ledger.begin(Write(OTHER), attempt=1, seen=None)


async def test_postgresql_reads_what_others_have_committed_whatever_its_own_default_is(
    postgres: Postgres, empty: None
) -> None:
    """A snapshot from before one's turn would let two writes begin that must know of each other."""
    await postgres.run("ALTER DATABASE postgres SET default_transaction_isolation = 'repeatable read'")
    try:
        async with aclosing(await Ledger.open(postgres.url)) as one, aclosing(await Ledger.open(postgres.url)) as two:
            alike = [CALL.model_copy(update={"key": f"orders/7/{turn}.1", "chain": f"{turn}"}) for turn in range(20)]
            begun = await asyncio.gather(
                *(
                    ledger.begin(Write(call, likeness="same"), attempt=1, seen=None)
                    for call, ledger in zip(alike, (one, two) * 10, strict=True)
                ),
                return_exceptions=True,
            )
            assert [type(each).__name__ for each in begun if not isinstance(each, str)] == 19 * ["KeyTaken"]
    finally:
        await postgres.run("ALTER DATABASE postgres RESET default_transaction_isolation")


@pytest.mark.parametrize(("set_up", "used"), [("off", "on"), ("remote_apply", "remote_apply")])
def test_postgresql_does_not_say_that_it_has_written_down_what_a_crash_may_take(
    postgres: Postgres, set_up: str, used: str
) -> None:
    url = f"{postgres.url}&options=-csynchronous_commit%3D{set_up}"
    made = engine.engine_of(url, create=True, connections=1)
    with made.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == used
    made.dispose()


async def test_two_ledgers_are_told_apart_and_a_copy_is_not(tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("one", "two")]
    async with aclosing(await Ledger.open(urls[0])) as one, aclosing(await Ledger.open(urls[1])) as two:
        assert one.identity != two.identity
        async with aclosing(await Ledger.open(urls[0])) as again:
            assert again.identity == one.identity


async def test_a_worker_whose_file_cannot_be_opened_may_live(tmp_path: Path) -> None:
    ledger = await Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    folder = tmp_path / "ledger.db.workers"
    [lock] = [path for path in folder.iterdir() if not path.name.startswith(".")]
    await ledger.begin(Write(CALL), attempt=1, seen=None)
    lock.rename(tmp_path / "kept")
    lock.symlink_to(lock.name)  # it leads nowhere, and so no more can be opened than without permission
    with pytest.raises(NotOpen, match="it may be under way"):
        await ledger.resolve(CALL.key, delivered=False, by="ann")
    await ledger.aclose()
