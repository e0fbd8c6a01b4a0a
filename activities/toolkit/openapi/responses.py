"""What a document says of an operation's answers."""

import re
from collections.abc import Iterator

from activities.toolkit.openapi.choosing import Found
from activities.toolkit.openapi.document import Document, Node, as_list, as_object
from activities.toolkit.openapi.recipe import CannotImport


def only_json(document: Document, found: Found) -> bool:
    """Whether the document says in which form an operation answers that all is well, and that is always JSON."""
    try:
        kinds = [*_kinds(document, found.node)]
    except CannotImport:  # what it says of its answers is no reason to leave it out
        return False
    return bool(kinds) and all(re.search(r"[/+]json$", kind.partition(";")[0].strip().lower()) for kind in kinds)


def _kinds(document: Document, operation: Node) -> Iterator[str]:
    """The media types of its answers with a status 2xx."""
    for status, value in as_object(operation.fields.get("responses")).items():
        if not re.fullmatch("2..", status):
            continue
        response = operation.under(value).followed()
        if document.version != "2.0":
            yield from as_object(response.fields.get("content"))
        elif "schema" in response.fields:
            yield from map(str, as_list(operation.fields.get("produces", document.root.fields.get("produces"))))
