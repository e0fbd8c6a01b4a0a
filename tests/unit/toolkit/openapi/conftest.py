"""A far end, and a place for what is kept of documents, for all tests of sources."""

from collections.abc import Generator
from pathlib import Path

import pytest

from activities.toolkit import foreign_tools
from tests.unit.toolkit.openapi.far_end import FarEnd, far_end


@pytest.fixture
def far() -> Generator[FarEnd]:
    with far_end() as found:
        yield found


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_tools, "KEPT", tmp_path / "kept")
    monkeypatch.setenv("DESK_TOKEN", "desk-secret-41")
