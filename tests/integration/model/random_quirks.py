"""Requests to an endpoint that answers at random, as any of all endpoints does on a bad day, and a judge of what ran.

python -m tests.integration.model.random_quirks 500 [SEED]
"""

import asyncio
import random
import re
import sys
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from tests.accepted_everywhere import faults
from tests.completions import call, calling, completion
from tests.conftest import running_worker, settings_for
from tests.dev_server import dev_server
from tests.integration.requests.asking import Handle
from tests.quirky_replies import Quirk, quirks
from tests.sample_tools import world
from tests.scripted_model import Object, Raw, ScriptedModel
from workflows.contract.api import REQUEST_WORKFLOW, Limits, Outcome, Request

TOOL = "look_up"
REPLIES = 4
"""After so many the model is done."""
OUT_OF = 10
SANE = 3
"""Of ten replies, so many are as they should be."""


class QuirkyModel(ScriptedModel):
    """Every reply is another quirk around a call of the tool with a word of its own, or a sane call."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = random.Random(seed)
        self._replies = Counter[str]()
        self.may_run = Counter[str]()
        """How often a word may be looked up: as often as a reply clearly asked for it."""
        self.faults: list[str] = []
        self.served = Counter[str]()

    def answer(self, body: Object) -> Raw:
        with self._lock:
            self.faults += faults(cast("dict[str, Any]", body), merged=True, named=False)
            request = self._request(body)
            self._replies[request] += 1
            if self._replies[request] > REPLIES:
                return Raw(200, completion({"content": "I am done."}))
            word = f"word-{request}-{self._replies[request]}"
            return self._reply(word)

    def _reply(self, word: str) -> Raw:
        if self._random.randrange(OUT_OF) < SANE:
            self.may_run[word] += 1
            return Raw(200, calling(call(f'{{"word": "{word}"}}', TOOL)))
        quirk = self._random.choice(self._quirks(word))
        self.served[quirk.name] += 1
        self.may_run.update(str(arguments["word"]) for arguments in quirk.runs if "word" in arguments)
        return quirk.reply

    @staticmethod
    def _quirks(word: str) -> Sequence[Quirk]:
        return list(quirks(TOOL, {"word": word}).values())

    @staticmethod
    def _request(body: Object) -> str:
        found = re.search(r"Request (\d+)\.", str(body["messages"]))
        assert found is not None
        return found[1]


@dataclass
class Verdict:
    """What came of a number of requests."""

    ended: Counter[str] = field(default_factory=Counter[str])
    stuck: list[str] = field(default_factory=list[str])
    failed_tasks: int = 0
    guessed: list[str] = field(default_factory=list[str])
    """Words that were looked up although no reply clearly asked for it, or oftener than it was asked for."""
    ran: int = 0
    faults: list[str] = field(default_factory=list[str])
    """What was wrong with the questions."""
    quirks: int = 0

    @property
    def is_clean(self) -> bool:
        return not (self.stuck or self.failed_tasks or self.guessed or self.faults)


async def carry_out(client: Client, count: int, seed: int, *, seconds: float, at_once: int = 50) -> Verdict:
    """Requests by the dozen, each with a time limit."""
    verdict = Verdict()
    gate = asyncio.Semaphore(at_once)
    world.happened.clear()
    with QuirkyModel(seed) as model:
        settings = settings_for(model, model_timeout=5.0, model_max_tokens=1000)
        async with running_worker(client, settings):

            async def one(number: int) -> None:
                async with gate:
                    await _follow(await _start(client, settings.worker.task_queue, number, seconds), verdict, seconds)

            await asyncio.gather(*(one(number) for number in range(count)))
        ran = Counter(world.done(TOOL))
        verdict.guessed = sorted(word for word, times in ran.items() if times > model.may_run[word])
        verdict.ran, verdict.faults, verdict.quirks = ran.total(), model.faults, len(model.served)
    return verdict


async def _start(client: Client, task_queue: str, number: int, seconds: float) -> Handle:
    return await client.start_workflow(
        REQUEST_WORKFLOW,
        Request(text=f"Request {number}.", limits=Limits(seconds=seconds, turns=REPLIES + 2)),
        id=f"quirk-{uuid.uuid4().hex[:12]}",
        task_queue=task_queue,
        result_type=Outcome,
    )


async def _follow(handle: Handle, verdict: Verdict, seconds: float) -> None:
    try:
        outcome = await asyncio.wait_for(handle.result(), seconds + 60)
        verdict.ended[outcome.status.value] += 1
    except Exception as error:
        verdict.stuck.append(f"{handle.id}: {type(error).__name__} {error}")
    async for event in handle.fetch_history_events():
        verdict.failed_tasks += event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED


async def main(count: int, seed: int) -> int:
    async with dev_server() as environment:
        verdict = await carry_out(environment.client, count, seed, seconds=120)
    sys.stdout.write(f"seed {seed}: {verdict}\n")
    return 0 if verdict.is_clean else 1


if __name__ == "__main__":
    code = asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**6)))
    sys.exit(code)
