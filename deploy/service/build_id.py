"""With which sources, tools and policy a worker was started."""

import hashlib
import sys
from collections.abc import Collection
from functools import cache
from pathlib import Path

from activities.policy import Policy
from activities.settings.environment import PROJECT
from activities.toolkit.tool import Tool
from workflows.contract.values import sha256

OWN = ("*.py", "workflows/**/*.py", "activities/**/*.py", "deploy/service/*.py")


def build_id(tools: Collection[Tool], policy: Policy) -> str:
    """The same for workers that do the same, for the Temporal UI and `client.py doctor` to tell others from them.

    The modules that tools come from count too, wherever they are.
    """
    modules = (sys.modules.get(tool.function.__module__) for tool in tools)
    files = (getattr(module, "__file__", None) for module in modules)
    others = {Path(file).resolve() for file in files if file} - _own_sources().keys()
    sources = _own_sources() | {path: _digest(path) for path in others}
    offered = sorted(f"{tool.name} {sha256(tool.schema())} {tool.route.model_dump_json()}" for tool in tools)
    told = "\0".join([*offered, policy.model_dump_json()]).encode()
    return hashlib.sha256(b"".join([*(sources[path] for path in sorted(sources)), told])).hexdigest()[:16]


@cache
def _own_sources() -> dict[Path, bytes]:
    """The digest of each: the sources themselves are more than a megabyte."""
    return {path: _digest(path) for pattern in OWN for path in PROJECT.glob(pattern)}


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()
