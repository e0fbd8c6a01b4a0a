"""Arguments of a tool become an HTTP request."""

import hashlib
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import quote, quote_plus, unquote

import httpx
from pydantic import JsonValue
from pydantic_core import to_json

from activities.errors import InvalidArguments
from activities.toolkit.openapi.recipe import FORM, JSON, MULTIPART, Body, Encoding, Operation, Parameter
from activities.toolkit.openapi.styles import (
    RESERVED,
    TakenApart,
    in_header,
    in_path,
    in_query,
    text,
    without_nulls,
)
from workflows.contract.values import Arguments

ACCEPTED = "application/json, text/*;q=0.9, */*;q=0.5"


def request_of(operation: Operation, arguments: Arguments) -> httpx.Request:
    """Build the request of a call.

    Raises:
        InvalidArguments: a value cannot be sent in its place.
    """
    given = [(each, arguments[each.argument]) for each in operation.parameters if each.argument in arguments]
    path, own_query = _path_and_query(operation, given)
    url = httpx.URL(operation.server.rstrip("/") + path)
    query = [own_query] if own_query else []
    query += [pair for each, value in given if each.place == "query" for pair in _in_query(each, value)]
    if query:
        url = url.copy_with(query="&".join(query).encode())
    headers = {"accept": ACCEPTED, **_headers(given)}
    content = _content(operation.body, arguments) if operation.body else None
    if content is not None:
        headers["content-type"], body = content
        return httpx.Request(operation.method, url, headers=headers, content=body)
    return httpx.Request(operation.method, url, headers=headers)


@contextmanager
def _told_of(argument: str) -> Generator[None]:
    """What cannot be sent is said of this argument."""
    try:
        yield
    except TakenApart as error:
        raise InvalidArguments(f"{argument} {error}") from error


def _in_query(parameter: Parameter, value: JsonValue) -> list[str]:
    shown = to_json(value).decode() if parameter.as_json else value
    safe = RESERVED.translate({ord(sign): None for sign in "#&+="}) if parameter.reserved else ""
    with _told_of(parameter.argument):
        pairs = in_query(parameter.name, shown, parameter.style, explode=parameter.explode, safe=safe)
    return [f"{name}={written}" for name, written in pairs]


def _path_and_query(operation: Operation, given: list[tuple[Parameter, JsonValue]]) -> tuple[str, str]:
    """The document's path, filled in, and the query that stands in it: without that, it is another operation.

    What stands behind a # only tells operations of one path apart.
    """
    path, _, query = operation.path.partition("#")[0].partition("?")
    for each, value in given:
        if each.place == "path":
            if value is None and not each.as_json:
                raise InvalidArguments(f"{each.argument} must not be null: it is a part of the path")
            shown = to_json(value).decode() if each.as_json else value
            place = f"{{{each.name}}}"
            with _told_of(each.argument):
                filled = in_path(each.name, shown, each.style, explode=each.explode)
            written = _segment(each, value, filled)
            path, query = path.replace(place, written), query.replace(place, written)
    # Also behind an encoded slash, which some servers decode before they look for the operation.
    if any(segment in (".", "..") for segment in re.split(r"[/\\]", unquote(path))):
        raise InvalidArguments("a part of the path would be . or .., which means another path")
    return path, quote(query, safe=f"{RESERVED}%")


def _segment(parameter: Parameter, value: JsonValue, written: str) -> str:
    if written.strip(".;="):
        return written
    if value in ("", [], {}):
        raise InvalidArguments(f"{parameter.argument} must not be empty: it is a part of the path")
    raise InvalidArguments(f"{parameter.argument} must not be {written}: as a part of the path it means another path")


def _headers(given: list[tuple[Parameter, JsonValue]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for each, value in given:
        value = value if each.as_json else without_nulls(value)
        if value in ([], {}) or (value is None and not each.as_json):
            continue
        if each.place == "header":
            with _told_of(each.argument):
                written = to_json(value).decode() if each.as_json else in_header(value, explode=each.explode)
            if not re.fullmatch(r"[ -~]*", written) or written != written.strip():
                raise InvalidArguments(f"{each.argument} goes into a header: only printable ASCII, on one line")
            headers[each.name] = written
        elif each.place == "cookie":
            shown = to_json(value).decode() if each.as_json else value
            cookies += [f"{name}={part}" for name, part in in_query(each.name, shown, "form", explode=each.explode)]
    return headers | ({"cookie": "; ".join(cookies)} if cookies else {})


def _content(body: Body, arguments: Arguments) -> tuple[str, bytes] | None:
    """Media type and content; None: nothing is given that would be in it."""
    if body.whole:
        return _written(body.media_type, arguments[body.whole]) if body.whole in arguments else None
    fields = {name: arguments[argument] for argument, name in body.fields.items() if argument in arguments}
    if not fields and not body.required:
        return None
    media_type = body.media_type.partition(";")[0].strip().lower()
    writers: Mapping[str, Callable[[Body, dict[str, JsonValue]], tuple[str, bytes]]] = {
        FORM: _form,
        MULTIPART: _multipart,
    }
    writer = writers.get(media_type)
    return writer(body, fields) if writer else (body.media_type, to_json(fields))


def _written(media_type: str, value: JsonValue) -> tuple[str, bytes]:
    is_text = media_type.startswith("text/") and isinstance(value, str)
    if is_text:
        return media_type if "charset" in media_type else f"{media_type}; charset=utf-8", text(value).encode()
    return media_type, to_json(value)


def _form(body: Body, fields: dict[str, JsonValue]) -> tuple[str, bytes]:
    pairs: list[tuple[str, str]] = []
    for name, value in fields.items():
        encoding = body.encodings.get(name, Encoding())
        if isinstance(value, dict) and not encoding.styled:
            pairs.append((quote_plus(name), quote_plus(to_json(value).decode())))
        else:
            with _told_of(name):
                pairs += in_query(name, value, encoding.style, explode=encoding.explode)
    return body.media_type, "&".join(f"{name}={value}" for name, value in pairs).encode()


def _multipart(body: Body, fields: dict[str, JsonValue]) -> tuple[str, bytes]:
    """RFC 7578. The boundary is made of the content, so that the same arguments are the same request."""
    parts = [part for name, value in fields.items() for part in _parts(name, value, body.encodings.get(name))]
    boundary = hashlib.sha256(to_json(fields)).hexdigest()[:32]
    if not parts:
        return f"{MULTIPART}; boundary={boundary}", f"--{boundary}--\r\n".encode()
    request = httpx.Request(
        "POST",
        "http://body.invalid/",
        files=[(name, (None, content, kind)) for name, kind, content in parts],
        headers={"content-type": f"{MULTIPART}; boundary={boundary}"},
    )
    return request.headers["content-type"], request.read()


def _parts(name: str, value: JsonValue, encoding: Encoding | None) -> Iterator[tuple[str, str | None, bytes]]:
    """Name, media type and content. A form cannot say null."""
    if value is None:
        return
    if encoding and encoding.styled:
        with _told_of(name):  # parts are not quoted, so neither is a comma
            pairs = in_query(name, value, encoding.style, explode=encoding.explode, safe=",")
        for field, written in pairs:
            yield unquote(field), encoding.media_type or None, unquote(written).encode()
        return
    if isinstance(value, list):
        for each in value:
            yield from _parts(name, each, encoding)
        return
    kind = (encoding.media_type if encoding else "") or (JSON if isinstance(value, dict) else None)
    yield name, kind, text(value).encode()
