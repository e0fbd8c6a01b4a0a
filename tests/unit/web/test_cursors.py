"""A cursor leads to the page that it was made for, and what is none is known without asking Temporal."""

import base64

import pytest

from deploy.web.cursors import cursor_of, page_of

PAGE = b'{"CloseTime":"2026-01-01T00:00:00Z","RunID":"r"}'


@pytest.mark.parametrize("page", [PAGE, b"\x00", b"\xff" * 300])
def test_a_cursor_is_the_page_that_it_was_made_of(page: bytes) -> None:
    assert page_of(cursor_of(page)) == page


@pytest.mark.parametrize(
    "cursor",
    [
        pytest.param("", id="empty"),
        pytest.param("nonsense!", id="not base64"),
        pytest.param(base64.urlsafe_b64encode(PAGE).decode(), id="without a sum"),
        pytest.param(cursor_of(PAGE)[:-4], id="cut short"),
        pytest.param(cursor_of(PAGE).swapcase(), id="other letters"),
        pytest.param(cursor_of(b""), id="of no page"),
    ],
)
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(ValueError, match=r"base64|sum"):
        page_of(cursor)
