"""Everything that endpoints were seen to make of one good call: for servers that answer as no two endpoints do.

for quirk in quirks("get_weather", {"city": "Paris"}).values():
    server.answer_with(quirk.reply)         # a status, a body and headers
    assert what_ran in quirk.runs           # a call with other arguments must never run
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Literal

from tests.completions import call, calling, completion
from tests.scripted_model import Raw
from workflows.contract.values import Arguments

Then = Literal["runs", "answers", "told", "asked again", "cut off", "ends"]


@dataclass(frozen=True)
class Quirk:
    """A reply, and what is right after it.

    `runs` are the arguments of the calls of the tool that may run, in order; the tool's schema may still refuse them.

    Then:
        runs: the calls of `runs` run; of any others the model is told what is wrong with them.
        answers: it is the model's last word.
        told: nothing runs, and the model is told why and asked again.
        asked again: nothing runs, and the same question is put again.
        cut off: nothing runs; the answer is not whole.
        ends: nothing runs, and asking again would not help.
    """

    name: str
    reply: Raw
    then: Then
    runs: tuple[Arguments, ...] = ()
    leaked: bool = False
    """The call is in the text: a call where calls are taken from texts, and the answer where they are not."""


def quirks(tool: str, arguments: Arguments) -> dict[str, Quirk]:
    """By name, all replies around one call of `tool`, a declared one, with arguments that it accepts."""
    groups = (_written, _garbled, _unsayable, _streamed, _named, _wrapped, _shaped, _beside, _stopped, _leaked)
    found = [each for group in groups for each in group(tool, arguments)]
    found += [*_empty(), *_disguised(), *_refused(), *_busy()]
    by_name = {each.name: each for each in found}
    assert len(by_name) == len(found), "two quirks have one name"
    return by_name


def _ok(body: str) -> Raw:
    return Raw(200, body)


def _written(tool: str, arguments: Arguments) -> Iterator[Quirk]:
    """Arguments that are meant as they are, in other notations."""
    text = json.dumps(arguments)
    notations: dict[str, Any] = {
        "arguments as JSON text": text,
        "arguments as JSON text with spaces": json.dumps(arguments, indent=2),
        "arguments as an object": arguments,
        "arguments encoded twice": json.dumps(text),
    }
    for name, written in notations.items():
        yield Quirk(name, _ok(calling(call(written, tool))), "runs", (arguments,))
    nothing = {"empty": "", "blank": " \n", "null": None, "null as text": "null", "an empty object": "{}"}
    for name, written in nothing.items():
        yield Quirk(f"arguments {name}", _ok(calling(call(written, tool))), "runs", ({},))
    yield Quirk("arguments left out", _ok(calling({"id": "c1", "function": {"name": tool}})), "runs", ({},))
    nested = {name: json.dumps(each) for name, each in arguments.items() if isinstance(each, list | dict)}
    if nested:
        body = calling(call(json.dumps({**arguments, **nested}), tool))
        yield Quirk("lists and objects as JSON text within the arguments", _ok(body), "runs", (arguments,))


def _garbled(tool: str, arguments: Arguments) -> Iterator[Quirk]:
    """Arguments that cannot be read without a guess."""
    text = json.dumps(arguments)
    garbled: dict[str, Any] = {
        "cut off": text[:-1],
        "cut off in a text": '{"city": "Par',
        "in Python": "{'city': None}",
        "in a fence": f"```json\n{text}\n```",
        "in words": "the usual",
        "twice in a row": text + text,
        "with a comma too many": '{"city": "Paris",}',
        "with a name twice": '{"city": "Paris", "city": "Rome"}',
        "that are NaN": "NaN",
        "nested without end": '{"a":' * 5000,
        "encoded three times": json.dumps(json.dumps(text)),
        "as a list": json.dumps([text]),
        "as a list, not as text": [arguments],
        "as a number": 3,
        "as false": False,
    }
    for name, written in garbled.items():
        yield Quirk(f"arguments {name}", _ok(calling(call(written, tool))), "told")
    good, bad = call(text, tool), call(text[:-1], tool)
    yield Quirk("one good call and one cut off", _ok(calling(good, bad)), "runs", (arguments,))
    elsewhere = {"function": {"name": tool, "parameters": arguments or {"a": 1}}}
    yield Quirk("arguments in another field", _ok(calling(elsewhere)), "told")


def _unsayable(tool: str, arguments: Arguments) -> Iterator[Quirk]:
    """What Python's own `json` reads, and cannot be passed on as it is."""
    mended: dict[str, tuple[str, Arguments]] = {
        "NaN": ('{"days": NaN}', {"days": None}),
        "infinity": ('{"days": [-Infinity, 1e999]}', {"days": [None, None]}),
        "an endless number": (f'{{"days": {"9" * 5000}}}', {"days": None}),
        "half a surrogate pair": ('{"city": "\\ud83dParis"}', {"city": "\ufffdParis"}),
    }
    for name, (written, meant) in mended.items():
        yield Quirk(f"arguments with {name}", _ok(calling(call(written, tool))), "runs", (meant,))
        as_object = calling(call({}, tool)).replace('"arguments": {}', f'"arguments": {written}')
        yield Quirk(f"arguments with {name}, not as text", _ok(as_object), "runs", (meant,))
    named = calling(call(json.dumps(arguments), f"{tool}\ud83d"))
    yield Quirk("a name with half a surrogate pair", _ok(named), "told")
    yield Quirk("text with half a surrogate pair", _ok(completion({"content": "Sunny \ud83d."})), "answers")
    thought = calling(call(json.dumps(arguments), tool), reasoning="Hm \udc00.", content="\ud83d")
    yield Quirk("reasoning with half a surrogate pair", _ok(thought), "runs", (arguments,))
    for number in ("NaN", "Infinity", "-Infinity", "1e999", "9" * 5000):
        body = calling(call(json.dumps(arguments), tool), usage={"completion_tokens": 3, "cost": "?"})
        counted = _ok(body.replace('"?"', number))
        yield Quirk(f"a call with {number[:9]} in its usage", counted, "runs", (arguments,))
    twice = '{"choices": [{"message": {"content": "No.", "content": "Yes."}}]}'
    yield Quirk("content twice", _ok(twice), "answers")
    repeated = calling(call({}, tool)).replace('"arguments": {}', '"arguments": {"city": "Rome", "city": "Paris"}')
    yield Quirk("arguments with a name twice, not as text", _ok(repeated), "told")
    deep = completion({"content": "Sunny."}, details="?").replace('"?"', "[" * 300 + "]" * 300)
    yield Quirk("a field nested 300 levels deep", _ok(deep), "answers")
    yield Quirk("a byte order mark", _ok("\ufeff" + completion({"content": "Sunny."})), "answers")


