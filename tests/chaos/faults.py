"""Which message meets which fault: every stage with every kind, dealt from a shuffled deck."""

import itertools
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random


class Kind(StrEnum):
    DROP = "drop"
    RESET = "reset"
    HANG = "hang"
    CLOSING = "421"
    LATER = "4yz"
    NEVER = "5yz"
    GARBAGE = "garbage"
    STRANGER = "stranger"
    """A certificate of an authority that nobody trusts."""


class Stage(StrEnum):
    BANNER = "banner"
    EHLO = "EHLO in clear"
    STARTTLS = "STARTTLS"
    HANDSHAKE = "TLS handshake"
    EHLO_INSIDE = "EHLO inside TLS"
    AUTH = "AUTH"
    RSET = "RSET before a later message"
    MAIL = "MAIL"
    RCPT = "RCPT"
    SOME = "RCPT, some of several"
    DATA = "DATA"
    BODY = "body"
    BEFORE_ACCEPTING = "dot, before it is accepted"
    AFTER_ACCEPTING = "dot, after it is accepted"
    QUIT = "QUIT"


class Encryption(StrEnum):
    STARTTLS = "STARTTLS"
    TLS = "TLS"
    """From the first byte."""


REPLIES = {
    Kind.CLOSING: "421 4.3.2 Closing down",
    Kind.LATER: "450 4.2.0 Not now",
    Kind.NEVER: "550 5.7.1 Never",
    Kind.GARBAGE: "?!*# this is no reply",
}
REPLIES_OF_STAGES = {
    (Stage.STARTTLS, Kind.LATER): "454 4.7.0 TLS not available now",
    (Stage.AUTH, Kind.LATER): "454 4.7.0 Temporary authentication failure",
    (Stage.AUTH, Kind.NEVER): "535 5.7.8 Authentication failed",
}

# A server that takes a message and says 4yz or 5yz lies, and no client can know better. One that dies while it says
# yes is what happens instead: behind the yes, in its middle, and between its lines.
BROKEN_YES = {
    Kind.CLOSING: "250 2.0.0 Ok\r\n421 4.3.2 Closing down\r\n",
    Kind.LATER: "25",
    Kind.NEVER: "250-2.0.0 Ok\r\n",
}

ONLY_OF_HANDSHAKES = {Kind.STRANGER}
NOT_OF_HANDSHAKES = {Kind.CLOSING, Kind.LATER, Kind.NEVER}
IN_CLEAR = {Stage.EHLO, Stage.STARTTLS}
BEFORE_MESSAGES = {*IN_CLEAR, Stage.BANNER, Stage.HANDSHAKE, Stage.EHLO_INSIDE, Stage.AUTH}


@dataclass(frozen=True)
class Fault:
    stage: Stage
    kind: Kind

    @property
    def exists(self) -> bool:
        return self.kind not in (NOT_OF_HANDSHAKES if self.stage is Stage.HANDSHAKE else ONLY_OF_HANDSHAKES)


EVERY_FAULT = tuple(fault for fault in itertools.starmap(Fault, itertools.product(Stage, Kind)) if fault.exists)
MORE_OFTEN = (Fault(Stage.SOME, Kind.LATER), Fault(Stage.SOME, Kind.NEVER)) * 3
"""The only ones after which a message goes out for some and not for others."""
WORST = Fault(Stage.AFTER_ACCEPTING, Kind.HANG)
"""The message is delivered, and its sender waits in vain."""


@dataclass
class Faults:
    """Deals to a share of the messages, until `over`."""

    random: Random
    share: float = 0.6
    encryption: Encryption = Encryption.STARTTLS
    first: Sequence[Fault] = ()
    """Dealt before all others."""
    over: bool = False
    struck: Counter[Fault] = field(default_factory=Counter[Fault])
    """How often each fault really happened."""
    reused: bool = False
    """Whether any connection carried a second message."""
    _deck: list[Fault] = field(default_factory=list[Fault])

    def __post_init__(self) -> None:
        there = [fault for fault in self.first if self._is_there(fault)]
        self._deck = self.random.sample(there, len(there))

    def deal(self, out_of_reach: Container[Stage] = ()) -> Fault | None:
        """One whose stage can still be reached, as far as anybody knows."""
        if self.over or self.random.random() >= self.share:
            return None
        if not any(fault.stage not in out_of_reach for fault in self._deck):
            self._deck += self._shuffled()
        index = next(index for index, fault in enumerate(self._deck) if fault.stage not in out_of_reach)
        return self._deck.pop(index)

    def press(self, fault: Fault) -> None:
        """Have it dealt next."""
        self._deck.insert(0, fault)

    def take_back(self, fault: Fault) -> None:
        """One that did not happen, as its message never came to its stage."""
        self._deck.insert(self.random.randint(0, len(self._deck)), fault)

    def _shuffled(self) -> list[Fault]:
        there = [fault for fault in (*EVERY_FAULT, *MORE_OFTEN) if self._is_there(fault)]
        return self.random.sample(there, len(there))

    def _is_there(self, fault: Fault) -> bool:
        return self.encryption is Encryption.STARTTLS or fault.stage not in IN_CLEAR
