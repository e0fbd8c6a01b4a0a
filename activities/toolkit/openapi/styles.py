"""Values of parameters as text, in the styles of OpenAPI (3.1 section 4.8.12.3, after RFC 6570).

None of them can say null. As RFC 6570 section 2.3 has it, a null is not there.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import cast
from urllib.parse import quote, unquote

from pydantic import JsonValue
from pydantic_core import to_json

from activities.toolkit.openapi.recipe import Style

RESERVED = ":/?#[]@!$&'()*+,;="
"""RFC 3986 section 2.2."""
BETWEEN = {"form": ",", "spaceDelimited": "%20", "pipeDelimited": "%7C", "tabDelimited": "%09"}

Pairs = Sequence[tuple[str, str]]
"""Names and values, quoted."""


class TakenApart(ValueError):
    """The far end would take one value for several; the message says why, without naming the parameter.

    The specification leaves it open how a value is written that has in it what stands between values (3.1.1, appendix
    E). Where the one is quoted and the other is not, as commas in a query are, the far end can tell them apart.
    """

    def __init__(self, between: str) -> None:
        sign = {" ": "a space", "\t": "a tab"}.get(between, between)
        super().__init__(f"has {sign} in one of its values, which stands between values there: it would be taken apart")


def text(value: JsonValue) -> str:
    """Of one value; what holds others becomes JSON."""
    return value if isinstance(value, str) else to_json(value).decode()


def in_path(name: str, value: JsonValue, style: Style, *, explode: bool) -> str:
    """What stands for {name} in a path, quoted.

    Raises:
        TakenApart: a value has in it what stands between values.
    """
    value = without_nulls(value)
    match style:
        case "label":
            parts = _exploded(value) if explode else [_joined(value)]
            if explode and isinstance(value, list | dict):
                _between(".", parts)  # a dot is never quoted
            return "".join(f".{part}" for part in parts)
        case "matrix":
            return _matrix(_quoted(name), value, explode=explode)
        case _:
            return ",".join(_exploded(value)) if explode else _joined(value)


def in_header(value: JsonValue, *, explode: bool) -> str:
    """As it is: headers are not quoted.

    Raises:
        TakenApart: a value has a comma in it.
    """
    match value:
        case list():
            return _between(",", map(text, value))
        case dict() if explode:
            return _between(",", (f"{name}={text(each)}" for name, each in value.items()))
        case dict():
            return _between(",", _flat(value))
        case _:
            return text(value)


def in_query(name: str, value: JsonValue, style: Style, *, explode: bool, safe: str = "") -> Pairs:
    """Nothing, of null and of an empty list or object.

    Raises:
        TakenApart: a value has in it what stands between values.
    """
    value = without_nulls(value)
    named = quote(name, safe="[]")
    if style == "deepObject" and isinstance(value, dict):
        return [(place, quote(each, safe=safe)) for place, each in _deep(named, value)]
    match value:
        case None:
            return []
        case list() | dict() if not value:
            return []
        case list() if explode:
            return [(named, quote(text(each), safe=safe)) for each in value]
        case dict() if explode:
            return [(quote(key, safe="[]"), quote(text(each), safe=safe)) for key, each in value.items()]
        case list() | dict():
            parts = (quote(each, safe=safe) for each in _flat(value))
            return [(named, _between(BETWEEN.get(style, ","), parts))]
        case _:
            return [(named, quote(text(value), safe=safe))]


def _between(delimiter: str, parts: Iterable[str]) -> str:
    """The parts as they are sent, with the delimiter between them."""
    written = [*parts]
    if any(delimiter in each for each in written):
        raise TakenApart(unquote(delimiter))
    return delimiter.join(written)


def _matrix(name: str, value: JsonValue, *, explode: bool) -> str:
    match value:
        case list() if explode:
            return "".join(f";{name}={_quoted(text(each))}" for each in value)
        case dict() if explode:
            return "".join(f";{part}" for part in _exploded(value))
        case _:
            return f";{name}={_joined(value)}"


def _exploded(value: JsonValue) -> list[str]:
    if isinstance(value, dict):
        return [f"{_quoted(name)}={_quoted(text(each))}" for name, each in value.items()]
    return [_quoted(text(each)) for each in value] if isinstance(value, list) else [_quoted(text(value))]


def _joined(value: JsonValue) -> str:
    return ",".join(_quoted(each) for each in _flat(value))


def _flat(value: JsonValue) -> list[str]:
    if isinstance(value, dict):
        return [part for name, each in value.items() for part in (name, text(each))]
    return [text(each) for each in value] if isinstance(value, list) else [text(value)]


def _deep(name: str, value: JsonValue) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for key, each in value.items():
                yield from _deep(f"{name}[{quote(key, safe='')}]", each)
        case list():
            for each in cast("list[JsonValue]", value):
                if each is not None:
                    yield name, text(each)
        case None:
            return
        case _:
            yield name, text(value)


def without_nulls(value: JsonValue) -> JsonValue:
    match value:
        case dict():
            return {name: each for name, each in value.items() if each is not None}
        case list():
            return [each for each in value if each is not None]
        case _:
            return value


def _quoted(value: str) -> str:
    return quote(value, safe="")
