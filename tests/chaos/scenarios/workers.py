"""The workers of scenarios: the service's own, of another version or with another clock; and those that control a
scenario, by breaking the promise where the scenario should notice it.

CHAOS_WAYS names the ways of a worker, several separated by spaces.
"""

# What is changed here is what nobody should touch:
# pyright: reportPrivateUsage=false, reportAttributeAccessIssue=false

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import httpx
import sqlalchemy as sa
from pydantic import JsonValue
from temporalio import activity

import worker
from activities.budgets import Charge
from activities.errors import BudgetReached, OutcomeUnknown, ServiceUnavailable
from activities.execution import unfinished_acts, write_attempts
from activities.execution.act import Act
from activities.execution.write_attempts import WriteAttempt
from activities.http.staged import FarEnd, HttpSender
from activities.ledger import ledger, spending
from activities.ledger import rows as ledger_rows
from activities.ledger.database import Database
from activities.ledger.ledger_activities import LedgerActivities
from activities.ledger.restores import Restores
from activities.ledger.rows import Action, Write
from activities.settings.mail import MailSettings
from activities.smtp.connections import MailConnections
from activities.toolkit.mcp import live
from activities.toolkit.tool import tool, tool_of
from activities.tools import mail
from workflows import receipts, tool_runs
from workflows.contract.internal import Route, ToolCall

WAYS = "CHAOS_WAYS"
OWN = ("activities", "worker", "deploy", __name__)
"""Where modules of the service begin, and this one."""


# --- other than usual, and to be coped with --------------------------------------------------------------------------


def ledger_patience(seconds: str) -> None:
    """Instead of an hour."""
    tool_runs.PATIENCE_WITH_LEDGER = timedelta(seconds=float(seconds))


def attempts(most: str) -> None:
    """Instead of twelve, which take six minutes."""
    found = tool_of(mail.send_email)
    assert found
    route = found.route.model_copy(update={"attempts": int(most)})
    vars(mail.send_email)["errand_tool"] = replace(found, route=route)


def clock(seconds: str) -> None:
    """All that this process asks for the time is told another one."""
    shift, right = timedelta(seconds=float(seconds)), datetime

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return right.now(tz) + shift

    usual = time.time
    time.time = lambda: usual() + shift.total_seconds()
    for name, module in list(sys.modules.items()):
        if name.startswith(OWN) and vars(module).get("datetime") is right:
            module.datetime = Shifted


def another_version() -> None:
    """Its send_email has one argument more, without which it does nothing."""
    usual, marked = mail.send_email, tool_of(mail.send_email)
    assert marked

    @tool(effect="write", about=marked.about, timeout=900, total_timeout=7200, attempts=12, grounded=("to",))
    async def send_email(
        to: mail.Recipients,
        subject: str,
        body: str,
        priority: int,
        *,
        settings: MailSettings,
        connections: MailConnections,
        call: ToolCall,
        act: Act,
    ) -> mail.SentEmail:
        """Send an email.

        Args:
            to: Email addresses of the recipients.
            subject: Subject line.
            body: Text of the message.
            priority: How urgent it is.
        """
        return await usual(to, subject, body, settings=settings, connections=connections, call=call, act=act)

    mail.send_email = send_email


# --- controls --------------------------------------------------------------------------------------------------------


def rows_of_anybody() -> None:
    """A row is taken for this request's by its key alone, which is the same at every time of a cron, and no other row
    is looked at."""

    def never(*_: object) -> None:
        return

    ledger_rows.refuse_like = ledger_rows._refuse_like = never
    Action.is_of = lambda self, call: True
    tool_runs._name = lambda info: info.workflow_id


def ledger_alone() -> None:
    """What Temporal has heard of earlier attempts counts for nothing, nor which ledger a request began with."""

    async def any_ledger(self: WriteAttempt) -> None:
        return

    def no_check(self: object, *_: object) -> None:
        return

    WriteAttempt._acted_before = property(lambda self: False)
    WriteAttempt._check_ledger = any_ledger
    ledger.Ledger.must_be = no_check
    Database._check_file = no_check
    tool_runs._tokens_of_acts = lambda error: None


def last_error_counts() -> None:
    """What the last attempt failed with is taken for the whole write's end."""

    def must_be_settled(route: Route, error: Any) -> bool:
        return route.effect == "write" and receipts.detail_of(error.cause) is None

    def not_done(receipt: Any, route: Route, error: Any, settled: Any, at: datetime) -> Any:
        told = usual(receipt, route, error, settled, at)
        detail = receipts.detail_of(error.cause)
        return told if detail is None else told.model_copy(update={"status": detail.status})

    usual = receipts.not_done
    receipts.must_be_settled, receipts.not_done = must_be_settled, not_done


