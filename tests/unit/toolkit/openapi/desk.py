"""A source called desk: its document, its table, and one attempt of its write, through the ledger."""

import dataclasses
from contextlib import aclosing
from pathlib import Path
from typing import Any

from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.execution.tool_activities import write_activity
from activities.ledger.ledger import Ledger
from activities.settings import Settings
from activities.toolkit.catalogue import Catalogue
from tests.unit.toolkit.openapi.far_end import FarEnd
from workflows.contract.internal import AttemptBeat, FailureDetail, ToolCall
from workflows.contract.values import Arguments

DOCUMENT = """
openapi: 3.1.0
info: {title: Desk, version: "1"}
paths:
  /tickets:
    get:
      operationId: listTickets
      summary: List tickets.
      parameters:
        - {name: title, in: query, schema: {type: string}}
    head:
      operationId: countTickets
    post:
      operationId: createTicket
      summary: Create a ticket.
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [title, email]
              properties:
                title: {type: string, description: What it is about.}
                email: {type: string, format: email}
  /files:
    post:
      operationId: upload
      requestBody: {required: true, content: {image/png: {}}}
"""
TABLE = """
[openapi.desk]
document = "desk.yaml"
url = "{url}"
private = true
auth = {{ bearer = "DESK_TOKEN" }}
{before}
[openapi.desk.operation.createTicket]
{more}
"""


def catalogue(folder: Path, far: FarEnd, more: str = "", before: str = "", *, document: str = DOCUMENT) -> Catalogue:
    (folder / "desk.yaml").write_text(document)
    (folder / "sources.toml").write_text(TABLE.format(url=far.url, more=more, before=before))
    return Catalogue.load(Settings.read(sources=folder / "sources.toml"))


async def counts(beat: AttemptBeat) -> None:
    """A fence that lets every attempt pass."""


TICKET: Arguments = {"title": "Printer", "email": "ann@example.com"}


async def create(found: Catalogue, ledger: Ledger, *, attempt: int = 1) -> object:
    """What an attempt of the write gives: its result, or what its receipt would say and whether it is tried again."""
    try:
        return await _attempt(found, ledger, attempt)
    except ApplicationError as error:
        (detail,) = error.details
        assert isinstance(detail, FailureDetail)
        return detail.status, not error.non_retryable


async def why_not(found: Catalogue, ledger: Ledger) -> str:
    """What the receipt of a write that fails at its first attempt would say of it."""
    try:
        return f"it was done: {await _attempt(found, ledger, 1)}"
    except ApplicationError as error:
        return error.message


async def _attempt(found: Catalogue, ledger: Ledger, attempt: int) -> object:
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, attempt=attempt)
    call = ToolCall(key="r/1.0", tool="desk_createTicket", arguments=TICKET, chain="5eed")
    activity: Any = write_activity(found.tools["desk_createTicket"], {}, ledger, fence=counts)
    async with aclosing(found.sources):
        return (await environment.run(activity, call)).value
