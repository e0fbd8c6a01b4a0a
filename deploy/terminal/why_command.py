"""`client.py why`: for every call of a request where it came from, who allowed it and what the ledger saw."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from activities.errors import ConfigurationError
from deploy.terminal.exit_codes import USAGE, end_with
from deploy.terminal.options import AsJson, Id

if TYPE_CHECKING:
    from deploy.client.explanations import Explanation
    from deploy.terminal.screen import Screen

app = typer.Typer()
CONTRADICTED = 1


@app.command("why")
def why_command(
    id: Id,
    key: Annotated[str | None, typer.Argument(metavar="[KEY]", help='one call; "2.1" will do')] = None,
    history: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="its exported history, of each run, instead of asking Temporal"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explain every call: where its arguments came from, who or what allowed it, its attempts, and what the ledger saw.

    Ends with 1 where history and ledger contradict each other, and with 2 where parts of the history are encrypted with
    keys that ERRAND_PAYLOAD_KEYS does not have.
    """

    async def command(screen: "Screen") -> int:
        found = await _explanation(id, history or [])
        if key is not None:
            every, found = found, found.only(key)
            if not found.calls:
                there = ", ".join(call.key.rpartition("/")[2] for call in every.calls) or "none"
                known = "call that can be read here" if every.unread else "call"
                raise ConfigurationError(f"{id} has no {known} {key}; its calls are: {there}")
        if as_json:
            typer.echo(found.model_dump_json(indent=2))
        else:
            screen.explanation(found)
        if any(call.contradictions for call in found.calls):
            return CONTRADICTED
        return USAGE if found.unread else 0

    end_with(command, quiet=as_json)


async def _explanation(request_id: str, history: list[Path]) -> "Explanation":
    from activities.temporal import connect, converter_of_the_environment
    from deploy.client.requests import PATIENCE
    from deploy.client.why import explain, explain_exported

    if history:
        return await explain_exported(request_id, history, converter_of_the_environment())
    return await explain(await connect(patience=PATIENCE), request_id)
