"""Sample weather in the shape of Open-Meteo's answers: the cities are real, the weather is made up.

It depends on the place and the hour alone and suits the latitude and the season, so it looks like weather, is the same
on every machine, and says nothing about the world. The shapes follow https://open-meteo.com/en/docs.
"""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from deploy.local.cities import Cities, City
from deploy.local.made_up import between, fraction

Query = Mapping[str, str]

UNITS = {
    "temperature_2m": "°C",
    "apparent_temperature": "°C",
    "relative_humidity_2m": "%",
    "precipitation": "mm",
    "weather_code": "wmo code",
    "cloud_cover": "%",
    "wind_speed_10m": "km/h",
    "wind_direction_10m": "°",
    "is_day": "",
}
QUARTER_HOUR = 900
MOST_DAYS = 16
CLEAR, RAIN, SNOW = (0, 1, 2, 3), (51, 61, 63, 80), (71, 73, 75, 85)


class BadRequest(Exception):
    """What Open-Meteo answers with status 400; the message is its `reason`."""


@cache
def cities() -> Cities:
    return Cities()


def search(query: Query) -> dict[str, object]:
    """`GET /v1/search`: places by name. Without any, the answer has no `results`, as the real one."""
    if "name" not in query:
        raise BadRequest("Parameter name is required.")
    found = cities().search(query["name"], _count(query.get("count", "10")))
    answer: dict[str, object] = {"generationtime_ms": 0.5}
    return {"results": [_place(city) for city in found], **answer} if found else answer


def forecast(query: Query, now: datetime) -> dict[str, object]:
    """`GET /v1/forecast`: the current weather at a place, and that of the next days."""
    latitude, longitude = _degrees(query, "latitude", 90), _degrees(query, "longitude", 180)
    wanted = [name for name in query.get("current", "").split(",") if name]
    unknown = next((name for name in wanted if name not in UNITS), None)
    if unknown:
        raise BadRequest(f"Cannot initialize WeatherVariable from invalid String value {unknown} for key current")
    zone, zone_name = _zone(query.get("timezone", "GMT"), latitude, longitude)
    local = now.astimezone(zone)
    offset = local.utcoffset()
    seconds = int(offset.total_seconds()) if offset else 0
    answer: dict[str, object] = {
        "latitude": latitude,
        "longitude": longitude,
        "generationtime_ms": 0.05,
        "utc_offset_seconds": seconds,
        "timezone": zone_name,
        "timezone_abbreviation": f"GMT{seconds / 3600:+g}" if seconds else "GMT",
        "elevation": round(between(2, 200, "elevation", latitude, longitude)),
    }
    if wanted:
        weather = _weather(latitude, longitude, local)
        quarter = local.replace(minute=local.minute - local.minute % 15)
        answer["current_units"] = {"time": "iso8601", "interval": "seconds"} | {name: UNITS[name] for name in wanted}
        answer["current"] = {"time": f"{quarter:%Y-%m-%dT%H:%M}", "interval": QUARTER_HOUR} | {
            name: weather[name] for name in wanted
        }
    if daily := [name for name in query.get("daily", "").split(",") if name]:
        answer["daily"] = _daily(latitude, longitude, local, daily, _days(query.get("forecast_days", "7")))
    return answer


def _daily(latitude: float, longitude: float, local: datetime, wanted: list[str], days: int) -> dict[str, object]:
    """One list for each figure, with a value for every day, made of the hours of the day."""
    dates = [(local + timedelta(days=day)).replace(hour=0, minute=0) for day in range(days)]
    hours = [[_weather(latitude, longitude, date.replace(hour=hour)) for hour in range(0, 24, 3)] for date in dates]
    figures: dict[str, list[float]] = {
        "weather_code": [day[4]["weather_code"] for day in hours],
        "temperature_2m_max": [max(each["temperature_2m"] for each in day) for day in hours],
        "temperature_2m_min": [min(each["temperature_2m"] for each in day) for day in hours],
        "precipitation_sum": [round(sum(each["precipitation"] for each in day), 1) for day in hours],
        "precipitation_probability_max": [80 if day[4]["precipitation"] else 10 for day in hours],
        "wind_speed_10m_max": [max(each["wind_speed_10m"] for each in day) for day in hours],
    }
    if unknown := next((name for name in wanted if name not in figures), None):
        raise BadRequest(f"Cannot initialize WeatherVariable from invalid String value {unknown} for key daily")
    return {"time": [f"{date:%Y-%m-%d}" for date in dates], **{name: figures[name] for name in wanted}}


