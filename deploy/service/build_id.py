"""Which sources a worker was started with."""

import hashlib
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from activities.settings.environment import PROJECT
from activities.toolkit.tool import Tool

OWN = ("*.py", "workflows/**/*.py", "activities/**/*.py", "deploy/service/*.py")


def build_id(tools: Iterable[Tool]) -> str:
    """The same for workers of the same sources, for the Temporal UI to tell others from them.

    The modules that tools come from count too, wherever they are.
    """
    modules = (sys.modules.get(tool.function.__module__) for tool in tools)
    files = (getattr(module, "__file__", None) for module in modules)
    others = {Path(file).resolve() for file in files if file} - _own_sources().keys()
    sources = _own_sources() | {path: path.read_bytes() for path in others}
    return hashlib.sha256(b"\0".join(sources[path] for path in sorted(sources))).hexdigest()[:16]


@cache
def _own_sources() -> dict[Path, bytes]:
    return {path: path.read_bytes() for pattern in OWN for path in PROJECT.glob(pattern)}
