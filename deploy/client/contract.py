"""The messages of a request as JSON Schema 2020-12, for callers in other languages."""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class MessageName(StrEnum):
    """Every message that has a schema of its own."""

    REQUEST = "Request"
    OUTCOME = "Outcome"
    PLAN = "Plan"
    RECEIPT = "Receipt"
    STATE = "RequestState"
    PENDING_APPROVAL = "PendingApproval"
    PENDING_QUESTION = "PendingQuestion"
    SAY = "Say"
    APPROVE = "Approve"
    REJECT = "Reject"
    REFUSAL = "Refusal"


def published() -> dict[str, Any]:
    """The schemas of all messages in one document, under `$defs`."""
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


def as_text(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False)
