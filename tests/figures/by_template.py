"""Right summaries, made of results by templates: rounded, in the formats of several languages, summed and compared."""

import random
from collections.abc import Callable
from datetime import date, timedelta

from tests.figures.right import TODAY, Right

SEED = 20261128
Template = Callable[[random.Random], Right]
MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}


def by_template(how_many: int) -> list[Right]:
    chance = random.Random(SEED)
    return [TEMPLATES[number % len(TEMPLATES)](chance) for number in range(how_many)]


def number(value: float, places: int, language: str) -> str:
    """As people of a language write it, with its separators."""
    written = f"{value:,.{places}f}"
    marks = {"en": ",.", "de": ".,", "fr": "\u202f,", "es": ".,", "ch": "'."}[language]
    return written.translate(str.maketrans({",": marks[0], ".": marks[1]}))


def day(of: date, language: str, *, year: bool) -> str:
    month = MONTHS[language].split()[of.month - 1]
    match language:
        case "en":
            return f"{month} {of.day}, {of.year}" if year else f"{of.day} {month}"
        case "de":
            return f"{of.day:02}.{of.month:02}.{of.year}" if year else f"{of.day}. {month}"
        case "es":
            return f"{of.day} de {month} de {of.year}" if year else f"{of.day} de {month}"
        case _:
            return f"{of.day} {month} {of.year}" if year else f"{of.day} {month}"


def _language(chance: random.Random) -> str:
    return chance.choice(["en", "de", "fr", "es"])


def _date(chance: random.Random) -> date:
    return TODAY + timedelta(days=chance.randrange(-300, 300))


def weather(chance: random.Random) -> Right:
    language, city = _language(chance), chance.choice(["Bergen", "Lyon", "Turin", "Quito"])
    found = {
        "city": city,
        "temperature_c": round(chance.uniform(-15, 38), 1),
        "wind_kmh": round(chance.uniform(0, 70), 1),
        "humidity_percent": chance.randrange(20, 100),
    }
    degrees = number(float(str(found["temperature_c"])), chance.choice([0, 1]), language)
    wind = number(float(str(found["wind_kmh"])), 1, language)
    said = {
        "en": f"{city}: {degrees} °C, wind {wind} km/h, {found['humidity_percent']} % humidity.",
        "de": f"In {city} sind es {degrees} °C, der Wind weht mit {wind} km/h, Feuchte {found['humidity_percent']} %.",
        "fr": f"Il fait {degrees} °C à {city}, vent de {wind} km/h, humidité {found['humidity_percent']} %.",
        "es": f"En {city} hay {degrees} °C con viento de {wind} km/h y humedad del {found['humidity_percent']} %.",
    }
    return Right(f"What is the weather in {city}?", (found,), said[language])


def price(chance: random.Random) -> Right:
    language, symbol = _language(chance), chance.choice(["ACME", "GLBX", "INIT"])
    quoted = _date(chance)
    found = {"symbol": symbol, "price": round(chance.uniform(3, 2400), 2), "as_of": f"{quoted}T21:00:00Z"}
    amount = number(float(str(found["price"])), chance.choice([1, 2, 2]), language)
    when = day(quoted, language, year=chance.random() < 0.5)
    said = {
        "en": f"{symbol} closed at ${amount} on {when}.",
        "de": f"{symbol} schloss am {when} bei {amount} $.",
        "fr": f"{symbol} a clôturé à {amount} $ le {when}.",
        "es": f"{symbol} cerró a {amount} $ el {when}.",
    }
    return Right(f"What does {symbol} cost?", (found,), said[language])


def invoices(chance: random.Random) -> Right:
    language = _language(chance)
    first = chance.randrange(10_000, 90_000)
    listed = [
        {
            "number": f"INV-{first + place}",
            "total": round(chance.uniform(20, 9_000), 2),
            "due": str(_date(chance)),
            "status": "open",
        }
        for place in range(chance.randrange(2, 5))
    ]
    total = sum(float(str(each["total"])) for each in listed)
    each = chance.choice(listed)
    amount, together = number(float(str(each["total"])), 2, language), number(total, 2, language)
    said = {
        "en": f"There are {len(listed)} invoices over {together} EUR, such as {each['number']} over {amount} EUR.",
        "de": f"Es sind {len(listed)} Rechnungen über zusammen {together} €; {each['number']} beträgt {amount} €.",
        "fr": f"{len(listed)} factures pour un total de {together} €, dont {each['number']} ({amount} €).",
        "es": f"Hay {len(listed)} facturas por {together} €; la {each['number']} es de {amount} €.",
    }
    return Right("Which invoices are open?", ({"invoices": listed},), said[language])


def change(chance: random.Random) -> Right:
    language = _language(chance)
    before, after = chance.randrange(2_000, 90_000), chance.randrange(2_000, 90_000)
    percent = number(abs(100 * (after - before) / before), 1, language)
    was, now, by = (number(value, 0, language) for value in (before, after, abs(after - before)))
    said = {
        "en": f"Visits went from {was} to {now}, a change of {by} ({percent} %).",
        "de": f"Die Besuche änderten sich von {was} auf {now}, um {by} ({percent} %).",
        "fr": f"Les visites sont passées de {was} à {now}, soit {by} ({percent} %).",
        "es": f"Las visitas pasaron de {was} a {now}, es decir {by} ({percent} %).",
    }
    found = [{"month": "last", "visits": before}, {"month": "this", "visits": after}]
    return Right("How did the visits change?", (found,), said[language])


