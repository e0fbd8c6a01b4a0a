"""Somebody else's descriptions, bounded: a model reads them with every question."""

import re

_LINK = re.compile(r"\[([^\[\]]*)\]\([^()]*+(?:\([^()]*+\)[^()]*+)?\)")


def shortened(text: str, longest: int) -> str:
    """The beginning of a text, on one line and without links, up to the end of a sentence or word."""
    line = " ".join(_LINK.sub(r"\1", text).split())
    if len(line) <= longest:
        return line
    kept = line[: longest - 1]
    sentence = max(kept.rfind(end) for end in (". ", "! ", "? "))
    return kept[: sentence + 1] if sentence > longest // 2 else kept.rpartition(" ")[0] + "…"
