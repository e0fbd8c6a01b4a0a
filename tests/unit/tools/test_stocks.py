"""get_stock_price, against services that speak as Stooq and Finnhub do."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.errors import NotFound, ServiceRefused, ServiceUnavailable
from activities.execution import read_activity
from activities.settings import Settings
from activities.stocks import StockPrice, get_stock_price
from activities.tool import tool_of
from tests.unit.tools.fake_web import FakeWeb, fake_web
from workflows.contract import ToolCall

HEADER = "Symbol,Date,Time,Open,High,Low,Close,Volume,Name\r\n"
APPLE = HEADER + "AAPL.US,2026-11-20,22:00:09,228.06,230.72,227.9,229.87,38168252,APPLE\r\n"


@pytest.fixture
async def http() -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=5) as client:
        yield client


@pytest.fixture
async def web() -> AsyncGenerator[FakeWeb]:
    async with fake_web() as each:
        yield each


def stooq(web: FakeWeb) -> Settings:
    return Settings(stocks_url=web.url)


def finnhub(web: FakeWeb) -> Settings:
    return Settings(stocks_url=web.url, stocks_token=SecretStr("s3cret"))


async def test_a_price_from_stooq(web: FakeWeb, http: httpx.AsyncClient) -> None:
    """A ticker becomes its price in dollars, at a time in UTC (Stooq's clock is Warsaw's), through the activity."""
    web.answer("/q/l/", APPLE)
    tool = tool_of(get_stock_price)
    assert tool is not None
    run = read_activity(tool, {httpx.AsyncClient: http, Settings: stooq(web)})

    result = await ActivityEnvironment().run(
        run, ToolCall(key="r/1.0", tool="get_stock_price", arguments={"symbol": "AAPL"})
    )

    assert result.value == {
        "symbol": "AAPL",
        "name": "APPLE",
        "price": 229.87,
        "currency": "USD",
        "as_of": "2026-11-20T21:00:09Z",
    }
    assert web.asked[0].query == {"s": "aapl.us", "f": "sd2t2ohlcvn", "h": "", "e": "csv"}


async def test_a_market_that_is_named_is_kept(web: FakeWeb, http: httpx.AsyncClient) -> None:
    """A symbol with a suffix is asked for as it is, and no currency is claimed for it."""
    web.answer("/q/l/", HEADER + "SAP.DE,2026-11-20,17:35:00,1,1,1,205.5,1,SAP\r\n")
    price = await get_stock_price("SAP.DE", http=http, settings=stooq(web))
    assert web.asked[0].query["s"] == "sap.de"
    assert (price.symbol, price.price, price.currency) == ("SAP.DE", 205.5, None)


async def test_a_symbol_that_stooq_lacks(web: FakeWeb, http: httpx.AsyncClient) -> None:
    """`N/D` in the price is "no such stock", said to the model."""
    web.answer("/q/l/", HEADER + "NOPE.US,N/D,N/D,N/D,N/D,N/D,N/D,N/D,NOPE.US\r\n")
    with pytest.raises(NotFound, match='"NOPE"'):
        await get_stock_price("NOPE", http=http, settings=stooq(web))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "Exceeded the daily hits limit",
        "<html>\n<body>\n</html>",
        HEADER,
        HEADER + "AAPL.US,2026-11-20\r\n",
        APPLE.replace("229.87", "cheap"),
        APPLE.replace("229.87", "nan"),
        APPLE.replace("2026-11-20", "N/D"),
    ],
)
async def test_what_is_not_a_quote_is_tried_again(web: FakeWeb, http: httpx.AsyncClient, body: str) -> None:
    """Stooq's error pages come with status 200; none of them becomes a price."""
    web.answer("/q/l/", body)
    with pytest.raises(ServiceUnavailable):
        await get_stock_price("AAPL", http=http, settings=stooq(web))


async def test_a_price_from_finnhub(web: FakeWeb, http: httpx.AsyncClient) -> None:
    """With a token the price is Finnhub's, and the token is in a header and not in the URL, which proxies log."""
    web.answer("/api/v1/quote", {"c": 229.87, "d": 1.2, "dp": 0.5, "h": 1, "l": 1, "o": 1, "pc": 1, "t": 1795208400})
    price = await get_stock_price("aapl.us", http=http, settings=finnhub(web))
    as_of = datetime.fromtimestamp(1795208400, UTC)
    assert price == StockPrice(symbol="AAPL", price=229.87, currency="USD", as_of=as_of)
    asked = web.asked[0]
    assert asked.query == {"symbol": "AAPL"}
    assert asked.headers["x-finnhub-token"] == "s3cret"
    assert "s3cret" not in asked.line


async def test_a_symbol_that_finnhub_lacks(web: FakeWeb, http: httpx.AsyncClient) -> None:
    """Finnhub's zeros are "no such stock", never a price of nothing."""
    web.answer("/api/v1/quote", {"c": 0, "d": None, "dp": None, "h": 0, "l": 0, "o": 0, "pc": 0, "t": 0})
    with pytest.raises(NotFound):
        await get_stock_price("NOPE", http=http, settings=finnhub(web))


async def test_a_token_that_is_not_accepted(web: FakeWeb, http: httpx.AsyncClient) -> None:
    """A bad token is final; the message names the variable and not its value."""
    web.answer("/api/v1/quote", {"error": "Invalid API key."}, status="401 Unauthorized")
    with pytest.raises(ServiceRefused, match="ERRAND_STOCKS_TOKEN") as refused:
        await get_stock_price("AAPL", http=http, settings=finnhub(web))
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("symbol", ["", "Apple Inc", "AAPL&e=html", "../x", "A" * 20, "AAPL\n", "ÄPFEL"])
async def test_only_symbols_are_asked_for(web: FakeWeb, http: httpx.AsyncClient, symbol: str) -> None:
    """What is no ticker goes back to the model before anybody is asked."""
    tool = tool_of(get_stock_price)
    assert tool is not None
    run = read_activity(tool, {httpx.AsyncClient: http, Settings: stooq(web)})
    call = ToolCall(key="r/1.0", tool="get_stock_price", arguments={"symbol": symbol})
    with pytest.raises(ApplicationError) as error:
        await ActivityEnvironment().run(run, call)
    assert error.value.type == "InvalidArguments"
    assert not web.asked
