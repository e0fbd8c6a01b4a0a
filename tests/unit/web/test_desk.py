"""What the desk is made of: the files of others, visible text, and arguments as fields."""

import hashlib

import pytest

from activities.errors import InvalidArguments
from deploy.web.desk.argument_form import edited, fields
from deploy.web.desk.pages import STATIC, static, vendored
from deploy.web.desk.visible_text import shown
from workflows.contract.values import Arguments, Schema

SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "count": {"type": "integer"},
        "share": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        "to": {"type": "array", "items": {"type": "string"}},
        "body": {"type": "string"},
        "urgent": {"type": "boolean"},
    },
    "required": ["count", "to", "body"],
}
GIVEN: Arguments = {"count": 3, "to": ["ann@example.com"], "body": "one\r\ntwo"}


def test_the_files_of_others_are_as_their_packages_have_them() -> None:
    for name, origin in vendored().items():
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == origin["sha256"]
        assert (STATIC / origin["licence"].rpartition(" ")[2]).is_file()


def test_all_files_of_a_page_together_are_less_than_100_kb_over_the_wire() -> None:
    assert sum(map(len, static().packed.values())) < 40_000


@pytest.mark.parametrize("character", ["\u202e", "\u200b", "\u2066", "\x1b", "\r", "\u00a0", "\u3164", "\U000e0041"])
def test_what_cannot_be_seen_is_shown_by_its_number(character: str) -> None:
    assert shown(f"a{character}b\n<i>") == f"a<mark>[U+{ord(character):04X}]</mark>b\n&lt;i&gt;"


def test_what_nobody_touches_keeps_its_very_value_and_what_is_edited_its_type() -> None:
    known = fields(SCHEMA, GIVEN)
    untouched = {f"{each.name}": each.text.replace("\r\n", "\n").replace("\n", "\r\n") for each in known}
    assert edited(known, untouched) == GIVEN
    changed = untouched | {"count": "4", "share": "0.5", "to": "a@example.com\r\nb@example.com", "urgent": "true"}
    assert edited(known, changed) == {
        "count": 4,
        "share": 0.5,
        "to": ["a@example.com", "b@example.com"],
        "body": "one\r\ntwo",
        "urgent": True,
    }


@pytest.mark.parametrize("text", ["PO-1\rX", "PO-2\0X", "\r", "a\r\nb\rc\nd", "\nPO-3\n"])
def test_what_no_field_can_hold_is_kept_when_another_field_is_edited(text: str) -> None:
    given: Arguments = {**GIVEN, "body": text, "to": [text, "b"]}
    known = fields(SCHEMA, given)
    sent = {each.name: each.text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd") for each in known}
    assert all(each.is_long for each in known if "\n" in sent[each.name])
    assert edited(known, sent | {"count": "4"}) == given | {"count": 4}


@pytest.mark.parametrize("item", ["PO-1\rX", "PO-2\0X", " PO-3", "PO-4\n"])
def test_an_item_that_no_line_can_hold_is_kept_when_another_item_is_edited(item: str) -> None:
    known = fields(SCHEMA, {"to": [item, "b"]})
    text = next(each.text for each in known if each.name == "to")
    assert edited(known, {"to": text.replace('"b"', '"c"')}) == {"to": [item, "c"]}


@pytest.mark.parametrize(("name", "text"), [("count", "4.5"), ("share", "half"), ("share", "NaN"), ("count", "")])
def test_a_field_that_holds_what_it_cannot_is_named(name: str, text: str) -> None:
    with pytest.raises(InvalidArguments, match=name):
        edited(fields(SCHEMA, GIVEN), {name: text})
