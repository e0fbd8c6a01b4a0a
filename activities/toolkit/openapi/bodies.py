"""Bodies of requests: which media type is used, and which fields become arguments."""

import re
from collections.abc import Iterable
from typing import cast

from activities.toolkit.openapi.document import Node, as_object
from activities.toolkit.openapi.recipe import FORM, JSON, MULTIPART, CannotImport, Encoding
from activities.toolkit.openapi.schemas import PLAIN, Schema

FORMS = (FORM, MULTIPART)


def chosen_media(body: Node) -> tuple[str, Node]:
    """The media type that requests are sent in, and what the document says of it: JSON, else a form, else text.

    Raises:
        CannotImport: none of its media types can be written here.
    """
    found = as_object(body.fields.get("content"))
    written = {_bare(media_type): (media_type, media) for media_type, media in found.items()}
    for fits in (_is_json, _is_any, FORMS.__contains__, _is_text):
        for bare, (media_type, media) in written.items():
            if fits(bare) and isinstance(media, dict):
                return JSON if "*" in bare else media_type, body.under(media)
    raise CannotImport(f"its body is {', '.join(found) or 'of no media type'}, which is not written here")


def is_sent_as_json(media_type: str) -> bool:
    """Whether a parameter that has a media type is JSON; else it is text.

    Raises:
        CannotImport: it is neither.
    """
    bare = _bare(media_type)
    if not (_is_json(bare) or _is_any(bare) or _is_text(bare)):
        raise CannotImport(f"a parameter is {media_type[:100]}, which is not written here")
    return not _is_text(bare)


def fields_of(media_type: str, schema: Schema, notes: dict[str, None]) -> Schema | None:
    """The fields of a form: those that are no files. None: it is no form.

    Raises:
        CannotImport: a field is needed that is a file, or there are no fields.
    """
    if _bare(media_type) not in FORMS:
        if _is_file(schema):
            raise CannotImport("its body is a file")
        return None
    fields = cast("Schema", schema.get("properties") or {})
    files = [name for name, part in fields.items() if _is_file(part)]
    if needed := [name for name in files if name in schema.get("required", ())]:
        raise CannotImport(f"it needs a file: {', '.join(needed)}")
    for name in files:
        notes[f"the file {name} is left out"] = None
    kept = {name: part for name, part in fields.items() if name not in files}
    if not kept:
        raise CannotImport(
            "its body is a form that has nothing but files" if files else "its body is a form without fields"
        )
    return kept


def is_plain(schema: Schema, *, required: bool) -> bool:
    """Whether a body's fields can be arguments of their own: it says nothing of them together."""
    if schema.get("type", "object") != "object" or not schema.get("properties"):
        return False
    closed = schema.get("additionalProperties") in (None, False)
    return closed and schema.keys() <= {*PLAIN, "additionalProperties"} and (required or not schema.get("required"))


def encodings_of(media_type: str, media: Node, fields: Iterable[str]) -> dict[str, Encoding]:
    """How the fields of a form are written, where the document says so."""
    found = as_object(media.fields.get("encoding")) if _bare(media_type) in FORMS else {}
    made: dict[str, Encoding] = {}
    for name in fields:
        if not (each := as_object(found.get(name))):
            continue
        style = each.get("style", "form")
        if style not in ("form", "spaceDelimited", "pipeDelimited", "tabDelimited", "deepObject"):
            raise CannotImport(f"field {name} has no style {style}")
        made[name] = Encoding(
            style=style,
            explode=each.get("explode", style == "form") is True,
            styled="style" in each or "explode" in each,
            media_type=str(each.get("contentType", "")).partition(",")[0].strip(),
        )
    return made


def _bare(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


def _is_json(name: str) -> bool:
    return bool(re.fullmatch(r"application/json|[\w.+-]+/[\w.+-]+\+json", name))


def _is_any(name: str) -> bool:
    return name in ("*/*", "application/*")


def _is_text(name: str) -> bool:
    return name.startswith("text/")


def _is_file(schema: object) -> bool:
    """Also a list of files."""
    if not isinstance(schema, dict):
        return False
    part = cast("Schema", schema)
    if "items" in part and part.get("type") == "array":
        return _is_file(part["items"])
    packed = "contentEncoding" in part
    return part.get("format") == "binary" or (part.get("contentMediaType") == "application/octet-stream" and not packed)
