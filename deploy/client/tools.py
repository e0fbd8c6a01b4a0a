"""The tools that a worker with these settings would offer, and why others are left out.

python -m deploy.client.tools    a JSON list
"""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pydantic import JsonValue, TypeAdapter

from activities.errors import ConfigurationError
from activities.settings import Settings
from activities.settings.environment import PROJECT

if TYPE_CHECKING:
    from activities.toolkit.catalogue import Catalogue
    from activities.toolkit.tool import Tool

PROGRAM = (sys.executable, "-m", __name__)
"""The command that prints them."""
LONGEST_LOAD = 60
"""Seconds: documents are fetched, servers are started."""


@dataclass(frozen=True)
class ListedTool:
    """A tool, or what would be one."""

    name: str
    source: str
    """Where it is defined."""
    effect: str
    description: str
    schema: JsonValue
    """Of its arguments."""
    left_out: str
    """Why it is not offered; nothing, where it is."""
    notes: tuple[str, ...] = ()
    """What its source has otherwise than the schema, and what else is to be known of it."""


def listed(catalogue: "Catalogue") -> Sequence[ListedTool]:
    """Those that are offered first, then those that are left out, then what cannot be a tool."""
    notes = catalogue.sources.notes
    offered = [_listed(tool, notes) for _, tool in sorted(catalogue.tools.items())]
    unconfigured = [
        _listed(catalogue.every[name], notes, f"not set: {', '.join(missing)}")
        for name, missing in sorted(catalogue.unconfigured.items())
    ]
    by_setting = [ListedTool(name, "", "", "", None, "by ERRAND_OFFER") for name in catalogue.left_out]
    replaced = [_listed(tool, notes, f"replaced by {by}") for tool, by in catalogue.replaced.items()]
    impossible = [ListedTool(name, "", "", "", None, why) for name, why in catalogue.sources.left_out.items()]
    return [*offered, *unconfigured, *by_setting, *replaced, *impossible]


def _listed(tool: "Tool", notes: "Mapping[Tool, Sequence[str]]", left_out: str = "") -> ListedTool:
    return ListedTool(
        name=tool.name,
        source=tool.defined_at,
        effect=tool.route.effect,
        description=tool.description,
        schema=tool.schema(),
        left_out=left_out,
        notes=tuple(notes.get(tool, ())),
    )


async def tools_of_a_worker() -> list[ListedTool]:
    """Those of a worker with the environment of this process; loaded in a process of their own, whose code and
    connections end with it.

    Raises:
        ConfigurationError: a worker could not start with these settings.
    """
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        cwd=PROJECT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(LONGEST_LOAD):
            told, error = await process.communicate()
    except TimeoutError:
        raise ConfigurationError(f"the tools could not be loaded within {LONGEST_LOAD} s") from None
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        *_, last = error.decode(errors="replace").strip().splitlines() or ["the tools could not be loaded"]
        raise ConfigurationError(last)
    return TypeAdapter(list[ListedTool]).validate_json(told)


def main() -> int:
    from activities.redaction import redacted
    from activities.toolkit.catalogue import Catalogue

    try:
        found = listed(Catalogue.load(Settings.from_environment()))
    except ConfigurationError as error:
        sys.stderr.write(f"{redacted(str(error))}\n")
        return 2
    sys.stdout.write(json.dumps([asdict(each) for each in found]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
