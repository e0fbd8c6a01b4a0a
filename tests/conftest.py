"""What every integration test stands on: a real Temporal dev server, a scripted model, and a real worker."""

import asyncio
import gc
import math
import os
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import uuid
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, aclosing, asynccontextmanager, closing
from functools import cache
from inspect import iscoroutinefunction
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Protocol

import hypothesis
import pytest
import pytest_asyncio
import uvloop
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.ledger.engine import engine_of
from activities.ledger.ledger import Ledger
from activities.ledger.migrations import prepare
from activities.ledger.tables import new_identity
from activities.settings import Settings
from deploy.service.assembly import Service, build_worker
from deploy.service.observed import OFF, Telemetry
from tests.dev_server import shared_by, shared_or_own
from tests.forked import COLLECTED, SHARED, Forked, forked, started
from tests.forked.process import Processes
from tests.sample_tools import World, world
from tests.sandbox import Sandbox
from tests.scripted_model import ScriptedModel
from tests.statements import compile_once

IMPORTED = ("client", "worker", "deploy.web.__main__", "deploy.codec_server.__main__", "tests.chaos.scenarios.workers")
"""By the process that forks others: the longer ones of what they would import."""
FIRST = {
    *("bench", "chaos", "operators", "test_desk_in_a_browser.py", "test_document.py", "test_ended.py"),
    *("test_ids_used_again.py", "test_processes.py", "test_stopping.py", "test_without_a_worker.py"),
}
# Without deadlines: the machine may have much else to do.
hypothesis.settings.register_profile("few", deadline=None, max_examples=25)
hypothesis.settings.register_profile("many", deadline=None, max_examples=100)
hypothesis.settings.load_profile("many")
DEV_SERVER = pytest.StashKey[subprocess.Popen[bytes]]()
TESTS = pytest.StashKey[tuple[Forked, Callable[[], bytes]]]()


@cache
def ledgers() -> TemporaryDirectory[str]:
    """The folder of the ledgers of this process."""
    return TemporaryDirectory(prefix="errand-ledgers-")


def new_ledger() -> str:
    """The URL of one in which nothing is: a copy, as to make one takes longer than many a test does."""
    path = Path(ledgers().name, f"{uuid.uuid4().hex}.db")
    shutil.copy(empty_ledger(), path)
    with closing(sqlite3.connect(path, isolation_level=None)) as ledger:
        ledger.execute("PRAGMA synchronous = OFF")  # of this connection
        ledger.execute("UPDATE errand_schema SET identity = ?", (new_identity(),))
    return f"sqlite:///{path}"


@cache
def empty_ledger() -> Path:
    path = Path(ledgers().name, "empty.db")
    engine = engine_of(f"sqlite:///{path}", create=True, connections=1)
    with engine.begin() as connection:
        prepare(connection)
    engine.dispose()
    return path


def pytest_unconfigure() -> None:
    ledgers().cleanup()
    empty_ledger.cache_clear()
    ledgers.cache_clear()  # what is forked from here makes its own


class Specification(Protocol):
    """Of a process of the tests: pytest-xdist has execnet's, which has no types."""

    python: str


