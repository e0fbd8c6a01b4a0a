"""Cases as real requests: a model on loopback that makes the right calls, a dev server, and the worker as it is built.

A worker offers the functions of `AT_ONCE` cases, each under a name of its own. Every second case is made of writes,
which run one after the other; the others are reads, which run together.
"""

import asyncio
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from temporalio.client import Client

from activities.errors import InvalidArguments
from activities.settings import Settings
from activities.toolkit.argument_model import ToolFunction
from activities.toolkit.catalogue import Catalogue
from activities.toolkit.tool import Tool
from deploy.service.assembly import Service, build_worker
from tests.bfcl.gold import first
from tests.bfcl.imported import imported
from tests.bfcl.leaderboard import Case
from tests.conftest import settings_for
from tests.figures.recorded import writes_of
from tests.sandbox import Sandbox
from tests.scripted_model import Answer, ScriptedModel, call, calls, say
from workflows.contract.api import REQUEST_WORKFLOW, Outcome, ReceiptStatus, Request, RequestStatus
from workflows.contract.internal import ToolCall
from workflows.contract.values import Arguments, Effect

Script = Sequence[Answer]
AT_ONCE = 20
NO_SUCH_FUNCTION = "frobnicate"
DONE = "That is all."


@dataclass(frozen=True)
class Run:
    """One run of a function."""

    key: str
    function: str
    arguments: Arguments
    begun: float
    ended: float


@dataclass
class Requests:
    """What carrying the cases out came to."""

    cases: int = 0
    calls: int = 0
    mistakes: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class Scene:
    """One case, ready to be carried out."""

    case: Case
    effect: Effect
    tools: dict[str, Tool]
    """By the name that the leaderboard has for each."""
    made: list[tuple[str, Arguments]]
    """What the model calls: function and arguments."""
    runs: list[Run]


async def carry_out(client: Client, model: ScriptedModel, cases: Sequence[Case]) -> Requests:
    """The right calls of every case, each in one turn."""
    found = Requests()
    scenes = [_scene(case, number) for number, case in enumerate(cases)]
    for together, settings in _batches(scenes, model):
        scripts = [_right_calls(scene) for scene in together]
        for scene, outcome in await _outcomes(client, model, settings, together, scripts):
            found.cases += 1
            found.calls += len(scene.runs)
            found.mistakes.extend(f"{scene.case.id}: {what}" for what in _mistakes(scene, outcome))
    return found


async def leave_alone(client: Client, model: ScriptedModel, cases: Sequence[Case]) -> Requests:
    """Cases for which no function fits: the model answers in words, every second time after a call of what is not."""
    found = Requests()
    scenes = [replace(_scene(case, number), made=[]) for number, case in enumerate(cases)]
    for together, settings in _batches(scenes, model):
        scripts = [_no_right_call(number) for number in range(len(together))]
        for scene, outcome in await _outcomes(client, model, settings, together, scripts):
            found.cases += 1
            found.calls += len(scene.runs)
            if scene.runs or outcome.status is not RequestStatus.COMPLETED:
                found.mistakes.append(f"{scene.case.id}: {outcome.status}, ran {scene.runs}")
            if any(receipt.status is not ReceiptStatus.INVALID for receipt in outcome.receipts):
                found.mistakes.append(f"{scene.case.id}: {outcome.receipts}")
    return found


def _scene(case: Case, number: int) -> Scene:
    runs: list[Run] = []
    described = {each["name"]: each for each in case.functions}
    effect: Effect = "write" if number % 2 == 0 and not _is_sent_back(case) else "read"
    tools = {
        name: imported(each, f"case_{number}_{place}", _recorder(name, runs), effect)
        for place, (name, each) in enumerate(described.items())
    }
    made = [(each.function, first(each, tools[each.function])) for each in case.gold]
    return Scene(case, effect, tools, made, runs)


