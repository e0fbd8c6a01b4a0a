"""`client.py keys`: who may call the door."""

from typing import Annotated

import typer

from activities.errors import ConfigurationError
from deploy.client.keys import KeyFile, KeySettings, Right, add_key, remove_key
from deploy.terminal.exit_codes import end_with
from deploy.terminal.options import AsJson

app = typer.Typer(help="Say who may call the door, `python -m deploy.web`.", no_args_is_help=True)

KeyName = Annotated[str, typer.Argument(metavar="NAME", help="the caller's, which requests will carry")]


@app.command("add")
def add_command(
    name: KeyName,
    may: Annotated[str, typer.Option(metavar="RIGHTS", help=f"separated by commas, of: {', '.join(Right)}")],
) -> None:
    """Make a key, and show it this once."""

    async def command(_: object) -> int:
        typer.echo(add_key(KeySettings.from_environment().keys, name, rights(may)))
        return 0

    end_with(command)


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """List whose keys there are, and what they may do; with --json, one object a line."""

    async def command(_: object) -> int:
        known = KeyFile.read(KeySettings.from_environment().keys)
        for key in known.keys if known else ():
            if as_json:
                typer.echo(key.model_dump_json(exclude={"hash"}))
            else:
                typer.echo(f"{key.name}  {','.join(key.may)}  since {key.added_at:%Y-%m-%d}")
        return 0

    end_with(command, quiet=as_json)


@app.command("remove")
def remove_command(name: KeyName) -> None:
    """Take a key away; a door that runs sees it at once."""

    async def command(_: object) -> int:
        remove_key(KeySettings.from_environment().keys, name)
        return 0

    end_with(command)


def rights(text: str) -> list[Right]:
    """Read rights separated by commas.

    Raises:
        ConfigurationError: there is no such right.
    """
    try:
        return [Right(word) for word in text.replace(",", " ").split()]
    except ValueError as error:
        raise ConfigurationError(f"--may: {error}; there are: {', '.join(Right)}") from error
