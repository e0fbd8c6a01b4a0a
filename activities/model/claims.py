"""Whether a summary claims an action that no receipt bears out.

A tool says by which words its action is told of: `claims="sent|emailed|mailed"`. A sentence with such a word, and
without one that denies or doubts it, claims the action. It is borne out if a call of the tool is done and, where the
sentence names values of the tool's grounded arguments (addresses), if each of them was in such a call.

So it notices "I emailed ann@example.com" without a mail to ann. It does not notice a false figure, a claim in other
words or another language, or a claim about the content of a mail.
"""

import re
from collections.abc import Iterable, Mapping

from pydantic import JsonValue

from activities.model.grounding import Heard, mentioned, occurs, texts
from activities.tool import Tool
from workflows.contract import AssistantEntry, Situation

DENIAL = re.compile(
    r"\b(not|no|never|nothing|nobody|cannot|unable|fail(ed|s|ure)?|invalid|rejected|refused|unknown|will|would|should"
    r"|could|can|may|might|if|whether)\b|n[’']t\b",
    re.IGNORECASE,
)


def unsupported(summary: str, situation: Situation, tools: Mapping[str, Tool], heard: Heard) -> tuple[str, ...]:
    """What the summary claims and no receipt bears out, in words for the model."""
    problems = (
        problem
        for sentence in re.split(r"(?<=[.!?])\s+|\n+", summary)
        if not DENIAL.search(sentence)
        for tool in tools.values()
        if any(re.search(rf"\b{re.escape(verb)}\b", sentence, re.IGNORECASE) for verb in tool.claim_verbs)
        for problem in _problems(sentence, tool, situation, heard)
    )
    return tuple(dict.fromkeys(problems))


def _problems(sentence: str, tool: Tool, situation: Situation, heard: Heard) -> Iterable[str]:
    done = _done(tool, situation)
    if not done:
        yield f"no call of {tool.name} has succeeded"
        return
    for name in tool.grounded:
        named = [value for value in mentioned(tool, name, heard) if occurs(value, sentence)]
        given = {value.casefold() for arguments in done for value in texts(arguments.get(name))}
        missing = [value for value in named if value.casefold() not in given]
        if missing:
            yield f"no call of {tool.name} to {', '.join(missing)} has succeeded"


def _done(tool: Tool, situation: Situation) -> list[Mapping[str, JsonValue]]:
    """The arguments that the tool's calls were done with: the model's, or what a person made of them."""
    return [
        call.arguments if call.told.arguments is None else call.told.arguments
        for entry in situation.conversation
        if isinstance(entry, AssistantEntry)
        for call in entry.calls
        if call.tool == tool.name and call.told and not call.told.failed
    ]
