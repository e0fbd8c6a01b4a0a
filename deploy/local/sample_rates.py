"""Sample exchange rates in the shape of Frankfurter's answers (https://frankfurter.dev/): the currencies are real, the
rates are made up. They depend on the day alone."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from deploy.local.made_up import between

WORTH = {"EUR": 1.0, "USD": 1.1, "GBP": 0.86, "JPY": 165.0, "CHF": 0.95, "CAD": 1.5, "AUD": 1.65, "SEK": 11.3}
"""About how much of it is one euro."""


class UnknownCurrency(Exception):
    """What Frankfurter answers with status 404."""


def latest(query: Mapping[str, str], now: datetime) -> dict[str, object]:
    """`GET /v1/latest`: the rates of the last working day."""
    day = now - timedelta(days=max(now.weekday() - 4, 0))
    base, wanted = query.get("base", "EUR"), query.get("symbols", ",".join(WORTH)).split(",")
    if base not in WORTH or not (known := [each for each in wanted if each in WORTH]):
        raise UnknownCurrency("not found")
    rates = {each: round(_worth(each, day) / _worth(base, day), 4) for each in known if each != base}
    return {"amount": 1.0, "base": base, "date": f"{day:%Y-%m-%d}", "rates": rates}


def _worth(currency: str, day: datetime) -> float:
    return WORTH[currency] * (1 if currency == "EUR" else between(0.98, 1.02, "rate", currency, f"{day:%Y-%m-%d}"))
