"""Orders over HTTP: at a far end that knows nothing of keys, and at one that takes them."""

import os

import httpx
from pydantic import JsonValue

from activities.errors import ServiceRefused
from activities.execution.act import Act
from activities.http.staged import FarEnd, HttpSender, idempotency_key
from activities.toolkit.tool import tool
from workflows.contract.internal import ToolCall

ORDERS_URL = "CHAOS_ORDERS_URL"
PRICE = 7.01
KEY_HEADER = "Idempotency-Key"


@tool(effect="write", attempts=6)
async def place_order(subject: str, *, sender: HttpSender, act: Act, call: ToolCall) -> JsonValue:
    """Place an order.

    Args:
        subject: What is ordered.
    """
    return await _place("/plain", subject, FarEnd("order desk"), sender, act, call)


@tool(effect="write", attempts=6, idempotent=True)
async def place_order_with_key(subject: str, *, sender: HttpSender, act: Act, call: ToolCall) -> JsonValue:
    """Place an order where orders have keys.

    Args:
        subject: What is ordered.
    """
    return await _place("/keyed", subject, FarEnd("order desk", KEY_HEADER), sender, act, call)


@tool(effect="write", attempts=6)
async def pay_order(subject: str, total: float = PRICE, *, sender: HttpSender, act: Act, call: ToolCall) -> JsonValue:
    """Place an order that costs something.

    Args:
        subject: What is ordered.
        total: What it costs.
    """
    return await _place("/plain", subject, FarEnd("order desk"), sender, act, call)


async def _place(path: str, subject: str, far: FarEnd, sender: HttpSender, act: Act, call: ToolCall) -> JsonValue:
    request = httpx.Request("POST", f"{os.environ[ORDERS_URL]}{path}", content=subject.encode())
    reply = await sender.write(request, far, act, idempotency_key(call))
    answer: dict[str, JsonValue] = reply.json()
    if "error" in answer:
        raise ServiceRefused(f"the order desk said no: {answer['error']}")
    return answer
