"""The OpenAPI document, with the messages that no operation names by itself: problems, and events."""

from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from deploy.client.events import Event
from deploy.web.problems import ProblemDetails
from workflows.contract.api import RequestState

REF = "#/components/schemas/{model}"


def completed(app: FastAPI) -> None:
    """Let the application's document be whole."""
    usual = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = usual()
            kinds = [(kind, "serialization") for kind in (ProblemDetails, Event, RequestState)]
            _, more = models_json_schema(kinds, ref_template=REF)  # pyright: ignore[reportArgumentType]  # a literal
            schemas = document["components"]["schemas"]
            schemas |= {name: schema for name, schema in more["$defs"].items() if name not in schemas}
            document["components"]["securitySchemes"] = {
                "bearer": {"type": "http", "scheme": "bearer", "description": "a key, or a token of the OIDC issuer"}
            }
            for path, operations in document["paths"].items():
                if path.startswith("/v1/"):
                    for operation in operations.values():
                        operation["security"] = [{"bearer": []}, {}]
        return app.openapi_schema or {}

    app.openapi = openapi
