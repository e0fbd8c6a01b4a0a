"""`client.py try`, with a scripted model and without a Temporal server; `--record` and `why` with a real one."""

import asyncio
import json
import os
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities.settings import Settings
from deploy.client.tryouts import live_reads
from tests.conftest import running_worker, settings_for
from tests.dev_server import TEMPORAL
from tests.integration.cli.conftest import CommandLine, an_id
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say

CASES = """
[[case]]
request = "Look up tree and tell ann."
ordered = true
summary = "ann"
[[case.call]]
tool = "look_up"
arguments = { word = "tree" }
result = { word = "tree", meaning = "a plant" }
[[case.call]]
tool = "tell"
arguments = { to = ["ann"], what = "*plant*" }
ruling = "ask"
[[case]]
request = "Say hello."
none = true
"""


@pytest.fixture
def cases(tmp_path: Path) -> str:
    (file := tmp_path / "cases.toml").write_text(CASES)
    return str(file)


def well(model: ScriptedModel) -> None:
    model.scripts["Look up tree and tell ann."] = [
        calls(call("look_up", word="tree")),
        calls(call("tell", to=["ann"], what="a plant")),
        say("I told ann."),
    ]
    model.scripts["Say hello."] = [say("Hello.")]


async def exported(cli: CommandLine, request_id: str) -> str:
    """Its history, by Temporal's own command line."""
    shown = await asyncio.create_subprocess_exec(
        *(TEMPORAL, "workflow", "show", "--workflow-id", request_id, "--output", "json"),
        env=os.environ | cli.environment,
        stdout=asyncio.subprocess.PIPE,
    )
    return (await shown.communicate())[0].decode()


async def test_a_model_that_does_as_expected_passes_and_nothing_happens(
    alone: CommandLine, model: ScriptedModel, cases: str, happened: World, tmp_path: Path
) -> None:
    well(model)
    tried = await alone("try", cases, "--times", "2", "--junit", str(tmp_path / "junit.xml"))
    assert (tried.code, tried.err) == (0, "")
    for words in ("2/2 (34% to 100%)", "scripted  4/4 (51% to 100%) passed", "8 model calls"):
        assert words in tried.out
    assert happened.happened == []
    assert "a plant" in json.dumps(model.asked)
    assert 'failures="0"' in (tmp_path / "junit.xml").read_text()


async def test_what_differed_is_told_and_the_threshold_decides_the_exit_code(
    alone: CommandLine, model: ScriptedModel, cases: str
) -> None:
    well(model)
    model.scripts["Say hello."] = [calls(call("write_down", word="hello")), say("Hello.")]
    tried = await alone("try", cases)
    assert tried.code == 1
    assert 'not expected: write_down {"word": "hello"}' in tried.out
    assert (await alone("try", cases, "--at-least", "0.5")).code == 0
    told = json.loads((await alone("try", cases, "--only", "hello", "--json")).out)
    assert (told[0]["passed"], told[0]["of"], len(told[0]["cases"])) == (0, 1, 1)


async def test_a_ruling_is_what_the_policy_comes_to_after_a_strangers_text(
    alone: CommandLine, model: ScriptedModel, tmp_path: Path
) -> None:
    (policy := tmp_path / "policy.toml").write_text('[[rule]]\nruling = "allow"\n')
    (cases := tmp_path / "cases.toml").write_text("""
[[case]]
request = "Write, read, write."
ordered = true
call = [
    { tool = "write_down", ruling = "allow" },
    { tool = "read_page", result = "a page", ruling = "allow" },
    { tool = "write_down", ruling = "ask" },
]
""")
    words = ("before it", "after it")
    before, after = (calls(call("write_down", word=word)) for word in words)
    model.scripts["Write, read, write."] = [before, calls(call("read_page", name="x")), after, say("All is said.")]
    tried = await CommandLine({**alone.environment, "ERRAND_POLICY": str(policy)})("try", str(cases))
    assert (tried.code, tried.err) == (0, "")


async def test_two_models_stand_side_by_side(alone: CommandLine, model: ScriptedModel, cases: str) -> None:
    well(model)
    tried = await alone("try", cases, "--against", "OPENAI_MODEL=other", "--against", "ERRAND_SYSTEM_PROMPT=Be brief.")
    assert tried.code == 0
    assert "other ERRAND_SYSTEM_PROMPT=…" in tried.out
    assert {str(asked["model"]) for asked in model.asked} == {"scripted", "other"}
    assert any("Be brief." in json.dumps(asked["messages"]) for asked in model.asked)
    assert (await alone("try", cases, "--against", "NO_SUCH=1")).code == 2