def _streamed(tool: str, arguments: Arguments) -> Iterator[Quirk]:
    """A stream of events that nobody asked for."""
    text = json.dumps(arguments)
    begun = {"role": "assistant", "content": ""}
    says = [begun, {"content": "Sun"}, {"content": "ny."}]
    first = {"index": 0, "id": "c1", "type": "function", "function": {"name": tool, "arguments": ""}}
    pieces = [{"index": 0, "function": {"arguments": each}} for each in (text[:3], text[3:])]
    calls = [begun, *({"tool_calls": [each]} for each in (first, *pieces))]
    yield Quirk("a stream with text", streamed(*says), "answers")
    yield Quirk("a stream with a call", streamed(*calls, finish_reason="tool_calls"), "runs", (arguments,))
    yield Quirk("a stream without its last line", streamed(*says, done=False), "answers")
    yield Quirk("a stream without a reason to finish", streamed(*says, finish_reason=None), "answers")
    yield Quirk("a stream that breaks off", streamed(*calls, finish_reason=None, done=False), "asked again")
    whole = {**first, "function": {"name": tool, "arguments": text}}
    two = [{"tool_calls": [{**whole, "id": each}]} for each in ("c1", "c2")]
    yield Quirk("a stream with two calls of one index", streamed(*two), "runs", (arguments, arguments))
    broken = streamed(*calls[:2], finish_reason=None, done=False).body
    error = json.dumps({"error": {"message": "overloaded", "code": 503}})
    yield Quirk("a stream with an error in it", _stream(f"{broken}data: {error}\n\n"), "asked again")
    yield Quirk(
        "a stream with the event of an error", _stream(f'{broken}event: error\ndata: "busy"\n\n'), "asked again"
    )
    plain = completion({"content": "Sunny."})
    yield Quirk("JSON that is called a stream", _stream(plain), "answers")
    yield Quirk("a whole completion as an event", _stream(f"data: {plain}\n\n"), "answers")


