"""The JSON object that a model has written into a text: between fences, behind an introduction."""

import re

_BEGINNING = re.compile(r"""\{\s*["'}]|\[\s*\{""")
"""Of an object, or of a list of objects. A brace in prose begins neither."""
_TOKEN = re.compile(r'"(?:[^"\\]|\\.?+)*+(?:"|\Z)|[{}\[\]]', re.DOTALL)
"""A string, whose end may be missing, or a bracket."""

_FENCE = "```"
_OPENING = re.compile(r"```[\w-]*")


def json_within(text: str) -> str | None:
    """The first object, or list of objects, up to the bracket that closes it; to the end of the text where none does.

    None where the text holds none. What is found need not be JSON: `parse` tells.
    """
    beginning = _BEGINNING.search(text)
    if beginning is None:
        return None
    start, depth = beginning.start(), 0
    for token in _TOKEN.finditer(text, start):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token[0], 0)
        if depth == 0:
            return text[start : token.end()]
    return text[start:]


def without_fence(text: str) -> str:
    """What a text holds besides the fence of one code block around all of it. Its end may be missing."""
    text = text.strip()
    opening = _OPENING.match(text)
    return text[opening.end() :].removesuffix(_FENCE).strip() if opening else text
