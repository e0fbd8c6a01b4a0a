"""Which of many things patterns choose: "* -delete_*". The same wherever tools are offered."""

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


class FitsNothing(ValueError):
    """A pattern fits none of the things."""

    def __init__(self, pattern: str) -> None:
        super().__init__(pattern)
        self.pattern = pattern


def chosen(every: Sequence[T], patterns: Sequence[str], fits: Callable[[T, str], bool]) -> list[T]:
    """Those that the patterns leave, read from the first to the last: each adds some, or with a - takes some away.

    Raises:
        FitsNothing: a pattern fits none.
    """
    places = {*range(len(every))} if patterns[0].startswith("-") else set[int]()
    for word in patterns:
        pattern = word.removeprefix("-")
        fitting = {place for place, each in enumerate(every) if fits(each, pattern)}
        if not fitting:
            raise FitsNothing(pattern)
        places = places - fitting if word.startswith("-") else places | fitting
    return [each for place, each in enumerate(every) if place in places]
