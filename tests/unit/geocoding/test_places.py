"""A place is found by name, region and country, against a geocoder that answers as Open-Meteo's does."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from activities.errors import Ambiguous, NotFound
from activities.geocoding.places import Place, find_place
from activities.http.tls import trusted_roots
from activities.settings.data_services import DataServices
from tests.unit.http.fake_web import Asked, FakeWeb, fake_web, reply

GAZETTEER = """
Paris | Île-de-France | FR France | 2138551 | PPLC | 48.85 2.35
Paris | Texas | US United States | 24782 | PPLA2 | 33.66 -95.56
Springfield | Missouri | US United States | 169176 | PPLA2 | 37.22 -93.30
Springfield | Massachusetts | US United States | 155929 | PPLA2 | 42.10 -72.59
Springfield | Illinois | US United States | 114394 | PPLA | 39.80 -89.64
Springfield | California | US United States | - | PPL | 38.02 -120.41
Springfield Gardens | New York | US United States | 42000 | PPLX | 40.66 -73.76
Detroit | Michigan | US United States | 677116 | PPLA2 | 42.33 -83.05
Detroit Lakes | Minnesota | US United States | 9000 | PPLA2 | 46.82 -95.85
White Plains | New York | US United States | 58459 | PPLA2 | 41.03 -73.76
White Plains | Maryland | US United States | 3600 | PPL | 38.59 -76.94
Limerick | Munster | IE Ireland | 90054 | PPLA2 | 52.66 -8.62
Limerick | Pennsylvania | US United States | 18074 | PPL | 40.23 -75.52
Washington | Washington, D.C. | US United States | 689545 | PPLC | 38.90 -77.04
Washington | England | GB United Kingdom | 53526 | PPL | 54.90 -1.52
San José | San José | CR Costa Rica | 335007 | PPLC | 9.93 -84.08
San Jose | California | US United States | 1026908 | PPLA2 | 37.34 -121.89
London | England | GB United Kingdom | 8961989 | PPLC | 51.51 -0.13
London | Ontario | CA Canada | 422324 | PPL | 42.98 -81.23
London | California | US United States | 1869 | PPL | 36.48 -119.44
Richmond | British Columbia | CA Canada | 218307 | PPL | 49.17 -123.14
Richmond | California | US United States | 109708 | PPL | 37.94 -122.35
Perth | Western Australia | AU Australia | 1896548 | PPLA | -31.95 115.86
Perth | Scotland | GB United Kingdom | 47180 | PPLA2 | 56.40 -3.43
Frankfurt am Main | Hesse | DE Germany | 650000 | PPLA3 | 50.12 8.68
Frankfurt (Oder) | Brandenburg | DE Germany | 51691 | PPLA3 | 52.35 14.55
Saint Petersburg | St.-Petersburg | RU Russia | 5351935 | PPLA | 59.94 30.31 | St. Petersburg
St. Petersburg | Florida | US United States | 257083 | PPL | 27.77 -82.68
Singapore | - | SG Singapore | 5638676 | PCLI | 1.37 103.80
Singapore | - | SG Singapore | 3547809 | PPLC | 1.29 103.85
Djibouti | - | DJ Djibouti | 958920 | PCLI | 11.83 42.50
Djibouti | Djibouti | DJ Djibouti | 623891 | PPLC | 11.59 43.15
Kansas City | Missouri | US United States | 475378 | PPLA2 | 39.10 -94.58
Kansas City | Kansas | US United States | 400000 | PPLA2 | 39.11 -94.63
Venice | Veneto | IT Italy | 51298 | PPLA | 45.44 12.33
Venice | California | US United States | 40885 | PPLX | 33.99 -118.46
Venice | Florida | US United States | 22211 | PPL | 27.10 -82.45
Tiefenbach | Bavaria | DE Germany | 6500 | PPL | 48.62 13.41 | in Landkreis Passau
Tiefenbach | Bavaria | DE Germany | 3700 | PPL | 48.50 12.11 | in Landkreis Landshut
Lundi | - | - | - | PPL | 10.0 10.0
Fairview | Alberta | CA Canada | 3000 | PPL | 56.07 -118.39
Fairview | Oregon | US United States | 9300 | PPL | 45.54 -122.43
Fairview | Tennessee | US United States | 8300 | PPL | 35.98 -87.12
Fairview | Texas | US United States | 8700 | PPL | 33.16 -96.63
Fairview | Utah | US United States | 1300 | PPL | 39.63 -111.44
Fairview | Oklahoma | US United States | 2600 | PPL | 36.27 -98.48
Fairview | New York | US United States | 5500 | PPL | 41.72 -73.92
Taizhou | Jiangsu | CN China | 1607108 | PPLA2 | 32.49 119.91
Taizhou | Jiangsu | CN China | 1485502 | PPL | 31.00 119.00
""".strip()
"""Name | region | country | people | feature code | where | another name, or "in" its district."""


def read(line: str) -> tuple[Place, tuple[str, ...]]:
    """A place, and the names that it is found by."""
    name, region, country, people, feature_code, where, *more = (each.strip() for each in line.split("|"))
    latitude, longitude = map(float, where.split())
    code, _, full = country.partition(" ")
    place = Place(
        name=name,
        latitude=latitude,
        longitude=longitude,
        country_code=code if full else None,
        country=full or None,
        admin1=None if region == "-" else region,
        admin2=next((each.removeprefix("in ") for each in more if each.startswith("in ")), None),
        population=None if people == "-" else int(people),
        feature_code=feature_code,
    )
    return place, tuple(each.casefold().replace("é", "e") for each in (name, *more))


PLACES = [read(line) for line in GAZETTEER.splitlines()]


class Geocoder(FakeWeb):
    """Knows the gazetteer: every place whose name begins with what is asked for, exact names first."""

    def reply_to(self, asked: Asked) -> bytes:
        wanted = asked.query["name"].casefold().replace("é", "e")
        exact = [place for place, names in PLACES if wanted in names]
        begin = [
            place for place, names in PLACES if place not in exact and any(each.startswith(wanted) for each in names)
        ]
        results = [place.model_dump(exclude_none=True) for place in (*exact, *begin)][: int(asked.query["count"])]
        return reply({"generationtime_ms": 0.1} | ({"results": results} if results else {}))


@pytest.fixture
async def geocoder() -> AsyncGenerator[FakeWeb]:
    async with fake_web(Geocoder()) as web:
        yield web


async def find(geocoder: FakeWeb, asked: str) -> Place:
    async with httpx.AsyncClient(verify=trusted_roots(), timeout=5) as http:
        return await find_place(asked, http, DataServices(geocoding_url=geocoder.url))


@pytest.mark.parametrize(
    ("asked", "region", "country"),
    [
        ("Paris", "Île-de-France", "France"),
        ("paris", "Île-de-France", "France"),
        ("Paris, France", "Île-de-France", "France"),
        ("Paris France", "Île-de-France", "France"),
        ("Paris, FR", "Île-de-France", "France"),
        ("Paris, Île-de-France", "Île-de-France", "France"),
        ("Paris, ile de france, france", "Île-de-France", "France"),
        ("Paris, Texas", "Texas", "United States"),
        ("Paris TX", "Texas", "United States"),
        ("Paris, TX, USA", "Texas", "United States"),
        ("Paris TX, USA", "Texas", "United States"),
        ("Paris, TX USA", "Texas", "United States"),
        ("Paris, Texas, U.S.A.", "Texas", "United States"),
        ("Paris, TX, US", "Texas", "United States"),
        ("Paris United States of America", "Texas", "United States"),
        ("Detroit", "Michigan", "United States"),
        ("Detroit, Michigan", "Michigan", "United States"),
        ("Detroit,MI", "Michigan", "United States"),
        ("White Plains NY", "New York", "United States"),
        ("white plains new york", "New York", "United States"),
        ("White Plains, N.Y.", "New York", "United States"),
        ("Limerick Ireland", "Munster", "Ireland"),
        ("Limerick IE", "Munster", "Ireland"),
        ("Limerick PA", "Pennsylvania", "United States"),
        ("Springfield, Illinois", "Illinois", "United States"),
        ("Springfield, CA", "California", "United States"),
        ("Washington DC", "Washington, D.C.", "United States"),
        ("Washington, D.C.", "Washington, D.C.", "United States"),
        ("Washington, England", "England", "United Kingdom"),
        ("Washington UK", "England", "United Kingdom"),
        ("San Jose Costa Rica", "San José", "Costa Rica"),
        ("San Jose, CA", "California", "United States"),
        ("London", "England", "United Kingdom"),
        ("London, ON", "Ontario", "Canada"),
        ("London, Canada", "Ontario", "Canada"),
        ("London, CA", "Ontario", "Canada"),
        ("Perth, WA", "Western Australia", "Australia"),
        ("Perth, Scotland", "Scotland", "United Kingdom"),
        ("Frankfurt", "Hesse", "Germany"),
        ("Frankf", "Hesse", "Germany"),
        ("St. Petersburg", "St.-Petersburg", "Russia"),
        ("St. Petersburg, FL", "Florida", "United States"),
        ("Venice", "Veneto", "Italy"),
        ("Tiefenbach, Landkreis Landshut", "Bavaria", "Germany"),
        ("Lundi", None, None),
    ],
)
async def test_a_place_is_found_by_its_name_with_or_without_region_and_country(
    geocoder: FakeWeb, asked: str, region: str | None, country: str | None
) -> None:
    place = await find(geocoder, asked)
    assert (place.admin1, place.country) == (region, country)


@pytest.mark.parametrize(
    ("asked", "candidates"),
    [
        (
            "Springfield",
            "Springfield, Missouri, United States; Springfield, Massachusetts, United States; "
            "Springfield, Illinois, United States; Springfield, California, United States",
        ),
        (
            "Springfield, USA",
            "Springfield, Missouri, United States; Springfield, Massachusetts, United States; "
            "Springfield, Illinois, United States; Springfield, California, United States",
        ),
        ("Richmond, CA", "Richmond, British Columbia, Canada; Richmond, California, United States"),
        (
            "Tiefenbach",
            "Tiefenbach, Landkreis Passau, Bavaria, Germany; Tiefenbach, Landkreis Landshut, Bavaria, Germany",
        ),
    ],
)
async def test_where_none_is_much_larger_all_are_listed_the_largest_first(
    geocoder: FakeWeb, asked: str, candidates: str
) -> None:
    with pytest.raises(Ambiguous) as raised:
        await find(geocoder, asked)
    name = asked.partition(",")[0]
    assert str(raised.value) == (
        f'several places could be meant by "{name}": {candidates}; say which, with its region and country'
    )


async def test_the_beginning_of_many_names_is_ambiguous(geocoder: FakeWeb) -> None:
    with pytest.raises(Ambiguous, match='"Fairv": Fairview, Oregon, United States; '):
        await find(geocoder, "Fairv")


async def test_of_many_candidates_a_few_are_shown(geocoder: FakeWeb) -> None:
    with pytest.raises(Ambiguous, match=r'"Fairview": (Fairview, [^;]+; ){5}and 2 more; say which'):
        await find(geocoder, "Fairview")


@pytest.mark.parametrize(
    ("asked", "code"), [("Singapore", "PPLC"), ("Djibouti", "PPLC"), ("Kansas City", "PPLA2"), ("Taizhou", "PPLA2")]
)
async def test_only_what_can_be_told_apart_is_a_rival_and_no_country_is_one_of_its_capital(
    geocoder: FakeWeb, asked: str, code: str
) -> None:
    assert (await find(geocoder, asked)).feature_code == code


async def test_a_name_that_is_elsewhere_only_says_where(geocoder: FakeWeb) -> None:
    with pytest.raises(NotFound) as raised:
        await find(geocoder, "Detroit, Texas")
    assert str(raised.value) == 'there is no "Detroit" in "Texas"; there is Detroit, Michigan, United States'


@pytest.mark.parametrize("asked", ["Atlantis", "Atlantis, Greece", "Atlantis Ocean Sea", "Limerick Italy", ",", ", FR"])
async def test_a_name_that_nobody_has_is_told_as_it_was_asked(geocoder: FakeWeb, asked: str) -> None:
    with pytest.raises(NotFound) as raised:
        await find(geocoder, asked)
    assert str(raised.value) == f'there is no city named "{asked}"; give only the name of a city, for example "Paris"'


async def test_a_service_that_finds_the_whole_text_is_held_to_all_of_its_words() -> None:
    async with fake_web() as web:
        both = [place.model_dump(exclude_none=True) for place, names in PLACES if "limerick" in names]
        web.answer("/v1/search", {"generationtime_ms": 0.1, "results": both})
        assert (await find(web, "Limerick PA")).admin1 == "Pennsylvania"
        assert (await find(web, "Limerick Ireland")).country == "Ireland"
        assert (await find(web, "Limerick City")).country == "Ireland"


async def test_a_plain_name_is_one_question(geocoder: FakeWeb) -> None:
    await find(geocoder, "Paris")
    assert [asked.query["name"] for asked in geocoder.asked] == ["Paris"]


async def test_the_name_alone_is_asked_for_and_the_rest_is_looked_for_in_the_answer(geocoder: FakeWeb) -> None:
    await find(geocoder, "Paris, TX, USA")
    assert [asked.query["name"] for asked in geocoder.asked] == ["Paris"]
    assert geocoder.asked[0].query["count"] == "100"
