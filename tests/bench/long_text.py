"""A tool with long results, for the service alone."""

from activities.toolkit.tool import tool
from tests.bench.job import LONG_TEXT_BYTES


@tool(about="{number}")
async def read_page(number: int) -> str:
    """Read a page.

    Args:
        number: Which.
    """
    return f"Page {number}. ".ljust(LONG_TEXT_BYTES, "x")
