"""Who calls is known by their key, and what they may do by its rights; whatever a call says counts for nothing."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from activities.errors import ConfigurationError
from activities.http.tls import trusted_roots
from activities.settings import Settings
from deploy.client.keys import Right, add_key, remove_key
from deploy.web.application import application
from deploy.web.settings import WebSettings
from tests.conftest import settings_for
from tests.integration.web.conftest import Door, served, submitted
from tests.integration.web.test_approvals import TREE, waiting
from tests.scripted_model import ScriptedModel
from tests.unit.encryption.keys import key_file, new_key

OPERATIONS = (
    ("GET", "", None),
    ("GET", "/outcome", None),
    ("GET", "/events", None),
    ("POST", "/messages", {"text": "Mine.", "message_id": "m"}),
    ("POST", "/approvals/1.1", {"decision": "approve", "digest": "0"}),
    ("POST", "/cancel", None),
    ("POST", "/close", None),
)
"""On one request."""


@pytest.mark.parametrize(
    "header", [None, "Bearer errand_wrong", "Bearer something", "Basic YTpi", "Bearer", "errand_wrong"]
)
async def test_without_a_key_that_is_known_nothing_is_told(door: Door, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    async with httpx.AsyncClient(verify=trusted_roots(), base_url=door.url, headers=headers) as anybody:
        answers = [await anybody.get(path) for path in ("/v1/requests", "/v1/requests/x", "/v1/actions", "/v1/tools")]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {'Bearer realm="errand"'}


@pytest.mark.parametrize(("method", "path", "body"), OPERATIONS)
@pytest.mark.sampled(2)
async def test_somebody_elses_request_is_not_there(
    door: Door, worker: ScriptedModel, method: str, path: str, body: object
) -> None:
    worker.scripts["Write."] = TREE
    async with door.caller("ann") as ann, door.caller("newcomer") as newcomer:
        request_id = await submitted(ann, "Write.")
        await waiting(ann, request_id)
        foreign = await newcomer.request(method, f"/v1/requests/{request_id}{path}", json=body)
        nowhere = await newcomer.request(method, f"/v1/requests/web-nowhere{path}", json=body)
        listed = (await newcomer.get("/v1/requests")).json()["requests"]
        asked = await newcomer.get("/v1/requests", params={"requester": "ann"})
        state = (await ann.get(f"/v1/requests/{request_id}")).json()
        await ann.post(f"/v1/requests/{request_id}/cancel")
    assert (foreign.status_code, nowhere.status_code) == (404, 404)
    assert foreign.json() == {**nowhere.json(), "detail": f"there is no request {request_id}"}
    assert listed == []
    assert asked.status_code == 403
    assert state["awaiting_approval"]


@pytest.mark.parametrize(
    ("rights", "refused"),
    [
        ([Right.READ], {"submit", "say", "decide", "cancel", "close", "resolve", "others"}),
        ([Right.SUBMIT], {"read", "outcome", "events", "list", "decide", "resolve", "others", "in advance", "actions"}),
        ([Right.READ, Right.APPROVE], {"submit", "say", "cancel", "close", "resolve", "others"}),
        (
            [Right.RESOLVE],
            {"submit", "read", "outcome", "events", "list", "say", "decide", "cancel", "close", "others"},
        ),
    ],
)
async def test_a_caller_may_do_what_their_rights_say_and_no_more(
    door: Door, rights: list[Right], refused: set[str]
) -> None:
    calls = {
        "submit": ("POST", "/v1/requests", {"text": "x", "request_id": "web-rights"}),
        "in advance": ("POST", "/v1/requests", {"text": "x", "request_id": "web-rights", "approve": ["*"]}),
        "list": ("GET", "/v1/requests", None),
        "others": ("GET", "/v1/requests?requester=ann", None),
        "read": ("GET", "/v1/requests/x", None),
        "outcome": ("GET", "/v1/requests/x/outcome", None),
        "events": ("GET", "/v1/requests/x/events", None),
        "say": ("POST", "/v1/requests/x/messages", {"text": "x", "message_id": "m"}),
        "decide": ("POST", "/v1/requests/x/approvals/1.1", {"decision": "approve", "digest": "0"}),
        "cancel": ("POST", "/v1/requests/x/cancel", None),
        "close": ("POST", "/v1/requests/x/close", None),
        "actions": ("GET", "/v1/actions", None),
        "resolve": ("POST", "/v1/actions/x/1.1/resolve", {"delivered": True}),
    }
    async with door.caller("rachel", rights) as rachel:
        answers = {name: await rachel.request(how, path, json=body) for name, (how, path, body) in calls.items()}
    statuses = {name: answer.status_code for name, answer in answers.items()}
    assert {name for name in refused if statuses[name] != 403} == set()
    may = calls.keys() - refused - {"in advance", "actions"}
    assert {name for name in may if statuses[name] == 403} == set()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/requests", {"text": "x", "request_id": "web-other", "requester": "bob"}),
        ("/v1/requests/{id}/messages", {"text": "x", "message_id": "m", "by": "bob"}),
        ("/v1/requests/{id}/approvals/1.1", {"decision": "approve", "digest": "0", "by": "bob"}),
        ("/v1/actions/{id}/1.1/resolve", {"delivered": True, "by": "bob"}),
    ],
)
@pytest.mark.sampled(1)
async def test_a_body_that_speaks_for_somebody_else_is_forbidden(door: Door, path: str, body: object) -> None:
    async with door.caller("root", [Right.ADMIN]) as root:
        request_id = await submitted(root, "x", keep_open=True)
        answer = await root.post(path.format(id=request_id), json=body)
        await root.post(f"/v1/requests/{request_id}/cancel")
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:errand:problem:forbidden")
    assert "root calls, and speaks for nobody else" in answer.json()["detail"]


async def test_the_requester_is_whoever_calls_and_may_say_so(door: Door) -> None:
    async with door.caller("ann") as ann:
        request_id = await submitted(ann, "x", requester="ann")
        view = await ann.get("/v1/requests", params={"requester": "ann"})
    assert view.status_code == 200
    assert request_id


async def test_a_key_that_is_made_or_taken_away_counts_at_once(door: Door) -> None:
    key = add_key(door.keys, "new", [Right.READ])
    async with door.with_key(key) as new:
        before = await new.get("/v1/requests")
        remove_key(door.keys, "new")
        after = await new.get("/v1/requests")
    assert (before.status_code, after.status_code) == (200, 401)


async def test_a_caller_who_calls_too_often_is_told_when_to_come_again_and_nobody_else_is(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    slow = WebSettings(keys=tmp_path / "keys.json", rate_limit=3)
    keys = {name: add_key(slow.keys, name, [Right.READ]) for name in ("ann", "bob")}
    async with served(application(client, slow, settings)) as url:
        door = Door(url, slow.keys)
        async with door.with_key(keys["ann"]) as ann, door.with_key(keys["bob"]) as bob:
            answers = await asyncio.gather(*(ann.get("/v1/requests") for _ in range(4)))
            other = await bob.get("/v1/requests")
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 429]
    [refused] = [answer for answer in answers if answer.status_code == 429]
    assert int(refused.headers["Retry-After"]) == 20
    assert other.status_code == 200


class TestOnThisMachineWithoutAnyKey:
    async def test_whoever_calls_is_the_local_user_until_there_is_a_key(
        self, client: Client, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LOGNAME", "ann")
        keys = tmp_path / "keys.json"
        async with (
            served(application(client, WebSettings(keys=keys), settings)) as url,
            httpx.AsyncClient(verify=trusted_roots(), base_url=url) as local,
        ):
            request_id = await submitted(local, "x", requester="ann", keep_open=True)
            await local.post(f"/v1/requests/{request_id}/cancel")
            with_some_key = await local.get("/v1/requests", headers={"Authorization": "Bearer errand_x"})
            add_key(keys, "bob", [Right.READ])
            closed = await local.get("/v1/requests")
            keys.unlink()
            still = await local.get("/v1/requests")
        assert with_some_key.status_code == 401
        assert (closed.status_code, still.status_code) == (401, 401)

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"Host": "evil.example"}, 421),
            ({"Host": "evil.example:80"}, 421),
            ({"Host": ""}, 421),
            ({"Host": "localhost:1"}, 201),
            ({"Origin": "https://evil.example"}, 403),
            ({"Origin": "null"}, 403),
            ({"Origin": "http://localhost:3000"}, 403),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Sec-Fetch-Site": "same-site"}, 403),
            ({"Sec-Fetch-Site": "same-origin"}, 201),
            ({"Content-Type": "text/plain"}, 415),
            ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
            ({"Content-Type": "application/json; charset=utf-8"}, 201),
        ],
    )
    @pytest.mark.sampled(3)
    async def test_a_page_of_another_site_can_start_nothing(
        self, client: Client, settings: Settings, tmp_path: Path, headers: dict[str, str], status: int
    ) -> None:
        app = application(client, WebSettings(keys=tmp_path / "keys.json"), settings)
        body = b'{"text": "Send it."}'
        usual = {"Content-Type": "application/json", "Idempotency-Key": tmp_path.name}
        async with served(app) as url, httpx.AsyncClient(verify=trusted_roots(), base_url=url) as browser:
            answer = await browser.post("/v1/requests", content=body, headers=usual | headers)
        assert answer.status_code == status, answer.text

    async def test_a_body_that_is_too_large_is_refused_whether_it_says_its_size_or_not(
        self, client: Client, settings: Settings, tmp_path: Path
    ) -> None:
        app = application(client, WebSettings(keys=tmp_path / "keys.json", largest_body=2048), settings)
        kind = {"Content-Type": "application/json"}

        async with served(app) as url, httpx.AsyncClient(verify=trusted_roots(), base_url=url) as local:
            said = await local.post("/v1/requests", content=b" " * 3000, headers=kind)
            silent = await local.post("/v1/requests", content=_in_parts(3000), headers=kind)
        assert [said.status_code, silent.status_code] == [413, 413]


async def _in_parts(size: int) -> AsyncGenerator[bytes]:
    for _ in range(size // 100):
        yield b" " * 100


class TestElsewhere:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"host": "0.0.0.0", "public_url": "https://errand.example.com"}, "ERRAND_WEB_KEYS: there is no key"),
            ({"public_url": "https://errand.example.com"}, "ERRAND_WEB_KEYS: there is no key"),
            ({"host": "0.0.0.0"}, "ERRAND_WEB_PUBLIC_URL: say under which URL"),
        ],
    )
    async def test_the_door_does_not_open_for_nobody_or_anybody(
        self, client: Client, settings: Settings, tmp_path: Path, changes: dict[str, object], words: str
    ) -> None:
        web = WebSettings.model_validate({"keys": tmp_path / "keys.json", **changes})
        with pytest.raises(ConfigurationError, match=words):
            application(client, web, settings)

    async def test_nor_where_all_keys_were_taken_away(self, client: Client, settings: Settings, tmp_path: Path) -> None:
        keys = tmp_path / "keys.json"
        add_key(keys, "ann", [Right.READ])
        remove_key(keys, "ann")
        with pytest.raises(ConfigurationError, match="has no key"):
            application(client, WebSettings(keys=keys), settings)


async def test_where_temporal_is_not_told_who_asks_the_list_of_ones_own_says_so(
    client: Client, model: ScriptedModel, web_settings: WebSettings, tmp_path: Path
) -> None:
    settings = settings_for(model, payload_keys=key_file(tmp_path, k1=new_key()))
    key, every = (add_key(web_settings.keys, *each) for each in (("ann", [Right.READ]), ("rachel", [Right.READ_ALL])))
    async with (
        served(application(client, web_settings, settings)) as url,
        httpx.AsyncClient(verify=trusted_roots(), base_url=url) as door,
    ):
        own = await door.get("/v1/requests", headers={"Authorization": f"Bearer {key}"})
        all_of_them = await door.get("/v1/requests", headers={"Authorization": f"Bearer {every}"})
        desk = await door.get("/", headers={"Authorization": f"Bearer {key}"})
    assert (own.status_code, all_of_them.status_code) == (503, 200)
    assert "ERRAND_SHOW_REQUESTER" in own.json()["detail"]
    assert "ERRAND_SHOW_REQUESTER" in desk.text


@pytest.mark.parametrize("cookie", ["abc.def", "abc.d\u00e9f", "d\u00e9f.", "."])
async def test_a_cookie_that_no_door_has_signed_is_none(door: Door, cookie: str) -> None:
    async with httpx.AsyncClient(verify=trusted_roots(), base_url=door.url) as anybody:
        answer = await anybody.get("/", headers={b"Cookie": f"errand_desk={cookie}".encode("latin-1")})
    assert answer.status_code == 401
