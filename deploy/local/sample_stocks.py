"""Sample stock quotes in the shape of Stooq's: the companies are real, the prices are made up.

They stay near the price that `stocks.csv` says, and depend on the symbol and the trading day alone. The shapes follow
what `https://stooq.com/q/l/?s=aapl.us&f=sd2t2ohlcvn&h&e=csv` answers, `N/D` for what it does not know included.
"""

import csv
import io
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

from deploy.local.made_up import between

LISTED = Path(__file__).with_name("stocks.csv")
CLOSING_HOUR = 22  # Stooq's clock, on which New York closes
TITLES = {
    "s": "Symbol",
    "d2": "Date",
    "t2": "Time",
    "o": "Open",
    "h": "High",
    "l": "Low",
    "c": "Close",
    "v": "Volume",
    "n": "Name",
}


class Company(NamedTuple):
    name: str
    about: float
    """A price that was near enough once; samples stay within a few per cent of it."""


@cache
def companies() -> Mapping[str, Company]:
    with LISTED.open(newline="", encoding="utf-8") as file:
        return {row["symbol"]: Company(row["name"], float(row["about"])) for row in csv.DictReader(file)}


def quotes(query: Mapping[str, str], now: datetime) -> str:
    """`GET /q/l/`: one line for each symbol in `s`, the columns that `f` names, a header with `h`."""
    columns = [code for code in re.findall(r"[a-z]\d?", query.get("f", "sd2t2ohlcv")) if code in TITLES]
    symbols = [each for each in re.split(r"[ +,]", query.get("s", "")) if each]
    text = io.StringIO()
    lines = csv.writer(text)
    if "h" in query:
        lines.writerow(TITLES[code] for code in columns)
    for symbol in symbols:
        values = _quote(symbol.upper(), _trading_day(now))
        lines.writerow(values.get(code, "N/D") for code in columns)
    return text.getvalue()


def _quote(symbol: str, day: date) -> dict[str, str]:
    """The columns by their codes; of an unknown symbol only itself, which is also its name."""
    company = companies().get(symbol.removesuffix(".US")) if symbol.endswith(".US") else None
    if company is None:
        return {"s": symbol, "n": symbol}
    opened = company.about * between(0.96, 1.04, "open", symbol, day)
    closed = opened * between(0.98, 1.02, "close", symbol, day)
    high = max(opened, closed) * between(1, 1.01, "high", symbol, day)
    low = min(opened, closed) * between(0.99, 1, "low", symbol, day)
    prices = {code: f"{price:.2f}" for code, price in zip("ohlc", (opened, high, low, closed), strict=True)}
    return {
        "s": symbol,
        "d2": day.isoformat(),
        "t2": f"{CLOSING_HOUR}:00:{round(between(5, 20, 'second', symbol, day)):02}",
        **prices,
        "v": str(round(between(1e6, 6e7, "volume", symbol, day))),
        "n": company.name,
    }


def _trading_day(now: datetime) -> date:
    """The last weekday on which New York has closed."""
    day = now.date() if now.hour >= CLOSING_HOUR else now.date() - timedelta(days=1)
    return day - timedelta(days=max(0, day.weekday() - 4))
