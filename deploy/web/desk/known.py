"""What the desk asks for once, for all who look: what never changes (how requests ended and why, where the arguments
of calls came from), and for a moment what does."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from deploy.client.explanations import Explanation
from deploy.client.listing import Found
from deploy.client.schedules import Scheduled
from deploy.client.traced_approvals import TracedApproval
from deploy.web.desk.looking import GoingOn, Part
from deploy.web.desk.shared import Shared
from deploy.web.recorded_action import Action
from workflows.contract.api import Outcome, RequestState

if TYPE_CHECKING:
    from activities.ledger.spending import Standing

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
class Ended:
    found: Found
    outcome: Outcome | None


State = tuple[Found, RequestState]


@dataclass(frozen=True)
class Known:
    """Of what is shared, each is kept by whose requests it is about: None stands for everybody's."""

    outcomes: Kept[Outcome] = field(default_factory=lambda: Kept[Outcome]())
    explanations: Kept[Explanation] = field(default_factory=lambda: Kept[Explanation]())
    traced: Kept[TracedApproval] = field(default_factory=lambda: Kept[TracedApproval]())
    going_on: Shared[tuple[GoingOn, list[State]]] = field(default_factory=lambda: Shared[tuple[GoingOn, list[State]]]())
    asking: Shared[tuple[Part, list[State]]] = field(default_factory=lambda: Shared[tuple[Part, list[State]]]())
    ended: Shared[tuple[list[Ended], bool]] = field(default_factory=lambda: Shared[tuple[list[Ended], bool]]())
    unknown: Shared[list[Action]] = field(default_factory=lambda: Shared[list[Action]]())
    schedules: Shared[list[Scheduled]] = field(default_factory=lambda: Shared[list[Scheduled]]())
    budgets: "Shared[list[Standing]]" = field(default_factory=lambda: Shared["list[Standing]"]())
