"""The operations of a document: what they are called, and which are offered."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from activities.toolkit.openapi.document import Document, Node
from activities.toolkit.patterns import chosen
from activities.toolkit.schema_tools import legal_names


@dataclass(frozen=True)
class Found:
    """An operation, before it is compiled."""

    id: str
    """The document's, or where that is missing or given twice, method and path."""
    tool: str
    method: str
    path: str
    node: Node
    item: Node

    @property
    def route(self) -> str:
        return f"{self.method} {self.path}"

    def fits(self, pattern: str) -> bool:
        return fnmatchcase(self.id, pattern) or fnmatchcase(self.route, pattern)


def operations_in(document: Document, source: str) -> Sequence[Found]:
    """All of them, each with the name of its tool, which does not depend on what is offered.

    Raises:
        NoDocument: its paths cannot be read.
    """
    every = [*document.operations()]
    times = Counter(node.text("operationId") for _, _, node, _ in every)
    ids: list[str] = []
    for method, path, node, _ in every:
        own = node.text("operationId")
        ids.append(own if own and times[own] == 1 else f"{method.upper()} {path}")
    wanted = {id: _wanted(source, id) for id in ids}
    names = legal_names(wanted.values())
    return [
        Found(id, names[wanted[id]], method.upper(), path, node, item)
        for id, (method, path, node, item) in zip(ids, every, strict=True)
    ]


def _wanted(source: str, id: str) -> str:
    """ "crm_createTicket"; of what has no name, "crm_get_orders_id"."""
    method, _, path = id.partition(" /")
    words = [method.lower(), *path.replace("{", "").replace("}", "").replace("#", "/").split("/")] if path else [id]
    return "_".join([source, *(word for word in words if word)])


def offered(found: Sequence[Found], patterns: Sequence[str]) -> Sequence[Found]:
    """Those that the patterns leave, by id or by method and path.

    Raises:
        FitsNothing: a pattern fits no operation.
    """
    return chosen(found, patterns, Found.fits)
