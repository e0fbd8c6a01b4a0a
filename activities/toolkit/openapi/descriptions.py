"""Somebody else's descriptions, bounded: a model reads them with every question."""

import re


def shortened(text: str, longest: int) -> str:
    """The beginning of a text, on one line and without links, up to the end of a sentence or word."""
    line = " ".join(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).split())
    if len(line) <= longest:
        return line
    kept = line[: longest - 1]
    sentence = max(kept.rfind(end) for end in (". ", "! ", "? "))
    return kept[: sentence + 1] if sentence > longest // 2 else kept.rpartition(" ")[0] + "…"
