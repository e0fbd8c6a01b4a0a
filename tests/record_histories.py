"""Records one history per shape of run into tests/histories/, for the replay tests.

    .venv/bin/python -m tests.record_histories              all
    .venv/bin/python -m tests.record_histories question     one

Run it when a release is made, and keep the older files: requests of that release may still be running. A file that no
longer replays means that the change at hand needs `workflow.patched`.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

from temporalio.client import Client

from activities.settings import Settings
from deploy.client.plans import apply
from deploy.client.requests import submit
from tests.conftest import running_worker, settings_for
from tests.dev_server import dev_server
from tests.integration.requests.asking import Handle, answer, until, until_it_waits
from tests.sample_tools import world
from tests.scripted_model import Answer, Raw, ScriptedModel, call, calls, say
from workflows.contract.api import Approve, GivenCall, Limits, Reject, Request, Say
from workflows.contract.values import Arguments, Schema

HISTORIES = Path(__file__).parent / "histories"
PRIVATE = {"identity", "stackTrace"}
"""What a history says of the machine that recorded it, and replay does not need."""

ASKS = calls(call("ask_requester", question="Which tree?"), call("ask_requester", question="Where?"))
WRITE = calls(call("write_down", word="tree"))
SHAPES: dict[str, list[Answer]] = {
    "no tool": [say("Hello.")],
    "parallel reads, then a write": [
        calls(call("look_up", word="a"), call("look_up", word="b"), call("write_down", word="c")),
        say("Done."),
    ],
    "approved": [WRITE, say("Done.")],
    "rejected": [WRITE, say("Not done.")],
    "approval expired": [WRITE, say("Not done.")],
    "invalid calls": [calls(call("fly"), call("look_up", wrod="tree")), say("I cannot.")],
    "tool failed": [calls(call("look_up", word="nothing")), say("Not found.")],
    "tool retried": [calls(call("look_up", word="again")), say("Found.")],
    "write unknown": [calls(call("write_down", word="maybe")), say("I do not know.")],
    "write settled": [calls(call("engrave", word="a", held_up="before")), say("Not done.")],
    "edited": [WRITE, say("Done.")],
    "edited, asked again": [calls(call("tell", to=["ann"], what="hi"))] * 2 + [say("Done.")],
    "claim corrected": [say("I wrote it down."), say("I have not done it.")],
    "ungrounded": [calls(call("tell", to=["eve"], what="hi"))] * 2 + [say("I could not.")],
    "model refused": [Raw(401, '{"error": {"message": "wrong key"}}')],
    "cancelled while waiting": [WRITE, say("Never said.")],
    "cancelled during a write": [calls(call("write_down", word="slow", seconds=3)), say("Never said.")],
    "turn limit": [calls(call("look_up", word=f"w{turn}")) for turn in range(3)],
    "conversation": [say("Hello."), calls(call("look_up", word="tree")), say("A plant.")],
    "question": [ASKS, say("Done.")],
    "question expired": [ASKS, say("I do not know.")],
    "output": [calls(call("look_up", word="tree")), say("A plant."), say('{"kind": "plant"}')],
    "output corrected": [say("A plant."), say('{"kind": 1}'), say('{"kind": "plant"}')],
    "refused": [{"role": "assistant", "content": None, "refusal": "I will not."}],
    "rehearsed": [
        calls(call("look_up", word="oak")),
        calls(call("write_down", word="a plant"), call("tell", to=["ann"], what="a plant")),
        say("Done."),
    ],
    "a given call": [],
    "continued as new": [*(calls(call("look_up", word=f"w{turn}")) for turn in range(5)), say("Long.")],
}
KIND: Schema = {"type": "object", "properties": {"kind": {"type": "string"}}, "required": ["kind"]}
BY_HAND = GivenCall(tool="write_down", arguments={"word": "tree"})
IN_ADVANCE: dict[str, object] = {"approve": ["*"]}
A_MOMENT = Limits(approval_seconds=1)
FIELDS: dict[str, dict[str, object]] = {
    "write settled": IN_ADVANCE,
    "parallel reads, then a write": IN_ADVANCE,
    "write unknown": IN_ADVANCE,
    "ungrounded": IN_ADVANCE,
    "cancelled during a write": IN_ADVANCE,
    "output": {"output_schema": KIND},
    "output corrected": {"output_schema": KIND},
    "approval expired": {"limits": A_MOMENT},
    "question expired": {"limits": A_MOMENT},
    "turn limit": {"limits": Limits(turns=2)},
    "conversation": {"keep_open": True},
    "rehearsed": {"rehearse": True},
    "a given call": {"call": BY_HAND, **IN_ADVANCE},
}
"""What its request says beside the text."""


async def _approve(handle: Handle) -> None:
    pending = await until_it_waits(handle)
    await answer(handle, Approve(key=pending.key, digest=pending.digest, by="ann"))


async def _edit(handle: Handle) -> None:
    pending = await until_it_waits(handle)
    await answer(handle, Approve(key=pending.key, digest=pending.digest, by="ann", arguments={"word": "oak"}))


async def _edit_twice(handle: Handle) -> None:
    pending = await until_it_waits(handle)
    edited: Arguments = {"to": ["eve"], "what": "hi"}
    await answer(handle, Approve(key=pending.key, digest=pending.digest, by="ann", arguments=edited))
    await _approve(handle)


async def _reject(handle: Handle) -> None:
    pending = await until_it_waits(handle)
    await answer(handle, Reject(key=pending.key, digest=pending.digest, by="ann", reason="not today"))


async def _cancel_waiting(handle: Handle) -> None:
    await until_it_waits(handle)
    await handle.cancel()


async def _cancel_running(handle: Handle) -> None:
    await until(handle, lambda now: bool(now.running))
    await asyncio.sleep(0.5)
    await handle.cancel()


async def _talk(handle: Handle) -> None:
    said = handle.execute_update("say", Say(text="What is a tree?"), id="second")  # pyright: ignore[reportUnknownMemberType]  # the SDK leaves it open
    await said
    await handle.execute_update("close")  # pyright: ignore[reportUnknownMemberType]  # the SDK leaves it open


async def _answer_both(handle: Handle) -> None:
    await until(handle, lambda now: len(now.awaiting_answer) == 2)
    for text in ("the oak", "here"):
        await handle.execute_update("say", Say(text=text, by="ann"))  # pyright: ignore[reportUnknownMemberType]  # the SDK leaves it open


MEANWHILE: dict[str, Callable[[Handle], Awaitable[None]]] = {
    "approved": _approve,
    "conversation": _talk,
    "edited": _edit,
    "edited, asked again": _edit_twice,
    "question": _answer_both,
    "rejected": _reject,
    "ungrounded": _reject,
    "cancelled while waiting": _cancel_waiting,
    "cancelled during a write": _cancel_running,
}


async def record(client: Client, settings: Settings, shape: str) -> None:
    """Run one shape to its end and keep the history of each of its runs."""
    name = shape.replace(",", "").replace(" ", "-")
    request = Request.model_validate({"text": shape, **FIELDS.get(shape, {})})
    handle = await submit(client, request, request_id=name, task_queue=settings.worker.task_queue)
    if shape in MEANWHILE:
        await MEANWHILE[shape](handle)
    outcome = await handle.result()
    await keep(client, name)
    if outcome.plan is not None:
        applying = await apply(client, outcome.plan, requester="", approve=True, task_queue=settings.worker.task_queue)
        await applying.result()
        await keep(client, applying.id)


async def keep(client: Client, name: str) -> None:
    await asyncio.sleep(0.5)  # until visibility has caught up
    runs = sorted(
        [run async for run in client.list_workflows(f"WorkflowId = '{name}'")], key=lambda run: run.start_time
    )
    for number, run in enumerate(runs, start=1):
        history = await client.get_workflow_handle(name, run_id=run.run_id).fetch_history()
        path = HISTORIES / (f"{name}.json" if len(runs) == 1 else f"{name}-{number}.json")
        path.write_text(json.dumps(_public(json.loads(history.to_json())), separators=(",", ":")) + "\n")


def _public(part: object) -> object:
    if isinstance(part, dict):
        named = cast("dict[str, object]", part)
        return {name: "" if name in PRIVATE else _public(value) for name, value in named.items()}
    return [_public(each) for each in cast("list[object]", part)] if isinstance(part, list) else part


async def main(wanted: set[str]) -> None:
    HISTORIES.mkdir(exist_ok=True)
    world.failures["again"] = 1
    early = ("--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=25")
    with ScriptedModel() as model:
        model.scripts.update(SHAPES)
        for server, shapes in (
            (early, ["continued as new"]),
            ((), [shape for shape in SHAPES if shape != "continued as new"]),
        ):
            settings = settings_for(model)
            async with dev_server(*server) as environment, running_worker(environment.client, settings):
                for shape in filter(wanted.__contains__, shapes) if wanted else shapes:
                    await record(environment.client, settings, shape)


if __name__ == "__main__":
    asyncio.run(main({*sys.argv[1:]}))
