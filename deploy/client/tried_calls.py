"""The calls of a case: what the model is told of each. No tool is run that could do something."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

from pydantic import JsonValue
from temporalio.exceptions import ApplicationError

from activities.budgets import Budget
from activities.errors import ToolError
from activities.ledger.spending import Standing
from activities.rehearsal.budget_outlook import Outlook, outlook
from activities.toolkit.find_tools import FoundTools, search_tool
from activities.toolkit.function_names import FIND_TOOLS
from activities.toolkit.tool import Tool
from activities.toolkit.tool_index import ToolIndex
from deploy.client.cases import Case
from deploy.client.trials import MadeCall
from workflows.consent import approved_in_advance, forbidden, marks, why_sent_back
from workflows.contract.api import Request
from workflows.contract.conversation import ToolMessage
from workflows.contract.internal import ProposedCall, Route
from workflows.contract.values import Arguments, Ruling

Live = Callable[[str, Arguments], Awaitable[JsonValue]]
"""A read, made by a worker: tool, arguments → result. Raises ApplicationError where it fails."""


class NothingTaken:
    """Budgets of which nothing is taken in the ledger: a case says itself what was written before."""

    async def standings(self, budgets: Sequence[Budget]) -> list[Standing]:
        return [Standing(budget, 0, 0, *budget.period(datetime.now(UTC))) for budget in budgets]


class TriedCalls:
    """Of one run of a case."""

    def __init__(
        self, case: Case, request: Request, tools: Mapping[str, Tool], budgets: Sequence[Budget], live: Live | None
    ) -> None:
        self.made: list[MadeCall] = []
        self.unanswered: list[str] = []
        self.sent_back: set[str] = set()
        self._case = case
        self._request = request
        self._tools = tools
        self._budgets = budgets
        self._live = live
        self._acted: set[str] = set()
        self._answered: set[int] = set()
        self._writes = [(each.tool, each.arguments) for each in case.before for _ in range(each.times)]
        self._untrusted = False

    async def told(self, call: ProposedCall) -> ToolMessage:
        """What the model is told of a call."""
        route = call.route
        if route is None:
            return self._not_run(call, "invalid", call.error or f"{call.tool} cannot be run")
        is_free = route.effect == "read" and route.ruling == "allow"
        if not is_free and (why := forbidden(route, untrusted=self._untrusted)):
            return self._not_run(call, "refused", why)
        ruling, writes = self._ruling(call.tool, route), self._writes
        if route.effect == "write":
            if problem := why_sent_back(call, route, self._acted, self.sent_back):
                return self._not_run(call, "invalid", problem)
            budgets = await self._outlook(call)
            if budgets.refused:
                return self._not_run(call, "refused", budgets.refused)
            ruling = "ask" if budgets.ask else ruling
        self.made.append(MadeCall(tool=call.tool, arguments=call.as_made, ruling=ruling))
        told = await self._result(call, is_asked=ruling == "ask")
        self._untrusted = self._untrusted or told.untrusted
        if told.failed:
            self._writes = writes
        elif route.effect == "write":
            self._acted |= marks(call)
        return told

    def _ruling(self, tool: str, route: Route) -> Ruling:
        """What the policy comes to, with all that the workflow knows: an allow may be a question by now."""
        if route.effect == "read":
            return route.ruling
        return "allow" if approved_in_advance(tool, route, self._request, untrusted=self._untrusted) else "ask"

    async def _outlook(self, call: ProposedCall) -> Outlook:
        """What the budgets say of a write, with those before it; it counts from now on, unless they refuse it."""
        try:
            used = self._tools[call.tool].validate(call.arguments).used
        except ToolError:
            used = call.arguments
        writes = [*self._writes, (call.tool, used)]
        found = await outlook(self._budgets, NothingTaken(), self._request.requester, writes)
        if not found.refused:
            self._writes = writes
        return found

    def _not_run(self, call: ProposedCall, status: str, why: str) -> ToolMessage:
        ruling = call.route.ruling if call.route else None
        self.made.append(
            MadeCall(tool=call.tool, arguments=call.as_made, ruling=ruling, problem=why, refused=status == "refused")
        )
        hint: Arguments = {"hint": call.hint} if call.hint else {}
        return _failed(status, why, hint)

    async def _result(self, call: ProposedCall, *, is_asked: bool) -> ToolMessage:
        untrusted = call.route is not None and call.route.untrusted
        stub = self._case.stub_for(call.tool, call.as_made, self._answered)
        if stub and stub.rejected is not None and is_asked:
            return _failed("rejected", f"rejected by a person{': ' * bool(stub.rejected)}{stub.rejected}")
        if stub and (stub.rejected is None or stub.error is not None or stub.result is not None):
            if stub.error is not None:
                return _failed("failed", stub.error, untrusted=untrusted)
            return ToolMessage(value=stub.result, untrusted=untrusted)
        tool = self._tools[call.tool]
        if tool.route.effect == "write":
            return ToolMessage(value=_as_if_done(tool, call.arguments))
        if call.tool == FIND_TOOLS:
            return ToolMessage(value=await _found(tool, self._tools, call.arguments))
        if self._live and not tool.route.asks:
            try:
                return ToolMessage(value=await self._live(call.tool, call.arguments), untrusted=untrusted)
            except ApplicationError as error:
                return _failed("failed", error.message, untrusted=untrusted)
        self.unanswered.append(f"{call.tool} {call.about}".strip())
        return _failed("failed", f"{call.tool} cannot answer now")


def _failed(status: str, error: str, hint: Arguments | None = None, *, untrusted: bool = False) -> ToolMessage:
    return ToolMessage(value={"status": status, "error": error, **(hint or {})}, failed=True, untrusted=untrusted)


def _as_if_done(tool: Tool, arguments: Arguments) -> JsonValue:
    """What a write is told to have returned: that it is done, for all that it was asked to be done for."""
    return {"status": "done", **{key: arguments.get(name) for name, key in tool.confirmed.items() if key}}


async def _found(tool: Tool, tools: Mapping[str, Tool], arguments: Arguments) -> JsonValue:
    index = ToolIndex({name: each for name, each in tools.items() if name != FIND_TOOLS})
    found = await search_tool().bind({ToolIndex: index})(tool.validate(arguments), {})
    return found.model_dump(mode="json") if isinstance(found, FoundTools) else None
