import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio

from activities.ledger.ledger import Ledger
from activities.toolkit.foreign_tools import foreign_tools
from tests.unit.mcp.http_notebook import HttpNotebook, serving
from tests.unit.mcp.notebook import Notebook, notebook


@pytest_asyncio.fixture
async def book(tmp_path: Path, ledger: Ledger) -> AsyncGenerator[Notebook]:
    """A server without a fault of its own, on which a call may take three seconds."""
    book = await asyncio.to_thread(notebook, tmp_path, ledger)
    async with aclosing(book.found):
        yield book


@pytest.fixture
def server() -> Generator[HttpNotebook]:
    with HttpNotebook() as server:
        serving(server)
        yield server
        server.shutdown()


@pytest.fixture
def more() -> str:
    """Further lines of the table of the server by HTTP."""
    return ""


@pytest_asyncio.fixture
async def web_book(server: HttpNotebook, tmp_path: Path, ledger: Ledger, more: str) -> AsyncGenerator[Notebook]:
    """The tools of `server`."""
    file = tmp_path / "sources.toml"
    table = f'url = "http://127.0.0.1:{server.server_port}/mcp"\nheaders = {{ X-Key = "BOOK_KEY" }}\nprivate = true'
    file.write_text(f"[mcp.book]\n{table}\ntimeout = 3\n{more}\n")
    found = await asyncio.to_thread(foreign_tools, file, environment={"BOOK_KEY": "hush-hush"})
    async with aclosing(found):
        yield Notebook(tmp_path / "record", found, ledger)
