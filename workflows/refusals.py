"""Reads what a caller sends, or refuses it in one sentence: the field, what is wrong with it, what there is."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from temporalio.exceptions import ApplicationError

from workflows.contract.api import BAD_REQUEST, INTERNAL_FIELDS
from workflows.contract.messages import Input
from workflows.contract.values import is_blank

Read = TypeVar("Read", bound=Input)

LONGEST_ID = 200
REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:@+=-]{0,199}")
"""What can stand in the path of a URL (RFC 3986, `pchar`) and in a header of a mail as it is."""
LONGEST_QUOTE = 60
MOST_NAMED = 30
EXPECTED: Final = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}
BOUNDS: Final = {
    "greater_than_equal": ("ge", "{} or more"),
    "greater_than": ("gt", "more than {}"),
    "less_than_equal": ("le", "{} or less"),
}


def read(kind: type[Read], given: Sequence[object]) -> Read:
    """The one input of a workflow or an Update.

    Raises:
        ApplicationError: `BadRequest`: it is none of this kind.
    """
    if len(given) != 1:
        raise bad_request(f"the input: expected one {kind.__name__}, not {len(given) or 'nothing'}")
    try:
        return kind.model_validate(given[0])
    except ValidationError as invalid:
        # From None: history keeps the sentence, and not pydantic's own account of it.
        raise bad_request(sentence(invalid, kind)) from None


def bad_request(why: str) -> ApplicationError:
    return ApplicationError(why, type=BAD_REQUEST, non_retryable=True)


def problem_with_id(id: str, name: str = "the request id", most: int = LONGEST_ID) -> str | None:
    """Why this cannot be an id of at most so many characters, which is called `name` where it came from."""
    if REQUEST_ID.fullmatch(id) and len(id) <= most:
        return None
    long = f" has {len(id):,} characters" if len(id) > most else ""
    return (
        f"{name} {_quoted(id)}{long}: an id has 1 to {most} letters (A to Z), digits and . _ ~ : @ + = -, "
        "of which the first is a letter or a digit"
    )


def sentence(invalid: ValidationError, kind: type[BaseModel], names: Mapping[str, str] | None = None) -> str:
    """What is wrong with an input, first of all a misspelt field.

    Args:
        invalid: what pydantic says of it.
        kind: what it should have been.
        names: what fields are called where the input came from, by their path: {"limits.turns": "--max-turns"}.
    """
    return sentence_of(invalid.errors(include_url=False), kind, names)


def sentence_of(errors: Iterable[ErrorDetails], kind: type[BaseModel], names: Mapping[str, str] | None = None) -> str:
    """What `sentence` says of an input with these errors."""
    error = min(errors, key=lambda each: each["type"] != "extra_forbidden")
    if error["loc"] and error["loc"][0] in INTERNAL_FIELDS:
        return f"{error['loc'][0]}: only the workflow itself may set it"
    where = ".".join(map(str, error["loc"]))
    return f"{(names or {}).get(where, where) or 'the input'}: {_why(error, kind)}"


def no_such(thing: str, name: str, known: Iterable[str], *, of: str = "") -> str:
    """That there is nothing of this name, with what there is: "there is no such field; did you mean text? …"."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    meant = f"; did you mean {close[0]}?" if close else "."
    listed = ", ".join(names[:MOST_NAMED])
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"there is no such {thing}{meant} The {thing}s{of} are {listed}{more}."


def _why(error: ErrorDetails, kind: type[BaseModel]) -> str:
    context, given = error.get("ctx", {}), error["input"]
    match error["type"]:
        case "extra_forbidden":
            *path, name = map(str, error["loc"])
            fields = _model_at(kind, path).model_fields.keys() - INTERNAL_FIELDS
            return no_such("field", name, fields, of=f" of {'.'.join(path)}" if path else "")
        case "missing":
            meaning = _described(kind, error)
            return f"it is missing ({meaning})" if meaning else "it is missing"
        case "string_too_long":
            return f"it has {len(str(given)):,} characters, and {context['max_length']:,} are the most"
        case "string_too_short" | "string_pattern_mismatch" if is_blank(str(given)):
            meaning = _described(kind, error)
            return f"it is blank ({meaning})" if meaning else "it is blank"
        case "json_invalid":
            return f"it is not JSON: {context['error']}"
        case "value_error":
            return str(context["error"])
        case bound if bound in BOUNDS:
            name, words = BOUNDS[bound]
            return f"expected {words.format(_number(context[name]))}, not {_quoted(given)}"
        case other if other in EXPECTED:
            return f"expected {EXPECTED[other]}, not {_quoted(given)}"
        case _:
            return f"{error['msg'][:1].lower()}{error['msg'][1:]}, not {_quoted(given)}"


def _number(value: float) -> str:
    """For people: "31,622,400", and no power of ten."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,g}"


def _described(kind: type[BaseModel], error: ErrorDetails) -> str:
    *path, name = map(str, error["loc"])
    field = _model_at(kind, path).model_fields.get(name)
    return (field and field.description) or ""


def _model_at(kind: type[BaseModel], path: Iterable[str]) -> type[BaseModel]:
    for name in path:
        field = kind.model_fields.get(name)
        kinds = (field.annotation, *get_args(field.annotation)) if field else ()
        kind = next((each for each in kinds if isinstance(each, type) and issubclass(each, BaseModel)), kind)
    return kind


def _quoted(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr).encode(errors="backslashreplace").decode()
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"
