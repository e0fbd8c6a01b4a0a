"""The functions as the model is offered them. What does not change from question to question is made once."""

from collections.abc import Iterable, Mapping

from openai.types.chat import ChatCompletionToolParam
from pydantic import JsonValue
from pydantic_core import to_json

from activities.errors import ConfigurationError
from activities.model.grammar import is_strict
from activities.model.grounding import Heard, narrowed
from activities.model.transcript import Offer
from activities.toolkit.function_names import sendable
from activities.toolkit.tool import Tool
from workflows.contract.values import Schema

TYPE_ALONE = ("type", "format", "enum", "default", "items")
"""What is said of an argument that is clear by its name."""


class Offers:
    """All tools of a worker, under names that every endpoint accepts.

    Raises:
        ConfigurationError: two tools have the same such name.
    """

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        # Reads first: what changes from request to request then comes last, and endpoints cache what comes before it.
        order = sorted(tools.values(), key=lambda tool: (bool(tool.grounded), tool.route.effect, tool.name))
        self._tools = {tool.name: tool for tool in order}
        self.names = (*self._tools,)
        self._names = {sendable(name): name for name in self.names}
        if len(self._names) < len(self.names):
            raise ConfigurationError(f"ERRAND_TOOLS: two tools become the same name: {', '.join(sorted(self.names))}")
        self._offers: dict[str, Offer] = {}
        self._params: dict[tuple[int, bool, bool], ChatCompletionToolParam] = {}

    def of(self, heard: Heard, names: Iterable[str] | None = None) -> list[Offer]:
        """With the values that grounded arguments may have now; by default, of all tools."""
        return [self._narrowed(self._tools[name], heard) for name in self._those(names)]

    def full(self, names: Iterable[str] | None = None) -> list[Offer]:
        """With every value that grounded arguments may ever have: what a call is held to. Whether somebody mentioned
        the value is asked of the call, and a person may allow one that nobody did."""
        return [self._offer(name) for name in self._those(names)]

    def params(self, offers: Iterable[Offer], *, strict: bool, brief: bool = False) -> list[ChatCompletionToolParam]:
        """Offers as `tools` of a completion."""
        return [self._param(offer, strict=strict, brief=brief) for offer in offers]

    def in_order(self, names: Iterable[str]) -> list[str]:
        """The same names, in the order in which they are offered."""
        wanted = {*names}
        return [name for name in self.names if name in wanted]

    def size(self, name: str) -> int:
        """The bytes of a function as it is sent at most."""
        return len(to_json(as_param(self._offer(name))))

    def tool_named(self, name: str) -> str:
        """The tool that is offered under a name; a name that nothing is offered under stays what it is."""
        return self._names.get(name, name)

    def _those(self, names: Iterable[str] | None) -> Iterable[str]:
        return self.names if names is None else (name for name in names if name in self._tools)

    def _offer(self, name: str) -> Offer:
        if name not in self._offers:
            tool = self._tools[name]
            schema = {**tool.parameters.schema.document}
            self._offers[name] = Offer(sendable(name), tool.description, schema, tool.self_evident)
        return self._offers[name]

    def _narrowed(self, tool: Tool, heard: Heard) -> Offer:
        offer = self._offer(tool.name)
        if not tool.grounded:
            return offer
        return Offer(offer.name, offer.description, narrowed(tool, heard), offer.self_evident)

    def _param(self, offer: Offer, *, strict: bool, brief: bool) -> ChatCompletionToolParam:
        if self._offers.get(self.tool_named(offer.name)) is not offer:
            return as_param(offer, strict=strict, brief=brief)
        key = (id(offer), strict, brief)
        if key not in self._params:
            self._params[key] = as_param(offer, strict=strict, brief=brief)
        return self._params[key]


def as_param(offer: Offer, *, strict: bool = False, brief: bool = False) -> ChatCompletionToolParam:
    """One entry of `tools`. Where the endpoint may be strict, it is if the schema is fit for that as it is.

    Args:
        offer: the function.
        strict: the endpoint can be.
        brief: without what a model that was trained on many functions need not be told.
    """
    param: ChatCompletionToolParam = {
        "type": "function",
        "function": {"name": offer.name, "description": offer.description, "parameters": {**offer.parameters}},
    }
    if strict and is_strict(offer.parameters):
        param["function"]["strict"] = True
    elif brief:
        param["function"]["parameters"] = {**shortened(offer.parameters, offer.self_evident)}
    return param


def shortened(schema: Schema, self_evident: Iterable[str]) -> Schema:
    """A schema of arguments that says nothing twice. Calls are held to the whole one, and one that does not fit is told
    why."""
    kept = {keyword: part for keyword, part in schema.items() if (keyword, part) != ("additionalProperties", False)}
    properties = kept.get("properties")
    if not isinstance(properties, dict):
        return kept
    clear = {name: _type_alone(properties[name]) for name in self_evident if name in properties}
    return {**kept, "properties": {**properties, **clear}}


def _type_alone(part: JsonValue) -> JsonValue:
    """What has no plain type (a choice, a reference) stays as it is."""
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        return part
    kept = {keyword: value for keyword, value in part.items() if keyword in TYPE_ALONE}
    return {**kept, "items": _type_alone(kept["items"])} if "items" in kept else kept
