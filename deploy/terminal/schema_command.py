"""`client.py schema`: the messages of a request as JSON Schema, for callers in other languages."""

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

app = typer.Typer()

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class MessageName(StrEnum):
    REQUEST = "Request"
    OUTCOME = "Outcome"
    SAY = "Say"
    APPROVE = "Approve"
    REJECT = "Reject"
    STATE = "RequestState"


@app.command("schema")
def schema_command(
    name: Annotated[MessageName | None, typer.Argument(metavar="[NAME]", help="one message's; by default, all")] = None,
) -> None:
    """Print what a request takes and gives, as JSON Schema."""
    typer.echo(json.dumps(published() if name is None else schema_of(name), indent=2, ensure_ascii=False))


def published() -> dict[str, Any]:
    """The schemas of all messages, under `$defs`."""
    shared: dict[str, Any] = {}
    for name in MessageName:
        own = schema_of(name)
        shared |= own.pop("$defs", {})
        shared[name.value] = {keyword: value for keyword, value in own.items() if keyword != "$schema"}
    return {"$schema": DIALECT, "$defs": shared}


def schema_of(name: MessageName) -> dict[str, Any]:
    from pydantic import BaseModel
    from pydantic.json_schema import GenerateJsonSchema

    from workflows.contract import api

    class Untitled(GenerateJsonSchema):
        """Without titles of fields: code that is made of them would have a type for each."""

        def field_title_should_be_set(self, schema: Any) -> bool:
            return False

    message: type[BaseModel] = getattr(api, name)
    document = message.model_json_schema(mode="serialization", schema_generator=Untitled)
    return {"$schema": DIALECT, **document}
