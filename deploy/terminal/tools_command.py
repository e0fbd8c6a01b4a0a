"""`client.py tools`: what a worker would offer, and why not the rest; told without any server."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from activities.errors import ConfigurationError
from activities.settings import Settings
from deploy.terminal.exit_codes import end_with
from deploy.terminal.options import AsJson

if TYPE_CHECKING:
    from pydantic import JsonValue

    from activities.toolkit.catalogue import Catalogue
    from activities.toolkit.tool import Tool
    from deploy.terminal.screen import Screen

app = typer.Typer()


@dataclass(frozen=True)
class Listed:
    """A tool, or what would be one."""

    name: str
    source: str
    """Where it is defined."""
    effect: str
    description: str
    schema: "JsonValue"
    """Of its arguments."""
    left_out: str
    """Why it is not offered; nothing, where it is."""


@app.command("tools")
def tools_command(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="one tool, with its schema")] = None,
    as_json: AsJson = False,
) -> None:
    """List the tools that a worker with these settings would offer, and why others are left out."""

    async def command(screen: "Screen") -> int:
        from activities.toolkit.catalogue import Catalogue

        found = listed(Catalogue.load(Settings.from_environment()))
        if name is not None:
            found = [_named(found, name)]
        if as_json:
            for each in found:
                typer.echo(json.dumps(asdict(each), ensure_ascii=False))
        elif name is not None:
            _show(screen, found[0])
        else:
            _list(screen, found)
        return 0

    end_with(command, quiet=as_json)


def listed(catalogue: "Catalogue") -> Sequence[Listed]:
    """Those that are offered first, then those that are left out, then what cannot be a tool."""
    offered = [_listed(tool) for _, tool in sorted(catalogue.tools.items())]
    unconfigured = [
        _listed(catalogue.every[name], f"not set: {', '.join(missing)}")
        for name, missing in sorted(catalogue.unconfigured.items())
    ]
    by_setting = [Listed(name, "", "", "", None, "by ERRAND_OFFER") for name in catalogue.left_out]
    replaced = [_listed(tool, f"replaced by {by}") for tool, by in catalogue.replaced.items()]
    impossible = [Listed(name, "", "", "", None, why) for name, why in catalogue.not_imported.items()]
    return [*offered, *unconfigured, *by_setting, *replaced, *impossible]


def _listed(tool: "Tool", left_out: str = "") -> Listed:
    return Listed(tool.name, tool.defined_at, tool.route.effect, tool.description, tool.schema(), left_out)


def _named(found: Sequence[Listed], name: str) -> Listed:
    from activities.toolkit.source_file import did_you_mean

    for each in found:
        if each.name == name:
            return each
    raise ConfigurationError(f"there is no tool {name}{did_you_mean(name, (each.name for each in found))}")


def _list(screen: "Screen", found: Sequence[Listed]) -> None:
    width = max((len(each.name) for each in found), default=0)
    for each in found:
        if each.left_out:
            screen.say(f"{each.name:<{width}}  left out: {each.left_out}")
        else:
            screen.say(f"{each.name:<{width}}  {each.effect:<5}  {each.source}")


def _show(screen: "Screen", each: Listed) -> None:
    screen.say(f"{each.name}: {each.effect or 'no tool'}" + (f", {each.source}" if each.source else ""))
    if each.left_out:
        screen.say(f"left out: {each.left_out}")
    if each.description:
        screen.say(each.description)
    if each.schema is not None:
        screen.say(json.dumps(each.schema, indent=2, ensure_ascii=False))
