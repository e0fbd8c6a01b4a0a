"""What tests of several folders share."""

from collections.abc import Generator

import pytest

from tests.integration.ledger.postgres import Postgres, postgres_server


@pytest.fixture(scope="session")
def postgres() -> Generator[Postgres]:
    with postgres_server() as server:
        yield server
