"""The made-up answers, asked for without HTTP."""

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from activities.tools.forecast import DAILY
from deploy.local import sample_rates, sample_stocks, sample_weather

NOON = datetime(2026, 7, 15, 12, 5, tzinfo=UTC)
CURRENT = "temperature_2m,apparent_temperature,relative_humidity_2m,weather_code,wind_speed_10m"


def place(name: str) -> dict[str, object]:
    results = sample_weather.search({"name": name, "count": "1"})["results"]
    return cast(list[dict[str, object]], results)[0]


def temperature(latitude: float, longitude: float, now: datetime) -> float:
    query = {"latitude": str(latitude), "longitude": str(longitude), "current": CURRENT, "timezone": "auto"}
    current = sample_weather.forecast(query, now)["current"]
    return cast(dict[str, float], current)["temperature_2m"]


@pytest.mark.parametrize(
    ("asked", "country", "timezone"),
    [
        ("Tokyo", "Japan", "Asia/Tokyo"),
        ("tokyo", "Japan", "Asia/Tokyo"),
        ("Paris", "France", "Europe/Paris"),
        ("Geneva", "Switzerland", "Europe/Zurich"),
        ("Venice", "Italy", "Europe/Rome"),
        ("New York", "United States", "America/New_York"),
        ("Sao Paulo", "Brazil", "America/Sao_Paulo"),
        ("München", "Germany", "Europe/Berlin"),
    ],
)
def test_a_city_is_found_by_any_of_its_names_and_the_best_known_one_wins(
    asked: str, country: str, timezone: str
) -> None:
    found = place(asked)
    assert (found["country"], found["timezone"]) == (country, timezone)


def test_the_beginning_of_a_name_is_enough() -> None:
    assert place("Reykja")["country"] == "Iceland"


@pytest.mark.parametrize("unknown", ["Atlantisopolis", "Tokyo, Japan", "x", ""])
def test_a_place_that_is_not_known_has_no_results_at_all(unknown: str) -> None:
    assert "results" not in sample_weather.search({"name": unknown})


def test_the_weather_is_the_same_for_the_same_place_and_hour() -> None:
    assert temperature(35.7, 139.7, NOON) == temperature(35.7, 139.7, NOON + timedelta(minutes=30))
    assert temperature(35.7, 139.7, NOON) != temperature(35.7, 139.7, NOON + timedelta(days=1))


def test_the_weather_suits_the_latitude_and_the_season() -> None:
    winter = NOON + timedelta(days=184)
    assert temperature(52.5, 13.4, NOON) > temperature(52.5, 13.4, winter)
    assert temperature(-33.9, 151.2, NOON) < temperature(-33.9, 151.2, winter)
    assert temperature(1.3, 103.8, winter) > 20
    assert temperature(78.2, 15.6, winter) < -10


def test_a_stock_has_the_same_plausible_price_all_day() -> None:
    query = {"s": "aapl.us", "f": "sohlc"}
    symbol, *prices = sample_stocks.quotes(query, NOON).strip().split(",")
    opened, high, low, closed = map(float, prices)
    assert symbol == "AAPL.US"
    assert low <= min(opened, closed) <= max(opened, closed) <= high
    assert sample_stocks.quotes(query, NOON) == sample_stocks.quotes(query, NOON + timedelta(hours=5))


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2026, 11, 20, 23, tzinfo=UTC), "2026-11-20"),  # Friday, after the close
        (datetime(2026, 11, 20, 12, tzinfo=UTC), "2026-11-19"),
        (datetime(2026, 11, 22, 23, tzinfo=UTC), "2026-11-20"),  # Sunday
        (datetime(2026, 11, 23, 9, tzinfo=UTC), "2026-11-20"),  # Monday, before the close
    ],
)
def test_a_quote_is_of_the_last_day_on_which_the_exchange_has_closed(now: datetime, day: str) -> None:
    assert sample_stocks.quotes({"s": "msft.us", "f": "d2"}, now).strip() == day


def test_the_forecast_has_a_value_for_every_day_and_every_figure() -> None:
    query = {"latitude": "48.85", "longitude": "2.35", "daily": DAILY, "forecast_days": "16", "timezone": "auto"}
    daily = cast(dict[str, list[object]], sample_weather.forecast(query, NOON)["daily"])
    assert daily["time"][:2] == ["2026-07-15", "2026-07-16"]
    assert {name: len(values) for name, values in daily.items()} == dict.fromkeys(["time", *DAILY.split(",")], 16)
    with pytest.raises(sample_weather.BadRequest):
        sample_weather.forecast(query | {"daily": "sunshine"}, NOON)


def test_the_rate_back_is_one_by_the_rate_there() -> None:
    there = cast(dict[str, float], sample_rates.latest({"base": "USD", "symbols": "JPY"}, NOON)["rates"])
    back = cast(dict[str, float], sample_rates.latest({"base": "JPY", "symbols": "USD"}, NOON)["rates"])
    assert there["JPY"] * back["USD"] == pytest.approx(1, abs=0.02)
    with pytest.raises(sample_rates.UnknownCurrency):
        sample_rates.latest({"base": "XXX"}, NOON)


def test_on_a_sunday_the_rates_are_those_of_friday() -> None:
    assert sample_rates.latest({}, NOON + timedelta(days=4))["date"] == "2026-07-17"
