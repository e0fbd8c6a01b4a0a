"""`why`: a request's history and its rows in the ledger, read and put together as an explanation."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf.json_format import ParseError
from temporalio.api.enums.v1 import ContinueAsNewInitiator
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import CannotDecrypt, ConfigurationError, ErrandError, NotFound
from deploy.client.actions import ledger_of_the_workers
from deploy.client.call_accounts import RequestAccount
from deploy.client.explanations import Explanation, explained
from deploy.client.history_steps import Story
from deploy.client.payloads import Payloads
from deploy.client.unread import Unread
from workflows.contract.internal import PREPARE, Decision
from workflows.contract.rehearsing import TAKE_PLAN, TakenPlan

if TYPE_CHECKING:
    from activities.ledger.damage import DamagedRow
    from activities.ledger.ledger import Ledger
    from activities.ledger.rows import Action

MOST_ROWS = 1000
"""Of one request id. A request has at most 300 calls; the same id may have been used before."""


class Reading:
    """Takes the events of all runs of a request, in their order."""

    def __init__(self, request_id: str, converter: DataConverter) -> None:
        self.account = RequestAccount(request_id)
        self._story = Story(converter)
        self._payloads = Payloads(converter)
        self.unread = Unread()
        self._preparing = dict[int, str]()
        """Activities that say what calls are to be made, by the events that scheduled them."""

    async def take(self, event: HistoryEvent) -> str | None:
        """Returns the id of the run that goes on from here, if one does."""
        at, started = event.event_time.ToDatetime(tzinfo=UTC), event.workflow_execution_started_event_attributes
        if started.cron_schedule:  # each of its times is a request of its own
            self.account.request_id = f"{self.account.request_id}@{at:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
        self.unread.pass_by(event)
        try:
            await self._prepared(event)
            for step in await self._story.tell(event):
                self.account.take(step, at)
        except CannotDecrypt as error:
            self.unread.add(event, error)
        return self._story.next_run

    async def _prepared(self, event: HistoryEvent) -> None:
        """The one call of a request that is a call, and those of a plan, are no model's, and so no step tells of
        them."""
        if (name := event.activity_task_scheduled_event_attributes.activity_type.name) in (PREPARE, TAKE_PLAN):
            self._preparing[event.event_id] = name
        ended = event.activity_task_completed_event_attributes
        name = self._preparing.pop(ended.scheduled_event_id, "")
        at, result = event.event_time.ToDatetime(tzinfo=UTC), ended.result.payloads
        if name == PREPARE and (decision := await self._payloads.read(result, Decision)):
            self.account.propose(1, decision.calls, at)
        if name == TAKE_PLAN and (plan := await self._payloads.read(result, TakenPlan)):
            self.account.take_plan(plan, at)


async def explain(client: Client, request_id: str, ledger: "Ledger | None" = None) -> Explanation:
    """Why a request did what it did. Where Temporal has its history no longer, only the ledger speaks.

    Args:
        client: of Temporal.
        request_id: whose.
        ledger: where its writes stand; by default the one of the environment.

    Raises:
        NotFound: neither Temporal nor the ledger knows the request.
    """
    reading, notes = await _from_temporal(client, request_id)
    return await _with_the_ledger(request_id, reading, notes, ledger)


async def explain_exported(
    request_id: str, files: Sequence[Path], converter: DataConverter, ledger: "Ledger | None" = None
) -> Explanation:
    """Why a request did what it did, from histories that were exported as JSON while Temporal had them.

    Args:
        request_id: whose.
        files: the histories of its runs, the first run first.
        converter: decrypts them, where they are encrypted.
        ledger: as in `explain`.

    Raises:
        ConfigurationError: a file is no history.
    """
    reading = Reading(request_id, converter)
    for file in files:
        try:
            history = WorkflowHistory.from_json(request_id, file.read_text(encoding="utf-8"))
        except (OSError, ValueError, ParseError) as error:
            raise ConfigurationError(f"--history: {file} is no history as Temporal exports it: {error}") from error
        whose = history.events[0].workflow_execution_started_event_attributes.workflow_id if history.events else "?"
        if whose not in ("", request_id):  # older servers do not name it
            raise ConfigurationError(f"--history: {file} is the history of {whose}, and not of {request_id}")
        for event in history.events:
            await reading.take(event)
    return await _with_the_ledger(request_id, reading, [], ledger)


async def account_of(client: Client, request_id: str) -> RequestAccount:
    """What Temporal's history says of a request.

    Raises:
        NotFound: it has none.
        CannotDecrypt: not all of it can be read here.
    """
    reading, notes = await _from_temporal(client, request_id)
    if reading is None:
        raise NotFound(f"there is no request {request_id}: {'; '.join(notes)}")
    if unread := str(reading.unread):
        raise CannotDecrypt(f"{request_id}: {unread}")
    return reading.account


async def _from_temporal(client: Client, request_id: str) -> tuple[Reading | None, list[str]]:
    reading, notes = Reading(request_id, client.data_converter), list[str]()
    try:
        run_id, whole = await _first_run(client, request_id)
        if not whole:
            notes.append("Temporal has its first runs no longer; of their calls the receipts are left")
        while run_id:
            following = None
            async for event in client.get_workflow_handle(request_id, run_id=run_id).fetch_history_events():
                following = await reading.take(event)
            run_id = following
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND or error.message.startswith("Namespace "):
            raise
        return None, ["Temporal has no history of it (any longer): only the ledger is left, and with it the writes"]
    return reading, notes


async def _first_run(client: Client, request_id: str) -> tuple[str, bool]:
    """The first run of the latest chain that Temporal still has, and whether it is the chain's first."""
    run_id = (await client.get_workflow_handle(request_id).describe()).run_id
    while before := await _run_before(client, request_id, run_id):
        try:
            await client.get_workflow_handle(request_id, run_id=before).describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return run_id, False
        run_id = before
    return run_id, True


async def _run_before(client: Client, request_id: str, run_id: str) -> str:
    """The run that a run continues; empty where it begins its request."""
    async for event in client.get_workflow_handle(request_id, run_id=run_id).fetch_history_events(page_size=1):
        started = event.workflow_execution_started_event_attributes
        by_itself = started.initiator == ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_WORKFLOW
        return started.continued_execution_run_id if by_itself else ""
    return ""


async def _with_the_ledger(
    request_id: str, reading: Reading | None, notes: list[str], ledger: "Ledger | None"
) -> Explanation:
    account, unread = (reading.account, reading.unread) if reading else (None, Unread())
    rows: Sequence[Action] = ()
    damaged: list[DamagedRow] = []
    asked = True
    try:
        async with _opened(ledger) as known:
            whose = account.request_id if account else request_id
            rows = await known.search(request_id=whose, limit=MOST_ROWS, damaged=damaged)
    except ErrandError as error:
        asked = False
        notes.append(f"the ledger cannot be asked: {error}")
    notes += map(str, damaged)
    if account is None and not rows:
        if damaged:
            raise damaged[0]
        of_ledger = "the ledger no write" if asked else notes[-1]
        raise NotFound(f"there is no request {request_id}: Temporal has no history of it, and {of_ledger}")
    notes += filter(None, [str(unread)])
    told = {each.key: str(each) for each in damaged}
    return explained(request_id, account, rows, notes, asked=asked, unread=unread.parts, damaged=told)


@asynccontextmanager
async def _opened(ledger: "Ledger | None") -> "AsyncGenerator[Ledger]":
    if ledger:
        yield ledger
    else:
        async with ledger_of_the_workers() as opened:
            yield opened
