"""The desk, as its pages and forms are answered."""

import html
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from activities.settings import Settings
from deploy.client.keys import Right, remove_key
from deploy.client.schedules import add_schedule
from deploy.client.timetables import Timetable
from deploy.web.application import application
from deploy.web.settings import WebSettings
from tests.conftest import changed
from tests.integration.cli.conftest import eventually
from tests.integration.web.conftest import Door, answered, outcome, served, submitted
from tests.integration.web.desk import LOOKED_AT, Desk, at_the_desk
from tests.integration.web.test_answers import PARIS
from tests.integration.web.test_approvals import APPROVER, TREE, waiting
from tests.integration.web.test_schedules import scheduled
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import GivenCall, Request


@pytest.fixture(autouse=True)
def _sample_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the door lists is what the worker has."""
    monkeypatch.setenv("ERRAND_TOOLS", "tests.sample_tools")
    monkeypatch.setattr("deploy.web.tools.loaded.until", 0)


async def test_nobody_sees_the_desk_without_signing_in_and_nobody_after_signing_out(door: Door) -> None:
    async with Desk(base_url=door.url, headers=LOOKED_AT, timeout=30) as stranger:
        away = await stranger.get("/")
        wrong = await stranger.fill("/sign-in", "/sign-in", key="errand_nonsense")
    async with at_the_desk(door, "ann", Right.READ) as ann:
        assert "The desk" in await ann.page()
        cookie = dict(ann.cookies)
        await ann.fill("/sign-out")
        after = await ann.get("/")
    assert (away.status_code, away.headers["Location"]) == (303, "/sign-in")
    assert (wrong.status_code, after.status_code) == (401, 303)
    assert "no such key" in wrong.text
    assert len(cookie) == 1


async def test_a_session_is_over_when_its_key_is_removed_and_counts_at_no_operation_of_the_door(door: Door) -> None:
    async with at_the_desk(door, "ann", Right.READ) as ann:
        operation = await ann.get("/v1/requests")
        remove_key(door.keys, "ann")
        away = await ann.get("/")
    assert (operation.status_code, away.status_code) == (401, 303)


async def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(door: Door) -> None:
    async with at_the_desk(door, "ann", Right.READ) as ann:
        answer = await ann.fill("/sign-out")
        page = await ann.get("/sign-in")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(answer.headers["Set-Cookie"].split("; "))
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {}])
async def test_a_form_that_is_not_of_this_session_decides_nothing(
    door: Door, worker: ScriptedModel, happened: World, headers: dict[str, str]
) -> None:
    worker.scripts["Write."] = TREE
    async with door.caller("ann") as ann, at_the_desk(door, "bob", *APPROVER) as bob:
        request_id = await submitted(ann, "Write.")
        pending = await waiting(ann, request_id)
        form = {"digest": pending.digest, "decision": "approve", "token": "0" * 64}
        at = f"/requests/{request_id}/approvals/1.1"
        answer = await bob.post(at, data=form, headers=headers)
        looked = await bob.get(f"{at}?decision=approve&digest={pending.digest}")
        await ann.post(f"/v1/requests/{request_id}/cancel")
    assert (answer.status_code, looked.status_code) == (403, 405)
    assert happened.done("write_down") == []


async def test_a_call_is_approved_and_the_second_of_two_is_told_who_was_first(
    door: Door, worker: ScriptedModel, happened: World
) -> None:
    worker.scripts["Write."] = TREE
    async with (
        door.caller("ann") as ann,
        at_the_desk(door, "bob", *APPROVER) as bob,
        at_the_desk(door, "carl", *APPROVER) as carl,
    ):
        request_id = await submitted(ann, "Write.")
        pending = await waiting(ann, request_id)
        at = f"/requests/{request_id}/approvals/1.1"
        seen = await bob.page()
        stale = await carl.page()
        first = await bob.fill(at, decision="approve")
        await outcome(ann, request_id)
        token = stale.split('name="token" value="')[1].split('"')[0]
        second = await carl.post(at, data={"token": token, "digest": pending.digest, "decision": "reject"})
        after = await bob.page(f"/requests/{request_id}")
    assert "write_down" in seen
    assert first.status_code == 303
    assert second.status_code == 409
    assert "bob was first" in second.text
    assert "approved by bob" in after
    assert happened.done("write_down") == ["tree"]


async def test_arguments_are_edited_in_their_types_and_a_wrong_one_is_shown_again(
    door: Door, worker: ScriptedModel, happened: World
) -> None:
    worker.scripts["Write."] = [calls(call("write_down", word="tree", seconds=1)), say("Done.")]
    async with door.caller("ann") as ann, at_the_desk(door, "bob", *APPROVER) as bob:
        request_id = await submitted(ann, "Write.")
        await waiting(ann, request_id)
        at = f"/requests/{request_id}/approvals/1.1/edit"
        fields = {"argument.word": "bush", "argument.seconds": "soon"}
        wrong = await bob.fill(at, at, **fields)
        right = await bob.fill(at, at, **(fields | {"argument.seconds": "0.25"}))
        ended = await outcome(ann, request_id)
    assert wrong.status_code == 422
    assert "seconds: expected a number" in wrong.text
    assert 'value="bush"' in wrong.text
    assert right.status_code == 303
    assert ended.receipts[0].arguments == {"word": "bush", "seconds": 0.25}
    assert happened.done("write_down") == ["bush"]


@pytest.mark.long
async def test_whoever_decides_sees_where_the_arguments_came_from(door: Door, worker: ScriptedModel) -> None:
    worker.scripts["Read, and tell ann."] = [
        calls(call("read_page", name="of <eve>")),
        *[calls(call("tell", to=["ann", "<eve>"], what="hi 77"))] * 2,  # the first is sent back
        say("Done."),
    ]
    async with door.caller("ann") as ann, at_the_desk(door, "bob", *APPROVER) as bob:
        request_id = await submitted(ann, "Read, and tell ann.")
        await waiting(ann, request_id)
        page = await bob.page_with("← ann")
        at = f"/requests/{request_id}/approvals/3.1/edit"
        await bob.fill(at, at, **{"argument.to": "carl", "argument.what": "hi"})
        again = await bob.page_with("← carl")
        await ann.post(f"/v1/requests/{request_id}/cancel")
    assert "← ann: from the request" in page
    assert "<strong>← &lt;eve&gt;: from a stranger&#39;s text, by read_page (1.1)</strong>" in page
    assert "<strong>← 77: made up by the model</strong>" in page
    assert "← carl: put there by bob" in again


@pytest.mark.long
async def test_an_edited_call_that_waits_again_shows_what_was_edited(door: Door, worker: ScriptedModel) -> None:
    worker.scripts["Tell ann@example.com."] = [calls(call("tell", to=["ann@example.com"], what="hi")), say("Done.")]
    async with door.caller("ann") as ann, at_the_desk(door, "bob", *APPROVER) as bob:
        request_id = await submitted(ann, "Tell ann@example.com.")
        await waiting(ann, request_id)
        at = f"/requests/{request_id}/approvals/1.1/edit"
        again = await bob.fill(at, at, **{"argument.to": "eve@example.com"})
        page = await bob.page()
        await ann.post(f"/v1/requests/{request_id}/cancel")
    assert again.status_code == 303
    assert "It was edited." in page
    change = page.partition("It was edited.")[2]
    assert "ann@example.com" in change.partition("</del>")[0]
    assert "eve@example.com" in change.partition("<ins>")[2].partition("</ins>")[0]
    assert "nobody mentioned" in page


SLY = "<script>alert(1)</script> \u202egpj.exe \u200b\u2066 & \x1b[31m"


async def test_nothing_that_a_model_or_a_tool_says_is_html_or_hidden(door: Door, worker: ScriptedModel) -> None:
    worker.scripts["Look."] = [
        calls(call("look_up", word=SLY)),
        calls(call("write_down", word=SLY + "\n" * 60 + "the end")),
        say(SLY),
    ]
    async with door.caller("ann") as ann, at_the_desk(door, "bob", *APPROVER) as bob:
        request_id = await submitted(ann, "Look.")
        await waiting(ann, request_id)
        page = await bob.page()
        edit = await bob.page(f"/requests/{request_id}/approvals/2.1/edit")
        await bob.fill(f"/requests/{request_id}/approvals/2.1", decision="approve")
        await outcome(ann, request_id)
        ended = await bob.page(f"/requests/{request_id}")
    for text in (page, ended):
        assert "<script>alert" not in text
        assert not {"\u202e", "\u200b", "\u2066", "\x1b"} & set(text)
        assert "<mark>[U+202E]</mark>gpj.exe <mark>[U+200B]</mark><mark>[U+2066]</mark>" in text
    assert "more lines" in page
    assert "the end" in page
    assert "<script>alert" not in edit
    assert "It holds characters that a field does not show" in edit


async def test_a_question_is_answered_and_nobody_else_sees_it(door: Door, worker: ScriptedModel) -> None:
    worker.scripts["Paris?"] = PARIS
    async with (
        at_the_desk(door, "ann", Right.SUBMIT, Right.READ) as ann,
        at_the_desk(door, "eve", Right.SUBMIT, Right.READ) as eve,
    ):
        started = await ann.fill("/requests", text="Paris?")
        at = started.headers["Location"]

        async def asked() -> bool:
            return "Which Paris?" in await ann.page(at)

        await eventually(asked)
        assert "Which Paris?" in await ann.page()
        assert "Which Paris?" not in await eve.page()
        assert (await eve.get(at)).status_code == 404
        answered = await ann.fill(f"{at}/answers/1.1", at, text="The one in Texas.")

        async def done() -> bool:
            return "What became of it" in await ann.page(at)

        await eventually(done)
        assert "The one in Texas." in await ann.page(at)
    assert answered.status_code == 303


async def test_a_form_that_is_sent_twice_starts_one_request(door: Door, worker: ScriptedModel) -> None:
    worker.scripts["Look."] = [say("Looked.")]
    async with at_the_desk(door, "ann", Right.SUBMIT, Right.READ) as ann:
        page = await ann.page()
        token = page.split('name="token" value="')[1].split('"')[0]
        new_id = page.split('name="request_id" value="')[1].split('"')[0]
        form = {"token": token, "request_id": new_id, "text": "Look."}
        both = [await ann.post("/requests", data=form) for _ in range(2)]
        blank = await ann.post("/requests", data=form | {"text": " "})
    assert [each.headers["Location"] for each in both] == [f"/requests/ann%3A{new_id}"] * 2
    assert blank.status_code == 422
    assert "say what should happen" in html.unescape(blank.text)


async def test_a_conversation_goes_on_and_is_closed(door: Door, worker: ScriptedModel) -> None:
    worker.scripts["Hello."] = [say("Good day."), say("Rain.")]
    async with at_the_desk(door, "ann", Right.SUBMIT, Right.READ) as ann:
        at = (await ann.fill("/requests", text="Hello.", keep_open="yes")).headers["Location"]

        async def open_for_more() -> bool:
            return "Say more" in await ann.page(at)

        await eventually(open_for_more)
        said = await ann.fill(f"{at}/messages", at, text="And in Bergen?")
        closed = await ann.fill(f"{at}/close", at)
        assert (said.status_code, closed.status_code) == (303, 303), (said.text, closed.text)

        async def done() -> bool:
            return "What became of it" in await ann.page(at)

        await eventually(done)
        assert "Rain." in await ann.page(at)


async def test_a_write_that_nobody_knows_the_end_of_is_settled(door: Door, worker: ScriptedModel) -> None:
    worker.scripts["Write."] = [calls(call("write_down", word="maybe")), say("Done.")]
    async with (
        door.caller("ann") as ann,
        at_the_desk(door, "bob", Right.READ_ALL, Right.APPROVE, Right.RESOLVE) as bob,
    ):
        request_id = await submitted(ann, "Write.")
        await waiting(ann, request_id)
        await bob.fill(f"/requests/{request_id}/approvals/1.1", decision="approve")
        await outcome(ann, request_id)
        at = f"/actions/{request_id}/1.1/resolve"
        settled = await bob.fill(at, f"/requests/{request_id}", delivered="yes")
        after = await bob.page(f"/requests/{request_id}")
    assert settled.status_code == 303
    assert "Did it happen?" not in after


@pytest.mark.long
async def test_a_schedule_is_made_after_its_next_times_were_shown(door: Door) -> None:
    async with at_the_desk(door, "ann", Right.SUBMIT, Right.READ) as ann, door.caller("cli") as cli:
        of_another = await scheduled(cli)
        fields = {"text": "Look.", "cron": "0 8 * * 1-5", "zone": "Europe/Berlin", "words": "at eight"}
        shown = await ann.fill("/schedules/preview", **fields)
        wrong = await ann.fill("/schedules/preview", **(fields | {"cron": "at eight"}))
        new_id = shown.text.split('name="schedule_id" value="')[1].split('"')[0]
        token = shown.text.split('name="token" value="')[1].split('"')[0]
        made = await answered(lambda: ann.post("/schedules", data=fields | {"token": token, "schedule_id": new_id}))
        page = await ann.page_with(new_id)
        paused = await ann.fill(f"/schedules/{new_id}/pause")
        deleted = await ann.fill(f"/schedules/{new_id}/delete")
        await cli.delete(f"/v1/schedules/{of_another}")
    assert shown.text.count("08:00:00 CE") == 3
    assert wrong.status_code == 422
    assert (made.status_code, paused.status_code, deleted.status_code) == (303, 303, 303)
    assert of_another not in page


@pytest.mark.long
async def test_a_schedule_of_a_call_shows_the_call_beside_the_button_that_runs_it(client: Client, door: Door) -> None:
    look_up = Request(requester="ann", call=GivenCall(tool="look_up", arguments={"word": "tree"}))
    made = await add_schedule(client, Timetable(cron="0 8 1 1 *"), look_up)
    async with at_the_desk(door, "ann", Right.SUBMIT, Right.READ) as ann:
        page = await ann.page_with(made.schedule_id)
        await ann.fill(f"/schedules/{made.schedule_id}/delete")
    assert f"<strong>{made.schedule_id}</strong>: call look_up<br>" in page


async def test_with_no_key_the_user_of_this_machine_is_in(client: Client, settings: Settings, tmp_path: Path) -> None:
    app = application(client, WebSettings(keys=tmp_path / "none.json"), settings)
    async with served(app) as url, Desk(base_url=url, headers=LOOKED_AT, timeout=30) as desk:
        page = await desk.page()
        started = await desk.fill("/requests", text="Look.")
        renamed = await desk.get("/", headers={"Host": "evil.example"})
    assert "The desk" in page
    assert started.status_code == 303
    assert renamed.status_code == 421


@pytest.mark.long
async def test_every_connection_is_told_the_whole_state(door: Door, worker: ScriptedModel) -> None:
    worker.scripts["Write."] = TREE
    async with door.caller("ann") as ann, at_the_desk(door, "bob", *APPROVER) as bob:
        request_id = await submitted(ann, "Write.")
        await waiting(ann, request_id)
        for path in ("/desk/events", f"/requests/{request_id}/live"):
            for _ in range(2):
                assert "write_down" in await first_event(bob, path)
        await ann.post(f"/v1/requests/{request_id}/cancel")


async def first_event(desk: httpx.AsyncClient, path: str) -> str:
    async with desk.stream("GET", path) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        told = ""
        async for text in answer.aiter_text():
            told += text
            if "\n\n" in told:
                return told
    return told


async def test_a_request_says_why_each_call_was_made_while_it_runs_and_afterwards(
    door: Door, worker: ScriptedModel
) -> None:
    worker.scripts["Tell ann."] = [calls(call("tell", to=["ann"], what="hi")), say("Done.")]
    async with door.caller("ann") as ann, at_the_desk(door, "bob", *APPROVER) as bob:
        request_id = await submitted(ann, "Tell ann.")
        await waiting(ann, request_id)
        before = await bob.page(f"/requests/{request_id}/why")
        await bob.fill(f"/requests/{request_id}/approvals/1.1", f"/requests/{request_id}", decision="approve")
        await outcome(ann, request_id)
        after = await bob.page(f"/requests/{request_id}")
        again = await bob.page(f"/requests/{request_id}/why")
    assert "nobody has decided about it yet" in before
    for page in (after, again):
        assert "← ann: from the request" in page
        assert "no rule of the policy allows it" in page
        assert "bob said yes at 20" in page
        assert "done, attempt 1 began 20" in page
        assert f"as {request_id}/1.1, digest " in page
        assert 'role="alert"' not in page


async def test_budgets_are_shown_to_whom_they_hold_and_to_who_sees_everything(
    client: Client, door: Door, worker: ScriptedModel, settings: Settings, web_settings: WebSettings, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[[budget]]\nrequester = "ann*"\ntool = "tell"\nmost = 5\nper = "month"\n')
    knowing = changed(settings, tools={"policy": policy})
    async with served(application(client, web_settings, knowing)) as url:
        there = Door(url, door.keys)
        async with at_the_desk(there, "ann", Right.READ) as ann, at_the_desk(there, "bob", Right.READ) as bob:
            hers, his = await ann.page(), await bob.page()
    assert "5 calls of tell per month for ann*" in hers
    assert "<td>0</td><td>0</td><td>5</td>" in hers
    assert "Budgets" not in his
