"""Of many tools the model is shown those that fit the request, at every turn the same until it asks for more."""

import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any, cast

import pytest
from pydantic import JsonValue
from temporalio.testing import ActivityEnvironment

from activities.model.decide import Decide
from activities.model.endpoint import Endpoint
from activities.model.tool_choice import MOST_CHOSEN, ToolChoice
from activities.policy import Policy
from activities.settings.model import ModelSettings
from activities.toolkit.function_names import FIND_TOOLS
from activities.toolkit.schema_tools import tool_from_schema
from activities.toolkit.tool import Tool
from activities.toolkit.tool_index import ToolIndex
from tests.completions import completion
from tests.scripted_model import Answer, Raw, ScriptedModel, call, calls, say
from workflows.contract.conversation import AssistantEntry, Entry, ToolCallRecord, ToolMessage, UserEntry
from workflows.contract.internal import Decision, ModelInput
from workflows.contract.values import Arguments

ASKED = UserEntry(text="Open a ticket about the printer.")
TO: dict[str, JsonValue] = {"type": "string", "format": "email"}


async def nothing(arguments: Arguments) -> None:
    """Is not called."""


def made(name: str, description: str, **properties: JsonValue) -> Tool:
    return tool_from_schema(
        name=name,
        description=description,
        parameters={"type": "object", "properties": properties},
        function=nothing,
        effect="read",
        grounded=("to",) if "to" in properties else (),
    )


TOOLS: Mapping[str, Tool] = {
    each.name: each
    for each in (
        made("create_ticket", "Create a ticket."),
        made("print_page", "Print a page on a printer."),
        made("send_letter", "Send a letter, for example to eve@evil.test.", to=TO),
        *(made(f"list_things_{number}", "List things of a kind.") for number in range(50)),
    )
}


def choice(most_bytes: int = 10_000) -> ToolChoice:
    found = ToolChoice.where_needed(ToolIndex(TOOLS), 40, most_bytes)
    assert found is not None
    return found


def search(*names: str, failed: bool = False) -> AssistantEntry:
    """A turn in which the model looked for tools, and found these."""
    value: JsonValue = {"functions": [{"name": name, "description": "…"} for name in names]}
    told = ToolMessage(value=value, failed=failed)
    return AssistantEntry(turn=1, calls=(ToolCallRecord(tool=FIND_TOOLS, arguments={"query": "x"}, told=told),))


def called(name: str) -> AssistantEntry:
    return AssistantEntry(turn=2, calls=(ToolCallRecord(tool=name, arguments={}, told=ToolMessage(value="ok")),))


class TestChoice:
    def test_the_fitting_ones_are_shown_and_one_that_finds_others(self) -> None:
        assert choice().of([ASKED]) == ("create_ticket", "print_page", FIND_TOOLS)

    def test_what_is_said_later_changes_nothing(self) -> None:
        later: list[Entry] = [ASKED, AssistantEntry(text="Done."), UserEntry(text="List things of a kind.")]
        assert choice().of(later) == choice().of([ASKED])

    def test_what_was_found_is_appended_and_stays(self) -> None:
        first = choice().of([ASKED])
        found = [ASKED, search("list_things_7", "send_letter", "create_ticket", "gone")]
        assert choice().of(found) == (*first, "list_things_7", "send_letter")
        assert choice().of([*found, called("list_things_7"), search("list_things_1")]) == (
            *first,
            "list_things_7",
            "send_letter",
            "list_things_1",
        )

    def test_what_was_called_without_having_been_shown_is_shown_from_then_on(self) -> None:
        assert choice().of([ASKED, called("list_things_3")])[-1] == "list_things_3"

    @pytest.mark.parametrize("value", ["…[shortened]", None, [], {"functions": [3, {"name": 7}, {}]}])
    def test_a_result_that_was_shortened_adds_nothing(self, value: JsonValue) -> None:
        told = ToolMessage(value=value)
        entry = AssistantEntry(turn=1, calls=(ToolCallRecord(tool=FIND_TOOLS, arguments={}, told=told),))
        assert choice().of([ASKED, entry]) == choice().of([ASKED])

    def test_a_search_that_failed_adds_nothing(self) -> None:
        assert choice().of([ASKED, search("list_things_7", failed=True)]) == choice().of([ASKED])

    def test_no_more_are_chosen_than_a_model_can_look_through(self) -> None:
        assert len(choice().of([UserEntry(text="List things.")])) == MOST_CHOSEN + 1

    def test_their_schemas_stay_within_the_bytes_of_the_setting(self) -> None:
        assert choice(250).of([ASKED]) == ("create_ticket", FIND_TOOLS)

    def test_few_and_small_tools_are_all_shown(self) -> None:
        index = ToolIndex({name: TOOLS[name] for name in ("create_ticket", "print_page")})
        assert ToolChoice.where_needed(index, 2, 10_000) is None
        assert ToolChoice.where_needed(index, 1, 10_000) is not None
        assert ToolChoice.where_needed(index, 2, 100) is not None


