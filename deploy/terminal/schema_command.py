"""`client.py schema`: the messages of a request as JSON Schema, for callers in other languages."""

from typing import Annotated

import typer

from deploy.client.contract import MessageName, as_text, published, schema_of

app = typer.Typer()


@app.command("schema")
def schema_command(
    name: Annotated[MessageName | None, typer.Argument(metavar="[NAME]", help="one message's; by default, all")] = None,
) -> None:
    """Print what a request takes and gives, as JSON Schema."""
    typer.echo(as_text(published() if name is None else schema_of(name)))
