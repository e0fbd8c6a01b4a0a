"""A mail server for the tools that send mail."""

from collections.abc import Generator

import pytest

from activities.settings.mail import MailSettings
from tests.unit.tools.mailing import Inbox, serving


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def settings(inbox: Inbox) -> Generator[MailSettings]:
    with serving(inbox) as settings:
        yield settings
