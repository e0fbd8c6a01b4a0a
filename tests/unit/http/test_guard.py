"""The guard lets requests out to the Internet, and nowhere else."""

import ipaddress
import socket
from typing import Any

import httpx
import pytest

from activities.errors import ServiceRefused, ServiceUnavailable
from activities.http import guard as guarding
from activities.http.guard import Guard, guarded_client, is_public
from tests.unit.http.fake_web import fake_web

BAD = (
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "168.63.129.16"),
    *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1"),
    *("192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255"),
    *("240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1"),
    *("64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::1"),
    *("2002:a00:1::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%1", "fec0::1", "ff02::1"),
    *("2607:f8b0::5efe:7f00:1", "2607:f8b0::200:5efe:a00:1"),
)
GOOD = ("1.1.1.1", "8.8.8.8", "93.184.215.14", "2606:4700:4700::1111", "64:ff9b::808:808", "2002:808:808::1")


@pytest.mark.parametrize("address", BAD)
def test_no_address_inside_is_public_however_it_is_written(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", GOOD)
def test_the_internet_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://localhost/",
        "http://localhost./",
    ],
)
async def test_a_url_that_leads_inside_is_refused_in_every_spelling(url: str) -> None:
    with pytest.raises((ServiceRefused, ServiceUnavailable, httpx.InvalidURL)):
        await Guard().addresses_of(httpx.URL(url))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://example.com/", "only http and https"),
        ("http://user:password@example.com/", "without a user"),
        ("http://example.com:22/", "port 22"),
    ],
)
async def test_what_else_is_refused_says_why(url: str, why: str) -> None:
    with pytest.raises(ServiceRefused, match=why):
        await Guard().addresses_of(httpx.URL(url))


async def test_only_hosts_of_the_list_are_allowed() -> None:
    guard = Guard(private=True, hosts=("*.example.com", "localhost"))
    assert await guard.addresses_of(httpx.URL("http://localhost:8080/"))
    for host in ("example.org", "example.com.evil.org", "evilexample.com"):
        with pytest.raises(ServiceRefused, match="not among the hosts"):
            await guard.addresses_of(httpx.URL(f"http://{host}/"))


async def test_one_bad_address_among_good_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    async def both(*_: object) -> list[Any]:
        return [ipaddress.ip_address("1.1.1.1"), ipaddress.ip_address("10.0.0.1")]

    monkeypatch.setattr(guarding, "_resolved", both)
    with pytest.raises(ServiceRefused, match=r"10\.0\.0\.1, which is no public address"):
        await Guard().addresses_of(httpx.URL("http://example.com/"))


async def test_the_name_is_resolved_once_and_its_host_is_still_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[Any]:
        asked.append(host)
        return [ipaddress.ip_address("127.0.0.1" if len(asked) == 1 else "10.255.255.1")]

    monkeypatch.setattr(guarding, "_resolved", rebinding)
    async with fake_web() as web, guarded_client(Guard(private=True), timeout=5) as client:
        web.answer("/", {"all": "well"})
        reply = await client.get(web.url.replace("127.0.0.1", "inside.example"))
    assert reply.json() == {"all": "well"}
    assert asked == ["inside.example"]
    assert web.asked[0].headers["host"].startswith("inside.example:")


async def test_redirects_are_not_followed_and_the_environments_proxy_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        async with fake_web() as web, guarded_client(Guard(private=True), timeout=5) as client:
            web.answer("/", {}, status="302 Found", headers=f"Location: {web.url}/there\r\n")
            assert (await client.get(web.url)).status_code == 302
    assert [each.path for each in web.asked] == ["/"]


async def test_where_one_address_does_not_answer_the_next_one_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    async def two(*_: object) -> list[Any]:
        return [ipaddress.ip_address("127.0.0.2"), ipaddress.ip_address("127.0.0.1")]

    monkeypatch.setattr(guarding, "_resolved", two)
    async with fake_web() as web, guarded_client(Guard(private=True), timeout=5) as client:
        web.answer("/", {"all": "well"})
        assert (await client.get(web.url)).json() == {"all": "well"}


async def test_a_name_is_resolved_as_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def noted(host: str, port: int) -> list[Any]:
        asked.append(host)
        return [ipaddress.ip_address("1.1.1.1")]

    monkeypatch.setattr(guarding, "_resolved", noted)
    await Guard().addresses_of(httpx.URL("https://faß.de/"))
    assert asked == ["xn--fa-hia.de"]
