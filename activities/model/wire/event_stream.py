"""A chat completion that came as a stream of events, although nobody had asked for one: folded into one completion.

    data: {"choices": [{"index": 0, "delta": {"content": "It is "}}]}

    data: {"choices": [{"index": 0, "delta": {"content": "21 °C."}, "finish_reason": "stop"}]}

    data: [DONE]

Pure functions. The events: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream; what
is in them: https://platform.openai.com/docs/api-reference/chat/streaming
"""

import re
from collections.abc import Iterable, Iterator

from pydantic import JsonValue

from activities.lenient_json import Object, decode, is_object, passable
from activities.model.wire.reply_errors import error_in

LONGEST_JSON = 4 * 1024 * 1024
"""Characters of a body that is no stream. No completion is longer, and such JSON may take 100 MB once it is read."""
MOST_EVENTS = 200_000
"""No model writes so many tokens at once."""
BROKEN_OFF = "the stream has no end"
"""The `finish_reason` of a completion whose stream ends before it says so."""

_BEGINNING = re.compile(r"[\ufeff\s]*(?:data|event|id|retry)?:")
_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\r|\n|\Z)")
_DONE = "[DONE]"
_IN_PIECES = frozenset({"content", "refusal", "reasoning", "reasoning_content", "arguments"})
"""Texts of which each event brings a further piece. Of any other text the last one stands."""

Gathered = dict[str, list[JsonValue]]
"""All that came of an object, by the name of the field."""


def read_body(body: str) -> JsonValue:
    """What the body of a reply says, as JSON or in a stream; all of it can be passed on.

    Raises:
        ValueError: it is neither, or too long.
    """
    if is_event_stream(body):
        return passable(folded(body))
    if len(body) > LONGEST_JSON:
        raise ValueError(f"it has {len(body):,} characters, and {LONGEST_JSON:,} are the most")
    return passable(decode(body))


def is_event_stream(body: str) -> bool:
    return _BEGINNING.match(body) is not None


def folded(body: str) -> JsonValue:
    """The completion that the events make up, or the error that one of them is.

    Raises:
        ValueError: there is no event that can be read, or there are too many.
    """
    completion: Object = {}
    choice: Object = {}
    message: Gathered = {}
    for number, chunk in enumerate(_chunks(body)):
        if number == MOST_EVENTS:
            raise ValueError(f"it has more than {MOST_EVENTS:,} events")
        if chunk == _DONE:
            choice.setdefault("finish_reason", None)
            break
        if error_in(chunk) is not None:
            return chunk
        if is_object(chunk):
            completion.update(_given(chunk))
            piece = _first_choice(chunk)
            choice.update(_given(piece))
            _gather(message, piece.get("delta") or piece.get("message"))
    if not completion:
        raise ValueError("there is no event that can be read")
    choice.setdefault("finish_reason", BROKEN_OFF)
    return {**completion, "choices": [{**choice, "message": _whole(message)}]}


def _chunks(body: str) -> Iterator[JsonValue]:
    """What each event says, up to the first that cannot be read."""
    for name, data in _events(body):
        for text in [data] if _is_json(data) else data.split("\n"):
            try:
                chunk = _DONE if text.strip() == _DONE else decode(text)
            except ValueError:
                return
            yield {"error": chunk} if name == "error" and error_in(chunk) is None else chunk


def _is_json(text: str) -> bool:
    """Some servers leave out the empty lines between their events; then it is several."""
    if "\n" not in text:
        return True
    try:
        decode(text)
    except ValueError:
        return False
    return True


def _events(body: str) -> Iterator[tuple[str, str]]:
    """The name and the data of each. The empty line after the last may be missing."""
    name, data = "", list[str]()
    for found in _LINE.finditer(body.lstrip("\ufeff")):
        line = found[1]
        field, _, value = line.partition(":")
        if field == "data":
            data.append(value.removeprefix(" "))
            if len(data) > MOST_EVENTS:
                raise ValueError(f"it has an event of more than {MOST_EVENTS:,} lines")
        elif field == "event":
            name = value.strip()
        elif not line:
            if data:
                yield name, "\n".join(data)
            name, data = "", []


def _first_choice(chunk: Object) -> Object:
    choices = chunk.get("choices")
    for piece in filter(is_object, choices if isinstance(choices, list) else []):
        if piece.get("index") in (0, None):
            return piece
    return {}


def _given(fields: Object) -> Object:
    return {name: value for name, value in fields.items() if value is not None}


def _gather(gathered: Gathered, piece: JsonValue) -> None:
    if is_object(piece):
        for name, value in _given(piece).items():
            gathered.setdefault(name, []).append(value)


def _gathered(pieces: Iterable[JsonValue]) -> Gathered:
    gathered: Gathered = {}
    for piece in pieces:
        _gather(gathered, piece)
    return gathered


def _whole(gathered: Gathered) -> Object:
    return {name: _field(name, values) for name, values in gathered.items()}


def _field(name: str, values: list[JsonValue]) -> JsonValue:
    texts = [value for value in values if isinstance(value, str)]
    if name in ("function", "function_call"):
        return _whole(_gathered(values))
    if name == "name" and texts:
        return texts[0] if len(set(texts)) == 1 else "".join(texts)
    if name in _IN_PIECES and len(texts) == len(values):
        return "".join(texts)
    lists = [value if isinstance(value, list) else [value] for value in values]
    if name == "tool_calls":
        return [_whole(_gathered(pieces)) for pieces in _by_call(each for some in lists for each in some)]
    if any(isinstance(value, list) for value in values):
        return [each for some in lists for each in some]
    return values[-1]


def _by_call(pieces: Iterable[JsonValue]) -> list[list[JsonValue]]:
    """The pieces of each call: those of one `index`, or without any those up to the next `id`. Some endpoints give
    every call the index 0; another id is another call."""
    calls: list[list[JsonValue]] = []
    ids: list[JsonValue] = []
    by_index: dict[int, int] = {}
    for piece in filter(is_object, pieces):
        index, id_ = piece.get("index"), piece.get("id")
        at = by_index.get(index) if isinstance(index, int) else len(calls) - 1 if calls else None
        if at is None or (id_ and ids[at] and ids[at] != id_):
            at = len(calls)
            calls.append([])
            ids.append(None)
        if isinstance(index, int):
            by_index[index] = at
        ids[at] = ids[at] or id_
        calls[at].append(piece)
    return calls
