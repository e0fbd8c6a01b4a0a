"""A worker that cannot start says why in one line, and in its exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

from activities.settings import Settings
from tests.logged import lines_of, logged
from worker import Service

ROOT = Path(__file__).parents[3]
NOWHERE = "127.0.0.1:1"


def started(tmp_path: Path, **variables: str) -> tuple[int, list[str]]:
    """The exit code and the lines on standard error that are not log lines, of a worker with only these settings."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ERRAND_", "OPENAI_", "TEMPORAL_")) and name != "XDG_CONFIG_HOME"
    }
    # A home without the user's own configuration of Temporal.
    environment = inherited | {"TEMPORAL_ADDRESS": NOWHERE, "HOME": str(tmp_path)} | variables
    ended = subprocess.run(
        [sys.executable, "worker.py"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stdout == ""
    return ended.returncode, [line for line in ended.stderr.splitlines() if not is_log_line(line)]


def is_log_line(line: str) -> bool:
    try:
        return "event" in json.loads(line)
    except ValueError:
        return False


def test_a_wrong_setting_is_named_on_one_line(tmp_path: Path) -> None:
    code, lines = started(tmp_path, ERRAND_SMTP_URL="smtp://ann:hush@mail.example.com:x")
    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith("error: ERRAND_SMTP_URL: ")
    assert "hush" not in lines[0]


def test_a_missing_setting_is_named_before_anything_is_connected_to(tmp_path: Path) -> None:
    code, lines = started(tmp_path, OPENAI_API_KEY="key")
    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith("error: OPENAI_MODEL: missing")


def test_a_key_in_a_file_that_cannot_be_read_is_not_quoted(tmp_path: Path) -> None:
    profiles = tmp_path / "temporal.toml"
    profiles.write_text("[profile.default]\napi_key = hush-hush-without-quotes\n")
    code, lines = started(
        tmp_path, OPENAI_MODEL="m", OPENAI_BASE_URL="http://127.0.0.1:1/v1", TEMPORAL_CONFIG_FILE=str(profiles)
    )
    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith("error: TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE: ")
    assert "line 2" in lines[0]
    assert "hush" not in lines[0]


def test_a_server_that_cannot_be_reached_is_named_on_one_line(tmp_path: Path) -> None:
    code, lines = started(tmp_path, OPENAI_MODEL="m", OPENAI_BASE_URL="http://127.0.0.1:1/v1")
    assert code == 3
    assert len(lines) == 1
    assert lines[0].startswith("error: cannot reach Temporal at 127.0.0.1:1 ")


def test_a_secret_that_is_too_short_to_be_redacted_is_warned_of() -> None:
    with logged() as log:
        Service.assemble(
            Settings.model_validate(
                {"openai_model": "m", "openai_base_url": "http://127.0.0.1:1/v1", "openai_api_key": "abc"}
                | {"stocks_token": "12345", "smtp_url": "smtp://ann:long-enough@mail.example.com"}
            )
        )
    warned = [line["setting"] for line in lines_of(log) if "too short" in str(line["event"])]
    assert warned == ["OPENAI_API_KEY", "ERRAND_STOCKS_TOKEN"]
