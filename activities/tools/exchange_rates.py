"""Exchange rates of the European Central Bank, by Frankfurter: https://frankfurter.dev/

The bank publishes them once on every working day; they are for information, and no price of anybody's.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated

import httpx
from pydantic import BaseModel, ConfigDict, Field

from activities.errors import NotFound, ServiceRefused
from activities.http import web
from activities.settings.data_services import DataServices
from activities.settings.environment import PREFIX
from activities.toolkit.tool import tool

SERVICE = "the exchange rate service"
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Exchange(BaseModel):
    """`amount` of one currency is `result` of the other, at the rate of the day `as_of`."""

    model_config = ConfigDict(frozen=True)

    amount: float
    source: str
    target: str
    rate: float
    result: float
    as_of: date


@tool(about="{source} in {target}")
async def get_exchange_rate(
    source: Currency,
    target: Currency,
    amount: Annotated[float, Field(gt=0, le=1e12)] = 1,
    *,
    http: httpx.AsyncClient,
    settings: DataServices,
) -> Exchange:
    """Get the exchange rate between two currencies, and what an amount of the first is worth in the second.

    Args:
        source: Code of the currency that the amount is in, for example "EUR".
        target: Code of the other currency, for example "USD".
        amount: How much of the first.

    Raises:
        NotFound: there is no rate for one of the currencies.
        ServiceUnavailable: as in `activities.http.web`.
        ServiceRefused: as in `activities.http.web`.
    """
    url = f"{settings.exchange_rates_url.rstrip('/')}/v1/latest"
    try:
        reply = await web.get(
            http, SERVICE, url, params={"base": source, "symbols": target}, hint=f"check {PREFIX}EXCHANGE_RATES_URL"
        )
    except ServiceRefused as refused:
        # It answers 404 or 422 where it does not know the first of them.
        if any(status in str(refused) for status in (": 404", ": 422")):
            raise NotFound(f"there is no exchange rate from {source} to {target}") from refused
        raise
    rates = web.read(_Rates, reply, SERVICE)
    rate = Decimal(1) if source == target else rates.rates.get(target)
    if rate is None:
        raise NotFound(f"there is no exchange rate from {source} to {target}")
    worth = round(Decimal(str(amount)) * rate, 4)
    return Exchange(
        amount=amount, source=source, target=target, rate=float(rate), result=float(worth), as_of=rates.date
    )


class _Rates(BaseModel):
    date: date
    rates: dict[str, Decimal] = {}
