"""An operation of a document, compiled: one schema of arguments, and how arguments become a request."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import unquote_plus

from activities.toolkit.function_names import LONGEST_NAME, legal_property
from activities.toolkit.openapi import swagger
from activities.toolkit.openapi.bodies import chosen_media, encodings_of, fields_of, is_plain, is_sent_as_json
from activities.toolkit.openapi.choosing import Found
from activities.toolkit.openapi.descriptions import shortened
from activities.toolkit.openapi.document import IMPORTED, Document, Node, as_list, as_object
from activities.toolkit.openapi.recipe import Body, CannotImport, Operation, Parameter, Place, Style
from activities.toolkit.openapi.responses import only_json
from activities.toolkit.openapi.schemas import Schema, SchemaReader, TooLarge

LONGEST_DESCRIPTION = 700
OF_THE_CONNECTION = frozenset(
    {
        *("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"),
        *("proxy-authenticate", "proxy-authorization", "http2-settings"),
        *("accept-encoding", "content-encoding", "content-length", "expect", "host"),
    }
)
"""Headers that say how a message is sent, and not what it says: those of RFC 9110 section 7.6.1, and those that have to
fit what httpx sends and reads. With another value, a server may see another request, or two."""
BY_THE_SENDER = OF_THE_CONNECTION | {"accept", "content-type", "authorization", "cookie"}
"""Headers that no argument fills."""
PLACES: tuple[Place, ...] = ("path", "query", "header", "cookie")
STYLES: Mapping[Place, tuple[str, ...]] = {
    "path": ("simple", "label", "matrix"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "tabDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form",),
}


@dataclass
class Arguments:
    """The arguments of one operation, so far."""

    properties: Schema = field(default_factory=dict[str, Any])
    required: list[str] = field(default_factory=list[str])

    def add(self, name: str, place: str, schema: Schema, *, required: bool) -> str:
        """Add an argument; returns its name: its own where that is legal and free, else with its place."""
        legal = legal_property(name)
        taken = self.properties
        choices = (legal, f"{legal}_{place}", *(f"{legal}_{place}_{number}" for number in range(2, len(taken) + 3)))
        free = next(each for each in choices if each not in taken)[:LONGEST_NAME]
        self.properties[free] = schema
        if required:
            self.required.append(free)
        return free


def compile_operation(
    document: Document, found: Found, *, server: str, filled: frozenset[tuple[str, str]]
) -> Operation:
    """Compile an operation into a schema of arguments and a recipe for its request.

    Args:
        document: where it stands.
        found: the operation.
        server: the URL that requests go to.
        filled: parameters that nobody gives, since the sender does: ("header", "x-api-key").

    Raises:
        CannotImport: and why.
    """
    try:
        return _Compiling(document, found, server, filled, nested=2).operation()
    except TooLarge:
        return _Compiling(document, found, server, filled, nested=1).operation()


class _Compiling:
    def __init__(
        self, document: Document, found: Found, server: str, filled: frozenset[tuple[str, str]], *, nested: int
    ) -> None:
        self._document = document
        self._found = found
        self._server = server
        self._filled = filled | _in_the_path(found.path)
        self._schemas = SchemaReader(document.version, nested=nested)
        self._arguments = Arguments()
        self._notes: dict[str, None] = {}

    def operation(self) -> Operation:
        found = self._found
        if found.method.lower() not in IMPORTED:
            raise CannotImport(f"{found.method} is no method of a tool")
        outside = [*self._parameters()]
        parameters = tuple(each for node in self._in_order(outside) if (each := self._parameter(node)))
        self._check_path(parameters)
        body = self._body(outside)
        schema: Schema = {"type": "object", "properties": self._arguments.properties}
        if self._arguments.required:
            schema["required"] = self._arguments.required
        return Operation(
            id=found.id,
            tool=found.tool,
            method=found.method,
            server=self._server,
            path=found.path,
            description=self._description(),
            arguments=schema,
            parameters=parameters,
            body=body,
            only_json=only_json(self._document, found),
            notes=(*self._notes, *self._schemas.notes),
        )

    def _description(self) -> str:
        node = self._found.node
        parts = dict.fromkeys(part.strip() for part in (node.text("summary"), node.text("description")))
        texts = [part if part.endswith((".", "!", "?")) else f"{part}." for part in parts if part]
        return shortened(" ".join(texts) or f"{self._found.route}.", LONGEST_DESCRIPTION)

    def _parameters(self) -> Iterator[Node]:
        """Those of the operation, and those of its path that it does not give anew."""
        seen: set[tuple[str, str]] = set()
        for of in (self._found.node, self._found.item):
            for node in of.items("parameters"):
                if not isinstance(node.value, dict):
                    raise CannotImport("a parameter is no object")
                key = (node.text("in"), node.text("name"))
                if key not in seen:
                    seen.add(key)
                    yield node

    def _in_order(self, nodes: Sequence[Node]) -> Sequence[Node]:
        """The path's own names stay as they are, whatever else has them."""
        return [node for place in PLACES for node in nodes if node.text("in") == place]

    def _parameter(self, node: Node) -> Parameter | None:
        name, place = node.text("name"), cast("Place", node.text("in"))
        if self._is_filled(name, place):
            return None
        if self._document.version == "2.0":
            node = swagger.parameter(node)
        media = as_object(node.fields.get("content"))
        described, required = self._schema_of(node), place == "path" or node.fields.get("required") is True
        if not required and node.fields.get("deprecated") is True:
            self._notes[f"the deprecated parameter {name} is left out"] = None
            return None
        argument = self._arguments.add(name, place, sendable(described, place, required=required), required=required)
        style = ("" if media else node.text("style")) or ("simple" if place in ("path", "header") else "form")
        if style not in STYLES[place]:
            raise CannotImport(f"parameter {name}: {place} has no style {style}")
        explode = node.fields.get("explode")
        return Parameter(
            argument=argument,
            name=name,
            place=place,
            style=cast("Style", style),
            explode=explode if isinstance(explode, bool) else style == "form",
            reserved=node.fields.get("allowReserved") is True,
            as_json=is_sent_as_json(next(iter(media))) if media else False,
        )

    def _is_filled(self, name: str, place: Place) -> bool:
        """Whether it is no argument."""
        header = name.lower() if place == "header" else ""
        if (place, header or name) in self._filled:
            return True
        if header in OF_THE_CONNECTION:
            self._notes[f"the header {name} is left to the connection"] = None
        return header in BY_THE_SENDER

    def _schema_of(self, node: Node) -> Schema:
        media = as_object(node.fields.get("content"))
        part = node.under(next(iter(media.values()))) if media else node
        schema = self._schemas.read(part.under(part.fields.get("schema", {})))
        text = node.fields.get("description")
        if isinstance(text, str) and text.strip():
            return {**schema, "description": shortened(text, 300)}
        return schema

    def _check_path(self, parameters: Sequence[Parameter]) -> None:
        path = self._found.path
        for each in (each for each in parameters if each.place == "path"):
            path = path.replace(f"{{{each.name}}}", "")
        if "{" in path:
            raise CannotImport(f"its path has {path[path.index('{') :][:40]}, and no parameter fills it")

    def _body(self, outside: Sequence[Node]) -> Body | None:
        if self._document.version == "2.0":
            node = swagger.body(outside, self._found.node, self._document.root)
        else:
            node = self._found.node.get("requestBody")
        if node is None or not node.fields or self._found.method in ("GET", "HEAD"):
            return None
        required = node.fields.get("required") is True
        media_type, media = chosen_media(node)
        return self._body_of(media_type, media, required=required)

    def _body_of(self, media_type: str, media: Node, *, required: bool) -> Body:
        schema = self._schemas.read(media.under(media.fields.get("schema", {})))
        fields = fields_of(media_type, schema, self._notes)
        if fields is None and not is_plain(schema, required=required):
            described = {"description": "The body of the request."} | schema
            whole = self._arguments.add("body", "body", described, required=required)
            return Body(media_type=media_type, whole=whole, required=required)
        needed: list[str] = schema.get("required", [])
        required = required or bool(needed)  # of a form: a body that may be missing leaves no fields to require
        # Some documents require a field that they do not describe.
        unnamed: Schema = {name: {} for name in needed}
        properties = unnamed | (as_object(schema.get("properties")) if fields is None else fields)
        encodings = encodings_of(media_type, media, properties)
        names = {
            self._arguments.add(name, "body", part, required=name in needed): name for name, part in properties.items()
        }
        return Body(media_type=media_type, fields=names, encodings=encodings, required=required)


def _in_the_path(path: str) -> frozenset[tuple[str, str]]:
    """What the path's own query fills: with another value, it would be another operation."""
    query = path.partition("#")[0].partition("?")[2]
    return frozenset(("query", unquote_plus(pair.partition("=")[0])) for pair in query.split("&") if "{" not in pair)


def sendable(schema: Schema, place: Place, *, required: bool, may_be_empty: bool = False) -> Schema:
    """A parameter's schema without values that cannot be sent: nothing in a path or query, and lists of nothing."""
    made = {**schema}
    for name in ("anyOf", "oneOf"):
        if name in made:
            made[name] = [sendable(part, place, required=required, may_be_empty=may_be_empty) for part in made[name]]
    kind = made.get("type")
    kinds = {str(each) for each in as_list(kind) or [kind]}
    if "string" in kinds and "enum" not in made and (place == "path" or (place == "query" and not may_be_empty)):
        made["minLength"] = max(made.get("minLength", 1), 1)
    if required and "array" in kinds:
        made["minItems"] = max(made.get("minItems", 1), 1)
    if required and "object" in kinds:
        made["minProperties"] = max(made.get("minProperties", 1), 1)
    return made
