import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import pytest_asyncio

from activities.ledger.ledger import Ledger
from tests.unit.mcp.notebook import Notebook, notebook


@pytest_asyncio.fixture
async def ledger(tmp_path: Path) -> AsyncGenerator[Ledger]:
    async with aclosing(await Ledger.open(f"sqlite:///{tmp_path}/ledger.db")) as ledger:
        yield ledger


@pytest_asyncio.fixture
async def book(tmp_path: Path, ledger: Ledger) -> AsyncGenerator[Notebook]:
    """A server without a fault of its own, on which a call may take three seconds."""
    book = await asyncio.to_thread(notebook, tmp_path, ledger)
    async with aclosing(book.found):
        yield book
