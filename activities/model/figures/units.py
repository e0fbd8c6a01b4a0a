"""Units that people convert: a distance that was found in metres may be told in kilometres."""

import re
from collections.abc import Collection, Iterator

from activities.model.figures.numerals import Reading

_LENGTH = {
    "m meter meters metre metres metros mètres metri": 1.0,
    "km kilometer kilometers kilometre kilometres kilómetros": 1000.0,
    "cm": 0.01,
    "mm": 0.001,
    "mi mile miles": 1609.344,
    "ft feet foot": 0.3048,
    "in inch inches": 0.0254,
}
_TIME = {
    "s sec secs second seconds sekunden": 1.0,
    "ms millis milliseconds": 0.001,
    "min mins minute minutes minuten minuti minutos": 60.0,
    "h hr hrs hour hours stunden heures horas ore": 3600.0,
    "d day days tag tage tagen jours días giorni": 86_400.0,
    "week weeks wochen semaines semanas": 604_800.0,
}
_WEIGHT = {
    "g gram grams gramm": 1.0,
    "kg kilo kilos kilogram kilograms": 1000.0,
    "t ton tons tonne tonnes": 1e6,
    "lb lbs pounds": 453.59237,
    "oz": 28.3495,
}
_BYTES = {"b byte bytes": 1.0, "kb ko": 1e3, "mb mo": 1e6, "gb go": 1e9, "tb to": 1e12}
_BINARY = {"b byte bytes": 1.0, "kib kb": 1024.0, "mib mb": 1024.0**2, "gib gb": 1024.0**3, "tib tb": 1024.0**4}
_SPEED = {"kmh km/h kph": 1.0, "mph": 1.609344, "m/s mps": 3.6, "kn knots": 1.852}
_VOLUME = {"l liter liters litre litres": 1.0, "ml": 0.001, "gal gallon gallons": 3.785412}
UNITS: dict[str, list[tuple[int, float]]] = {}
"""The families that a unit belongs to, and its size in each."""
for _number, _family in enumerate((_LENGTH, _TIME, _WEIGHT, _BYTES, _BINARY, _SPEED, _VOLUME)):
    for _names, _size in _family.items():
        for _name in _names.split():
            UNITS.setdefault(_name, []).append((_number, _size))
_CALENDAR = {
    "month months monat monate monaten mois mes meses mese mesi": 30 * 86_400.0,
    "year years jahr jahre jahren an ans année año años anno anni": 365 * 86_400.0,
    "decade decades jahrzehnt décennie década decennio": 3650 * 86_400.0,
}
TIMES = {name: size for family in (_TIME, _CALENDAR) for names, size in family.items() for name in names.split()}
"""In seconds; a month has 30 days."""
_A_YEAR = {
    365: "daily täglich quotidien quotidienne diario diaria giornaliero",
    52: "weekly wöchentlich hebdomadaire semanal settimanale",
    26: "biweekly fortnightly",
    12: "monthly monatlich mensuel mensuelle mensuellement mensual mensualmente mensile",
    4: "quarterly vierteljährlich trimestriel trimestrielle trimestral trimestrale",
    2: "semiannually semi-annually semiannual semi-annual half-yearly halbjährlich semestriel semestral semestrale",
}
A_YEAR = {word: times for times, words in _A_YEAR.items() for word in words.split()}
"""How often something happens in a year."""
_IN_TWO_UNITS = (
    (re.compile(r"(?<![\w.,])(\d{1,3})\s?(?:feet|foot|ft|['′])\.?,?\s?(?:and\s)?(\d{1,2})(?![\d.,]\d)"), 12),
    (re.compile(r"(?<![\w.,])(\d{1,4})\s?(?:pounds?|lbs?)\.?,?\s?(?:and\s)?(\d{1,2})\s?(?:ounces?|oz)\b"), 16),
)
CELSIUS = frozenset({"c", "°c", "celsius"})
FAHRENHEIT = frozenset({"f", "°f", "fahrenheit"})


def converted(number: Reading, unit: str, known: Collection[str]) -> Iterator[Reading]:
    """What a number is in the other units that were spoken of."""
    for family, factor in UNITS.get(unit, ()):
        for other in known:
            for its_family, its_factor in UNITS.get(other, ()):
                if its_family == family and its_factor != factor:
                    ratio = factor / its_factor
                    yield Reading(number.value * ratio, number.step * ratio)
    if unit in FAHRENHEIT and not CELSIUS.isdisjoint(known):
        yield Reading((number.value - 32) / 1.8, number.step / 1.8)
    if unit in CELSIUS and not FAHRENHEIT.isdisjoint(known):
        yield Reading(number.value * 1.8 + 32, number.step * 1.8)


def compounds(text: str) -> Iterator[float]:
    """What is said in two units, in each of them alone: 74 and 6.17 of 6'2"."""
    for pattern, size in _IN_TWO_UNITS:
        for match in pattern.finditer(text):
            small = size * int(match[1]) + int(match[2])
            yield from (float(small), round(small / size, 1), round(small / size, 2))
