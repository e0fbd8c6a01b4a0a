"""A tool that forgets an `await` has done nothing, and nobody is told that it has."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.execution.act import Act
from activities.execution.tool_activities import ToolActivity, read_activity, write_activity
from activities.ledger.ledger import Ledger
from activities.ledger.rows import State
from activities.toolkit.tool import tool, tool_of
from tests.unit.execution.strange import Faceless
from workflows.contract.internal import AttemptBeat, ToolCall

MESSAGE = "TypeError: it returned something to be awaited: is an `await` missing?"


async def counts(beat: AttemptBeat) -> None:
    """A fence that lets every attempt pass."""


async def send(name: str) -> str:
    raise AssertionError(name)


def later(name: str) -> Awaitable[str]:
    return asyncio.get_running_loop().create_future()


def write(function: Callable[..., Awaitable[object]], ledger: Ledger) -> ToolActivity:
    made = tool_of(tool(effect="write")(function))
    assert made
    return write_activity(made, {}, ledger, fence=counts)


async def failure_of(activity: ToolActivity, *, chain: str = "5eed") -> ApplicationError:
    call = ToolCall(key="r/1.0", tool="tell", arguments={"name": "ann"}, chain=chain)
    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(activity, call)
    return raised.value


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("act", [send, later], ids=["a coroutine", "something else to be awaited"])
async def test_a_write_that_forgot_to_await_its_act_is_unknown(
    act: Callable[[str], Awaitable[str]], ledger: Ledger
) -> None:
    async def tell(name: str) -> object:
        """Tell."""
        return act(name)

    failed = await failure_of(write(tell, ledger))
    assert (failed.type, failed.message) == ("OutcomeUnknown", MESSAGE)
    row = await ledger.find("r/1.0")
    assert row is not None
    assert (row.state, row.error) == (State.UNKNOWN, MESSAGE.removeprefix("TypeError: "))


@pytest.mark.filterwarnings("error")
async def test_it_is_so_too_where_the_tool_marks_its_act_itself(ledger: Ledger) -> None:
    async def tell(name: str, *, act: Act) -> object:
        """Tell."""
        async with act:
            return send(name)

    assert (await failure_of(write(tell, ledger))).type == "OutcomeUnknown"


@pytest.mark.filterwarnings("error")
async def test_nothing_has_happened_where_the_act_had_not_begun(ledger: Ledger) -> None:
    async def tell(name: str, *, act: Act) -> object:
        """Tell."""
        return send(name)

    failed = await failure_of(write(tell, ledger))
    assert (failed.type, failed.message) == ("ToolCrashed", MESSAGE)
    assert await ledger.find("r/1.0") is None


@pytest.mark.filterwarnings("error")
async def test_a_read_that_forgot_it_has_failed() -> None:
    async def tell(name: str) -> object:
        """Tell."""
        return send(name)

    made = tool_of(tool()(tell))
    assert made
    failed = await failure_of(read_activity(made, {}), chain="")
    assert (failed.type, failed.message) == ("ReadCrashed", MESSAGE)


@pytest.mark.parametrize("kind", [Faceless, dict, object])
async def test_what_is_not_to_be_awaited_is_a_result_whatever_it_is(kind: Callable[[], object], ledger: Ledger) -> None:
    async def tell(name: str) -> object:
        """Tell."""
        return kind()

    call = ToolCall(key="r/1.0", tool="tell", arguments={"name": "ann"}, chain="5eed")
    await ActivityEnvironment().run(write(tell, ledger), call)
    row = await ledger.find("r/1.0")
    assert row is not None
    assert row.state is State.DONE
