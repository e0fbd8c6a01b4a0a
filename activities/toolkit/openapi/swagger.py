"""Operations of OpenAPI 2.0 ("Swagger"), in the words of 3.0."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from activities.toolkit.openapi.document import Node, as_list
from activities.toolkit.openapi.recipe import FORM, JSON, MULTIPART

Part = dict[str, Any]

FORMATS: Mapping[str, tuple[str, bool]] = {
    "csv": ("form", False),
    "ssv": ("spaceDelimited", False),
    "tsv": ("tabDelimited", False),
    "pipes": ("pipeDelimited", False),
    "multi": ("form", True),
}
OF_A_PARAMETER = ("name", "in", "description", "required", "collectionFormat", "allowEmptyValue")


def parameter(node: Node) -> Node:
    """A parameter that is no part of the body."""
    old = cast("Part", node.value)
    return node.under({**_kept(old), **_style(old), "schema": _schema(old)})


def body(parameters: Iterable[Node], operation: Node, root: Node) -> Node | None:
    """The parameters that are the body, if there are any, as a request body."""
    every = [*parameters]
    types = _types(operation, root)
    for each in every:
        if each.value.get("in") == "body":
            media = [kind for kind in types if kind not in (FORM, MULTIPART)] or [JSON]
            content = {kind: {"schema": each.value.get("schema", {})} for kind in media}
            return each.under({"required": each.value.get("required", False), "content": content})
    fields = [each for each in every if each.value.get("in") == "formData"]
    if not fields:
        return None
    has_file = any(each.value.get("type") == "file" for each in fields)
    media_type = MULTIPART if has_file or (MULTIPART in types and FORM not in types) else FORM
    names = [str(each.value.get("name")) for each in fields]
    required = [name for name, each in zip(names, fields, strict=True) if each.value.get("required") is True]
    schema = {
        "type": "object",
        "properties": {name: _schema(each.value) for name, each in zip(names, fields, strict=True)},
        **({"required": required} if required else {}),
    }
    lists = [(name, each.value) for name, each in zip(names, fields, strict=True) if each.value.get("type") == "array"]
    encoding = {name: _style(each) for name, each in lists}
    return operation.under(
        {"required": bool(required), "content": {media_type: {"schema": schema, "encoding": encoding}}}
    )


def server(root: Node, source: str) -> str:
    """The URL of the server, or of what there is of it."""
    value = cast("Part", root.value)
    schemes = [each for each in value.get("schemes", ()) if each in ("https", "http")]
    scheme = "https" if "https" in schemes or not schemes else "http"
    host = value.get("host") or source
    base = str(value.get("basePath") or "/")
    return f"{scheme}://{host}{base}" if host else base


def _types(operation: Node, root: Node) -> list[str]:
    own = operation.value.get("consumes", root.value.get("consumes"))
    return [str(each) for each in as_list(own)]


def _kept(old: Part) -> Part:
    return {name: old[name] for name in ("name", "in", "description", "required") if name in old}


def _schema(old: Part) -> Part:
    return {name: each for name, each in old.items() if name not in OF_A_PARAMETER} | (
        {"description": old["description"]} if "description" in old else {}
    )


def _style(old: Part) -> Part:
    if old.get("type") != "array":
        return {}
    style, explode = FORMATS.get(str(old.get("collectionFormat", "csv")), ("form", False))
    if old.get("in") in ("path", "header"):
        return {"style": "simple", "explode": False}
    return {"style": style, "explode": explode}
