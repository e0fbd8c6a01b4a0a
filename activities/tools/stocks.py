"""Stock prices: from Stooq, which needs no account, or from Finnhub once there is a token for it.

A symbol without a market, "SAP", is the listing in the United States for both; "SAP.DE" is another. Where there is none
in the United States, the listings elsewhere are told and none is taken.

Stooq: https://stooq.com/q/?s=aapl.us, the CSV link of a quote's page. Finnhub: https://finnhub.io/docs/api/quote
"""

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import httpx
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, SecretStr, StringConstraints, ValidationError

from activities.errors import Ambiguous, NotFound, ServiceRefused, ServiceUnavailable, ToolError
from activities.http import web
from activities.settings.data_services import DataServices
from activities.settings.environment import PREFIX
from activities.toolkit.tool import tool

STOOQ = "https://stooq.com"
ELSEWHERE = ("DE", "HK", "HU", "JP", "UK")
"""Stooq's markets beside the one in the United States."""
FINNHUB = "https://finnhub.io"
SERVICE = "the stock price service"
MOST_SHOWN = 5


def _unknown(value: object) -> bool:
    return value is None


class StockPrice(BaseModel):
    """The latest price of one share. `as_of` is when it was paid. What the service does not say is left out: Finnhub
    says no currency, and Stooq by the market ".US" alone."""

    model_config = ConfigDict(frozen=True)

    symbol: str
    name: str | None = Field(default=None, exclude_if=_unknown)
    price: Annotated[FiniteFloat, Field(gt=0)]
    currency: str | None = Field(default=None, exclude_if=_unknown)
    as_of: datetime | None = Field(default=None, exclude_if=_unknown)


@tool(about="{symbol}")
async def get_stock_price(
    symbol: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,14}$")],
    *,
    http: httpx.AsyncClient,
    settings: DataServices,
) -> StockPrice:
    """Get the current price of a stock.

    Args:
        symbol: Ticker symbol, for example "AAPL".

    Raises:
        NotFound: the service knows no such symbol, or one elsewhere than in the United States.
        Ambiguous: it knows several, and none in the United States.
        ServiceUnavailable: as in `activities.http.web`; also where the service has no price now.
        ServiceRefused: as in `activities.http.web`.
    """
    if settings.stocks_token is None:
        return await _from_stooq(symbol, http, settings.stocks_url or STOOQ)
    return await _from_finnhub(symbol, _Finnhub(http, settings.stocks_url or FINNHUB, settings.stocks_token))


async def _from_stooq(symbol: str, http: httpx.AsyncClient, url: str) -> StockPrice:
    listed = _listed_at_stooq(symbol)
    quotes = await _stooq_quotes([listed], http, url)
    if not quotes:
        raise web.unreadable(SERVICE)
    if quotes[0].is_known:
        return quotes[0].as_price(symbol)
    if not listed.endswith(".US"):
        raise _not_found(symbol)
    same = [listed.removesuffix("US") + market for market in ELSEWHERE]
    raise _not_found(symbol, [str(each) for each in await _stooq_quotes(same, http, url) if each.is_known])


def _listed_at_stooq(symbol: str) -> str:
    """With its market, and a class of shares behind a dash: BRK.B is no B at a market of that name."""
    plain = symbol.upper().removesuffix(".US")
    if re.fullmatch(r"[A-Z]+\.[AB]", plain):
        plain = plain.replace(".", "-")
    return plain if "." in plain else f"{plain}.US"


async def _stooq_quotes(symbols: Iterable[str], http: httpx.AsyncClient, url: str) -> "Sequence[_StooqQuote]":
    reply = await web.get(
        http,
        SERVICE,
        f"{url.rstrip('/')}/q/l/",
        params={"s": " ".join(symbols).lower(), "f": "sd2t2ohlcvn", "h": "", "e": "csv"},
        hint=f"check {PREFIX}STOCKS_URL",
    )
    try:
        header, *rows = csv.reader(reply.text.splitlines())
        return [_StooqQuote.model_validate(dict(zip(header, row, strict=False))) for row in rows]
    except (ValueError, ValidationError, csv.Error) as error:
        raise web.unreadable(SERVICE) from error


