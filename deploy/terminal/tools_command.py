"""`client.py tools`: what a worker would offer, and why not the rest; told without any server."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from activities.errors import ConfigurationError
from activities.settings import Settings
from deploy.client.tools import Listed, listed
from deploy.terminal.exit_codes import end_with
from deploy.terminal.options import AsJson

if TYPE_CHECKING:
    from deploy.terminal.screen import Screen

app = typer.Typer()


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
