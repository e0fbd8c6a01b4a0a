"""A build id tells workers that do not do the same apart, and none that do."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from activities.policy import Policy, Rule
from activities.settings.environment import PROJECT
from activities.toolkit.parameters import Signature
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
PRINTED = """
import sys
from activities.policy import Policy
from activities.toolkit.sources import source_of
from deploy.service.build_id import build_id

tools = [tool for source in sys.argv[1:] for tool in source_of(source).tools()]
print(build_id(tools, Policy()), build_id(tools[:1], Policy()))
"""


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


def test_another_schema_makes_another(measure: Tool) -> None:
    async def in_fathoms(depth: float) -> None: ...

    assert build_id([replace(measure, parameters=Signature(in_fathoms))], Policy()) != build_id([measure], Policy())


@pytest.mark.long
def test_it_is_the_same_in_every_process(module: Path) -> None:
    sources = [str(module), "activities.tools.compose_email"]
    (every, first), others = printed(sources, hash_seed="1"), printed(sources, hash_seed="2")
    assert (every, first) == others
    assert every != first


def printed(sources: list[str], *, hash_seed: str) -> tuple[str, str]:
    """The build ids that a process of its own makes of all tools, and of the first alone."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", PRINTED, *sources]
    said = subprocess.run(command, cwd=PROJECT, env=environment, check=True, capture_output=True, text=True)
    every, first = said.stdout.split()
    return every, first
