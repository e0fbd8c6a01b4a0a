"""A worker that cannot start says why in one line, and in its exit code."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from activities.settings import Settings
from deploy.service.assembly import Service
from deploy.service.open_files import ran_out
from tests.forked import Forked
from tests.logged import lines_of, logged

ROOT = Path(__file__).parents[3]
NOWHERE = "127.0.0.1:1"
MODEL = {"OPENAI_MODEL": "m", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}


def started(python: Forked, tmp_path: Path, **variables: str) -> tuple[int, list[str]]:
    """The exit code and the lines on standard error that are not log lines, of a worker with only these settings."""
    code, lines = said(python, tmp_path, **variables)
    return code, [line for line in lines if not is_log_line(line)]


def said(python: Forked, tmp_path: Path, **variables: str) -> tuple[int, list[str]]:
    """The exit code and all lines on standard error."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ERRAND_", "OPENAI_", "TEMPORAL_")) and name != "XDG_CONFIG_HOME"
    }
    # A home without the user's own configuration of Temporal.
    environment = inherited | {"TEMPORAL_ADDRESS": NOWHERE, "HOME": str(tmp_path)} | variables
    ended = subprocess.run(
        python("worker.py"),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stdout == ""
    return ended.returncode, ended.stderr.splitlines()


def is_log_line(line: str) -> bool:
    try:
        return "event" in json.loads(line)
    except ValueError:
        return False


def test_a_wrong_setting_is_named_on_one_line(python: Forked, tmp_path: Path) -> None:
    code, lines = started(python, tmp_path, ERRAND_SMTP_URL="smtp://ann:hush@mail.example.com:x")
    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith("error: ERRAND_SMTP_URL: ")
    assert "hush" not in lines[0]


def test_a_missing_setting_is_named_before_anything_is_connected_to(python: Forked, tmp_path: Path) -> None:
    code, lines = started(python, tmp_path, OPENAI_API_KEY="key")
    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith("error: OPENAI_MODEL: missing")


def test_a_key_in_a_file_that_cannot_be_read_is_not_quoted(python: Forked, tmp_path: Path) -> None:
    profiles = tmp_path / "temporal.toml"
    profiles.write_text("[profile.default]\napi_key = hush-hush-without-quotes\n")
    code, lines = started(
        python, tmp_path, OPENAI_MODEL="m", OPENAI_BASE_URL="http://127.0.0.1:1/v1", TEMPORAL_CONFIG_FILE=str(profiles)
    )
    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith("error: TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE: ")
    assert "line 2" in lines[0]
    assert "hush" not in lines[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("def (", "cannot import {file}: {file}:2: invalid syntax"),
        ("import no_such_library", "cannot import {file}: {file}:2: ModuleNotFoundError: No module named"),
        ("", "there is no tool in {file}; mark a function with @tool()"),
        ("@tool\nasync def find(word: str): ...", "tool find ({file}:2): write @tool() with its brackets"),
        ("@tool()\ndef find(word: str): ...", "tool find ({file}:2): its function must be written with `async def`"),
        ("@tool()\nasync def find(word): ...", "tool find ({file}:2): parameter word needs a type"),
        ("@tool()\nasync def find(*, crm): ...", "tool find ({file}:2): parameter crm needs a type"),
        (
            "@tool()\nasync def find(*, crm: str): ...",
            "tool find ({file}:2) asks for crm: str; a worker can give Act, ",
        ),
        ("@tool(effect='writes')\nasync def find(): ...", "tool find ({file}:2): effect: Input should be 'read' or"),
        ("@tool(about='{cty}')\nasync def find(city: str): ...", "tool find ({file}:2): about names {{cty}}, which is"),
        (
            "@tool(needs=('crm',))\nasync def find(city: str): ...",
            "tool find ({file}:2) needs crm, which is no setting",
        ),
        ("@tool()\nasync def decide(): ...", "tool decide ({file}:2) has a name that the service itself uses"),
        (
            "@tool()\nasync def get_weather(): ...",
            "there are two tools named get_weather: activities/tools/weather.py:",
        ),
    ],
)
@pytest.mark.sampled(3)
def test_a_mistake_in_a_tool_is_one_line_that_names_it(python: Forked, tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "crm.py"
    file.write_text(f"from activities.toolkit.tool import tool\n{text}")
    code, lines = started(python, tmp_path, ERRAND_TOOLS=str(file), **MODEL)
    assert code == 2
    assert len(lines) == 1
    assert told.format(file=file) in lines[0]


def test_a_tool_file_that_is_not_there_is_one_line(python: Forked, tmp_path: Path) -> None:
    code, lines = started(python, tmp_path, ERRAND_TOOLS="tools/crm.py", **MODEL)
    assert (code, len(lines)) == (2, 1)
    assert lines[0].startswith("error: ERRAND_TOOLS: there is no Python file and no folder tools/crm.py (looked for /")


CRM = """
from pydantic import SecretStr
from pydantic_settings import BaseSettings
from activities.toolkit.tool import tool

class Crm(BaseSettings):
    crm_token: SecretStr

@tool()
async def find(word: str, *, crm: Crm) -> str: ...

@tool(replaces="get_weather")
async def get_weather(city: str) -> str: ...
"""


def test_what_is_replaced_left_out_or_not_configured_stands_in_the_log(python: Forked, tmp_path: Path) -> None:
    file = tmp_path / "crm.py"
    file.write_text(CRM)
    _, lines = said(python, tmp_path, ERRAND_TOOLS=str(file), ERRAND_OFFER="* -send_email", **MODEL)
    logged = {each["event"]: each for each in map(json.loads, filter(is_log_line, lines))}
    assert logged["tool replaced"]["tool"] == "get_weather"
    assert logged["tool replaced"]["defined_at"].startswith("activities/tools/weather.py:")
    assert logged["tool replaced"]["by_defined_at"] == f"{file}:12"
    assert logged["tools left out"]["tools"] == ["send_email"]
    assert logged["tool not offered: it is not configured"]["tool"] == "find"
    assert logged["tool not offered: it is not configured"]["missing"] == ["CRM_TOKEN"]
    offered = logged["tools offered"]["tools"]
    assert {"get_stock_price", "get_weather"} <= {*offered}
    assert not {"send_email", "find"} & {*offered}


def test_a_server_that_cannot_be_reached_is_named_on_one_line(python: Forked, tmp_path: Path) -> None:
    code, lines = started(python, tmp_path, **MODEL)
    assert code == 3
    assert len(lines) == 1
    assert lines[0].startswith("error: cannot reach Temporal at 127.0.0.1:1 ")


@pytest.mark.long
def test_a_limit_on_open_files_that_is_too_low_is_one_line_that_says_what_to_raise() -> None:
    worker = f"ulimit -n 24 && exec {sys.executable} worker.py"
    ended = subprocess.run(["sh", "-c", worker], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    [line] = ended.stderr.splitlines()
    assert line.startswith("error: the system lets this worker open only 24 files and connections; raise the limit")
    assert "LimitNOFILE=" in line


def test_that_no_more_files_may_be_opened_is_known_whatever_error_it_is_behind() -> None:
    behind = RuntimeError("cannot listen")
    behind.__cause__ = OSError(errno.EMFILE, "Too many open files")
    assert ran_out(behind)
    assert ran_out(OSError(errno.ENFILE, "Too many open files in system"))
    assert not ran_out(OSError(errno.ENOENT, "No such file"))
    assert not ran_out(RuntimeError("a mistake"))


def test_a_secret_that_is_too_short_to_be_redacted_is_warned_of() -> None:
    with logged() as log:
        Service.assemble(
            Settings.read(
                openai_model="m",
                openai_base_url="http://127.0.0.1:1/v1",
                openai_api_key="abc",
                stocks_token="12345",
                smtp_url="smtp://ann:long-enough@mail.example.com",
            )
        )
    warned = [line["setting"] for line in lines_of(log) if "too short" in str(line["event"])]
    assert warned == ["OPENAI_API_KEY", "ERRAND_STOCKS_TOKEN"]
