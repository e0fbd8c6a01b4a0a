"""What an operation becomes: a schema of arguments, and how arguments become a request. No more of it is kept."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

Place = Literal["path", "query", "header", "cookie"]
Style = Literal["simple", "label", "matrix", "form", "spaceDelimited", "pipeDelimited", "tabDelimited", "deepObject"]

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


class CannotImport(Exception):
    """An operation cannot become a tool; the message says why, without naming it."""


class Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Parameter(Kept):
    """A value outside the body (OpenAPI 3.1 section 4.8.12)."""

    argument: str
    """What the tool calls it."""
    name: str
    place: Place
    style: Style
    explode: bool
    reserved: bool = False
    """Characters that have a meaning in a URL stay as they are."""
    as_json: bool = False
    """The document gives it a media type of JSON instead of a style."""


class Encoding(Kept):
    """Of one field of a form (OpenAPI 3.1 section 4.8.15)."""

    style: Style = "form"
    explode: bool = True
    styled: bool = False
    """The document says so; else lists repeat the field, and objects are JSON."""
    media_type: str = ""


class Body(Kept):
    media_type: str
    whole: str = ""
    """The one argument that is the body; else the fields are arguments of their own."""
    fields: Mapping[str, str] = {}
    """Argument → field."""
    encodings: Mapping[str, Encoding] = {}
    required: bool = False


class Operation(Kept):
    id: str
    """As the document calls it, or else method and path."""
    tool: str
    method: str
    server: str
    path: str
    description: str
    arguments: Mapping[str, JsonValue]
    """The JSON Schema."""
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    only_json: bool = False
    """Every answer that says that all is well is JSON, as the document has it."""
    notes: tuple[str, ...] = ()
    """What of the document is not in the schema, and why."""

    @property
    def reads(self) -> bool:
        return self.method in ("GET", "HEAD")


class Compiled(Kept):
    """What is offered of a document."""

    title: str = ""
    operations: tuple[Operation, ...]
    left_out: Mapping[str, str]
    """Operation → why."""
    looks: Mapping[str, Operation] = {}
    """Of an operation, as the table of the source names it → the read that shows whether it happened."""
    not_offered: int = 0
    files: Mapping[str, str] = {}
    """What else was read → SHA-256."""
