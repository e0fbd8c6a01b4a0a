"""How often one caller may call: a bucket for each, which fills up all the while (a token bucket).

It counts in this process. Several doors each allow as much.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class RateLimit:
    """`per_minute` calls at once, and as many a minute from then on."""

    per_minute: int
    clock: Callable[[], float] = time.monotonic
    _full_at: dict[str, float] = field(default_factory=dict[str, float])
    """By caller: when the bucket would be full again. One that is full is forgotten."""

    def take(self, caller: str) -> float:
        """Count a call.

        Returns:
            The seconds until the caller may make one, if this is one too many; else 0.
        """
        now, each = self.clock(), 60 / self.per_minute
        full_at = max(self._full_at.get(caller, now), now) + each
        if (over := full_at - now - 60) > 1e-6:
            return over
        if len(self._full_at) > 1000:
            self._full_at = {name: at for name, at in self._full_at.items() if at > now}
        self._full_at[caller] = full_at
        return 0

    @property
    def known(self) -> int:
        """How many callers are remembered."""
        return len(self._full_at)
