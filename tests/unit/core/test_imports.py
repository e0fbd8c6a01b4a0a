"""Workflow code stays deterministic because of what it cannot reach."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
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


IN_ONE_PROCESS = (("workflows.request", "worker", "client"), ("deploy.web.__main__", "activities.smtp.html"))
"""Imports that follow each other; the order is such that none loads what a later one must not."""


@cache
def loaded(imports: tuple[str, ...]) -> dict[str, set[str]]:
    """The names of all modules that are there after each of these imports, by the first process that makes them."""
    code = "import sys, importlib\nfor name in sys.argv[1:]:\n importlib.import_module(name)\n print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code, *imports], cwd=ROOT, check=True, capture_output=True, text=True)
    return {name: {*line.split()} for name, line in zip(imports, said.stdout.splitlines(), strict=True)}


def loaded_by(module: str) -> set[str]:
    """The names of all modules that are there after an import, and after those before it."""
    [imports] = [each for each in IN_ONE_PROCESS if module in each]
    return loaded(imports)[module]


@pytest.mark.long
def test_importing_the_workflow_loads_no_client_and_no_activity() -> None:
    unwanted = {"activities", "openai", "httpx", "httpx2", "aiosmtplib", "structlog", "pydantic_settings", "sqlalchemy"}
    assert unwanted & loaded_by("workflows.request") == set()


@pytest.mark.long
def test_a_worker_or_a_client_that_nobody_observes_has_loaded_nothing_of_opentelemetry() -> None:
    for module in ("worker", "client"):
        assert {name for name in loaded_by(module) if name.startswith("opentelemetry")} == set()


@pytest.mark.long
def test_what_cleans_html_is_not_loaded_before_there_is_html() -> None:
    assert "nh3" not in loaded_by("activities.smtp.html")


@pytest.mark.long
def test_a_door_that_has_only_begun_has_loaded_nothing_of_the_worker() -> None:
    clients = {"openai", "httpx", "httpx2", "aiosmtplib", "mcp", "icalendar", "sqlalchemy", "sqlite3", "jsonschema"}
    unwanted = {*clients, "temporalio.worker", "activities.toolkit.tool"}
    assert unwanted & loaded_by("deploy.web.__main__") == set()


MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for folder in ("workflows", "activities", "deploy")
    for path in sorted(ROOT.glob(f"{folder}/**/*.py"))
} | {name: ROOT / f"{name}.py" for name in ("worker", "client")}
ARROWS = (
    ("workflows", ("activities", "deploy", "worker", "client")),
    ("activities", ("deploy", "worker", "client")),
    ("deploy.client", ("deploy.terminal", "deploy.web", "deploy.service", "deploy.local", "client", "worker")),
    ("deploy.web", ("deploy.terminal", "client", "worker")),
    ("deploy.service", ("deploy.terminal", "deploy.web", "deploy.client", "client")),
)
"""Who must not import whom."""


@cache
def modules_imported_by(path: Path) -> set[str]:
    """Those of this repository."""
    names = {part for name in imported(path) for part in (name, name.rpartition(".")[0])}
    return names & MODULES.keys()


def test_no_module_imports_itself_by_way_of_others() -> None:
    left = {name: modules_imported_by(path) - {name} for name, path in MODULES.items()}
    while free := {name for name, others in left.items() if not others & left.keys()}:
        left = {name: others for name, others in left.items() if name not in free}
    assert left == {}


@pytest.mark.parametrize(("folder", "others"), ARROWS, ids=[folder for folder, _ in ARROWS])
def test_imports_go_one_way(folder: str, others: tuple[str, ...]) -> None:
    within = {name: path for name, path in MODULES.items() if f"{name}.".startswith(f"{folder}.")}
    wrong = {
        name: sorted(
            each for each in modules_imported_by(path) if f"{each}.".startswith(tuple(f"{o}." for o in others))
        )
        for name, path in within.items()
    }
    assert {name: found for name, found in wrong.items() if found} == {}


def test_no_file_has_more_than_300_lines() -> None:
    longest = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in MODULES.items()}
    assert {name: lines for name, lines in longest.items() if lines > 300} == {}
