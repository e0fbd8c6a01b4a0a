"""The crash matrix in short: one seed, a minute. `make chaos` is the whole of it."""

from tests.chaos.trial import control, trial


async def test_whatever_dies_mail_goes_out_once_or_is_reported_as_not_sent_or_unknown() -> None:
    result = await trial(7, sends=60, seconds=18)
    assert result.verdict.violations == []
    assert result.blows, "nothing befell it"
    assert len(result.faults) >= 3, "the mail server behaved"


async def test_the_same_fire_makes_a_worker_that_takes_no_care_send_twice() -> None:
    result = await control(7, sends=40, seconds=8)
    assert result.verdict.duplicates
