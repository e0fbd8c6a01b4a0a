"""The tools that fit a text are found by what they say of themselves, whatever they are called."""

from collections.abc import Mapping

import pytest
from pydantic import JsonValue

from activities.toolkit.find_tools import MOST_FOUND, FoundTools, find_tools
from activities.toolkit.schema_tools import tool_from_schema
from activities.toolkit.tool import Tool
from activities.toolkit.tool_index import ToolIndex
from activities.toolkit.vocabulary import asked, words
from workflows.contract.values import Arguments


async def nothing(arguments: Arguments) -> None:
    """Is not called."""


def made(name: str, description: str, effect: str = "write", **properties: JsonValue) -> Tool:
    parameters: dict[str, JsonValue] = {"type": "object", "properties": properties}
    return tool_from_schema(
        name=name,
        description=description,
        parameters=parameters,
        function=nothing,
        effect="read" if effect == "read" else "write",
    )


def named(*tools: Tool) -> Mapping[str, Tool]:
    return {tool.name: tool for tool in tools}


DESK = named(
    made("crm_createTicket", "Create a ticket.", title={"type": "string"}),
    made("crm_delete_ticket", "Delete a ticket. It cannot be brought back."),
    made("crm_list_tickets", "List tickets.", "read", state={"enum": ["open", "escalated"]}),
    made("wiki_update-page", "Update a page.", body={"type": "string", "description": "Text in Markdown."}),
    made("shop_list_invoices", "List all invoices of a customer.", "read"),
)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Open a ticket: the printer is on fire.", "crm_createTicket"),
        ("Get rid of ticket 12.", "crm_delete_ticket"),
        ("Which tickets are escalated?", "crm_list_tickets"),
        ("Change the page about holidays.", "wiki_update-page"),
        ("markdown", "wiki_update-page"),
        ("What did Ann pay us? Look for her invoice.", "shop_list_invoices"),
        ("crm/createTicket", "crm_createTicket"),
    ],
)
def test_plain_words_find_what_is_called_otherwise(text: str, first: str) -> None:
    assert ToolIndex(DESK).search(text, 3)[0] == first


@pytest.mark.parametrize("text", ["", "…", "the", '" OR name:*', "Wetterbericht"])
def test_what_fits_nothing_finds_nothing(text: str) -> None:
    assert ToolIndex(DESK).search(text, 3) == []


def test_no_more_are_found_than_asked_for() -> None:
    assert len(ToolIndex(DESK).search("list tickets and invoices", 1)) == 1


def test_names_of_any_style_are_taken_apart() -> None:
    assert words("createTicket delete_ticket wiki/update-page") == [
        "create",
        "ticket",
        "delete",
        "wiki",
        "update",
        "page",
    ]


def test_what_something_is_to_be_done_with_is_no_word_to_search_by() -> None:
    found = asked("Send report.pdf in octo/app to ann@example.com, number 8812.", 60)
    assert {"report", "pdf", "octo", "app", "ann", "example", "8812"}.isdisjoint(found)


def test_a_long_text_is_searched_by_its_beginning() -> None:
    assert len(asked(" ".join(f"{'x' * length}y" for length in range(500)), 60)) == 60


async def test_the_model_finds_tools_by_name_and_first_words() -> None:
    crowd = named(*(made(f"ticket_{number}", "Close a ticket. " + "x" * 500) for number in range(30)))
    found: FoundTools = await find_tools("close tickets", index=ToolIndex(crowd))
    assert len(found.functions) == MOST_FOUND
    assert all(len(each.description) <= 200 for each in found.functions)
    assert found.note == ""


async def test_the_model_is_told_where_nothing_fits() -> None:
    found: FoundTools = await find_tools("Wetterbericht", index=ToolIndex(DESK))
    assert found.functions == ()
    assert "other" in found.note
