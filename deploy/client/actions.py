"""What the ledger knows of writes, and a person's word on those it does not know.

It is asked itself, so this works where Temporal does not answer.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from activities.encryption.loading import load_key_ring
from activities.settings import Settings

if TYPE_CHECKING:
    from activities.ledger.ledger import Ledger


@asynccontextmanager
async def ledger_of_the_workers(settings: Settings | None = None) -> "AsyncGenerator[Ledger]":
    """The ledger that the settings name, by default those of the environment.

    Raises:
        ConfigurationError: there is none, or its database cannot be used.
    """
    # Not before it is needed: SQLAlchemy is large.
    from activities.ledger.ledger import Ledger

    settings = settings or Settings.from_environment()
    keys = load_key_ring(settings.encryption.payload_keys)
    ledger = await Ledger.open(settings.ledger.ledger_url, create=False, keys=keys)
    try:
        yield ledger
    finally:
        await ledger.aclose()
