"""Dates and times of day in a text, in the forms that people use."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

_MONTHS = (
    "january jan januar jänner janvier janv enero ene gennaio gen janeiro januari styczeń stycznia января",
    "february feb februar février févr fev febrero febbraio fevereiro februari luty lutego февраля",
    "march mar märz mär mars marzo março maart mrt marzec marca марта",
    "april apr avril avr abril abr aprile kwiecień kwietnia апреля",
    "may mai mayo maggio mag maio mei maj maja мая",
    "june jun juni juin junio giugno giu junho czerwiec czerwca июня",
    "july jul juli juillet juil julio luglio lug julho lipiec lipca июля",
    "august aug août aout agosto ago augustus augusti sierpień sierpnia августа",
    "september sep sept septembre septiembre settembre set setembro wrzesień września сентября",
    "october oct oktober okt octobre octubre ottobre ott outubro out październik października октября",
    "november nov novembre noviembre novembro listopad listopada ноября",
    "december dec dezember dez décembre déc diciembre dic dicembre dezembro december grudzień grudnia декабря",
)
MONTHS = {word: number for number, line in enumerate(_MONTHS, start=1) for word in line.split()}
"""Of English, German, French, Spanish, Italian, Portuguese, Dutch, Swedish, Polish and Russian."""
MONTH = rf"(?:{'|'.join(sorted(MONTHS, key=len, reverse=True))})(?![^\W\d_])\.?"
_DAY = r"(?<!\d)\d{1,2}(?:st|nd|rd|th|er|º|ª|\.)?"
_YEAR = r"(?:19|20|21)\d\d\b"
_OF = r"(?:\s|de |del |of |d')"
_IN_FIGURES = [
    re.compile(pattern)
    for pattern in (
        r"(?<![\d.-])(?P<y>\d{4})[ ]?(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})(?![\d-])",
        r"(?P<y>\d{4})\s?[年년]\s?(?P<m>\d{1,2})\s?[月월](?:\s?(?P<d>\d{1,2})\s?[日일])?",
        r"(?P<m>\d{1,2})\s?[月월]\s?(?P<d>\d{1,2})\s?[日일]",
        r"(?<![\d./-])(?P<a>\d{1,2})(?P<s>[-/.])[ ]?(?P<b>\d{1,2})(?P=s)[ ]?(?P<y>(?:19|20|21)?\d\d)(?![\d-]|\.\d)",
        r"(?<!\d)(?P<y>20[0-4]\d)(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])(?!\d)",
        r"(?<![\d./-])(?P<m>0?[1-9]|1[0-2])[-/](?P<y>20[0-4]\d)(?![\d/-])",
        r"(?<![\d./-])(?P<y>20[0-4]\d)[-/](?P<m>0?[1-9]|1[0-2])(?![\d/-])",
    )
]
_WITH_A_NAME = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:(?P<y0>{_YEAR}),? )?(?P<d>{_DAY})(?:[-–/](?P<d2>{_DAY}))?[\s-]{{0,2}}{_OF}{{0,2}}\b(?P<n>{MONTH})"
        rf"(?:(?:,|[\s-]|,\s){_OF}{{0,2}}(?P<y>{_YEAR}))?",
        rf"(?:(?P<y0>{_YEAR}),? )?\b(?P<n>{MONTH})[\s-]{{0,2}}(?:the )?(?P<d>{_DAY}(?!\d|[:.]\d))"
        rf"(?:\s?[-–]\s?(?P<d2>{_DAY}(?!\d)))?(?:(?:,|,?\s{{1,2}})(?P<y>{_YEAR}))?",
        rf"\b(?P<n>{MONTH}),?[\s-]{_OF}{{0,2}}(?P<y>{_YEAR})",
    )
]
_LETTERS = re.compile(r"[^\W\d_]+")
SHORT_DATE = re.compile(r"(\d{1,2})[./-](\d{1,2})\.?")
"""28.11. or 11/28: which may be something else."""
_TIME = re.compile(
    r"(?<![\d.,:])(?P<h>[01]?\d|2[0-4])(?:(?P<s>[:.h])(?P<m>[0-5]\d)(?::(?P<sec>[0-5]\d)(?:\.\d{1,9})?)?)?"
    r"\s?(?P<half>[ap]\.?m\b\.?|uhr\b|h\b|heures?\b|часов\b|時|点|点钟)?(?!\d|[.,:]\d)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Day:
    """A date of which the year or the day may be missing."""

    year: int | None
    month: int
    day: int | None

    def forms(self, this_year: int) -> Iterator["Day"]:
        """All that people may call it: also without the year or the day, and of no year, with one near now."""
        years = [self.year] if self.year else [this_year - 1, this_year, this_year + 1]
        for year in (*years, None):
            yield Day(year, self.month, self.day)
            yield Day(year, self.month, None)
            if self.day is None:
                yield Day(year, self.month, 1)

    @property
    def in_full(self) -> date | None:
        try:
            return date(self.year, self.month, self.day) if self.year and self.day else None
        except ValueError:
            return None

    @classmethod
    def of(cls, day: date) -> "Day":
        return cls(day.year, day.month, day.day)


@dataclass(frozen=True)
class Found:
    """Where something stands in a text, and all that it may mean."""

    start: int
    end: int
    days: tuple[Day, ...] = ()
    minutes: tuple[int, ...] = ()
    """Of the day."""
    half_known: bool = True
    """Whether it says which half of the day is meant."""


def dates_in(text: str) -> Iterator[Found]:
    """Those of which the form leaves no doubt that they are dates. One may be found in two forms."""
    has_name = not MONTHS.keys().isdisjoint(_LETTERS.findall(text.casefold()))
    for pattern in (*_IN_FIGURES, *(_WITH_A_NAME if has_name else ())):
        for match in pattern.finditer(text):
            if days := tuple(_days(match)):
                yield Found(*match.span(), days=days)


def _days(match: re.Match[str]) -> Iterator[Day]:
    parts = match.groupdict()
    written = parts.get("y") or parts.get("y0")
    year = int(written) if written else None
    if year is not None and year < 100:
        year += 2000
    if parts.get("a"):
        pairs = [(int(parts["a"]), int(parts["b"])), (int(parts["b"]), int(parts["a"]))]
        if pairs[0][1] > 12 or pairs[0][0] > 12:
            pairs = [(day, month) for day, month in pairs if month <= 12]
    else:
        name = (parts.get("n") or "").casefold().rstrip(".")
        month = MONTHS[name] if name else int(parts["m"] or 0)
        days = [int(re.sub(r"\D", "", parts[each] or "0")) for each in ("d", "d2") if parts.get(each)]
        pairs = [(day, month) for day in days or [0]]
    for day, month in dict.fromkeys(pairs):
        if 1 <= month <= 12 and (1 <= day <= 31 or not match.groupdict().get("d")):
            yield Day(year, month, day or None)


def times_in(text: str) -> Iterator[Found]:
    """Times with a colon, or with a word that says so (3 pm, 15.30 Uhr, 15h30)."""
    for match in _TIME.finditer(text):
        half, mark = (match["half"] or "").casefold(), match["s"]
        if mark in (":", "h", "H") or half or (match["s"] and match["sec"]):
            minute = int(match["m"] or 0)
            hour = int(match["h"])
            half_known = half[:1] in ("a", "p") or hour >= 12 or match["h"].startswith("0")
            yield Found(*match.span(), minutes=(60 * _hour(hour, half) + minute,), half_known=half_known)


def _hour(hour: int, half: str) -> int:
    match half[:1]:
        case "p":
            return hour % 12 + 12
        case "a":
            return hour % 12
        case _:
            return hour % 24


def near(today: date) -> tuple[Day, ...]:
    """The days that everybody knows."""
    return tuple(Day.of(today + timedelta(days=days)) for days in (-1, 0, 1))


# --- words ---------------------------------------------------------------------------------------------------------

_WEEKDAYS = (
    "monday mon montag lundi lunes lunedì segunda maandag måndag poniedziałek понедельник 月曜 周一 星期一",
    "tuesday tue dienstag mardi martes martedì terça dinsdag tisdag wtorek вторник 火曜 周二 星期二",
    "wednesday wed mittwoch mercredi miércoles mercoledì quarta woensdag onsdag środa среду среда 水曜 周三 星期三",
    "thursday thu donnerstag jeudi jueves giovedì quinta donderdag torsdag czwartek четверг 木曜 周四 星期四",
    "friday fri freitag vendredi viernes venerdì sexta vrijdag fredag piątek пятницу пятница 金曜 周五 星期五",
    "saturday sat samstag samedi sábado sabato zaterdag lördag sobota субботу суббота 土曜 周六 星期六 weekend",
    "sunday sun sonntag dimanche domingo domenica zondag söndag niedziela воскресенье 日曜 周日 星期日 weekend",
)
_SHIFTS = {
    1: "tomorrow morgen demain mañana domani amanhã imorgon jutro завтра 明日 明天 내일",
    -1: "yesterday gestern hier ayer ieri ontem gisteren igår wczoraj вчера 昨日 昨天 어제",
    7: "week woche semaine semana settimana неделю неделя tydzień vecka",
    2: "übermorgen overmorgen pasado dopodomani послезавтра 明後日 后天",
    -2: "vorgestern avant-hier anteayer eergisteren позавчера 前天",
}


def _named(text: str, words: str) -> bool:
    return any(re.search(rf"\b{word}(?:s|e)?\b" if word.isascii() else word, text) for word in words.split())


_DAY_ALONE = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)\b")


def days_alone(text: str) -> frozenset[int]:
    """Of "the 12th"."""
    return frozenset(int(day) for day in _DAY_ALONE.findall(text))


def shifts_in(text: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What a text says of days without a digit: by how many days from another, and which weekdays (Monday is 0)."""
    text = text.casefold()
    days = [shift for shift, words in _SHIFTS.items() if _named(text, words)]
    if {1, -1} & set(days) and re.search(r"\bday (?:after|before)\b", text):
        days += [2 * shift for shift in days if abs(shift) == 1]
    return tuple(days), tuple(number for number, words in enumerate(_WEEKDAYS) if _named(text, words))


_NOON = re.compile(r"\b(?:noon|midday|mittags?|midi|mediodía|mezzogiorno|meio-dia)\b")
_MIDNIGHT = re.compile(r"\b(?:midnight|mitternachts?|minuit|medianoche|mezzanotte|meia-noite)\b")


def times_in_words(text: str) -> frozenset[int]:
    """Of a text in small letters, noon and midnight, in minutes of the day."""
    return frozenset(minute for minute, word in ((720, _NOON), (0, _MIDNIGHT)) if word.search(text))
