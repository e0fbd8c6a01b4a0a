"""People sign in at an OpenID Connect issuer: with a code, PKCE, a state and a nonce."""

from collections.abc import AsyncGenerator, Generator
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import pytest_asyncio
from temporalio.client import Client

from activities.http.tls import trusted_roots
from activities.settings import Settings
from deploy.client.keys import Right, add_key
from deploy.web.application import application
from deploy.web.desk import sessions
from deploy.web.settings import WebSettings
from tests.integration.web.browser import chromium, needs_chromium
from tests.integration.web.conftest import served
from tests.integration.web.desk import LOOKED_AT
from tests.issuer import AUDIENCE, CLIENT, Issuer, serving


@pytest.fixture
def issuer() -> Generator[Issuer]:
    with serving() as issuer:
        yield issuer


@pytest.fixture
def at_issuer(web_settings: WebSettings, issuer: Issuer) -> WebSettings:
    known = {"oidc_issuer": issuer.url, "oidc_audience": AUDIENCE, "oidc_client_id": CLIENT}
    return WebSettings.model_validate(web_settings.model_dump() | known)


@pytest_asyncio.fixture(loop_scope="session")
async def url(client: Client, settings: Settings, at_issuer: WebSettings) -> AsyncGenerator[str]:
    async with served(application(client, at_issuer, settings)) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def browser(url: str) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(verify=trusted_roots(), base_url=url, headers=LOOKED_AT, timeout=30) as browser:
        yield browser


async def sent_back(browser: httpx.AsyncClient) -> str:
    """Where the issuer sends the browser back to, after the desk has sent it there."""
    assert "/sign-in/issuer" in (await browser.get("/sign-in")).text
    there = await browser.get("/sign-in/issuer")
    assert there.status_code == 303
    return (await browser.get(there.headers["Location"])).headers["Location"]


async def test_who_signs_in_there_sits_at_the_desk_with_the_rights_that_the_issuer_gives(
    browser: httpx.AsyncClient, issuer: Issuer
) -> None:
    issuer.identity = {"scope": "openid errand:submit errand:read errand:fly"}
    came = await browser.get(await sent_back(browser))
    desk = await browser.get("/")
    at_the_door = await browser.get("/v1/requests")
    assert 'content="0;url=/"' in came.text
    assert (desk.status_code, at_the_door.status_code) == (200, 401)
    assert "<p>ann</p>" in desk.text
    assert "New request" in desk.text


@pytest.mark.long
async def test_where_the_id_token_says_nothing_of_rights_they_are_those_of_the_access_token(
    browser: httpx.AsyncClient, issuer: Issuer
) -> None:
    issuer.access = {"scope": "errand:read"}
    await browser.get(await sent_back(browser))
    desk = await browser.get("/")
    assert desk.status_code == 200
    assert "New request" not in desk.text


@pytest.mark.long
async def test_a_client_with_a_secret_says_it(
    client: Client, settings: Settings, at_issuer: WebSettings, issuer: Issuer
) -> None:
    issuer.secret = "s3cret"
    known = at_issuer.model_dump() | {"oidc_client_secret": "s3cret"}
    app = application(client, WebSettings.model_validate(known), settings)
    async with (
        served(app) as url,
        httpx.AsyncClient(verify=trusted_roots(), base_url=url, headers=LOOKED_AT) as browser,
    ):
        await browser.get(await sent_back(browser))
        assert (await browser.get("/")).status_code == 200


@pytest.mark.long
async def test_what_is_asked_for_is_a_code_with_pkce_and_another_state_each_time(
    browser: httpx.AsyncClient, url: str, issuer: Issuer
) -> None:
    asked = [
        dict(parse_qsl(urlsplit((await browser.get("/sign-in/issuer")).headers["Location"]).query)) for _ in range(2)
    ]
    for each in asked:
        assert {"response_type": "code", "code_challenge_method": "S256", "scope": "openid"}.items() <= each.items()
        assert each["redirect_uri"] == f"{url}/sign-in/back"
    assert all(asked[0][name] != asked[1][name] for name in ("state", "nonce", "code_challenge"))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"aud": "another"}, "aud"),
        ({"nonce": "another"}, "of another sign-in"),
        ({"nonce": None}, "of another sign-in"),
        ({"iss": "https://evil.example"}, "iss"),
        ({"exp": 1}, "expired"),
        ({"azp": "another"}, "another client"),
        ({"sub": None}, "somebody else"),
        ({"scope": "openid"}, "gives ann no right here"),
        ({"sub": "Nobody", "scope": "errand:admin"}, "called like a caller with a key"),
    ],
)
@pytest.mark.long
async def test_an_id_token_that_is_not_of_this_sign_in_lets_nobody_in(
    browser: httpx.AsyncClient, issuer: Issuer, at_issuer: WebSettings, changed: dict[str, object], why: str
) -> None:
    add_key(at_issuer.keys, "nobody", [Right.READ])
    issuer.identity = changed
    came = await browser.get(await sent_back(browser))
    desk = await browser.get("/")
    assert came.status_code in (401, 403)
    assert why in came.text
    assert desk.headers["Location"] == "/sign-in"


