"""What is wrong with a question, in the words of an endpoint: it is too long, withheld, or has what it does not take.

There is no standard for any of this. The words are those of OpenAI, Azure, vLLM, SGLang, llama.cpp, Ollama, Mistral,
Groq, OpenRouter, Anthropic, Google and TGI. Pure functions.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from activities.model.event_stream import read_body
from activities.model.json_text import one_line
from activities.redaction import redacted

TOO_LONG_CODES = frozenset({"context_length_exceeded", "exceed_context_size_error", "string_above_max_length"})
TOO_LONG = re.compile(
    r"maximum context length|context length exceeded|model's context length|maximum model length"
    r"|maximum prompt length|context (size|window|limit|length)\b.{0,40}\bexceed|exceeds?\b.{0,60}\bcontext"
    r"|(prompt|input|request|context) (is )?too (long|large)|too large for model"
    r"|reduce the length of the (messages|input|prompt)|tokens must be reduced"
    r"|token count\b.{0,40}\bexceeds|max_new_tokens. must be <=",
    re.IGNORECASE | re.DOTALL,
)

TOOLS = re.compile(r"\b(tools?|functions?)\b|\b(tool|function)[ _-]?(choice|use|calls?|calling)\b", re.IGNORECASE)
NOT_TAKEN = re.compile(
    r"support|allow|permit|enable|requires?\b|unknown|unrecogni[sz]ed|unexpected|extra (input|field)"
    r"|not available|not implemented|invalid (parameter|argument|field)",
    re.IGNORECASE,
)
FORMATS = re.compile(
    r"response[ _]format|json[ _-]?(schema|object|mode)|grammar|guided|structured output", re.IGNORECASE
)
ABOUT_A_SCHEMA = re.compile(r"schema|strict|additionalProperties|'required'", re.IGNORECASE)
OUT_OF_RANGE = re.compile(
    r"too (large|small|high|low|big)|at (most|least)|must be (less|greater|between|>|<)", re.IGNORECASE
)
ABOUT_A_MESSAGE = re.compile(r"\bmessages?[\[.]|\brole\b|\btool_call_id\b", re.IGNORECASE)


@dataclass(frozen=True)
class Complaint:
    """The body of a reply with an error status, as far as it says anything."""

    status: int
    words: str
    """What it says, on one line, with every secret taken out."""
    codes: frozenset[str] = frozenset()
    """Its `code` and `type`, and those of its parts."""
    param: str = ""
    failed_generation: str = field(default="", repr=False)
    """Groq: what the model wrote when it meant to call a function."""

    @property
    def is_about_length(self) -> bool:
        return self.status == 413 or bool(self.codes & TOO_LONG_CODES) or is_about_length(self.words)

    @property
    def is_about_content(self) -> bool:
        """A filter has withheld the question (Azure, OpenAI)."""
        return bool(self.codes & {"content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"})

    def names(self, sent: Sequence[str]) -> str | None:
        """The first of what was sent that is not taken, as far as the words say."""
        top = re.split(r"[.\[]", self.param)[0]
        if top == "tools" and "strict" in sent and ABOUT_A_SCHEMA.search(self.words):
            return "strict"
        named = [each for each in sent if each == top] or [each for each in sent if self._mentions(each)]
        return named[0] if named and not OUT_OF_RANGE.search(self.words) else None

    def _mentions(self, parameter: str) -> bool:
        match parameter:
            case "tools":
                said = TOOLS.search(self.words) and NOT_TAKEN.search(self.words)
                return bool(said) and not ABOUT_A_MESSAGE.search(self.words)
            case "response_format":
                return FORMATS.search(self.words) is not None
            case _:
                return re.search(rf"(?<![\w-]){parameter}(?!\w)", self.words) is not None


def is_about_length(words: str) -> bool:
    return TOO_LONG.search(words) is not None


def complaint(status: int, body: str) -> Complaint:
    """Read whatever an endpoint sends with an error status: JSON of many shapes, HTML, or nothing."""
    try:
        found = read_body(body)
    except ValueError:
        found = None
    parts = list(_objects(found, levels=4))

    def first(*names: str) -> str:
        text = next((text for part in parts for text in _texts(part, *names)), "")
        return redacted(text)  # some endpoints quote the key that they refuse

    return Complaint(
        status=status,
        words=one_line(first("message", "detail", "error") or redacted(body)),
        codes=frozenset(text for part in parts for text in _texts(part, "code", "type")),
        param=first("param"),
        failed_generation=first("failed_generation"),
    )


def _objects(value: JsonValue, levels: int) -> Iterable[dict[str, JsonValue]]:
    """The errors in a body, from the outside in; some gateways put one into the text of another."""
    if levels == 0:
        return
    match value:
        case dict():
            inner = [
                value[name] for name in ("error", "innererror", "inner_error", "detail", "metadata") if name in value
            ]
            found = [each for part in inner for each in _objects(part, levels - 1)]
            yield from [*found, value]
        case list():
            for each in value[:3]:
                yield from _objects(each, levels - 1)
        case _:
            pass


def _texts(part: dict[str, JsonValue], *names: str) -> list[str]:
    values = (part.get(name) for name in names)
    return [each for each in values if isinstance(each, str) and each]
