"""What earlier calls of a request returned, for a tool that takes such a result over without the model's copying it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import JsonValue

from activities.errors import InvalidArguments
from workflows.contract.values import Arguments


@dataclass(frozen=True)
class EarlierResult:
    """`id` is the call's, as the model knows it; `is_whole` is false where only the beginning was kept."""

    id: str
    tool: str
    value: JsonValue
    is_whole: bool = True
    untrusted: bool = False


@dataclass(frozen=True)
class EarlierResults:
    results: Sequence[EarlierResult] = ()

    def named(self, name: str) -> EarlierResult:
        """The result of the call with this id, or of the only call of this tool.

        Raises:
            InvalidArguments: there is none, or not one only, or it was too long to be kept.
        """
        found = [each for each in self.results if name in (each.id, each.tool)]
        if not found:
            known = ", ".join(f"{each.tool} ({each.id})" for each in self.results) or "no call"
            raise InvalidArguments(f"from_result: {name} has returned nothing; there are results of {known}")
        if len(found) > 1:
            ids = ", ".join(each.id for each in found)
            raise InvalidArguments(f"from_result: there are {len(found)} results of {name}; name one by its id: {ids}")
        if not found[0].is_whole:
            raise InvalidArguments(f"from_result: only a part of the result of {name} was kept; ask for less at once")
        return found[0]


@dataclass(frozen=True)
class Filled:
    """Arguments with results in them.

    `copied` are the texts that were taken over, which need no other ground; `strangers` says, for people, what of the
    arguments a stranger has written.
    """

    arguments: Arguments
    copied: frozenset[str] = frozenset()
    strangers: tuple[str, ...] = ()


Fill: TypeAlias = Callable[[Arguments, EarlierResults], Filled]
"""Puts results into valid arguments that name them. Raises `InvalidArguments`."""
