"""The job, as both contenders get it; the requests that measure size; and what the model says to each."""

import json
import re
from collections.abc import Sequence
from typing import cast

from pydantic import JsonValue

from tests.scripted_model import Answer, Object, call, calls, say

CITY, SYMBOL = "Paris", "AAPL"
TEMPERATURE, PRICE = "21.5", "229.87"
MODEL_CALLS = 3
TOOLS = ("get_stock_price", "get_weather", "send_email")
LONG_TEXT_BYTES = 20 * 1024
NOT_TOLD = say("I was not told the weather and the price.")


def job(token: str) -> str:
    """The request; `token` becomes the subject of its mail."""
    return f"Email the weather in {CITY} and the price of {SYMBOL} to {token}@example.com."


def done(token: str) -> str:
    """The last words to it, which are said only where the model was given both figures."""
    return f"I emailed the weather in {CITY} and the price of {SYMBOL} to {token}@example.com."


def reading(token: str, turns: int) -> str:
    """A request that takes so many turns, each with one long result."""
    return f"Read {turns} pages of {token}."


def waiting(token: str) -> str:
    """A request whose mail nobody has approved in advance."""
    return f"Write to {token}@example.org."


def answer(messages: Sequence[Object]) -> Answer:
    """What the model says to a conversation."""
    text = next(str(each["content"]) for each in messages if each["role"] == "user")
    turn = sum(each["role"] == "assistant" for each in messages)
    if found := re.fullmatch(r"Email .* to (.*)@example\.com\.", text):
        return _to_job(found[1], turn, messages)
    if found := re.fullmatch(r"Read (\d+) pages of .*\.", text):
        return calls(call("read_page", number=turn + 1)) if turn < int(found[1]) else say("That was all of it.")
    if found := re.fullmatch(r"Write to (.*)@example\.org\.", text):
        return calls(_mail(found[1], "example.org", "Hello.")) if turn == 0 else say("That is all.")
    raise ValueError(f"no script for {text!r}")


def _to_job(token: str, turn: int, messages: Sequence[Object]) -> Answer:
    if turn == 0:
        return calls(call("get_weather", city=CITY), call("get_stock_price", symbol=SYMBOL))
    told = json.dumps([each["content"] for each in messages if each["role"] == "tool"])
    if TEMPERATURE not in told or PRICE not in told:
        return NOT_TOLD
    if turn == 1:
        return calls(_mail(token, "example.com", f"{CITY}: {TEMPERATURE} °C. {SYMBOL}: {PRICE} USD."))
    return say(done(token))


def _mail(token: str, domain: str, body: str) -> Object:
    return call("send_email", to=[f"{token}@{domain}"], subject=token, body=body)


def completion(messages: Sequence[Object]) -> JsonValue:
    """The answer in its envelope."""
    message = cast(Object, answer(messages))
    reason = "tool_calls" if "tool_calls" in message else "stop"
    choice: Object = {"index": 0, "finish_reason": reason, "message": message}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "scripted",
        "choices": [choice],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
    }
