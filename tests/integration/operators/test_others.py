"""An operator's hand on what is no write: reads, the model's answers, and the question what became of a write."""

import asyncio

import pytest

from tests.integration.operators.scene import TEXT, TOOL, Moment, Scene
from tests.integration.operators.verbs import ACTIVITY, completing, failing
from tests.integration.requests.asking import Handle, start
from tests.sample_tools import World
from tests.scripted_model import call, calls, say
from workflows.contract.api import Outcome, ReceiptStatus, RequestStatus
from workflows.contract.internal import ANSWER, DECIDE, SETTLE
from workflows.contract.values import Schema

pytestmark = pytest.mark.sampled(1)

READ = "look_up"
A_MOMENT = 0.5
"""Seconds within which a worker has heard what an operator did."""

PAUSE, UNPAUSE = f"activity pause {ACTIVITY}", f"activity unpause {ACTIVITY}"
RESET = f"activity reset {ACTIVITY}"
AGAIN = [pytest.param((PAUSE, UNPAUSE), id="pause, unpause"), pytest.param((RESET,), id="reset")]
NO_RESULTS = {
    "null": completing("null"),
    "a text": completing('"sent"'),
    "an empty object": completing("{}"),
}
FAILURES = {
    "failed": failing(),
    "failed with details that say done": failing('{"attempt": 7, "status": "done"}'),
    "failed with a usage that is none": failing('{"attempt": 1, "status": "failed", "usage": {"cost": "much"}}'),
}


class TestReads:
    @pytest.mark.parametrize("how", NO_RESULTS | FAILURES)
    async def test_what_is_no_result_is_a_failed_read(self, scene: Scene, happened: World, how: str) -> None:
        outcome = await self._read(scene, (NO_RESULTS | FAILURES)[how])
        assert [(each.status, each.attempts) for each in outcome.receipts] == [(ReceiptStatus.FAILED, 1)]

    async def test_an_operators_result_is_the_reads(self, scene: Scene, happened: World) -> None:
        outcome = await self._read(scene, completing('{"value": "a tall plant"}'))
        assert [(each.status, each.result) for each in outcome.receipts] == [(ReceiptStatus.DONE, "a tall plant")]

    @pytest.mark.parametrize("verbs", AGAIN)
    async def test_one_that_is_cut_short_is_made_again(
        self, scene: Scene, happened: World, verbs: tuple[str, ...]
    ) -> None:
        outcome = await self._read(scene, *verbs)
        assert [each.status for each in outcome.receipts] == [ReceiptStatus.DONE]
        assert happened.done(READ) == ["tree"]

    async def test_one_that_is_given_less_time_and_fewer_attempts_says_how_often_it_was_tried(
        self, scene: Scene, happened: World
    ) -> None:
        less = "--start-to-close-timeout 1s --retry-maximum-attempts 2"
        outcome = await self._read(scene, f"activity update-options {ACTIVITY} {less}", seconds=4)
        assert [(each.status, each.attempts) for each in outcome.receipts] == [(ReceiptStatus.FAILED, 2)]

    async def _read(self, scene: Scene, *verbs: str, seconds: float = 1.5) -> Outcome:
        scene.model.scripts["Read"] = [calls(call(READ, word="tree", seconds=seconds)), say("That is all.")]
        handle = await start(scene.client, scene.settings, "Read")
        await scene.until_pending(handle, READ)
        outcome = await self._operated(scene, handle, verbs)
        assert outcome.status is RequestStatus.COMPLETED
        return outcome

    async def _operated(self, scene: Scene, handle: Handle, verbs: tuple[str, ...]) -> Outcome:
        for verb in verbs:
            assert not await scene.operate(verb, handle, activity=READ)
            await asyncio.sleep(A_MOMENT)
        return await scene.outcome(handle)


