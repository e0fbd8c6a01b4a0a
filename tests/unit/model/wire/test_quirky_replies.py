"""The quirks that servers in other tests have are read as these tests take them to be."""

import pytest

from activities.errors import ModelRefused, ModelReplyUnusable, ModelUnavailable
from activities.lenient_json import Object
from activities.model.wire.replies import Reply, read
from tests.quirky_replies import Quirk, Then, quirks
from workflows.contract.values import Arguments

TOOL = "send_email"
ARGUMENTS: Arguments = {"to": ["ann@example.com"], "body": "Sunny."}
SCHEMAS: dict[str, Object] = {TOOL: {"properties": {"to": {"type": "array"}, "body": {"type": "string"}}}}
QUIRKS = quirks(TOOL, ARGUMENTS)
READ = [pytest.param(each, id=name) for name, each in QUIRKS.items() if each.reply.status == 200]


def outcome(quirk: Quirk, *, recover: bool) -> tuple[Then, tuple[Arguments, ...]]:
    try:
        reply = read(quirk.reply.body, schemas=SCHEMAS, recover=recover)
    except (ModelReplyUnusable, ModelUnavailable):
        return "asked again", ()
    except ModelRefused:
        return "ends", ()
    runs = tuple(each.arguments for each in reply.calls if each.tool == TOOL and not each.problem)
    return "runs" if runs else then(reply), runs


def then(reply: Reply) -> Then:
    if reply.refused:
        return "ends"
    if reply.cut_off:
        return "cut off"
    return "told" if reply.calls or reply.problem else "answers"


@pytest.mark.parametrize("quirk", READ)
def test_a_quirk_is_read_as_it_says(quirk: Quirk) -> None:
    assert outcome(quirk, recover=True) == (quirk.then, quirk.runs)


@pytest.mark.parametrize("quirk", READ)
def test_a_leaked_call_is_an_answer_where_nobody_asked_for_it(quirk: Quirk) -> None:
    assert outcome(quirk, recover=False) == (("answers", ()) if quirk.leaked else (quirk.then, quirk.runs))


def test_there_are_the_same_quirks_around_a_call_without_arguments() -> None:
    nested = {"lists and objects as JSON text within the arguments"}
    assert QUIRKS.keys() - quirks(TOOL, {}).keys() == nested
    for quirk in quirks(TOOL, {}).values():
        if quirk.reply.status == 200:
            assert outcome(quirk, recover=True) == (quirk.then, quirk.runs), quirk.name
