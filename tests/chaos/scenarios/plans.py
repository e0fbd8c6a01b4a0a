"""A plan of several mails is applied while its workers are killed, and the request that applies it is reset, ended and
made again: each planned mail goes out once, or is unknown, and nothing that was not planned."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from temporalio.common import WorkflowIDReusePolicy

from deploy.client.plans import apply, plan_of, request_to_apply
from tests.chaos.insist import insist
from tests.chaos.scenarios.operators import insist_on, latest_run
from tests.chaos.scenarios.scene import PATIENCE, Letter, Scene
from tests.chaos.scenarios.used_again import Handle
from tests.integration.operators.verbs import BY_HAND, WORKFLOW
from tests.scripted_model import call, calls, say
from workflows.contract.api import REQUEST_WORKFLOW, Outcome, Receipt, Request
from workflows.contract.plans import Plan, applied_id

EACH = 2
MAILS = 3
KILLS = 3
BETWEEN_KILLS = 6.0
"""Seconds."""
AT_ONCE = 5
A_WHILE = 3.0
RESET = f"workflow reset {WORKFLOW} {BY_HAND} --type FirstWorkflowTask"


@dataclass(frozen=True)
class Planned:
    """A plan, and its mails in their order."""

    plan: Plan
    mails: tuple[Letter, ...]

    @property
    def whole(self) -> Letter:
        """The request that applies it."""
        return Letter(applied_id(self.plan.request_id))


Way = Callable[[Scene, Planned], Awaitable[object]]


async def play(scene: Scene) -> None:
    await asyncio.gather(scene.worker(), scene.worker())
    ways: tuple[Way, ...] = (by_many_at_once, held_up, reset_in_the_act, reset_afterwards, ended_and_made_again)
    several = [(way, number) for way in ways for number in range(EACH)]
    plans = await asyncio.gather(*(rehearsed(scene, f"{way.__name__}-{number}") for way, number in several))
    if scene.stage.post.deliveries and any(scene.stage.post.has(mail.token) for each in plans for mail in each.mails):
        scene.problems.append("a rehearsal has sent mail")
    killing = asyncio.create_task(kill(scene))
    await asyncio.gather(*(way(scene, planned) for (way, _), planned in zip(several, plans, strict=True)))
    await killing
    unplanned = {each.token for each in scene.stage.post.deliveries if each.token.startswith(f"{scene.name}-unplanned")}
    scene.problems += [f"{token} was in no plan, and was delivered" for token in unplanned]


async def kill(scene: Scene) -> None:
    """One worker after the other, each as soon as the next is there."""
    worker = await scene.worker()
    for _ in range(KILLS):
        await asyncio.sleep(BETWEEN_KILLS)
        worker, before = await scene.worker(), worker
        await before.kill()


async def rehearsed(scene: Scene, name: str) -> Planned:
    """A rehearsal; once it has ended, the model would write something else."""
    mails = tuple(scene.letter() for _ in range(MAILS))
    text = f"Write to all of {name}: {', '.join(f'{mail.token}@example.com' for mail in mails)}"
    client, model, request_id = scene.stage.client, scene.stage.model, f"{scene.name}-{name}"
    model.scripts[text] = [calls(*(mail_to(each.token) for each in mails)), say("That is all."), say("That is all.")]
    request = Request(text=text, rehearse=True)

    async def start() -> object:
        return await client.start_workflow(REQUEST_WORKFLOW, request, id=request_id, task_queue=scene.name)

    await insist(start)
    plan = await insist(lambda: plan_of(client, request_id), each=PATIENCE)
    assert len(plan.writes) == MAILS, plan
    model.scripts[text] = [calls(mail_to(f"{scene.name}-unplanned-{name}")), say("That is all.")]
    return Planned(plan, mails)


def mail_to(token: str) -> Any:
    return call("send_email", to=[f"{token}@example.com"], subject=token, body="Hello.")


# --- the ways -------------------------------------------------------------------------------------------------------


async def by_many_at_once(scene: Scene, planned: Planned) -> None:
    await asyncio.gather(*(started(scene, planned) for _ in range(AT_ONCE)))
    await ends(scene, planned)


async def held_up(scene: Scene, planned: Planned) -> None:
    """In the act of the second mail, until a worker or two are gone."""
    await in_the_act(scene, planned, planned.mails[1])
    await asyncio.sleep(KILLS * BETWEEN_KILLS)
    scene.stage.post.let_go(planned.mails[1].token)
    await ends(scene, planned)


async def reset_in_the_act(scene: Scene, planned: Planned) -> None:
    await in_the_act(scene, planned, planned.mails[1])
    await insist_on(scene, RESET, planned.whole)
    await asyncio.sleep(A_WHILE)
    scene.stage.post.let_go(planned.mails[1].token)
    await ends(scene, planned)


async def reset_afterwards(scene: Scene, planned: Planned) -> None:
    await started(scene, planned)
    await ends(scene, planned)
    await insist_on(scene, RESET, planned.whole)
    await ends(scene, planned)


async def ended_and_made_again(scene: Scene, planned: Planned) -> None:
    """In the act of the first mail, by somebody who knows how to have an id used again."""
    await in_the_act(scene, planned, planned.mails[0])
    await (await latest_run(scene, planned.whole)).terminate("chaos")
    await started(scene, planned, again=True)
    await asyncio.sleep(A_WHILE)
    scene.stage.post.let_go(planned.mails[0].token)
    await ends(scene, planned)


async def in_the_act(scene: Scene, planned: Planned, mail: Letter) -> None:
    scene.stage.post.hold_yes(mail.token)
    await started(scene, planned)
    await scene.stage.post.reached(mail.token)


async def started(scene: Scene, planned: Planned, *, again: bool = False) -> None:
    client, plan = scene.stage.client, planned.plan
    if not again:
        await insist(lambda: apply(client, plan, requester="ann", approve=True, task_queue=scene.name))
        return
    request = request_to_apply(plan.request_id, plan.digest, requester="ann", approve=True)
    policy = WorkflowIDReusePolicy.ALLOW_DUPLICATE
    options: dict[str, Any] = {"id": planned.whole.request_id, "task_queue": scene.name, "id_reuse_policy": policy}
    await insist(lambda: client.start_workflow(REQUEST_WORKFLOW, request, **options))


async def ends(scene: Scene, planned: Planned) -> None:
    """What the latest run says of each mail is kept to be judged."""
    handle: Handle = await latest_run(scene, planned.whole)
    run = await scene.ends(planned.whole, handle)
    scene.runs.remove(run)
    scene.runs += [replace(run, letter=mail, outcome=run.outcome and only(run.outcome, mail)) for mail in planned.mails]


def only(outcome: Outcome, mail: Letter) -> Outcome:
    receipts: list[Receipt] = [each for each in outcome.receipts if each.arguments.get("subject") == mail.token]
    return outcome.model_copy(update={"receipts": tuple(receipts)})
