"""An independent opinion: requests made of generated arguments, held to the document by openapi-core."""

import copy
import json
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import unquote

import httpx
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict

from activities.errors import InvalidArguments
from activities.toolkit.openapi.compiling import BY_THE_SENDER
from activities.toolkit.openapi.document import Document, as_list, as_object
from activities.toolkit.openapi.recipe import Operation
from activities.toolkit.openapi.requests import request_of
from activities.toolkit.openapi.schemas import LOST_PATTERN
from activities.toolkit.tool import Tool
from tests.openapi.generated import EVERYTHING, IN_A_PATH, LETTERS, Generator
from workflows.contract.values import Arguments

SERVER = "https://far.example.com"
EACH = 5
"""Requests of one operation."""


UNABLE = {
    "could not be resolved": "it does not find schemas that a discriminator names without a path",
    "Tried to write read-only property": "it takes a readOnly schema of a parameter for one of a body",
    "Unknown JSON Schema dialect": "it does not know the dialect of JSON Schema",
    "is not a 'time'": "it knows no time with a zone",
}
"""What it says → why that is no opinion."""


@dataclass(frozen=True)
class Invalid:
    """A request that does not fit the document."""

    operation: str
    request: str
    why: str


@dataclass
class Checked:
    requests: int = 0
    without: dict[str, str] = field(default_factory=dict[str, str])
    """Operation for which no arguments could be generated → why."""
    invalid: tuple[Invalid, ...] = ()
    not_judged: Counter[str] = field(default_factory=Counter[str])
    """Requests that openapi-core has no opinion on → why."""


