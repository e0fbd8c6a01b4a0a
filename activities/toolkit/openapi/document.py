"""An OpenAPI document: its text read, and its references followed (OpenAPI 3.1 section 4.8.23, RFC 6901).

References within the document, and to files in its folder or below. Nothing is fetched.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import unquote, urlsplit

import yaml
from referencing import Registry, Resource, Specification
from referencing.exceptions import Unresolvable

from activities.toolkit.openapi.recipe import CannotImport

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
IMPORTED = ("get", "put", "post", "delete", "head", "patch")
Version = Literal["2.0", "3.0", "3.1"]
MOST_HOPS = 50
"""References that only refer to another."""


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
        except (Unresolvable, ValueError, OSError) as error:
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
        info = self.root.get("info")
        return info.text("title") if info else ""

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
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        try:
            found = _with_names(yaml.load(text, Loader=_Yaml))  # noqa: S506  # it is a safe loader's child
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise NoDocument(f"it is neither JSON nor YAML: {' '.join(str(error).split())[:200]}") from error
    if not isinstance(found, dict):
        raise NoDocument("it is no object")
    return cast("dict[str, Any]", found)


def _with_names(value: Any) -> Any:
    """Names of fields are texts, also where YAML takes them for numbers: 200."""
    match value:
        case dict():
            return {str(name): _with_names(each) for name, each in cast("dict[Any, Any]", value).items()}
        case list():
            return [_with_names(each) for each in cast("list[Any]", value)]
        case _:
            return value


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
