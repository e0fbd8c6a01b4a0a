"""How often cases passed, and how far that can be relied on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from deploy.client.cases import Case
from deploy.client.trials import Trial, differences
from workflows.contract.api import Usage

Z = 1.959964
"""Of 95 %."""


@dataclass(frozen=True)
class Rate:
    """So many of so many."""

    passed: int
    of: int

    @property
    def share(self) -> float:
        return self.passed / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval of 95 %: where the rate lies that so many trials stand for.

        Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
        """
        if not self.of:
            return 0.0, 1.0
        share, n = self.share, self.of
        middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
        half = Z * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
        return max(0.0, middle - half), min(1.0, middle + half)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.passed}/{self.of} ({low:.0%} to {high:.0%})"


@dataclass(frozen=True)
class Tried:
    """A case, and all its trials with one model."""

    case: Case
    trials: tuple[Trial, ...]

    @property
    def rate(self) -> Rate:
        return Rate(sum(not differences(self.case, trial) for trial in self.trials), len(self.trials))

    @property
    def differences(self) -> dict[str, int]:
        """What differed, and in how many trials."""
        found: dict[str, int] = {}
        for trial in self.trials:
            for each in dict.fromkeys(differences(self.case, trial)):
                found[each] = found.get(each, 0) + 1
        return found


@dataclass(frozen=True)
class Report:
    """All cases with one model."""

    label: str
    tried: tuple[Tried, ...]

    @classmethod
    def of(cls, label: str, cases: Sequence[Case], trials: Sequence[Sequence[Trial]]) -> "Report":
        return cls(label, tuple(Tried(case, tuple(of)) for case, of in zip(cases, trials, strict=True)))

    @property
    def rate(self) -> Rate:
        rates = [each.rate for each in self.tried]
        return Rate(sum(rate.passed for rate in rates), sum(rate.of for rate in rates))

    @property
    def usage(self) -> Usage:
        return sum((trial.usage for each in self.tried for trial in each.trials), Usage())

    @property
    def seconds(self) -> float:
        return sum(trial.seconds for each in self.tried for trial in each.trials)
