"""The header that takes a call's key: whether the far end knows the one that a table names, and what it calls its own.

A name that the far end does not know is worse than none: a write whose end is not known is asked again, and happens
twice.
"""

import difflib
from collections.abc import Sequence

from activities.toolkit.openapi.choosing import Found
from activities.toolkit.openapi.recipe import Operation

ALIKE = 0.8
"""Of 1: two names from here on are one of them misspelt."""


def likely_meant(found: Found, named: str) -> str:
    """The header of an operation that its table probably means; nothing, where the table's name may be right: many
    documents do not list the header.

    Raises:
        CannotImport: a parameter refers to nothing.
    """
    declared = {name.lower(): name for name in _headers(found)}
    if named.lower() in declared:
        return ""
    takes_keys = [name for name in declared if _takes_keys(name)]
    near = difflib.get_close_matches(named.lower(), takes_keys or [*declared], n=1, cutoff=0 if takes_keys else ALIKE)
    return declared[near[0]] if near else ""


def notes_on(operation: Operation) -> Sequence[str]:
    """What is to be said of headers that take a key, where a model fills them."""
    return [
        f"the header {each.name} is left to the model, as the argument {each.argument}; where the far end does nothing "
        f'twice under one key, set idempotency_header = "{each.name}", and the call\'s own key fills it'
        for each in operation.parameters
        if each.place == "header" and _takes_keys(each.name)
    ]


def _headers(found: Found) -> list[str]:
    nodes = [node for of in (found.node, found.item) for node in of.items("parameters")]
    return [node.text("name") for node in nodes if node.text("in") == "header"]


def _takes_keys(name: str) -> bool:
    return "idempot" in name.lower()
