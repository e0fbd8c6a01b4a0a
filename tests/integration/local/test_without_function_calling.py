"""A real model that was never trained to call functions, in the envelope: nothing that it makes up is run.

What it makes of a request is not asked for here: it has 135 million parameters. What is: every reply is an answer, a
problem that the model is told, or calls of which each fits its function's schema or says why it does not.
"""

import subprocess
import sys
import time
import uuid
from collections.abc import Iterator

import httpx
import pytest
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities.http.tls import trusted_roots
from activities.model import envelope
from activities.model.answer import Answers
from activities.model.endpoint import Endpoint
from activities.model.profiles import Calling
from activities.model.question import Question
from activities.model.transcript import Offer
from activities.model.wire.replies import Reply
from activities.policy import Policy
from activities.schema.json_schema import JsonSchema
from activities.settings.model import ModelSettings
from activities.toolkit.catalogue import Catalogue
from activities.toolkit.tool import tool, tool_of
from deploy.local.part import REPOSITORY
from deploy.local.ports import free_ports
from deploy.service.assembly import Service, build_worker
from tests.conftest import settings_for
from tests.integration.local.base_model import NAME
from tests.scripted_model import ScriptedModel
from workflows.contract.api import REQUEST_WORKFLOW, Limits, Outcome, ReceiptStatus, Request, RequestStatus
from workflows.contract.conversation import UserEntry
from workflows.contract.internal import ModelInput
from workflows.contract.values import Schema

LONGEST_REPLY = 64
"""In tokens; to what is asked here, the model's replies are shorter, and so are read whole."""
ran: list[str] = []
"""What the functions were really called with."""


@tool(about="{city}")
async def get_weather(city: str) -> str:
    """Get the current weather in a city."""
    ran.append(city)
    return "sunny, 21 °C"


@tool(about="{a} + {b}")
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    ran.append(f"{a} + {b}")
    return a + b


TOOLS = {found.name: found for found in map(tool_of, (get_weather, add)) if found is not None}
OFFERS = tuple(Offer(each.name, each.description, each.schema()) for each in TOOLS.values())


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """Where the model answers."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "tests.integration.local.base_model", str(port)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait_for(f"http://127.0.0.1:{port}/health", server)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.kill()


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    with httpx.Client(verify=trusted_roots(), trust_env=False) as http:
        while time.monotonic() < deadline:
            assert server.poll() is None, "the model's server has ended"
            try:
                if http.get(url).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
    raise TimeoutError(url)


def endpoint_of(base_url: str, calling: Calling) -> Endpoint:
    return Endpoint.from_settings(
        ModelSettings.model_validate(
            {
                "openai_model": NAME,
                "openai_base_url": base_url,
                "model_max_tokens": LONGEST_REPLY,
                "model_calling": calling,
            }
        )
    )


async def asked(base_url: str, calling: Calling, text: str) -> Reply:
    endpoint = endpoint_of(base_url, calling)
    messages = envelope.messages("You call functions.", [UserEntry(text=text)], OFFERS, calling)
    question = Question(messages, response_format=envelope.response_format(OFFERS, calling))
    try:
        return envelope.read(await endpoint.ask(question), OFFERS, max_tokens=LONGEST_REPLY)
    finally:
        await endpoint.aclose()


def nothing_is_made_up(reply: Reply) -> None:
    assert bool(reply.text or reply.cut_off) + bool(reply.calls) + bool(reply.problem) == 1
    schemas = {offer.name: offer.parameters for offer in OFFERS}
    for call in reply.calls:
        if call.problem is None and call.tool in schemas:
            JsonSchema(schemas[call.tool]).require(call.arguments)


@pytest.mark.long
async def test_held_to_the_envelope_it_calls_functions_that_there_are_with_arguments_that_fit(base_url: str) -> None:
    reply = await asked(base_url, Calling.JSON_SCHEMA, "Get the weather in Rome.")
    nothing_is_made_up(reply)
    assert {call.tool for call in reply.calls} <= {offer.name for offer in OFFERS}
    assert not any(call.problem for call in reply.calls)
    assert reply.problem in (None, envelope.CUT_OFF)


@pytest.mark.long
async def test_merely_told_of_the_envelope_it_may_answer_anything_and_no_misfit_is_run(base_url: str) -> None:
    nothing_is_made_up(await asked(base_url, Calling.PROMPT, "Add 3 and 4."))


@pytest.mark.long
async def test_the_output_fits_its_schema_or_says_why_not(base_url: str) -> None:
    schema: Schema = {"enum": ["red", "green", "blue"]}
    endpoint = endpoint_of(base_url, Calling.JSON_SCHEMA)
    situation = ModelInput(conversation=(UserEntry(text="Which colour has the sky?"),), output_schema=schema)
    answer = await ActivityEnvironment().run(Answers(endpoint).answer, situation)
    await endpoint.aclose()
    if answer.problem is None:
        JsonSchema(schema).require(answer.output)
    else:
        assert answer.output is None


@pytest.mark.long
async def test_a_request_ends_with_receipts_of_what_was_really_run(
    client: Client, model: ScriptedModel, base_url: str
) -> None:
    settings = settings_for(model, openai_model=NAME, openai_base_url=base_url)
    endpoint = endpoint_of(base_url, Calling.JSON_SCHEMA)
    service = Service(settings, Catalogue(TOOLS, {}), Policy(), endpoint)
    ran.clear()
    async with build_worker(client, service) as worker, worker:
        outcome: Outcome = await client.execute_workflow(
            REQUEST_WORKFLOW,
            Request(text="What is the weather in Rome?", limits=Limits(turns=1)),
            id=f"test-{uuid.uuid4().hex[:12]}",
            task_queue=settings.worker.task_queue,
            result_type=Outcome,
        )
    assert outcome.status in (RequestStatus.COMPLETED, RequestStatus.LIMIT_REACHED, RequestStatus.FAILED)
    assert outcome.summary
    done = [receipt.arguments for receipt in outcome.receipts if receipt.status is ReceiptStatus.DONE]
    assert sorted(ran) == sorted(TOOLS["add" if "a" in each else "get_weather"].describe(each) for each in done)
    assert outcome.receipts or outcome.status is not RequestStatus.COMPLETED
