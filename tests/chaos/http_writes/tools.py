"""Two tools for one far end: one that it does whatever is asked for, one that it knows the calls' keys of."""

import os

import httpx

from activities.execution.act import Act
from activities.http.staged import FarEnd, HttpSender
from activities.toolkit.tool import tool
from workflows.contract.internal import ToolCall

URL = "CHAOS_FAR_END"


async def _open(path: str, number: str, far: FarEnd, sender: HttpSender, act: Act, call: ToolCall) -> object:
    request = httpx.Request("POST", f"{os.environ[URL]}/{path}", json={"number": number, "text": "x" * 2000})
    return (await sender.write(request, far, act, call.key)).json()


@tool(effect="write", about="{number}", attempts=12)
async def open_ticket(number: str, *, sender: HttpSender, act: Act, call: ToolCall) -> object:
    """Open a ticket."""
    return await _open("plain", number, FarEnd("the desk"), sender, act, call)


@tool(effect="write", about="{number}", attempts=12, idempotent=True)
async def open_ticket_once(number: str, *, sender: HttpSender, act: Act, call: ToolCall) -> object:
    """Open a ticket, under a key."""
    far = FarEnd("the desk", idempotency_header="Idempotency-Key")
    return await _open("keyed", number, far, sender, act, call)