class TestTheModel:
    """Asked once more after a mail has gone out, and for the output after that."""

    NO_ANSWERS = NO_RESULTS | {
        "an answer that says nothing of its usage": completing('{"text": "All is sent."}'),
        "a text that is none": completing('{"text": {"all": "sent"}, "usage": {}}'),
        "calls that are none": completing('{"calls": [{"tool": 5}], "usage": {}}'),
    }

    @pytest.mark.parametrize("how", NO_ANSWERS | FAILURES)
    async def test_what_is_no_decision_fails_the_request_which_keeps_its_receipts(self, scene: Scene, how: str) -> None:
        await self._fails(scene, DECIDE, (self.NO_ANSWERS | FAILURES)[how])

    @pytest.mark.parametrize("how", [completing("null"), completing("{}"), failing()])
    async def test_what_is_no_output_fails_the_request_which_keeps_its_receipts(self, scene: Scene, how: str) -> None:
        await self._fails(scene, ANSWER, how)

    async def _fails(self, scene: Scene, activity: str, verb: str) -> None:
        outcome = await self._asked(scene, activity, verb)
        assert outcome.status is RequestStatus.FAILED
        assert outcome.summary
        assert [each.status for each in outcome.receipts] == [ReceiptStatus.DONE]

    async def test_an_operators_decision_is_the_models(self, scene: Scene) -> None:
        outcome = await self._asked(scene, DECIDE, completing('{"text": "Done by hand.", "usage": {}}'))
        assert (outcome.status, outcome.summary) == (RequestStatus.COMPLETED, "Done by hand.")

    @pytest.mark.parametrize("activity", [DECIDE, ANSWER])
    @pytest.mark.parametrize("verbs", AGAIN)
    async def test_one_that_is_cut_short_is_asked_again(
        self, scene: Scene, verbs: tuple[str, ...], activity: str
    ) -> None:
        outcome = await self._asked(scene, activity, *verbs)
        assert (outcome.status, outcome.summary) == (RequestStatus.COMPLETED, "That is all.")
        assert [each.status for each in outcome.receipts] == [ReceiptStatus.DONE]

    async def _asked(self, scene: Scene, activity: str, *verbs: str) -> Outcome:
        mail = call(TOOL, to=["ann@example.com"], subject="Hello", body="Hello, Ann.")
        scene.model.scripts[TEXT] = [calls(mail), say("That is all."), say('{"mails": 1}')]
        scene.model.held_turn = 1 if activity == DECIDE else 2
        schema: Schema | None = {"type": "object"} if activity == ANSWER else None
        handle = await start(scene.client, scene.settings, TEXT, approve=("*",), output_schema=schema)
        async with asyncio.timeout(20):
            while not scene.mail.messages:
                await asyncio.sleep(0.02)
        await scene.until_pending(handle, activity)
        for verb in verbs:
            assert not await scene.operate(verb, handle, activity=activity)
            await asyncio.sleep(A_MOMENT)
        scene.model.go.set()
        return await scene.outcome(handle)


class TestSettling:
    """An operator has failed a write by hand, and what became of it is asked of a ledger that does not answer yet."""

    @pytest.mark.parametrize("moment", [Moment.CONNECTING, Moment.ACTING], ids=str)
    @pytest.mark.parametrize("how", NO_RESULTS | {"failed": failing()})
    async def test_what_is_no_answer_leaves_the_write_unknown(self, scene: Scene, how: str, moment: Moment) -> None:
        outcome = await self._settled(scene, moment, (NO_RESULTS | FAILURES)[how])
        assert [each.status for each in outcome.receipts] == [ReceiptStatus.UNKNOWN]

    @pytest.mark.parametrize("verbs", AGAIN)
    async def test_one_that_is_cut_short_is_asked_again(self, scene: Scene, verbs: tuple[str, ...]) -> None:
        outcome = await self._settled(scene, Moment.CONNECTING, *verbs)
        assert [each.status for each in outcome.receipts] == [ReceiptStatus.FAILED]

    async def _settled(self, scene: Scene, moment: Moment, *verbs: str) -> Outcome:
        handle = await scene.begin(moment)
        with scene.ledger_locked():
            assert not await scene.operate(failing(), handle)
            await scene.until_pending(handle, SETTLE)
            for verb in verbs:
                assert not await scene.operate(verb, handle, activity=SETTLE)
                await asyncio.sleep(A_MOMENT)
        scene.go_on()
        outcome = await scene.outcome(handle)
        rows = await scene.ledger_at_rest(handle.id)
        assert ("done" in [state for _, state in rows]) == bool(scene.mail.messages)
        assert bool(scene.mail.messages) == (moment is Moment.ACTING)
        return outcome