def streamed(*deltas: Any, finish_reason: str | None = "stop", done: bool = True) -> Raw:
    """A stream with a chunk for each delta, one for its end, and one for its usage."""
    choices = [[{"index": 0, "delta": each, "finish_reason": None}] for each in deltas]
    if finish_reason:
        choices.append([{"index": 0, "delta": {}, "finish_reason": finish_reason}])
    chunks: list[Any] = [{"object": "chat.completion.chunk", "choices": each} for each in choices]
    if done:
        chunks.append({"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 3}})
    events = [": a comment", *(f"data: {json.dumps(each)}" for each in chunks), *(["data: [DONE]"] if done else [])]
    return _stream("".join(f"{each}\n\n" for each in events))


def _stream(body: str) -> Raw:
    return Raw(200, body, {"Content-Type": "text/event-stream"})


def _named(tool: str, arguments: Arguments) -> Iterator[Quirk]:
    for name in (f"{tool}<|channel|>commentary", f"functions.{tool}", f"functions.{tool}<|channel|>commentary"):
        yield Quirk(f"the name {name}", _ok(calling(call(json.dumps(arguments), name))), "runs", (arguments,))
    unknown: list[Any] = [f"{tool}_2", tool.upper() + "!", "", None, 3, [tool], f"tools.{tool}", "x" * 200, "a b/ü"]
    for name in unknown:
        yield Quirk(f"the name {name!r}", _ok(calling(call(json.dumps(arguments), name))), "told")


def _wrapped(tool: str, arguments: Arguments) -> Iterator[Quirk]:
    use = {"recipient_name": f"functions.{tool}", "parameters": arguments}
    for name in ("parallel", "multi_tool_use.parallel"):
        two = json.dumps({"tool_uses": [use, use]})
        yield Quirk(f"two calls within {name}", _ok(calling(call(two, name))), "runs", (arguments, arguments))
        odd = json.dumps({"tool_uses": [use, {**use, "recipient_name": "functions.nothing_like_it"}]})
        yield Quirk(f"a call and an unknown one within {name}", _ok(calling(call(odd, name))), "told")


def _shaped(tool: str, arguments: Arguments) -> Iterator[Quirk]:
    """Calls with fields that are missing, odd or too many."""
    text = json.dumps(arguments)
    good = call(text, tool)
    odd_fields: dict[str, dict[str, Any]] = {
        "no id": {"id": None},
        "an empty id": {"id": ""},
        "a number for an id": {"id": 7},
        "a long id": {"id": "call_" + "x" * 200},
        "no type": {"type": None},
        "a thought signature": {"extra_content": {"google": {"thought_signature": "Zm9v"}}},
    }
    for name, fields in odd_fields.items():
        yield Quirk(f"a call with {name}", _ok(calling({**good, **fields})), "runs", (arguments,))
    yield Quirk("two calls with one id", _ok(calling(good, good)), "runs", (arguments, arguments))
    yield Quirk("null beside a call", _ok(calling(None, good)), "runs", (arguments,))
    yield Quirk("an old-style call", _ok(_old_style(tool, text)), "runs", (arguments,))
    no_calls: dict[str, Any] = {
        "a function that is text": {"id": "c1", "type": "function", "function": tool},
        "a function that is null": {"id": "c1", "type": "function", "function": None},
        "no function": {"id": "c1", "name": tool, "arguments": text},
        "free text": {"id": "c1", "type": "custom", "custom": {"name": tool, "input": text}},
    }
    for name, made in no_calls.items():
        yield Quirk(f"a call with {name}", _ok(calling(made)), "told")
    yield Quirk("only null for a call", _ok(calling(None)), "told")
    yield Quirk("calls that are an object", _ok(completion({"content": None, "tool_calls": good})), "asked again")
    yield Quirk("calls without end", _ok(calling(*[good] * 200)), "asked again")


def _old_style(tool: str, arguments: str) -> str:
    return completion({"content": None, "function_call": {"name": tool, "arguments": arguments}}, "function_call")


def _beside(tool: str, arguments: Arguments) -> Iterator[Quirk]:
    """What stands beside a call, or instead of it."""
    good = call(json.dumps(arguments), tool)
    beside: dict[str, dict[str, Any]] = {
        "text": {"content": "Let me see."},
        "no content": {"content": ""},
        "parts": {"content": [{"type": "text", "text": "Let me see."}]},
        "reasoning": {"reasoning_content": "Hm.", "reasoning_details": [{"type": "reasoning.text", "text": "Hm."}]},
        "reasoning in the text": {"content": "<think>Hm.</think>"},
        "unfinished reasoning": {"content": "<think>Hm."},
        "an empty old-style call": {"function_call": {"name": "", "arguments": ""}},
        "an empty refusal": {"refusal": ""},
        "audio null": {"audio": None, "annotations": []},
    }
    for name, fields in beside.items():
        yield Quirk(f"a call beside {name}", _ok(calling(good, **fields)), "runs", (arguments,))
    odd_usage: list[Any] = [None, [], {"prompt_tokens": -1}, {"prompt_tokens": 1.5, "completion_tokens": "12"}]
    for usage in odd_usage:
        body = completion({"tool_calls": [good]}, "tool_calls", usage=usage)
        yield Quirk(f"a call with usage {json.dumps(usage)}", _ok(body), "runs", (arguments,))
    within = f"<tool_call>{json.dumps({'name': tool, 'arguments': arguments})}</tool_call>"
    only = completion({"content": None, "tool_calls": [], "reasoning_content": within})
    yield Quirk("a call only in the reasoning", _ok(only), "told")
    yield Quirk(
        "a call only in the reasoning within the text", _ok(completion({"content": f"<think>{within}"})), "told"
    )
    yield Quirk("calls promised and text given", _ok(completion({"content": "Sunny."}, "tool_calls")), "answers")
    yield Quirk("text in parts", _ok(completion({"content": [{"type": "text", "text": "Sunny."}]})), "answers")


def _stopped(tool: str, arguments: Arguments) -> Iterator[Quirk]:
    """Reasons to finish, true and untrue."""
    good = call(json.dumps(arguments), tool)
    for reason in ("stop", "tool_call", "eos", "", None):
        yield Quirk(
            f"a call that finished with {reason!r}", _ok(calling(good, finish_reason=reason)), "runs", (arguments,)
        )
    for reason in ("length", "max_tokens"):
        yield Quirk(f"a call that finished with {reason!r}", _ok(calling(good, finish_reason=reason)), "told")
        yield Quirk(f"text that finished with {reason!r}", _ok(completion({"content": "Sun"}, reason)), "cut off")
    yield Quirk("nothing that finished with 'length'", _ok(completion({"content": ""}, "length")), "cut off")
    thought = completion({"content": None, "reasoning": "Hm"}, "length")
    yield Quirk("reasoning that finished with 'length'", _ok(thought), "cut off")
    for reason in ("error", "abort"):
        yield Quirk(f"a call that finished with {reason!r}", _ok(calling(good, finish_reason=reason)), "asked again")
    yield Quirk("a call that was filtered", _ok(calling(good, finish_reason="content_filter")), "ends")
    yield Quirk("text that was filtered", _ok(completion({"content": "Sun"}, "content_filter")), "ends")
    yield Quirk("a refusal", _ok(completion({"content": None, "refusal": "I cannot."})), "ends")
    yield Quirk("a refusal beside a call", _ok(calling(good, refusal="I cannot.")), "ends")
    part = completion({"content": [{"type": "refusal", "refusal": "I cannot."}]})
    yield Quirk("a refusal in parts", _ok(part), "ends")


def _leaked(tool: str, arguments: Arguments) -> Iterator[Quirk]:
    one: dict[str, Any] = {"name": tool, "arguments": arguments}
    text = json.dumps(one)
    notations = {
        "JSON": text,
        "JSON with parameters": json.dumps({"name": tool, "parameters": arguments}),
        "a list": json.dumps([one]),
        "an object with calls": json.dumps({"tool_calls": [call(json.dumps(arguments), tool)]}),
        "Hermes": f"<tool_call>\n{text}\n</tool_call>",
        "Mistral": f"[TOOL_CALLS][{text}]",
        "Llama": f"<function={tool}>{json.dumps(arguments)}</function>",
        "Llama with a tag": f"<|python_tag|>{text}",
    }
    for name, content in notations.items():
        yield Quirk(f"leaked: {name}", _ok(completion({"content": content})), "runs", (arguments,), leaked=True)
    as_text = {"text before it": f"Well: {text}", "an unknown tool": json.dumps({**one, "name": f"{tool}_2"})}
    for name, content in {**as_text, "cut off": text[:-1]}.items():
        yield Quirk(f"leaked: {name}", _ok(completion({"content": content})), "answers")


def _empty() -> Iterator[Quirk]:
    """Status 200, and no completion."""
    bodies = {
        "nothing": "",
        "HTML": "<html><body>502 Bad Gateway</body></html>",
        "broken JSON": '{"choices": [{"message": {"content": "Sun',
        "null": "null",
        "a list": "[]",
        "text": '"Sunny."',
        "an empty object": "{}",
        "choices null": '{"choices": null}',
        "choices empty": '{"choices": []}',
        "a choice without a message": '{"choices": [{"index": 0}]}',
        "a message that is null": '{"choices": [{"message": null}]}',
        "a stream": 'data: {"choices": []}\n\ndata: [DONE]\n\n',
        "no content": completion({"content": None}),
        "blank content": completion({"content": " \n"}),
        "calls promised and none made": completion({"content": None, "tool_calls": []}, "tool_calls"),
    }
    for name, body in bodies.items():
        kind = "text/html" if name == "HTML" else "application/json"
        yield Quirk(f"no completion: {name}", Raw(200, body, {"Content-Type": kind}), "asked again")


def _disguised() -> Iterator[Quirk]:
    """Status 200, and an error."""
    may_pass: dict[str, Any] = {
        "text": {"error": "overloaded"},
        "a rate limit": {"error": {"message": "slow down", "code": 429}},
        "a server error": {"error": {"message": "broken", "type": "server_error", "code": None}},
        "vLLM": {"object": "error", "message": "broken", "type": "InternalServerError", "code": 500},
        "FastAPI": {"detail": "Internal Server Error"},
        "beside no choices": {"choices": [], "error": {"message": "broken", "code": 502}},
        "in a choice": {"choices": [{"finish_reason": "error", "error": {"message": "broken", "code": 502}}]},
    }
    stays: dict[str, Any] = {
        "a wrong key": {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}},
        "no money": {"error": {"message": "pay", "code": 429, "type": "insufficient_quota"}},
        "too long a prompt": {"error": {"message": "too long", "code": "context_length_exceeded"}},
        "vLLM, a bad request": {"object": "error", "message": "bad", "type": "BadRequestError", "code": 400},
    }
    for name, body in may_pass.items():
        yield Quirk(f"an error in disguise: {name}", _ok(json.dumps(body)), "asked again")
    for name, body in stays.items():
        yield Quirk(f"an error in disguise: {name}", _ok(json.dumps(body)), "ends")


def _error(status: int, message: str, code: str | None = None, **more: Any) -> Raw:
    kind = "invalid_request_error" if status < 429 else "server_error"
    return Raw(status, json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code, **more}}))


