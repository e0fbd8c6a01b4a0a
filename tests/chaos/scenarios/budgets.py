"""Many requests at once go over one budget, of calls or of an amount, while workers are killed and the far end fails.

It is never exceeded by one, what was not done is given back, and what is unknown keeps its share.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from activities.budgets import amount_text, in_units
from tests.chaos.scenarios.order_tools import PRICE
from tests.chaos.scenarios.scene import Run, Scene
from workflows.contract.api import Receipt, ReceiptStatus

AT_ONCE = 50
"""Requests over each budget."""
CALLS, AMOUNT = 20, 100
KILLS = 2
"""In each of two waves."""
BETWEEN_KILLS = 3.0
"""Seconds."""
POLICY = f"""
[[budget]]
tool = "place_order"
most = {CALLS}
per = "month"

[[budget]]
tool = "pay_order"
amount = {{ argument = "total", most = {AMOUNT} }}
per = "month"
"""


@dataclass(frozen=True)
class Capped:
    """A tool with a budget. Amounts are in millionths."""

    tool: str
    each: int
    limit: int


CAPPED = (Capped("place_order", in_units(1), in_units(CALLS)), Capped("pay_order", in_units(PRICE), in_units(AMOUNT)))


async def play(scene: Scene) -> None:
    """Two waves: what the first gives back, the second may take."""
    policy = scene.stage.folder / f"{scene.name}.toml"
    policy.write_text(POLICY)
    scene.variables |= {"ERRAND_POLICY": str(policy), "ERRAND_HTTP_TIMEOUT": "2"}
    await asyncio.gather(scene.worker(), scene.worker())
    await wave(scene)
    left = {capped: capped.limit - scene.ledger.taken(capped.tool) for capped in CAPPED}
    second = await wave(scene)
    for capped in CAPPED:
        scene.problems += exceeded(scene, capped) + kept(scene, capped) + given_back(second, capped, left[capped])


async def wave(scene: Scene) -> list[Run]:
    letters = [scene.letter(tool=capped.tool) for capped in CAPPED for _ in range(AT_ONCE)]
    killing = asyncio.create_task(kill(scene))
    runs = await asyncio.gather(*map(scene.carry_out, letters))
    await killing
    return runs


async def kill(scene: Scene) -> None:
    """One worker after the other, each as soon as the next is there."""
    worker = await scene.worker()
    for _ in range(KILLS):
        await asyncio.sleep(BETWEEN_KILLS)
        worker, before = await scene.worker(), worker
        await before.kill()


def exceeded(scene: Scene, capped: Capped) -> list[str]:
    """By what the far end has, or by what the ledger counts."""
    tokens = {each.token for each in scene.stage.orders.deliveries}
    arrived = capped.each * sum(each.token in tokens for each in scene.letters if each.tool == capped.tool)
    amounts = {"arrived": arrived, "are taken": scene.ledger.taken(capped.tool)}
    limit = amount_text(capped.limit)
    return [
        f"{capped.tool}: {amount_text(amount)} {what}, and {limit} are the most"
        for what, amount in amounts.items()
        if amount > capped.limit
    ]


def kept(scene: Scene, capped: Capped) -> list[str]:
    """What is done or unknown has its share, and nothing else has one."""
    done = (ReceiptStatus.DONE, ReceiptStatus.UNKNOWN)
    several = [receipt for run in scene.runs for receipt in run.receipts if receipt.tool == capped.tool]
    known = scene.ledger.not_done()
    counted = [each for each in several if each.status in done and not came_late(each, known)]
    wanted, taken = capped.each * len(counted), scene.ledger.taken(capped.tool)
    if taken == wanted:
        return []
    words = f"{capped.tool}: {amount_text(taken)} are taken, and {amount_text(wanted)} are done or unknown"
    return [words, *(f"{each.key}: {each.error}" for each in counted if each.key in known)]


def came_late(receipt: Receipt, not_done: Mapping[str, datetime]) -> bool:
    """Whether an act that was taken for lost has ended since, in nothing: its share is given back."""
    at = not_done.get(receipt.key)
    late = at is not None and receipt.finished_at is not None and at > receipt.finished_at
    return late and receipt.status is ReceiptStatus.UNKNOWN


def given_back(second: list[Run], capped: Capped, left: int) -> list[str]:
    """As many of the second wave as there was room for were not refused."""
    past = sum(status is not ReceiptStatus.REFUSED for status in statuses(second, capped))
    room = min(left // capped.each, AT_ONCE)
    return [] if past >= room else [f"{capped.tool}: there was room for {room}, and {past} were let through"]


def statuses(runs: Iterable[Run], capped: Capped) -> list[ReceiptStatus]:
    return [receipt.status for run in runs for receipt in run.receipts if receipt.tool == capped.tool]
