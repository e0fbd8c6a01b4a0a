"""Which sources a worker was started with."""

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

from activities.settings.environment import PROJECT
from activities.toolkit.tool import Tool

OWN = ("*.py", "workflows/**/*.py", "activities/**/*.py", "deploy/service/*.py")


def build_id(tools: Iterable[Tool]) -> str:
    """The same for workers of the same sources, for the Temporal UI to tell others from them.

    The modules that tools come from count too, wherever they are.
    """
    own = {path for pattern in OWN for path in PROJECT.glob(pattern)}
    modules = (sys.modules.get(tool.function.__module__) for tool in tools)
    files = (getattr(module, "__file__", None) for module in modules)
    sources = sorted(own | {Path(file).resolve() for file in files if file})
    return hashlib.sha256(b"\0".join(each.read_bytes() for each in sources)).hexdigest()[:16]
