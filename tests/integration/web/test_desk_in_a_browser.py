"""The desk in a real browser: what people do there, and whether everybody can."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from importlib.resources import files

import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, Page, Route, expect
from temporalio.client import Client

from activities.settings import Settings
from deploy.client.keys import Right, add_key
from deploy.web.application import application
from deploy.web.settings import WebSettings
from tests.integration.web.browser import chromium, needs_chromium, somebody
from tests.integration.web.conftest import Door, outcome, submitted
from tests.integration.web.test_approvals import APPROVER, TREE, waiting
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say

pytestmark = needs_chromium
PHONE = {"viewport": {"width": 360, "height": 640}}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncGenerator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture(autouse=True)
def _sample_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERRAND_TOOLS", "tests.sample_tools")


async def test_a_call_is_approved_by_the_keyboard_alone_on_a_phone(
    door: Door, worker: ScriptedModel, happened: World, browser: Browser
) -> None:
    worker.scripts["Write."] = TREE
    bob = add_key(door.keys, "bob", APPROVER)
    async with door.caller("ann") as ann, somebody(browser, door.url, bob, **PHONE) as page:
        request_id = await submitted(ann, "Write.")
        approve = page.get_by_role("button", name="Approve write_down tree")
        await expect(approve).to_be_visible()  # it came by itself
        wide = await page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        for _ in range(40):
            await page.keyboard.press("Tab")
            if await approve.evaluate("button => button === document.activeElement"):
                break
        await page.keyboard.press("Enter")
        ended = await outcome(ann, request_id)
    assert ended.receipts[0].approved_by == "bob"
    assert happened.done("write_down") == ["tree"]
    assert wide is False


@pytest.mark.long
async def test_a_call_is_rejected_with_a_reason_that_stays_while_the_page_changes(
    door: Door, worker: ScriptedModel, happened: World, browser: Browser
) -> None:
    worker.scripts["Write."] = TREE
    worker.scripts["Look."] = [calls(call("look_up", word="tree", seconds=0.5)), say("Looked.")]
    bob = add_key(door.keys, "bob", APPROVER)
    async with door.caller("ann") as ann, somebody(browser, door.url, bob) as page:
        request_id = await submitted(ann, "Write.")
        await waiting(ann, request_id)
        mine = page.locator(f"article[id^='call-{request_id}/']")
        await mine.get_by_text("Reject…").click()
        await page.keyboard.press("Tab")
        await page.keyboard.type("not ")
        other = await submitted(ann, "Look.")
        await expect(page.locator(f"#ended-{other}")).to_be_visible()
        await page.keyboard.type("today")
        await page.keyboard.press("Enter")
        ended = await outcome(ann, request_id)
    assert ended.receipts[0].error == "rejected by bob: not today"
    assert happened.done("write_down") == []


@pytest.mark.long
async def test_the_arguments_are_edited_and_of_two_who_decide_the_second_is_told_who_was_first(
    door: Door, worker: ScriptedModel, happened: World, browser: Browser
) -> None:
    worker.scripts["Write."] = TREE
    bob, carl = (add_key(door.keys, name, APPROVER) for name in ("bob", "carl"))
    async with (
        door.caller("ann") as ann,
        somebody(browser, door.url, bob) as first,
        somebody(browser, door.url, carl) as second,
    ):
        request_id = await submitted(ann, "Write.")
        await waiting(ann, request_id)
        for page in (first, second):
            await page.goto(f"{door.url}/requests/{request_id}/approvals/1.1/edit")
            await page.get_by_label("word").fill(f"a bush {id(page)}")
        await first.get_by_role("button", name="Approve").click()
        await first.wait_for_url(f"{door.url}/")
        await second.get_by_role("button", name="Approve").click()
        await expect(second.get_by_role("alert")).to_contain_text("approved by bob")
        ended = await outcome(ann, request_id)
    assert happened.done("write_down") == [f"a bush {id(first)}"]
    assert ended.receipts[0].approved_by == "bob"


@pytest.mark.parametrize("word", ["PO\rX", "PO\0X", "\nPO\r\n"])
@pytest.mark.long
async def test_a_field_that_nobody_touches_keeps_what_no_browser_can_send(
    door: Door, worker: ScriptedModel, browser: Browser, word: str
) -> None:
    worker.scripts["Write."] = [calls(call("write_down", word=word, seconds=1)), say("Done.")]
    bob = add_key(door.keys, "bob", APPROVER)
    async with door.caller("ann") as ann, somebody(browser, door.url, bob) as page:
        request_id = await submitted(ann, "Write.")
        await waiting(ann, request_id)
        await page.goto(f"{door.url}/requests/{request_id}/approvals/1.1/edit")
        await page.get_by_label("seconds").fill("0.25")
        await page.get_by_role("button", name="Approve").click()
        await page.wait_for_url(f"{door.url}/")
        ended = await outcome(ann, request_id)
    assert ended.receipts[0].arguments == {"word": word, "seconds": 0.25}


@pytest.mark.long
async def test_a_page_goes_on_when_the_door_was_started_anew(
    client: Client, settings: Settings, web_settings: WebSettings, worker: ScriptedModel, browser: Browser
) -> None:
    worker.scripts["Write."] = TREE
    bob, ann = (add_key(web_settings.keys, name, [*APPROVER, Right.SUBMIT]) for name in ("bob", "ann"))
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    one = Door(f"http://127.0.0.1:{port}", web_settings.keys)
    server, running = await _open(application(client, web_settings, settings), port)
    async with somebody(browser, one.url, bob) as page, one.with_key(ann) as caller:
        await _close(server, running)
        server, running = await _open(application(client, web_settings, settings), port)
        request_id = await submitted(caller, "Write.")
        await expect(page.locator(f"article[id^='call-{request_id}/']")).to_be_visible()
        await caller.post(f"/v1/requests/{request_id}/cancel")
    await _close(server, running)


@pytest.mark.long
async def test_a_page_that_found_no_door_for_its_events_goes_on_asking(
    door: Door, worker: ScriptedModel, browser: Browser
) -> None:
    """htmx takes up a connection again that is lost, and lets one alone that never was."""
    worker.scripts["Write."] = TREE
    bob = add_key(door.keys, "bob", APPROVER)
    async with door.caller("ann") as ann, somebody(browser, door.url, bob) as page:
        await page.route("**/desk/events", lambda route: route.abort())
        await page.reload()
        await page.unroute("**/desk/events")
        request_id = await submitted(ann, "Write.")
        await expect(page.locator(f"article[id^='call-{request_id}/']")).to_be_visible()


@pytest.mark.parametrize("late", ["htmx", "hx-sse"])
@pytest.mark.long
async def test_a_page_is_live_whichever_of_its_scripts_is_late(
    door: Door, worker: ScriptedModel, browser: Browser, late: str
) -> None:
    async def later(route: Route) -> None:
        await asyncio.sleep(0.5)
        await route.continue_()

    worker.scripts["Write."] = TREE
    bob = add_key(door.keys, "bob", APPROVER)
    async with door.caller("ann") as ann, somebody(browser, door.url, bob) as page:
        await page.route(f"**/static/{late}.min.js*", later)
        await page.reload()
        request_id = await submitted(ann, "Write.")
        await expect(page.locator(f"article[id^='call-{request_id}/']")).to_be_visible()


async def _open(app: FastAPI, port: int) -> tuple[uvicorn.Server, "asyncio.Task[None]"]:
    config = uvicorn.Config(app, port=port, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    server.config.timeout_graceful_shutdown = 0
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    return server, running


async def _close(server: uvicorn.Server, running: "asyncio.Task[None]") -> None:
    server.should_exit = server.force_exit = True
    await running


@pytest.mark.long
async def test_axe_finds_nothing_that_keeps_somebody_out(door: Door, worker: ScriptedModel, browser: Browser) -> None:
    """On light and on dark paper, of which the colours are all that differs. Without motion they change at once."""
    worker.scripts["Write."] = TREE
    bob = add_key(door.keys, "bob", [Right.ADMIN])
    async with door.caller("ann") as ann, somebody(browser, door.url, bob, reduced_motion="reduce") as page:
        request_id = await submitted(ann, "Write.")
        await waiting(ann, request_id)
        rehearsed = await submitted(ann, "Write.", rehearse=True)
        await outcome(ann, rehearsed)
        found = [
            f"{path}: {each['id']} {each['nodes'][0]['html'][:200]} {each['nodes'][0]['failureSummary']}"
            for path in (
                *("/", "/sign-in", f"/requests/{rehearsed}"),
                *(f"/requests/{request_id}", f"/requests/{request_id}/approvals/1.1/edit"),
            )
            for each in await _violations(page, f"{door.url}{path}")
        ]
        await ann.post(f"/v1/requests/{request_id}/cancel")
    assert found == []


async def _violations(page: Page, url: str) -> list[dict[str, list[dict[str, str]]]]:
    await page.emulate_media(color_scheme="light")
    await page.goto(url)
    await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    await page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    light = await page.evaluate("axe.run()")
    await page.emulate_media(color_scheme="dark")
    dark = await page.evaluate("axe.run({runOnly: ['color-contrast', 'link-in-text-block']})")
    assert "color-contrast" in {rule["id"] for rule in dark["passes"]}
    return [*light["violations"], *dark["violations"]]
