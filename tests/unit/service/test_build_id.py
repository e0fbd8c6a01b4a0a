"""A build id tells workers that do not do the same apart, and none that do."""

from dataclasses import replace
from pathlib import Path

import pytest

from activities.policy import Policy, Rule
from activities.toolkit.sources import source_of
from activities.toolkit.tool import Tool
from deploy.service.build_id import build_id

pytestmark = pytest.mark.usefixtures("imports_undone")
SOURCE = '''
from activities.toolkit.tool import tool


@tool()
async def measure(depth: int) -> int:
    """Measure."""
    return depth
'''


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A module of somebody's with a tool."""
    path = tmp_path / "soundings.py"
    path.write_text(SOURCE)
    return path


@pytest.fixture
def measure(module: Path) -> Tool:
    [made] = source_of(str(module)).tools()
    return made


def test_it_is_the_same_for_the_same_tools_in_any_order(measure: Tool) -> None:
    other = replace(measure, name="sound")
    assert build_id([measure, other], Policy()) == build_id([other, measure], Policy())


def test_another_policy_fewer_tools_or_another_line_in_a_tools_module_make_another(measure: Tool, module: Path) -> None:
    before = build_id([measure], Policy())
    assert build_id([measure], Policy(rule=(Rule(ruling="deny"),))) != before
    assert build_id([], Policy()) != before
    module.write_text(SOURCE.replace("return depth", "return -depth"))
    assert build_id([measure], Policy()) != before