def _refused() -> Iterator[Quirk]:
    """Other statuses: what the endpoint says no to."""
    failed = '<function=get_weather>{"city": "Par</function>'
    message = "Failed to call a function. Please adjust your prompt."
    yield Quirk("400 calls unreadable", _error(400, message, "tool_use_failed", failed_generation=failed), "told")
    codes = {
        "context too long": (400, "context_length_exceeded"),
        "content filter": (400, "content_filter"),
        "unsupported parameter": (400, "unsupported_parameter"),
        "wrong key": (401, "invalid_api_key"),
        "no permission": (403, None),
        "no such model": (404, "model_not_found"),
        "too large": (413, None),
        "no such field": (422, None),
        "quota used up": (429, "insufficient_quota"),
    }
    for name, (status, code) in codes.items():
        yield Quirk(f"{status} {name}", _error(status, name, code), "ends")
    yield Quirk("404 HTML", Raw(404, "<html>Not Found</html>", {"Content-Type": "text/html"}), "ends")
    yield Quirk("401 nothing", Raw(401, ""), "ends")


def _busy() -> Iterator[Quirk]:
    """Other statuses: what passes. The pauses asked for are short, or nonsense."""
    soon, long_ago = datetime.now(UTC) + timedelta(seconds=1), datetime(2020, 1, 1, tzinfo=UTC)
    pauses = {
        "in seconds": {"Retry-After": "1"},
        "in seconds, now": {"Retry-After": "0"},
        "in seconds, not whole": {"Retry-After": "0.5"},
        "as a date": {"Retry-After": format_datetime(soon, usegmt=True)},
        "as a date that is past": {"Retry-After": format_datetime(long_ago, usegmt=True)},
        "in milliseconds": {"retry-after-ms": "200"},
        "in words": {"Retry-After": "soon"},
        "negative": {"Retry-After": "-1"},
        "empty": {"Retry-After": ""},
    }
    body = _error(429, "slow down", "rate_limit_exceeded").body
    for name, headers in pauses.items():
        yield Quirk(f"429 with a pause {name}", Raw(429, body, headers), "asked again")
    for status in (408, 409, 425, 429, 500, 502, 503, 504, 529):
        yield Quirk(f"{status}", _error(status, "busy"), "asked again")
    yield Quirk("503 with a pause", Raw(503, body, {"Retry-After": "1"}), "asked again")
    yield Quirk("500 text", Raw(500, "oops", {"Content-Type": "text/plain"}), "asked again")
    html = "<html><body><h1>503 Service Unavailable</h1></body></html>"
    yield Quirk("503 HTML", Raw(503, html, {"Content-Type": "text/html"}), "asked again")