def pytest_configure(config: pytest.Config) -> None:
    """Where the tests run in several processes, these share what forks, and a dev server.

    SIGTERM ends a run as Ctrl-C does.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which shells ignore in what they run in the background
    signal.signal(signal.SIGTERM, end_as_ctrl_c_does)
    compile_once()
    if processes := config.getoption("numprocesses", None):
        sharing = ExitStack()
        config.add_cleanup(sharing.close)
        config.stash[DEV_SERVER] = sharing.enter_context(shared_by([f"gw{number}" for number in range(processes)]))
        shared, _ = sharing.enter_context(started(IMPORTED))
        os.environ[SHARED] = str(shared.socket)
        config.stash[TESTS] = sharing.enter_context(started([COLLECTED, *config.args]))


def end_as_ctrl_c_does(number: int, frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: Sequence[Specification]) -> None:
    """They are forked from one that has the tests already: to collect them takes 4 s, 7 where nothing is compiled."""
    python, ready = config.stash[TESTS]
    assert ready(), "the tests cannot be collected"
    assert config.stash[DEV_SERVER].poll() is None, "the dev server has ended; its port may have been taken"
    for each in specs:
        each.python = shlex.join(python())


def pytest_collection() -> None:
    gc.disable()  # what is made by collecting stays, and to look for garbage in it takes a fifth of the time


def pytest_itemcollected(item: pytest.Item) -> None:
    """For a test that is no coroutine, the event loop of the dev server would be closed, and the server with it."""
    if isinstance(item, pytest.Function) and "temporal" in item.fixturenames and not iscoroutinefunction(item.obj):
        raise pytest.UsageError(f"{item.nodeid}: make it `async def`, as it uses the dev server")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    leave_to_the_long_form(items)
    if processes := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 0)):
        spread(items, processes)


def leave_to_the_long_form(items: Sequence[pytest.Item]) -> None:
    """All cases of what is `sampled(number)` but that many, which are taken from the first to the last of them."""
    cases: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("sampled"):
            cases[item.nodeid.partition("[")[0]].append(item)
    for of_one_test in cases.values():
        mark = of_one_test[0].get_closest_marker("sampled")
        number = min(mark.args[0] if mark else 0, len(of_one_test))
        kept = {round(place * (len(of_one_test) - 1) / max(number - 1, 1)) for place in range(number)}
        for place, item in enumerate(of_one_test):
            if place not in kept:
                item.add_marker("long")


def spread(items: list[pytest.Item], processes: int) -> None:
    """Each process has a portion of neighbours.

    So that some wait while others compute, these and those are mixed, by module; so that none is alone in the end, each
    portion begins with its longest.
    """
    kinds: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        kinds[item.path.relative_to(Path(__file__).parent).parts[0]].append(item)
    share: dict[Path, float] = {}
    for of_kind in kinds.values():
        for place, item in enumerate(of_kind):
            share.setdefault(item.path, place / len(of_kind))
    items.sort(key=lambda item: share[item.path])
    portion = math.ceil(len(items) / processes)
    for start in range(0, len(items), portion):
        items[start : start + portion] = sorted(
            items[start : start + portion], key=lambda item: not may_take_long(item)
        )


def may_take_long(item: pytest.Item) -> bool:
    """Whether it may take ten seconds and more."""
    return not FIRST.isdisjoint(item.path.parts)


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)  # at the usual one, looking for garbage took a run of all tests 13 s of CPU
    gc.enable()


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run in the worker's event loop."""
    return {"uvloop": uvloop.new_event_loop}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    async with shared_or_own(os.environ.get("PYTEST_XDIST_WORKER")) as environment:
        yield environment


@pytest.fixture(scope="session")
def client(temporal: WorkflowEnvironment) -> Client:
    return temporal.client


@pytest.fixture(scope="session")
def python() -> Generator[Forked]:
    """The command that runs `client.py` or `worker.py` in a process of its own, without the second of importing."""
    with forked(IMPORTED) as command:
        yield command


@pytest.fixture
def processes(python: Forked) -> Generator[Processes]:
    """The same, for what has to know when a process is gone."""
    with closing(Processes(python.socket)) as own:
        yield own


@pytest.fixture(scope="session")
def scripted_model() -> Generator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture
def model(scripted_model: ScriptedModel) -> ScriptedModel:
    """The scripted model, with nothing scripted yet."""
    scripted_model.forget()
    return scripted_model


@pytest.fixture
def happened() -> World:
    """What the sample tools do in this test."""
    world.happened.clear()
    world.failures.clear()
    return world


@pytest.fixture
def imports_undone(tmp_path: Path) -> Generator[None]:
    """What this test has loaded from its folder does not stay for the tests after it."""
    paths = [*sys.path]
    yield
    for name, module in [*sys.modules.items()]:
        if (getattr(module, "__file__", None) or "").startswith(f"{tmp_path}/"):
            del sys.modules[name]
    sys.path[:] = paths


@pytest.fixture
async def ledger() -> AsyncGenerator[Ledger]:
    """One in which nothing is."""
    async with aclosing(await Ledger.open(new_ledger())) as opened:
        yield opened


@pytest.fixture
def settings(model: ScriptedModel) -> Settings:
    """Of a worker with the sample tools, on a task queue that no other test uses."""
    return settings_for(model)


def settings_for(model: ScriptedModel, **changes: object) -> Settings:
    defaults: dict[str, object] = {
        "task_queue": f"errand-{uuid.uuid4().hex[:8]}",
        "openai_model": "scripted",
        "openai_base_url": model.url,
        "tools": ("tests.sample_tools",),
    }
    if "ledger_url" not in changes:
        defaults["ledger_url"] = new_ledger()
    return Settings.read(**defaults | changes)


def changed(settings: Settings, **groups: Mapping[str, object]) -> Settings:
    """The same settings, but for these fields of these groups."""
    of = dict(settings)
    return settings.model_copy(update={name: of[name].model_copy(update=new) for name, new in groups.items()})


@asynccontextmanager
async def running_worker(
    client: Client,
    settings: Settings,
    *,
    sandboxed: bool = False,
    watches_ledger: bool = False,
    telemetry: Telemetry = OFF,
) -> AsyncGenerator[Worker]:
    """The worker as `worker.py` builds it; or in the sandbox, to catch what would not be deterministic."""
    runner = Sandbox() if sandboxed else UnsandboxedWorkflowRunner()
    service = Service.assemble(settings)
    async with (
        build_worker(
            client, service, workflow_runner=runner, watches_ledger=watches_ledger, telemetry=telemetry
        ) as worker,
        worker,
    ):
        yield worker
