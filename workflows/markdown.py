"""Somebody else's words in the Temporal UI, which takes summaries and current details for Markdown.

They stand in code, where nothing is a link, an image, HTML or a heading: in a code span of their own, or indented in a
block. So what is not in code is Errand's own.
"""

from textwrap import indent

from pydantic import JsonValue
from pydantic_core import to_json

from workflows.contract.values import Arguments
from workflows.size_limits import beginning

SUMMARY_BYTES = 200
"""More than this the server refuses in a summary."""


def code(text: str, limit: int = SUMMARY_BYTES) -> str:
    """On one line, in at most so many bytes; nothing where the text says nothing. A backtick in it becomes a quote."""
    line = _visible(" ".join(text[: 2 * limit].split())).replace("`", "'")
    if len(text) > 2 * limit or len(line.encode()) > limit - 2:
        line = beginning(line, limit - 5) + "…"
    return f"`{line}`" if line else ""


def plain(text: str) -> str:
    """What a code span says."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == "`" and "`" not in text[1:-1] else text


def block(arguments: Arguments) -> str:
    """A call's arguments whole, below each other."""
    lines = "\n".join(
        f"{name}: {value if isinstance(value, str) else _json(value)}" for name, value in arguments.items()
    )
    # Indented line by line, after what Markdown and Python take for a line's end.
    return indent("\n".join(map(_visible, lines.splitlines())) or "(no arguments)", "    ", lambda _: True)


def _json(value: JsonValue) -> str:
    return to_json(value).decode()


def _visible(text: str) -> str:
    """What cannot be seen, or turns the direction of writing, as an escape."""
    return text if text.isprintable() else "".join(each if each.isprintable() else _escape(each) for each in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()
