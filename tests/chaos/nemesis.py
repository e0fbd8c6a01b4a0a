"""Who deals the blows, and when."""

import asyncio
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.chaos.blows import ON_EVERYTHING, Blow, Blows
from tests.chaos.scene import WORKERS


@dataclass
class Nemesis:
    """Deals blows from a shuffled deck at random moments, several at once if it comes to that."""

    random: Random
    blows: Blows
    done: Callable[[], int]
    """How much has been done so far; between two blows there is to be some more, if it does not take too long."""
    deck: Sequence[Blow] = ON_EVERYTHING
    first: Sequence[Blow] = ()
    """What is dealt before the deck, as far as it is in it."""
    pause: tuple[float, float] = (0.2, 1.5)
    between: int = 5
    _busy: set[Blow] = field(default_factory=set[Blow])

    async def run(self) -> None:
        """Until cancelled; then what it holds is let go."""
        blows = self._dealt()
        async with asyncio.TaskGroup() as going_on:
            while True:
                await self._until_they_work()
                await self._until_more_is_done()
                await asyncio.sleep(self.random.uniform(*self.pause))
                going_on.create_task(self._strike(next(blows), Random(self.random.random())))

    def _dealt(self) -> Iterator[Blow]:
        yield from (blow for blow in self.first if blow in self.deck)
        while True:
            yield from self.random.sample(self.deck, len(self.deck))

    async def _until_they_work(self) -> None:
        """Both, or after a while one: where nobody works, there is nothing to lose."""
        for tenths in itertools.count():
            working = len(self.blows.scene.up.intersection(WORKERS))
            if working == len(WORKERS) or (working and tenths > 30):
                return
            await asyncio.sleep(0.1)

    async def _until_more_is_done(self) -> None:
        before = self.done()
        for _ in range(60):
            if self.done() >= before + self.between:
                return
            await asyncio.sleep(0.1)

    async def _strike(self, blow: Blow, random: Random) -> None:
        """The same blow does not fall twice at once."""
        if blow in self._busy:
            return
        self._busy.add(blow)
        try:
            await self.blows[blow](random)
        finally:
            self._busy.discard(blow)
