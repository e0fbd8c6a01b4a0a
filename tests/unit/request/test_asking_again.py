"""How long, and with which pauses, a far end is asked again about a write."""

from datetime import timedelta

import pytest

from workflows.asking_again import AskAgain

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("window", "first", "longest"),
    [(HOUR, 10 * SECOND, HOUR / 6), (24 * HOUR, 10 * SECOND, HOUR / 6), (60 * SECOND, 3 * SECOND, 10 * SECOND)],
)
def test_pauses_grow_from_ten_seconds_to_ten_minutes_and_are_shorter_where_there_is_little_time(
    window: timedelta, first: timedelta, longest: timedelta
) -> None:
    again = AskAgain(window)
    assert (again.first_pause, again.retries.initial_interval, again.retries.maximum_interval) == (
        first,
        first,
        longest,
    )


def test_the_pause_that_the_far_end_has_asked_for_is_kept_but_not_beyond_the_time_there_is() -> None:
    assert AskAgain(HOUR, 90 * SECOND).first_pause == 90 * SECOND
    assert AskAgain(HOUR, 48 * HOUR).first_pause == HOUR
