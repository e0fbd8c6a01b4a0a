"""What an endpoint can do, as far as that is known before it is asked, and what it turns out to do otherwise.

"OpenAI-compatible" is a family of dialects; a profile says which of them an endpoint speaks. What it does not take
after all is taken off while a worker runs, and what it wants to have back is given back. Each such step is a short
text, which requests carry along:

    parallel_tool_calls: not taken (gpt-x answered 400: Unsupported parameter …)
    calling: native → json_schema (gpt-x answered 400: … does not support tools)
    extras: wanted (gemini-x answered 400: Function call is missing a thought_signature …)
    names: wanted (gemini-x answered 400: … function_response.name: Name cannot be empty)
"""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlsplit


class Calling(StrEnum):
    """How the model is told of its functions, and how it calls them. The best comes first."""

    NATIVE = "native"
    """By `tools` and `tool_calls`."""
    JSON_SCHEMA = "json_schema"
    """In an envelope of JSON, to which the endpoint holds the model (`response_format`)."""
    JSON_OBJECT = "json_object"
    """In the same envelope, told of in words; the endpoint sees to it that it is JSON."""
    PROMPT = "prompt"
    """In the same envelope, told of in words. Needs nothing of the endpoint."""


class Echo(StrEnum):
    """When the model's reasoning is given back to it."""

    NEVER = "never"
    ALWAYS = "always"
    TOOL_TURNS = "tool_turns"
    """Only beside tool calls."""


@dataclass(frozen=True)
class Profile:
    """What one endpoint takes. The defaults are the careful ones, for an endpoint of which nothing is known."""

    name: str
    callings: tuple[Calling, ...] = tuple(Calling)
    """What it takes of the ladder, best first; `PROMPT` is always the last. What is not in it is not to be sent."""
    parallel: bool | None = None
    """What `parallel_tool_calls` says; None leaves it out."""
    strict: bool = False
    """Functions whose schema is fit for it say `strict: true`, and the model is held to them."""
    caps: tuple[str, ...] = ("max_tokens", "max_completion_tokens")
    """The names under which it may know the limit of an answer's length; the first is sent."""
    null_content: bool = True
    """Beside tool calls without a text, `content` is null; otherwise the empty text."""
    merges_users: bool = True
    """Neighbouring user messages become one: many chat templates insist that roles alternate."""
    user_after_tool: bool = True
    """A user message may follow a tool message."""
    echo: Echo = Echo.NEVER
    reasoning_field: str = "reasoning_content"
    """The name under which reasoning is given back."""
    echoes_nothing: bool = False
    """Reasoning that was not kept is given back as the empty text."""
    extras: bool = False
    """What it has put on messages and calls beside the standard fields is given back."""
    constrained: bool = False
    """The endpoint holds the model's arguments to the functions' schemas while it decodes. Then a schema that lists the
    values which were mentioned keeps it from mistyping one. Elsewhere it would only break the prompt's cache."""
    names_results: bool = False
    """A result carries the name of its function beside the call's id. OpenAI's API has no such field; what puts a
    conversation into a model's own words may need it."""
    recover: bool = False
    """Calls that its parser left in the text are taken for calls."""

    @property
    def brief(self) -> bool:
        """Its model needs few words. One behind constrained decoding is small, and gets what it was trained on."""
        return not self.constrained

    @property
    def calling(self) -> Calling:
        return self.callings[0]

    def with_calling(self, calling: Calling) -> "Profile":
        """With nothing better than this."""
        return replace(self, callings=tuple(Calling)[tuple(Calling).index(calling) :])

    def after(self, steps: Iterable[str]) -> "Profile":
        """Without all that these steps took off, and with what they found wanted. A text that is no step changes
        nothing."""
        profile = self
        for step in steps:
            if (parameter := _parameter(step)) is not None:
                profile = profile._with(parameter) if _is_wanted(step) else profile._without(parameter)
        return profile

    def step(self, parameter: str, because: str) -> str:
        """The text of the step that takes a parameter off, or a calling."""
        if parameter in tuple(Calling):
            return f"calling: {parameter} → {self._below(Calling(parameter))} ({because})"
        return f"{parameter}: not taken ({because})"

    def step_back(self, parameter: str, because: str) -> str:
        """The text of the step that gives something back: `extras`, `names`, or reasoning by the name of its field."""
        return f"{parameter}: wanted ({because})"

    def _below(self, calling: Calling) -> Calling:
        rungs = tuple(Calling)
        return next((each for each in self.callings if rungs.index(each) > rungs.index(calling)), Calling.PROMPT)

    def _without(self, parameter: str) -> "Profile":
        if parameter in tuple(Calling):
            left = tuple(each for each in self.callings if each != parameter)
            return replace(self, callings=left or (Calling.PROMPT,))
        if parameter in self.caps:
            return replace(self, caps=tuple(each for each in self.caps if each != parameter))
        match parameter:
            case "parallel_tool_calls":
                return replace(self, parallel=None)
            case "strict":
                return replace(self, strict=False)
            case self.reasoning_field:
                return replace(self, echo=Echo.NEVER)
            case _:
                return self

    def _with(self, parameter: str) -> "Profile":
        match parameter:
            case "extras":
                return replace(self, extras=True)
            case "names":
                return replace(self, names_results=True)
            case self.reasoning_field if self.echo is Echo.NEVER:
                return replace(self, echo=Echo.TOOL_TURNS, echoes_nothing=True)
            case _:
                return self


