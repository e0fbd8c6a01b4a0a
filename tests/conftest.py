"""What every integration test stands on: a real Temporal dev server, a scripted model, and a real worker."""

import asyncio
import gc
import math
import os
import shlex
import sysconfig
import uuid
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, closing
from functools import cache
from inspect import iscoroutinefunction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import pytest
import pytest_asyncio
import uvloop
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.settings import Settings
from deploy.service.assembly import Service, build_worker
from deploy.service.observed import OFF, Telemetry
from deploy.service.search_attributes import register_search_attributes
from tests.forked import COLLECTED, SHARED, Forked, forked, started
from tests.forked.process import Processes
from tests.sample_tools import World, world
from tests.sandbox import Sandbox
from tests.scripted_model import ScriptedModel

TEMPORAL = str(Path(sysconfig.get_path("scripts"), "temporal"))
CONFIGURED = {
    "history.transferProcessorMaxPollRPS": "10000",
    # Most tests have a task queue of their own, of which each partition costs the server something.
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
    "frontend.enableServerVersionCheck": "false",
    # A whole workflow can be paused, which servers do not allow by default yet.
    "frontend.WorkflowPauseEnabled": "true",
}
# A dev server for each process of the tests: with one thread and little collecting it takes a fifth less of the CPU.
os.environ.setdefault("GOMAXPROCS", "1")
os.environ.setdefault("GOGC", "off")
os.environ.setdefault("GOMEMLIMIT", "1GiB")
IMPORTED = ("client", "worker", "deploy.web.__main__", "deploy.codec_server.__main__", "tests.chaos.scenarios.workers")
"""By the process that forks others: the longer ones of what they would import."""
LONG = {
    *("bench", "chaos", "operators", "test_desk_in_a_browser.py", "test_document.py", "test_ended.py"),
    *("test_ids_used_again.py", "test_processes.py", "test_stopping.py", "test_without_a_worker.py"),
}
TESTS = pytest.StashKey[tuple[Forked, Callable[[], bytes]]]()


@cache
def ledgers() -> TemporaryDirectory[str]:
    """The folder of the ledgers of this process."""
    return TemporaryDirectory(prefix="errand-ledgers-")


def pytest_unconfigure() -> None:
    ledgers().cleanup()
    ledgers.cache_clear()  # what is forked from here makes its own


class Specification(Protocol):
    """Of a process of the tests: pytest-xdist has execnet's, which has no types."""

    python: str


@asynccontextmanager
async def dev_server(*extra: str) -> AsyncGenerator[WorkflowEnvironment]:
    """A dev server of its own on a free port, with the search attributes of requests."""
    configured = [word for key, value in CONFIGURED.items() for word in ("--dynamic-config-value", f"{key}={value}")]
    async with await WorkflowEnvironment.start_local(  # pyright: ignore[reportUnknownMemberType]  # the SDK leaves it open
        data_converter=pydantic_data_converter,
        dev_server_existing_path=TEMPORAL,
        dev_server_extra_args=[*configured, *extra],
        dev_server_log_level="error",
    ) as environment:
        await register_search_attributes(environment.client)
        yield environment


def pytest_configure(config: pytest.Config) -> None:
    """Where there are several processes of the tests, they share one that forks."""
    if config.getoption("numprocesses", None):
        sharing = ExitStack()
        shared, _ = sharing.enter_context(started(IMPORTED))
        os.environ[SHARED] = str(shared.socket)
        config.stash[TESTS] = sharing.enter_context(started([COLLECTED, *config.args]))
        config.add_cleanup(sharing.close)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: Sequence[Specification]) -> None:
    """They are forked from one that has the tests already: to collect them takes 4 s, 7 where nothing is compiled."""
    python, ready = config.stash[TESTS]
    assert ready(), "the tests cannot be collected"
    for each in specs:
        each.python = shlex.join(python())


def pytest_collection() -> None:
    gc.disable()  # what is made by collecting stays, and to look for garbage in it takes a fifth of the time


def pytest_itemcollected(item: pytest.Item) -> None:
    """For a test that is no coroutine, the event loop of the dev server would be closed, and the server with it."""
    if isinstance(item, pytest.Function) and "temporal" in item.fixturenames and not iscoroutinefunction(item.obj):
        raise pytest.UsageError(f"{item.nodeid}: make it `async def`, as it uses the dev server")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each process has a portion of neighbours.

    So that some wait while others compute, these and those are mixed, by module; so that none is alone in the end, each
    portion begins with its longest.
    """
    if not (processes := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 0))):
        return
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
        items[start : start + portion] = sorted(items[start : start + portion], key=lambda item: not is_long(item))


def is_long(item: pytest.Item) -> bool:
    """Whether it may take ten seconds and more."""
    return not LONG.isdisjoint(item.path.parts)


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.set_threshold(10_000, 50, 50)  # at the usual one, looking for garbage took a run of all tests 13 s of CPU
    gc.enable()


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run in the worker's event loop."""
    return {"uvloop": uvloop.new_event_loop}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    async with dev_server() as environment:
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
    scripted_model.scripts.clear()
    scripted_model.trouble.clear()
    scripted_model.asked.clear()
    scripted_model.held_turn = None
    scripted_model.go.clear()
    return scripted_model


@pytest.fixture
def happened() -> World:
    """What the sample tools do in this test."""
    world.happened.clear()
    world.failures.clear()
    return world


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
        "ledger_url": f"sqlite:///{ledgers().name}/{uuid.uuid4().hex}.db",
    }
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
    sandboxed: bool = True,
    watches_ledger: bool = False,
    telemetry: Telemetry = OFF,
) -> AsyncGenerator[Worker]:
    """The worker as `worker.py` builds it; in the sandbox, to catch what would not be deterministic."""
    runner = Sandbox() if sandboxed else UnsandboxedWorkflowRunner()
    service = Service.assemble(settings)
    async with (
        build_worker(
            client, service, workflow_runner=runner, watches_ledger=watches_ledger, telemetry=telemetry
        ) as worker,
        worker,
    ):
        yield worker
