"""get_stock_price, against services that speak as Stooq and Finnhub do."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.errors import Ambiguous, NotFound, ServiceRefused, ServiceUnavailable
from activities.execution.tool_activities import read_activity
from activities.http.tls import trusted_roots
from activities.settings.data_services import DataServices
from activities.toolkit.tool import tool_of
from activities.tools.stocks import get_stock_price
from tests.unit.http.fake_web import Asked, FakeWeb, fake_web, reply
from workflows.contract.internal import ToolCall

HEADER = "Symbol,Date,Time,Open,High,Low,Close,Volume,Name\r\n"
APPLE = HEADER + "AAPL.US,2026-11-20,22:00:09,228.06,230.72,227.9,229.87,38168252,APPLE\r\n"


@pytest.fixture
async def http() -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(verify=trusted_roots(), timeout=5) as client:
        yield client


@pytest.fixture
async def web() -> AsyncGenerator[FakeWeb]:
    async with fake_web() as each:
        yield each


def stooq(web: FakeWeb) -> DataServices:
    return DataServices(stocks_url=web.url)


def finnhub(web: FakeWeb) -> DataServices:
    return DataServices(stocks_url=web.url, stocks_token=SecretStr("s3cret"))


async def test_a_price_from_stooq(web: FakeWeb, http: httpx.AsyncClient) -> None:
    """A ticker becomes its price in dollars, at a time in UTC (Stooq's clock is Warsaw's), through the activity."""
    web.answer("/q/l/", APPLE)
    tool = tool_of(get_stock_price)
    assert tool is not None
    run = read_activity(tool, {httpx.AsyncClient: http, DataServices: stooq(web)})

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


UNKNOWN = 'there is no stock with the symbol "{}"; give its ticker, for example "AAPL" or "BRK-B"'


async def test_a_symbol_that_stooq_lacks(web: FakeWeb, http: httpx.AsyncClient) -> None:
    """`N/D` for everything is "no such stock", said to the model, once no other market has it either."""
    web.answer("/q/l/", HEADER + "NOPE.US,N/D,N/D,N/D,N/D,N/D,N/D,N/D,NOPE.US\r\n")
    with pytest.raises(NotFound) as raised:
        await get_stock_price("NOPE", http=http, settings=stooq(web))
    assert str(raised.value) == UNKNOWN.format("NOPE")
    assert [asked.query["s"] for asked in web.asked] == ["nope.us", "nope.de nope.hk nope.hu nope.jp nope.uk"]
    with pytest.raises(NotFound):
        await get_stock_price("NOPE.DE", http=http, settings=stooq(web))
    assert len(web.asked) == 3


class Stooq(FakeWeb):
    """Knows Siemens at two markets, and none of them in the United States."""

    def reply_to(self, asked: Asked) -> bytes:
        listed = {"sie.de": "SIEMENS", "sie.uk": "N/D"}
        rows = (
            f"{each.upper()},2026-11-20,17:35:00,1,1,1,205.5,1,{listed[each]}"
            if each in listed
            else f"{each.upper()},N/D,N/D,N/D,N/D,N/D,N/D,N/D,{each.upper()}"
            for each in asked.query["s"].split()
        )
        return reply(HEADER + "\r\n".join(rows))


async def test_a_symbol_that_stooq_has_elsewhere_only(http: httpx.AsyncClient) -> None:
    """The listings elsewhere are told, and none is taken."""
    async with fake_web(Stooq()) as web:
        with pytest.raises(Ambiguous, match=r'"SIE", but there is SIE.DE \(SIEMENS\), SIE.UK; give one'):
            await get_stock_price("SIE", http=http, settings=stooq(web))
        assert (await get_stock_price("SIE.DE", http=http, settings=stooq(web))).price == 205.5


@pytest.mark.parametrize(
    ("symbol", "asked"),
    [("BRK.B", "brk-b.us"), ("BRK-B", "brk-b.us"), ("brk.b.us", "brk-b.us"), ("SAP.DE", "sap.de"), ("T", "t.us")],
)
async def test_stooq_is_asked_in_its_own_spelling(
    web: FakeWeb, http: httpx.AsyncClient, symbol: str, asked: str
) -> None:
    """A class of shares is behind a dash there, and what is behind a dot is a market."""
    web.answer("/q/l/", APPLE)
    await get_stock_price(symbol, http=http, settings=stooq(web))
    assert web.asked[0].query["s"] == asked


@pytest.mark.parametrize("close", ["N/D", "0", "0.00"])
async def test_a_known_stock_without_a_price_is_asked_for_again(
    web: FakeWeb, http: httpx.AsyncClient, close: str
) -> None:
    """A placeholder becomes neither a price nor "no such stock"."""
    web.answer("/q/l/", APPLE.replace("229.87", close))
    with pytest.raises(ServiceUnavailable, match='has no price for "AAPL" now'):
        await get_stock_price("AAPL", http=http, settings=stooq(web))


async def test_a_name_that_stooq_does_not_say_is_left_out(web: FakeWeb, http: httpx.AsyncClient) -> None:
    """Nor is a currency told that it does not say."""
    web.answer("/q/l/", HEADER + "SAP.DE,2026-11-20,17:35:00,1,1,1,205.5,1,N/D\r\n")
    price = await get_stock_price("SAP.DE", http=http, settings=stooq(web))
    assert set(price.model_dump()) == {"symbol", "price", "as_of"}


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
    assert price.model_dump() == {"symbol": "AAPL", "price": 229.87, "as_of": as_of}
    asked = web.asked[0]
    assert asked.query == {"symbol": "AAPL"}
    assert asked.headers["x-finnhub-token"] == "s3cret"
    assert "s3cret" not in asked.line


ZEROS = {"c": 0, "d": None, "dp": None, "h": 0, "l": 0, "o": 0, "pc": 0, "t": 0}


def found(*symbols: str) -> dict[str, object]:
    """What Finnhub's search answers."""
    rows = [
        {"symbol": each, "displaySymbol": each, "description": "SAP SE", "type": "Common Stock"} for each in symbols
    ]
    return {"count": len(rows), "result": rows}