@pytest.mark.long
async def test_an_access_token_that_is_not_for_this_door_gives_no_rights(
    browser: httpx.AsyncClient, issuer: Issuer
) -> None:
    issuer.access = {"aud": "another"}
    came = await browser.get(await sent_back(browser))
    assert came.status_code == 401
    assert "the access token is none for errand" in came.text


async def test_an_answer_counts_once_in_the_browser_that_has_asked_and_with_its_own_state(
    browser: httpx.AsyncClient, url: str
) -> None:
    back = await sent_back(browser)
    async with httpx.AsyncClient(verify=trusted_roots(), base_url=url, headers=LOOKED_AT) as other:
        elsewhere = await other.get(back)
        await other.get("/sign-in/issuer")
        foreign = await other.get(back)
    first = await browser.get(back)
    again = await browser.get(back)
    assert [each.status_code for each in (elsewhere, foreign, first, again)] == [403, 403, 200, 403]
    assert all("not begun in this browser" in each.text for each in (elsewhere, foreign, again))


async def test_of_two_tabs_each_signs_in_and_an_answer_to_neither_ends_none(browser: httpx.AsyncClient) -> None:
    first, second = await sent_back(browser), await sent_back(browser)
    nobodys = await browser.get("/sign-in/back?state=x&code=y")
    assert [each.status_code for each in (nobodys, await browser.get(first), await browser.get(second))] == [
        403,
        200,
        200,
    ]


@pytest.mark.long
async def test_a_code_that_the_issuer_does_not_know_lets_nobody_in(browser: httpx.AsyncClient, issuer: Issuer) -> None:
    back = await sent_back(browser)
    issuer.codes.clear()
    came = await browser.get(back)
    assert came.status_code == 401
    assert "gives no tokens for this sign-in" in came.text


@pytest.mark.long
async def test_whom_the_issuer_does_not_let_in_is_told_why(browser: httpx.AsyncClient, issuer: Issuer) -> None:
    issuer.refuses = "<access_denied>"
    came = await browser.get(await sent_back(browser))
    assert came.status_code == 401
    assert "&lt;access_denied&gt;" in came.text


@pytest.mark.long
async def test_a_session_is_over_in_four_hours_and_when_somebody_with_a_key_is_called_so(
    browser: httpx.AsyncClient, issuer: Issuer, at_issuer: WebSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.identity = {"scope": "errand:read"}
    await browser.get(await sent_back(browser))
    before = await browser.get("/")
    add_key(at_issuer.keys, "ANN", [Right.ADMIN])
    named = await browser.get("/")
    monkeypatch.setattr(sessions, "LASTS_BY_ISSUER", -1)
    issuer.identity = {"scope": "errand:read", "sub": "bob"}
    await browser.get(await sent_back(browser))
    over = await browser.get("/")
    assert [each.status_code for each in (before, named, over)] == [200, 303, 303]


@pytest.mark.long
async def test_a_door_without_an_issuer_sends_nobody_anywhere(
    client: Client, settings: Settings, web_settings: WebSettings
) -> None:
    app = application(client, web_settings, settings)
    async with (
        served(app) as url,
        httpx.AsyncClient(verify=trusted_roots(), base_url=url, headers=LOOKED_AT) as browser,
    ):
        assert "/sign-in/issuer" not in (await browser.get("/sign-in")).text
        assert (await browser.get("/sign-in/issuer")).status_code == 404


@needs_chromium
@pytest.mark.long
async def test_a_browser_is_led_there_and_back_to_the_desk_from_another_site(
    client: Client, settings: Settings, at_issuer: WebSettings, issuer: Issuer
) -> None:
    """To browsers, localhost is another site than 127.0.0.1: a strict cookie does not come along from there."""
    issuer.url = issuer.url.replace("127.0.0.1", "localhost")
    issuer.identity = {"scope": "errand:read"}
    known = WebSettings.model_validate(at_issuer.model_dump() | {"oidc_issuer": issuer.url})
    async with served(application(client, known, settings)) as url, chromium() as browser:
        page = await browser.new_page()
        await page.goto(url)
        await page.get_by_role("button", name="Sign in at").click()
        await page.wait_for_url(f"{url}/")
        assert await page.get_by_role("heading", name="The desk").is_visible()
