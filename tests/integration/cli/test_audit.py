"""The ledger as auditors get it, from either kind of database, and what shows of what was changed afterwards."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from activities.ledger.rows import State, Write
from tests.integration.cli.conftest import CommandLine, Said
from tests.integration.ledger.conftest import Database
from workflows.contract.internal import ToolCall

WRITES = {"a/1.1": State.DONE, "b/1.1": State.UNKNOWN, "c/1.1": State.NOT_DONE}


@pytest.fixture
async def written(database: Database) -> AsyncIterator[Database]:
    """With a write of every state."""
    ledger = await database.open()
    for key, state in WRITES.items():
        call = ToolCall(key=key, tool="tell", arguments={"to": [key, "ü"]}, requester="ann", approved_by="carol")
        token = await ledger.begin(Write(call), attempt=1, seen=None)
        await ledger.finish(key, token, state, result={"sent": 1.50})
    yield database
    await database.close()


@pytest.fixture
def cli(cli: CommandLine, written: Database) -> CommandLine:
    return replace(cli, environment={**cli.environment, "ERRAND_LEDGER_URL": written.url})


async def exported(cli: CommandLine, file: Path) -> str:
    """The head of an export to this file."""
    said = await cli("audit", "--since", "7d", "--output", str(file))
    assert said.code == 0, said
    [head] = re.findall(r"3 rows, head ([0-9a-f]{64})", said.err)
    return head


async def test_an_export_is_found_as_exported(cli: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    head = await exported(cli, file)
    assert await cli("audit", "--verify", str(file), "--head", head) == Said(
        0, f"3 rows, head {head}: as exported\n", ""
    )


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE errand_actions SET approved_by = 'bob' WHERE key = 'a/1.1'", "approved_by"),
        ("DELETE FROM errand_actions WHERE key = 'b/1.1'", "b/1.1"),
        ("UPDATE errand_actions SET result = '{\"sent\": 2}' WHERE key = 'a/1.1'", "result"),
    ],
    ids=["a field", "a row", "a result"],
)
@pytest.mark.sampled(2)
async def test_what_somebody_changes_in_the_database_shows(
    cli: CommandLine, written: Database, tmp_path: Path, statement: str, problem: str
) -> None:
    file = tmp_path / "audit.jsonl"
    await exported(cli, file)
    await written.run(statement)
    said = await cli("audit", "--verify", str(file), "--json")
    assert said.code == 1
    [found] = json.loads(said.out)["problems"]
    assert problem in found


async def test_a_row_that_cannot_be_read_is_named_and_the_others_are_there(cli: CommandLine, written: Database) -> None:
    await written.run("UPDATE errand_actions SET state = 'finished' WHERE key = 'b/1.1'")
    for command in ("audit", "actions"):
        said = await cli(command)
        assert said.code == 1
        assert "b/1.1: state of its row in the ledger is damaged" in said.err
        assert ["a/1.1" in said.out, "b/1.1" in said.out, "c/1.1" in said.out] == [True, False, True]
