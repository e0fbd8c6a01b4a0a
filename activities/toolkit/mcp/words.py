"""What a server's program writes to its standard error: into the worker's log, line by line, without secrets."""

import os
import threading
from collections import deque
from typing import TextIO

import structlog

from activities.redaction import redacted

log = structlog.stdlib.get_logger(__name__)

LONGEST = 500
"""Characters of a line."""
MOST_LAST = 3
"""Lines that an error quotes."""


class Words:
    """`stream` is for the program."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._last: deque[str] = deque(maxlen=MOST_LAST)
        reading, writing = os.pipe()
        self.stream: TextIO = os.fdopen(writing, "w")
        self._reader = threading.Thread(target=self._read, args=(reading,), daemon=True)
        self._reader.start()

    @property
    def last(self) -> str:
        """The last lines that it wrote: what was wrong may stand before a hint of what to do."""
        return " | ".join(self._last)

    def close(self) -> None:
        """The program keeps its own end."""
        self.stream.close()

    def _read(self, reading: int) -> None:
        with os.fdopen(reading, errors="replace") as lines:
            while line := lines.readline(64 * 1024):
                if said := redacted(line.strip())[:LONGEST]:
                    self._last.append(said)
                    log.info("MCP server says", server=self._server, line=said)
