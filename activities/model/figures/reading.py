"""Finds the figures in a text: whatever has a digit in it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypedDict

from activities.model.figures.dates_and_times import MONTH, Day, Found, dates_in, times_in
from activities.model.figures.numerals import NUMBER, PERCENT_WORDS, SCALE, SPACES, Reading, plain, readings

WITH_DIGIT = re.compile(r"(?<!\S)[^\s\d]*\d\S*")
WORD = re.compile(r"[^\W_]+(?:[-_./#:@+&=%~,'*×–]{1,3}[^\W_]+)*")
NUMBER_WITH_UNIT = re.compile(rf"(?P<number>{NUMBER})(?P<unit>[^\W\d_]{{0,12}})")
WITHOUT_SPACES = re.compile(
    "[\u0e00-\u0eff\u1100-\u11ff\u3005-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af\uff08-\uff0f]"
)
"""Letters of languages that put no spaces between words, or hang endings on a number."""
ALSO_UNITS = frozenset(["m", "b", "t", "k", "mil", "bin"])
"""Of the words for a scale those that also mean something else, such as metres."""
COMPOUND = re.compile(rf"(?P<number>{NUMBER})-(?P<unit>[^\W\d_]{{2,20}})(?:-[^\W\d_]{{2,20}})?")
"""3-star, 10-year-old."""
RUN = re.compile(r"[^\W_]+")
PIECE = re.compile(r"(?:[^\W_]|(?<=\d)[.,'](?=\d))+")
"""Of a word with several: 10-12, 3/4, 1920x1080."""
GROUPED_BY_SPACES = re.compile(rf"(?<![\w.,/-])\d{{1,3}}(?:[ {SPACES}]\d{{3}})+(?:[.,]\d+)?(?![\w/-]|[.,]\d)")
NUMBERED = re.compile(r"^[ \t>*-]{0,12}(\d{1,3})[.)](?=\s)", re.MULTILINE)
AFTER = re.compile(r"[ \u00a0\u202f]?(°?[^\W\d_]+(?:/[^\W\d_]+)?|[%°$€£¥₹]+[CF]?)?([$€£¥₹])?(?:[ ]([^\W\d_]+))?")
ORDINAL = re.compile(r"(?:st|nd|rd|th|er|ère|e|º|ª)", re.IGNORECASE)
IN_A_DATE = re.compile(r"\.?\s[^\W\d_]+\.?,?\s(?:19|20)\d\d\b")
UNTIL_A_DATE = re.compile(
    rf"\.?(?:\s?[-–]\s?|\s[^\W\d_]{{1,5}}\s)\d{{1,2}}(?:\.|[a-z]{{2}})?\s(?:de )?{MONTH}", re.IGNORECASE
)
"""The 23 of "23 to 30 November"."""
UNTIL_A_TIME = re.compile(
    r"(?:\s?[-–]\s?|\s[^\W\d_]{1,5}\s)\d{1,2}(?::\d\d)?\s?(?:[ap]\.?m\b|uhr\b|h\b|heures\b)", re.IGNORECASE
)
ABOUT = re.compile(
    r"(?:[~≈><≥≤]|\b(?:about|above|below|au-dessus de|encima de|around|approximately|approx|roughly|nearly"
    r"|almost|over|under|some|more than|less than"
    r"|up to|at least|etwa|rund|ungefähr|circa|ca|knapp|über|environ|presque|près de|plus de|unos|unas|casi|cerca de"
    r"|más de|quasi|oltre|aproximadamente|ongeveer|bijna|około|около|почти)\b\.?)\s?$",
    re.IGNORECASE,
)
_AND = r",?\s?(?:and |und |et |y |e )?"
DURATION = re.compile(
    rf"(?<![\w.,])(?=\d{{1,4}}\s?[dhmTtSsjg][a-z]*\.?{_AND}\d)(?:(?P<d>\d{{1,4}})\s?(?:d|days?|Tage?|jours?|días?|giorni)\b{_AND})?"
    rf"(?:(?P<h>\d{{1,4}})\s?(?:h|hrs?|hours?|Std\.?|Stunden?|heures?|horas?|ore)\b\.?{_AND})?"
    r"(?:(?P<m>\d{1,4})\s?(?:m|mins?|minutes?|Min\.?|Minuten|minutos|minuti)\b)?"
    rf"(?:{_AND}(?P<s>\d{{1,4}})\s?(?:s|secs?|seconds?|Sek\.?|Sekunden|secondes|segundos|secondi)\b)?",
    re.IGNORECASE,
)
"""Of two units at least."""
CURRENCY_SIGNS = "$€£¥₹ "
PIECE_OF_TEXT = 4 * 1024
"""Characters."""
MOST_PARTS = 20
"""Of one word. One that has more is taken for a name."""
WINDOW = 40
"""Characters around a figure that are looked at."""
EDGES = ".,;:!?()[]{}<>\"'*`“”„«»…"
CURRENCY = frozenset(
    [
        "$",
        "€",
        "£",
        "¥",
        "₹",
        "usd",
        "eur",
        "gbp",
        "jpy",
        "chf",
        "inr",
        "cad",
        "aud",
        "sek",
        "nok",
        "dkk",
        "pln",
        "czk",
        "brl",
        "dollar",
        "dollars",
        "euro",
        "euros",
    ]
)


@dataclass(frozen=True)
class Figure:
    """A figure as it is written, and what it may mean. It is told by one of its meanings, or by all of its parts."""

    text: str
    start: int
    chunk: str
    """All that stands around it without a space."""
    days: tuple[Day, ...] = ()
    minutes: tuple[int, ...] = ()
    half_known: bool = True
    numbers: tuple[Reading, ...] = ()
    unit: str = ""
    percent: bool = False
    money: bool = False
    negative: bool = False
    about: bool = False
    of_a_time: bool = False
    """It is the hour of a time, as the 9 of "9 to 11 am"."""
    of_a_date: bool = False
    """It may be the day of a date, the rest of which is not understood."""
    parts: tuple["Figure", ...] = ()


class _Where(TypedDict):
    text: str
    start: int
    chunk: str


def figures_in(text: str) -> Iterator[Figure]:
    """Of one piece of a text after the other: dates, times, and then the rest as it stands."""
    for start, piece in _pieces(text):
        if re.search(r"\d", piece):
            for figure in _figures_of(piece):
                yield replace(figure, start=start + figure.start) if start else figure


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Short ones, so that whoever has read enough need not wait for the rest. They end at the end of a word."""
    start = 0
    while start < len(text):
        end = start + PIECE_OF_TEXT
        if end < len(text):
            gap = max(text.rfind("\n", start, end), text.rfind(" ", start, end))
            end = gap + 1 if gap > start else end
        yield start, text[start:end]
        start = end


