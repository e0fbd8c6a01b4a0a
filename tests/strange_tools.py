"""Tools that return or raise what is hard to pass on: a read, a write, and a write that fails before its act."""

import asyncio
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool

from activities.execution.act import Act
from activities.toolkit.tool import tool
from tests.sample_tools import world

HUGE = 10**5000
MEGABYTES = "x" * 3_000_000


class Speechless(Exception):
    def __str__(self) -> str:
        raise OSError("no words")


def raising(error: BaseException) -> Callable[[], object]:
    def fail() -> object:
        raise error

    return fail


STRANGE: dict[str, Callable[[], object]] = {
    "a huge number": lambda: {"n": HUGE, "unit": "m"},
    "half a character": lambda: {"name": "Ann \ud83d", "age": 3},
    "an object without words": lambda: [1, Speechless()],
    "bytes": lambda: {"picture": b"\x89PNG\xff", "width": 3},
    "a circle": lambda: circle(),
    "megabytes": raising(ValueError(MEGABYTES)),
    "3 MB of emoji": raising(ValueError("😀" * 750_000)),
    "a speechless error": raising(Speechless()),
    "half a character in an error": raising(ValueError("Ann \ud83d\0\nand more")),
    "an exit": raising(SystemExit(3)),
    "an interrupt": raising(KeyboardInterrupt()),
    "a group": raising(BaseExceptionGroup("several", [SystemExit(3), ValueError("closed")])),
    "a broken pool": raising(BrokenProcessPool("a process ended")),
    "a cancellation of its own": raising(asyncio.CancelledError()),
}


def circle() -> object:
    around: list[object] = [1]
    around.append(around)
    return around


@tool(about="{what}", timeout=10, attempts=2)
async def fetch(what: str) -> object:
    """Fetch something strange.

    Args:
        what: What.
    """
    return STRANGE[what]()


@tool(effect="write", about="{what}", timeout=10)
async def store(what: str) -> object:
    """Store something strange.

    Args:
        what: What.
    """
    world.happened.append(("store", what, 0, 0))
    return STRANGE[what]()


@tool(effect="write", about="{what}", timeout=10)
async def prepare_and_store(what: str, *, act: Act) -> object:
    """Prepare something strange, and store it.

    Args:
        what: What.
    """
    prepared = STRANGE[what]()
    async with act:
        world.happened.append(("prepare_and_store", what, 0, 0))
    return prepared
