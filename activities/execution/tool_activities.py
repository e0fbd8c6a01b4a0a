"""Tools run as activities: arguments held to the schema once more, writes guarded by the ledger, results capped."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

from temporalio import activity

from activities.budgets import Budget
from activities.errors import ErrandError, ServiceUnavailable
from activities.execution.act import Fence
from activities.execution.attempt_beats import count_attempt, still_counts
from activities.execution.cancellation import to_the_end
from activities.execution.tool_mistakes import read_mistake
from activities.execution.tool_results import tool_result
from activities.execution.unfinished_acts import GRACE
from activities.execution.write_attempts import WriteAttempt
from activities.failures import translated
from activities.ledger.ledger import Ledger
from activities.ledger.rows import Action
from activities.toolkit.tool import Tool
from workflows.contract.internal import ToolCall, ToolResult

ToolActivity = Callable[[ToolCall], Awaitable[ToolResult]]


def read_activity(tool: Tool, provisions: Mapping[type, object]) -> ToolActivity:
    """The activity of a tool that may be repeated freely."""
    function = tool.bind(provisions)

    @activity.defn(name=tool.name)
    async def run(call: ToolCall) -> ToolResult:
        count_attempt()
        with translated():
            if call.chain:
                raise ServiceUnavailable(f"{tool.name} was called as a write, and this worker knows it as a read")
            try:
                value = await function(tool.as_decided(call.arguments), {ToolCall: call})
            except ErrandError:
                raise
            except BaseException as error:
                raise read_mistake(error) from error
        return tool_result(value, attempt=activity.info().attempt)

    return run


def write_activity(
    tool: Tool,
    provisions: Mapping[type, object],
    ledger: Ledger,
    *,
    fence: Fence = still_counts,
    grace: timedelta = GRACE,
    budgets: Sequence[Budget] = (),
    ask_again: float = 0,
) -> ToolActivity:
    """The activity of a tool that changes the world: the ledger is asked first, and told before and after the act.

    Args:
        tool: is a write.
        provisions: what the worker gives to its function, by type.
        ledger: of the worker.
        fence: says how far an attempt is, and hears whether it counts.
        grace: how long the worker lets it go on once it is told to stop.
        budgets: of the policy.
        ask_again: seconds for which an idempotent tool may be asked again once its attempts are used up.
    """
    function = tool.bind(provisions)

    @activity.defn(name=tool.name)
    async def run(call: ToolCall) -> ToolResult:
        attempt = WriteAttempt(tool, function, ledger, call, fence, grace, budgets, ask_again)
        with translated(attempt.detail):
            value = await attempt.carry_out()
            known = {"earlier": attempt.earlier, "ledger_key": attempt.ledger_key, "settled": attempt.settled}
            if type(value) is Action:  # a strange result may raise where it is asked what it is
                return ToolResult(value=value.result, attempts=attempt.number).model_copy(update=known)
            result = tool_result(value, attempt=attempt.number)
            if attempt.act is not None:
                await to_the_end(attempt.act.done(result.value))
            return result.model_copy(update=known)

    return run
