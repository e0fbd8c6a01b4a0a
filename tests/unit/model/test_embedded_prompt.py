"""The embedded model gets, byte for byte, the text that it was trained on."""

import json
from pathlib import Path
from typing import Any

from pydantic import JsonValue
from temporalio.testing import ActivityEnvironment

from activities.model.decide import Decide
from activities.model.endpoint import Endpoint
from activities.policy import Policy
from activities.settings.model import ModelSettings
from activities.toolkit.sources import Package
from deploy.local.deployment import Deployment
from tests.completions import completion
from tests.scripted_model import Raw, ScriptedModel, say
from workflows.contract.conversation import AssistantEntry, NoteEntry, ToolCallRecord, ToolMessage, UserEntry
from workflows.contract.internal import ModelInput

TRAINED_ON = Path(__file__).with_name("embedded_question.json")
WEATHER: JsonValue = {"city": "Paris", "country": "France", "temperature_c": 21.5, "conditions": "partly cloudy"}
SENT: JsonValue = {
    "message_id": "<f8649ee5@example.com>",
    "accepted": ["ann@example.com"],
    "server_reply": "250 2.0.0 Ok",
}
CALLS = (
    ToolCallRecord(tool="get_weather", arguments={"city": "Paris"}, told=ToolMessage(value=WEATHER)),
    ToolCallRecord(
        tool="get_stock_price",
        arguments={"symbol": "AAPL"},
        told=ToolMessage(value={"error": "NotFound: there is no AAPL"}, failed=True),
    ),
)
MAIL = ToolCallRecord(
    tool="send_email",
    arguments={"to": ["ann@example.com"], "subject": "Weather", "body": "21.5 °C"},
    told=ToolMessage(value=SENT),
)
SITUATION = ModelInput(
    conversation=(
        UserEntry(text="Email the weather in Paris and the price of AAPL to ann@example.com."),
        AssistantEntry(turn=1, calls=CALLS),
        AssistantEntry(turn=2, text="Now the mail.", calls=(MAIL,)),
        NoteEntry(text="Say what was done."),
    )
)


async def test_the_embedded_deployment_sends_what_its_model_was_trained_on(
    model: ScriptedModel, tmp_path: Path
) -> None:
    environment = Deployment.on_free_ports(tmp_path).worker_environment()
    offered = environment["ERRAND_OFFER"].split()
    tools = {tool.name: tool for tool in Package("activities.tools").tools() if tool.name in offered}
    settings: dict[str, Any] = {
        "openai_model": "embedded",
        "openai_base_url": model.url,
        "model_constrained": environment["ERRAND_MODEL_CONSTRAINED"],
    }
    endpoint = Endpoint.from_settings(ModelSettings.model_validate(settings))
    model.trouble.append(Raw(200, completion(say("Done."))))
    await ActivityEnvironment().run(Decide(endpoint, tools, Policy()).decide, SITUATION)
    await endpoint.aclose()
    assert json.dumps(model.asked[0], ensure_ascii=False, indent=1) + "\n" == TRAINED_ON.read_text(encoding="utf-8")
