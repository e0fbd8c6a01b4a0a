"""What tokens cost: `ERRAND_MODEL_PRICES="gpt-x=1.25/10 gpt-x-mini=0.25/2"`, per million tokens read and written.

And how many there are, roughly, where the endpoint does not count them.
"""

import math
from dataclasses import dataclass

from workflows.contract.api import Usage

MILLION = 1_000_000
MOST_TOKENS = 1_000_000_000
"""No answer is that long, and no question."""
BYTES_OF_A_TOKEN = 3


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

    def affordable(self, money: float) -> int | None:
        """How many tokens the model may write for so much, the last of them begun; None where they cost nothing."""
        if not self.output:
            return None
        # Rounded, for sums of money are not exact.
        return math.ceil(round(min(max(0.0, money) * MILLION / self.output, MOST_TOKENS), 6))


def estimated_tokens(*texts: str | bytes) -> int:
    """An estimate, for want of the endpoint's count: the bytes / 3, rounded up.

    English has about four bytes a token and JSON about three, so it is rather too high than too low.
    """
    size = sum(len(each if isinstance(each, bytes) else each.encode(errors="replace")) for each in texts)
    return -(-size // BYTES_OF_A_TOKEN)


def read_prices(text: str) -> dict[str, Price]:
    """Read the prices of models from one variable's text.

    Raises:
        ValueError: it is something else than `model=input/output`, once for each model.
    """
    prices = dict[str, Price]()
    for model, price in map(_price, text.replace(",", " ").split()):
        if model in prices:
            raise ValueError(f"it has two prices of the model {model}; leave one of them")
        prices[model] = price
    return prices


def _price(word: str) -> tuple[str, Price]:
    model, _, both = word.partition("=")
    try:
        read, written = (float(each) for each in both.split("/"))
    except ValueError:
        raise ValueError(_expected(word)) from None
    if not model or not all(math.isfinite(each) and each >= 0 for each in (read, written)):
        raise ValueError(_expected(word))
    return model, Price(read, written)


def _expected(word: str) -> str:
    return (
        "expected MODEL=INPUT/OUTPUT, in money per million tokens, for example gpt-x=1.25/10, and a space or comma "
        f"before the next, not {word!r}"
    )
