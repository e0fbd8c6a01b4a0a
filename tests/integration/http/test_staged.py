"""A write over HTTP: at whichever stage it fails, error and ledger say what can have happened, and no more."""

import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest

from activities.errors import (
    ConfigurationError,
    ErrandError,
    OutcomeUnknown,
    OutcomeUnknownRetryable,
    ServiceRefused,
    ServiceUnavailable,
)
from activities.execution.act import Act
from activities.http.guard import Guard, guarded_client
from activities.http.staged import FarEnd, HttpSender, idempotency_key
from activities.ledger.ledger import Ledger
from activities.ledger.rows import State, Write
from tests.integration.http.faulty_server import FaultyServer, Stage, answered, faulty_server
from workflows.contract.internal import AttemptBeat, ToolCall

CALL = ToolCall(key="r/1.1", tool="pay", arguments={"amount": 5}, chain="5eed")
PLAIN = FarEnd("bank pay")
KEYED = FarEnd("bank pay", idempotency_header="Idempotency-Key")


@asynccontextmanager
async def patient_for(seconds: float) -> AsyncGenerator[HttpSender]:
    guard = Guard(private=True)
    async with (
        guarded_client(guard, timeout=seconds) as reads,
        guarded_client(guard, timeout=seconds, keep_connections=False) as writes,
    ):
        yield HttpSender(reads, writes)


@pytest.fixture
async def sender() -> AsyncIterator[HttpSender]:
    async with patient_for(20) as sender:
        yield sender


@pytest.fixture
async def hasty() -> AsyncIterator[HttpSender]:
    """One that does not wait long for a far end that says nothing."""
    async with patient_for(1) as sender:
        yield sender


async def still_counts(beat: AttemptBeat) -> None:
    """Nobody has given the attempt up."""


def act_in(ledger: Ledger, *, may_have_happened: bool = False) -> Act:
    write = Write(CALL)
    return Act(ledger, write, attempt=1, seen=None, fence=still_counts, may_have_happened=may_have_happened)


async def post(sender: HttpSender, url: str, far: FarEnd, act: Act) -> httpx.Response:
    return await sender.write(httpx.Request("POST", url, json={"amount": 5}), far, act, "key-1")


async def failed(sender: HttpSender, url: str, far: FarEnd, act: Act) -> ErrandError:
    with pytest.raises(ErrandError) as raised:
        await post(sender, url, far, act)
    return raised.value


async def state_in(ledger: Ledger) -> State | None:
    row = await ledger.find(CALL.key)
    return row and row.state


async def test_what_the_far_end_has_done_is_told_and_was_asked_once(ledger: Ledger, sender: HttpSender) -> None:
    async with faulty_server(Stage.ANSWER, answered(201, '{"id": 7}')) as bank:
        act = act_in(ledger)
        assert (await post(sender, bank.url, PLAIN, act)).json() == {"id": 7}
    assert act.happened
    assert len(bank.taken) == 1
    assert await state_in(ledger) is State.BEGUN  # and done with the tool's result


async def test_a_connection_that_cannot_be_made_leaves_no_row(ledger: Ledger, sender: HttpSender) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        error = await failed(sender, url, PLAIN, act_in(ledger))
        assert type(error) is ServiceUnavailable
        assert f" at {url.removeprefix('http://')}, and nothing was sent" in str(error)
    assert await state_in(ledger) is None


async def test_tls_that_fails_leaves_no_row(ledger: Ledger, sender: HttpSender) -> None:
    async with faulty_server(Stage.HANG_UP_AT_ONCE) as bank:
        url = bank.url.replace("http:", "https:")
        assert type(await failed(sender, url, PLAIN, act_in(ledger))) is ServiceUnavailable
    assert await state_in(ledger) is None


@pytest.mark.parametrize("stage", [each for each in Stage if each is not Stage.ANSWER])
@pytest.mark.parametrize(("far", "kind"), [(PLAIN, OutcomeUnknown), (KEYED, OutcomeUnknownRetryable)])
@pytest.mark.sampled(6)
async def test_without_a_whole_answer_nobody_knows(
    ledger: Ledger, hasty: HttpSender, stage: Stage, far: FarEnd, kind: type[ErrandError]
) -> None:
    async with faulty_server(stage) as bank:
        assert type(await failed(hasty, bank.url, far, act_in(ledger))) is kind
    assert await state_in(ledger) is State.UNKNOWN
    assert bank.connections == 1


