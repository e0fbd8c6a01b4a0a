"""Where something is defined, and mistakes in it on one line: a tool's author reads them when a worker starts."""

import inspect
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType

from pydantic import ValidationError

from activities.error_text import said_by
from activities.errors import ConfigurationError, ErrandError

LONGEST = 300
"""Characters of somebody else's message."""


def defined_at(thing: object) -> str:
    """File and line of a function: "tools/crm.py:12"; of anything else, what it is."""
    code = getattr(inspect.unwrap(thing), "__code__", None) if callable(thing) else None
    return place(code.co_filename, code.co_firstlineno) if isinstance(code, CodeType) else type(thing).__qualname__


def called_at(frames_up: int) -> str:
    """File and line of a caller: 1 is who called the function that asks."""
    frame = inspect.currentframe()
    for _ in range(frames_up + 1):
        frame = frame.f_back if frame else None
    return place(frame.f_code.co_filename, frame.f_lineno) if frame else "?"


def place(file: str, line: int) -> str:
    return f"{short(Path(file))}:{line}"


def short(path: Path) -> Path:
    """As short as it can be, and an editor still finds it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


@contextmanager
def naming(tool: str, where: str) -> Generator[None]:
    """Turn whatever goes wrong while a tool is made into one line that names it.

    Raises:
        ConfigurationError: anything went wrong.
    """
    try:
        yield
    except Exception as error:  # types and defaults of others are evaluated, which may raise anything
        raise ConfigurationError(f"tool {tool} ({where}): {in_one_line(error)}") from error


def in_one_line(error: BaseException) -> str:
    """What an error says, shortened; its type's name too, unless the words are ours."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {said_by(first)}"
    words = " ".join(str(error).split())[:LONGEST]
    return words if isinstance(error, (ErrandError, Unfit)) else f"{type(error).__name__}: {words}".rstrip(": ")


class Unfit(TypeError):
    """A function cannot be a tool; the message says why, without naming it."""
