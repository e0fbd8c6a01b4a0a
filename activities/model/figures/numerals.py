"""Numbers as people write them: digits of every script, decimal points and commas, thousands, and number words."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 15
"""Digits that a float holds exactly. A longer number is an identifier, and is compared as text."""
SPACES = "\u00a0\u2007\u2009\u202f"
NUMBER = rf"\d+(?:[.,']\d+|[ {SPACES}]\d{{3}}(?!\d))*"


class _Plain(dict[int, str]):
    """Of every character the one that means the same in ASCII, for digits and for what stands between them."""

    def __missing__(self, code: int) -> str:
        digit = unicodedata.decimal(chr(code), None)
        self[code] = plain = chr(code) if digit is None else str(digit)
        return plain


_PLAIN = _Plain({ord(one): other for one, other in zip("٫٬−‐‑’ʼ％٪：／", ".,---''%%:/", strict=True)})


def plain(text: str) -> str:
    """The text with ASCII digits. It stays as long as it was."""
    return text if text.isascii() else text.translate(_PLAIN)


@dataclass(frozen=True)
class Reading:
    """What a written number may mean, and the step of its last place: 0.1 for 12.3."""

    value: float
    step: float


def readings(number: str) -> tuple[Reading, ...]:
    """All that a written number may mean: 1,234 is a thousand or one. None, for one that is too long to be a number."""
    number = re.sub(rf"['{SPACES} ]", "", number)
    if sum(char.isdigit() for char in number) > LONGEST:
        return ()
    whole, mark, tail = _split_at_last_mark(number)
    if not mark:
        return (Reading(float(number), 1.0),)
    found: list[Reading] = []
    if mark not in whole and _is_grouped(whole):
        digits = re.sub(r"[.,]", "", whole)
        found.append(Reading(float(f"{digits}.{tail}"), 10.0 ** -len(tail)))
    if _is_grouped(number) and len(set(re.findall(r"[.,]", number))) == 1:
        found.append(Reading(float(re.sub(r"[.,]", "", number)), 1.0))
    return tuple(found)


def _split_at_last_mark(number: str) -> tuple[str, str, str]:
    at = max(number.rfind("."), number.rfind(","))
    return (number[:at], number[at], number[at + 1 :]) if at >= 0 else (number, "", "")


_GROUPED = re.compile(r"\d+|[1-9]\d{0,2}(?:([.,])\d{3})(?:\1\d{3})*|[1-9]\d?(?:,\d{2})*,\d{3}")
"""In threes, or as in India (12,34,567)."""


def _is_grouped(number: str) -> bool:
    return _GROUPED.fullmatch(number) is not None


# --- words ---------------------------------------------------------------------------------------------------------

SCALES = {
    12: "dozen dutzend docenas douzaines",
    1e3: "k thousand tausend tsd mille mil mila duizend tysięcy тысяч тыс tusen bin 千",
    1e4: "万 萬",
    1e5: "lakh",
    1e6: "m mn mio million millions millionen millón millones milhão milhões milione milioni miljoen mln млн",
    1e7: "crore",
    1e8: "億 亿",
    1e9: "b bn billion billions mrd milliarde milliarden milliard milliards miliardi miljard mld млрд",
    1e12: "tn trillion trillions",
}
SCALE = {word: scale for scale, words in SCALES.items() for word in words.split()}
_PERCENT = "% percent pct prozent procent procenta procent percento proc процент процента процентов yüzde パーセント"
PERCENT_WORDS = frozenset(_PERCENT.split())
"""Beside those of two words ("per cent", "pour cent", "por ciento"), whose first is followed by a word with c."""

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty",
    "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn"
    " achtzehn neunzehn zwanzig",
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit"
    " dix-neuf vingt",
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete"
    " dieciocho diecinueve veinte",
    "zero uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici"
    " diciassette diciotto diciannove venti",
    "zero um dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze dezesseis dezessete dezoito"
    " dezenove vinte",
    "nul een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien zestien zeventien"
    " achttien negentien twintig",
)
_TENS = (
    "thirty forty fifty sixty seventy eighty ninety",
    "dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "trente quarante cinquante soixante",
    "treinta cuarenta cincuenta sesenta setenta ochenta noventa",
)
_OTHERS = {
    "half": 0.5, "halve": 0.5, "quarter": 0.25, "third": 3, "first": 1, "second": 2, "fourth": 4, "fifth": 5,
    "once": 1, "single": 1, "twice": 2, "double": 2, "pair": 2, "couple": 2, "both": 2, "triple": 3, "dozen": 12,
    "hundred": 100, "thousand": 1000, "million": 1e6, "noon": 12, "midday": 12, "midnight": 0, "mittag": 12,
    "mitternacht": 0, "ein": 1, "eine": 1, "einen": 1, "une": 1, "una": 1, "dutzend": 12, "hundert": 100,
    "tausend": 1000, "cent": 100, "mille": 1000, "cien": 100, "mil": 1000, "hälfte": 0.5, "moitié": 0.5, "mitad": 0.5,
}  # fmt: skip
WORDS: dict[str, float] = {
    **{word: number for line in _ONES for number, word in enumerate(line.split())},
    **{word: 10 * number for line in _TENS for number, word in enumerate(line.split(), start=3)},
    **_OTHERS,
}
DOZEN = ("dozen", "dutzend")
_LETTERS = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


def number_words(text: str) -> Iterator[float]:
    """The numbers that stand in words in a text: "two hundred and fifty" gives 2, 100, 50 and 250."""
    run: list[float] = []
    for word in _LETTERS.findall(text.casefold()):
        parts = [word] if word in WORDS else word.split("-")
        for part in parts:
            if (number := WORDS.get(part)) is not None:
                yield number
                if part in DOZEN and run:
                    yield 12 * run[-1]
                run.append(number)
            elif part != "and":
                yield from _composed(run)
                run = []
    yield from _composed(run)


def _composed(run: list[float]) -> Iterator[float]:
    if len(run) < 2:
        return
    total = part = 0.0
    for number in run:
        if number >= 1000:
            total, part = total + (part or 1) * number, 0.0
        elif number == 100 and part:
            part *= number
        else:
            part += number
    yield total + part
