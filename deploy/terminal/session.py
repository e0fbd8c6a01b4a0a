"""What every command that asks Temporal works with."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer
from temporalio.client import Client

from activities.settings import Settings
from activities.temporal import connect
from deploy.client.conversations import say
from deploy.client.pollers import nobody_takes, told_if_nobody_takes
from deploy.client.requests import PATIENCE, approve, handle_of, outcome, reject
from deploy.client.steps import Crashed, Ended
from deploy.service.telemetry import client_telemetry
from deploy.terminal.exit_codes import ENDED_OTHERWISE, UNREACHABLE, end_with
from deploy.terminal.options import login_name
from workflows.contract.api import Outcome, RequestStatus
from workflows.contract.values import Arguments

if TYPE_CHECKING:
    from deploy.client.traced_approvals import TracedApproval
    from deploy.terminal.approval_prompt import Desk
    from deploy.terminal.screen import Screen
    from workflows.contract.api import PendingApproval, PendingQuestion


@dataclass(frozen=True)
class Session:
    client: Client
    settings: Settings
    screen: "Screen"

    def desk(self, request_id: str, *, by: str, asks: bool) -> "Desk":
        """Where the person is asked about what waits in a request, if somebody is there to answer."""
        from deploy.client.traced_approvals import traced, traced_state
        from deploy.terminal.approval_prompt import Desk

        handle = handle_of(self.client, request_id)

        async def reply(question: "PendingQuestion", answer: str) -> None:
            await say(self.client, request_id, answer, by=by, question=question.key)

        async def yes(call: "PendingApproval", edited: Arguments | None) -> "TracedApproval | None":
            again = await approve(handle, call, by=by, arguments=edited)
            return (await traced(self.client, request_id, [again]))[0] if again else None

        return Desk(
            self.screen,
            request_id,
            asks=asks,
            state=lambda: traced_state(self.client, handle),
            approve=yes,
            reject=lambda call, why: reject(handle, call, by=by, reason=why),
            reply=reply,
        )

    async def watch(self, request_id: str, *, as_json: bool) -> int:
        """Show a request's steps until its end, and ask about what waits where somebody can answer."""
        from deploy.terminal.approval_prompt import can_ask

        desk = self.desk(request_id, by=login_name(), asks=can_ask() and not as_json)
        async with self.looking_out(request_id):
            last = await desk.watch(self.client)
        match last:
            case Ended(outcome):
                return await self.finish(outcome, as_json=as_json)
            case Crashed() as crash:
                self.screen.crashed(crash, await self.link(request_id))
                return ENDED_OTHERWISE

    async def result(self, request_id: str, *, as_json: bool) -> int:
        """Wait until a request has ended, and show its outcome."""
        async with self.looking_out(request_id):
            ended = await outcome(handle_of(self.client, request_id))
        return await self.finish(ended, as_json=as_json)

    async def leave(self, request_id: str) -> int:
        """Watch a request no further than to its first step."""
        if nobody := await nobody_takes(self.client, request_id):
            self.screen.note(nobody)
            return UNREACHABLE
        return 0

    def looking_out(self, request_id: str) -> AbstractAsyncContextManager[None]:
        """While the block waits for a request: say so when that waits for a worker, and there is none."""
        return told_if_nobody_takes(self.client, request_id, self.screen.note)

    async def finish(self, outcome: Outcome, *, as_json: bool) -> int:
        if as_json:
            typer.echo(outcome.model_dump_json(indent=2))
        else:
            self.screen.outcome(outcome, await self.link(outcome.request_id))
            if outcome.plan:
                self.screen.plan(outcome.plan)
                self.screen.how_to_apply(outcome.plan)
        return 0 if outcome.status is RequestStatus.COMPLETED else ENDED_OTHERWISE

    async def link(self, request_id: str) -> str:
        from deploy.terminal.results import link

        run_id = (await handle_of(self.client, request_id).describe()).run_id
        return link(self.settings.worker.ui_url, self.client.namespace, request_id, run_id)


def run(command: Callable[[Session], Awaitable[int]], *, quiet: bool = False) -> None:
    """Run a command that asks Temporal, and end with its exit code."""

    async def connected(screen: "Screen") -> int:
        settings = Settings.from_environment()
        with closing(client_telemetry()) as telemetry:
            client = await connect(patience=PATIENCE, interceptors=telemetry.client_interceptors)
            return await command(Session(client, settings, screen))

    end_with(connected, quiet=quiet)
