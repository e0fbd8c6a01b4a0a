"""get_weather, against a service that speaks as Open-Meteo does."""

from collections.abc import AsyncGenerator

import httpx
import pytest
from temporalio.testing import ActivityEnvironment

from activities.errors import NotFound, ServiceUnavailable
from activities.execution import read_activity
from activities.settings import Settings
from activities.tool import tool_of
from activities.weather import Weather, get_weather
from tests.unit.tools.fake_web import FakeWeb, fake_web
from workflows.contract import ToolCall

PARIS = {"id": 2988507, "name": "Paris", "latitude": 48.85341, "longitude": 2.3488, "country": "France"}
NOW = {
    "time": "2026-11-22T14:15",
    "interval": 900,
    "temperature_2m": 11.4,
    "apparent_temperature": 9.8,
    "relative_humidity_2m": 81,
    "weather_code": 61,
    "wind_speed_10m": 14.2,
}


@pytest.fixture
async def http() -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=5) as client:
        yield client


@pytest.fixture
async def open_meteo() -> AsyncGenerator[FakeWeb]:
    async with fake_web() as web:
        web.answer("/v1/search", {"results": [PARIS], "generationtime_ms": 0.5})
        web.answer("/v1/forecast", {"timezone": "Europe/Paris", "current": NOW})
        yield web


def settings(web: FakeWeb) -> Settings:
    return Settings(weather_url=web.url + "/", geocoding_url=web.url)


async def test_the_weather_in_a_city(open_meteo: FakeWeb, http: httpx.AsyncClient) -> None:
    """A city's name becomes its weather, in flat and plain fields, through the activity that the worker runs."""
    tool = tool_of(get_weather)
    assert tool is not None
    run = read_activity(tool, {httpx.AsyncClient: http, Settings: settings(open_meteo)})
    call = ToolCall(key="r/1.0", tool="get_weather", arguments={"city": " Paris "})

    result = await ActivityEnvironment().run(run, call)

    assert result.value == {
        "city": "Paris",
        "country": "France",
        "temperature_c": 11.4,
        "feels_like_c": 9.8,
        "conditions": "light rain",
        "wind_kmh": 14.2,
        "humidity_percent": 81,
        "local_time": "2026-11-22T14:15:00",
    }
    search, forecast = open_meteo.asked
    assert search.query == {"name": "Paris", "count": "1", "language": "en", "format": "json"}
    assert forecast.query["latitude"] == "48.85341"
    assert forecast.query["timezone"] == "auto"


async def test_a_city_that_nobody_knows(open_meteo: FakeWeb, http: httpx.AsyncClient) -> None:
    """No such city is the answer to the model, with the way to ask that works."""
    open_meteo.answer("/v1/search", {"generationtime_ms": 0.5})
    with pytest.raises(NotFound, match=r'"Atlantis".*for example "Paris"'):
        await get_weather("Atlantis", http=http, settings=settings(open_meteo))


async def test_a_reply_about_something_else_is_not_an_unknown_city(
    open_meteo: FakeWeb, http: httpx.AsyncClient
) -> None:
    """JSON of another shape is tried again and never said to be "no such city"."""
    open_meteo.answer("/v1/search", {"message": "maintenance"})
    with pytest.raises(ServiceUnavailable):
        await get_weather("Paris", http=http, settings=settings(open_meteo))


async def test_a_code_without_words(open_meteo: FakeWeb, http: httpx.AsyncClient) -> None:
    """A weather code that the table lacks is named, and a place without a country has none."""
    place = {name: value for name, value in PARIS.items() if name != "country"}
    open_meteo.answer("/v1/search", {"results": [place], "generationtime_ms": 0.5})
    open_meteo.answer("/v1/forecast", {"current": NOW | {"weather_code": 42}})
    weather: Weather = await get_weather("Paris", http=http, settings=settings(open_meteo))
    assert weather.conditions == "WMO weather code 42"
    assert weather.country == ""
