"""A call's arguments as fields of a form, and back: made from the tool's schema, so that a number stays a number.

A field that nobody has touched keeps its very value, whatever a browser makes of its line ends and of characters that
no field can hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, cast

from pydantic import JsonValue
from pydantic_core import from_json, to_json

from activities.errors import InvalidArguments
from workflows.contract.values import Arguments

Kind: TypeAlias = Literal["text", "lines", "number", "whole number", "choice", "json"]

NOT_SET = ""
LONG = 60
"""Characters of a text that is given more than one line."""


@dataclass(frozen=True)
class Field:
    """`text` is what stands in it; `value` is the argument that it stands for, and `is_set` whether there is one."""

    name: str
    kind: Kind
    text: str
    value: JsonValue
    is_set: bool
    required: bool = False
    description: str = ""
    choices: Sequence[str] = ()
    problem: str = ""

    @property
    def is_long(self) -> bool:
        """Whether it takes more than one line: a field of one line would lose the ends of lines."""
        return self.kind in ("lines", "json") or "\n" in _lines(self.text) or len(self.text) > LONG


def fields(schema: JsonValue, arguments: Arguments) -> list[Field]:
    """One field for each argument that the schema names or the call has; those that the call has in front."""
    known = _object(schema)
    named, required = _object(known.get("properties")), known.get("required")
    needed = required if isinstance(required, list) else []
    names = dict.fromkeys([*arguments, *named])
    return [_field(name, named.get(name), arguments, is_required=name in needed) for name in names]


def _object(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _field(name: str, of: JsonValue, arguments: Arguments, *, is_required: bool) -> Field:
    schema = _plain(of)
    is_set, value = name in arguments, arguments.get(name)
    kind, choices = _kind(schema, value, is_set=is_set)
    text = _written(kind, value) if is_set else NOT_SET
    if kind == "choice" and not is_required:
        choices = ("", *choices)
    about = schema.get("description")
    return Field(name, kind, text, value, is_set, is_required, about if isinstance(about, str) else "", choices)


def _plain(of: JsonValue) -> Mapping[str, JsonValue]:
    """A property's schema; of one that may be null, the other form."""
    schema = _object(of)
    forms = schema.get("anyOf")
    if isinstance(forms, list):
        others = [each for each in forms if isinstance(each, dict) and each.get("type") != "null"]
        if len(others) == 1:
            return {**schema, **others[0]}
    return schema


def _kind(schema: Mapping[str, JsonValue], value: JsonValue, *, is_set: bool) -> tuple[Kind, tuple[str, ...]]:
    """Where the value is not of the schema's type, it is written as JSON: nothing of it is lost then."""
    choices = schema.get("enum")
    if isinstance(choices, list) and (not is_set or value in choices):
        return "choice", tuple(to_json(each).decode() for each in choices)
    match schema.get("type"):
        case "boolean" if not is_set or isinstance(value, bool):
            return "choice", ("true", "false")
        case "integer" if not is_set or (isinstance(value, int) and not isinstance(value, bool)):
            return "whole number", ()
        case "number" if not is_set or (isinstance(value, int | float) and not isinstance(value, bool)):
            return "number", ()
        case "string" if not is_set or isinstance(value, str):
            return "text", ()
        case "array" if _are_lines(schema, value, is_set=is_set):
            return "lines", ()
        case None if isinstance(value, str):
            return "text", ()
        case _:
            return "json", ()


def _are_lines(schema: Mapping[str, JsonValue], value: JsonValue, *, is_set: bool) -> bool:
    items = schema.get("items")
    of_texts = isinstance(items, dict) and items.get("type") == "string"
    if not is_set:
        return of_texts
    return of_texts and isinstance(value, list) and all(isinstance(each, str) and _is_a_line(each) for each in value)


def _is_a_line(text: str) -> bool:
    """Whether a line of a field can stand for it, so that it is the same when another line is edited."""
    return bool(text) and text == _as_sent(text).strip() and "\n" not in text


def _written(kind: Kind, value: JsonValue) -> str:
    match kind:
        case "text":
            return str(value)
        case "lines":
            return "\n".join(map(str, cast("list[JsonValue]", value)))
        case "json":
            return to_json(value, indent=2 if isinstance(value, dict | list) else None).decode()
        case _:
            return to_json(value).decode()


def edited(known: Sequence[Field], form: Mapping[str, str]) -> Arguments:
    """The arguments that a filled form stands for. An optional field that was emptied is left out.

    Raises:
        InvalidArguments: a field holds what it cannot; it names the field.
    """
    found: Arguments = {}
    for field in known:
        text = form.get(field.name)
        if text is None or _as_sent(text) == _as_sent(field.text):
            if field.is_set:
                found[field.name] = field.value
        elif text or field.required:
            found[field.name] = _read(field, _lines(text))
    return found


def as_filled(known: Sequence[Field], form: Mapping[str, str]) -> list[Field]:
    """The fields with what was filled in, to be shown again."""
    return [replace(each, text=_lines(form.get(each.name, each.text))) for each in known]


def _lines(text: str) -> str:
    """Browsers end lines by CR LF, and drop a first one that is empty."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _as_sent(text: str) -> str:
    """What a browser sends of a text that stands in a field: HTML has no U+0000."""
    return _lines(text).replace("\0", "\ufffd")


def _read(field: Field, text: str) -> JsonValue:
    try:
        match field.kind:
            case "text":
                return text
            case "lines":
                return [line.strip() for line in text.split("\n") if line.strip()]
            case "whole number":
                return int(text)
            case "number":
                value = from_json(text.strip(), allow_inf_nan=False)
                if isinstance(value, bool) or not isinstance(value, int | float):
                    raise ValueError("expected a number")
                return value
            case "choice" | "json":
                return from_json(text, allow_inf_nan=False)
    except ValueError:
        expected = {"json": "JSON", "choice": "one of the choices"}.get(field.kind, f"a {field.kind}")
        raise InvalidArguments(f"{field.name}: expected {expected}") from None
