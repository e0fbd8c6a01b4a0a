"""What an exception says, as it can be kept: text without secrets that any reader takes, whatever its class does.

Exceptions of foreign code may have 3 MB to say, half a character among it, or raise another when they are asked.
"""

import re
import traceback
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import cast

from pydantic_core import ErrorDetails
from temporalio.exceptions import ApplicationError, FailureError

from activities.redaction import SECRETS, redacted
from activities.sayable import beginning, sayable

LONGEST_MESSAGE = 2000
"""Characters; messages stand in history and in the conversation. In JSON four bytes for each, which only a text with
many control characters takes."""
LONGEST_SEARCHED = 32 * 1024
"""Characters of a message that are searched for secrets."""
LONGEST_NAME = 100
LONGEST_TRACE = 8000
"""Characters, the innermost lines of code last."""
MOST_BEHIND = 5
"""Exceptions behind one, or in a group, that are told."""
SHORTENED = "… [shortened]"

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def message_of(error: BaseException) -> str:
    try:
        text = error.message if isinstance(error, FailureError) else str(error)
        return shortened(SECRETS.redact_beginning(sayable(text), LONGEST_SEARCHED))
    except BaseException:  # whatever its class raises
        return "(what it says cannot be had)"


def said_by(error: ErrorDetails) -> str:
    """What is wrong with a value, without the name that pydantic puts before a validator's own words."""
    return error["msg"].removeprefix("Value error, ")


def name_of(error: BaseException) -> str:
    """Of its type; Temporal's own error may say another, or that it has none."""
    try:
        name = (error.type or "") if isinstance(error, ApplicationError) else type(error).__name__
        return sayable(name[:LONGEST_NAME])
    except BaseException:  # whatever its metaclass raises
        return "Exception"


def shortened(text: str) -> str:
    """A text of at most 2,000 characters, which says so where it was longer."""
    if len(text) <= LONGEST_MESSAGE and beginning(text, 4 * LONGEST_MESSAGE) == text:
        return text
    room = LONGEST_MESSAGE - len(SHORTENED)
    return beginning(text[:room], 4 * room) + SHORTENED


def in_one_line(error: BaseException) -> str:
    """Its type and what it says; of a group, also what it consists of: "ValueError: not a number"."""
    parts = [_described(error)]
    if inner := _inner(error):
        parts.append("; ".join(map(_described, inner)))
    line = " ".join(": ".join(parts).split())
    return shortened(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", line))


def trace_of(error: BaseException) -> str:
    """The lines of code that raised it, and before them those of what is behind it. For the log, which would else write
    all that an exception has to say, in colours, and take minutes for it."""
    told = islice(_with_all_behind(error, MOST_BEHIND), 2 * MOST_BEHIND)
    texts = [f"{''.join(traceback.format_tb(each.__traceback__))}{in_one_line(each)}" for each in told]
    return redacted(sayable("\n\n".join(reversed(texts))))[-LONGEST_TRACE:]


def _described(error: BaseException) -> str:
    return ": ".join(filter(None, (name_of(error), message_of(error))))


def _inner(error: BaseException) -> Sequence[BaseException]:
    """What a group consists of."""
    if not isinstance(error, BaseExceptionGroup):
        return ()
    return cast("BaseExceptionGroup[BaseException]", error).exceptions[:MOST_BEHIND]


def _with_all_behind(error: BaseException, levels: int) -> Iterator[BaseException]:
    yield error
    context = None if error.__suppress_context__ else error.__context__
    behind = [*_inner(error), error.__cause__ or context]
    for each in filter(None, behind if levels else ()):
        yield from _with_all_behind(each, levels - 1)
