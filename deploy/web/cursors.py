"""Cursors of lists: where the next page begins, as Temporal says it, with a sum that tells a slip from a cursor.

Of a page token that is none, Temporal says after 10 s of trying again that something went wrong.
"""

import base64
import binascii
import zlib

SUM_BYTES = 4


def cursor_of(page: bytes) -> str:
    """Of the page token of Temporal."""
    return base64.urlsafe_b64encode(_sum(page) + page).decode()


def page_of(cursor: str) -> bytes:
    """The page token that a cursor was made of.

    Raises:
        ValueError: it was made of none.
    """
    try:
        both = base64.b64decode(cursor, altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("it is not base64") from error
    page = both[SUM_BYTES:]
    if not page or both[:SUM_BYTES] != _sum(page):
        raise ValueError("its sum is wrong")
    return page


def _sum(page: bytes) -> bytes:
    return zlib.crc32(page).to_bytes(SUM_BYTES)
