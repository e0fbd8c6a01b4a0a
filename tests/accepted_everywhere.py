"""What is wrong with a question, by the strictest endpoint there is: what goes out must be right for every one."""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

Message = dict[str, Any]
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
CALL_ID = re.compile(r"[a-zA-Z0-9]{9}")


def faults(
    body: dict[str, Any],
    *,
    null_content: bool = True,
    merged: bool = False,
    strict_order: bool = False,
    named: bool = True,
) -> list[str]:
    """All that an endpoint might object to in the body of a request.

    Args:
        body: of `POST /chat/completions`.
        null_content: `content` may be null beside calls.
        merged: two user messages must not stand side by side.
        strict_order: a user message must not follow a tool message (Mistral).
        named: a result must carry the name of its function.
    """
    messages: list[Message] = body["messages"]
    roles = [each["role"] for each in messages]
    neighbours = list(pairwise(roles))
    found = [*_tool_faults(body), *_call_faults(messages, named=named)]
    if "system" in roles[1:] or set(roles) - {"system", "user", "assistant", "tool"}:
        found.append(f"roles {roles}")
    if merged and ("user", "user") in neighbours:
        found.append("two user messages side by side")
    if strict_order and ("tool", "user") in neighbours:
        found.append("a user message after a tool message")
    for each in messages:
        empty_is_right = null_content and each["role"] == "assistant" and each.get("tool_calls")
        if not isinstance(each["content"], str) and not (each["content"] is None and empty_is_right):
            found.append(f"content {each['content']!r} of {each['role']}")
        if each["role"] == "assistant" and not each["content"] and not each.get("tool_calls"):
            found.append("an assistant message that says nothing")
    json.dumps(body, allow_nan=False).encode()
    return found


def _tool_faults(body: dict[str, Any]) -> Iterator[str]:
    if "tools" in body and not body["tools"]:
        yield "no tools"
    names = [each["function"]["name"] for each in body.get("tools", [])]
    if len(set(names)) < len(names) or not all(map(NAME.fullmatch, names)):
        yield f"tool names {names}"


def _call_faults(messages: Sequence[Message], *, named: bool) -> Iterator[str]:
    """Calls have valid names, ids and arguments, and each is answered once, in order, directly behind its message."""
    ids: list[str] = []
    due: list[tuple[str, str]] = []
    for each in messages:
        if each["role"] == "tool":
            call_id, name = due.pop(0) if due else (None, None)
            if each["tool_call_id"] != call_id or (named and each.get("name") != name):
                yield f"tool message {each['tool_call_id']} out of order"
            continue
        if due:
            yield f"no tool message for {due}"
        due = [(call["id"], call["function"]["name"]) for call in each.get("tool_calls", [])]
        ids += [call_id for call_id, _ in due]
        for call in each.get("tool_calls", []):
            if not NAME.fullmatch(call["function"]["name"]) or call["type"] != "function":
                yield f"call {call}"
            if not isinstance(json.loads(call["function"]["arguments"]), dict):
                yield f"arguments {call['function']['arguments']}"
        if "tool_calls" in each and not each["tool_calls"]:
            yield "an empty list of calls"
    if due:
        yield f"no tool message for {due}"
    if len(set(ids)) < len(ids) or not all(map(CALL_ID.fullmatch, ids)):
        yield f"ids {ids}"