def _is_sent_back(case: Case) -> bool:
    """Whether a call, as a write, would go back to the model and then to a person: made twice, or with a figure
    that the question does not have."""
    texts = [f"{each.function} {each.choices}" for each in case.gold]
    return len(set(texts)) < len(texts) or any(write.made_up() for write in writes_of(case))


def _recorder(function: str, runs: list[Run]) -> ToolFunction:
    async def run(arguments: Arguments, *, call: ToolCall) -> dict[str, str]:
        begun = time.monotonic()
        await asyncio.sleep(0)
        runs.append(Run(call.key, function, arguments, begun, time.monotonic()))
        return {"ran": call.key}

    return run


def _batches(scenes: Sequence[Scene], model: ScriptedModel) -> Iterator[tuple[list[Scene], Settings]]:
    left = iter(scenes)
    while together := list(islice(left, AT_ONCE)):
        yield together, settings_for(model, tools=())


async def _outcomes(
    client: Client, model: ScriptedModel, settings: Settings, scenes: Sequence[Scene], scripts: Sequence[Script]
) -> list[tuple[Scene, Outcome]]:
    offered = {tool.name: tool for scene in scenes for tool in scene.tools.values()}
    service = replace(Service.assemble(settings), catalogue=Catalogue(tools=offered, unconfigured={}))
    texts = [f"{scene.case.id}: {scene.case.question}" for scene in scenes]
    model.scripts.update(zip(texts, scripts, strict=True))
    async with build_worker(client, service, workflow_runner=Sandbox()) as worker, worker:
        outcomes = await asyncio.gather(*(_ask(client, settings, text) for text in texts))
    return list(zip(scenes, outcomes, strict=True))


async def _ask(client: Client, settings: Settings, text: str) -> Outcome:
    return await client.execute_workflow(
        REQUEST_WORKFLOW,
        Request(text=text, approve=("*",)),
        id=f"bfcl-{uuid.uuid4().hex[:12]}",
        task_queue=settings.worker.task_queue,
        result_type=Outcome,
    )


def _right_calls(scene: Scene) -> Script:
    return [calls(*(call(scene.tools[name].name, **arguments) for name, arguments in scene.made)), say(DONE)]


def _no_right_call(number: int) -> Script:
    return [say(DONE)] if number % 2 else [calls(call(NO_SUCH_FUNCTION, value=1)), say(DONE)]


def _mistakes(scene: Scene, outcome: Outcome) -> Iterator[str]:
    """Where it differs from: every call that fits has run once, under its own key, and writes in the calls' order."""
    expected = [(number, *each) for number, each in enumerate(scene.made, start=1) if _fits(scene, *each)]
    keys = [f"{outcome.request_id}/1.{number}" for number, _, _ in expected]
    if outcome.status is not RequestStatus.COMPLETED:
        yield f"{outcome.status}: {outcome.summary}"
    ran = {run.key: run for run in scene.runs}
    if sorted(run.key for run in scene.runs) != sorted(keys):
        yield f"ran {[run.key for run in scene.runs]} and not {keys}"
    for key, (_, function, arguments) in zip(keys, expected, strict=True):
        if key in ran and (ran[key].function, ran[key].arguments) != (function, arguments):
            yield f"{key} was {ran[key]} and not {function} {arguments}"
    in_order = all(one.ended <= other.begun for one, other in zip(scene.runs, scene.runs[1:], strict=False))
    if scene.effect == "write" and ([run.key for run in scene.runs] != keys or not in_order):
        yield f"ran out of order: {scene.runs}"
    done = [(each.key, each.result) for each in outcome.receipts if each.status is ReceiptStatus.DONE]
    if done != [(key, {"ran": key}) for key in keys] or len(outcome.receipts) != len(scene.made):
        yield f"receipts: {outcome.receipts}"


def _fits(scene: Scene, function: str, arguments: Arguments) -> bool:
    try:
        scene.tools[function].validate(arguments)
    except InvalidArguments:
        return False
    return True