class Independent:
    """The document as openapi-core reads it, without what is not asked about here: who asks, and which server."""

    def __init__(self, document: Document) -> None:
        contents = cast("dict[str, Any]", copy.deepcopy(document.root.value))
        for part in (contents, *_items_and_operations(contents)):
            part.pop("servers", None)
            part.pop("security", None)
            if "parameters" in part:  # what the specification says of some headers shall be ignored
                part["parameters"] = [each for each in as_list(part["parameters"]) if not _is_by_the_sender(each)]
            for parameter in as_list(part.get("parameters")):
                as_object(as_object(parameter).get("schema")).pop("default", None)  # some do not fit
        contents["servers"] = [{"url": SERVER}]
        contents["paths"] = {
            path.partition("#")[0] if _is_only(path, contents) else path: item
            for path, item in contents["paths"].items()
        }
        self._api = OpenAPI.from_dict(contents, config=Config(spec_validator_cls=cast(Any, None)))

    def why_not(self, request: httpx.Request) -> str:
        """Nothing, where the request fits the document."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._api.validate_request(_Asked(request))
        except OpenAPIError as error:
            cause = error.__cause__ or error
            details = [str(each.message) for each in getattr(cause, "schema_errors", ())]
            return f"{type(error).__name__}: {str(cause)[:200]} {'; '.join(details)[:300]}"
        except ValueError as error:
            return str(error)
        return ""


class _Asked:
    """A request, as openapi-core wants it."""

    def __init__(self, request: httpx.Request) -> None:
        self.host_url = f"{request.url.scheme}://{request.url.host}"
        # It takes parts of a path as they are written, so all is read but what would make other parts of them.
        raw = request.url.raw_path.decode().partition("?")[0]
        self.path = "/".join(part if "%2F" in part else unquote(part) for part in raw.split("/"))
        self.method = request.method.lower()
        self.content_type = request.headers.get("content-type", "")
        self.body = request.read() or None
        cookies = [each.partition("=")[::2] for each in request.headers.get("cookie", "").split("; ") if each]
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(request.url.params.multi_items()),
            header=Headers([*request.headers.items()]),
            cookie=ImmutableMultiDict([(name, unquote(value)) for name, value in cookies]),
        )


def why_not_judged(operation: Operation) -> str:
    """What openapi-core 0.23 cannot read, or the specification leaves undefined. Tests of their own hold these."""
    named = as_object(operation.arguments.get("properties"))
    for each in operation.parameters:
        schema = as_object(named[each.argument])
        if each.place == "path" and each.style in ("label", "matrix"):
            return "it reads label and matrix only where the path's own template says so"
        if "object" in _kinds(as_object(schema.get("items"))) and not each.as_json:
            return "no style is defined for lists of objects"
    if "#" in operation.path:
        return "it cannot tell paths apart that differ behind a #"
    body = operation.body
    if body and body.media_type.startswith("multipart/"):
        kinds = {kind for argument in body.fields for kind in _kinds(as_object(named[argument]))}
        if body.encodings or kinds - {"string"}:
            return "of multipart bodies it reads only texts without a style"
    if LOST_PATTERN in operation.notes:
        return "one of its patterns is not checked here, as it may take for ever"
    return ""


def check(independent: Independent, operation: Operation, tool: Tool, checked: Checked) -> None:
    """Make requests of one operation, and hold each to the document."""
    for arguments in _generated(operation, tool, checked):
        request = request_of(operation, arguments)
        checked.requests += 1
        why = independent.why_not(request)
        if unable := [reason for said, reason in UNABLE.items() if said in why]:
            checked.not_judged[unable[0]] += 1
        elif why:
            said = f"{request.method} {request.url} {json.dumps(arguments, ensure_ascii=False)}"
            checked.invalid = (*checked.invalid, Invalid(operation.id, said[:600], why))


def _arguments(operation: Operation, tool: Tool) -> SearchStrategy[Arguments]:
    """A list or object in a style holds no text that has the style's own signs: nobody could read it."""
    schema = tool.schema()
    named = as_object(schema.get("properties"))
    with_style = {each.argument for each in operation.parameters if not each.as_json}
    if body := operation.body:
        with_style |= {argument for argument, field in body.fields.items() if field in body.encodings}
    styled = {name for name in with_style if {"array", "object"} & _kinds(named[name])}
    in_path = {each.argument for each in operation.parameters if each.place == "path"}
    texts = {name: LETTERS if name in styled else IN_A_PATH if name in in_path else EVERYTHING for name in named}
    fields = {name: Generator(texts[name]).fitting(part) for name, part in named.items()}
    needed = as_list(schema.get("required"))
    return st.fixed_dictionaries(
        {name: part for name, part in fields.items() if name in needed},
        optional={name: part for name, part in fields.items() if name not in needed},
    )


def _kinds(schema: dict[str, Any]) -> set[str]:
    """The types that a value may have, also by one of several schemas."""
    branches = [*as_list(schema.get("anyOf")), *as_list(schema.get("oneOf"))]
    own = {str(kind) for kind in (as_list(schema.get("type")) or [schema.get("type")])}
    return own.union(*map(_kinds, branches))


def _generated(operation: Operation, tool: Tool, checked: Checked) -> list[Arguments]:
    found: list[Arguments] = []

    @seed(1)
    @settings(
        max_examples=EACH,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[
            HealthCheck.filter_too_much,
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.large_base_example,
        ],
    )
    @given(_arguments(operation, tool))
    def generate(arguments: object) -> None:
        given = cast("Arguments", arguments)
        try:
            tool.validate(given)
            request_of(operation, given)
        except InvalidArguments:
            assume(False)
        found.append(given)

    try:
        generate()
    except Unsatisfiable:
        if not found:
            checked.without[operation.id] = "nothing that was tried fits its schema"
    return found


def _is_by_the_sender(parameter: object) -> bool:
    found = as_object(parameter)
    return found.get("in") == "header" and str(found.get("name")).lower() in BY_THE_SENDER


def _items_and_operations(contents: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in as_object(contents.get("paths")).values():
        yield as_object(item)
        yield from (as_object(each) for each in as_object(item).values())


def _is_only(path: str, contents: dict[str, Any]) -> bool:
    return sum(each.partition("#")[0] == path.partition("#")[0] for each in contents["paths"]) == 1
