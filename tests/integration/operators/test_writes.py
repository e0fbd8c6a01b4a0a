"""An operator's hand on a request that writes: before the act, between two attempts, and in the act."""

import asyncio
from collections.abc import Set

import pytest

from tests.integration.operators.scene import Moment, Scene
from tests.integration.operators.verbs import VERBS, Verb
from workflows.contract import Outcome, ReceiptStatus

WAITS = {Moment.CONNECTING: 1.0, Moment.BACKING_OFF: 2.5, Moment.ACTING: 3.0}
"""Seconds for which things are left as the operator has left them, until they go on."""

TABLE = [pytest.param(verb, moment, id=f"{verb.name}, as it {moment}") for verb in VERBS for moment in verb.moments]


@pytest.mark.parametrize(("verb", "moment"), TABLE)
async def test_the_request_ends_with_an_outcome_and_a_receipt_that_is_true(
    scene: Scene, verb: Verb, moment: Moment
) -> None:
    handle = await scene.begin(moment)
    assert await scene.operate(verb.command, handle)
    if verb.undone_by or moment is not Moment.BACKING_OFF:
        await asyncio.sleep(WAITS[moment])
    if moment is not Moment.ACTING and verb.undone_by:
        assert scene.mail.messages == []
    scene.go_on()
    if verb.undone_by:
        await scene.operate(verb.undone_by, handle)
    outcome = await scene.outcome(handle)
    assert outcome.status is verb.outcome
    await assert_it_is_true(scene, verb, outcome, allowed=verb.acting if moment is Moment.ACTING else verb.before)


async def assert_it_is_true(scene: Scene, verb: Verb, outcome: Outcome, *, allowed: Set[ReceiptStatus]) -> None:
    (receipt,) = outcome.receipts
    assert {receipt.status} <= allowed, receipt.error
    sent = len(scene.mail.messages)
    rows = await (scene.ledger_done if sent else scene.ledger_at_rest)(outcome.request_id)
    assert sent <= 1
    if sent:
        assert receipt.status in (ReceiptStatus.DONE, ReceiptStatus.UNKNOWN)
        assert [state for _, state in rows] == ["done"]
    else:
        assert receipt.status is not ReceiptStatus.DONE or verb.vouched
        assert "done" not in [state for _, state in rows]
    if not verb.begins_anew:
        assert receipt.attempts == len(scene.mail.sessions)
