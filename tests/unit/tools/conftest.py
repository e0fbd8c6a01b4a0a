"""A mail server and a ledger for the tools that send mail."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from activities.ledger.ledger import Ledger
from activities.settings.mail import MailSettings
from tests.unit.tools.mailing import Inbox, serving


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def settings(inbox: Inbox) -> Generator[MailSettings]:
    with serving(inbox) as settings:
        yield settings


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncGenerator[Ledger]:
    opened = await Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    yield opened
    await opened.aclose()
