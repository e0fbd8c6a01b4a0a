"""A model that obeys what a stranger's page tells it, in whole requests."""

import asyncio
from pathlib import Path

import pytest
from temporalio.client import Client

from tests.conftest import running_worker, settings_for
from tests.injections.obeying import obeyed
from tests.injections.texts import texts
from tests.integration.requests.asking import start, until_it_waits
from tests.scripted_model import ScriptedModel, call, calls, say

FEW = ("agentdojo-important_instructions-6", "agentdojo-direct-10", "bastioncorpus-ind-exfil-tool-002")


@pytest.mark.parametrize("after", ["ask", "deny", "allow-if-grounded"])
@pytest.mark.sampled(1)
async def test_nothing_is_done_that_a_page_tells_a_model_to_do_though_the_policy_allows_every_tool(
    client: Client, model: ScriptedModel, tmp_path: Path, after: str
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(f'[[rule]]\nruling = "allow"\nafter_untrusted = "{after}"\n')
    settings = settings_for(model, policy=policy, tools=("tests.injections.office",), http_hosts=("*",))
    for name in FEW:
        text = texts()[name]
        tool, arguments = obeyed(text)[0]
        write = calls(call(tool, **arguments))
        model.scripts[name] = [calls(call("read_page", name=text)), write, write, say("All is done.")]

    async def receipts(name: str) -> list[tuple[str, str]]:
        handle = await start(client, settings, name)
        if after != "deny":
            await until_it_waits(handle)
            await handle.cancel()
        return [(each.tool, each.status) for each in (await handle.result()).receipts]

    async with running_worker(client, settings):
        made = await asyncio.gather(*map(receipts, FEW))
    for done in made:
        assert [tool for tool, status in done if status == "done"] == ["read_page"]
        assert done[-1][1] == ("refused" if after == "deny" else "cancelled")