def _parameter(step: str) -> str | None:
    """What a step is about."""
    found = re.match(r"calling: (\w+) → |(\w+): (?:not taken|wanted)\b", step)
    return found and (found[1] or found[2])


def _is_wanted(step: str) -> bool:
    return re.match(r"\w+: wanted\b", step) is not None


COMPATIBLE = Profile("compatible")
OF_OPENAI = ("max_completion_tokens", "max_tokens")
PROFILES = {
    each.name: each
    for each in (
        COMPATIBLE,
        # Its reasoning models refuse `max_tokens`, and some of them `parallel_tool_calls`, which is true by default.
        Profile("openai", caps=OF_OPENAI, strict=True, merges_users=False),
        Profile("vllm", caps=OF_OPENAI, recover=True, names_results=True),
        Profile("sglang", caps=OF_OPENAI, recover=True, names_results=True),
        # Makes one call at a time unless it is told otherwise.
        Profile("llama.cpp", parallel=True, recover=True, constrained=True, names_results=True),
        # Ignores what it does not know, `max_completion_tokens` and `parallel_tool_calls` among them.
        Profile("ollama", caps=("max_tokens",), recover=True, names_results=True),
        Profile("mistral", caps=("max_tokens",), null_content=False, user_after_tool=False, names_results=True),
        Profile("groq", caps=OF_OPENAI),
        # Refuses to go on after its own calls without the reasoning that led to them.
        Profile("deepseek", caps=("max_tokens",), echo=Echo.TOOL_TURNS),
        # Signs its calls (`extra_content`), and wants the signature back.
        Profile("gemini", extras=True, names_results=True),
    )
}
"""By name. Only `llama.cpp` has been tried; what the others say comes from their documentation and issues."""

HOSTS = {
    "api.openai.com": "openai",
    "openai.azure.com": "openai",
    "api.mistral.ai": "mistral",
    "api.groq.com": "groq",
    "api.deepseek.com": "deepseek",
    "generativelanguage.googleapis.com": "gemini",
    "ollama.com": "ollama",
}
OLLAMA_PORT = 11434


def profile_for(base_url: str) -> Profile:
    """What the host or the port says; `compatible`, where they say nothing."""
    url = urlsplit(base_url)
    host = url.hostname or ""
    known = next((name for end, name in HOSTS.items() if host == end or host.endswith(f".{end}")), None)
    return PROFILES[known or ("ollama" if url.port == OLLAMA_PORT else "compatible")]


MOST_REMEMBERED = 100


class LearnedLimits:
    """What a worker has found out about its endpoint: the steps that its own questions led to, for a time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._steps: dict[str, float] = {}
        self._failures: dict[int, int] = {}

    def add(self, step: str, *, for_seconds: float) -> None:
        if _parameter(step) not in map(_parameter, self.steps()):
            self._steps[step] = self._clock() + for_seconds

    def steps(self) -> tuple[str, ...]:
        now = self._clock()
        self._steps = {step: until for step, until in self._steps.items() if now < until}
        return tuple(self._steps)

    def same_failure(self, failure: tuple[object, ...]) -> int:
        """How often this very failure has been seen by now."""
        times = self._failures.pop(hash(failure), 0) + 1
        self._failures[hash(failure)] = times
        while len(self._failures) > MOST_REMEMBERED:
            del self._failures[next(iter(self._failures))]
        return times


def of_each_once(steps: Iterable[str]) -> tuple[str, ...]:
    """The first step of those that are about the same."""
    found: dict[str, str] = {}
    for step in steps:
        if (parameter := _parameter(step)) is not None:
            found.setdefault(parameter, step)
    return tuple(found.values())


def is_taken_off(parameter: str, steps: Iterable[str]) -> bool:
    return any(_parameter(step) == parameter and not _is_wanted(step) for step in steps)


def is_wanted(parameter: str, steps: Iterable[str]) -> bool:
    return any(_parameter(step) == parameter and _is_wanted(step) for step in steps)
