"""What of a worker's log the command line shows, where it loads what a worker loads."""

import sys
from typing import TYPE_CHECKING

from deploy.terminal.text import visible

if TYPE_CHECKING:
    from structlog.typing import EventDict


def only_warnings() -> None:
    """Warnings on standard error, and nothing on standard output: that is for what a command answers."""
    import structlog  # not at a command's start: it takes 0.1 s

    def of_no_interest(_: object, level: str, event: "EventDict") -> "EventDict":
        if level in ("debug", "info"):
            raise structlog.DropEvent
        return {name: visible(value) if isinstance(value, str) else value for name, value in event.items()}

    renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[of_no_interest, structlog.processors.add_log_level, renderer],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
