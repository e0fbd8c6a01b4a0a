"""Units that people convert: a distance that was found in metres may be told in kilometres."""

from collections.abc import Collection, Iterator

from activities.model.figures.numerals import Reading

_FAMILIES = (
    {
        "m meter meters metre metres metros mètres metri": 1, "km kilometer kilometers kilometre kilometres kilómetros": 1000,
        "cm": 0.01, "mm": 0.001, "mi mile miles": 1609.344, "ft feet foot": 0.3048, "in inch inches": 0.0254,
    },
    {
        "s sec secs seconds second sekunden": 1, "ms millis milliseconds": 0.001,
        "min mins minutes minute minuten": 60, "h hr hrs hours hour stunden heures horas ore": 3600,
        "d day days tage tagen jours días giorni": 86400, "week weeks wochen semaines semanas": 604800,
    },
    {"g gram grams gramm": 1, "kg kilo kilos kilogram kilograms": 1000, "t ton tons tonnes tonne": 1e6, "lb lbs pounds": 453.59237, "oz": 28.3495},
    {
        "b byte bytes": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "kib": 1024, "mib": 1024**2, "gib": 1024**3,
    },
    {"kmh km/h kph": 1, "mph": 1.609344, "ms m/s mps": 3.6, "kn knots": 1.852},
    {"l liter liters litre litres": 1, "ml": 0.001, "gal gallons gallon": 3.785412},
)  # fmt: skip
UNITS = {
    name: [
        (number, factor)
        for number, family in enumerate(_FAMILIES)
        for names, factor in family.items()
        if name in names.split()
    ]
    for family in _FAMILIES
    for names in family
    for name in names.split()
}
"""The families that a unit belongs to, and its size in each."""
CELSIUS = frozenset({"c", "°c", "celsius"})
FAHRENHEIT = frozenset({"f", "°f", "fahrenheit"})
MOST_BYTES = 3
"""The family in which a kilo may also be 1024."""


def converted(number: Reading, unit: str, known: Collection[str]) -> Iterator[Reading]:
    """What a number is in the other units that were spoken of."""
    for family, factor in UNITS.get(unit, ()):
        for other in known:
            for its_family, its_factor in UNITS.get(other, ()):
                if its_family == family and its_factor != factor:
                    ratio = factor / its_factor
                    yield Reading(number.value * ratio, number.step * ratio)
                    if family == MOST_BYTES and factor > its_factor:
                        ratio *= 1.024 ** round((len(str(round(ratio))) - 1) / 3)
                        yield Reading(number.value * ratio, number.step * ratio)
    if unit in FAHRENHEIT and not CELSIUS.isdisjoint(known):
        yield Reading((number.value - 32) / 1.8, number.step / 1.8)
    if unit in CELSIUS and not FAHRENHEIT.isdisjoint(known):
        yield Reading(number.value * 1.8 + 32, number.step * 1.8)
