"""`preview`: what stands in for the result of a write that is not made, and what its arguments rest on."""

from collections.abc import Mapping, Sequence

import structlog
from pydantic import JsonValue
from temporalio import activity

from activities.budgets import Budget
from activities.errors import InvalidArguments, ToolError
from activities.execution.tool_results import capped
from activities.failures import translated
from activities.ledger.spending import SpendingBook
from activities.readable import readable
from activities.rehearsal.budget_outlook import outlook
from activities.rehearsal.grounds import Grounds
from activities.toolkit.tool import Tool
from workflows.contract.internal import ToolCall
from workflows.contract.rehearsing import PREVIEW, Preview, RehearsedCall, WriteBefore
from workflows.contract.values import Arguments

log = structlog.stdlib.get_logger(__name__)

STAND_IN: JsonValue = {"status": "planned", "note": "This is a rehearsal: it will be done when the plan is applied."}
"""What a model is told of a write whose tool has no preview of its own."""


class Previews:
    """Knows the tools; makes nothing happen."""

    def __init__(
        self,
        tools: Mapping[str, Tool],
        address_book: Sequence[str],
        budgets: Sequence[Budget],
        spending: SpendingBook,
    ) -> None:
        self._tools = tools
        self._address_book = tuple(address_book)
        self._budgets = budgets
        self._spending = spending

    @activity.defn(name=PREVIEW)
    async def preview(self, rehearsed: RehearsedCall) -> Preview:
        """What a write would return, as far as its tool can say, and what its arguments rest on.

        Raises:
            ApplicationError: of type InvalidArguments: this worker has no such write, or it takes other arguments.
        """
        call = rehearsed.call
        with translated():
            tool = self._tools.get(call.tool)
            if tool is None or tool.route.effect != "write":
                raise InvalidArguments(f"this worker has no write {call.tool}")
            used = tool.as_decided(call.arguments).used
            made = tool.beyond_defaults(call.arguments)
            grounds = Grounds.of(rehearsed.conversation, self._tools, self._address_book)
            writes = [*map(self._used, rehearsed.planned), (call.tool, used)]
            budgets = await outlook(self._budgets, self._spending, call.requester, writes)
            return Preview(
                result=stand_in(tool, call, used),
                depends_on=grounds.reads_under(made),
                stand_ins=grounds.stand_ins_under(made),
                refused=budgets.refused,
                over_budget=budgets.ask,
            )

    def _used(self, planned: WriteBefore) -> tuple[str, Arguments]:
        """A write with its arguments as they will be used; of a tool that is another one by now, as they are."""
        tool = self._tools.get(planned.tool)
        try:
            return planned.tool, tool.validate(planned.arguments).used if tool else planned.arguments
        except ToolError:
            return planned.tool, planned.arguments


def stand_in(tool: Tool, call: ToolCall, arguments: Arguments) -> JsonValue:
    """The tool's own preview; where it has none, or that breaks, the one that every write may have."""
    if tool.preview is None:
        return STAND_IN
    try:
        return capped(readable(tool.preview(arguments)))
    except Exception as error:  # a mistake in a preview must not end a rehearsal
        log.warning("the preview of a tool broke", tool=tool.name, key=call.key, error=repr(error))
        return STAND_IN
