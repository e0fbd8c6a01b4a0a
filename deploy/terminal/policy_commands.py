"""`client.py policy check`: what a policy file would do with a call, told without any server."""

import json
import re
from typing import TYPE_CHECKING, Annotated

import typer

from activities.errors import ConfigurationError
from activities.settings import Settings
from deploy.terminal.exit_codes import end_with
from deploy.terminal.logs import only_warnings
from deploy.terminal.options import Name, json_object, login_name

if TYPE_CHECKING:
    from activities.policy import Policy, Rule
    from activities.toolkit.tool import Tool
    from deploy.terminal.screen import Screen
    from workflows.contract.values import AfterUntrusted, Ruling

app = typer.Typer(help="Explain a policy file.", no_args_is_help=True)

MEANS: "dict[Ruling, str]" = {
    "allow": "it runs without being asked about",
    "ask": "it waits for the requester's yes in advance, or a person's",
    "deny": "it is not run, whoever says yes",
}

AFTER_UNTRUSTED: "dict[AfterUntrusted, str]" = {
    "ask": "still asked about: once a stranger's text has been read, or ",
    "deny": "not run once a stranger's text has been read; still asked about: ",
    "allow-if-grounded": "still asked about: where only a stranger mentions a figure or an address in a text, or ",
}


@app.command("check")
def check_command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="the policy, in TOML")],
    tool: Annotated[str, typer.Option(metavar="NAME", help="the tool that is called")],
    arguments: Annotated[str, typer.Option(metavar="JSON", help="the call's arguments")],
    requester: Name = None,
) -> None:
    """Tell what a policy would do with a call, and by which of its rules."""

    async def command(screen: "Screen") -> int:
        from pathlib import Path

        from activities.policy import Policy

        policy = Policy.load(Path(file), of="FILE")
        called = _tool(tool)
        written = json_object("--arguments", arguments)
        as_used = called.validate(written).used
        by = login_name() if requester is None else requester
        _explain(screen, policy, called, policy.rule_on(called, written, by, as_used=as_used))
        return 0

    end_with(command)


def _tool(name: str) -> "Tool":
    from activities.toolkit.catalogue import Catalogue

    only_warnings()
    # A tool that lacks a setting here, such as the mail server, may have it where the worker runs.
    known = Catalogue.load(Settings.from_environment()).every
    if name not in known:
        raise ConfigurationError(f"--tool: there is no tool {name}; there are: {', '.join(sorted(known))}")
    return known[name]


def _explain(screen: "Screen", policy: "Policy", tool: "Tool", ruled: "tuple[Ruling, str]") -> None:
    ruling, reason = ruled
    screen.say(f"{ruling}: {MEANS[ruling]}")
    if by_rule := re.match(r"rule (\d+)", reason):
        number = int(by_rule[1])
        screen.say(f"  rule {number} of {len(policy.rule)}: {_written(policy.rule[number - 1])}")
    else:
        default = "allowed" if tool.route.effect == "read" else "asked about"
        screen.say(f"  no rule fits; a {tool.route.effect} that none fits is {default}")
    if policy.four_eyes and ruling != "deny":
        screen.say("  four_eyes: where a yes is needed, it is somebody else's than the requester's")
    if ruling == "allow" and tool.route.effect == "write":
        after = policy.rule[int(by_rule[1]) - 1].after_untrusted if by_rule else "ask"
        screen.say(f"  {AFTER_UNTRUSTED[after]}{_where_made_up(tool)}")


def _where_made_up(tool: "Tool") -> str:
    values = f"a value of {', '.join(tool.grounded)}, or " if tool.grounded else ""
    return f"where nobody but the model mentioned {values}a figure in a text"


def _written(rule: "Rule") -> str:
    """As it stands in the file, on one line."""
    fields = {name: value for name, value in rule.model_dump(exclude_defaults=True).items() if name != "arguments"}
    patterns = ", ".join(f"{name} = {json.dumps(each, ensure_ascii=False)}" for name, each in rule.arguments.items())
    written = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
    return ", ".join([*written, *([f"arguments = {{ {patterns} }}"] if patterns else [])])