class _StooqQuote(BaseModel):
    """One row, by the names that its header gives; `N/D` is for everything that Stooq does not know."""

    Symbol: str
    Date: str
    Time: str
    Close: str
    Name: str = "N/D"

    @property
    def is_known(self) -> bool:
        return (self.Date, self.Close) != ("N/D", "N/D")

    def __str__(self) -> str:
        return _named(self.Symbol.upper(), "" if self.Name == "N/D" else self.Name)

    def as_price(self, symbol: str) -> StockPrice:
        """The price in a reply.

        Raises:
            ServiceUnavailable: it has no price, or cannot be read.
        """
        if self.Close == "N/D":
            raise _no_price(symbol)
        american = self.Symbol.upper().endswith(".US")
        try:
            # Stooq is in Warsaw, and so is its clock.
            local = datetime.fromisoformat(f"{self.Date}T{self.Time}").replace(tzinfo=ZoneInfo("Europe/Warsaw"))
            if float(self.Close) == 0:
                raise _no_price(symbol)
            return StockPrice(
                symbol=self.Symbol.upper().removesuffix(".US"),
                name=None if self.Name == "N/D" else self.Name.strip(),
                price=float(self.Close),
                currency="USD" if american else None,
                as_of=local.astimezone(UTC),
            )
        except (ValueError, ValidationError) as error:
            raise web.unreadable(SERVICE) from error


class _Finnhub:
    """Its two questions: `quote` for a price, `search` for the symbols that there are."""

    def __init__(self, http: httpx.AsyncClient, url: str, token: SecretStr) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._token = token

    async def quote(self, listed: str) -> "_FinnhubQuote":
        hint = f"check {PREFIX}STOCKS_TOKEN and {PREFIX}STOCKS_URL, and whether its plan covers {listed}"
        return web.read(_FinnhubQuote, await self._get("quote", {"symbol": listed}, hint), SERVICE)

    async def search(self, listed: str) -> "Sequence[_FinnhubSymbol]":
        return web.read(_FinnhubSymbols, await self._get("search", {"q": listed}, ""), SERVICE).result

    async def _get(self, what: str, params: dict[str, str], hint: str) -> httpx.Response:
        headers = {"X-Finnhub-Token": self._token.get_secret_value()}
        return await web.get(
            self._http, SERVICE, f"{self._url}/api/v1/{what}", params=params, headers=headers, hint=hint
        )


async def _from_finnhub(symbol: str, finnhub: _Finnhub) -> StockPrice:
    listed = _listed_at_finnhub(symbol)
    quote = await finnhub.quote(listed)
    if not quote.c or quote.c < 0:
        raise await _why_no_price(symbol, listed, finnhub)
    as_of = quote.t if quote.t and quote.t.timestamp() > 0 else None
    return StockPrice(symbol=listed, price=quote.c, as_of=as_of)


def _listed_at_finnhub(symbol: str) -> str:
    """Without the market in the United States; a class of its shares is behind a dot there, as in BRK.B."""
    plain = symbol.upper().removesuffix(".US")
    return plain if "." in plain else plain.replace("-", ".")


async def _why_no_price(symbol: str, listed: str, finnhub: _Finnhub) -> ToolError:
    """Finnhub answers with zeros for what it does not know, and now and then for what it knows."""
    try:
        known = await finnhub.search(listed)
    except ServiceRefused:
        return _no_price(symbol)
    if any(each.symbol == listed for each in known):
        return _no_price(symbol)
    return _not_found(symbol, [str(each) for each in known if each.is_like(listed)])


class _FinnhubQuote(BaseModel):
    """`c` is the current price and `t` its time in seconds since 1970; both are 0 where there is none."""

    c: FiniteFloat | None
    t: datetime | None


class _FinnhubSymbol(BaseModel):
    symbol: str
    description: str = ""

    def is_like(self, listed: str) -> bool:
        """Whether it is the same at another market, or written in another way."""
        letters, others = (re.sub("[.-]", "", each) for each in (listed, self.symbol))
        return letters == others or self.symbol.rpartition(".")[0] == listed

    def __str__(self) -> str:
        return _named(self.symbol, self.description)


class _FinnhubSymbols(BaseModel):
    result: tuple[_FinnhubSymbol, ...]


def _named(symbol: str, name: str) -> str:
    return f"{symbol} ({name.strip()})" if name.strip() else symbol


def _no_price(symbol: str) -> ServiceUnavailable:
    return ServiceUnavailable(f'{SERVICE} has no price for "{symbol}" now; try again later')


def _not_found(symbol: str, elsewhere: Sequence[str] = ()) -> ToolError:
    if not elsewhere:
        return NotFound(f'there is no stock with the symbol "{symbol}"; give its ticker, for example "AAPL" or "BRK-B"')
    several = len(elsewhere) > 1
    shown = ", ".join(elsewhere[:MOST_SHOWN]) + (" and others" if len(elsewhere) > MOST_SHOWN else "")
    kind = Ambiguous if several else NotFound
    return kind(
        f'there is no stock with the symbol "{symbol}", but there is {shown}; '
        f"give {'one of these symbols' if several else 'that symbol'} in full"
    )
