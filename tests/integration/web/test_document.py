"""The OpenAPI document is what the door does: schemathesis makes up calls from it, and holds the answers to it."""

import asyncio
import time
import uuid
from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from openapi_spec_validator import validate

from activities.http.tls import trusted_roots
from deploy.client.keys import Right, add_key
from tests.integration.web.conftest import LONGEST, Door, outcome, submitted
from tests.scripted_model import Answer, ScriptedModel, say

pytestmark = pytest.mark.long

PER_OPERATION = 6

Case: TypeAlias = Any
"""schemathesis leaves the types of its cases open."""


class Done(dict[str, Sequence[Answer]]):
    """Whatever is asked for, the model says that it is done."""

    def __missing__(self, text: str) -> Sequence[Answer]:
        return [say("Done.")] * 5


async def test_the_document_is_one_of_openapi_3_1_with_an_example_of_every_body_and_answer(door: Door) -> None:
    async with httpx.AsyncClient(verify=trusted_roots(), base_url=door.url) as anybody:
        document = (await anybody.get("/openapi.json")).json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    without = [
        f"{method} {path}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for media in _media(operation)
        if path.startswith("/v1/") and not media.get("example") and not media.get("examples")
    ]
    assert without == []


async def test_generated_clients_call_an_operation_by_a_short_name_of_its_own(door: Door) -> None:
    async with httpx.AsyncClient(verify=trusted_roots(), base_url=door.url) as anybody:
        document = (await anybody.get("/openapi.json")).json()
    names = [each["operationId"] for operations in document["paths"].values() for each in operations.values()]
    assert len({*names}) == len(names)
    assert {"submit", "get_outcome", "decide_about_call", "add_schedule", "resolve_action"} <= {*names}
    assert [name for name in names if "v1" in name] == []


async def test_generated_types_have_names_of_their_own_and_all_fields_of_a_request(door: Door) -> None:
    async with httpx.AsyncClient(verify=trusted_roots(), base_url=door.url) as anybody:
        schemas = (await anybody.get("/openapi.json")).json()["components"]["schemas"]
    assert {"Requests", "ListedTool"} <= {*schemas}
    assert [name for name in schemas if "__" in name] == []
    for name in ("Submission", "EachRequest"):
        assert {"text", "requester", "limits"} <= {*schemas[name]["properties"]}
        assert not {"anyOf", "oneOf", "allOf"} & {*schemas[name]}  # of these, generators make types without the rest


async def test_a_path_names_all_methods_that_it_takes(door: Door) -> None:
    async with door.caller("ann") as ann:
        answers = [await ann.request("OPTIONS", path) for path in ("/v1/requests", "/v1/schedules/a", "/v1/tools")]
    assert [(each.status_code, each.headers["Allow"]) for each in answers] == [
        (405, "GET, POST"),
        (405, "DELETE, GET"),
        (405, "GET"),
    ]


def _media(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """What an operation takes and answers with."""
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    return [media for body in bodies for media in body.get("content", {}).values()]


async def test_every_answer_to_made_up_calls_is_one_that_the_document_knows(
    door: Door, worker: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "scripts", Done())
    key = add_key(door.keys, "root", [Right.ADMIN])
    async with door.with_key(key) as root:
        known = await submitted(root, "x")
        await outcome(root, known)
    await asyncio.to_thread(hold, door.url, key, known)


def make_sense(case: Case) -> None:
    """What a cron text means, which times have passed, and what goes together is more than a document can say."""
    body = cast("dict[str, Any]", case.body) if isinstance(case.body, dict) else {}
    for each in (body, body.get("request", {})):
        if {"apply", "rehearse"} & each.keys():
            each.pop("apply", None)
            each["rehearse"] = False
    timetable = body.get("timetable", body)
    if "cron" in timetable:
        timetable |= {"cron": "0 8 * * 1-5", "zone": "Europe/Berlin"}
    if case.path.endswith("/backfill"):
        body |= {"start": "2026-01-31T08:00:00Z", "end": "2026-01-31T08:00:00Z"}


def say_it_once(case: Case) -> None:
    """That a call says its key in one of two places is more than a document can say."""
    if case.method == "POST" and case.path.endswith(("/requests", "/messages")):
        case.headers.pop("Idempotency-Key", None)
        body = cast("dict[str, Any]", case.body) if isinstance(case.body, dict) else {}
        if not (body.get("request_id") or body.get("message_id")):
            case.headers["Idempotency-Key"] = uuid.uuid4().hex


def hold(url: str, key: str, known: str) -> None:
    import schemathesis  # no process but the one that runs this test has to load it

    document: Any = schemathesis.openapi.from_url(f"{url}/openapi.json")
    for found in document.get_all_operations():

        @examples(
            max_examples=PER_OPERATION,
            database=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        )
        @given(case=found.ok().as_strategy(), of_known=st.booleans())
        def answers_as_it_says(case: Case, of_known: bool) -> None:
            if of_known and "request_id" in case.path_parameters:
                case.path_parameters["request_id"] = known
            say_it_once(case)
            make_sense(case)
            case.validate_response(answer_to(case, key))

        answers_as_it_says()


def answer_to(case: Case, key: str) -> Any:
    """On a busy machine Temporal's server may take too long, and the door says that the same may be asked again."""
    ends = time.monotonic() + LONGEST
    while (answer := case.call(headers={"Authorization": f"Bearer {key}"}, timeout=60)).status_code == 503:
        if time.monotonic() > ends:
            break
    return answer
