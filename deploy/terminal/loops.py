"""What a model says over and over, shortened for a person to read: small ones get caught in a clause until they are cut
off."""

import re

MOST_WORDS = 60
"""Of what is repeated."""
LEAST_TIMES = 4
LEAST_LONG = 80
"""Characters in all: "very, very, very, very" is nobody's loop."""
SHOWN = 2
"""How often it is still said."""


def without_loops(text: str) -> str:
    """`It is. It is. … (the same 58 times more)`; a text without a loop as it is."""
    words = re.findall(r"\S+\s*", text)
    bare = [word.rstrip() for word in words]
    told: list[str] = []
    at = 0
    while at < len(words):
        length, end = _loop(bare, at)
        if not length:
            told.append(words[at])
            at += 1
            continue
        shown = at + SHOWN * length + _to_the_end_of_a_clause(bare[at : at + length])
        end += _cut_off(bare, bare[at : at + length], end)
        told += ["".join(words[at:shown]).rstrip(), f" … (the same {(end - shown) // length} times more) "]
        at = end
    return "".join(told).rstrip() if len(told) < len(words) else text


def _loop(words: list[str], start: int) -> tuple[int, int]:
    """How many words are repeated from here on, and where that ends; 0 where none are."""
    for length in range(1, min(MOST_WORDS, (len(words) - start) // LEAST_TIMES) + 1):
        end = start + length
        while words[end : end + length] == words[start : start + length]:
            end += length
        times = (end - start) // length
        if times >= LEAST_TIMES and len(" ".join(words[start:end])) >= LEAST_LONG:
            return length, end
    return 0, start


def _to_the_end_of_a_clause(repeated: list[str]) -> int:
    """How many words more, so that what is shown does not stop in the middle of a clause."""
    ends = [index for index, word in enumerate(repeated, start=1) if word[-1] in ".!?;,:"]
    return ends[-1] % len(repeated) if ends else 0


def _cut_off(words: list[str], repeated: list[str], at: int) -> int:
    """How many words are left of one more time, which the text or its cut-off mark breaks off."""
    end = words.index("…", at) if "…" in words[at:] else len(words)
    left = words[at:end]
    if not left or len(left) > len(repeated):
        return 0
    *whole, last = left
    is_more = whole == repeated[: len(whole)] and repeated[len(whole)].startswith(last)
    return len(left) if is_more else 0
