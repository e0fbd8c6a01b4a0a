"""An OpenAPI document: its text read, and its references followed (OpenAPI 3.1 section 4.8.23, RFC 6901).

References within the document, and to files in its folder or below. Nothing is fetched.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import unquote, urlsplit

import yaml
from pydantic import JsonValue
from referencing import Registry, Resource, Specification
from referencing.exceptions import Unresolvable

from activities.lenient_json import passable
from activities.toolkit.openapi.recipe import CannotImport

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
IMPORTED = ("get", "put", "post", "delete", "head", "patch")
HALF = re.compile(rb"\\[uU]0*[dD][89a-fA-F]")
"""An escape that may be half of a surrogate pair: what is compiled of a text with one half could not be kept."""
Version = Literal["2.0", "3.0", "3.1"]
MOST_HOPS = 50
"""References that only refer to another."""
MOST_PARTS = 1_000_000
"""Of a document in which aliases stand for parts of it, unless it is that large itself."""
MOST_COPIES = 20
"""How often a part stands in such a document, on the average."""


def as_object(value: object) -> dict[str, Any]:
    """A value that is to be an object; an empty one, where it is none."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


class NoDocument(ValueError):
    """It is no OpenAPI document that can be read. The message says why."""


class _Yaml(yaml.CSafeLoader):
    """As JSON has it: a date is a text, and so is `on`."""


