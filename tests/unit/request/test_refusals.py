"""What a caller is told of an input that cannot be taken: one sentence with the field, what is wrong, what there is."""

from typing import Any

import pytest
from pydantic import ValidationError
from temporalio.exceptions import ApplicationError

from workflows.contract.api import Approve, Limits, Reject, Request, Say
from workflows.contract.messages import Input
from workflows.refusals import no_such, problem_with_id, read, sentence

FIELDS = "apply, approve, call, keep_open, limits, notify, output_schema, rehearse, requester, text"


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        (Request, {"txt": "Go"}, f"txt: there is no such field; did you mean text? The fields are {FIELDS}."),
        (Request, {"text": "Go", "xyz": 1}, f"xyz: there is no such field. The fields are {FIELDS}."),
        (
            Request,
            {"text": "Go", "limits": {"turn": 3}},
            "limits.turn: there is no such field; did you mean turns? The fields of limits are approval_seconds, "
            "calls, cost, idle_seconds, input_tokens, output_tokens, seconds, turns.",
        ),
        (Request, {"text": " "}, "text: it is blank; say what should happen"),
        (Request, {}, "text: it is blank; say what should happen"),
        (Request, {"text": 5}, "text: expected text, not 5"),
        (Request, {"text": "x" * 100_001}, "text: it has 100,001 characters, and 100,000 are the most"),
        (Request, {"text": "Go", "approve": "send_email"}, 'approve: expected a list, not "send_email"'),
        (Request, {"text": "Go", "approve": ["a", 2]}, "approve.1: expected text, not 2"),
        (Request, {"text": "Go", "keep_open": "perhaps"}, 'keep_open: expected true or false, not "perhaps"'),
        (Request, {"text": "Go", "limits": []}, "limits: expected an object, not []"),
        (Request, {"text": "Go", "limits": {"turns": 0}}, "limits.turns: expected 1 or more, not 0"),
        (Request, {"text": "Go", "limits": {"turns": "many"}}, 'limits.turns: expected a whole number, not "many"'),
        (Request, {"text": "Go", "limits": {"turns": 1.5}}, "limits.turns: expected a whole number, not 1.5"),
        (Request, {"text": "Go", "limits": {"calls": 1001}}, "limits.calls: expected 300 or less, not 1001"),
        (Request, {"text": "Go", "limits": {"seconds": 0}}, "limits.seconds: expected more than 0, not 0"),
        (Request, {"text": "Go", "limits": {"turns": "3"}}, 'limits.turns: expected a whole number, not "3"'),
        (Request, {"text": "Go", "limits": {"calls": True}}, "limits.calls: expected a whole number, not true"),
        (Request, {"text": "Go", "limits": {"seconds": "60"}}, 'limits.seconds: expected a number, not "60"'),
        (
            Request,
            {"text": "Go", "limits": {"seconds": 1e9}},
            "limits.seconds: expected 31,622,400 or less, not 1000000000.0",
        ),
        (
            Request,
            {"text": "Go", "limits": {"input_tokens": "9"}},
            'limits.input_tokens: expected a whole number, not "9"',
        ),
        (Request, {"text": "Go", "rehearse": "yes"}, 'rehearse: expected true or false, not "yes"'),
        (Request, {"text": "Go", "rehearse": 1}, "rehearse: expected true or false, not 1"),
        (Request, {"text": "Go", "keep_open": "true"}, 'keep_open: expected true or false, not "true"'),
        (Request, {"text": "Go", "limits": {"cost": float("inf")}}, "limits.cost: expected a number, not Infinity"),
        (Request, {"text": "Go", "output_schema": "x" * 100}, f'output_schema: expected an object, not "{"x" * 59}…'),
        (Request, "Go", 'the input: expected an object, not "Go"'),
        (Request, ["Go"], 'the input: expected an object, not ["Go"]'),
        (Request, None, "the input: expected an object, not null"),
        (Say, {"text": ""}, "text: it is blank"),
        (Approve, {"key": "k", "digest": "d"}, "by: it is missing (who decides: a person's name)"),
        (Approve, {"key": "k", "digest": "d", "by": " "}, "by: it is blank (who decides: a person's name)"),
        (Approve, {"key": "k", "digest": "d", "by": "\u200b"}, "by: it is blank (who decides: a person's name)"),
        (Request, {"text": "\u202e\u200b\0"}, "text: it is blank; say what should happen"),
        (Reject, {"key": "k", "digest": "d", "by": None}, "by: expected text, not null"),
        (Reject, {"digest": "d", "by": "ann"}, "key: it is missing (of the call that waits, as `state` shows it)"),
        (
            Approve,
            {"key": "k", "digest": "d", "by": "ann", "reason": "r"},
            "reason: there is no such field. The fields are arguments, by, digest, key.",
        ),
    ],
)
def test_the_field_is_named_with_what_is_wrong_and_what_there_is(kind: type[Input], given: Any, words: str) -> None:
    with pytest.raises(ApplicationError) as refused:
        read(kind, [given])
    assert (refused.value.message, refused.value.type) == (words, "BadRequest")
    assert refused.value.non_retryable


def test_a_whole_number_may_be_written_as_json_writes_any_number() -> None:
    limits = read(Request, [{"text": "Go", "limits": {"turns": 3.0, "seconds": 60}}]).limits
    assert (limits.turns, limits.seconds) == (3, 60)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "the input: expected one Request, not nothing"),
        ([{"text": "Go"}, "now"], "the input: expected one Request, not 2"),
    ],
)
def test_there_must_be_one_input(given: list[object], words: str) -> None:
    with pytest.raises(ApplicationError, match=words):
        read(Request, given)


def test_where_it_comes_from_elsewhere_the_name_that_the_field_has_there_is_used() -> None:
    with pytest.raises(ValidationError) as invalid:
        Limits(turns=0)
    said = sentence(invalid.value, Limits, {"turns": "--max-turns"})
    assert said == "--max-turns: expected 1 or more, not 0"


def test_of_many_names_the_first_are_listed() -> None:
    said = no_such("tool", "tool_0040", [f"tool_{number:03}" for number in range(40)])
    assert said.startswith("there is no such tool; did you mean tool_004? The tools are tool_000, tool_001, ")
    assert said.endswith(", tool_029 and 10 more.")


class TestRequestId:
    @pytest.mark.parametrize(
        "request_id",
        [
            "a",
            "7",
            "invoice-4711",
            "daily-2026-11-28T09:00:00Z",
            "billing:ann@example.com",
            "a.b_c~d+e=f",
            "x" * 200,
        ],
    )
    def test_an_id_is_good_that_stands_in_a_URL_and_a_mail_header_as_it_is(self, request_id: str) -> None:
        assert problem_with_id(request_id) is None

    @pytest.mark.parametrize(
        "request_id",
        ["", " ", " a", "a ", "a b", "a/b", "/a", "a/", ".", "..", "-a", "a\n", "a\r\nBcc: x", "ä", "a%20", "a?b",
         "a#b", "a<b>", 'a"b', "a,b", "a;b", "x" * 201, "\ud800"],
    )  # fmt: skip
    def test_any_other_is_refused_with_what_an_id_may_be(self, request_id: str) -> None:
        assert "1 to 200 letters (A to Z), digits and . _ ~ : @ + = -" in (problem_with_id(request_id) or "")
