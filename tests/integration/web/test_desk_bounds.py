"""Where there is more than the desk shows: what is shown, and that the rest is said to be there."""

import pytest

from deploy.client.keys import Right
from tests.integration.cli.conftest import eventually
from tests.integration.web.conftest import Door, outcome, submitted
from tests.integration.web.desk import at_the_desk
from tests.integration.web.test_answers import PARIS
from tests.integration.web.test_approvals import APPROVER, TREE, waiting
from tests.scripted_model import ScriptedModel, say

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def _few_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most in (("MOST_WAITING", 2), ("MOST_RUNNING", 1), ("MOST_ENDED", 1)):
        monkeypatch.setattr(f"deploy.web.desk.looking.{name}", most)


async def test_what_waits_longest_is_shown_of_everybody_who_asks_and_that_more_waits(
    door: Door, worker: ScriptedModel
) -> None:
    worker.scripts["Write."] = TREE
    async with door.caller("eve") as eve, door.caller("ann") as ann, at_the_desk(door, "bob", *APPROVER) as bob:
        of_eve = [await submitted(eve, "Write.") for _ in range(3)]
        of_ann = await submitted(ann, "Write.")
        for each in of_eve:
            await waiting(eve, each)
        await waiting(ann, of_ann)
        page = await bob.page_with("2 of 4 requests that wait for a yes are shown")
        await bob.fill(f"/requests/{of_ann}/approvals/1.1", decision="reject", reason="no")
        later = await bob.page_with("2 of 3 requests that wait for a yes are shown")
        for each in of_eve:
            await eve.post(f"/v1/requests/{each}/cancel")
    assert [each in page for each in (*of_eve, of_ann)] == [True, False, False, True]
    assert [each in later for each in of_eve] == [True, True, False]


async def test_what_others_are_asked_takes_no_place_of_what_this_caller_is_asked(
    door: Door, worker: ScriptedModel
) -> None:
    worker.scripts["Paris?"] = PARIS
    submitter = (Right.SUBMIT, Right.READ_ALL)
    async with door.caller("dora") as dora, door.caller("emil") as emil, at_the_desk(door, "bob", *submitter) as bob:
        others = [await submitted(each, "Paris?") for each in (dora, emil)]
        own = (await bob.fill("/requests", text="Paris?")).headers["Location"]
        page = await bob.page_with("Which Paris?")
        await bob.fill(f"{own}/cancel", own)
        for caller, each in zip((dora, emil), others, strict=True):
            await caller.post(f"/v1/requests/{each}/cancel")
    assert f"{own}/answers/1.1" in page
    assert "requests that wait for an answer" not in page


async def test_what_waits_what_runs_and_what_has_ended_leave_each_other_their_places(
    door: Door, worker: ScriptedModel
) -> None:
    worker.scripts |= {"Write.": TREE, "Hello.": [say("Good day.")]}
    async with door.caller("ann") as ann, at_the_desk(door, "bob", *APPROVER) as bob:
        ended = [await submitted(ann, "Hello.") for _ in range(2)]
        for each in ended:
            await outcome(ann, each)
        talks = [await submitted(ann, "", keep_open=True) for _ in range(2)]
        waits = [await submitted(ann, "Write.") for _ in range(2)]
        for each in waits:
            await waiting(ann, each)

        async def all_is_known() -> str | None:
            page = await bob.page()
            parts = ("are shown; more run.", "are shown; more have ended", *(f"call-{each}/1.1" for each in waits))
            return page if all(each in page for each in parts) else None

        page = await eventually(all_is_known)
        for each in (*talks, *waits):
            await ann.post(f"/v1/requests/{each}/cancel")
    assert [each in page for each in (*talks, *ended)] == [False, True, False, True]
    assert "requests that wait for" not in page
