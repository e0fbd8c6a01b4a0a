"""A rehearsal writes nothing; its plan is applied exactly as it was shown, once, or not at all."""

import asyncio
import uuid
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError

from activities.ledger.ledger import Ledger
from activities.settings import Settings
from deploy.client.plans import apply, plan_of
from deploy.client.requests import RequestHandle, start, submit
from deploy.client.why import explain
from tests.conftest import changed, running_worker, settings_for
from tests.integration.requests.asking import answer, until, until_it_waits
from tests.sample_tools import World
from tests.scripted_model import Answer, ScriptedModel, call, calls, say
from workflows.contract.api import (
    Approve,
    GivenCall,
    Outcome,
    ReceiptStatus,
    Reject,
    Request,
    RequestState,
    RequestStatus,
)
from workflows.contract.plans import Apply, Plan, applied_id

LOOK_UP = calls(call("look_up", word="oak"))
BY_HAND = "Write down tree"
BY_READ = "Look up oak, and write its meaning down"
SCRIPTS: dict[str, Sequence[Answer]] = {
    BY_HAND: [calls(call("write_down", word="tree")), say("Tree is written down.")],
    BY_READ: [LOOK_UP, calls(call("write_down", word="the meaning of oak")), say("It is written down.")],
}


async def rehearse(client: Client, settings: Settings, text: str, **more: object) -> Outcome:
    request = Request.model_validate({"text": text, "rehearse": True, **more})
    request_id = f"test-{uuid.uuid4().hex[:12]}"
    return await (await submit(client, request, request_id=request_id, task_queue=settings.worker.task_queue)).result()


async def applied(client: Client, settings: Settings, plan: Plan, *, approve: bool = True) -> RequestHandle:
    return await apply(client, plan, requester="ann", approve=approve, task_queue=settings.worker.task_queue)


def with_policy(model: ScriptedModel, folder: Path, text: str) -> Settings:
    policy = folder / "policy.toml"
    policy.write_text(text)
    return settings_for(model, policy=policy)


async def rows(settings: Settings) -> int:
    async with aclosing(await Ledger.open(settings.ledger.ledger_url, create=False)) as ledger:
        return len(await ledger.search())