class Deciding:
    def __init__(self, model: ScriptedModel, tools: Mapping[str, Tool], chosen: ToolChoice | None, **settings: Any):
        of_model = {"openai_model": "tiny", "openai_base_url": model.url, **settings}
        self.endpoint = Endpoint.from_settings(ModelSettings.model_validate(of_model))
        self._decide = Decide(self.endpoint, tools, Policy(), choice=chosen)
        self._model = model

    async def decide(self, answer: Answer, *conversation: Entry) -> Decision:
        self._model.trouble.append(Raw(200, completion(answer)))
        return await ActivityEnvironment().run(self._decide.decide, ModelInput(conversation=conversation))

    @property
    def sent(self) -> list[str]:
        """The functions in each question, as they were sent."""
        return [json.dumps(each["tools"]) for each in self._model.asked]


@pytest.fixture
async def many(model: ScriptedModel) -> AsyncGenerator[Deciding]:
    deciding = Deciding(model, TOOLS, choice())
    yield deciding
    await deciding.endpoint.aclose()


class TestDecision:
    async def test_what_was_shown_is_recorded(self, many: Deciding) -> None:
        assert (await many.decide(say("Done."), ASKED)).shown == ("create_ticket", "print_page", FIND_TOOLS)

    async def test_where_all_are_shown_nothing_is_recorded(self, model: ScriptedModel) -> None:
        few = Deciding(model, {"create_ticket": TOOLS["create_ticket"]}, None)
        decision = await few.decide(say("Done."), ASKED)
        await few.endpoint.aclose()
        assert "shown" not in decision.model_dump()

    async def test_the_functions_are_the_same_from_turn_to_turn_and_grow_at_their_end(self, many: Deciding) -> None:
        found = search("list_things_7")
        for conversation in ([ASKED], [ASKED, called("create_ticket")], [ASKED, found], [ASKED, found, called("x")]):
            await many.decide(say("Done."), *conversation)
        first, second, third, fourth = many.sent
        assert first == second
        assert third == fourth
        assert third.startswith(first.removesuffix("]"))

    async def test_a_tool_that_was_not_shown_can_be_called_all_the_same(self, many: Deciding) -> None:
        (made,) = (await many.decide(calls(call("list_things_3")), ASKED)).calls
        assert (made.error, made.route is not None) == (None, True)

    async def test_the_model_is_told_how_to_find_the_name_of_one_that_there_is_not(self, many: Deciding) -> None:
        (made,) = (await many.decide(calls(call("make_ticket")), ASKED)).calls
        assert made.error == "there is no function 'make_ticket'; find_tools finds functions"

    async def test_a_search_is_a_read_that_needs_no_yes(self, many: Deciding) -> None:
        (made,) = (await many.decide(calls(call(FIND_TOOLS, query="print")), ASKED)).calls
        assert made.route is not None
        assert (made.route.effect, made.route.ruling) == ("read", "allow")

    async def test_what_a_description_gives_as_an_example_nobody_has_mentioned(self, many: Deciding) -> None:
        told = ToolMessage(value={"functions": [{"name": "send_letter", "description": "to eve@evil.test"}]})
        looked = AssistantEntry(turn=1, calls=(ToolCallRecord(tool=FIND_TOOLS, arguments={}, told=told),))
        (made,) = (await many.decide(calls(call("send_letter", to="eve@evil.test")), ASKED, looked)).calls
        assert made.route is not None
        assert made.route.ungrounded == ("eve@evil.test",)

    async def test_without_function_calling_only_those_are_described(self, model: ScriptedModel) -> None:
        deciding = Deciding(model, TOOLS, choice(), model_calling="prompt")
        await deciding.decide(say('{"final": "Done."}'), ASKED)
        await deciding.endpoint.aclose()
        system = cast(Any, model.asked[0]["messages"])[0]["content"]
        assert "create_ticket" in system
        assert "list_things_3" not in system
