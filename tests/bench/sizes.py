"""What the service costs as a request takes more turns, and as more requests wait for a person."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistoryEventFilterType

from client import approve, state, submit
from client import handle_of as request_of
from tests.bench.accounting import cpu_seconds, rss_mib
from tests.bench.contenders import Service, handle_of
from tests.bench.job import reading, waiting
from tests.bench.rounds import history, mail_problems
from tests.bench.scene import Running, Scene
from workflows.contract.api import Limits, ReceiptStatus, Request, RequestStatus

SERVICE = Service(settings={"ERRAND_TOOLS": "tests.bench.long_text", "ERRAND_OFFER": "*"})
STARTED_AT_ONCE = 50
SETTLING = 2.0
WARM_UP_TURNS = 5


@dataclass(frozen=True)
class Turns:
    """One request with so many long tool results."""

    turns: int
    events: int
    """Of all its runs together, and of the longest; bytes as well."""
    bytes: int
    longest_events: int
    longest_bytes: int
    continued_as_new: int
    cpu_ms_per_turn: float


@dataclass(frozen=True)
class Waiting:
    """So many requests that wait for approval at once, on one worker."""

    requests: int
    rss_mib: float
    idle_cpu_percent: float
    """Of one core."""


@dataclass
class Sizes:
    turns: list[Turns] = field(default_factory=list[Turns])
    waiting: list[Waiting] = field(default_factory=list[Waiting])
    wrong: list[str] = field(default_factory=list[str])


async def by_size(
    scene: Scene, turns: Sequence[int], turns_at_least: int, requests: Sequence[int], idle_seconds: float
) -> Sizes:
    """Short requests are repeated until they have `turns_at_least`: the kernel counts CPU in hundredths of a second."""
    result = Sizes()
    async with scene.running(SERVICE.worker(scene)) as worker:
        await _read(scene, WARM_UP_TURNS, "warm-up", result.wrong)
        for each in turns:
            times = max(1, turns_at_least // each)
            result.turns.append(await _with_turns(scene, worker, each, times, result.wrong))
    async with scene.running(SERVICE.worker(scene)) as worker:
        opened: list[str] = []
        for each in requests:
            opened += await _open(scene, each - len(opened), len(opened))
            result.waiting.append(await _while_they_wait(scene, worker, len(opened), idle_seconds))
        result.wrong += await _one_goes_on(scene, opened)
    return result


async def _with_turns(scene: Scene, worker: Running, turns: int, times: int, wrong: list[str]) -> Turns:
    runs: list[tuple[list[tuple[int, int]], float]] = []
    for repetition in range(times):
        before = cpu_seconds(worker.pid)
        token = f"{turns}-turns-{repetition}"
        await _read(scene, turns, token, wrong)
        spent = cpu_seconds(worker.pid) - before
        runs.append((await _chain(scene, token), spent))
    chain = runs[-1][0]
    return Turns(
        turns=turns,
        events=sum(events for events, _ in chain),
        bytes=sum(size for _, size in chain),
        longest_events=max(events for events, _ in chain),
        longest_bytes=max(size for _, size in chain),
        continued_as_new=len(chain) - 1,
        cpu_ms_per_turn=round(statistics.mean(spent for _, spent in runs) / turns * 1000, 1),
    )


async def _read(scene: Scene, turns: int, token: str, wrong: list[str]) -> None:
    limits = Limits(turns=turns + 1, calls=turns)
    handle = await submit(scene.client, Request(text=reading(token, turns), limits=limits), request_id=token)
    outcome = await handle.result()
    read = sum(receipt.status is ReceiptStatus.DONE for receipt in outcome.receipts)
    if outcome.status is not RequestStatus.COMPLETED or read != turns:
        wrong.append(f"{token}: it ended as {outcome.status} after {read} pages: {outcome.summary}")


async def _chain(scene: Scene, workflow_id: str) -> list[tuple[int, int]]:
    """Events and bytes of every run of a request, in order."""
    description = await handle_of(scene, workflow_id).describe()
    run_id = description.raw_description.workflow_execution_info.first_run_id
    lengths: list[tuple[int, int]] = []
    while run_id:
        lengths.append(await history(scene, workflow_id, run_id))
        run_id = await _continued_as(scene, workflow_id, run_id)
    return lengths


async def _continued_as(scene: Scene, workflow_id: str, run_id: str) -> str:
    """The id of the next run, if there is one."""
    end = handle_of(scene, workflow_id, run_id).fetch_history_events(
        event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT
    )
    async for event in end:
        if event.event_type is EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
            return event.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return ""


async def _open(scene: Scene, count: int, first: int) -> list[str]:
    """Start so many requests, and wait until each waits for its approval."""
    slots = asyncio.Semaphore(STARTED_AT_ONCE)

    async def start(token: str) -> str:
        async with slots:
            await submit(scene.client, Request(text=waiting(token)), request_id=token)
            return token

    tokens = await asyncio.gather(*(start(f"waiting-{number}") for number in range(first, first + count)))
    async with asyncio.timeout(30 + count):
        while (await scene.client.count_workflows("ErrandAwaitingApproval = true")).count < first + count:
            await asyncio.sleep(0.2)
    return tokens


async def _while_they_wait(scene: Scene, worker: Running, requests: int, seconds: float) -> Waiting:
    await asyncio.sleep(min(SETTLING, seconds))
    before, began = cpu_seconds(worker.pid), time.monotonic()
    await asyncio.sleep(seconds)
    share = (cpu_seconds(worker.pid) - before) / (time.monotonic() - began)
    return Waiting(requests, round(rss_mib(worker.pid), 1), round(share * 100, 2))


async def _one_goes_on(scene: Scene, opened: Sequence[str]) -> list[str]:
    """After all that waiting, a yes still sends a mail; and nothing else did."""
    first, *others = opened
    handle = request_of(scene.client, first)
    [pending] = (await state(handle)).awaiting_approval
    await approve(handle, pending, by="bench")
    await handle.result()
    delivered = scene.around.mail.subjects
    early = sorted(set(delivered).intersection(others))
    return mail_problems([first], delivered) + [f"{token}: mail was sent without approval" for token in early]
