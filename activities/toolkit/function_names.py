"""Names of functions, as every endpoint takes them."""

import re

FIND_TOOLS = "find_tools"
"""By which the model looks for functions that it was not shown."""
LONGEST_NAME = 64
LEGAL = re.compile(rf"[a-zA-Z0-9_-]{{1,{LONGEST_NAME}}}")


def sendable(name: str) -> str:
    """A name made legal: one that the model made up may be anything, and would poison the conversation."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:LONGEST_NAME] or "_"


def legal_property(name: str) -> str:
    """A name of an argument, as every endpoint takes it: "filter[status]" becomes "filter_status"."""
    legal = re.sub(r"[^a-zA-Z0-9_.-]+", "_", name)[:LONGEST_NAME]
    return legal if legal == name else legal.strip("_") or "_"