_TRUTH = ("tag:yaml.org,2002:bool", re.compile("^(?:true|True|TRUE|false|False|FALSE)$"))
_Yaml.yaml_implicit_resolvers = {
    first: [
        *(each for each in resolvers if not each[0].endswith((":timestamp", ":bool"))),
        *([_TRUTH] if first in {*"tTfF"} else []),
    ]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class Node:
    """A part of a document, and where references in it are seen from."""

    value: Any
    resolver: Any
    places: tuple[str, ...] = ()
    """The references that were followed to it."""

    @property
    def fields(self) -> dict[str, Any]:
        """What it has, where it is an object."""
        return as_object(self.value)

    def followed(self) -> "Node":
        """What it stands for: itself, unless it is a reference.

        Raises:
            CannotImport: the reference points to nothing, or in a circle.
        """
        node = self
        for _ in range(MOST_HOPS):
            target = node.fields.get("$ref")
            if not isinstance(target, str):
                return node
            node = node.at(target)
        raise CannotImport("a reference refers only to itself")

    def at(self, target: str) -> "Node":
        try:
            found = self.resolver.lookup(target)
        except (Unresolvable, LookupError, TypeError, ValueError, OSError) as error:
            raise CannotImport(f"$ref {target[:100]!r} points to nothing that is read") from error
        return Node(found.contents, found.resolver, (*self.places, target))

    def under(self, value: Any) -> "Node":
        return Node(value, self.resolver, self.places)

    def get(self, name: str) -> "Node | None":
        """What stands under a name, with a reference followed."""
        value = self.fields.get(name)
        return None if value is None else self.under(value).followed()

    def items(self, name: str) -> "Iterator[Node]":
        """The parts of a list, with references followed."""
        for value in as_list(self.fields.get(name)):
            yield self.under(value).followed()

    def text(self, name: str) -> str:
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""


@dataclass(frozen=True)
class Document:
    root: Node
    version: Version
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    """What else was read so far → SHA-256."""

    @property
    def title(self) -> str:
        return self.root.under(self.root.fields.get("info")).text("title")

    def operations(self) -> Iterator[tuple[str, str, Node, Node]]:
        """Method, path, the operation, and the path's own part: in the document's order.

        Raises:
            NoDocument: its paths cannot be read.
        """
        paths = self.root.value.get("paths")
        if paths is not None and not isinstance(paths, dict):
            raise NoDocument("its paths are no object")
        for path, value in cast("dict[str, Any]", paths or {}).items():
            if not str(path).startswith("/"):
                continue
            try:
                item = self.root.under(value).followed()
            except CannotImport:
                item = self.root.under({"get": value})
            for method in METHODS:
                if isinstance(item.fields.get(method), dict):
                    yield method, str(path), item.under(item.fields[method]), item


def read_document(text: bytes, *, folder: Path | None = None) -> Document:
    """Read JSON or YAML.

    Args:
        text: the document.
        folder: where files are to which it refers; None: it refers to none.

    Raises:
        NoDocument: it is neither, or no OpenAPI document of version 2.0, 3.0 or 3.1.
    """
    contents = parse(text)
    version = _version(contents)
    files: dict[str, str] = {}
    registry: Registry[Any] = Registry(retrieve=_Beside(folder, files))
    resource = Resource[Any](contents=contents, specification=Specification.OPAQUE)
    base = folder.resolve().as_uri() + "/" if folder else ""
    resolver = registry.with_resource(base, resource).resolver(base)
    return Document(Node(contents, resolver), version, files)


def parse(text: bytes) -> dict[str, Any]:
    """Read a document from its text, JSON or YAML.

    Raises:
        NoDocument: it is neither JSON nor YAML, or no object.
    """
    try:
        found: object = json.loads(text, parse_constant=lambda _: None, parse_float=_finite)
    except (ValueError, RecursionError):
        try:
            found = _Plain().of(yaml.load(text, Loader=_Yaml))  # noqa: S506  # it is a safe loader's child
        except NoDocument:
            raise
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise NoDocument(f"it is neither JSON nor YAML: {' '.join(str(error).split())[:200]}") from error
    if HALF.search(text):
        found = passable(cast("JsonValue", found))
    if not isinstance(found, dict):
        raise NoDocument("it is no object")
    return cast("dict[str, Any]", found)


class _Plain:
    """What YAML has read, as JSON would have it. What stands in several places by an alias is made once.

    Names of fields are texts, also where YAML takes them for numbers: 200. What is endless or no number is null.
    """

    def __init__(self) -> None:
        self._made: dict[int, tuple[Any, int]] = {}
        """Of an object or list: what it becomes, and how many parts that has with every alias in its place."""

    def of(self, value: Any) -> Any:
        made, parts = self._of(value)
        own = sum(len(each) for each, _ in self._made.values())
        if parts > MOST_PARTS and parts > MOST_COPIES * own:
            raise NoDocument(f"its aliases make {parts:,} parts of {own:,}; write it without so many of them")
        return made

    def _of(self, value: Any) -> tuple[Any, int]:
        if isinstance(value, float):
            return value if math.isfinite(value) else None, 1
        if not isinstance(value, dict | list):
            return value, 1
        held = cast("dict[Any, Any] | list[Any]", value)
        if id(held) not in self._made:
            self._made[id(held)] = self._copied(held)
        return self._made[id(held)]

    def _copied(self, value: dict[Any, Any] | list[Any]) -> tuple[Any, int]:
        every = [self._of(each) for each in (value.values() if isinstance(value, dict) else value)]
        parts = 1 + sum(parts for _, parts in every)
        made = [each for each, _ in every]
        return dict(zip(map(str, value), made, strict=True)) if isinstance(value, dict) else made, parts


def _finite(number: str) -> float | None:
    value = float(number)
    return value if math.isfinite(value) else None


def _version(contents: Mapping[str, Any]) -> Version:
    said = str(contents.get("openapi") or contents.get("swagger") or "")
    for version in ("2.0", "3.0", "3.1"):
        if said == version or said.startswith(f"{version}."):
            return version
    raise NoDocument(f"it is of OpenAPI version {said}, not 2.0, 3.0 or 3.1" if said else "it is no OpenAPI document")


class _Beside:
    """Reads files in a folder or below, and keeps what they were."""

    def __init__(self, folder: Path | None, files: dict[str, str]) -> None:
        self._folder = folder.resolve() if folder else None
        self._files = files

    def __call__(self, uri: str) -> Resource[Any]:
        path = Path(unquote(urlsplit(uri).path)).resolve()
        if self._folder is None or urlsplit(uri).scheme != "file" or not path.is_relative_to(self._folder):
            raise ValueError(uri)
        text = path.read_bytes()
        self._files[str(path)] = hashlib.sha256(text).hexdigest()
        return Resource(contents=parse(text), specification=Specification.OPAQUE)
