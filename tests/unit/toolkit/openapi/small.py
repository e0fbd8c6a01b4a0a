"""Small documents for tests."""

import json
from typing import Any

from activities.toolkit.openapi.document import read_document
from activities.toolkit.openapi.importing import compile_document
from activities.toolkit.openapi.recipe import Compiled, Operation
from activities.toolkit.openapi.settings import OpenApiSettings

Part = dict[str, Any]

SERVER = "https://crm.example.com/v2"


def document(
    operation: Part, *, method: str = "post", path: str = "/things", version: str = "3.0.3", **more: Any
) -> Part:
    """A document of one operation."""
    return {
        "openapi": version,
        "info": {"title": "CRM", "version": "1"},
        "servers": [{"url": SERVER}],
        "paths": {path: {method: {"operationId": "act", "responses": {}, **operation}}},
        **more,
    }


def swagger(operation: Part, *, method: str = "post", path: str = "/things", **more: Any) -> Part:
    """The same in version 2.0."""
    return {
        "swagger": "2.0",
        "info": {"title": "CRM", "version": "1"},
        "host": "crm.example.com",
        "basePath": "/v2",
        "schemes": ["https"],
        "paths": {path: {method: {"operationId": "act", "responses": {}, **operation}}},
        **more,
    }


def compiled(contents: Part, **settings: Any) -> Compiled:
    return compile_document(
        "crm", OpenApiSettings(document="crm.json", **settings), read_document(json.dumps(contents).encode())
    )


def only(contents: Part, **settings: Any) -> Operation:
    """The one operation of a document."""
    [operation] = compiled(contents, **settings).operations
    return operation


def with_body(schema: Part, media_type: str = "application/json", *, required: bool = True, **media: Any) -> Part:
    return {"requestBody": {"required": required, "content": {media_type: {"schema": schema, **media}}}}


def body_schema(schema: Part, *, version: str = "3.0.3", **schemas: Part) -> Part:
    """What becomes of the schema of a field of a body."""
    held = with_body({"type": "object", "required": ["it"], "properties": {"it": schema}})
    arguments = only(document(held, version=version, components={"schemas": schemas})).arguments
    properties: Part = arguments["properties"]  # pyright: ignore[reportAssignmentType]  # of every tool an object
    return properties["it"]
