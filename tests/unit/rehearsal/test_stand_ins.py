"""What stands in for a write, and what keeps it from being made."""

import pytest

from activities.errors import ConfigurationError
from activities.rehearsal.previews import STAND_IN, stand_in
from activities.toolkit.tool import Tool, tool, tool_of
from activities.tools.compose_email import compose_email
from activities.tools.mail import send_email
from workflows.contract.internal import ToolCall
from workflows.contract.values import Arguments
from workflows.tool_runs import WriteContext

CALL = ToolCall(key="r/1.1", tool="send_email", arguments={}, rehearsed=True)


def made(function: object) -> Tool:
    found = tool_of(function)
    assert found is not None
    return found


@tool(effect="write")
async def plain(word: str) -> str:
    """Write."""
    return word


@tool(effect="write", preview=lambda arguments: arguments["nothing of this name"])
async def broken(word: str) -> str:
    """Write."""
    return word


@pytest.mark.parametrize("function", [plain, broken])
def test_a_tool_without_a_preview_or_with_a_broken_one_is_told_to_be_planned(function: object) -> None:
    assert stand_in(made(function), CALL, {"word": "tree"}) == STAND_IN


@pytest.mark.parametrize(
    ("function", "copies"), [(send_email, {}), (compose_email, {"cc": ["bob@example.com"], "bcc": []})]
)
def test_a_mail_looks_as_if_it_was_accepted_and_says_that_it_is_planned(function: object, copies: Arguments) -> None:
    result = stand_in(made(function), CALL, {"to": ["ann@example.com"], **copies})
    assert isinstance(result, dict)
    assert result["accepted"] == ["ann@example.com", *(["bob@example.com"] if copies else [])]
    assert str(result["server_reply"]).startswith("planned")


def test_a_read_has_no_preview() -> None:
    with pytest.raises(ConfigurationError, match="it has a preview, but a read runs in a rehearsal too"):

        @tool(preview=lambda arguments: arguments)
        async def look(word: str) -> str:
            """Look."""
            return word


def test_a_call_of_a_rehearsal_gets_no_chain_without_which_no_worker_makes_a_write() -> None:
    context = WriteContext(request_id="r", chain="5eed", past_run="", ledger="l")
    assert context.of_write(CALL) == CALL
    assert context.of_write(CALL.model_copy(update={"rehearsed": False})).chain == "5eed"
