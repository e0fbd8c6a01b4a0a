"""The results of a conversation, for tools that take one over."""

from collections.abc import Iterable

from pydantic import JsonValue

from activities.model.evidence import CUT
from activities.model.transcript import call_id
from activities.toolkit.earlier_results import EarlierResult, EarlierResults
from workflows.contract.conversation import AssistantEntry, Entry, ToolMessage
from workflows.conversation import NO_ROOM


def earlier_results(conversation: Iterable[Entry]) -> EarlierResults:
    """Those of calls that are done."""
    return EarlierResults(
        [
            EarlierResult(call_id(at), call.tool, value, _is_whole(value), untrusted=call.told.untrusted)
            for entry in conversation
            if isinstance(entry, AssistantEntry)
            for at, call in entry.positioned
            if call.told and not call.told.failed
            for value in [_own_result(call.told)]
        ]
    )


def _own_result(told: ToolMessage) -> JsonValue:
    """The tool's, without what is said beside it of a call that a person has edited."""
    if told.arguments is not None and isinstance(told.value, dict):
        return told.value.get("result")
    return told.value


def _is_whole(value: JsonValue) -> bool:
    return not (isinstance(value, str) and (value == NO_ROOM or CUT.search(value)))