async def test_a_symbol_that_finnhub_lacks(web: FakeWeb, http: httpx.AsyncClient) -> None:
    """Finnhub's zeros are "no such stock" only where its list of symbols lacks it too."""
    web.answer("/api/v1/quote", ZEROS)
    web.answer("/api/v1/search", found("NOPEX", "NO.PA"))
    with pytest.raises(NotFound) as raised:
        await get_stock_price("NOPE", http=http, settings=finnhub(web))
    assert str(raised.value) == UNKNOWN.format("NOPE")
    assert web.asked[1].query == {"q": "NOPE"}
    assert web.asked[1].headers["x-finnhub-token"] == "s3cret"


@pytest.mark.parametrize("quote", [ZEROS, {**ZEROS, "t": 1795208400}, {**ZEROS, "c": None}, {**ZEROS, "c": -1}])
async def test_zeros_for_a_symbol_that_finnhub_knows_are_no_price_and_asked_for_again(
    web: FakeWeb, http: httpx.AsyncClient, quote: object
) -> None:
    """A placeholder becomes neither a price nor "no such stock"."""
    web.answer("/api/v1/quote", quote)
    web.answer("/api/v1/search", found("AAPL", "AAPL.SW"))
    with pytest.raises(ServiceUnavailable, match='has no price for "AAPL" now'):
        await get_stock_price("AAPL", http=http, settings=finnhub(web))


async def test_zeros_that_cannot_be_explained_are_asked_for_again(web: FakeWeb, http: httpx.AsyncClient) -> None:
    """A plan without the search leaves it open whether there is such a stock."""
    web.answer("/api/v1/quote", ZEROS)
    web.answer("/api/v1/search", {"error": "You don't have access to this resource."}, status="403 Forbidden")
    with pytest.raises(ServiceUnavailable, match='has no price for "AAPL" now'):
        await get_stock_price("AAPL", http=http, settings=finnhub(web))


async def test_a_time_that_finnhub_does_not_say_is_left_out(web: FakeWeb, http: httpx.AsyncClient) -> None:
    """Nothing was paid in 1970."""
    web.answer("/api/v1/quote", {**ZEROS, "c": 229.87})
    price = await get_stock_price("AAPL", http=http, settings=finnhub(web))
    assert price.model_dump() == {"symbol": "AAPL", "price": 229.87}


@pytest.mark.parametrize(
    ("symbol", "asked"),
    [
        ("BRK-B", "BRK.B"),
        ("brk.b", "BRK.B"),
        ("BRK-B.US", "BRK.B"),
        ("SAP.DE", "SAP.DE"),
        ("VOLV-B.ST", "VOLV-B.ST"),
    ],
)
async def test_finnhub_is_asked_in_its_own_spelling(
    web: FakeWeb, http: httpx.AsyncClient, symbol: str, asked: str
) -> None:
    """American classes of shares stand behind a dot there; no currency is claimed for any."""
    web.answer("/api/v1/quote", {**ZEROS, "c": 205.5, "t": 1795208400})
    price = await get_stock_price(symbol, http=http, settings=finnhub(web))
    assert web.asked[0].query == {"symbol": asked}
    assert (price.symbol, price.currency) == (asked, None)


@pytest.mark.parametrize(
    ("symbol", "known", "told"),
    [
        (
            "SIE",
            ["SIE.DE", "SIE.SW", "SIEB"],
            'there is no stock with the symbol "SIE", but there is SIE.DE (SAP SE), '
            "SIE.SW (SAP SE); give one of these symbols in full",
        ),
        (
            "ERE-UN.TO",
            ["ERE.UN.TO"],
            'there is no stock with the symbol "ERE-UN.TO", but there is ERE.UN.TO (SAP SE); give that symbol in full',
        ),
    ],
)
async def test_what_is_listed_elsewhere_only_is_told_and_none_is_taken(
    web: FakeWeb, http: httpx.AsyncClient, symbol: str, known: list[str], told: str
) -> None:
    """Which exchange is meant is the model's or the requester's to say."""
    web.answer("/api/v1/quote", ZEROS)
    web.answer("/api/v1/search", found(*known))
    with pytest.raises((Ambiguous, NotFound)) as raised:
        await get_stock_price(symbol, http=http, settings=finnhub(web))
    assert str(raised.value) == told


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
    run = read_activity(tool, {httpx.AsyncClient: http, DataServices: stooq(web)})
    call = ToolCall(key="r/1.0", tool="get_stock_price", arguments={"symbol": symbol})
    with pytest.raises(ApplicationError) as error:
        await ActivityEnvironment().run(run, call)
    assert error.value.type == "InvalidArguments"
    assert not web.asked
