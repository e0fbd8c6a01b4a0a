"""Keeps requests away from private addresses: a URL that a model or a document names must not reach inside.

A host is resolved once, every address that it has must be public, and the connection goes to one of those addresses, so
that a second answer of the name server changes nothing (DNS rebinding). Host header and TLS keep the host's name.
"""

import asyncio
import ipaddress
import socket
from fnmatch import fnmatchcase
from typing import Any, TypeVar

import httpx
import httpx2

from activities.errors import AddressRefused, ServiceUnavailable
from activities.http.bounded import BoundedClient
from activities.http.tls import trusted_roots

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PORTS = (80, 443)
REFUSED = tuple(
    map(
        ipaddress.ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16"),
            *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"),
            *("192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24"),
            *("203.0.113.0/24", "224.0.0.0/3"),
            *("::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20"),
            *("5f00::/16", "fc00::/7", "fe80::/9", "fec0::/10", "ff00::/8"),
        ),
    )
)
"""Of the IANA special-purpose registries, of clouds' metadata services, and what Python's own lists lack in places."""
EMBEDDING = ((ipaddress.ip_network("64:ff9b::/96"), 0), (ipaddress.ip_network("2002::/16"), 80))
"""IPv6 networks whose addresses have an IPv4 address in them, and how many bits stand behind it."""


class Guard:
    """Says to which addresses requests may go.

    Args:
        private: whether addresses that are not public are allowed, as for a system of one's own.
        hosts: patterns of the only hosts that are allowed, such as "*.example.com"; None is any.
        ports: that are allowed; None is any.
        allowed_by: what allows a private address, for messages.
    """

    def __init__(
        self,
        *,
        private: bool = False,
        hosts: tuple[str, ...] | None = None,
        ports: tuple[int, ...] | None = PORTS,
        allowed_by: str = "",
    ) -> None:
        self._private = private
        self._hosts = hosts
        self._allowed_by = allowed_by
        self._ports = None if private else ports

    async def addresses_of(self, url: httpx.URL) -> list[str]:
        """The addresses to connect to, one after the other.

        Raises:
            AddressRefused: it is not allowed.
            ServiceUnavailable: the host has no address now.
        """
        # As it is sent, and not as Python would write it: the two differ in some letters (IDNA 2008 and 2003).
        host, port = (
            url.raw_host.decode("ascii").rstrip(".").lower(),
            url.port or {"http": 80, "https": 443}.get(url.scheme, 0),
        )
        if url.scheme not in ("http", "https") or url.userinfo:
            raise AddressRefused(f"{url.scheme}://{host}: only http and https are allowed, without a user in the URL")
        if self._hosts is not None and not any(fnmatchcase(host, pattern.lower()) for pattern in self._hosts):
            raise AddressRefused(f"{host} is not among the hosts that are allowed")
        if self._ports is not None and port not in self._ports:
            raise AddressRefused(f"port {port} of {host} is not allowed")
        found = await _resolved(host, port)
        if not self._private and (wrong := [each for each in found if not is_public(each)]):
            advice = f"; {self._allowed_by} allows it" if self._allowed_by else ""
            raise AddressRefused(f"{host} is at {wrong[0]}, which is no public address{advice}")
        return [*dict.fromkeys(map(str, found))]


def guard_of_source(*, private: bool) -> Guard:
    """For what the file of sources names: it is trusted with its ports."""
    return Guard(private=private, ports=None, allowed_by="private = true")


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public Internet, in whichever form it is written."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id:
            return False
        inner = address.ipv4_mapped or _embedded(address)
        if inner is not None:
            return is_public(inner)
        if address.packed[8:12] in (b"\0\0\x5e\xfe", b"\x02\0\x5e\xfe"):  # ISATAP, RFC 5214
            return False
    return address.is_global and not any(
        address in network for network in REFUSED if network.version == address.version
    )


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    for network, behind in EMBEDDING:
        if address in network:
            return ipaddress.IPv4Address((int(address) >> behind) & 0xFFFFFFFF)
    return None


async def _resolved(host: str, port: int) -> list[Address]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [ipaddress.ip_address(each[4][0]) for each in found]
    except (OSError, UnicodeError, ValueError):
        raise ServiceUnavailable(f"the host {host[:100]!r} has no address; check the URL, or try again later") from None


class _GuardedTransport(httpx.AsyncBaseTransport):
    """Connects to the address that the guard has looked at."""

    def __init__(self, guard: Guard, inner: httpx.AsyncBaseTransport) -> None:
        self._guard = guard
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        *others, last = await self._guard.addresses_of(request.url)
        for address in others:
            try:
                return await self._inner.handle_async_request(at(address, request))
            except (httpx.ConnectError, httpx.ConnectTimeout):  # nothing was sent
                continue
        return await self._inner.handle_async_request(at(last, request))

    async def aclose(self) -> None:
        await self._inner.aclose()


R = TypeVar("R", httpx.Request, httpx2.Request)


def at(address: str, request: R) -> R:
    """The same request, of either library, to one address of its host; header and TLS have the host's name."""
    parts: dict[str, Any] = {
        "url": request.url.copy_with(host=address),
        "headers": request.headers,
        "stream": request.stream,
        "extensions": {**request.extensions, "sni_hostname": request.url.raw_host.decode("ascii")},
    }
    return type(request)(request.method, **parts)


def guarded_client(guard: Guard, *, timeout: float = 30, keep_connections: bool = True) -> BoundedClient:
    """A client that goes where the guard allows, follows no redirect, and uses no proxy of the environment.

    Args:
        guard: says where.
        timeout: seconds for a whole reply.
        keep_connections: whether one is used again. For a write it is not: one that the server closes at that very
            moment could not be told from a lost answer.
    """
    limits = httpx.Limits(max_keepalive_connections=20 if keep_connections else 0)
    inner = httpx.AsyncHTTPTransport(verify=trusted_roots(), retries=0, limits=limits)
    return BoundedClient(
        transport=_GuardedTransport(guard, inner), timeout=timeout, follow_redirects=False, trust_env=False
    )
