"""`client.py budgets`, with a real ledger and no Temporal server behind it."""

import json
from pathlib import Path

import pytest

from activities.ledger.ledger import Ledger
from activities.ledger.rows import State, Write
from activities.policy import Policy
from tests.integration.cli.conftest import CommandLine
from workflows.contract.internal import ToolCall

POLICY = """
[[budget]]
requester = "billing-*"
tool = "tell"
most = 5
per = "day"
then = "ask"

[[budget]]
cost = 5.00
per = "month"
"""


@pytest.fixture
def cli(tmp_path: Path) -> CommandLine:
    (tmp_path / "policy.toml").write_text(POLICY)
    return CommandLine(
        {
            "TEMPORAL_ADDRESS": "127.0.0.1:1",
            "ERRAND_LEDGER_URL": f"sqlite:///{tmp_path / 'ledger.db'}",
            "ERRAND_POLICY": str(tmp_path / "policy.toml"),
        }
    )


async def three_taken(cli: CommandLine) -> None:
    """One done, one unknown, one under way."""
    budget = Policy.load(Path(cli.environment["ERRAND_POLICY"])).budget[0]
    ledger = await Ledger.open(cli.environment["ERRAND_LEDGER_URL"])
    for key, state in (("a/1.1", State.DONE), ("b/1.1", State.UNKNOWN), ("c/1.1", None)):
        write = Write(ToolCall(key=key, tool="tell", arguments={}), charges=(budget.charge_of({}),))
        token = await ledger.begin(write, attempt=1, seen=None)
        if state:
            await ledger.finish(key, token, state)
    await ledger.aclose()


async def test_budgets_shows_what_is_used_reserved_and_left_and_when_it_is_free_again(cli: CommandLine) -> None:
    await three_taken(cli)
    shown = await cli("budgets")
    calls, cost = shown.out.splitlines()[1:]
    assert (shown.code, shown.err) == (0, "")
    assert calls.split()[:11] == [*["5", "calls", "of", "tell", "per", "day", "for", "billing-*", "2", "1", "2"]]
    assert cost.split()[:11] == [*["a", "cost", "of", "5", "per", "month", "for", "all", "0", "0", "5"]]
    assert calls.endswith("00:00 UTC")


async def test_budgets_as_json_is_one_object_a_line(cli: CommandLine) -> None:
    await three_taken(cli)
    first, second = map(json.loads, (await cli("budgets", "--json")).out.splitlines())
    assert {name: first[name] for name in ("requester", "tool", "most", "per", "then", "used", "reserved", "left")} == {
        "requester": "billing-*",
        "tool": "tell",
        "most": 5,
        "per": "day",
        "then": "ask",
        "used": 2,
        "reserved": 1,
        "left": 2,
    }
    assert (second["cost"], second["left"]) == (5, 5)


def empty(policy: str) -> None:
    Path(policy).write_text("")


async def test_without_budgets_it_says_so(cli: CommandLine) -> None:
    empty(cli.environment["ERRAND_POLICY"])
    shown = await cli("budgets")
    assert shown.code == 0
    assert "the policy has no budgets" in shown.out + shown.err
