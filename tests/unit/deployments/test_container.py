"""The Dockerfile is one that hadolint has nothing to say about, and what it names is there."""

from pathlib import Path

import pytest

from tests.container import __main__ as container
from tests.unit.deployments.manifests import ROOT, program, ran

FOLDER = ROOT / "deploy/container"
DOCKERFILE = (FOLDER / "Dockerfile").read_text()


def test_hadolint_finds_nothing() -> None:
    assert ran(program("hadolint"), str(FOLDER / "Dockerfile")) == ""


def test_what_is_copied_is_there_and_not_ignored() -> None:
    lines = [line.split()[1:] for line in DOCKERFILE.splitlines() if line.startswith("COPY ") and "--from" not in line]
    named = {name for words in lines for name in words[:-1]}
    assert {name for name in named if not (ROOT / name).exists()} == set()
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    assert named <= {line.removeprefix("!") for line in ignored if line.startswith("!")}


def test_the_worker_runs_as_nobody_special_and_is_asked_whether_it_is_well() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2].splitlines()
    assert "USER 10001:10001" in last
    assert 'CMD ["worker.py"]' in last
    assert any(line.startswith("HEALTHCHECK ") and "deploy.service.probe" in line for line in last)


def test_where_no_image_can_be_built_it_is_said_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert container.main() == 2
    assert capsys.readouterr().err == (
        "error: make image needs Docker, or, as root, buildah, runc, debootstrap; "
        "missing: buildah, runc, debootstrap (apt-get install buildah runc debootstrap)\n"
    )
