"""The weather, from Open-Meteo.

https://open-meteo.com/en/docs and https://open-meteo.com/en/docs/geocoding-api
"""

from datetime import datetime
from typing import Annotated

import httpx
from pydantic import BaseModel, ConfigDict, StringConstraints

from activities import web
from activities.errors import NotFound
from activities.settings import PREFIX, Settings
from activities.tool import tool

SERVICE = "the weather service"
CURRENT = "temperature_2m,apparent_temperature,relative_humidity_2m,weather_code,wind_speed_10m"


class Weather(BaseModel):
    """The weather in a city, now. `local_time` is that city's clock."""

    model_config = ConfigDict(frozen=True)

    city: str
    country: str
    temperature_c: float
    feels_like_c: float
    conditions: str
    wind_kmh: float
    humidity_percent: int
    local_time: datetime


@tool(about="{city}")
async def get_weather(
    city: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)],
    *,
    http: httpx.AsyncClient,
    settings: Settings,
) -> Weather:
    """Get the current weather in a city.

    Args:
        city: Name of the city, for example "Paris".

    Raises:
        NotFound: the geocoder knows no such city.
        ServiceUnavailable: as in `activities.web`.
        ServiceRefused: as in `activities.web`.
    """
    place = await _find(city, http, settings)
    reply = await web.get(
        http,
        SERVICE,
        f"{settings.weather_url.rstrip('/')}/v1/forecast",
        params={
            "latitude": str(place.latitude),
            "longitude": str(place.longitude),
            "current": CURRENT,
            "timezone": "auto",
        },
        hint=f"check {PREFIX}WEATHER_URL",
    )
    now = web.read(_Forecast, reply, SERVICE).current
    return Weather(
        city=place.name,
        country=place.country,
        temperature_c=now.temperature_2m,
        feels_like_c=now.apparent_temperature,
        conditions=CONDITIONS.get(now.weather_code, f"WMO weather code {now.weather_code}"),
        wind_kmh=now.wind_speed_10m,
        humidity_percent=round(now.relative_humidity_2m),
        local_time=now.time,
    )


async def _find(city: str, http: httpx.AsyncClient, settings: Settings) -> "_Place":
    reply = await web.get(
        http,
        SERVICE,
        f"{settings.geocoding_url.rstrip('/')}/v1/search",
        params={"name": city, "count": "1", "language": "en", "format": "json"},
        hint=f"check {PREFIX}GEOCODING_URL",
    )
    places = web.read(_Places, reply, SERVICE).results
    if not places:
        raise NotFound(f'there is no city named "{city}"; give only the name of a city, for example "Paris"')
    return places[0]


class _Place(BaseModel):
    name: str
    country: str = ""
    latitude: float
    longitude: float


class _Places(BaseModel):
    # Open-Meteo leaves the field out where it finds nothing, and names only the time it took. The time is required
    # here so that some other JSON is not taken for "no such city".
    generationtime_ms: float
    results: tuple[_Place, ...] = ()


class _Current(BaseModel):
    time: datetime
    temperature_2m: float
    apparent_temperature: float
    relative_humidity_2m: float
    weather_code: int
    wind_speed_10m: float


class _Forecast(BaseModel):
    current: _Current


CONDITIONS = {
    0: "clear sky",
    1: "mainly clear",
    2: "partly cloudy",
    3: "overcast",
    45: "fog",
    48: "depositing rime fog",
    51: "light drizzle",
    53: "drizzle",
    55: "dense drizzle",
    56: "light freezing drizzle",
    57: "freezing drizzle",
    61: "light rain",
    63: "rain",
    65: "heavy rain",
    66: "light freezing rain",
    67: "heavy freezing rain",
    71: "light snow",
    73: "snow",
    75: "heavy snow",
    77: "snow grains",
    80: "light rain showers",
    81: "rain showers",
    82: "violent rain showers",
    85: "light snow showers",
    86: "heavy snow showers",
    95: "thunderstorm",
    96: "thunderstorm with light hail",
    99: "thunderstorm with heavy hail",
}
"""WMO weather interpretation codes, as listed at the foot of https://open-meteo.com/en/docs"""
