"""What HTTP replies become."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from pydantic import BaseModel

from activities.errors import ConfigurationError, ServiceRefused, ServiceUnavailable
from activities.http import web
from activities.http.tls import trusted_roots
from tests.unit.http.fake_web import DROP, FakeWeb, fake_web


class Answer(BaseModel):
    value: int


@pytest.fixture
async def server() -> AsyncGenerator[FakeWeb]:
    async with fake_web() as each:
        yield each


@pytest.fixture
async def http() -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(verify=trusted_roots(), timeout=5) as client:
        yield client


async def ask(http: httpx.AsyncClient, url: str) -> Answer:
    reply = await web.get(
        http, "the service", f"{url}/x", params={"a": "b"}, headers={"X-Token": "s3cret"}, hint="see X"
    )
    return web.read(Answer, reply, "the service")


async def test_a_good_reply_is_read(server: FakeWeb, http: httpx.AsyncClient) -> None:
    """A 200 of the right shape is the value."""
    server.answer("/x", {"value": 3})
    assert await ask(http, server.url) == Answer(value=3)
    assert server.asked[0].query == {"a": "b"}


@pytest.mark.parametrize(
    "status", ["408 Late", "425 Early", "429 Slow down", "500 Oops", "502 Bad", "503 Full", "529 Full"]
)
async def test_a_passing_fault_is_tried_again(server: FakeWeb, http: httpx.AsyncClient, status: str) -> None:
    """408, 425, 429 and every 5xx may work another time, and the message says which it was."""
    server.answer("/x", "", status=status)
    with pytest.raises(ServiceUnavailable, match=status[:3]):
        await ask(http, server.url)


@pytest.mark.parametrize("status", ["301 Moved", "400 Bad", "401 Who", "403 No", "404 Where", "410 Gone", "422 Odd"])
async def test_a_refusal_is_final(server: FakeWeb, http: httpx.AsyncClient, status: str) -> None:
    """Any other status will be the same next time; the message says it, says what to check, and keeps the secret."""
    server.answer("/x", "", status=status)
    with pytest.raises(ServiceRefused, match=f"{status}; see X") as refused:
        await ask(http, server.url)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "body",
    ['{"value": 3, "name": "\\ud83d", "gust": NaN}', '\ufeff{"value": 3}', '{"value": 2, "value": 3, "n": 1e999}'],
)
async def test_what_any_reader_takes_is_read(server: FakeWeb, http: httpx.AsyncClient, body: str) -> None:
    """One character or number that cannot be passed on does not make a reply unreadable."""
    server.answer("/x", body)
    assert await ask(http, server.url) == Answer(value=3)


@pytest.mark.parametrize("body", ["", "<html>busy</html>", "[1]", '{"value": "many"}', '{"value": 1', "\x00\x01"])
async def test_an_unreadable_reply_is_tried_again(server: FakeWeb, http: httpx.AsyncClient, body: str) -> None:
    """A 200 that is not JSON of the right shape is a fault of the service, not an answer."""
    server.answer("/x", body)
    with pytest.raises(ServiceUnavailable, match="could not be read"):
        await ask(http, server.url)


@pytest.mark.parametrize("answer", [DROP, b"garbage\r\n\r\n", b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"va'])
async def test_a_broken_connection_is_tried_again(server: FakeWeb, http: httpx.AsyncClient, answer: bytes) -> None:
    """A connection that ends before the reply does is a fault that may pass."""
    server.answers["/x"] = answer
    with pytest.raises(ServiceUnavailable, match="could not be reached"):
        await ask(http, server.url)


async def test_nobody_there_is_tried_again(server: FakeWeb, http: httpx.AsyncClient) -> None:
    """A port on which nobody listens may be listened on later."""
    with pytest.raises(ServiceUnavailable, match="ConnectError"):
        await ask(http, "http://127.0.0.1:1")


async def test_silence_is_tried_again(http: httpx.AsyncClient) -> None:
    """A service that takes the request and says nothing has timed out."""
    async with fake_web() as server:
        server.answers["/x"] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
        http.timeout = httpx.Timeout(0.2)
        with pytest.raises(ServiceUnavailable):
            await ask(http, server.url)


@pytest.mark.parametrize("url", ["weather", "ftp://127.0.0.1", "http://[::1"])
async def test_a_url_that_is_none_is_a_setting_to_mend(http: httpx.AsyncClient, url: str) -> None:
    """What can never be asked is not tried again."""
    with pytest.raises(ConfigurationError, match="see X"):
        await ask(http, url)


async def test_a_header_that_cannot_be_sent_stays_secret(server: FakeWeb, http: httpx.AsyncClient) -> None:
    """A token with a line break in it is an error that does not quote the token."""
    with pytest.raises(ConfigurationError) as error:
        await web.get(http, "the service", f"{server.url}/x", params={}, headers={"X-Token": "s3cret\n"})
    assert "s3cret" not in str(error.value)
    assert error.value.__cause__ is None


async def test_a_service_says_when_to_come_back(server: FakeWeb, http: httpx.AsyncClient) -> None:
    """`Retry-After` on 429 and 503 is the pause before the next attempt."""
    for status in ("429 Slow down", "503 Full"):
        server.answer("/x", "", status=status, headers="Retry-After: 7\r\n")
        with pytest.raises(ServiceUnavailable) as busy:
            await ask(http, server.url)
        assert busy.value.retry_after == timedelta(seconds=7)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5),
        (" 1.5 ", 1.5),
        ("86400", 120),
        ("9" * 400, None),
        ("0", None),
        ("-3", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_pause_in_seconds(value: str, seconds: float | None) -> None:
    """Seconds count up to two minutes; what asks for no pause, or cannot be understood, is none."""
    assert web.retry_after(value) == (None if seconds is None else timedelta(seconds=seconds))


def test_a_pause_until_a_date() -> None:
    """A date is a pause until then; one that is past is none."""
    now = datetime.now(UTC)
    soon = web.retry_after(format_datetime(now + timedelta(seconds=30), usegmt=True))
    assert soon is not None
    assert timedelta(seconds=25) < soon <= timedelta(seconds=30)
    assert web.retry_after(format_datetime(now + timedelta(days=3), usegmt=True)) == web.LONGEST_WAIT
    assert web.retry_after(format_datetime(now - timedelta(days=3), usegmt=True)) is None
    assert web.retry_after("Wed, 21 Oct 2015 07:28:00 -0000") is None
