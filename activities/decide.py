"""`decide`: what the model wants done next. The schemas, the policy and the system prompt stay in the worker."""

import hashlib
import re
from collections.abc import Iterable, Mapping

from openai.types.chat import (
    ChatCompletionAssistantMessageParam,
    ChatCompletionMessageFunctionToolCallParam,
    ChatCompletionMessageParam,
    ChatCompletionToolParam,
)
from pydantic_core import to_json
from temporalio import activity

from activities.claims import unsupported
from activities.endpoint import Endpoint
from activities.errors import InvalidArguments
from activities.execution import translated
from activities.grounding import narrowed, texts, ungrounded
from activities.policy import Policy
from activities.replies import RawCall, read
from activities.tool import Tool
from workflows.contract import (
    CHECK,
    DECIDE,
    Arguments,
    AssistantEntry,
    Decision,
    Entry,
    NoteEntry,
    ProposedCall,
    Situation,
    ToolCall,
    ToolEntry,
    UserEntry,
)

SYSTEM_PROMPT = (
    "You carry out requests by calling functions. "
    "Take every value from the request or from an earlier result; never make one up. "
    "Do only what is asked for. "
    "When it is done, say in one or two plain sentences what was done and what was found, from the results. "
    "If something could not be done, say so."
)
LONGEST_NAME = 64
LONGEST_ERROR = 4000
LONGEST_ARGUMENTS = 64 * 1024
"""Bytes of JSON. Longer ones would not fit, many times over, into what a request carries."""


class Decide:
    """Asks the model, holds what it wants to the schemas, and says of each call how it is to be run."""

    def __init__(
        self,
        endpoint: Endpoint,
        tools: Mapping[str, Tool],
        policy: Policy,
        address_book: tuple[str, ...] = (),
        system_prompt: str | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._tools = tools
        self._policy = policy
        self._address_book = address_book
        self._system_prompt = SYSTEM_PROMPT if system_prompt is None else system_prompt.strip()
        self._schemas = {name: tool.schema() for name, tool in tools.items()}
        # Reads first: what changes from request to request then comes last, and endpoints cache what comes before it.
        self._in_order = sorted(tools.values(), key=lambda tool: (bool(tool.grounded), tool.route.effect, tool.name))

    @activity.defn(name=DECIDE)
    async def decide(self, situation: Situation) -> Decision:
        """One question to the model.

        Raises:
            ApplicationError: of type ModelUnavailable, ModelReplyUnusable or ModelRefused.
        """
        with translated():
            messages = to_messages(self._system_prompt, situation.conversation)
            reply = read(await self._endpoint.ask(messages, self._offer(situation)))
        calls = tuple(self._propose(call, situation) for call in reply.calls)
        attempts = activity.info().attempt
        claims = () if calls else unsupported(reply.text, situation, self._tools, self._address_book)
        usage = reply.usage.model_copy(update={"model_calls": attempts})
        return Decision(text=reply.text, calls=calls, usage=usage, unsupported=claims)

    @activity.defn(name=CHECK)
    async def check(self, call: ToolCall) -> ProposedCall:
        """Hold a call that a person has edited to the schema and the policy."""
        return self._propose(RawCall(call.tool, call.arguments), Situation(requester=call.requester, conversation=()))

    def _offer(self, situation: Situation) -> list[ChatCompletionToolParam]:
        return [self._offer_one(tool, situation) for tool in self._in_order]

    def _offer_one(self, tool: Tool, situation: Situation) -> ChatCompletionToolParam:
        schema = narrowed(tool, situation, self._address_book) if tool.grounded else self._schemas[tool.name]
        return {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": {**schema}},
        }

    def _propose(self, call: RawCall, situation: Situation) -> ProposedCall:
        if len(to_json(call.arguments)) > LONGEST_ARGUMENTS:
            call = RawCall(call.tool, {}, f"the arguments are longer than {LONGEST_ARGUMENTS:,} bytes")
        tool = self._tools.get(call.tool)
        if tool is None:
            known = ", ".join(self._tools)
            return _not_to_run(call, f"there is no function {call.tool[:LONGEST_NAME]!r}; the functions are: {known}")
        try:
            if call.problem:
                raise InvalidArguments(call.problem)
            valid = tool.validate(call.arguments)
        except InvalidArguments as error:
            return _not_to_run(call, str(error), hint=f"the arguments must fit {to_json(tool.schema()).decode()}")
        ruling, reason = self._policy.rule_on(
            tool, call.arguments, situation.requester, as_used=valid.model_dump(mode="json")
        )
        loose = ungrounded(tool, call.arguments, situation, self._address_book)
        route = tool.route.model_copy(update={"ruling": ruling, "reason": reason, "ungrounded": loose})
        # As they will be used: who approves an address sees the domain that mail goes to.
        used: Arguments = valid.model_dump(mode="json", exclude_unset=True)
        targets = tuple(sorted(text.casefold() for name in tool.grounded for text in texts(used.get(name))))
        return ProposedCall(tool=call.tool, arguments=used, about=tool.describe(used), targets=targets, route=route)


def to_messages(system_prompt: str, conversation: Iterable[Entry]) -> list[ChatCompletionMessageParam]:
    """The conversation as every endpoint accepts it: one system message, arguments that are valid JSON, and exactly one
    tool message for each call, in order, under an id of nine letters and digits (what Mistral asks for)."""
    messages: list[ChatCompletionMessageParam] = []
    if system_prompt:
        messages.append({"role": "system", "content": system_prompt})
    for entry in conversation:
        match entry:
            case UserEntry() | NoteEntry():
                messages.append({"role": "user", "content": entry.text})
            case AssistantEntry():
                messages.append(_assistant_message(entry))
            case ToolEntry():
                # `name` is not in the client's type for tool messages, yet several endpoints insist on it.
                told = {"role": "tool", "tool_call_id": _call_id(entry.position), "content": entry.text}
                messages.append({**told, "name": _sendable(entry.tool)})  # pyright: ignore[reportArgumentType]
    return messages


def _assistant_message(entry: AssistantEntry) -> ChatCompletionAssistantMessageParam:
    calls: list[ChatCompletionMessageFunctionToolCallParam] = [
        {
            "id": _call_id(call.position),
            "type": "function",
            "function": {"name": _sendable(call.tool), "arguments": to_json(call.arguments).decode()},
        }
        for call in entry.calls
    ]
    if not calls:
        return {"role": "assistant", "content": entry.text}
    return {"role": "assistant", "content": entry.text or None, "tool_calls": calls}


def _sendable(name: str) -> str:
    """A name as endpoints accept it: one that the model made up may be anything, and would poison the conversation."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:LONGEST_NAME] or "_"


def _call_id(position: str) -> str:
    return hashlib.sha256(position.encode()).hexdigest()[:9]


def _not_to_run(call: RawCall, error: str, *, hint: str = "") -> ProposedCall:
    return ProposedCall(tool=call.tool[:LONGEST_NAME], arguments=call.arguments, error=error[:LONGEST_ERROR], hint=hint)