@pytest.mark.parametrize(
    ("status", "far", "kind", "state"),
    [
        *[(status, PLAIN, ServiceRefused, State.NOT_DONE) for status in (400, 401, 403, 404, 409, 410, 412, 422)],
        *[(status, KEYED, ServiceRefused, State.NOT_DONE) for status in (400, 409, 422)],
        *[(status, PLAIN, ServiceRefused, State.NOT_DONE) for status in (307, 308)],
        *[(status, PLAIN, OutcomeUnknown, State.UNKNOWN) for status in (301, 302, 303)],
        *[(status, PLAIN, ServiceUnavailable, State.NOT_DONE) for status in (425, 429)],
        *[(status, PLAIN, OutcomeUnknown, State.UNKNOWN) for status in (408, 500, 502, 503, 504, 600, 999)],
        *[(status, KEYED, OutcomeUnknownRetryable, State.UNKNOWN) for status in (408, 500, 502, 503, 504)],
        (503, FarEnd("bank pay", safe_503=True), ServiceUnavailable, State.NOT_DONE),
        (500, FarEnd("bank pay", repeatable=True), OutcomeUnknownRetryable, State.UNKNOWN),
    ],
)
@pytest.mark.sampled(10)
async def test_each_status_says_what_it_says_and_no_more(
    ledger: Ledger, sender: HttpSender, status: int, far: FarEnd, kind: type[ErrandError], state: State
) -> None:
    headers = ("Location: /elsewhere",) if status < 400 else ()
    async with faulty_server(Stage.ANSWER, answered(status, '{"why": "so"}', headers)) as bank:
        error = await failed(sender, bank.url, far, act_in(ledger))
    assert type(error) is kind
    assert str(status) in str(error)
    assert await state_in(ledger) is state
    assert len(bank.taken) == 1


async def test_a_conflict_may_be_our_own_first_try(ledger: Ledger, sender: HttpSender) -> None:
    async with faulty_server(Stage.ANSWER, answered(409)) as bank:
        error = await failed(sender, bank.url, KEYED, act_in(ledger, may_have_happened=True))
    assert type(error) is OutcomeUnknownRetryable


@pytest.mark.parametrize("status", [429, 500])
async def test_the_pause_that_is_asked_for_is_kept(ledger: Ledger, sender: HttpSender, status: int) -> None:
    async with faulty_server(Stage.ANSWER, answered(status, headers=("Retry-After: 7",))) as bank:
        assert (await failed(sender, bank.url, KEYED, act_in(ledger))).retry_after == timedelta(seconds=7)


async def test_the_key_is_sent_where_the_far_end_takes_one(ledger: Ledger, sender: HttpSender) -> None:
    async with faulty_server() as bank:
        await post(sender, bank.url, KEYED, act_in(ledger))
    assert "Idempotency-Key: key-1" in bank.taken[0]


async def test_a_good_status_with_a_body_that_says_no_has_failed(ledger: Ledger, sender: HttpSender) -> None:
    def judge(reply: httpx.Response) -> None:
        raise ServiceRefused(reply.json()["error"])

    async with faulty_server(Stage.ANSWER, answered(200, '{"error": "no money"}')) as bank:
        with pytest.raises(ServiceRefused, match="no money"):
            await sender.write(httpx.Request("POST", bank.url), PLAIN, act_in(ledger), "key-1", judge=judge)
    assert await state_in(ledger) is State.NOT_DONE


async def test_nothing_is_sent_where_the_ledger_cannot_be_written(ledger: Ledger, sender: HttpSender) -> None:
    act = act_in(ledger)
    await ledger.aclose()
    async with faulty_server() as bank:
        assert type(await failed(sender, bank.url, PLAIN, act)) is ServiceUnavailable
    assert bank.taken == []


