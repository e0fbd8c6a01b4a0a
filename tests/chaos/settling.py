"""The operator, who settles writes whose end nobody knows, by what the mail server's record says."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from inspect import signature
from random import Random

from activities.errors import ConfigurationError, NotOpen, ServiceUnavailable, Unreachable
from activities.ledger.ledger import Ledger
from activities.ledger.rows import Action, State
from tests.chaos.smtp_record import SmtpRecord

NAME = "Olga"
LOOKED_AT_AFTER = timedelta(seconds=6)
"""A person needs a while, and a worker never acts more than five seconds after it has begun."""

PROTECTS_WHAT_IS_UNDER_WAY = "even_if_under_way" in signature(Ledger.resolve).parameters


@dataclass(frozen=True)
class Settled:
    key: str
    token: str
    delivered: bool
    at: datetime
    sure: bool = True
    """Whether the ledger has answered; if not, it may have taken the word all the same."""


@dataclass
class Operator:
    """Looks again and again at what is open."""

    ledger_url: str
    record: SmtpRecord
    random: Random
    share: float = 0.4
    """Of the open rows, at every look."""
    said: list[Settled] = field(default_factory=list[Settled])
    refused: int = 0
    """How often the ledger did not take the word: mostly as the act was under way."""

    def __contains__(self, token: object) -> bool:
        return any(each.token == token for each in self.said)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with aclosing(await Ledger.open(self.ledger_url)) as ledger:
                    while True:
                        await asyncio.sleep(self.random.uniform(0.3, 1))
                        await self._look(ledger)
            except (ConfigurationError, ServiceUnavailable, Unreachable):  # it is locked or gone at the moment
                await asyncio.sleep(0.5)

    async def _look(self, ledger: Ledger) -> None:
        for row in await self._open_rows(ledger):
            if self.random.random() < self.share:
                await self._settle(ledger, row)

    async def _open_rows(self, ledger: Ledger) -> Sequence[Action]:
        """Those that nobody knows the end of; and those under way, of which the ledger has to take no word.

        Of the latter, those whose dot is out: what the record says then stays true, however long the ledger takes.
        """
        before = datetime.now(UTC) - LOOKED_AT_AFTER
        unknown = [row for row in await ledger.search(state=State.UNKNOWN, limit=1000) if row.begun_at < before]
        if not PROTECTS_WHAT_IS_UNDER_WAY:
            return unknown
        begun = await ledger.search(state=State.BEGUN, limit=1000)
        return [*unknown, *(row for row in begun if row.arguments["subject"] in self.record.reached_dot)]

    async def _settle(self, ledger: Ledger, row: Action) -> None:
        token = str(row.arguments["subject"])
        delivered = self.record.was_delivered(token)
        at = datetime.now(UTC)
        try:
            await ledger.resolve(row.key, delivered=delivered, by=NAME)
        except NotOpen:
            self.refused += 1
        except ServiceUnavailable:
            self.said.append(Settled(row.key, token, delivered, at, sure=False))
            raise
        else:
            self.said.append(Settled(row.key, token, delivered, at))
