"""Arguments of a tool become an HTTP request."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote_plus, unquote

import httpx
from pydantic import JsonValue
from pydantic_core import to_json

from activities.errors import InvalidArguments
from activities.toolkit.openapi.recipe import FORM, JSON, MULTIPART, Body, Encoding, Operation, Parameter
from activities.toolkit.openapi.styles import RESERVED, in_header, in_path, in_query, text
from workflows.contract.values import Arguments

ACCEPTED = "application/json, text/*;q=0.9, */*;q=0.5"


def request_of(operation: Operation, arguments: Arguments) -> httpx.Request:
    """Build the request of a call.

    Raises:
        InvalidArguments: a value cannot be sent in its place.
    """
    given = [(each, arguments[each.argument]) for each in operation.parameters if each.argument in arguments]
    url = httpx.URL(operation.server.rstrip("/") + _path(operation, given))
    query = [
        pair
        for each, value in given
        if each.place == "query"
        for pair in (
            in_query(
                each.name,
                to_json(value).decode() if each.as_json else value,
                each.style,
                explode=each.explode,
                safe=RESERVED.translate({ord(sign): None for sign in "#&+="}) if each.reserved else "",
            )
        )
    ]
    if query:
        url = url.copy_with(query="&".join(f"{name}={value}" for name, value in query).encode())
    headers = {"accept": ACCEPTED, **_headers(given)}
    content = _content(operation.body, arguments) if operation.body else None
    if content is not None:
        headers["content-type"], body = content
        return httpx.Request(operation.method, url, headers=headers, content=body)
    return httpx.Request(operation.method, url, headers=headers)


def _path(operation: Operation, given: list[tuple[Parameter, JsonValue]]) -> str:
    path = operation.path.partition("#")[0].partition("?")[0]
    for each, value in given:
        if each.place == "path":
            shown = to_json(value).decode() if each.as_json else value
            path = path.replace(
                f"{{{each.name}}}", _segment(each, in_path(each.name, shown, each.style, explode=each.explode))
            )
    # Also behind an encoded slash, which some servers decode before they look for the operation.
    if any(segment in (".", "..") for segment in re.split(r"[/\\]", unquote(path))):
        raise InvalidArguments("a part of the path would be . or .., which means another path")
    return path


def _segment(parameter: Parameter, written: str) -> str:
    if written.strip(".;=") == "":
        raise InvalidArguments(f"{parameter.argument} must not be empty: it is a part of the path")
    return written


def _headers(given: list[tuple[Parameter, JsonValue]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for each, value in given:
        if each.place in ("header", "cookie") and value in ([], {}):
            continue
        if each.place == "header":
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
    """Name, media type and content."""
    if encoding and encoding.styled:
        for field, written in in_query(name, value, encoding.style, explode=encoding.explode):
            yield unquote(field), encoding.media_type or None, unquote(written).encode()
        return
    if isinstance(value, list):
        for each in value:
            yield from _parts(name, each, encoding)
        return
    kind = (encoding.media_type if encoding else "") or (JSON if isinstance(value, dict) else None)
    yield name, kind, text(value).encode()
