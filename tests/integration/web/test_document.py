"""The OpenAPI document is what the door does: schemathesis makes up calls from it, and holds the answers to it."""

import asyncio
import uuid

import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from deploy.client.keys import Right, add_key
from tests.integration.docs.test_pages import Scripts
from tests.integration.web.conftest import Door, outcome, submitted
from tests.scripted_model import ScriptedModel

PER_OPERATION = 15
KNOWN = ("invoice-4711", "ann:7")


async def test_every_answer_to_made_up_calls_is_one_that_the_document_knows(door: Door, worker: ScriptedModel) -> None:
    worker.scripts = Scripts()
    key = add_key(door.keys, "root", [Right.ADMIN])
    async with door.with_key(key) as root:
        known = await submitted(root, "x")
        await outcome(root, known)
    await asyncio.to_thread(hold, door.url, key, known)


def say_it_once(case: schemathesis.Case) -> None:
    """That a call says its key in one of two places is more than a document can say."""
    body = case.body if isinstance(case.body, dict) else {}
    headers = case.headers
    if case.path.endswith(("/requests", "/messages")) and case.method == "POST":
        given = body.get("request_id") or body.get("message_id")
        headers.pop("Idempotency-Key", None)
        if not given:
            headers["Idempotency-Key"] = uuid.uuid4().hex


def hold(url: str, key: str, known: str) -> None:
    document = schemathesis.openapi.from_url(f"{url}/openapi.json")
    for found in document.get_all_operations():
        operation = found.ok()

        @examples(
            max_examples=PER_OPERATION,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=[*HealthCheck],
        )
        @given(case=operation.as_strategy(), of_known=st.booleans())
        def answers_as_it_says(case: schemathesis.Case, of_known: bool) -> None:
            if of_known and "request_id" in case.path_parameters:
                case.path_parameters["request_id"] = known
            say_it_once(case)
            case.call_and_validate(headers={"Authorization": f"Bearer {key}"})

        answers_as_it_says()
