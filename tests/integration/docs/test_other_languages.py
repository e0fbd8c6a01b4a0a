"""The examples of docs/other-languages.md that can be run here."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest_asyncio

from deploy.local.deployment import HTTP_HOST
from deploy.local.ports import free_ports
from tests.conftest import running_worker, settings_for
from tests.dev_server import dev_server
from tests.integration.docs.test_pages import ROOT, in_language
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import TASK_QUEUE

ADDRESS = "127.0.0.1:7243"
ALREADY_EXISTS = 6
"""Of gRPC; the status is 409."""
TEXT = "Tell ann@example.com that invoice 4711 is paid."
[CURL] = [text for text in in_language("shell") if text.startswith("errand=http://")]
BASE, *COMMANDS = CURL.replace("\ncurl", "\0curl").split("\0")


@pytest_asyncio.fixture(loop_scope="session")
async def http_api(model: ScriptedModel) -> AsyncGenerator[str]:
    """The address of the HTTP API of a dev server that is set up as `make up` does it, with a worker."""
    model.scripts[TEXT] = [calls(call("tell", to=["ann@example.com"], what="Paid.")), say("I told ann.")]
    [port] = free_ports(1)
    allowed = f'frontend.httpAllowedHosts=["{HTTP_HOST}"]'
    async with (
        dev_server("--http-port", str(port), "--dynamic-config-value", allowed) as server,
        running_worker(server.client, settings_for(model, task_queue=TASK_QUEUE)),
    ):
        yield f"127.0.0.1:{port}"


async def said(command: str, address: str) -> dict[str, Any]:
    """What a line of the example answers."""
    base = BASE.replace(ADDRESS, address)
    words = ("bash", "-euc", f"{base}\n{command.replace('curl', 'curl -sS', 1)}")
    shell = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    answer, _ = await shell.communicate()
    assert shell.returncode == 0, answer.decode()
    return json.loads(answer)


async def test_by_curl_a_request_is_started_looked_at_approved_and_waited_for(http_api: str) -> None:
    start, state, approve, result = COMMANDS
    assert (await said(start, http_api))["started"]
    async with asyncio.timeout(30):
        while not (waiting := (await said(state, http_api))["queryResult"][0]["awaiting_approval"]):
            await asyncio.sleep(0.1)
    refused = await said(approve, http_api)
    assert refused["outcome"]["failure"]["applicationFailureInfo"]["type"] == "DigestMismatch"
    agreed = await said(approve.replace("…", waiting[0]["digest"]).replace("yes-1", "yes-2"), http_api)
    assert "success" in agreed["outcome"]
    [event] = (await said(result, http_api))["history"]["events"]
    [outcome] = event["workflowExecutionCompletedEventAttributes"]["result"]
    assert [(each["status"], each["approved_by"]) for each in outcome["receipts"]] == [("done", "ann")]
    assert (await said(start, http_api))["code"] == ALREADY_EXISTS
    assert outcome["unsupported_claims"] is None, "as the page says of empty lists"


def test_the_typescript_of_the_page_is_the_one_that_is_compiled() -> None:
    example = ROOT / "docs" / "contract" / "typescript" / "example.ts"
    assert in_language("typescript") == [example.read_text(encoding="utf-8")]
