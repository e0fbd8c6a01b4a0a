"""What the door's log says of errors."""

import os
import subprocess
from pathlib import Path

import pytest

from activities.settings.environment import PROJECT
from tests.forked import Forked
from tests.unit.encryption.keys import key_file, new_key

BROKEN = """
import deploy.web.__main__ as door

async def serve(*_):
    raise ValueError("canary")

door.serve = serve
raise SystemExit(door.main())
"""


@pytest.mark.parametrize("encrypts", [False, True])
def test_with_keys_it_says_no_more_than_the_type_and_the_place(python: Forked, tmp_path: Path, encrypts: bool) -> None:
    keys = {"ERRAND_PAYLOAD_KEYS": str(key_file(tmp_path, k1=new_key()))} if encrypts else {}
    others = {name: value for name, value in os.environ.items() if not name.startswith("ERRAND_")}
    ended = subprocess.run(
        python("-c", BROKEN), cwd=PROJECT, env=others | keys, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "the door ended by a mistake in code" in ended.stderr
    assert ("canary" in ended.stderr) is not encrypts
