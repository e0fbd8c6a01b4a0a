"""A docstring says first what the thing does."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
MODULES = [
    ROOT / "client.py",
    ROOT / "worker.py",
    *(path for folder in ("activities", "workflows", "deploy") for path in sorted(ROOT.glob(f"{folder}/**/*.py"))),
]
SECTIONS = ("Args:", "Raises:", "Returns:", "Yields:")
MAY_BEGIN = re.compile(rf"[\"'][\s\\]*(?:{'|'.join(SECTIONS)})")
"""In a source without this no docstring does: hardly one has to be parsed, which takes 2 ms for each."""


def beginning_with_a_section(source: str) -> Iterator[str]:
    """The names of what has a docstring without a first line of its own."""
    if not MAY_BEGIN.search(source):
        return
    for node in ast.walk(ast.parse(source)):
        named = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if named and (ast.get_docstring(node) or "").startswith(SECTIONS):
            yield "the module" if isinstance(node, ast.Module) else node.name


def test_no_docstring_begins_with_its_errors_or_arguments() -> None:
    found = {path: [*beginning_with_a_section(path.read_text(encoding="utf-8"))] for path in MODULES}
    assert len(found) > 400
    assert {str(path.relative_to(ROOT)): names for path, names in found.items() if names} == {}


def test_one_that_does_is_found() -> None:
    assert [*beginning_with_a_section('def f():\n    """\n    Raises:\n        ValueError: always.\n    """')] == ["f"]
