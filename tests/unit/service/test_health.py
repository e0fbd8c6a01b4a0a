"""A worker's loop answers /livez and /readyz, each for what it is asked, whatever it is sent."""

import asyncio

import httpx
import pytest

from activities.errors import ConfigurationError
from activities.http.tls import trusted_roots
from deploy.local.ports import free_ports
from deploy.service.health import health_server


async def ready() -> str:
    return ""


async def not_ready() -> str:
    return "Temporal does not answer: connection refused"


@pytest.fixture
def address() -> str:
    [port] = free_ports(1)
    return f"127.0.0.1:{port}"


async def said(address: str, path: str, method: str = "GET") -> tuple[int, str]:
    async with httpx.AsyncClient(verify=trusted_roots(), trust_env=False) as http:
        answer = await http.request(method, f"http://{address}{path}")
    return answer.status_code, answer.text.strip()


async def test_a_worker_that_is_ready_is_alive_and_ready(address: str) -> None:
    async with health_server(address, ready):
        assert [await said(address, path) for path in ("/livez", "/readyz", "/readyz?verbose")] == [(200, "ok")] * 3


async def test_a_worker_that_temporal_does_not_answer_is_alive_and_says_why_it_is_not_ready(address: str) -> None:
    async with health_server(address, not_ready):
        assert await said(address, "/livez") == (200, "ok")
        assert await said(address, "/readyz") == (503, "Temporal does not answer: connection refused")


async def test_nothing_else_is_answered(address: str) -> None:
    async with health_server(address, ready):
        assert (await said(address, "/"))[0] == 404
        assert (await said(address, "/livez", "POST"))[0] == 405


@pytest.mark.parametrize("sent", [b"", b"\r\n\r\n", b"\xff\r\n\r\n", b"x" * 100_000])
async def test_it_goes_on_answering_whatever_it_is_sent(address: str, sent: bytes) -> None:
    async with health_server(address, ready):
        host, _, port = address.partition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(sent)
        writer.close()
        assert await said(address, "/livez") == (200, "ok")


async def test_an_address_that_is_taken_is_named(address: str) -> None:
    async with health_server(address, ready):
        with pytest.raises(ConfigurationError, match=f"ERRAND_HEALTH_ADDRESS: {address}: "):
            async with health_server(address, ready):
                pass


async def test_without_an_address_nobody_listens(address: str) -> None:
    async with health_server(None, ready):
        with pytest.raises(httpx.ConnectError):
            await said(address, "/livez")
