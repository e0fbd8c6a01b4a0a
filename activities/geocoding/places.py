"""A place by its name, from Open-Meteo's geocoder: https://open-meteo.com/en/docs/geocoding-api

"Paris", "Detroit, Michigan", "White Plains NY", "Paris, TX, USA": what stands behind the name is compared here with the
region and country of every place that has the name. The service itself takes one such word at most, behind a comma,
and in its earlier versions none.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import httpx
from pydantic import BaseModel, ConfigDict, field_validator

from activities.errors import Ambiguous, NotFound
from activities.geocoding.place_names import COUNTRIES, REGIONS
from activities.http import web
from activities.settings.data_services import DataServices
from activities.settings.environment import PREFIX

SERVICE = "the weather service"

MOST_SPLITS = 4
"""As many words may stand behind a name without a comma: "Paris United States of America"."""
CLEARLY = 2
"""A place is meant without further words if it has more than so many times the people of the next one of its name."""
NEAR = 0.25
"""Degrees within which two places have the same weather, so that it does not matter which of them is meant."""
MOST_SHOWN = 5


class Place(BaseModel):
    """As the geocoder tells of it; what it does not know is None."""

    model_config = ConfigDict(frozen=True)

    name: str
    latitude: float
    longitude: float
    country: str | None = None
    country_code: str | None = None
    admin1: str | None = None
    admin2: str | None = None
    admin3: str | None = None
    population: int | None = None
    feature_code: str | None = None

    @property
    def weight(self) -> float:
        """How likely it is to be meant: its people. A part of a city (PPLX) is seldom meant by its name alone."""
        return (self.population or 0) / (2 if self.feature_code == "PPLX" else 1)

    def words_for_it(self) -> set[str]:
        """What may stand behind its name: its regions and its country, in full or abbreviated."""
        code = self.country_code or ""
        abbreviated = REGIONS.get(code, {}).get(self.admin1 or "")
        regions = (self.admin1, self.admin2, self.admin3, abbreviated)
        names = (*regions, self.country, code, *COUNTRIES.get(code, ()))
        return {_folded(each) for each in names if each}

    def label(self, *, with_district: bool = False) -> str:
        """For people: "Springfield, Missouri, United States"."""
        district = self.admin2 if with_district else None
        region = self.admin1 if self.admin1 != self.name else None
        return ", ".join(each for each in (self.name, district, region, self.country) if each)


async def find_place(asked: str, http: httpx.AsyncClient, settings: DataServices) -> Place:
    """The place that is meant by a name with or without region and country.

    Raises:
        NotFound: there is none of that name, or none there.
        Ambiguous: there are several, and none is much better known than the others; the message lists them.
        ServiceUnavailable: as in `activities.http.web`.
        ServiceRefused: as in `activities.http.web`.
    """
    elsewhere: Sequence[Place] = ()
    for name, qualifiers in _readings(asked):
        named = await _search(name, http, settings, count=100 if qualifiers else 10)
        found = [place for place in named if _fits(_folded(qualifiers).split(), place.words_for_it())]
        if found:
            return _the_one_meant(name, _named_in_part(name, found) or found)
        if named and "," in asked:
            elsewhere = elsewhere or _candidates(name, named)
    if elsewhere:
        name, _, where = asked.partition(",")
        raise NotFound(f'there is no "{name.strip()}" in "{where.strip()}"; there is {_listed(elsewhere)}')
    raise NotFound(f'there is no city named "{asked}"; give only the name of a city, for example "Paris"')


def _readings(asked: str) -> Iterator[tuple[str, str]]:
    """Name, and what stands behind it: what is before the first comma is all name, or else ever less of it is."""
    before, _, behind = asked.partition(",")
    words = before.split()
    for size in range(len(words), max(0, len(words) - MOST_SPLITS - 1), -1):
        yield " ".join(words[:size]), " ".join([*words[size:], *behind.split()])


async def _search(name: str, http: httpx.AsyncClient, settings: DataServices, *, count: int) -> Sequence[Place]:
    reply = await web.get(
        http,
        SERVICE,
        f"{settings.geocoding_url.rstrip('/')}/v1/search",
        params={"name": name, "count": str(count), "language": "en", "format": "json"},
        hint=f"check {PREFIX}GEOCODING_URL",
    )
    return web.read(_Places, reply, SERVICE).results


def _fits(words: list[str], names: set[str]) -> bool:
    """Whether the words are nothing but such names, one after another."""
    sizes = range(1, len(words) + 1)
    return not words or any(" ".join(words[:size]) in names and _fits(words[size:], names) for size in sizes)


def _named_in_part(name: str, found: Iterable[Place]) -> Sequence[Place]:
    """Those of which the name is the beginning and the rest is their region or country: a service that looks for words
    finds "White Plains NY" as a whole, and others with it."""
    words = _folded(name).split()
    sizes = [(place, len(_folded(place.name).split())) for place in found]
    return [
        place
        for place, size in sizes
        if size < len(words)
        and words[:size] == _folded(place.name).split()
        and _fits(words[size:], place.words_for_it())
    ]


def _the_one_meant(name: str, found: Sequence[Place]) -> Place:
    """The place that a name means, by far the most populous of those found.

    Raises:
        Ambiguous: none of those that could be meant has many more people than the others.
    """
    candidates = _candidates(name, found)
    if len(candidates) > 1 and not candidates[0].weight > CLEARLY * candidates[1].weight:
        raise Ambiguous(
            f'several places could be meant by "{name}": {_listed(candidates)}; say which, with its region and country'
        )
    return candidates[0]


def _candidates(name: str, found: Sequence[Place]) -> Sequence[Place]:
    """Those that could be meant, the largest first."""
    return _apart(sorted(_could_be_meant(name, found), key=lambda place: -place.weight))


def _could_be_meant(name: str, found: Sequence[Place]) -> Iterable[Place]:
    """The service's first hit, which it may know by a name in another language, and all of the same name; where none
    has the name itself, all whose names begin with it."""
    first, asked = _folded(found[0].name), _folded(name)
    begins = first.startswith(asked) and all(_folded(place.name) != asked for place in found)
    for place in found:
        own = _folded(place.name)
        if own in (first, asked) or (begins and own.startswith(asked)):
            yield place


def _apart(places: Iterable[Place]) -> Sequence[Place]:
    """Without those that nobody could choose or would need to: no words tell them from one before them, or both have
    the same weather. A country gives way to the capital of its name."""
    kept: list[Place] = []
    all_of_them = [*places]
    capitals = {place.country_code for place in all_of_them if place.feature_code == "PPLC"}
    for place in all_of_them:
        is_country = (place.feature_code or "").startswith("PCL") and place.country_code in capitals
        if not is_country and not any(_as_good_as(place, each) for each in kept):
            kept.append(place)
    return kept


def _as_good_as(one: Place, other: Place) -> bool:
    near = abs(one.latitude - other.latitude) < NEAR and abs(one.longitude - other.longitude) < NEAR
    return near or one.label(with_district=True) == other.label(with_district=True)


def _listed(places: Sequence[Place]) -> str:
    shown = places[:MOST_SHOWN]
    alike = Counter(place.label() for place in shown)
    labels = [place.label(with_district=alike[place.label()] > 1) for place in shown]
    return "; ".join(labels) + (f"; and {len(places) - len(shown)} more" if len(places) > len(shown) else "")


def _folded(text: str) -> str:
    """Words alone, without accents, case and dots: "U.S.A." is "usa", "Île-de-France" is "ile de france"."""
    letters = (each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return " ".join(re.findall(r"\w+", re.sub(r"[.'’]", "", "".join(letters)).casefold()))


class _Places(BaseModel):
    # Open-Meteo leaves the field out where it finds nothing, and names only the time it took. The time is required
    # here so that some other JSON is not taken for "no such city".
    generationtime_ms: float
    results: tuple[Place, ...] = ()

    @field_validator("results", mode="before")
    @classmethod
    def _only_what_has_a_place(cls, results: list[dict[str, object]]) -> list[dict[str, object]]:
        needed = ("name", "latitude", "longitude")
        return [each for each in results if all(each.get(name) is not None for name in needed)]
