"""get_weather, against a service that speaks as Open-Meteo does."""

from collections.abc import AsyncGenerator

import httpx
import pytest
from temporalio.testing import ActivityEnvironment

from activities.errors import Ambiguous, NotFound, ServiceUnavailable
from activities.execution.tool_activities import read_activity
from activities.http.tls import trusted_roots
from activities.settings.data_services import DataServices
from activities.toolkit.tool import tool_of
from activities.tools.weather import Weather, get_weather
from tests.unit.http.fake_web import FakeWeb, fake_web
from workflows.contract.internal import ToolCall

PARIS = {
    "id": 2988507,
    "name": "Paris",
    "latitude": 48.85341,
    "longitude": 2.3488,
    "country_code": "FR",
    "country": "France",
    "admin1": "Île-de-France",
    "population": 2138551,
}
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
    async with httpx.AsyncClient(verify=trusted_roots(), timeout=5) as client:
        yield client


@pytest.fixture
async def open_meteo() -> AsyncGenerator[FakeWeb]:
    async with fake_web() as web:
        web.answer("/v1/search", {"results": [PARIS], "generationtime_ms": 0.5})
        web.answer("/v1/forecast", {"timezone": "Europe/Paris", "current": NOW})
        yield web


def settings(web: FakeWeb) -> DataServices:
    return DataServices(weather_url=web.url + "/", geocoding_url=web.url)


async def test_the_weather_in_a_city(open_meteo: FakeWeb, http: httpx.AsyncClient) -> None:
    """A city's name becomes its weather, in flat and plain fields, through the activity that the worker runs."""
    tool = tool_of(get_weather)
    assert tool is not None
    run = read_activity(tool, {httpx.AsyncClient: http, DataServices: settings(open_meteo)})
    call = ToolCall(key="r/1.0", tool="get_weather", arguments=tool.validate({"city": " Paris "}).given)

    result = await ActivityEnvironment().run(run, call)

    assert result.value == {
        "city": "Paris",
        "region": "Île-de-France",
        "country": "France",
        "temperature_c": 11.4,
        "feels_like_c": 9.8,
        "conditions": "light rain",
        "wind_kmh": 14.2,
        "humidity_percent": 81,
        "local_time": "2026-11-22T14:15:00",
    }
    search, forecast = open_meteo.asked
    assert search.query == {"name": "Paris", "count": "10", "language": "en", "format": "json"}
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
    assert "country" not in weather.model_dump()


@pytest.mark.parametrize(
    ("lacking", "field"),
    [
        ("temperature_2m", "temperature_c"),
        ("apparent_temperature", "feels_like_c"),
        ("relative_humidity_2m", "humidity_percent"),
        ("weather_code", "conditions"),
        ("wind_speed_10m", "wind_kmh"),
        ("time", "local_time"),
    ],
)
async def test_what_the_service_does_not_know_is_left_out_and_the_rest_is_told(
    open_meteo: FakeWeb, http: httpx.AsyncClient, lacking: str, field: str
) -> None:
    """One null costs one field, not the whole."""
    whole = await get_weather("Paris", http=http, settings=settings(open_meteo))
    open_meteo.answer("/v1/forecast", {"current": NOW | {lacking: None}})
    weather = await get_weather("Paris", http=http, settings=settings(open_meteo))
    assert weather.model_dump() == {name: value for name, value in whole.model_dump().items() if name != field}


@pytest.mark.parametrize("current", [dict.fromkeys(NOW), {"time": "2026-11-22T14:15", "interval": 900}])
async def test_weather_without_anything_measured_is_asked_for_again(
    open_meteo: FakeWeb, http: httpx.AsyncClient, current: object
) -> None:
    """Nothing at all is not an answer."""
    open_meteo.answer("/v1/forecast", {"current": current})
    with pytest.raises(ServiceUnavailable, match="nothing of the weather in Paris"):
        await get_weather("Paris", http=http, settings=settings(open_meteo))


async def test_a_place_that_lacks_what_is_needed_does_not_spoil_the_others(
    open_meteo: FakeWeb, http: httpx.AsyncClient
) -> None:
    """A hit without coordinates is passed over; null regions and people are unknown ones."""
    bare = {**PARIS, "population": None, "admin1": None, "country_code": None, "feature_code": None}
    open_meteo.answer("/v1/search", {"results": [{**PARIS, "latitude": None}, bare], "generationtime_ms": 0.5})
    weather = await get_weather("Paris", http=http, settings=settings(open_meteo))
    assert (weather.city, weather.region, weather.country) == ("Paris", "", "France")


async def test_several_cities_of_the_name_are_told_to_the_model(open_meteo: FakeWeb, http: httpx.AsyncClient) -> None:
    """Which of two alike is meant is not guessed, and no weather is asked for."""
    other = {**PARIS, "latitude": 33.66, "admin1": "Texas", "country_code": "US", "country": "United States"}
    open_meteo.answer("/v1/search", {"results": [PARIS, other], "generationtime_ms": 0.5})
    with pytest.raises(Ambiguous, match="Paris, Île-de-France, France; Paris, Texas, United States"):
        await get_weather("Paris", http=http, settings=settings(open_meteo))
    assert [asked.path for asked in open_meteo.asked] == ["/v1/search"]
