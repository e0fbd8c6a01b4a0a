"""What a worker's log shows, while it is looked at."""

import io
import json
import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

import structlog
from pydantic import JsonValue

from deploy.service.logs import configure_logging

Line = dict[str, JsonValue]


@contextmanager
def logged(stream: io.StringIO | None = None, *, contents: bool = True) -> Generator[io.StringIO]:
    """The log of this process, as that of a worker; afterwards it is what it was before."""
    root, shown = logging.getLogger(), stream or io.StringIO()
    handlers, level = root.handlers[:], root.level
    configure_logging(shown, contents=contents)
    structlog.configure(cache_logger_on_first_use=False)
    try:
        yield shown
    finally:
        structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(level)


def lines_of(log: io.StringIO) -> list[Line]:
    return [cast(Line, json.loads(line)) for line in log.getvalue().splitlines()]
