"""No reply is read without a bound: neither in bytes, as they are when they are unpacked, nor in time."""

import gzip
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import httpx2
import pytest

from activities.errors import ServiceRefused, ServiceUnavailable
from activities.http import bounded as bounded_http
from activities.http import web
from activities.http.bounded import (
    LONGEST_ERROR,
    LONGEST_OF_A_MODEL,
    LONGEST_REPLY,
    BoundedClient,
    BoundedHttpx2Client,
    ReplyTooLong,
)
from activities.http.tls import trusted_roots
from tests.hostile_server import MIB, OK, TOO_MUCH, Peak, drip, hostile, plain, text

CLIENTS = pytest.mark.parametrize("client", [BoundedClient, BoundedHttpx2Client])
LONGEST: dict[object, int] = {BoundedClient: LONGEST_REPLY, BoundedHttpx2Client: LONGEST_OF_A_MODEL}


async def get(client: Any, url: str, **options: Any) -> Any:
    async with client(verify=trusted_roots(), **options) as http:
        return await http.get(url)


class TestTooMuch:
    @CLIENTS
    @pytest.mark.parametrize("way", TOO_MUCH)
    async def test_a_reply_without_end_is_an_error_and_costs_no_memory(self, client: Any, way: str) -> None:
        head, body = TOO_MUCH[way]
        async with hostile(*head, body=body) as server:
            peak, begun = Peak(), time.monotonic()
            with pytest.raises(ReplyTooLong, match=f"{LONGEST[client]:,}"):
                await get(client, server.url)
            assert peak.grown < 60
            assert time.monotonic() - begun < 20
            await server.left_alone.wait()
        assert len(server.asked) == 1

    @CLIENTS
    async def test_what_is_declared_to_be_too_much_is_not_read_at_all(self, client: Any) -> None:
        async with hostile(OK, f"Content-Length: {LONGEST[client] + 1}", body=drip) as server:
            with pytest.raises(ReplyTooLong, match=f"{LONGEST[client] + 1:,}"):
                await get(client, server.url)

    @CLIENTS
    async def test_of_an_error_the_beginning_is_read_and_its_status_counts(self, client: Any) -> None:
        async with hostile("HTTP/1.1 503 Busy", "Retry-After: 7", "Connection: close", body=plain) as server:
            reply = await get(client, server.url)
        assert (reply.status_code, reply.headers["retry-after"]) == (503, "7")
        assert reply.text == "x" * LONGEST_ERROR

    @CLIENTS
    async def test_a_reply_of_the_most_that_is_read_is_whole(
        self, client: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("LONGEST_REPLY", "LONGEST_OF_A_MODEL"):
            monkeypatch.setattr(bounded_http, name, 1000)
        async with hostile(OK, "Content-Length: 1000", body=text("x" * 1000)) as server:
            assert (await get(client, server.url)).text == "x" * 1000

    async def test_a_request_without_a_body_in_its_reply_may_be_told_of_any_length(self) -> None:
        head = (OK, f"Content-Length: {LONGEST_REPLY + 1}")
        async with hostile(*head, body=text("")) as server, BoundedClient(verify=trusted_roots()) as http:
            assert (await http.head(server.url)).is_success

    @pytest.mark.long
    async def test_a_reply_that_is_packed_more_than_once_is_not_unpacked(self) -> None:
        packed = gzip.compress(gzip.compress(bytes(200 * MIB)))
        assert len(packed) < 4000

        async def body() -> AsyncIterator[bytes]:
            yield packed

        head = ("Content-Encoding: gzip", "Content-Encoding: gzip", f"Content-Length: {len(packed)}")
        peak = Peak()
        async with hostile(OK, *head, body=body) as server:
            with pytest.raises(ReplyTooLong, match=r"packed more than once \(gzip, gzip\)"):
                await get(BoundedClient, server.url)
        async with hostile("HTTP/1.1 403 Forbidden", *head, body=body) as server:
            reply = await get(BoundedClient, server.url)
        assert (reply.status_code, reply.text) == (403, "")
        assert peak.grown < 60


class TestTime:
    @CLIENTS
    async def test_a_drip_has_no_more_time_than_any_other_reply(self, client: Any) -> None:
        async with hostile(OK, "Content-Length: 1000", body=drip) as server:
            begun = time.monotonic()
            with pytest.raises((httpx.ReadTimeout, httpx2.ReadTimeout)):
                await get(client, server.url, timeout=0.5)
            assert 0.4 < time.monotonic() - begun < 3
            await server.left_alone.wait()

    async def test_a_request_may_have_another_time_or_as_much_as_it_wants(self) -> None:
        async with (
            hostile(OK, "Connection: close", body=text("late")) as server,
            BoundedClient(verify=trusted_roots(), timeout=5) as http,
        ):
            assert (await http.get(server.url, timeout=None)).text == "late"
        async with (
            hostile(OK, "Content-Length: 1000", body=drip) as server,
            BoundedClient(verify=trusted_roots(), timeout=5) as http,
        ):
            with pytest.raises(httpx.ReadTimeout):
                await http.get(server.url, timeout=0.2)


class TestTheSameOtherwise:
    @CLIENTS
    async def test_a_reply_is_unpacked(self, client: Any) -> None:
        packed = gzip.compress(b'{"a": "\xc3\xa4"}')

        async def body() -> AsyncIterator[bytes]:
            yield packed

        head = (OK, "Content-Type: application/json", "Content-Encoding: gzip", f"Content-Length: {len(packed)}")
        async with hostile(*head, body=body) as server:
            reply = await get(client, server.url)
        assert reply.json() == {"a": "ä"}
        assert reply.request.url == server.url
        assert reply.elapsed.total_seconds() > 0

    @CLIENTS
    @pytest.mark.parametrize(
        "charset", ["hex", "base64", "zip", "rot13", "idna", "punycode", "undefined", "no-such", "a" * 500]
    )
    async def test_a_charset_that_is_none_is_passed_over(self, client: Any, charset: str) -> None:
        head = (OK, f"Content-Type: application/json; charset={charset}", "Content-Length: 13")
        async with hostile(*head, body=text('{"a": "x-y"}\n')) as server:
            reply = await get(client, server.url)
        assert (reply.text, reply.json()) == ('{"a": "x-y"}\n', {"a": "x-y"})

    @CLIENTS
    @pytest.mark.parametrize("charset", ["iso-8859-15", "utf-16", "UTF-8", "windows-1252"])
    async def test_a_charset_that_is_one_is_used(self, client: Any, charset: str) -> None:
        said = '"\u00e4 \u20ac"' if charset != "iso-8859-15" else '"\u00e4"'
        sent = said.encode(charset)

        async def body() -> AsyncIterator[bytes]:
            yield sent

        head = (OK, f"Content-Type: text/plain; charset={charset}", f"Content-Length: {len(sent)}")
        async with hostile(*head, body=body) as server:
            assert (await get(client, server.url)).text == said

    @CLIENTS
    async def test_a_redirect_is_not_followed_and_says_where_to(self, client: Any) -> None:
        async with hostile("HTTP/1.1 302 Found", "Location: /there", "Content-Length: 0", body=text("")) as server:
            reply = await get(client, server.url, follow_redirects=False)
        assert (reply.status_code, str(reply.next_request.url)) == (302, f"{server.url}/there")

    @CLIENTS
    async def test_a_connection_is_used_again(self, client: Any) -> None:
        async with hostile(OK, "Content-Length: 2", body=text("ok")) as server, client(verify=trusted_roots()) as http:
            assert [(await http.get(server.url)).text for _ in range(3)] == ["ok"] * 3

    @CLIENTS
    async def test_who_streams_a_reply_gets_a_stream(self, client: Any) -> None:
        async with (
            hostile(OK, f"Content-Length: {20 * MIB}", body=plain) as server,
            client(verify=trusted_roots()) as http,
            http.stream("GET", server.url) as reply,
        ):
            async for part in reply.aiter_bytes():
                assert part
                break


class TestServices:
    @pytest.mark.parametrize("way", TOO_MUCH)
    async def test_one_that_sends_too_much_is_not_asked_again(self, way: str) -> None:
        head, body = TOO_MUCH[way]
        async with hostile(*head, body=body) as server, BoundedClient(verify=trusted_roots(), timeout=5) as http:
            with pytest.raises(ServiceRefused, match=r"the service .* bytes.*; see X"):
                await web.get(http, "the service", server.url, params={}, hint="see X")

    async def test_one_that_drips_is_asked_again_later(self) -> None:
        async with (
            hostile(OK, "Content-Length: 1000", body=drip) as server,
            BoundedClient(verify=trusted_roots(), timeout=0.3) as http,
        ):
            with pytest.raises(ServiceUnavailable, match="ReadTimeout"):
                await web.get(http, "the service", server.url, params={})
