"""At the desk, a rehearsal's plan is shown as it would be carried out, and is applied as it was shown, once."""

import html
import re
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from activities.settings import Settings
from deploy.client.keys import Right
from deploy.client.requests import handle_of
from tests.conftest import running_worker, settings_for
from tests.integration.cli.conftest import eventually
from tests.integration.requests.asking import outcome_after_reset
from tests.integration.web.conftest import Door, outcome, submitted
from tests.integration.web.desk import Desk, at_the_desk
from tests.integration.web.test_approvals import APPROVER
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say

OWN = (Right.SUBMIT, Right.READ)
TEXT = "Look up oak, and write its meaning down."
SLY = "<b>\u202eoak"
SCRIPT = [calls(call("look_up", word="oak")), calls(call("write_down", word="the meaning of oak")), say("Written.")]
APPLY = "Apply the plan"


async def rehearsed(ann: Desk, text: str = TEXT) -> str:
    """The path of the page of a rehearsal that was asked for in the form, and has ended."""
    at = (await ann.fill("/requests", text=text, rehearse="yes")).headers["Location"]

    async def ended() -> bool:
        return "The plan" in await ann.page(at)

    await eventually(ended)
    return at


def hidden(page: str, at: str) -> dict[str, str]:
    """What the button of a page sends."""
    form = page.split(f'action="{at}/apply"')[1].split("</form>")[0]
    fields = re.findall(r'name="([^"]*)" value="([^"]*)"', form)
    return {name: html.unescape(value) for name, value in fields}


def request_of(at: str) -> str:
    return httpx.URL(at).path.rpartition("/")[2]


async def test_a_plan_is_shown_and_a_second_press_leads_to_the_same_request(
    door: Door, worker: ScriptedModel, happened: World
) -> None:
    worker.scripts[TEXT] = SCRIPT
    async with at_the_desk(door, "ann", *OWN, Right.APPROVE) as ann, door.caller("ann2", [Right.ADMIN]) as reader:
        at = await rehearsed(ann)
        page = await ann.page(at)
        assert happened.done("write_down") == []
        looked = await ann.get(f"{at}/apply")
        form = hidden(page, at)
        both = [await ann.post(f"{at}/apply", data=form) for _ in range(2)]
        done = await outcome(reader, f"{request_of(at)}.apply")
        of_another = await reader.post(f"/v1{at}/apply", json={"digest": form["digest"]})
        after = await ann.page(at)
    assert "write_down the meaning of oak: needs approval" in page
    assert "It needs a yes: no rule of the policy allows it." in page
    assert "It rests on what was read: look_up (1.1)." in page
    assert "What was read for it counts until <time" in page
    assert "← from look_up (1.1)" in page.partition("The plan")[2].partition("Made at")[0]
    assert "Approve and apply the plan" in page
    assert looked.status_code == 405
    assert [each.headers["Location"] for each in both] == [f"{at}.apply"] * 2
    assert (of_another.status_code, "a plan is applied once" in of_another.text) == (409, True)
    assert (done.receipts[-1].approved_by, happened.done("write_down")) == ("requester", ["the meaning of oak"])
    assert f'ann has applied it, in <a href="{at}.apply">' in after
    assert f"{at}/apply" not in after


async def test_whoever_sees_an_older_plan_is_told_and_nothing_is_started(
    client: Client, door: Door, worker: ScriptedModel, happened: World
) -> None:
    worker.scripts[TEXT] = SCRIPT
    async with at_the_desk(door, "ann", *OWN, Right.APPROVE) as ann:
        at = await rehearsed(ann)
        older = hidden(await ann.page(at), at)
        await outcome_after_reset(client, handle_of(client, request_of(at)))
        refused = await ann.post(f"{at}/apply", data=older)
        forged = await ann.post(f"{at}/apply", data=older | {"token": "0" * 64})
        newer = hidden(await ann.page(at), at)
        not_there = await ann.get(f"{at}.apply")
        taken = await ann.post(f"{at}/apply", data=newer)
    assert (refused.status_code, forged.status_code, not_there.status_code) == (409, 403, 404)
    assert "its plan is another one by now; look at it before applying it" in refused.text
    assert newer["digest"] != older["digest"]
    assert taken.status_code == 303


@pytest.mark.long
async def test_only_who_may_at_the_door_applies_a_plan_and_another_yes_is_waited_for(
    door: Door, worker: ScriptedModel, happened: World
) -> None:
    worker.scripts[TEXT] = SCRIPT
    async with (
        at_the_desk(door, "ann", *OWN) as ann,
        at_the_desk(door, "bob", *APPROVER) as bob,
        at_the_desk(door, "eve", *OWN, Right.APPROVE) as eve,
        door.caller("ann2", [Right.ADMIN]) as reader,
    ):
        at = await rehearsed(ann)
        mine = await ann.page(at)
        his = await bob.page(at)
        form = hidden(mine, at)
        refused = await ann.post(f"{at}/apply", data=form | {"approve": "yes"})
        token = (await eve.page()).split('name="token" value="')[1].split('"')[0]
        unseen = await eve.post(f"{at}/apply", data=form | {"token": token})
        applied = await ann.post(f"{at}/apply", data=form)

        async def asked() -> bool:
            return "1 write" in await bob.page(f"{at}.apply")

        await eventually(asked)
        assert happened.done("write_down") == []
        waits = await bob.page(f"{at}.apply")
        await bob.fill(f"{at}.apply/approvals/2.0", f"{at}.apply", decision="approve")
        done = await outcome(reader, f"{request_of(at)}.apply")
    assert APPLY in mine
    assert "Where a yes is needed, it waits for one before anything is written." in mine
    assert "You cannot apply it: bob may not do this: it takes the right submit" in his
    assert APPLY not in his
    assert ("Approve</button>" in waits, "Edit…" in waits) == (True, False)
    assert (refused.status_code, unseen.status_code, applied.status_code) == (403, 404, 303)
    assert (done.receipts[-1].approved_by, happened.done("write_down")) == ("bob", ["the meaning of oak"])


async def test_what_a_plan_says_is_escaped_and_what_the_policy_forbids_is_said(
    client: Client, door: Door, settings: Settings, model: ScriptedModel, tmp_path: Path
) -> None:
    (tmp_path / "policy.toml").write_text('[[rule]]\ntool = "write_down"\nruling = "deny"\n')
    strict = settings_for(model, policy=tmp_path / "policy.toml", task_queue=settings.worker.task_queue)
    model.scripts[TEXT] = [calls(call("write_down", word=SLY)), say("No.")]
    async with running_worker(client, strict), at_the_desk(door, "ann", *OWN) as ann:
        page = await ann.page(await rehearsed(ann))
    assert "&lt;b&gt;<mark>[U+202E]</mark>oak: refused" in page
    assert "It would not be made: " in page
    assert SLY not in page
    assert APPLY not in page


async def test_a_form_without_a_plan_applies_nothing(door: Door, worker: ScriptedModel) -> None:
    worker.scripts["Look."] = [say("Looked.")]
    async with door.caller("ann") as caller, at_the_desk(door, "bob", Right.ADMIN) as bob:
        request_id = await submitted(caller, "Look.")
        await outcome(caller, request_id)
        page = await bob.page()
        token = page.split('name="token" value="')[1].split('"')[0]
        at = f"/requests/{request_id}/apply"
        answers = [await bob.post(at, data={"token": token, "digest": each}) for each in ("", "x" * 201, "0" * 64)]
    assert [each.status_code for each in answers] == [422, 422, 404]
    assert "it is no rehearsal" in answers[-1].text