def parcel(chance: random.Random) -> Right:
    language, order = _language(chance), chance.randrange(10**6, 10**8)
    code = f"{chance.choice(['JD', 'RX', 'CP'])}{chance.randrange(10**8, 10**9)}DE"
    arrives, grams = _date(chance), chance.randrange(200, 30_000)
    weight, when = number(grams / 1000, 1, language), day(arrives, language, year=True)
    said = {
        "en": f"Order {order} ({weight} kg, {code}) arrives on {when}.",
        "de": f"Die Bestellung {order} ({weight} kg, {code}) kommt am {when} an.",
        "fr": f"La commande {order} ({weight} kg, {code}) arrive le {when}.",
        "es": f"El pedido {order} ({weight} kg, {code}) llega el {when}.",
    }
    found = {"order": order, "tracking": code, "weight_g": grams, "expected": str(arrives)}
    return Right(f"Where is order {order}?", (found,), said[language])


def population(chance: random.Random) -> Right:
    language, people = _language(chance), chance.randrange(1_100_000, 90_000_000)
    millions, year = number(people / 1e6, 1, language), chance.randrange(2001, 2025)
    said = {
        "en": f"In {year} it had {millions} million inhabitants.",
        "de": f"Im Jahr {year} waren es {millions} Mio. Einwohner.",
        "fr": f"En {year}, il y avait {millions} millions d'habitants.",
        "es": f"En {year} tenía {millions} millones de habitantes.",
    }
    return Right("How many people live there?", ({"population": people, "year": year},), said[language])


def train(chance: random.Random) -> Right:
    language = _language(chance)
    leaves, lasts = chance.randrange(300, 1000), chance.randrange(40, 400)
    cost, name = round(chance.uniform(9, 190), 2), f"ICE {chance.randrange(100, 1700)}"
    start, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in (leaves, leaves + lasts))
    amount, span = number(cost, 2, language), f"{lasts // 60} h {lasts % 60} min"
    said = {
        "en": f"{name} leaves at {start} and arrives at {end} ({span}) for €{amount}.",
        "de": f"Der {name} fährt um {start} Uhr und ist um {end} Uhr da ({span}), für {amount} €.",
        "fr": f"Le {name} part à {start.replace(':', 'h')} et arrive à {end.replace(':', 'h')} pour {amount} €.",
        "es": f"El {name} sale a las {start} y llega a las {end}; cuesta {amount} €.",
    }
    found = {"train": name, "departs": f"2026-12-01T{start}:00", "arrives": f"2026-12-01T{end}:00", "price": cost}
    return Right("Which train can I take on 1 December?", ({"trains": [found]},), said[language])


def share(chance: random.Random) -> Right:
    language = chance.choice(["en", "de", "fr", "es"])
    sent = chance.randrange(3_000, 60_000)
    opened = chance.randrange(sent // 10, sent)
    percent = number(100 * opened / sent, chance.choice([0, 1]), language)
    some, every = number(opened, 0, language), number(sent, 0, language)
    said = {
        "en": f"{some} of {every} people opened it, {percent}%.",
        "de": f"{some} von {every} haben es geöffnet ({percent} %).",
        "fr": f"{some} personnes sur {every} l'ont ouvert ({percent} %).",
        "es": f"Lo abrieron {some} de {every} ({percent} %).",
    }
    return Right("How many opened the newsletter?", ({"sent": sent, "opened": opened},), said[language])


def exchange(chance: random.Random) -> Right:
    language, amount = _language(chance), chance.randrange(3, 900) * 5
    rate = round(chance.uniform(0.3, 160), 4)
    result, shown = number(amount * rate, 2, language), number(rate, 4, language)
    said = {
        "en": f"{amount} USD come to {result} at a rate of {shown}.",
        "de": f"{amount} USD ergeben {result} zum Kurs {shown}.",
        "fr": f"{amount} USD donnent {result} au taux de {shown}.",
        "es": f"{amount} USD son {result} a una tasa de {shown}.",
    }
    return Right(f"Convert {amount} US dollars", ({"base": "USD", "rate": rate},), said[language])


def meeting(chance: random.Random) -> Right:
    language, when = _language(chance), _date(chance)
    hour, minute = chance.randrange(7, 20), chance.choice([0, 15, 30, 45])
    room = f"{chance.choice('ABC')}{chance.randrange(100, 500)}"
    half = f"{(hour - 1) % 12 + 1}:{minute:02} {'am' if hour < 12 else 'pm'}"
    said = {
        "en": f"The meeting is on {day(when, 'en', year=False)} at {half} in room {room}.",
        "de": f"Das Treffen ist am {day(when, 'de', year=True)} um {hour}:{minute:02} Uhr in Raum {room}.",
        "fr": f"La réunion a lieu le {day(when, 'fr', year=False)} à {hour}h{minute:02}, salle {room}.",
        "es": f"La reunión es el {day(when, 'es', year=True)} a las {hour}:{minute:02} en la sala {room}.",
    }
    found = f"Room {room} is booked for {when}T{hour:02}:{minute:02}:00+01:00"
    return Right("When is the meeting?", (found,), said[language])


TEMPLATES: tuple[Template, ...] = (
    *(weather, price, invoices, change, parcel),
    *(population, train, share, exchange, meeting),
)
