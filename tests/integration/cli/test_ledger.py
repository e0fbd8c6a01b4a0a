"""`client.py actions` and `resolve`, with a real ledger and no Temporal server behind them."""

import json
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from activities.ledger.ledger import Ledger
from activities.ledger.rows import State, Write
from activities.ledger.tables import SCHEMA_VERSION
from tests.integration.cli.conftest import CommandLine, Said
from workflows.contract.internal import ToolCall


@pytest.fixture
def cli(tmp_path: Path) -> CommandLine:
    """The command line of a user called ann, where no Temporal server answers."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    return CommandLine({"TEMPORAL_ADDRESS": "127.0.0.1:1", "ERRAND_LEDGER_URL": url, "LOGNAME": "ann"})


@pytest_asyncio.fixture(loop_scope="session")
async def ledger(cli: CommandLine) -> AsyncIterator[Ledger]:
    """With one action done and one unknown."""
    ledger = await Ledger.open(cli.environment["ERRAND_LEDGER_URL"])
    for key, state in (("first/1.1", State.DONE), ("second/2.1", State.UNKNOWN)):
        action = ToolCall(key=key, tool="tell", arguments={"to": [key]}, requester="ann", approved_by="carol")
        token = await ledger.begin(Write(action), attempt=1, seen=None)
        await ledger.finish(key, token, state, error="no answer" if state is State.UNKNOWN else None)
    yield ledger
    await ledger.aclose()


def keys(said: Said) -> list[str]:
    assert (said.code, said.err) == (0, "")
    return [json.loads(line)["key"] for line in said.out.splitlines()]


def make_empty(path: Path) -> None:
    path.touch()


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


@pytest.mark.usefixtures("ledger")
async def test_actions_shows_what_was_done_by_whose_yes_and_what_went_wrong(cli: CommandLine) -> None:
    shown = await cli("actions")
    assert shown.code == 0
    for expected in ("first/1.1", "second/2.1", "tell", "done", "unknown", "carol", "no answer"):
        assert expected in shown.out, shown.out


@pytest.mark.usefixtures("ledger")
async def test_actions_as_json_is_one_object_a_line_the_latest_first(cli: CommandLine) -> None:
    shown = await cli("actions", "--json")
    assert keys(shown) == ["second/2.1", "first/1.1"]
    second = json.loads(shown.out.splitlines()[0])
    assert (second["state"], second["requester"], second["arguments"]) == ("unknown", "ann", {"to": ["second/2.1"]})
    assert "token" not in second


@pytest.mark.usefixtures("ledger")
async def test_actions_finds_by_request_state_time_and_number(cli: CommandLine) -> None:
    assert keys(await cli("actions", "--json", "--request", "first")) == ["first/1.1"]
    assert keys(await cli("actions", "--json", "--state", "unknown")) == ["second/2.1"]
    assert keys(await cli("actions", "--json", "--limit", "1")) == ["second/2.1"]
    assert keys(await cli("actions", "--json", "--since", "1h", "--state", "done")) == ["first/1.1"]
    assert keys(await cli("actions", "--json", "--since", "2999-01-01")) == []
    assert await cli("actions", "--request", "third") == Said(0, "", "no actions\n")


@pytest.mark.usefixtures("ledger")
async def test_a_filter_that_is_no_state_or_time_ends_with_2(cli: CommandLine) -> None:
    assert (await cli("actions", "--state", "lost")).code == 2
    wrong = await cli("actions", "--since", "yesterday")
    assert wrong.code == 2
    assert "--since" in wrong.err


@pytest.mark.parametrize(("word", "state"), [("delivered", State.DONE), ("not-delivered", State.NOT_DONE)])
async def test_a_persons_word_settles_an_unknown_once(
    cli: CommandLine, ledger: Ledger, word: str, state: State
) -> None:
    said = await cli("resolve", "second/2.1", word)
    assert said.code == 0
    assert "The receipt of a request that has ended stays as it is." in said.err
    settled = await ledger.find("second/2.1")
    assert settled is not None
    assert (settled.state, settled.resolved_by) == (state, "ann")
    again = await cli("resolve", "second/2.1", "delivered", "--by", "dave")
    assert again == Said(2, "", f"error: second/2.1: it is {state} already\n")


async def test_a_write_that_may_be_under_way_is_settled_only_where_that_is_said(
    cli: CommandLine, ledger: Ledger
) -> None:
    call = ToolCall(key="third/1.1", tool="tell", arguments={})
    await ledger.begin(Write(call), attempt=1, seen=None)
    refused = await cli("resolve", "third/1.1", "delivered")
    assert refused.code == 2
    assert "third/1.1: it may be under way; settle it when its worker has ended" in refused.err
    assert "--even-if-under-way" in refused.err
    assert (await cli("resolve", "third/1.1", "delivered", "--even-if-under-way")).code == 0


@pytest.mark.usefixtures("ledger")
async def test_what_is_not_there_or_no_word_cannot_be_settled(cli: CommandLine) -> None:
    unknown = await cli("resolve", "third/1.1", "delivered")
    assert unknown == Said(2, "", "error: third/1.1: there is no such action\n")
    assert (await cli("resolve", "second/2.1", "maybe")).code == 2


def age(cli: CommandLine) -> None:
    """All that the ledger has, it has since 2024."""
    with closing(sqlite3.connect(cli.environment["ERRAND_LEDGER_URL"].removeprefix("sqlite:///"))) as connection:
        connection.execute("UPDATE errand_actions SET begun_at = '2024-01-01', finished_at = '2024-01-01'")
        connection.commit()


@pytest.mark.usefixtures("ledger")
async def test_prune_says_how_many_rows_are_old_and_removes_them_after_a_yes(cli: CommandLine) -> None:
    age(cli)
    dry = await cli("ledger", "prune", "--older-than", "400d", "--dry-run")
    assert (dry.code, "rows to be removed: 1" in dry.out) == (0, True)
    unasked = await cli("ledger", "prune", "--older-than", "400d")
    assert (unasked.code, "--yes" in unasked.err) == (2, True)
    assert keys(await cli("actions", "--json")) == ["first/1.1", "second/2.1"]
    pruned = await cli("ledger", "prune", "--older-than", "400d", "--yes", "--json")
    assert (pruned.code, json.loads(pruned.out)["removed"]) == (0, 1)
    assert keys(await cli("actions", "--json")) == ["second/2.1"]


@pytest.mark.usefixtures("ledger")
async def test_prune_refuses_an_age_at_which_requests_may_still_look_rows_up(cli: CommandLine) -> None:
    said = await cli("ledger", "prune", "--older-than", "29d", "--yes")
    assert (said.code, "--older-than: at least 30d" in said.err) == (2, True)


@pytest.mark.usefixtures("ledger")
async def test_export_writes_one_object_a_line_the_oldest_first(cli: CommandLine) -> None:
    said = await cli("ledger", "export")
    assert keys(said) == ["first/1.1", "second/2.1"]
    assert "token" not in json.loads(said.out.splitlines()[0])
    assert keys(await cli("ledger", "export", "--since", "1h")) == ["first/1.1", "second/2.1"]
    assert keys(await cli("ledger", "export", "--since", "2999-01-01")) == []


@pytest.mark.parametrize(
    "words",
    [
        ("actions",),
        ("resolve", "a/1.1", "delivered"),
        ("ledger", "export"),
        ("ledger", "prune", "--older-than", "400d", "--yes"),
    ],
)
async def test_where_there_is_no_ledger_none_is_made(cli: CommandLine, tmp_path: Path, words: tuple[str, ...]) -> None:
    shown = await cli(*words)
    assert shown.code == 2
    assert f"ERRAND_LEDGER_URL: there is no ledger at {tmp_path / 'ledger.db'}" in shown.err
    assert files_in(tmp_path) == []


async def test_a_file_that_is_empty_is_no_ledger_either(cli: CommandLine, tmp_path: Path) -> None:
    make_empty(tmp_path / "ledger.db")
    shown = await cli("actions", "--json")
    assert (shown.code, shown.out) == (2, "")
    assert f"ERRAND_LEDGER_URL: there is no ledger at {tmp_path / 'ledger.db'}" in shown.err


async def test_a_ledger_that_cannot_be_used_ends_with_2_and_names_the_variable(cli: CommandLine) -> None:
    for url in ("nonsense", "sqlite://"):
        shown = await CommandLine({**cli.environment, "ERRAND_LEDGER_URL": url})("actions")
        assert shown.code == 2
        assert "ERRAND_LEDGER_URL" in shown.err


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:hush-hush@127.0.0.1:1/errand",
        "postgresql://ann:hu@sh#hush-hush@127.0.0.1:1/errand",
        "postgresql://ann:hush-hush@no.such.host.invalid/errand",
        "postgresql://ann@127.0.0.1:1/errand?password=hush-hush&no_such_option=hush-hush",
        "nosuch://ann:hush-hush@127.0.0.1/errand",
    ],
)
async def test_a_ledger_that_cannot_be_used_is_told_without_its_password(cli: CommandLine, url: str) -> None:
    shown = await CommandLine({**cli.environment, "ERRAND_LEDGER_URL": url})("actions")
    assert shown.code != 0
    assert "ERRAND_LEDGER_URL" in shown.err
    assert "hush" not in shown.err + shown.out


@pytest.mark.usefixtures("ledger")
async def test_an_audit_is_exported_with_its_head_and_found_as_exported(cli: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    exported = await cli("audit", "--since", "7d", "--output", str(file))
    assert exported.code == 0
    [head] = re.findall(r"2 rows, head ([0-9a-f]{64})", exported.err)
    assert await cli("audit", "--verify", str(file), "--head", head) == Said(
        0, f"2 rows, head {head}: as exported\n", ""
    )
    wrong = await cli("audit", "--verify", str(file), "--head", "0" * 64, "--json")
    assert (wrong.code, len(json.loads(wrong.out)["problems"])) == (1, 1)
    assert (await cli("audit", "--verify", str(tmp_path / "none"))).code == 2


@pytest.mark.usefixtures("ledger")
async def test_why_needs_temporal_unless_it_is_given_a_history(cli: CommandLine) -> None:
    history = Path(__file__).parents[2] / "histories" / "approved.json"
    assert (await cli("why", "approved")).code == 3
    explained = await cli("why", "approved", "--history", str(history))
    assert explained.code == 1
    for words in ("ann said yes at", "⚠", "it is done, and the ledger has no row of it"):
        assert words in explained.out
    assert json.loads((await cli("why", "approved", "1.1", "--history", str(history), "--json")).out)["calls"]
    assert "its calls are: 1.1" in (await cli("why", "approved", "7.7", "--history", str(history))).err


async def test_downgrade_takes_the_ledger_back_by_one_version_once_its_workers_have_ended(
    cli: CommandLine, ledger: Ledger
) -> None:
    refused = await cli("ledger", "downgrade", "--yes")
    assert refused == Said(2, "", "error: workers use the ledger (processes: 1): stop them all first\n")
    await ledger.aclose()
    assert "--yes: say it" in (await cli("ledger", "downgrade")).err
    said = await cli("ledger", "downgrade", "--yes")
    assert (said.code, f"is of version {SCHEMA_VERSION - 1} now, with all its rows" in said.out) == (0, True)
    assert keys(await cli("actions", "--json")) == ["second/2.1", "first/1.1"]
