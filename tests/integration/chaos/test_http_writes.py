"""Writes over HTTP under fire, in short: `make chaos` is the whole of it."""

from tests.chaos.http_writes.trial import control, trial
from workflows.contract.api import ReceiptStatus


async def test_whatever_the_far_end_and_the_workers_do_a_write_happens_once_or_is_unknown() -> None:
    result = await trial(3, 5, workers=1, kill_every=4)
    assert result.violations == []
    assert sum(verdict.ended[ReceiptStatus.DONE] for verdict in result.verdicts.values()) >= 1
    assert len(result.met) >= 4, "the far end behaved"


async def test_three_tries_without_care_do_it_twice() -> None:
    assert (await control(1, 40)).duplicates
