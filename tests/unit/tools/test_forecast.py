"""get_forecast, against a service that speaks as Open-Meteo does."""

from collections.abc import AsyncGenerator
from datetime import date

import httpx
import pytest

from activities.errors import NotFound
from activities.http.tls import trusted_roots
from activities.settings.data_services import DataServices
from activities.tools.forecast import Forecast, get_forecast
from tests.unit.http.fake_web import FakeWeb, fake_web

PARIS = {"name": "Paris", "latitude": 48.85, "longitude": 2.35, "country": "France", "population": 2138551}
DAYS = {
    "time": ["2026-11-28", "2026-11-29"],
    "weather_code": [3, 61],
    "temperature_2m_max": [9.5, 11.25],
    "temperature_2m_min": [4.0, None],
    "precipitation_sum": [0.0, 6.4],
    "precipitation_probability_max": [5, 93],
    "wind_speed_10m_max": [12.0, 31.0],
}


@pytest.fixture
async def web() -> AsyncGenerator[FakeWeb]:
    async with fake_web() as found:
        found.answer("/v1/search", {"results": [PARIS], "generationtime_ms": 0.5})
        found.answer("/v1/forecast", {"daily": DAYS})
        yield found


async def forecast(web: FakeWeb, day: date) -> Forecast:
    async with httpx.AsyncClient(verify=trusted_roots(), timeout=5) as http:
        return await get_forecast(
            "Paris", day, http=http, settings=DataServices(weather_url=web.url, geocoding_url=web.url)
        )


async def test_a_day_is_told_with_what_the_service_knows_of_it(web: FakeWeb) -> None:
    told = await forecast(web, date(2026, 11, 29))
    assert told.model_dump(mode="json") == {
        "city": "Paris",
        "country": "France",
        "day": "2026-11-29",
        "conditions": "light rain",
        "highest_c": 11.25,
        "rain_mm": 6.4,
        "rain_probability_percent": 93,
        "wind_kmh": 31.0,
    }


async def test_the_days_are_those_of_the_place(web: FakeWeb) -> None:
    await forecast(web, date(2026, 11, 28))
    assert web.asked[-1].query["timezone"] == "auto"


async def test_a_day_without_a_forecast_is_not_found_and_the_message_says_which_have_one(web: FakeWeb) -> None:
    with pytest.raises(NotFound, match="no forecast for Paris on 2027-01-01; it has one from 2026-11-28 to 2026-11-29"):
        await forecast(web, date(2027, 1, 1))