async def test_reads_run_and_a_write_becomes_a_plan_and_no_row_of_the_ledger(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts.update(SCRIPTS)
    async with running_worker(client, settings, sandboxed=True):
        outcome = await rehearse(client, settings, BY_READ)
        assert await rows(settings) == 0
    assert (happened.done("look_up"), happened.done("write_down")) == (["oak"], [])
    assert [receipt.status for receipt in outcome.receipts] == [ReceiptStatus.DONE, ReceiptStatus.PLANNED]
    assert outcome.plan is not None
    [write] = outcome.plan.writes
    assert (write.arguments, write.verdict) == ({"word": "the meaning of oak"}, "needs approval")
    assert write.why == "no rule of the policy allows it"
    assert write.depends_on == (f"{outcome.request_id}/1.1",)
    assert outcome.summary.startswith("Rehearsed: 1 write planned, and nothing is done.")


async def test_a_plan_is_applied_without_the_model_and_once(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts.update(SCRIPTS)
    async with running_worker(client, settings, sandboxed=True):
        plan = (await rehearse(client, settings, BY_READ)).plan
        assert plan is not None
        asked = len(model.asked)
        first = await (await applied(client, settings, plan)).result()
        second = await (await applied(client, settings, plan)).result()
    assert (first.status, first.summary) == (RequestStatus.COMPLETED, "Done: write_down.")
    assert first == second
    [receipt] = first.receipts
    assert (receipt.key, receipt.approved_by) == (f"{applied_id(plan.request_id)}/2.1", "requester")
    assert happened.done("write_down") == ["the meaning of oak"]
    assert happened.done("look_up") == ["oak"], "the plan is young, so nothing is read again"
    assert len(model.asked) == asked


@pytest.mark.parametrize("changes", [False, True])
async def test_a_read_that_is_too_old_is_made_again_and_has_to_give_the_same(
    client: Client,
    model: ScriptedModel,
    happened: World,
    tmp_path: Path,
    changes: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = with_policy(model, tmp_path, 'plan_seconds = 0\n[[rule]]\ntool = "write_down"\nruling = "allow"\n')
    model.scripts.update(SCRIPTS)
    async with running_worker(client, settings, sandboxed=True):
        plan = (await rehearse(client, settings, BY_READ)).plan
        assert plan is not None
        monkeypatch.setattr(happened, "meaning", "another" if changes else "the")
        outcome = await (await applied(client, settings, plan, approve=False)).result()
    if changes:
        assert outcome.status is RequestStatus.FAILED
        assert outcome.summary.startswith(
            "Nothing was written: no longer as planned: look_up (1.1) gives something else"
        )
        assert happened.done("write_down") == []
    else:
        assert outcome.status is RequestStatus.COMPLETED
        assert happened.done("write_down") == ["the meaning of oak"]
    assert happened.done("look_up") == ["oak", "oak"]


async def test_one_person_says_one_yes_to_the_whole_plan(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write both"] = [
        calls(call("write_down", word="a"), call("write_down", word="b")),
        say("Both."),
    ]
    async with running_worker(client, settings, sandboxed=True):
        plan = (await rehearse(client, settings, "Write both")).plan
        assert plan is not None
        handle = await applied(client, settings, plan, approve=False)
        pending = await until_it_waits(handle)
        assert happened.done("write_down") == []
        assert (pending.tool, pending.arguments["digest"]) == ("apply", plan.digest)
        changed = Approve(
            key=pending.key, digest=pending.digest, by="bob", arguments={**pending.arguments, "writes": {}}
        )
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await answer(handle, changed)
        assert "a plan is approved as it stands, and cannot be edited" in str(refused.value.cause)
        await answer(handle, Approve(key=pending.key, digest=pending.digest, by="bob"))
        outcome = await handle.result()
    assert happened.done("write_down") == ["a", "b"]
    async with aclosing(await Ledger.open(settings.ledger.ledger_url, create=False)) as ledger:
        why = await explain(client, handle.id, ledger)
    assert [call.contradictions for call in why.calls] == [(), ()]
    assert why.calls[0].allowed.startswith("bob said yes at ")
    assert f"UTC to the whole plan, with the digest {pending.digest}" in why.calls[0].allowed
    assert str(why.calls[0].sources[0].origins[0]) == "from the plan"
    assert [receipt.approved_by for receipt in outcome.receipts] == ["bob", "bob"]


async def test_a_no_to_the_plan_is_a_no_to_every_write(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts.update(SCRIPTS)
    async with running_worker(client, settings):
        plan = (await rehearse(client, settings, BY_HAND)).plan
        assert plan is not None
        handle = await applied(client, settings, plan, approve=False)
        pending = await until_it_waits(handle)
        await answer(handle, Reject(key=pending.key, digest=pending.digest, by="bob", reason="not now"))
        outcome = await handle.result()
    assert outcome.status is RequestStatus.FAILED
    assert [receipt.error for receipt in outcome.receipts] == ["rejected by bob: not now"]
    assert happened.done("write_down") == []


async def test_who_applies_a_plan_does_not_approve_it_where_the_policy_wants_four_eyes(
    client: Client, model: ScriptedModel, happened: World, tmp_path: Path
) -> None:
    settings = with_policy(model, tmp_path, "four_eyes = true\n")
    model.scripts.update(SCRIPTS)
    async with running_worker(client, settings):
        plan = (await rehearse(client, settings, BY_HAND)).plan
        assert plan is not None
        handle = await applied(client, settings, plan)
        pending = await until_it_waits(handle)
        assert pending.four_eyes
        await answer(handle, Approve(key=pending.key, digest=pending.digest, by="bob"))
        await handle.result()
    assert happened.done("write_down") == ["tree"]


async def test_after_one_write_that_is_not_done_no_further_one_is_made(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write three"] = [
        calls(call("write_down", word="a"), call("write_down", word="maybe"), call("write_down", word="c")),
        say("Three."),
    ]
    async with running_worker(client, settings):
        plan = (await rehearse(client, settings, "Write three")).plan
        assert plan is not None
        outcome = await (await applied(client, settings, plan)).result()
    assert outcome.status is RequestStatus.FAILED
    assert [receipt.status.value for receipt in outcome.receipts] == ["done", "unknown", "cancelled"]
    assert happened.done("write_down") == ["a"]


async def test_a_plan_that_is_cancelled_during_a_write_makes_no_further_one(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    writes = calls(call("write_down", word="a", seconds=2), call("write_down", word="b"))
    model.scripts["Write two slowly"] = [writes, say("Two.")]
    async with running_worker(client, settings):
        plan = (await rehearse(client, settings, "Write two slowly")).plan
        assert plan is not None
        handle = await applied(client, settings, plan)
        await until(handle, lambda now: bool(now.running))
        await asyncio.sleep(0.3)
        await handle.cancel()
        outcome = await handle.result()
    assert outcome.status is RequestStatus.CANCELLED
    assert [receipt.status.value for receipt in outcome.receipts] == ["done", "cancelled"]
    assert happened.done("write_down") == ["a"]


async def test_grounds_that_were_missing_in_the_rehearsal_are_missing_when_the_plan_is_applied(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    invented = calls(call("tell", to=["eve"], what="hello"))
    model.scripts["Tell somebody hello"] = [invented, invented, say("Told.")]
    async with running_worker(client, settings):
        outcome = await rehearse(client, settings, "Tell somebody hello", approve=["*"])
        assert outcome.plan is not None
        assert outcome.plan.writes[0].ungrounded == ("eve",)
        handle = await applied(client, settings, outcome.plan)
        pending = await until_it_waits(handle)
        assert "nobody mentioned eve before" in pending.reason
        await handle.cancel()
        await handle.result()
    assert happened.done("tell") == []


async def test_what_the_policy_forbids_meanwhile_stops_the_plan_before_its_first_write(
    client: Client, settings: Settings, model: ScriptedModel, happened: World, tmp_path: Path
) -> None:
    model.scripts["Both"] = [calls(call("write_down", word="a"), call("tell", to=["Both"], what="b")), say("Done.")]
    async with running_worker(client, settings):
        plan = (await rehearse(client, settings, "Both")).plan
    assert plan is not None
    stricter = with_policy(model, tmp_path, '[[rule]]\ntool = "tell"\nruling = "deny"\n')
    async with running_worker(client, stricter):
        outcome = await (await applied(client, stricter, plan)).result()
    assert outcome.status is RequestStatus.FAILED
    assert "no longer as planned: the policy forbids tell now" in outcome.summary
    assert happened.happened == []


ORDER = """
from activities.toolkit.tool import tool

@tool(effect="write")
async def order({parameters}) -> str:
    return "ordered"
"""
RULE = '[[rule]]\ntool = "{}"\nruling = "{}"\n'
ASKS = RULE.format("order", "ask") + RULE.format("write_down", "allow")


@pytest.mark.usefixtures("imports_undone")
@pytest.mark.parametrize(
    ("parameters", "policy", "why"),
    [
        ("what: str", RULE.format("order", "deny"), "the policy forbids order now"),
        ("what: str", RULE.format("order", "ask"), "write_down needs a yes now"),
        ("what: str", f"four_eyes = true\n{ASKS}", "who may approve order is not the same any more"),
        ("what: str, colour: str", ASKS, "the arguments of order are not valid"),
        ("what: str, colour: str = 'red'", ASKS, "order would be called with other arguments now"),
    ],
)
@pytest.mark.sampled(2)
async def test_nothing_is_written_where_one_write_cannot_be_made_any_more_when_the_yes_comes(
    client: Client, model: ScriptedModel, happened: World, tmp_path: Path, parameters: str, policy: str, why: str
) -> None:
    for name, taking, ruled in (("then", "what: str", ASKS), ("now", parameters, policy)):
        (tmp_path / f"{name}.py").write_text(ORDER.format(parameters=taking))
        (tmp_path / f"{name}.toml").write_text(ruled)
    model.scripts["Both"] = [calls(call("write_down", word="a"), call("order", what="b")), say("Planned.")]
    then, now = (
        {"tools": ("tests.sample_tools", str(tmp_path / f"{name}.py")), "policy": tmp_path / f"{name}.toml"}
        for name in ("then", "now")
    )
    settings = settings_for(model, **then)
    async with running_worker(client, settings):
        plan = (await rehearse(client, settings, "Both")).plan
        assert plan is not None
        handle = await applied(client, settings, plan, approve=False)
        pending = await until_it_waits(handle)
    async with running_worker(client, changed(settings, tools=now)):
        await answer(handle, Approve(key=pending.key, digest=pending.digest, by="bob"))
        outcome = await handle.result()
    assert outcome.status is RequestStatus.FAILED
    assert f"Nothing was written: no longer as planned: {why}" in outcome.summary
    assert happened.happened == []


async def test_a_budget_that_is_used_up_meanwhile_stops_it_too_and_a_rehearsal_takes_nothing_of_it(
    client: Client, model: ScriptedModel, happened: World, tmp_path: Path
) -> None:
    budget = '[[budget]]\ntool = "write_down"\nmost = 1\nper = "day"\n'
    settings = with_policy(model, tmp_path, budget)
    model.scripts[BY_HAND] = [*SCRIPTS[BY_HAND], say("It is not written down.")]
    async with running_worker(client, settings):
        plans = [(await rehearse(client, settings, BY_HAND)).plan for _ in range(2)]
        first, second = [await (await applied(client, settings, plan)).result() for plan in plans if plan]
        too_late = await rehearse(client, settings, BY_HAND)
    assert (first.status, second.status) == (RequestStatus.COMPLETED, RequestStatus.FAILED)
    assert "no longer as planned: write_down: the budget of 1 calls of write_down per day" in second.summary
    assert too_late.plan is not None
    assert [write.verdict for write in too_late.plan.refused] == ["refused"]
    assert happened.done("write_down") == ["tree"]


TWO_WORDS = "Write down oak for 2 seconds and elm for 2.5"


@pytest.mark.parametrize("turns", [1, 2])
async def test_the_writes_before_it_in_the_plan_count_when_a_budget_judges_a_write(
    turns: int, client: Client, model: ScriptedModel, happened: World, tmp_path: Path
) -> None:
    budget = '[[budget]]\ntool = "write_down"\namount = { argument = "seconds", most = 2.9 }\nper = "day"\n'
    settings = with_policy(model, tmp_path, budget)
    writes = [call("write_down", word=word, seconds=seconds) for word, seconds in (("oak", 2), ("elm", 2.5))]
    model.scripts[TWO_WORDS] = [*([calls(*writes)] if turns == 1 else map(calls, writes)), say("Planned.")]
    async with running_worker(client, settings):
        plan = (await rehearse(client, settings, TWO_WORDS)).plan
    assert plan is not None
    assert [write.arguments["word"] for write in plan.writes] == ["oak"]
    assert [write.arguments["word"] for write in plan.refused] == ["elm"]
    assert (
        "0 is taken; 2.9 is left; the writes before this one in the plan take 2, and this takes 2.5; "
        "that is more than all of it" in plan.refused[0].why
    )


async def test_what_is_left_of_a_budget_meanwhile_is_told_beside_what_the_plan_takes(
    client: Client, model: ScriptedModel, happened: World, tmp_path: Path
) -> None:
    settings = with_policy(model, tmp_path, '[[budget]]\ntool = "write_down"\nmost = 2\nper = "day"\n')
    both = "Write down oak and elm"
    model.scripts[both] = [calls(call("write_down", word="oak"), call("write_down", word="elm")), say("Planned.")]
    model.scripts.update(SCRIPTS)
    async with running_worker(client, settings):
        plans = [(await rehearse(client, settings, text)).plan for text in (both, BY_HAND)]
        ended = [await (await applied(client, settings, plan)).result() for plan in reversed(plans) if plan]
    assert [outcome.status for outcome in ended] == [RequestStatus.COMPLETED, RequestStatus.FAILED]
    assert "1 is taken; 1 is left; the writes before this one in the plan take 1; it is free" in ended[1].summary
    assert happened.done("write_down") == ["tree"]


async def test_a_budget_that_asks_is_asked_about_at_its_write_and_nobody_puts_another_in_its_place(
    client: Client, model: ScriptedModel, happened: World, tmp_path: Path
) -> None:
    settings = with_policy(model, tmp_path, '[[budget]]\ntool = "write_down"\nmost = 0\nper = "day"\nthen = "ask"\n')
    model.scripts.update(SCRIPTS)
    async with running_worker(client, settings):
        plan = (await rehearse(client, settings, BY_HAND, approve=["*"])).plan
        assert plan is not None
        assert (plan.writes[0].verdict, "is reached" in plan.writes[0].why) == ("needs approval", True)
        handle = await applied(client, settings, plan)
        pending = await until_it_waits(handle)
        edited = Approve(key=pending.key, digest=pending.digest, by="bob", arguments={"word": "another"})
        await answer(handle, edited)
        if again := (await handle.query("state", result_type=RequestState)).awaiting_approval:
            await answer(handle, edited.model_copy(update={"digest": again[0].digest, "arguments": None}))
        outcome = await handle.result()
    assert happened.happened == []
    assert [receipt.status for receipt in outcome.receipts] == [ReceiptStatus.REJECTED]


TICKETS = '''
from activities.toolkit.tool import tool

@tool(effect="write", preview=lambda arguments: {"ticket": "T-000"})
async def open_ticket(title: str) -> dict[str, str]:
    """Open a ticket."""
    raise AssertionError("it is only rehearsed")
'''


async def test_a_plan_that_rests_on_what_only_a_stand_in_says_cannot_be_applied(
    client: Client, model: ScriptedModel, happened: World, tmp_path: Path
) -> None:
    (tmp_path / "tickets.py").write_text(TICKETS)
    settings = settings_for(model, tools=("tests.sample_tools", str(tmp_path / "tickets.py")))
    opened, written = calls(call("open_ticket", title="Help")), calls(call("write_down", word="T-000"))
    model.scripts["Open a ticket called Help, and write its number down"] = [opened, written, say("Done.")]
    async with running_worker(client, settings):
        text = "Open a ticket called Help, and write its number down"
        plan = (await rehearse(client, settings, text, approve=["*"])).plan
        assert plan is not None
        assert plan.writes[1].stand_ins == (plan.writes[0].key,)
        outcome = await (await applied(client, settings, plan)).result()
    assert plan.problem == f"{plan.writes[1].key} has a value that only a write before it will bring"
    assert outcome.summary == f"Nothing was written: the plan of {plan.request_id} cannot be applied: {plan.problem}."
    assert happened.happened == []


async def test_one_given_call_can_be_rehearsed(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    given = GivenCall(tool="write_down", arguments={"word": "oak"})
    async with running_worker(client, settings):
        outcome = await rehearse(client, settings, "", call=given)
    assert outcome.status is RequestStatus.COMPLETED
    assert outcome.plan is not None
    assert len(outcome.plan.writes) == 1
    assert happened.done("write_down") == []


@pytest.mark.parametrize("wrong", ["digest", "id"])
async def test_another_plan_than_the_one_that_was_shown_is_not_applied(
    client: Client, settings: Settings, model: ScriptedModel, happened: World, wrong: str
) -> None:
    model.scripts.update(SCRIPTS)
    async with running_worker(client, settings):
        plan = (await rehearse(client, settings, BY_HAND)).plan
        assert plan is not None
        named = Apply(request_id=plan.request_id if wrong == "digest" else "nothing", digest="0" * 64)
        request = Request(apply=named, approve=("*",))
        queue = settings.worker.task_queue
        handle, _ = await start(client, request, request_id=applied_id(named.request_id), task_queue=queue)
        outcome = await handle.result()
        assert (await plan_of(client, plan.request_id)) == plan
    assert outcome.status is RequestStatus.FAILED
    assert outcome.summary.startswith("Nothing was written: ")
    assert happened.done("write_down") == []


DELIVERING = """
from activities.toolkit.tool import tool

@tool(effect="write")
async def deliver(word: str, to: str = "ann@example.com") -> str:
    return "delivered"

@tool()
async def look(at: str) -> str:
    return "nothing"
"""


@pytest.mark.usefixtures("imports_undone")
async def test_a_default_of_a_planned_write_rests_on_nothing_that_was_read(
    client: Client, model: ScriptedModel, tmp_path: Path
) -> None:
    (tmp_path / "delivering.py").write_text(DELIVERING)
    settings = settings_for(model, tools=(str(tmp_path),))
    made = [calls(call("look", at="door")), calls(call("deliver", word="tree"))]
    model.scripts["Deliver a tree from the door"] = [*made, say("Planned.")]
    async with running_worker(client, settings):
        outcome = await rehearse(client, settings, "Deliver a tree from the door")
    assert outcome.plan is not None
    [write] = outcome.plan.writes
    assert (write.arguments, write.depends_on) == ({"word": "tree", "to": "ann@example.com"}, ())
