"""Stock prices: from Stooq, which needs no account, or from Finnhub once there is a token for it.

Stooq: https://stooq.com/q/?s=aapl.us, the CSV link of a quote's page. Finnhub: https://finnhub.io/docs/api/quote
"""

import csv
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import httpx
from pydantic import BaseModel, ConfigDict, FiniteFloat, SecretStr, StringConstraints, ValidationError

from activities import web
from activities.errors import NotFound
from activities.settings import PREFIX, Settings
from activities.tool import tool

STOOQ = "https://stooq.com"
FINNHUB = "https://finnhub.io"
SERVICE = "the stock price service"


class StockPrice(BaseModel):
    """The latest price of one share. `as_of` is when it was paid; `currency` is null where the service does not say."""

    model_config = ConfigDict(frozen=True)

    symbol: str
    name: str | None = None
    price: FiniteFloat
    currency: str | None
    as_of: datetime


@tool(about="{symbol}")
async def get_stock_price(
    symbol: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,14}$")],
    *,
    http: httpx.AsyncClient,
    settings: Settings,
) -> StockPrice:
    """Get the current price of a stock.

    Args:
        symbol: Ticker symbol, for example "AAPL".

    Raises:
        NotFound: the service knows no such symbol.
        ServiceUnavailable: as in `activities.web`.
        ServiceRefused: as in `activities.web`.
    """
    if settings.stocks_token is None:
        return await _from_stooq(symbol, http, settings.stocks_url or STOOQ)
    return await _from_finnhub(symbol, http, settings.stocks_url or FINNHUB, settings.stocks_token)


async def _from_stooq(symbol: str, http: httpx.AsyncClient, url: str) -> StockPrice:
    listed = symbol if "." in symbol else f"{symbol}.us"
    reply = await web.get(
        http,
        SERVICE,
        f"{url.rstrip('/')}/q/l/",
        params={"s": listed.lower(), "f": "sd2t2ohlcvn", "h": "", "e": "csv"},
        hint=f"check {PREFIX}STOCKS_URL",
    )
    try:
        header, values, *_ = csv.reader(reply.text.splitlines())
        quote = _StooqQuote.model_validate(dict(zip(header, values, strict=False)))
        if quote.Close == "N/D":
            raise _not_found(symbol)
        return quote.as_price()
    except (ValueError, ValidationError, csv.Error) as error:
        raise web.unreadable(SERVICE) from error


async def _from_finnhub(symbol: str, http: httpx.AsyncClient, url: str, token: SecretStr) -> StockPrice:
    listed = symbol.upper().removesuffix(".US")
    reply = await web.get(
        http,
        SERVICE,
        f"{url.rstrip('/')}/api/v1/quote",
        params={"symbol": listed},
        headers={"X-Finnhub-Token": token.get_secret_value()},
        hint=f"check {PREFIX}STOCKS_TOKEN and {PREFIX}STOCKS_URL, and whether its plan covers {listed}",
    )
    quote = web.read(_FinnhubQuote, reply, SERVICE)
    if quote.t == datetime.fromtimestamp(0, UTC):
        raise _not_found(symbol)
    return StockPrice(symbol=listed, price=quote.c, currency="USD", as_of=quote.t)


def _not_found(symbol: str) -> NotFound:
    return NotFound(f'there is no stock with the symbol "{symbol}"; give its ticker, for example "AAPL" or "BRK-B"')


class _StooqQuote(BaseModel):
    """One row, by the names that its header gives; `N/D` is for everything that Stooq does not know."""

    Symbol: str
    Date: str
    Time: str
    Close: str
    Name: str = "N/D"

    def as_price(self) -> StockPrice:
        # Stooq is in Warsaw, and so is its clock.
        local = datetime.fromisoformat(f"{self.Date}T{self.Time}").replace(tzinfo=ZoneInfo("Europe/Warsaw"))
        american = self.Symbol.upper().endswith(".US")
        return StockPrice(
            symbol=self.Symbol.upper().removesuffix(".US"),
            name=None if self.Name == "N/D" else self.Name.strip(),
            price=float(self.Close),
            currency="USD" if american else None,
            as_of=local.astimezone(UTC),
        )


class _FinnhubQuote(BaseModel):
    """`c` is the current price and `t` its time in seconds since 1970; both are 0 for a symbol that Finnhub lacks."""

    c: FiniteFloat
    t: datetime
