"""The weather on one of the next days, from Open-Meteo: https://open-meteo.com/en/docs"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from activities.errors import NotFound
from activities.geocoding.places import SERVICE, find_place
from activities.http import web
from activities.settings.data_services import DataServices
from activities.settings.environment import PREFIX
from activities.toolkit.tool import tool
from activities.tools.weather import in_words, unknown

T = TypeVar("T")

DAYS = 16
"""As far as the service looks ahead, today included."""
DAILY = (
    "weather_code,temperature_2m_max,temperature_2m_min,precipitation_sum,precipitation_probability_max,"
    "wind_speed_10m_max"
)


class Forecast(BaseModel):
    """The weather of one day in a city. What the service does not know is left out."""

    model_config = ConfigDict(frozen=True)

    city: str
    region: str = Field(default="", exclude_if=unknown)
    country: str = Field(default="", exclude_if=unknown)
    day: date
    conditions: str | None = Field(exclude_if=unknown)
    highest_c: float | None = Field(exclude_if=unknown)
    lowest_c: float | None = Field(exclude_if=unknown)
    rain_mm: float | None = Field(exclude_if=unknown)
    rain_probability_percent: int | None = Field(exclude_if=unknown)
    wind_kmh: float | None = Field(exclude_if=unknown)


@tool(about="{city}, {day}")
async def get_forecast(
    city: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)],
    day: date,
    *,
    http: httpx.AsyncClient,
    settings: DataServices,
) -> Forecast:
    """Get the weather forecast for a city on one day, up to 15 days ahead.

    Args:
        city: Name of the city, for example "Paris".
        day: The day there, as 2026-01-31.

    Raises:
        NotFound: the geocoder knows no such city, or there is no forecast for the day.
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
            "daily": DAILY,
            "forecast_days": str(DAYS),
            "timezone": "auto",
        },
        hint=f"check {PREFIX}WEATHER_URL",
    )
    days = web.read(_Reply, reply, SERVICE).daily
    if day not in days.time:
        known = f"from {days.time[0]} to {days.time[-1]}" if days.time else "for no day"
        raise NotFound(f"{SERVICE} has no forecast for {place.name} on {day}; it has one {known}")
    at = days.time.index(day)
    rain = _at(days.precipitation_probability_max, at)
    return Forecast(
        city=place.name,
        region=place.admin1 or "",
        country=place.country or "",
        day=day,
        conditions=in_words(_at(days.weather_code, at)),
        highest_c=_at(days.temperature_2m_max, at),
        lowest_c=_at(days.temperature_2m_min, at),
        rain_mm=_at(days.precipitation_sum, at),
        rain_probability_percent=None if rain is None else round(rain),
        wind_kmh=_at(days.wind_speed_10m_max, at),
    )


def _at(values: Sequence[T | None], index: int) -> T | None:
    return values[index] if index < len(values) else None


class _Days(BaseModel):
    """One list a figure, each with a value for every day; any may be null."""

    time: list[date] = []
    weather_code: list[int | None] = []
    temperature_2m_max: list[float | None] = []
    temperature_2m_min: list[float | None] = []
    precipitation_sum: list[float | None] = []
    precipitation_probability_max: list[float | None] = []
    wind_speed_10m_max: list[float | None] = []


class _Reply(BaseModel):
    daily: _Days
