"""Workflow code stays deterministic because of what it cannot reach."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WORKFLOWS = sorted(ROOT.glob("workflows/**/*.py"))
ALLOWED = (
    "workflows",
    "temporalio.workflow",
    "temporalio.common",
    "temporalio.exceptions",
    "pydantic",
    "pydantic_core",
)
"""Beside the standard library."""


def imported(path: Path) -> Iterator[str]:
    """The full name of everything that a module imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (each.name for each in names)
            case ast.ImportFrom(module=module, names=names, level=0):
                yield from (f"{module}.{each.name}" for each in names)
            case ast.ImportFrom():
                yield "workflows"
            case _:
                pass


def allowed(name: str) -> bool:
    return name.split(".")[0] in sys.stdlib_module_names or any(f"{name}.".startswith(f"{each}.") for each in ALLOWED)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_module_imports_only_what_is_deterministic(path: Path) -> None:
    assert [name for name in imported(path) if not allowed(name)] == []


def test_importing_the_workflow_loads_no_client_and_no_activity() -> None:
    code = "import sys, workflows.request; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    unwanted = {"activities", "openai", "httpx", "httpx2", "aiosmtplib", "structlog", "pydantic_settings", "sqlalchemy"}
    assert unwanted & set(loaded.stdout.split()) == set()