def _figures_of(text: str) -> Iterator[Figure]:
    flat = plain(text)
    flat = _blanked(flat, _numbering(flat))
    dated = [*_apart(dates_in(flat))]
    rest = _blanked(flat, ((found.start, found.end) for found in dated))
    lasting = [match for match in DURATION.finditer(rest) if sum(map(bool, match.groups())) > 1]
    rest = _blanked(rest, (match.span() for match in lasting))
    timed = [*_apart(times_in(rest))]
    rest = _blanked(rest, ((found.start, found.end) for found in timed))
    for found in (*dated, *timed):
        where = _where(text, flat, found.start, found.end)
        yield Figure(**where, days=found.days, minutes=found.minutes, half_known=found.half_known)
    for match in lasting:
        yield replace(_lasting(text, flat, match), parts=_apart_numbers(text, flat, match))
    spaced = [*GROUPED_BY_SPACES.finditer(rest)]
    for match in spaced:
        yield replace(_number(text, flat, match.start(), match[0], ""), parts=_apart_numbers(text, flat, match))
    rest = _blanked(rest, (match.span() for match in spaced))
    rest = WITHOUT_SPACES.sub(" ", rest)
    for piece in WITH_DIGIT.finditer(rest):
        for word in WORD.finditer(piece[0]):
            if re.search(r"\d", word[0]):
                yield _word(text, flat, piece.start() + word.start(), word[0])


_APART = re.compile(r"[\d.,]*\d")


def _apart_numbers(shown: str, text: str, match: re.Match[str]) -> tuple[Figure, ...]:
    return tuple(_number(shown, text, match.start() + each.start(), each[0], "") for each in _APART.finditer(match[0]))


