"""A tool that returns what has still to be run has done nothing, and nobody is told that it has."""

import asyncio
import csv
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from io import StringIO

import pytest
from pydantic import BaseModel, Field
from pydantic.dataclasses import dataclass as pydantic_dataclass
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


@pytest.mark.filterwarnings("error::RuntimeWarning")
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


@pytest.mark.filterwarnings("error::RuntimeWarning")
async def test_it_is_so_too_where_the_tool_marks_its_act_itself(ledger: Ledger) -> None:
    async def tell(name: str, *, act: Act) -> object:
        """Tell."""
        async with act:
            return send(name)

    assert (await failure_of(write(tell, ledger))).type == "OutcomeUnknown"


@pytest.mark.filterwarnings("error::RuntimeWarning")
async def test_nothing_has_happened_where_the_act_had_not_begun(ledger: Ledger) -> None:
    async def tell(name: str, *, act: Act) -> object:
        """Tell."""
        return send(name)

    failed = await failure_of(write(tell, ledger))
    assert (failed.type, failed.message) == ("ToolCrashed", MESSAGE)
    assert await ledger.find("r/1.0") is None


@pytest.mark.filterwarnings("error::RuntimeWarning")
async def test_a_read_that_forgot_it_has_failed() -> None:
    async def tell(name: str) -> object:
        """Tell."""
        return send(name)

    made = tool_of(tool()(tell))
    assert made
    failed = await failure_of(read_activity(made, {}), chain="")
    assert (failed.type, failed.message) == ("ReadCrashed", MESSAGE)


PARTS = "TypeError: it returned what makes its parts only when it is asked for them"
UNCALLED = "TypeError: it returned a function that nobody has called"


def run(name: str) -> str:
    raise AssertionError(f"{name} was run, although its tool had ended")


def one_by_one() -> Iterator[str]:
    yield run("a generator")


async def one_after_the_other() -> AsyncIterator[str]:
    yield run("an async generator")


@dataclass
class Sent:
    to: str
    parts: object


class Letter(BaseModel):
    to: str = "ann"
    parts: object = None
    client: object = Field(default=None, exclude=True)


@pydantic_dataclass
class Parcel:
    to: str = "ann"
    client: object = Field(default=None, exclude=True)


class Desk:
    def send(self) -> str:
        return run("a method")


LAZY: list[tuple[Callable[[], object], str]] = [
    (one_by_one, f"{PARTS} (generator): return a list of them"),
    (one_after_the_other, f"{PARTS} (async_generator): return a list of them, by `async for`"),
    (lambda: map(run, ["map"]), f"{PARTS} (map): return a list of them"),
    (lambda: filter(run, ["filter"]), f"{PARTS} (filter): return a list of them"),
    (lambda: zip(one_by_one(), strict=True), f"{PARTS} (zip): return a list of them"),
    (lambda: StringIO("a file"), f"{PARTS} (StringIO): return a list of them"),
    (lambda: csv.reader(["a table"]), f"{PARTS} (reader): return a list of them"),
    (lambda: run, f"{UNCALLED} (function): call it, and return its result"),
    (lambda: lambda: run("a lambda"), f"{UNCALLED} (function): call it, and return its result"),
    (lambda: partial(run, "partial"), f"{UNCALLED} (partial): call it, and return its result"),
    (lambda: Desk().send, f"{UNCALLED} (method): call it, and return its result"),
    (lambda: [].clear, f"{UNCALLED} (builtin_function_or_method): call it, and return its result"),
    (
        lambda: Future[str](),
        "TypeError: it returned what may still be running (Future): wait for it, and return its result",
    ),
    (lambda: {"sent": [1, (2, {"by": send("ann")})]}, MESSAGE),
    (lambda: OrderedDict[str, object](sent=one_by_one()), f"{PARTS} (generator): return a list of them"),
    (lambda: Sent("ann", [one_by_one()]), f"{PARTS} (generator): return a list of them"),
    (lambda: [Letter(parts=one_by_one())], f"{PARTS} (generator): return a list of them"),
    (lambda: [send("ann"), one_by_one(), send("bob")], MESSAGE),
]


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(("lazy", "message"), LAZY)
async def test_a_write_whose_result_has_still_to_be_run_is_unknown_and_it_is_not_run_later(
    lazy: Callable[[], object], message: str, ledger: Ledger
) -> None:
    async def tell(name: str) -> object:
        """Tell."""
        return lazy()

    failed = await failure_of(write(tell, ledger))
    assert (failed.type, failed.message) == ("OutcomeUnknown", message)
    row = await ledger.find("r/1.0")
    assert row is not None
    assert row.state is State.UNKNOWN


@pytest.mark.parametrize(("lazy", "message"), LAZY[:3])
async def test_a_read_of_such_a_result_has_failed(lazy: Callable[[], object], message: str) -> None:
    async def tell(name: str) -> object:
        """Tell."""
        return lazy()

    made = tool_of(tool()(tell))
    assert made
    failed = await failure_of(read_activity(made, {}), chain="")
    assert (failed.type, failed.message) == ("ReadCrashed", message)


def circle() -> object:
    around: list[object] = []
    around.append({"around": around})
    return around


def deep() -> object:
    value: object = "x"
    for _ in range(5_000):
        value = [value]
    return value


@pytest.mark.parametrize(
    "kind",
    [
        *(Faceless, dict, object, circle, deep),
        lambda: range(3),
        lambda: {"a": 1}.items(),
        lambda: Letter,
        lambda: Letter(client=one_by_one()),
        lambda: Parcel(client=one_by_one()),
        lambda: Letter.model_construct(parts=[Faceless()]),
    ],
)
async def test_what_is_there_whole_is_a_result_whatever_it_is(kind: Callable[[], object], ledger: Ledger) -> None:
    async def tell(name: str) -> object:
        """Tell."""
        return kind()

    call = ToolCall(key="r/1.0", tool="tell", arguments={"name": "ann"}, chain="5eed")
    await ActivityEnvironment().run(write(tell, ledger), call)
    row = await ledger.find("r/1.0")
    assert row is not None
    assert row.state is State.DONE