def _days(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) <= MOST_DAYS:
        raise BadRequest(f"Forecast days is invalid. Allowed range 0 to {MOST_DAYS}. Given {text}.")
    return int(text)


def _place(city: City) -> dict[str, object]:
    place: dict[str, object] = {
        "id": city.id,
        "name": city.name,
        "latitude": city.latitude,
        "longitude": city.longitude,
        "feature_code": city.feature_code,
        "country_code": city.country_code,
        "timezone": city.timezone,
        "population": city.population,
        "country": city.country,
    }
    return place | {"admin1": city.region} if city.region else place


def _weather(latitude: float, longitude: float, local: datetime) -> dict[str, float]:
    place, hour = (round(latitude, 2), round(longitude, 2)), f"{local:%Y-%m-%dT%H}"
    temperature = _usual_temperature(latitude, local) + between(-4, 4, place, hour[:10]) + between(-1, 1, place, hour)
    dry = fraction("dry", place, hour[:10]) < 0.6
    codes = CLEAR if dry else SNOW if temperature < 1 else RAIN
    wind = between(2, 32, "wind", place, hour)
    humidity = between(35, 75, "humidity", place, hour) if dry else between(70, 97, "humidity", place, hour)
    vapour = humidity / 100 * 6.105 * math.exp(17.27 * temperature / (237.7 + temperature))
    return {
        "temperature_2m": round(temperature, 1),
        "apparent_temperature": round(temperature + 0.33 * vapour - 0.7 * wind / 3.6 - 4, 1),
        "relative_humidity_2m": round(humidity),
        "precipitation": 0.0 if dry else round(between(0.1, 4, "precipitation", place, hour), 1),
        "weather_code": codes[int(fraction("code", place, hour) * len(codes))],
        "cloud_cover": round(between(0, 60, "cloud", place, hour) if dry else between(70, 100, "cloud", place, hour)),
        "wind_speed_10m": round(wind, 1),
        "wind_direction_10m": round(between(0, 359, "direction", place, hour)),
        "is_day": int(6 <= local.hour < 20),
    }


def _usual_temperature(latitude: float, local: datetime) -> float:
    """Warm at the equator, warmest in late July in the north and in the afternoon everywhere."""
    season = math.cos((local.timetuple().tm_yday - 205) / 365.25 * math.tau) * math.copysign(1, latitude)
    time_of_day = math.cos((local.hour - 15) / 24 * math.tau)
    return 28 - 0.0066 * latitude**2 + 0.22 * abs(latitude) * season + 4 * time_of_day


def _degrees(query: Query, name: str, limit: int) -> float:
    try:
        value = float(query[name])
    except KeyError:
        raise BadRequest(f"Parameter '{name}' is required.") from None
    except ValueError:
        raise BadRequest(f"Invalid value '{query[name]}' for parameter '{name}'.") from None
    if not -limit <= value <= limit:
        raise BadRequest(f"{name.capitalize()} must be in range of -{limit} to {limit}°. Given: {value}.")
    return value


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise BadRequest("Parameter count must be between 1 and 100.")
    return int(text)


def _zone(name: str, latitude: float, longitude: float) -> tuple[ZoneInfo, str]:
    wanted = cities().nearest(latitude, longitude).timezone if name == "auto" else name
    try:
        return ZoneInfo(wanted), wanted
    except (KeyError, ValueError):
        raise BadRequest(f"Invalid timezone '{name}'.") from None
