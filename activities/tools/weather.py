"""The weather, from Open-Meteo.

https://open-meteo.com/en/docs and https://open-meteo.com/en/docs/geocoding-api
"""

from datetime import datetime
from typing import Annotated

import httpx
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from activities.errors import ServiceUnavailable
from activities.geocoding.places import SERVICE, find_place
from activities.http import web
from activities.settings.data_services import DataServices
from activities.settings.environment import PREFIX
from activities.toolkit.tool import tool

CURRENT = "temperature_2m,apparent_temperature,relative_humidity_2m,weather_code,wind_speed_10m"
MEASURED = {"temperature_c", "feels_like_c", "conditions", "wind_kmh", "humidity_percent"}


def unknown(value: object) -> bool:
    return value in (None, "")


class Weather(BaseModel):
    """The weather in a city, now. `local_time` is that city's clock. What the service does not know is left out."""

    model_config = ConfigDict(frozen=True)

    city: str
    region: str = Field(default="", exclude_if=unknown)
    country: str = Field(default="", exclude_if=unknown)
    temperature_c: float | None = Field(exclude_if=unknown)
    feels_like_c: float | None = Field(exclude_if=unknown)
    conditions: str | None = Field(exclude_if=unknown)
    wind_kmh: float | None = Field(exclude_if=unknown)
    humidity_percent: int | None = Field(exclude_if=unknown)
    local_time: datetime | None = Field(exclude_if=unknown)


@tool(about="{city}")
async def get_weather(
    city: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)],
    *,
    http: httpx.AsyncClient,
    settings: DataServices,
) -> Weather:
    """Get the current weather in a city.

    Args:
        city: Name of the city, for example "Paris".

    Raises:
        NotFound: the geocoder knows no such city.
        Ambiguous: it knows several, and none is much better known than the others.
        ServiceUnavailable: as in `activities.http.web`.
        ServiceRefused: as in `activities.http.web`.
    """
    place = await find_place(city, http, settings)
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
    weather = Weather(
        city=place.name,
        region=place.admin1 or "",
        country=place.country or "",
        temperature_c=now.temperature_2m,
        feels_like_c=now.apparent_temperature,
        conditions=in_words(now.weather_code),
        wind_kmh=now.wind_speed_10m,
        humidity_percent=None if now.relative_humidity_2m is None else round(now.relative_humidity_2m),
        local_time=now.time,
    )
    if not weather.model_dump(include=MEASURED):
        raise ServiceUnavailable(f"{SERVICE} knows nothing of the weather in {place.name} now; try again later")
    return weather


def in_words(code: int | None) -> str | None:
    return None if code is None else CONDITIONS.get(code, f"WMO weather code {code}")


class _Current(BaseModel):
    """Any of it may be null, where the model of the weather behind the service lacks it for the place."""

    time: datetime | None = None
    temperature_2m: float | None = None
    apparent_temperature: float | None = None
    relative_humidity_2m: float | None = None
    weather_code: int | None = None
    wind_speed_10m: float | None = None


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
