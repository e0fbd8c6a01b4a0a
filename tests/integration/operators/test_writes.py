"""An operator's hand on a request that writes: before the act, between two attempts, and in the act."""

import asyncio

import pytest

from tests.integration.operators.scene import Moment, Scene
from tests.integration.operators.verbs import VERBS, Verb
from tests.integration.requests.asking import Handle
from workflows.contract.api import Outcome, Receipt, ReceiptStatus

WAITS = {Moment.CONNECTING: 1.0, Moment.BACKING_OFF: 2.5, Moment.ACTING: 3.0}
"""Seconds for which things are left as the operator has left them, until they go on."""

TABLE = [pytest.param(verb, moment, id=f"{verb.name}, as it {moment}") for verb in VERBS for moment in verb.moments]


@pytest.mark.parametrize(("verb", "moment"), TABLE)
@pytest.mark.sampled(2)
async def test_the_request_ends_with_an_outcome_and_a_receipt_that_is_true(
    scene: Scene, verb: Verb, moment: Moment
) -> None:
    handle = await scene.begin(moment)
    assert not await scene.operate(verb.command, handle)
    outcome = await what_comes_of_it(scene, verb, moment, handle)
    assert outcome.status is verb.outcome
    allowed = verb.acting if moment is Moment.ACTING else verb.before
    (receipt,) = outcome.receipts
    assert {receipt.status} <= allowed, receipt.error
    await assert_it_is_true(scene, receipt, vouched=verb.vouched)
    tried = await scene.attempts(handle) if moment is Moment.ACTING else len(scene.mail.sessions)
    assert receipt.attempts in (range(1, tried + 1) if verb.begins_anew else [tried])


async def what_comes_of_it(scene: Scene, verb: Verb, moment: Moment, handle: Handle) -> Outcome:
    """The outcome, after things were left for a while as the operator has left them."""
    if verb.held and moment is Moment.CONNECTING:
        return await scene.outcome(handle)
    if verb.undone_by or moment is not Moment.BACKING_OFF:
        await asyncio.sleep(WAITS[moment])
    if verb.undone_by and moment is not Moment.ACTING:
        assert scene.mail.messages == []
    scene.go_on()
    if verb.undone_by:
        await scene.operate(verb.undone_by, handle)
    return await scene.outcome(handle)


async def assert_it_is_true(scene: Scene, receipt: Receipt, *, vouched: bool) -> None:
    """Against the mail server, which is asked once nothing is under way."""
    request_id = receipt.key.partition("/")[0]
    sent = len(scene.mail.messages)
    rows = await (scene.ledger_done if sent else scene.ledger_at_rest)(request_id)
    assert sent <= 1
    if sent:
        assert receipt.status in (ReceiptStatus.DONE, ReceiptStatus.UNKNOWN)
        assert rows == [(receipt.key, "done")]
    else:
        assert vouched or receipt.status is not ReceiptStatus.DONE
        assert "done" not in [state for _, state in rows]