async def test_a_header_that_cannot_be_sent_leaves_no_row(ledger: Ledger, sender: HttpSender) -> None:
    async with faulty_server() as bank:
        request = httpx.Request("POST", bank.url, headers={"X-Token": "two\r\nlines"})
        with pytest.raises(ConfigurationError):
            await sender.write(request, PLAIN, act_in(ledger), "key-1")
    assert bank.taken == []
    assert await state_in(ledger) is None


@pytest.mark.parametrize("may_have_happened", [False, True])
async def test_headers_that_are_refused_before_their_first_byte_have_failed_and_nothing_was_sent(
    ledger: Ledger, sender: HttpSender, may_have_happened: bool
) -> None:
    async with faulty_server() as bank:
        request = httpx.Request("POST", bank.url, headers={"Transfer-Encoding": "gzip"}, content=b"{}")
        with pytest.raises(ConfigurationError, match="no such request can be made"):
            await sender.write(request, PLAIN, act_in(ledger, may_have_happened=may_have_happened), "key-1")
    assert bank.taken == []
    assert await state_in(ledger) is (State.UNKNOWN if may_have_happened else State.NOT_DONE)


async def test_of_an_act_that_has_begun_before_nobody_knows_where_a_later_request_is_refused(
    ledger: Ledger, sender: HttpSender
) -> None:
    async with faulty_server() as bank:
        request = httpx.Request("POST", bank.url, headers={"Transfer-Encoding": "gzip"}, content=b"{}")
        act = act_in(ledger)
        with pytest.raises(OutcomeUnknown):
            async with act:
                await sender.write(request, PLAIN, act, "key-1")
    assert await state_in(ledger) is State.UNKNOWN


async def test_a_body_that_breaks_off_in_the_middle_leaves_a_write_unknown(ledger: Ledger, sender: HttpSender) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"half"
        raise httpx.LocalProtocolError("the rest cannot be sent")

    async with faulty_server() as bank:
        request = httpx.Request("POST", bank.url, headers={"Content-Length": "8"}, content=parts())
        with pytest.raises(OutcomeUnknown, match="no whole answer came: LocalProtocolError"):
            await sender.write(request, PLAIN, act_in(ledger), "key-1")
    assert await state_in(ledger) is State.UNKNOWN


async def test_of_many_writes_none_uses_a_connection_again(ledger: Ledger, sender: HttpSender) -> None:
    async with faulty_server() as bank:
        for index in range(3):
            call = CALL.model_copy(update={"key": f"r/{index}.1"})
            act = Act(ledger, Write(call), attempt=1, seen=None, fence=still_counts)
            await post(sender, bank.url, PLAIN, act)
    assert (bank.connections, len(bank.taken)) == (3, 3)


@pytest.mark.parametrize(
    ("stage", "answer", "kind"),
    [
        (Stage.HANG_UP_AFTER_READING, b"", ServiceUnavailable),
        (Stage.ANSWER, answered(503), ServiceUnavailable),
        (Stage.ANSWER, answered(429), ServiceUnavailable),
        (Stage.ANSWER, answered(404), ServiceRefused),
        (Stage.ANSWER, answered(302, headers=("Location: /",)), ServiceRefused),
    ],
)
async def test_a_read_is_tried_again_or_not(
    sender: HttpSender, stage: Stage, answer: bytes, kind: type[ErrandError]
) -> None:
    async with faulty_server(stage, answer) as server:
        with pytest.raises(kind):
            await sender.read(httpx.Request("GET", server.url), PLAIN)


async def test_a_read_gives_the_reply(sender: HttpSender) -> None:
    async with faulty_server(Stage.ANSWER, answered(200, '{"a": 1}')) as server:
        assert (await sender.read(httpx.Request("GET", server.url), PLAIN)).json() == {"a": 1}
        assert isinstance(server, FaultyServer)


def test_the_key_is_the_same_for_every_attempt_and_another_for_a_later_request_of_the_same_id() -> None:
    moved = CALL.model_copy(update={"key": f"{CALL.key}~{CALL.chain}"})
    later = CALL.model_copy(update={"chain": "1a7e"})
    other = CALL.model_copy(update={"key": "r/1.2"})
    assert idempotency_key(moved) == idempotency_key(CALL)
    assert len({idempotency_key(each) for each in (CALL, later, other)}) == 3
