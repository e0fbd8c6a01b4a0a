"""The branches of `oneOf` and `anyOf`, and what tells them apart."""

from typing import Any, cast

from activities.schema.additional_properties import SAYS, parts
from activities.toolkit.openapi.document import as_object

Schema = dict[str, Any]


def told_apart(value: Schema, part: Any, read: Schema) -> Schema:
    """A branch, held to the name by which the discriminator knows it (OpenAPI 3.1 section 4.8.25)."""
    discriminator = as_object(value.get("discriminator"))
    target = as_object(part).get("$ref")
    if not discriminator or not isinstance(target, str) or not isinstance(read.get("properties"), dict):
        return read
    field = str(discriminator.get("propertyName"))
    short = target.rpartition("/")[2]
    mapping = as_object(discriminator.get("mapping"))
    names = [name for name, to in mapping.items() if to in (target, short)] or [short]
    own = read["properties"].get(field, {"type": "string"})
    if "const" in own or "enum" in own:
        return read
    fields = {**read["properties"], field: {**own, "enum": names}}
    return {**read, "properties": fields, "required": list(dict.fromkeys([*read.get("required", ()), field]))}


def is_told_apart(value: Schema) -> bool:
    return bool(as_object(value.get("discriminator")))


def opened(schema: Schema) -> Schema:
    """A schema whose objects take fields that it does not name, as JSON Schema has it."""
    new = {**schema}
    for keyword, part, at in parts(schema):
        done = opened(cast("Schema", part)) if isinstance(part, dict) else part
        if at is None:
            new[keyword] = done
        else:
            new[keyword] = new[keyword].copy() if new[keyword] is schema[keyword] else new[keyword]
            new[keyword][at] = done
    if "properties" in new and not any(name in new for name in SAYS):
        new["additionalProperties"] = True
    return new
