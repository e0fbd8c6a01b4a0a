"""The crash matrix in short: one seed, half a minute. `make chaos` is the whole of it."""

import pytest

from tests.chaos.blows import Blow
from tests.chaos.trial import Terrain, control, trial

BLOWS = (Blow.DESERT, Blow.FREEZE, Blow.KILL_WORKER, Blow.CUT, Blow.KILL_SERVER, Blow.KILL_WORKER)


@pytest.mark.long
async def test_whatever_dies_mail_goes_out_once_or_is_reported_as_not_sent_or_unknown() -> None:
    result = await trial(7, sends=12, seconds=5, terrain=Terrain(blows=BLOWS))
    assert result.verdict.violations == []
    assert result.blows.total(), "nothing was killed, frozen or cut off"
    assert len(result.struck) >= 3, "the mail server behaved"


@pytest.mark.long
async def test_the_same_fire_makes_a_worker_that_takes_no_care_send_twice() -> None:
    result = await control(7, sends=16, seconds=4)
    assert result.verdict.duplicates
