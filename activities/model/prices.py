"""What tokens cost: `ERRAND_MODEL_PRICES="gpt-x=1.25/10 gpt-x-mini=0.25/2"`, per million tokens read and written."""

import math
from dataclasses import dataclass

from workflows.contract import Usage

MILLION = 1_000_000


@dataclass(frozen=True)
class Price:
    """Of one model, in whatever currency the limits are in."""

    input: float
    """Of a million tokens that the model reads."""
    output: float
    """Of a million tokens that the model writes."""

    def of(self, usage: Usage) -> Usage:
        """The same usage with its cost."""
        cost = (usage.input_tokens * self.input + usage.output_tokens * self.output) / MILLION
        return usage.model_copy(update={"cost": cost})


def read_prices(text: str) -> dict[str, Price]:
    """
    Raises:
        ValueError: it is something else than `model=input/output`, as often as there are models.
    """
    return dict(_price(word) for word in text.replace(",", " ").split())


def _price(word: str) -> tuple[str, Price]:
    model, _, both = word.rpartition("=")
    try:
        read, written = (float(each) for each in both.split("/"))
    except ValueError:
        raise ValueError(_expected(word)) from None
    if not model or not all(math.isfinite(each) and each >= 0 for each in (read, written)):
        raise ValueError(_expected(word))
    return model, Price(read, written)


def _expected(word: str) -> str:
    return f"expected MODEL=INPUT/OUTPUT, in money per million tokens, for example gpt-x=1.25/10, not {word!r}"
