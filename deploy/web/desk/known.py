"""What never changes, so that the desk asks for it once: how requests ended and why, and where the arguments of
calls came from."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from deploy.client.explanations import Explanation
from deploy.client.traced_approvals import TracedApproval
from workflows.contract.api import Outcome

V = TypeVar("V")

MOST_KEPT = 1000


@dataclass
class Kept(Generic[V]):
    """The latest of many values, each by two texts."""

    _values: OrderedDict[tuple[str, str], V] = field(default_factory=lambda: OrderedDict[tuple[str, str], V]())

    def __contains__(self, key: tuple[str, str]) -> bool:
        return key in self._values

    def __getitem__(self, key: tuple[str, str]) -> V:
        return self._values[key]

    def __setitem__(self, key: tuple[str, str], value: V) -> None:
        self._values[key] = value
        if len(self._values) > MOST_KEPT:
            self._values.popitem(last=False)


@dataclass(frozen=True)
class Known:
    outcomes: Kept[Outcome] = field(default_factory=lambda: Kept[Outcome]())
    explanations: Kept[Explanation] = field(default_factory=lambda: Kept[Explanation]())
    traced: Kept[TracedApproval] = field(default_factory=lambda: Kept[TracedApproval]())
