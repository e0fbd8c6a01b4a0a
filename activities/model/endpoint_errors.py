"""What is wrong with a question, in the words of an endpoint: it is too long, withheld, or has what it does not take.

There is no standard for any of this. The words are those of OpenAI, Azure, vLLM, SGLang, llama.cpp, Ollama, Mistral,
Groq, OpenRouter, Anthropic, Google and TGI. Pure functions.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from activities.lenient_json import one_line
from activities.model.context_length import is_about_length
from activities.model.wire.event_stream import read_body
from activities.redaction import redacted

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
NO_COMMON_WORD = 9
"""Letters. The name of a field that has fewer may stand in any complaint."""
CODES = ("code", "type", "error_type", "status")
INVALID = frozenset({"400", "413", "422", "invalid_request_error", "INVALID_ARGUMENT", "BadRequestError", "validation"})
ABOUT_A_MESSAGE = re.compile(r"\bmessages?[\[.]|\brole\b|\btool_call_id\b", re.IGNORECASE)

OF_A_RESULT = re.compile(r"\bmessages?\b|\brole\b|\btool[ _]?(message|result)|function[ _]?response", re.IGNORECASE)
MISSING_NAME = re.compile(
    r"\bname\b.*(missing|required|empty|must|expected)|(missing|required|empty|must|expected).*\bname\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Complaint:
    """The body of a reply with an error status, as far as it says anything."""

    status: int
    words: str
    """What it says, on one line, with every secret taken out."""
    codes: frozenset[str] = frozenset()
    """Its `code`, `type` and `status`, and those of its parts."""
    param: str = ""
    failed_generation: str = field(default="", repr=False)
    """Groq: what the model wrote when it meant to call a function."""

    @property
    def is_about_length(self) -> bool:
        return is_about_length(self.status, self.words, self.codes)

    @property
    def is_of_an_invalid_question(self) -> bool:
        """Not of who asks, nor of how often: by its status, or under status 200 by its codes."""
        return self.status in (400, 413, 422) or (self.status == 200 and not self.codes.isdisjoint(INVALID))

    @property
    def is_about_content(self) -> bool:
        """A filter has withheld the question (Azure, OpenAI)."""
        return bool(self.codes & {"content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"})

    def asks_for(self, fields: Iterable[str]) -> bool:
        """Whether it names one of these, which were not sent: `thought_signature`, as thoughtSignature or in words."""
        words = _letters(self.words)
        return any(len(_letters(each)) >= NO_COMMON_WORD and _letters(each) in words for each in fields)

    @property
    def misses_a_name(self) -> bool:
        """On the result of a call (Gemini: "function_response.name: Name cannot be empty")."""
        return bool(OF_A_RESULT.search(self.words) and MISSING_NAME.search(self.words))

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


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text).casefold()


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
        codes=frozenset(str(code) for part in parts for name in CODES if isinstance(code := part.get(name), str | int)),
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
