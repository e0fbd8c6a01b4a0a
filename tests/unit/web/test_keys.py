"""The file of keys: what it holds, who can read it, and that a door sees it change."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from activities.errors import ConfigurationError
from client import app
from deploy.client.keys import KeyFile, Right, add_key, remove_key
from deploy.web.keys import Keys


def test_the_file_holds_no_key_but_its_hash_and_nobody_else_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    secret = add_key(path, "billing", [Right.SUBMIT, Right.READ])
    assert re.fullmatch(r"errand_[\w-]{43}", secret)
    assert secret.removeprefix("errand_") not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    known = KeyFile.read(path)
    assert known is not None
    key = known.key_of(secret)
    assert key is not None
    assert (key.name, key.may) == ("billing", (Right.SUBMIT, Right.READ))
    assert known.key_of(secret + "x") is None


@pytest.mark.parametrize("name", ["", "a b", "a:b", "ann\n", "x" * 101, "-ann"])
def test_a_name_that_could_not_stand_in_front_of_an_id_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be a caller's name"):
        add_key(tmp_path / "keys.json", name, [Right.READ])


def test_a_name_belongs_to_one_key_however_it_is_written(tmp_path: Path) -> None:
    add_key(tmp_path / "keys.json", "ann", [Right.READ])
    with pytest.raises(ConfigurationError, match="there is a key of Ann already"):
        add_key(tmp_path / "keys.json", "Ann", [Right.READ])


def test_a_door_that_runs_sees_what_is_added_and_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keys = Keys(path)
    assert keys.file is None
    secret = add_key(path, "ann", [Right.READ])
    assert keys.key_of(secret) is not None
    remove_key(path, "ann")
    assert keys.key_of(secret) is None
    assert keys.file is not None


def test_a_file_that_cannot_be_read_leaves_the_keys_from_before_and_opens_no_door_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    secret = add_key(path, "ann", [Right.READ])
    keys = Keys(path)
    assert keys.key_of(secret) is not None
    path.write_text("{")
    assert keys.key_of(secret) is not None
    with pytest.raises(ConfigurationError, match="ERRAND_WEB_KEYS"):
        _ = Keys(path).file


def test_the_command_line_adds_lists_and_removes(tmp_path: Path) -> None:
    run, path = CliRunner(env={"ERRAND_WEB_KEYS": str(tmp_path / "keys.json")}), tmp_path / "keys.json"
    added = run.invoke(app, ["keys", "add", "billing", "--may", "submit,read"])
    known = KeyFile.read(path)
    assert known is not None
    assert known.key_of(added.stdout.strip()) is not None
    [line] = run.invoke(app, ["keys", "list", "--json"]).stdout.splitlines()
    assert json.loads(line).keys() == {"name", "may", "added_at"}
    assert "billing  submit,read  since" in run.invoke(app, ["keys", "list"]).stdout
    assert run.invoke(app, ["keys", "remove", "billing"]).exit_code == 0
    assert run.invoke(app, ["keys", "list"]).stdout == ""
    wrong = run.invoke(app, ["keys", "add", "billing", "--may", "everything"])
    assert (wrong.exit_code, "there are: submit, read, read-all" in wrong.stderr) == (2, True)
