"""The log of a process: one structured line an event on standard error, without any secret.

JSON for machines, columns and colours on a terminal. Lines of other libraries come out the same way, and what is logged
within an activity says its request, tool, call and attempt.
"""

import asyncio
import logging
import re
import sys
from collections.abc import Sequence
from typing import TextIO

import structlog
from structlog.stdlib import ProcessorFormatter
from temporalio import activity

from activities.redaction import SECRETS

CHATTY = ("httpx", "httpx2", "openai")
WORDS = ("reason", "why", "line")
"""The fields that say what others have said."""
PLACE = re.compile(r'  File "[^"\n]+", line \d+, in [\w.<>]+')
"""A line of a traceback."""


def configure_logging(
    stream: TextIO = sys.stderr, *, contents: bool = True, more: Sequence[structlog.typing.Processor] = ()
) -> None:
    """Log everything from INFO on to `stream`.

    Args:
        stream: where to.
        contents: whether lines say what errors say, which may quote a request; without, their types and places.
        more: what adds to each line.
    """
    on_terminal = stream.isatty()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        *more,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer() if on_terminal else structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    # Plain, because a pretty traceback shows the values of variables, cut short, so that a secret is not found.
    renderer = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if on_terminal
        else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(stream)
    last = [ProcessorFormatter.remove_processors_meta, *([] if contents else [_without_contents]), renderer]
    handler.setFormatter(_Redacted(processors=last, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    activity.logger.activity_info_on_message = False  # the fields say it
    activity.logger.base_logger.addFilter(_is_news)


class _Redacted(ProcessorFormatter):
    """The whole line is redacted, whatever it was made of: fields, a traceback, the repr of some object."""

    def format(self, record: logging.LogRecord) -> str:
        return SECRETS.redact_json(super().format(record))


def _without_contents(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """What went wrong by its type ("ValueError" of "ValueError: not a number"), and where; not in what words."""
    kept = {name: value for name, value in event.items() if name not in WORDS}
    if "error" in kept:
        kept["error"] = str(kept["error"]).partition(":")[0]
    if "exception" in kept:
        kept["exception"] = "\n".join(PLACE.findall(str(kept["exception"])))
    return kept


def _is_news(record: logging.LogRecord) -> bool:
    """Whether the activity has not logged it itself: the SDK tells of every failure once more, with a traceback."""
    # Not before an activity logs: with it comes the SDK's worker, which only a worker needs.
    from activities.failures import ActivityFailed

    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, asyncio.CancelledError):  # the worker stops
        record.exc_info = None
    return not isinstance(error, ActivityFailed)
