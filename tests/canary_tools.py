"""Tools that say again what they were told, in every way in which a tool can."""

from activities.errors import NotFound, OutcomeUnknown, ServiceUnavailable
from activities.toolkit.tool import tool

told_before: set[str] = set()


@tool(about="{word}", attempts=3)
async def recite(how: str, word: str) -> dict[str, str]:
    """Say a word again.

    Args:
        how: As a result, or as what went wrong.
        word: The word.
    """
    match how:
        case "not found":
            raise NotFound(f"there is no {word}")
        case "mistake":
            raise ValueError(f"{word} is a mistake")
        case "later" if word not in told_before:
            told_before.add(word)
            raise ServiceUnavailable(f"{word} is closed for a moment")
        case _:
            return {"again": word}


@tool(effect="write", about="to {to}", attempts=1)
async def post(to: str, what: str) -> str:
    """Post something.

    Args:
        to: To whom.
        what: What; with "unknown" in it, nobody knows whether it was.
    """
    if "unknown" in what:
        raise OutcomeUnknown(f"nobody knows of {what}")
    return f"posted: {what}"
