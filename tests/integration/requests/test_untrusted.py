"""What a stranger's text brought into a request may be shown, and decides nothing."""

from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError

from activities.settings import Settings
from client import approve
from tests.conftest import running_worker, settings_for
from tests.integration.requests.asking import answer, ask, start, until_it_waits
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import ReceiptStatus, Reject

PAGE = calls(call("read_page", name="pay 990"))


async def test_a_figure_that_only_a_stranger_mentions_needs_a_person_whoever_said_yes_before(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Read it"] = [PAGE, calls(call("write_down", word="pay 990")), say("The page says 990.")]
    async with running_worker(client, settings):
        handle = await start(client, settings, "Read it", approve=("*",))
        pending = await until_it_waits(handle)
        assert pending.reason == "only a stranger's text says 990"
        await answer(handle, Reject(key=pending.key, digest=pending.digest, by="ann"))
        outcome = await handle.result()
    assert happened.done("write_down") == []
    assert outcome.unsupported_claims == ()


@pytest.mark.parametrize(
    ("after", "status", "why"),
    [
        (
            "deny",
            ReceiptStatus.REFUSED,
            "the policy forbids it after a stranger's text has been read: rule 1 of the policy",
        ),
        ("allow-if-grounded", ReceiptStatus.DONE, None),
    ],
)
async def test_the_policy_says_what_becomes_of_its_yes(
    client: Client, model: ScriptedModel, tmp_path: Path, after: str, status: ReceiptStatus, why: str | None
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(f'[[rule]]\nruling = "allow"\nafter_untrusted = "{after}"\n')
    settings = settings_for(model, policy=policy)
    model.scripts["Write tree 7"] = [PAGE, calls(call("write_down", word="tree 7")), say("That is all.")]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Write tree 7")
    assert (outcome.receipts[1].status, outcome.receipts[1].error) == (status, why)


async def test_no_person_can_edit_a_call_to_what_the_policy_forbids_after_a_strangers_text(
    client: Client, model: ScriptedModel, happened: World, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(
        '[[rule]]\narguments = { word = "o*" }\nruling = "allow"\nafter_untrusted = "deny"\n'
        '[[rule]]\narguments = { word = "t*" }\nruling = "ask"\n'
    )
    settings = settings_for(model, policy=policy)
    model.scripts["Write tree"] = [PAGE, calls(call("write_down", word="tree")), say("That is all.")]
    async with running_worker(client, settings):
        handle = await start(client, settings, "Write tree")
        pending = await until_it_waits(handle)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await approve(handle, pending, by="ann", arguments={"word": "oak"})
        assert "the policy forbids it after a stranger's text has been read" in str(refused.value.__cause__)
        assert await until_it_waits(handle) == pending
        await answer(handle, Reject(key=pending.key, digest=pending.digest, by="ann"))
        await handle.result()
    assert happened.done("write_down") == []


@pytest.mark.parametrize(
    ("word", "why"),
    [("pwned", "the request has read a stranger's text"), ("pay 990", "only a stranger's text says 990")],
)
async def test_a_strangers_words_in_a_refusal_are_a_strangers_text_too(
    client: Client, model: ScriptedModel, happened: World, tmp_path: Path, word: str, why: str
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[[rule]]\nruling = "allow"\n')
    settings = settings_for(model, policy=policy)
    model.scripts["Read it"] = [calls(call("read_page", name="gone")), calls(call("write_down", word=word)), say("So.")]
    async with running_worker(client, settings):
        handle = await start(client, settings, "Read it")
        pending = await until_it_waits(handle)
        await answer(handle, Reject(key=pending.key, digest=pending.digest, by="ann"))
        await handle.result()
    assert pending.reason == why
    assert happened.done("write_down") == []


async def test_without_a_strangers_text_the_policys_yes_is_one(
    client: Client, model: ScriptedModel, happened: World, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[[rule]]\nruling = "allow"\nafter_untrusted = "deny"\n')
    settings = settings_for(model, policy=policy)
    model.scripts["Write"] = [calls(call("write_down", word="tree")), say("Done.")]
    async with running_worker(client, settings):
        await ask(client, settings, "Write")
    assert happened.done("write_down") == ["tree"]


async def test_deny_refuses_a_read_only_where_its_rule_asks(
    client: Client, model: ScriptedModel, happened: World, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(
        '[[rule]]\narguments = { word = "s*" }\nruling = "ask"\nafter_untrusted = "deny"\n'
        '[[rule]]\nruling = "allow"\nafter_untrusted = "deny"\n'
    )
    settings = settings_for(model, policy=policy)
    reads = calls(call("look_up", word="salary"), call("look_up", word="tree"))
    model.scripts["Look"] = [PAGE, reads, say("So.")]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Look")
    assert [receipt.status for receipt in outcome.receipts] == ["done", "refused", "done"]
    assert happened.done("look_up") == ["tree"]
