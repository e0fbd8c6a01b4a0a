"""What is sent to a general model is short: every turn sends it again."""

from typing import Any

import pytest
from pydantic import JsonValue
from pydantic_core import to_json
from temporalio.testing import ActivityEnvironment

from activities.model.decide import Decide
from activities.model.endpoint import Endpoint
from activities.model.tool_schemas import Offers, shortened
from activities.policy import Policy
from activities.settings.model import ModelSettings
from activities.toolkit.sources import Package
from activities.toolkit.tool import Tool
from tests.bench.job import TOOLS, job
from tests.completions import completion
from tests.scripted_model import Raw, ScriptedModel, say
from workflows.contract.conversation import AssistantEntry, Entry, ToolCallRecord, ToolMessage, UserEntry
from workflows.contract.internal import ModelInput

MOST = 4600
WEATHER = ToolMessage(
    value={
        "city": "Paris",
        "country": "France",
        "temperature_c": 21.5,
        "feels_like_c": 21.0,
        "conditions": "partly cloudy",
        "wind_kmh": 9.0,
        "humidity_percent": 60,
        "local_time": "2026-11-22T09:30:00",
    }
)
PRICE = ToolMessage(
    value={
        "symbol": "AAPL",
        "name": "APPLE",
        "price": 229.87,
        "currency": "USD",
        "as_of": "2026-11-20T21:00:09Z",
    }
)
SENT = ToolMessage(
    value={
        "message_id": "<f8649ee551aba7e678f4c5e9@example.com>",
        "accepted": ["servi-w0@example.com"],
        "server_reply": "250 2.0.0 Ok",
    }
)
FOUND = AssistantEntry(
    turn=1,
    calls=(
        ToolCallRecord(tool="get_weather", arguments={"city": "Paris"}, told=WEATHER),
        ToolCallRecord(tool="get_stock_price", arguments={"symbol": "AAPL"}, told=PRICE),
    ),
)
MAILED = AssistantEntry(
    turn=2,
    calls=(
        ToolCallRecord(
            tool="send_email",
            arguments={
                "to": ["servi-w0@example.com"],
                "subject": "servi-w0",
                "body": "Paris: 21.5 °C. AAPL: 229.87 USD.",
            },
            told=SENT,
        ),
    ),
)


@pytest.fixture
def tools() -> dict[str, Tool]:
    """Those of the bench's job."""
    return {tool.name: tool for tool in Package("activities.tools").tools() if tool.name in TOOLS}


async def test_the_three_questions_of_the_benchs_job_take_no_more_than_4600_bytes(
    model: ScriptedModel, tools: dict[str, Tool]
) -> None:
    endpoint = Endpoint.from_settings(
        ModelSettings.model_validate({"openai_model": "scripted", "openai_base_url": model.url})
    )
    decide = Decide(endpoint, tools, Policy()).decide
    entries: tuple[Entry, ...] = (UserEntry(text=job("servi-w0")), FOUND, MAILED)
    for turn in range(1, 4):
        model.trouble.append(Raw(200, completion(say("Done."))))
        await ActivityEnvironment().run(decide, ModelInput(conversation=entries[:turn]))
    await endpoint.aclose()
    assert sum(len(to_json(each)) for each in model.asked) <= MOST


def test_of_an_argument_that_is_clear_by_its_name_only_the_type_is_sent(tools: dict[str, Tool]) -> None:
    offers = Offers(tools)
    mail: Any = offers.params(offers.full(["send_email"]), strict=False, brief=True)[0]
    assert mail["function"]["parameters"] == {
        "type": "object",
        "properties": {
            "to": {"type": "array", "items": {"type": "string", "format": "email"}},
            "subject": {"type": "string"},
            "body": {"type": "string"},
        },
        "required": ["to", "subject", "body"],
    }


@pytest.mark.parametrize(
    ("part", "sent"),
    [
        ({"type": "string", "description": "A day.", "maxLength": 9, "default": "today"}, ["type", "default"]),
        ({"type": "object", "default": {"title": "x"}, "title": "T"}, ["type", "default"]),
        ({"anyOf": [{"type": "string"}, {"type": "null"}], "description": "A day."}, ["anyOf", "description"]),
        ({"$ref": "#/$defs/day"}, ["$ref"]),
    ],
)
def test_what_has_no_plain_type_is_sent_whole(part: dict[str, JsonValue], sent: list[str]) -> None:
    properties: Any = shortened({"type": "object", "properties": {"day": part}}, ("day",))["properties"]
    assert properties["day"] == {keyword: part[keyword] for keyword in sent}


def test_an_endpoint_that_can_be_strict_gets_a_schema_that_is_fit_for_it(tools: dict[str, Tool]) -> None:
    offers = Offers(tools)
    for param in offers.params(offers.full(), strict=True, brief=True):
        parameters: Any = param["function"].get("parameters")
        assert param["function"].get("strict") is (True if parameters.get("additionalProperties") is False else None)
