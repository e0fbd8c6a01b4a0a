"""`decide`: what the model wants done next. The schemas, the policy and the system prompt stay in the worker."""

import hashlib
from collections.abc import Iterable, Mapping

from openai.types.chat import (
    ChatCompletionAssistantMessageParam,
    ChatCompletionMessageFunctionToolCallParam,
    ChatCompletionMessageParam,
    ChatCompletionToolParam,
)
from pydantic_core import to_json
from temporalio import activity

from activities.catalogue import translated
from activities.endpoint import Endpoint
from activities.errors import InvalidArguments
from activities.policy import Policy, ungrounded
from activities.replies import RawCall, read
from activities.tool import Tool
from workflows.contract import (
    DECIDE,
    AssistantEntry,
    Decision,
    Entry,
    ProposedCall,
    Situation,
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
        system_prompt: str = SYSTEM_PROMPT,
    ) -> None:
        self._endpoint = endpoint
        self._tools = tools
        self._policy = policy
        self._address_book = address_book
        self._system_prompt = system_prompt
        self._offered = [_offer(tool) for tool in tools.values()]

    @activity.defn(name=DECIDE)
    async def decide(self, situation: Situation) -> Decision:
        """One question to the model.

        Raises:
            ApplicationError: of type ModelUnavailable, ModelReplyUnusable or ModelRefused.
        """
        with translated():
            messages = to_messages(self._system_prompt, situation.conversation)
            reply = read(await self._endpoint.ask(messages, self._offered))
        calls = tuple(self._propose(call, situation) for call in reply.calls)
        attempts = activity.info().attempt
        return Decision(text=reply.text, calls=calls, usage=reply.usage.model_copy(update={"model_calls": attempts}))

    def _propose(self, call: RawCall, situation: Situation) -> ProposedCall:
        tool = self._tools.get(call.tool)
        if tool is None:
            known = ", ".join(self._tools)
            return _not_to_run(call, f"there is no function {call.tool!r}; the functions are: {known}")
        try:
            if call.problem:
                raise InvalidArguments(call.problem)
            if len(to_json(call.arguments)) > LONGEST_ARGUMENTS:
                raise InvalidArguments(f"the arguments are longer than {LONGEST_ARGUMENTS:,} bytes")
            tool.validate(call.arguments)
        except InvalidArguments as error:
            return _not_to_run(call, f"{error}. The arguments must fit {to_json(tool.schema()).decode()}")
        ruling, reason = self._policy.rule_on(tool, call.arguments, situation.requester)
        loose = ungrounded(tool, call.arguments, situation, self._address_book)
        route = tool.route.model_copy(update={"ruling": ruling, "reason": reason, "ungrounded": loose})
        about = tool.describe(call.arguments)
        return ProposedCall(tool=call.tool, arguments=call.arguments, about=about, route=route)


def to_messages(system_prompt: str, conversation: Iterable[Entry]) -> list[ChatCompletionMessageParam]:
    """The conversation as every endpoint accepts it: one system message, arguments that are valid JSON, and exactly one
    tool message for each call, in order, under an id of nine letters and digits (what Mistral asks for)."""
    messages: list[ChatCompletionMessageParam] = []
    if system_prompt:
        messages.append({"role": "system", "content": system_prompt})
    for entry in conversation:
        match entry:
            case UserEntry():
                messages.append({"role": "user", "content": entry.text})
            case AssistantEntry():
                messages.append(_assistant_message(entry))
            case ToolEntry():
                # `name` is not in the client's type for tool messages, yet several endpoints insist on it.
                told = {"role": "tool", "tool_call_id": _call_id(entry.position), "content": entry.text}
                messages.append({**told, "name": entry.tool})  # pyright: ignore[reportArgumentType]
    return messages


def _assistant_message(entry: AssistantEntry) -> ChatCompletionAssistantMessageParam:
    calls: list[ChatCompletionMessageFunctionToolCallParam] = [
        {
            "id": _call_id(call.position),
            "type": "function",
            "function": {"name": call.tool, "arguments": to_json(call.arguments).decode()},
        }
        for call in entry.calls
    ]
    return {"role": "assistant", "content": entry.text or None, "tool_calls": calls}


def _call_id(position: str) -> str:
    return hashlib.sha256(position.encode()).hexdigest()[:9]


def _offer(tool: Tool) -> ChatCompletionToolParam:
    schema: dict[str, object] = {**tool.schema()}
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": schema},
    }


def _not_to_run(call: RawCall, error: str) -> ProposedCall:
    return ProposedCall(tool=call.tool, arguments=call.arguments, error=error)
