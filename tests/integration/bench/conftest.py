"""One scene for all that is measured in short: what a server costs until it is ready is more than most of it takes."""

from collections.abc import AsyncGenerator
from contextlib import closing

import pytest

from tests.bench.scene import Scene, staged
from tests.forked import Forked
from tests.forked.process import Processes


@pytest.fixture(scope="package")
async def scene(tmp_path_factory: pytest.TempPathFactory, python: Forked) -> AsyncGenerator[Scene]:
    with closing(Processes(python.socket)) as forks:
        async with staged(tmp_path_factory.mktemp("bench"), forks=forks) as scene:
            yield scene
