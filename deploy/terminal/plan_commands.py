"""`client.py apply`: the plan of a rehearsal, shown and then carried out."""

from typing import Annotated

import typer

from activities.errors import ConfigurationError
from deploy.client.plans import apply, plan_of
from deploy.terminal.exit_codes import ENDED_OTHERWISE
from deploy.terminal.options import AsJson, Id, Name, login_name
from deploy.terminal.session import Session, run

app = typer.Typer()


@app.command("apply")
def apply_command(
    id: Id,
    yes: Annotated[bool, typer.Option("--yes", help="approve the whole plan; the policy can still forbid it")] = False,
    requester: Name = None,
    as_json: AsJson = False,
) -> None:
    """Show the plan of a rehearsal, and make exactly its writes, once; at a terminal, after a yes.

    Without a yes, the policy decides; what it does not allow waits for one yes to the whole plan.
    """

    async def command(session: Session) -> int:
        from deploy.terminal.approval_prompt import can_ask

        plan = await plan_of(session.client, id)
        if not as_json:
            session.screen.plan(plan)
        if plan.problem or not plan.writes:
            raise ConfigurationError(f"{id}: {plan.problem or 'its plan has no write'}")
        asks = can_ask() and not as_json and not yes
        if asks and not typer.confirm(f"make {'it' if len(plan.writes) == 1 else f'these {len(plan.writes)} writes'}?"):
            session.screen.note("nothing was started")
            return ENDED_OTHERWISE
        handle = await apply(
            session.client,
            plan,
            requester=requester or login_name(),
            approve=yes or asks,
            task_queue=session.settings.worker.task_queue,
        )
        return await session.watch(handle.id, as_json=as_json)

    run(command, quiet=as_json)
