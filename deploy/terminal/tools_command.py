"""`client.py tools`: what a worker would offer, and why not the rest, told without any server; and one call by hand."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from activities.errors import ConfigurationError
from activities.settings import Settings
from deploy.client.tools import ListedTool, listed
from deploy.terminal.exit_codes import end_with
from deploy.terminal.logs import only_warnings
from deploy.terminal.options import AsJson, Name, json_object, login_name
from workflows.refusals import problem_with_id

if TYPE_CHECKING:
    from deploy.terminal.screen import Screen


class ToolsGroup(TyperGroup):
    """`tools` and `tools NAME` are short for `tools show`. The context is of a private class of typer's."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        is_short = not args or args[0] not in (*self.commands, "--help")
        return super().parse_args(ctx, ["show", *args] if is_short else args)


app = typer.Typer(cls=ToolsGroup, help="What a worker would offer, and one call by hand.")


@app.command("show")
def show_command(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="one tool, with its schema")] = None,
    as_json: AsJson = False,
) -> None:
    """List the tools that a worker with these settings would offer, and why others are left out."""

    async def command(screen: "Screen") -> int:
        from activities.toolkit.catalogue import Catalogue

        only_warnings()
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


@app.command("call")
def call_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="the tool")],
    arguments: Annotated[str, typer.Option(metavar="JSON", help="an object that fits the tool's schema")] = "{}",
    id: Annotated[str | None, typer.Option(help="the same id twice is the same call")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="approve it in advance; the policy can still forbid it")] = False,
    rehearse: Annotated[bool, typer.Option("--rehearse", help="a write is not made: it ends with a plan")] = False,
    requester: Name = None,
    as_json: AsJson = False,
) -> None:
    """Have a worker make one call, without a model: by the same policy, in the same ledger, with the same receipt.

    What is called may need a yes: at a terminal it is asked for in place.
    """
    from deploy.client.requests import submit
    from deploy.terminal.session import Session, run
    from workflows.contract.api import GivenCall, Request

    async def command(session: Session) -> int:
        given = GivenCall(tool=name, arguments=json_object("--arguments", arguments))
        request = Request(
            call=given,
            text=f"call {name} with {arguments}",
            requester=requester or login_name(),
            approve=(name,) if yes else (),
            rehearse=rehearse,
        )
        if id is not None and (problem := problem_with_id(id, "--id")):
            raise ConfigurationError(problem)
        handle = await submit(session.client, request, request_id=id, task_queue=session.settings.worker.task_queue)
        return await session.watch(handle.id, as_json=as_json)

    run(command, quiet=as_json)


def _named(found: Sequence[ListedTool], name: str) -> ListedTool:
    from activities.written_by_hand import did_you_mean

    for each in found:
        if each.name == name or (each.schema is None and _as_a_name(each.name) == _as_a_name(name)):
            return each
    raise ConfigurationError(f"there is no tool {name}{did_you_mean(name, (each.name for each in found))}")


def _as_a_name(text: str) -> str:
    """What cannot be a tool stands as its source calls it: "crm POST /files", and not crm_post_files."""
    return "_".join(re.findall("[a-z0-9]+", text.lower()))


def _list(screen: "Screen", found: Sequence[ListedTool]) -> None:
    width = max((len(each.name) for each in found), default=0)
    for each in found:
        if each.left_out:
            screen.say(f"{each.name:<{width}}  left out: {each.left_out}")
        else:
            screen.say(f"{each.name:<{width}}  {each.effect:<5}  {each.source}")


def _show(screen: "Screen", each: ListedTool) -> None:
    screen.say(f"{each.name}: {each.effect or 'no tool'}" + (f", {each.source}" if each.source else ""))
    if each.left_out:
        screen.say(f"left out: {each.left_out}")
    if each.description:
        screen.say(each.description)
    for note in each.notes:
        screen.say(f"note: {note}")
    if each.schema is not None:
        screen.say(json.dumps(each.schema, indent=2, ensure_ascii=False))
