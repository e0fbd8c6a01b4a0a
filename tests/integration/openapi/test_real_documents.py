"""Real documents become tools, and requests that fit them; GitHub's is quick and small at a later start."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from activities.settings.environment import PROJECT
from tests.openapi.__main__ import imported
from tests.openapi.documents import EXAMPLES, FIGMA, GITHUB, documents, shown

pytestmark = pytest.mark.skipif(
    not all(each.folder.is_dir() for each in (EXAMPLES, FIGMA, GITHUB)),
    reason="the documents are not there; make openapi downloads them",
)

START = """
import json, sys, time
from pathlib import Path
from activities.toolkit import foreign_tools
import activities.toolkit.openapi.source
from activities.settings import Settings
from activities.toolkit.catalogue import Catalogue

def resident():
    [line] = [each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmRSS")]
    return int(line.split()[1]) / 1024

foreign_tools.KEPT = Path(sys.argv[1])
Catalogue.load(Settings.read(sources=None))
before, began = resident(), time.monotonic()
found = Catalogue.load(Settings.from_environment())
seconds, mebibytes = time.monotonic() - began, resident() - before
print(json.dumps([sum(name.startswith("github_") for name in found.every), seconds, mebibytes]))
"""


@pytest.mark.parametrize("path", [*documents(EXAMPLES, FIGMA)], ids=shown)
def test_every_request_fits_its_document(path: Path) -> None:
    found = imported(path)
    assert found.checked.invalid == ()


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_github_costs_little_time_and_memory_at_the_second_start(tmp_path: Path) -> None:
    [path] = documents(GITHUB)
    (tmp_path / "sources.toml").write_text(f'[openapi.github]\ndocument = "{path}"\noffer = ["issues/[c-l]*"]')
    environment = {"ERRAND_SOURCES": str(tmp_path / "sources.toml"), "PATH": "", "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-c", START, str(tmp_path)]
    first, second = (
        subprocess.run(command, env=environment, check=True, capture_output=True, text=True) for _ in range(2)
    )
    offered, seconds, mebibytes = json.loads(second.stdout)
    assert json.loads(first.stdout)[0] == offered
    assert offered >= 20
    assert (seconds < 2, mebibytes < 60) == (True, True), (seconds, mebibytes)
