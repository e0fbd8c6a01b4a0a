"""What a schedule does in the hour in which clocks change, said in words."""

from datetime import UTC, datetime

import pytest

from deploy.client.clock_changes import clock_changes, told_of


def test_a_year_in_berlin_has_two_changes_and_one_in_utc_none() -> None:
    forward, back = clock_changes("Europe/Berlin", datetime(2027, 1, 1, tzinfo=UTC))
    assert (forward.at, forward.forward) == (datetime(2027, 3, 28, 1, tzinfo=UTC), True)
    assert (back.at, back.forward) == (datetime(2027, 10, 31, 1, tzinfo=UTC), False)
    assert clock_changes("UTC", datetime(2027, 1, 1, tzinfo=UTC)) == []


def test_a_change_of_half_an_hour_has_half_an_hour_on_the_clock() -> None:
    change, _ = clock_changes("Australia/Lord_Howe", datetime(2027, 1, 1, tzinfo=UTC))
    start, end = change.wall()
    assert (end - start).total_seconds() == 1800


def test_a_time_that_the_clock_does_not_show_is_said_to_be_skipped() -> None:
    forward, _ = clock_changes("Europe/Berlin", datetime(2027, 1, 1, tzinfo=UTC))
    assert forward.wall() == (datetime(2027, 3, 28, 2, tzinfo=UTC), datetime(2027, 3, 28, 3, tzinfo=UTC))
    meant = [datetime(2027, 3, 28, 2, 30, tzinfo=UTC)]
    assert told_of(forward, meant, []) == ["2027-03-28, clocks go forward: 02:30 is skipped"]


@pytest.mark.parametrize(
    ("real", "what"),
    [
        ([], "no run at either"),
        ([datetime(2027, 10, 31, 0, 30, tzinfo=UTC)], "one run, at the first"),
        ([datetime(2027, 10, 31, 1, 30, tzinfo=UTC)], "one run, at the second"),
        ([datetime(2027, 10, 31, 0, 30, tzinfo=UTC), datetime(2027, 10, 31, 1, 30, tzinfo=UTC)], "a run at both"),
    ],
)
def test_a_time_that_the_clock_shows_twice_is_said_to_run_as_the_server_runs_it(
    real: list[datetime], what: str
) -> None:
    _, back = clock_changes("Europe/Berlin", datetime(2027, 1, 1, tzinfo=UTC))
    meant = [datetime(2027, 10, 31, 2, 30, tzinfo=UTC)]
    assert told_of(back, meant, real) == [f"2027-10-31, clocks go back and show 02:30 twice: {what}"]


def test_of_many_times_the_first_are_named_and_the_others_counted() -> None:
    forward, _ = clock_changes("Europe/Berlin", datetime(2027, 1, 1, tzinfo=UTC))
    meant = [datetime(2027, 3, 28, 2, minute, tzinfo=UTC) for minute in range(0, 60, 10)]
    assert told_of(forward, meant, []) == ["2027-03-28, clocks go forward: 02:00, 02:10, 02:20 and 3 more are skipped"]