async def test_a_read_without_a_result_does_not_pass_and_a_made_up_recipient_goes_back(
    alone: CommandLine, model: ScriptedModel, tmp_path: Path
) -> None:
    (tmp_path / "c.jsonl").write_text('{"request": "Tell them.", "forbidden": [{"tool": "tell"}]}\n')
    model.scripts["Tell them."] = [
        calls(call("look_up", word="them"), call("tell", to=["eve"], what="hi")),
        say("I could not."),
    ]
    tried = await alone("try", str(tmp_path))
    assert tried.code == 1
    assert "there is no result for look_up them" in tried.out
    assert "forbidden" not in tried.out
    assert "nobody mentioned eve before" in json.dumps(model.asked)


@pytest.mark.long
async def test_a_real_request_is_explained_and_becomes_a_case_that_its_model_passes(
    cli: CommandLine, worker: ScriptedModel, alone: CommandLine, settings: Settings, happened: World, tmp_path: Path
) -> None:
    well(worker)
    request_id = an_id()
    text = "Look up tree and tell ann."
    assert (await cli("submit", text, "--id", request_id, "--yes", "--requester", "ann")).code == 0
    explained = await cli("why", request_id)
    assert explained.code == 0, explained.out
    for words in ("from the request", "ann approved * in advance", "done, attempt 1 began", "a read needs no yes"):
        assert words in explained.out
    (tmp_path / "history.json").write_text(await exported(cli, request_id))
    later = CommandLine({**cli.environment, "TEMPORAL_ADDRESS": "127.0.0.1:1"})
    assert await later("why", request_id, "--history", str(tmp_path / "history.json")) == explained
    recorded = await cli("try", "--record", request_id)
    assert recorded.code == 0
    (tmp_path / "recorded.jsonl").write_text(recorded.out)
    assert (await alone("try", str(tmp_path / "recorded.jsonl"))).code == 0
    read = json.loads(recorded.out)["call"][0]
    happened.happened.clear()
    del read["result"]
    (tmp_path / "live.jsonl").write_text(json.dumps({"request": text, "call": [read], "more": True}))
    live = CommandLine({**alone.environment, "TEMPORAL_ADDRESS": cli.environment["TEMPORAL_ADDRESS"]})
    assert (await live("try", str(tmp_path / "live.jsonl"), "--live")).code == 0
    assert (happened.done("look_up"), happened.done("tell")) == (["tree"], [])


async def test_a_live_read_is_made_by_a_worker_and_waits_for_no_person(
    client: Client, model: ScriptedModel, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[[rule]]\ntool = "look_up"\narguments = { word = "s*" }\nruling = "ask"\n')
    settings = settings_for(model, policy=policy)
    read = live_reads(client, settings.worker.task_queue, "ann")
    async with running_worker(client, settings):
        assert await read("look_up", {"word": "tree"}) == {"word": "tree", "meaning": "the meaning of tree"}
        with pytest.raises(ApplicationError, match="it needs a person's yes"):
            await asyncio.wait_for(read("look_up", {"word": "salary"}), 15)


async def test_what_is_a_write_for_the_worker_is_not_made_live_whatever_the_client_takes_it_for(
    client: Client, model: ScriptedModel, tmp_path: Path, happened: World
) -> None:
    (policy := tmp_path / "policy.toml").write_text('[[rule]]\nruling = "allow"\n')
    settings = settings_for(model, policy=policy)
    async with running_worker(client, settings):
        with pytest.raises(ApplicationError, match="write_down is a write on the side of the worker"):
            await asyncio.wait_for(
                live_reads(client, settings.worker.task_queue, "ann")("write_down", {"word": "tree"}), 15
            )
    assert happened.happened == []


async def test_what_the_policy_forbids_after_a_strangers_text_is_a_write_as_in_a_request(
    alone: CommandLine, model: ScriptedModel, tmp_path: Path
) -> None:
    (tmp_path / "policy.toml").write_text('[[rule]]\nruling = "allow"\nafter_untrusted = "deny"\n')
    page = {"tool": "read_page", "arguments": {"name": "news"}, "result": "a stranger's text"}
    read = {"tool": "look_up", "arguments": {"word": "tree"}, "result": "a plant"}
    case = {"request": "Read news and look up tree.", "call": [page, read], "more": True}
    (tmp_path / "cases.jsonl").write_text(json.dumps(case) + "\n")
    model.scripts["Read news and look up tree."] = [
        calls(call("read_page", name="news")),
        calls(call("look_up", word="tree"), call("write_down", word="tree")),
        say("A tree is a plant."),
    ]
    tried = await alone(
        "try", str(tmp_path / "cases.jsonl"), "--against", f"ERRAND_POLICY={tmp_path / 'policy.toml'}", "--json"
    )
    [_, against] = json.loads(tried.out)
    assert (against["passed"], against["of"]) == (1, 1)
    told = json.dumps(model.asked[-1]["messages"])
    assert "a plant" in told
    assert "the policy forbids it" in told
