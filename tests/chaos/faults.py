"""Which SMTP session meets which fault: every stage with every kind, dealt from a shuffled deck."""

import itertools
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random


class Kind(StrEnum):
    DROP = "drop"
    RESET = "reset"
    HANG = "hang"
    CLOSING = "421"
    LATER = "450"
    NEVER = "550"
    GARBAGE = "garbage"


class Stage(StrEnum):
    BANNER = "banner"
    EHLO = "EHLO"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    BODY = "body"
    BEFORE_ACCEPTING = "dot, before it is accepted"
    AFTER_ACCEPTING = "dot, after it is accepted"
    QUIT = "QUIT"


REPLIES = {
    Kind.CLOSING: "421 4.3.2 Closing down",
    Kind.LATER: "450 4.2.0 Not now",
    Kind.NEVER: "550 5.7.1 Never",
    Kind.GARBAGE: "?!*# this is no reply",
}

# A server that takes a message and says 4yz or 5yz lies, and no client can know better. One that dies while it says
# yes is what happens instead: behind the yes, in its middle, and between its lines.
BROKEN_YES = {
    Kind.CLOSING: "250 2.0.0 Ok\r\n421 4.3.2 Closing down\r\n",
    Kind.LATER: "25",
    Kind.NEVER: "250-2.0.0 Ok\r\n",
}


@dataclass(frozen=True)
class Fault:
    stage: Stage
    kind: Kind


EVERY_FAULT = tuple(Fault(stage, kind) for stage, kind in itertools.product(Stage, Kind))


@dataclass
class Faults:
    """Deals to a share of the sessions, until `over`."""

    random: Random
    share: float = 0.5
    over: bool = False
    struck: Counter[Fault] = field(default_factory=Counter[Fault])
    """How often each fault really happened: a session may end before it reaches the stage of its own."""
    _deck: list[Fault] = field(default_factory=list[Fault])

    def deal(self) -> Fault | None:
        if self.over or self.random.random() >= self.share:
            return None
        if not self._deck:
            self._deck = self.random.sample(EVERY_FAULT, len(EVERY_FAULT))
        return self._deck.pop()
