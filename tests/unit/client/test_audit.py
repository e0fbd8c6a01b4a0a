"""An export of the ledger, in which every change shows."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
import sqlalchemy as sa

from activities.errors import ConfigurationError
from activities.ledger.damage import DamagedRow
from activities.ledger.ledger import Ledger
from activities.ledger.rows import State, Write
from deploy.client.audit import Link, export, verify
from workflows.contract.internal import ToolCall

LIKE_A = ToolCall(key="a/1.1", tool="tell", arguments={"to": ["a/1.1", "\u2028"]}, requester="ann", approved_by="carol")
PAID = ToolCall(key="d/1.1", tool="pay", arguments={"times": 1})
STATES = {"a/1.1": State.DONE, "b/1.1": State.UNKNOWN, "c/1.1": State.NOT_DONE}


@pytest_asyncio.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    ledger = await Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    for key, state in STATES.items():
        write = Write(
            ToolCall(key=key, tool="tell", arguments={"to": [key, "\u2028"]}, requester="ann", approved_by="carol")
        )
        await ledger.finish(key, await ledger.begin(write, attempt=1, seen=None), state, result={"sent": "ü"})
    yield ledger
    await ledger.aclose()


@pytest_asyncio.fixture
async def file(ledger: Ledger, tmp_path: Path) -> Path:
    lines, _ = await export(ledger, None)
    return written(tmp_path, lines)


def written(folder: Path, lines: list[str]) -> Path:
    (made := folder / "audit.jsonl").write_text("\n".join(lines) + "\n")
    return made


def lines_of(file: Path) -> list[str]:
    return file.read_text().rstrip("\n").split("\n")


def changed(ledger: Path, statement: str) -> None:
    """By somebody who can write to the database."""
    engine = sa.create_engine(f"sqlite:///{ledger}")
    with engine.begin() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()


async def test_an_export_is_as_exported_and_has_no_token(file: Path, ledger: Ledger) -> None:
    found = await verify(file, ledger)
    assert (found.rows, found.problems, found.moved_on) == (3, (), ())
    assert not any("token" in line for line in lines_of(file))
    assert [json.loads(line)["content"].get("key") for line in lines_of(file)[:-1]] == [None, *STATES]


@pytest.mark.parametrize("number", range(5))
async def test_a_line_that_was_removed_shows(number: int, file: Path, tmp_path: Path) -> None:
    lines = lines_of(file)
    del lines[number]
    cut = written(tmp_path, lines)
    if number == 0:  # nothing says any more what was exported
        with pytest.raises(ConfigurationError, match="no export"):
            await verify(cut, None)
    else:
        assert (await verify(cut, None)).problems


@pytest.mark.parametrize("head", ["", " "])
async def test_an_empty_head_is_refused_and_not_taken_for_none(head: str, file: Path) -> None:
    with pytest.raises(ConfigurationError, match="--head is empty"):
        await verify(file, None, head=head)


async def test_a_line_that_was_changed_or_moved_shows(file: Path, tmp_path: Path) -> None:
    lines = lines_of(file)
    for wrong in ([*lines[:2], lines[2].replace("carol", "carla"), *lines[3:]], [lines[0], *lines[2:0:-1], *lines[3:]]):
        assert any("line 3" in problem for problem in (await verify(written(tmp_path, wrong), None)).problems)


async def test_an_export_ends_now_by_the_ledgers_own_clock(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    now_there = datetime.now(UTC) - timedelta(hours=1)

    async def clock() -> datetime:
        return now_there

    monkeypatch.setattr(ledger.upkeep, "clock", clock)
    lines, head = await export(ledger, None)
    assert datetime.fromisoformat(json.loads(lines[0])["content"]["until"]) == now_there
    assert head.rows == 0


async def test_a_line_that_says_something_twice_is_no_line_of_an_export(file: Path, tmp_path: Path) -> None:
    lines = lines_of(file)
    lines[2] = lines[2].replace('"approved_by":"carol"', '"approved_by":"carla","approved_by":"carol"')
    with pytest.raises(ConfigurationError, match="approved_by is there twice"):
        await verify(written(tmp_path, lines), None)


async def test_a_number_that_became_a_yes_in_the_database_shows(ledger: Ledger, tmp_path: Path) -> None:
    await ledger.finish("d/1.1", await ledger.begin(Write(PAID), attempt=1, seen=None), State.DONE)
    lines, _ = await export(ledger, None)
    changed(tmp_path / "ledger.db", """UPDATE errand_actions SET arguments = '{"times": true}' WHERE key = 'd/1.1'""")
    [problem] = (await verify(written(tmp_path, lines), ledger)).problems
    assert problem.startswith("d/1.1: arguments changed in the ledger")


async def test_a_chain_that_was_made_anew_shows_by_the_head_that_was_kept_and_by_the_ledger(
    file: Path, ledger: Ledger, tmp_path: Path
) -> None:
    kept = (await verify(file, None)).head
    links = [Link.model_validate_json(line) for line in lines_of(file)[:-1]]
    forged = [links[0], Link.after(links[0].hash, links[1].content)]
    for link in links[2:-1]:
        forged.append(Link.after(forged[-1].hash, link.content | {"approved_by": "carla"}))
    head = json.dumps({"head": forged[-1].hash, "rows": len(forged) - 1})
    made = written(tmp_path, [*(link.model_dump_json() for link in forged), head])
    assert (await verify(made, None)).problems == ()
    assert len((await verify(made, None, head=kept)).problems) == 1
    against = await verify(made, ledger)
    assert [each.partition(" changed")[0] for each in against.problems] == ["b/1.1: approved_by"]
    assert any("c/1.1 is in the ledger" in each for each in against.moved_on)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM errand_actions WHERE key = 'a/1.1'",
        "UPDATE errand_actions SET arguments = '{}' WHERE key = 'b/1.1'",
        "UPDATE errand_actions SET approved_by = 'eve' WHERE key = 'a/1.1'",
        "UPDATE errand_actions SET state = 'not_done' WHERE key = 'a/1.1'",
    ],
)
async def test_what_somebody_changed_in_the_database_shows(
    statement: str, file: Path, ledger: Ledger, tmp_path: Path
) -> None:
    changed(tmp_path / "ledger.db", statement)
    assert len((await verify(file, ledger)).problems) == 1


async def test_a_row_that_somebody_added_in_the_time_of_the_export_shows(ledger: Ledger, tmp_path: Path) -> None:
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    changed(tmp_path / "ledger.db", f"UPDATE errand_actions SET begun_at = '{an_hour_ago:%Y-%m-%d %H:%M:%S.%f}'")
    lines, _ = await export(ledger, an_hour_ago - timedelta(hours=1))
    more = (
        "SELECT 'd/1.1', digest, tool, arguments, request_id, requester, approved_by, state, token, attempt, begun_at"
    )
    columns = "key, digest, tool, arguments, request_id, requester, approved_by, state, token, attempt, begun_at"
    changed(tmp_path / "ledger.db", f"INSERT INTO errand_actions ({columns}) {more} FROM errand_actions LIMIT 1")
    [problem] = (await verify(written(tmp_path, lines), ledger)).problems
    assert problem.startswith("d/1.1 is in the ledger")


async def test_a_write_that_was_settled_since_is_told_and_is_no_problem(file: Path, ledger: Ledger) -> None:
    await ledger.resolve("b/1.1", delivered=True, by="dave")
    found = await verify(file, ledger)
    assert found.problems == ()
    assert "unknown then, done now, settled by dave" in found.moved_on[0]


async def test_another_ledger_is_told_apart(file: Path, tmp_path: Path) -> None:
    other = await Ledger.open(f"sqlite:///{tmp_path / 'other.db'}")
    [problem] = (await verify(file, other)).problems
    await other.aclose()
    assert problem.startswith("it was exported from ledger")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("state", "finished"),
        ("attempt", "first"),
        ("arguments", '{"to":'),
        ("result", "sent"),
        ("begun_at", "soon"),
        ("begun_at", ""),
        ("finished_at", "late"),
        ("requester", "errand-encrypted:k1"),
    ],
)
class TestDamagedRow:
    """Somebody wrote into the table what the ledger never writes."""

    @pytest.fixture
    def damaged(self, column: str, value: str, file: Path, ledger: Ledger, tmp_path: Path) -> Ledger:
        """After the export of the file."""
        assert file.exists()
        changed(tmp_path / "ledger.db", f"UPDATE errand_actions SET {column} = '{value}' WHERE key = 'a/1.1'")
        return ledger

    @pytest.mark.sampled(3)
    async def test_it_is_told_with_its_key_and_column(self, column: str, damaged: Ledger) -> None:
        for look in (damaged.find("a/1.1"), damaged.search(), damaged.look_up(Write(LIKE_A)), export(damaged, None)):
            with pytest.raises(DamagedRow, match=rf"^a/1\.1: {column} of its row .* damaged: .*; put") as told:
                await look
            assert (told.value.key, told.value.column) == ("a/1.1", column)

    @pytest.mark.sampled(3)
    async def test_the_others_are_exported_and_listed(self, column: str, damaged: Ledger, tmp_path: Path) -> None:
        of_export, of_search = list[DamagedRow](), list[DamagedRow]()
        an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
        lines, head = await export(damaged, an_hour_ago, of_export)
        assert head.rows == 2
        assert {row.key for row in await damaged.search(damaged=of_search)} == {"b/1.1", "c/1.1"}
        assert [each.column for each in (*of_export, *of_search)] == [column, column]
        [problem] = (await verify(written(tmp_path, lines), damaged)).problems
        assert problem == str(of_export[0])

    @pytest.mark.sampled(3)
    async def test_an_export_of_before_shows_it(self, file: Path, column: str, damaged: Ledger) -> None:
        [problem] = (await verify(file, damaged)).problems
        assert problem.startswith(f"a/1.1: {column} of its row")


async def test_a_row_that_is_damaged_is_found_on_later_pages_too(ledger: Ledger, tmp_path: Path) -> None:
    changed(tmp_path / "ledger.db", "UPDATE errand_actions SET state = 'finished' WHERE key = 'a/1.1'")
    damaged = list[DamagedRow]()
    [row] = await ledger.search(requester="ann", limit=1, damaged=damaged)
    assert row.key == "c/1.1"
    assert len(await ledger.search(requester="ann", limit=3, damaged=damaged)) == 2
    assert [each.key for each in damaged] == ["a/1.1"]
