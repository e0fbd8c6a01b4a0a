"""The sample services over real HTTP on loopback."""

from collections.abc import Iterator
from threading import Thread

import httpx
import pytest

from activities.errors import Ambiguous, NotFound
from activities.http.tls import trusted_roots
from activities.settings.data_services import DataServices
from activities.tools.stocks import get_stock_price
from activities.tools.weather import get_weather
from deploy.local.ports import free_ports
from deploy.local.sample_services import SampleServices

FORECAST = {
    "latitude": "35.6895",
    "longitude": "139.69171",
    "current": "temperature_2m,apparent_temperature,relative_humidity_2m,weather_code,wind_speed_10m",
    "timezone": "auto",
}


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    (port,) = free_ports(1)
    with SampleServices(port) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        with httpx.Client(
            verify=trusted_roots(), base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60
        ) as client:
            yield client
        server.shutdown()
        serving.join()


def test_geocoding_answers_as_open_meteo_does(http: httpx.Client) -> None:
    query = {"name": "Tokyo", "count": "1", "language": "en", "format": "json"}
    (found,) = http.get("/v1/search", params=query).json()["results"]
    assert found["name"] == "Tokyo"
    assert found["country_code"] == "JP"
    assert found["timezone"] == "Asia/Tokyo"
    assert 35 < found["latitude"] < 36
    assert 139 < found["longitude"] < 140


def test_a_forecast_has_the_shape_of_open_meteos(http: httpx.Client) -> None:
    answer = http.get("/v1/forecast", params=FORECAST).json()
    assert answer["timezone"] == "Asia/Tokyo"
    assert answer["utc_offset_seconds"] == 9 * 3600
    assert (
        set(answer["current"]) == set(answer["current_units"]) == {"time", "interval", *FORECAST["current"].split(",")}
    )
    assert answer["current_units"]["temperature_2m"] == "°C"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"latitude": "522.52"}, "Latitude must be in range of -90 to 90°. Given: 522.52."),
        ({"longitude": "north"}, "Invalid value 'north' for parameter 'longitude'."),
        ({"current": "tempeture_2m"}, "invalid String value tempeture_2m"),
        ({"timezone": "Moon/Tranquility"}, "Invalid timezone"),
    ],
)
def test_a_wrong_question_is_answered_400_with_the_reason(
    http: httpx.Client, wrong: dict[str, str], reason: str
) -> None:
    answer = http.get("/v1/forecast", params=FORECAST | wrong)
    assert answer.status_code == 400
    assert answer.json()["error"] is True
    assert reason in answer.json()["reason"]


def test_a_quote_has_the_shape_of_stooqs_and_an_unknown_symbol_is_not_available(http: httpx.Client) -> None:
    answer = http.get("/q/l/?s=aapl.us+zzzz.us&f=sd2t2ohlcvn&h&e=csv").text.splitlines()
    assert answer[0] == "Symbol,Date,Time,Open,High,Low,Close,Volume,Name"
    assert answer[1].startswith("AAPL.US,20")
    assert answer[1].endswith(",APPLE")
    assert answer[2] == "ZZZZ.US,N/D,N/D,N/D,N/D,N/D,N/D,N/D,ZZZZ.US"


def test_every_answer_says_that_it_is_a_sample(http: httpx.Client) -> None:
    for path in ("/v1/search?name=Paris", "/v1/forecast", "/q/l/?s=aapl.us", "/nothing"):
        assert http.get(path).headers["X-Sample-Data"] == "made up, not real"


def test_one_connection_serves_many_questions(http: httpx.Client) -> None:
    streams = {id(http.get("/health").extensions["network_stream"]) for _ in range(5)}
    assert len(streams) == 1


def test_what_is_not_served_is_404(http: httpx.Client) -> None:
    assert http.get("/v2/elsewhere").status_code == 404


@pytest.mark.parametrize(
    ("city", "place"),
    [
        ("Tokyo", {"city": "Tokyo", "country": "Japan"}),
        ("Boston", {"city": "Boston", "region": "Massachusetts", "country": "United States"}),
        ("Detroit, Michigan", {"city": "Detroit", "region": "Michigan", "country": "United States"}),
        ("White Plains NY", {"city": "White Plains", "region": "New York", "country": "United States"}),
        ("Paris, TX, USA", {"city": "Paris", "region": "Texas", "country": "United States"}),
        ("Paris, France", {"city": "Paris", "country": "France"}),
        ("Limerick Ireland", {"city": "Luimneach", "country": "Ireland"}),
        ("Venice", {"city": "Venice", "country": "Italy"}),
    ],
)
@pytest.mark.sampled(3)
async def test_the_weather_tool_finds_places_there_as_at_open_meteo(
    http: httpx.Client, city: str, place: dict[str, str]
) -> None:
    url = str(http.base_url)
    async with httpx.AsyncClient(verify=trusted_roots(), trust_env=False, timeout=60) as client:
        weather = await get_weather(city, http=client, settings=DataServices(weather_url=url, geocoding_url=url))
    assert weather.model_dump(include={"city", "region", "country"}) == place
    assert weather.temperature_c is not None


async def test_the_tools_are_told_there_what_is_ambiguous_and_what_there_is_not(http: httpx.Client) -> None:
    url = str(http.base_url)
    samples = DataServices(weather_url=url, geocoding_url=url, stocks_url=url)
    async with httpx.AsyncClient(verify=trusted_roots(), trust_env=False, timeout=60) as client:
        with pytest.raises(Ambiguous, match="Springfield, Missouri, United States; Springfield, Massachusetts"):
            await get_weather("Springfield", http=client, settings=samples)
        with pytest.raises(NotFound, match='there is no stock with the symbol "ZZZZ"; give its ticker'):
            await get_stock_price("ZZZZ", http=client, settings=samples)
        assert (await get_stock_price("BRK.B", http=client, settings=samples)).currency == "USD"
