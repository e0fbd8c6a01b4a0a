"""One attempt to tell an endpoint of an event."""

import json
import shutil
import subprocess
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from standardwebhooks import Webhook
from temporalio.testing import ActivityEnvironment

from activities.callbacks.deliver import Deliveries, headers
from activities.callbacks.endpoint_file import PAUSES
from activities.callbacks.endpoints import Endpoint, Endpoints
from activities.callbacks.links import Links
from activities.errors import DeliveryFailed, DeliveryGivenUp
from activities.http.guard import Guard, guarded_client
from tests.webhook_receiver import OTHER_SECRET, SECRET, Receiver, receiver
from workflows.contract.callbacks import Delivered, Delivery, Event

EVENT = Event(
    id="evt_0123", type="request.completed", request_id="r-1", at=datetime(2027, 1, 4, 7, tzinfo=UTC), data={"turn": 1}
)
LINKS = Links(None, "http://127.0.0.1:8233", "default")


@pytest_asyncio.fixture(loop_scope="session")
async def ops() -> AsyncGenerator[Receiver]:
    async with receiver() as listening:
        yield listening


async def deliver(url: str, *, private: bool = True, attempt: int = 1, name: str = "ops") -> Delivered:
    endpoint = Endpoint("ops", url, (Webhook(SECRET),), ("*",), private)
    environment = ActivityEnvironment()
    environment.info = replace(environment.default_info(), attempt=attempt)
    async with (
        guarded_client(Guard(ports=None), timeout=20) as public,
        guarded_client(Guard(private=True), timeout=20) as anywhere,
    ):
        deliveries = Deliveries(Endpoints({"ops": endpoint}), LINKS, public=public, private=anywhere)
        return await environment.run(deliveries.deliver, Delivery(endpoint=name, event=EVENT))


async def test_an_event_is_posted_signed_with_the_time_of_the_attempt(ops: Receiver) -> None:
    assert await deliver(ops.url, attempt=3) == Delivered(status=204, attempts=3)
    [told] = ops.received
    assert told.verified() == {
        "type": "request.completed",
        "timestamp": "2027-01-04T07:00:00+00:00",
        "data": {"request_id": "r-1", "turn": 1, "url": "http://127.0.0.1:8233/namespaces/default/workflows/r-1"},
    }
    assert told.headers["webhook-id"] == "evt_0123"


@pytest.mark.parametrize(
    ("answer", "at_least"),
    [
        ("500 Oh", 5),
        ("404 Not Found", 5),
        ("302 Found\r\nLocation: http://127.0.0.1:1/", 5),
        ("429 Slow\r\nRetry-After: 600", 600),
        ("503 Busy\r\nRetry-After: 999999999", 86_400),
        ("503 Busy\r\nRetry-After: 1", 5),
    ],
)
async def test_an_endpoint_that_does_not_take_it_is_asked_again_after_a_pause(
    ops: Receiver, answer: str, at_least: float
) -> None:
    ops.answers = [answer]
    with pytest.raises(DeliveryFailed, match=f"ops answered {answer[:3]}") as failed:
        await deliver(ops.url)
    assert failed.value.retry_after is not None
    assert at_least <= failed.value.retry_after.total_seconds() <= at_least * 1.1
    assert len(ops.received) == 1


async def test_the_pauses_grow_and_after_three_days_it_is_given_up(ops: Receiver) -> None:
    ops.answers = ["500 Oh"] * 20
    pauses: list[timedelta] = []
    for attempt in range(1, len(PAUSES) + 1):
        with pytest.raises(DeliveryFailed) as failed:
            await deliver(ops.url, attempt=attempt)
        pauses.append(failed.value.retry_after or timedelta())
    assert pauses == sorted(pauses)
    assert timedelta(days=3) < sum(pauses, timedelta()) < timedelta(days=4)
    with pytest.raises(DeliveryGivenUp, match="given up after 10 attempts"):
        await deliver(ops.url, attempt=len(PAUSES) + 1)


async def test_an_endpoint_that_is_gone_is_not_asked_again(ops: Receiver) -> None:
    ops.answers = ["410 Gone"]
    with pytest.raises(DeliveryGivenUp, match="takes no callbacks any more"):
        await deliver(ops.url)


async def test_an_endpoint_that_is_not_there_is_asked_again_and_one_that_is_not_configured_is_not() -> None:
    with pytest.raises(DeliveryFailed, match="ops: no connection"):
        await deliver("http://127.0.0.1:1/")
    with pytest.raises(DeliveryGivenUp, match="there is no endpoint 'other'"):
        await deliver("http://127.0.0.1:1/", name="other")


async def test_only_an_endpoint_that_is_said_to_be_private_may_have_such_an_address(ops: Receiver) -> None:
    with pytest.raises(DeliveryFailed, match=r"127\.0\.0\.1, which is no public address"):
        await deliver(ops.url, private=False)
    assert ops.received == []


@pytest.mark.long
def test_the_public_verifier_for_typescript_takes_it_while_a_secret_is_changed(tmp_path: Path) -> None:
    if not (npm := shutil.which("npm")) or not (node := shutil.which("node")):
        pytest.skip("Node is not installed")
    packages = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefer-offline", "standardwebhooks@1.0.0"]
    try:
        subprocess.run(packages, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip("npm cannot fetch standardwebhooks")
    body = json.dumps({"type": "request.completed", "data": {"text": "ä “€”"}}, ensure_ascii=False).encode()
    signed = headers([Webhook(SECRET), Webhook(OTHER_SECRET)], "evt_1", body)
    script = (
        'const { Webhook } = require("standardwebhooks");'
        "const [body, headers, ...secrets] = JSON.parse(process.argv[1]);"
        "for (const secret of secrets) new Webhook(secret).verify(body, headers);"
        'try { new Webhook(secrets[0]).verify(body + " ", headers); process.exit(1); } catch { process.exit(0); }'
    )
    told = json.dumps([body.decode(), signed, SECRET, OTHER_SECRET])
    ran = subprocess.run([node, "-e", script, told], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert ran.returncode == 0, ran.stderr


def test_a_link_leads_where_the_settings_say() -> None:
    assert Links("https://h/r/{request_id}", "", "").to("a b") == "https://h/r/a%20b"