def arguments_first() -> None:
    """Arguments are held to the schema before the ledger is asked, and what does not fit has failed."""
    last_error_counts()
    usual = WriteAttempt.carry_out

    async def carry_out(self: WriteAttempt) -> object:
        self._tool.validate(self._call.arguments)
        return await usual(self)

    WriteAttempt.carry_out = carry_out


def two_seconds() -> None:
    """An act is given two seconds once its attempt does not count any more."""

    async def to_its_end(act: Act, write: Awaitable[object], *, longest: float, grace: object = None) -> object:
        running = asyncio.ensure_future(write)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            details = activity.cancellation_details()
            if details and details.cancel_requested:
                return await running
            return await unfinished_acts._last_words(act, running, "the worker stopped")

    async def no_patience(self: LedgerActivities, write: Write, patience: float) -> None:
        return

    write_attempts.to_its_end = to_its_end
    LedgerActivities._await_act = no_patience


def anybody_is_believed() -> None:
    """What an operator's failure of an activity says is taken for an attempt's own word."""
    receipts.is_by_hand = lambda cause: False


def by_the_clock() -> None:
    """A row has its worker's own time, whatever the database's clock says; clocks.py then holds it against another."""
    Database.now = property(lambda self: datetime.now(UTC))


def keys_of_the_run() -> None:
    """A write is known by the run that asks for it, and not by its request."""
    tool_runs._name = lambda info: f"{info.workflow_id}~{info.run_id[:8]}"


def mcp_calls_again() -> None:
    """A call of an MCP tool whose answer was lost is taken for one that did not happen, and made again."""
    usual = live.Live.call

    async def call(self: live.Live, *arguments: Any, **options: Any) -> Any:
        try:
            return await usual(self, *arguments, **options)
        except OutcomeUnknown as error:
            raise ServiceUnavailable(str(error)) from error

    live.Live.call = call


def notices_no_restore() -> None:
    """Whatever the ledger has lost, writes go on."""

    def nothing(*_: object) -> str:
        return ""

    async def never(*_: object) -> str:
        return ""

    Restores._look, Restores._hold = nothing, never


def budgets_afterwards() -> None:
    """A budget is looked at before a write, and what the write takes of it is written down once it is done."""
    usual, done = spending.take, Act.done

    def look(connection: sa.Connection, key: str, charges: Sequence[Charge], **options: Any) -> None:
        with connection.begin_nested() as looking:
            usual(connection, key, charges, **options)
            looking.rollback()

    async def take(self: Act, result: JsonValue) -> None:
        await done(self, result)
        write, database = self._write, self._ledger._database
        with suppress(BudgetReached):
            await database.write(lambda connection: usual(connection, write.call.key, write.charges))

    ledger.take, Act.done = look, take


def plain_post() -> None:
    """A POST is sent until a good answer comes, three times at most, as any HTTP library does it with retries."""

    async def write(self: HttpSender, request: httpx.Request, far: FarEnd, act: Act, key: str) -> httpx.Response:
        async with act, httpx.AsyncClient(timeout=2, trust_env=False) as http:
            for again in (True, True, False):
                try:
                    return (await http.post(request.url, content=request.content)).raise_for_status()
                except httpx.HTTPError:
                    if not again:
                        raise
        raise AssertionError

    HttpSender.write = write


KNOWN: dict[str, Callable[..., None]] = {
    "ledger-patience": ledger_patience,
    "attempts": attempts,
    "clock": clock,
    "another-version": another_version,
    "rows-of-anybody": rows_of_anybody,
    "ledger-alone": ledger_alone,
    "last-error-counts": last_error_counts,
    "arguments-first": arguments_first,
    "two-seconds": two_seconds,
    "anybody-is-believed": anybody_is_believed,
    "by-the-clock": by_the_clock,
    "mcp-calls-again": mcp_calls_again,
    "keys-of-the-run": keys_of_the_run,
    "budgets-afterwards": budgets_afterwards,
    "plain-post": plain_post,
    "notices-no-restore": notices_no_restore,
}
"""A way may have a value: `attempts=3`."""


def main() -> int:
    for way in os.environ.get(WAYS, "").split():
        name, _, value = way.partition("=")
        KNOWN[name](*filter(None, [value]))
    return worker.main()
