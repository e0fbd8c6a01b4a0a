"""What the files of deploy/compose and deploy/kubernetes say, and which settings there are."""

import importlib.util
import json
import shutil
import subprocess
import sysconfig
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from activities.settings import Settings
from activities.settings.environment import SECRETS_FOLDER, variable

ROOT = Path(__file__).parents[3]
COMPOSE = ROOT / "deploy/compose"
KUBERNETES = ROOT / "deploy/kubernetes"
OVERLAYS = sorted(path.name for path in (KUBERNETES / "overlays").iterdir())

Manifest = dict[str, Any]

TEMPORALS_OWN = {"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"}
"""That `temporalio.envconfig` reads."""
NEEDED = {
    *TEMPORALS_OWN,
    *("OPENAI_MODEL", "OPENAI_BASE_URL", "OPENAI_API_KEY"),
    *("ERRAND_SMTP_URL", "ERRAND_MAIL_FROM", "ERRAND_LEDGER_URL", "ERRAND_PAYLOAD_KEYS"),
    *("ERRAND_GRACE", "ERRAND_HEALTH_ADDRESS", "ERRAND_UI_URL"),
}
"""What a worker in production is told."""


def known() -> set[str]:
    """The variables that Errand's processes read."""
    own = {variable(name) for name in Settings.fields()} | TEMPORALS_OWN | {SECRETS_FOLDER}
    return own | _of_the_door()


def _of_the_door() -> set[str]:
    """Where it is built."""
    page = (ROOT / "docs/configuration.md").read_text()
    if importlib.util.find_spec("deploy.web") is None:
        return {"ERRAND_WEB_HOST", "ERRAND_WEB_PORT", "ERRAND_WEB_KEYS", "ERRAND_WEB_PUBLIC_URL"}
    return {line.split("`")[1] for line in page.splitlines() if line.startswith("| `ERRAND_WEB_")}


def program(name: str) -> str:
    """Of a development dependency."""
    return str(Path(sysconfig.get_path("scripts"), name))


def ran(*words: str) -> str:
    """What it says; it has to end with 0."""
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def compose(name: str) -> Manifest:
    return cast(Manifest, yaml.safe_load((COMPOSE / name).read_text()))


@cache
def built(overlay: str) -> str:
    """What `kubectl apply -k` would apply."""
    if not shutil.which("kubectl"):
        pytest.skip("kubectl, which has kustomize, is not installed")
    return ran("kubectl", "kustomize", str(KUBERNETES / "overlays" / overlay))


def manifests(overlay: str) -> dict[str, Manifest]:
    """By kind, of which each is there once."""
    found = [cast(Manifest, each) for each in yaml.safe_load_all(built(overlay))]
    assert len({each["kind"] for each in found}) == len(found), json.dumps([each["kind"] for each in found])
    return {each["kind"]: each for each in found}
