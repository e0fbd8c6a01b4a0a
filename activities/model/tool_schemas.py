"""The functions as the model is offered them. What does not change from question to question is made once."""

from collections.abc import Iterable, Mapping

from openai.types.chat import ChatCompletionToolParam

from activities.errors import ConfigurationError
from activities.model.grammar import is_strict
from activities.model.grounding import Heard, narrowed
from activities.model.transcript import Offer
from activities.toolkit.function_names import sendable
from activities.toolkit.tool import Tool


class Offers:
    """All tools of a worker, under names that every endpoint accepts.

    Raises:
        ConfigurationError: two tools have the same such name.
    """

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        # Reads first: what changes from request to request then comes last, and endpoints cache what comes before it.
        self._in_order = sorted(tools.values(), key=lambda tool: (bool(tool.grounded), tool.route.effect, tool.name))
        self._offers = {tool.name: _offer(tool) for tool in self._in_order}
        self._names = {offer.name: name for name, offer in self._offers.items()}
        if len(self._names) < len(self._offers):
            raise ConfigurationError(f"ERRAND_TOOLS: two tools become the same name: {', '.join(sorted(self._offers))}")
        full = self._offers.values()
        self._params = {
            strict: {id(offer): as_param(offer, strict=strict) for offer in full} for strict in (False, True)
        }

    def of(self, heard: Heard) -> list[Offer]:
        """With the values that grounded arguments may have now."""
        return [self._offer(tool, heard) for tool in self._in_order]

    def full(self) -> list[Offer]:
        """With every value that grounded arguments may ever have: what a call is held to. Whether somebody mentioned
        the value is asked of the call, and a person may allow one that nobody did."""
        return [*self._offers.values()]

    def params(self, offers: Iterable[Offer], *, strict: bool) -> list[ChatCompletionToolParam]:
        """Offers as `tools` of a completion."""
        return [self._params[strict].get(id(offer)) or as_param(offer, strict=strict) for offer in offers]

    def tool_named(self, name: str) -> str:
        """The tool that is offered under a name; a name that nothing is offered under stays what it is."""
        return self._names.get(name, name)

    def _offer(self, tool: Tool, heard: Heard) -> Offer:
        offer = self._offers[tool.name]
        if not tool.grounded:
            return offer
        return Offer(offer.name, offer.description, narrowed(tool, heard))


def as_param(offer: Offer, *, strict: bool = False) -> ChatCompletionToolParam:
    """One entry of `tools`. Where the endpoint may be strict, it is if the schema is fit for that as it is."""
    param: ChatCompletionToolParam = {
        "type": "function",
        "function": {"name": offer.name, "description": offer.description, "parameters": {**offer.parameters}},
    }
    if strict and is_strict(offer.parameters):
        param["function"]["strict"] = True
    return param


def _offer(tool: Tool) -> Offer:
    return Offer(sendable(tool.name), tool.description, tool.schema())
