"""A door that is killed loses nothing and doubles nothing; `killed.py` does it a hundred times."""

import random
from pathlib import Path

import pytest
from temporalio.client import Client

from tests.forked import Forked
from tests.integration.web.killed import KilledDoor, surroundings, try_once


@pytest.mark.long
async def test_requests_that_are_made_while_the_door_is_killed_are_each_there_once(
    client: Client, tmp_path: Path, python: Forked
) -> None:
    door = KilledDoor(surroundings(client, tmp_path), python("-m", "deploy.web"))
    assert await try_once(door, client, random.Random(1)) == (0, 0)