def _lasting(shown: str, text: str, match: re.Match[str]) -> Figure:
    """1 h 30 min, in seconds."""
    day, hour, minute, second = (int(match[each] or 0) for each in ("d", "h", "m", "s"))
    seconds = ((day * 24 + hour) * 60 + minute) * 60 + second
    step = 1.0 if match["s"] else 60.0 if match["m"] else 3600.0
    return Figure(**_where(shown, text, *match.span()), numbers=(Reading(float(seconds), step),), unit="s")


def _numbering(text: str) -> Iterator[tuple[int, int]]:
    """The numbers of a numbered list, which count up by one."""
    before = 0
    for match in NUMBERED.finditer(text):
        if int(match[1]) in (before + 1, 1):
            before = int(match[1])
            yield match.span()


def _blanked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    kept: list[str] = []
    at = 0
    for start, end in sorted(spans):
        kept.append(text[at:start] + " " * (end - start))
        at = end
    return "".join([*kept, text[at:]])


def _apart(found: Iterable[Found]) -> Iterator[Found]:
    """Those that do not overlap with one that begins earlier, or is longer."""
    end = 0
    for each in sorted(found, key=lambda each: (each.start, -each.end)):
        if each.start >= end:
            end = each.end
            yield each


def _where(shown: str, text: str, start: int, end: int) -> _Where:
    before, after = text[max(start - WINDOW, 0) : start], text[end : end + WINDOW]
    left = re.search(r"\S*\Z", before)
    right = re.match(r"\S*", after)
    chunk = f"{left[0] if left else ''}{text[start:end]}{right[0] if right else ''}"
    return {"text": shown[start:end], "start": start, "chunk": chunk.strip(EDGES).casefold()}


def _word(shown: str, text: str, start: int, word: str) -> Figure:
    """A number with its unit, several numbers, or a name."""
    if match := NUMBER_WITH_UNIT.fullmatch(word):
        return _number(shown, text, start, match["number"], match["unit"])
    if (match := COMPOUND.fullmatch(word)) is not None:
        return replace(_number(shown, text, start, match["number"], ""), unit=match["unit"].casefold())
    where = _where(shown, text, start, start + len(word))
    if re.search(r"[^/][:=][^/:]", word):
        halves = [each for each in re.finditer(r"[^:=]+", word) if re.search(r"\d", each[0])][:MOST_PARTS]
        return Figure(**where, parts=tuple(_word(shown, text, start + each.start(), each[0]) for each in halves))
    pieces = [(each.start(), each[0]) for each in PIECE.finditer(word) if re.search(r"\d", each[0])]
    is_name = len(pieces) > MOST_PARTS or any(each[0].isalpha() and len(each[0]) > 1 for each in PIECE.finditer(word))
    if not is_name and all(NUMBER_WITH_UNIT.fullmatch(piece) for _, piece in pieces):
        return Figure(**where, parts=tuple(_word(shown, text, start + at, piece) for at, piece in pieces))
    return Figure(**where)


def _number(shown: str, text: str, start: int, number: str, unit: str) -> Figure:
    end = start + len(number) + len(unit)
    before = text[max(start - WINDOW, 0) : start]
    after = AFTER.match(text, end)
    first, second = ((after[1] or "").casefold(), (after[3] or "").casefold()) if after else ("", "")
    sign_behind = after[2] or "" if after else ""
    unit = unit.casefold() or (first[:1] if WITHOUT_SPACES.match(first) else first)
    scale = SCALE.get(unit, 1.0)
    sign = before.rstrip(CURRENCY_SIGNS)
    return Figure(
        **_where(shown, text, start, end),
        numbers=tuple(
            Reading(each.value * times, each.step * times)
            for each in readings(number)
            for times in ((scale, 1.0) if unit in ALSO_UNITS else (scale,))
        ),
        unit=(second or sign_behind) if scale != 1 else unit,
        percent=unit in PERCENT_WORDS or (unit in ("per", "pour", "por") and second.startswith("c")),
        money=bool({unit, second, sign_behind, before.rstrip(" -")[-1:], before[-4:-1].casefold()} & CURRENCY),
        negative=sign.endswith("-") and not sign[-2:-1].isalnum() and not sign.endswith(" - "),
        about=scale != 1 or ABOUT.search(before.rstrip(CURRENCY_SIGNS)) is not None,
        of_a_time=UNTIL_A_TIME.match(text, end) is not None,
        of_a_date=ORDINAL.fullmatch(unit) is not None
        or any(each.match(text, end) for each in (IN_A_DATE, UNTIL_A_DATE)),
    )
