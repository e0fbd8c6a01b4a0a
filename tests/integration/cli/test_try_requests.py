"""Cases of `client.py try` that have what a request has: limits, messages, an output, budgets."""

import json
from pathlib import Path

from pydantic import JsonValue

from tests.integration.cli.conftest import CommandLine
from tests.scripted_model import ScriptedModel, call, calls, say

CELSIUS: JsonValue = {
    "type": "object",
    "properties": {"celsius": {"type": "number"}, "city": {"type": "string"}},
    "required": ["celsius"],
}
THREE_A_DAY = """
[[rule]]
ruling = "allow"
[[budget]]
tool = "write_down"
most = 3
per = "day"
"""


async def tried(cli: CommandLine, folder: Path, **case: JsonValue) -> list[str]:
    """What differed."""
    (file := folder / "cases.jsonl").write_text(json.dumps(case) + "\n")
    ended = await cli("try", str(file), "--json")
    assert ended.out, ended.err
    [report] = json.loads(ended.out)
    assert (ended.code == 0) == (report["passed"] == 1)
    return [*report["cases"][0]["differences"]]


async def test_a_case_has_limits_and_may_expect_that_one_is_reached(
    alone: CommandLine, model: ScriptedModel, tmp_path: Path
) -> None:
    model.scripts["Go on."] = [calls(call("write_down", word=word)) for word in ("ant", "bee", "cat")]
    twice: list[JsonValue] = [{"tool": "write_down"}, {"tool": "write_down"}]
    case: dict[str, JsonValue] = {"request": "Go on.", "call": twice}
    assert await tried(alone, tmp_path, **case, limits={"turns": 2}, status="limit_reached", summary="2 turns") == []
    assert await tried(alone, tmp_path, **case, limits={"calls": 2}) == ["Stopped at the limit of 2 tool calls."]
    assert await tried(alone, tmp_path, **case, limits={"input_tokens": 150}) == [
        "Stopped at the limit of 150 input tokens."
    ]


async def test_a_case_may_be_a_conversation_whose_limits_and_answers_are_each_messages_own(
    alone: CommandLine, model: ScriptedModel, tmp_path: Path
) -> None:
    model.scripts["Write a."] = [
        *(calls(call("write_down", word="a")), say("I wrote a.")),
        *(calls(call("write_down", word="b")), say("I wrote b.")),
        say("You are welcome."),
    ]
    case: dict[str, JsonValue] = {
        "request": "Write a.",
        "summary": "wrote a",
        "say": [{"text": "And b.", "summary": "wrote b"}, "Thank you."],
        "ordered": True,
        "call": [{"tool": "write_down", "arguments": {"word": word}} for word in "ab"],
        "limits": {"turns": 2},
    }
    assert await tried(alone, tmp_path, **case) == []
    other: list[JsonValue] = [{"text": "And b.", "summary": "wrote c"}]
    assert await tried(alone, tmp_path, **{**case, "say": other}) == ["the answer to 'And b.' lacks 'wrote c'"]
    assert "And b." in json.dumps(model.asked[-1]["messages"])


async def test_an_output_is_asked_for_and_held_to_what_it_must_be(
    alone: CommandLine, model: ScriptedModel, tmp_path: Path
) -> None:
    good, wrong = say('{"celsius": 19, "city": "Oslo"}'), say('{"celsius": "19"}')
    case: dict[str, JsonValue] = {"request": "How warm, at 19 degrees?", "output_schema": CELSIUS}
    model.scripts["How warm, at 19 degrees?"] = [say("It is warm."), wrong, good]
    assert await tried(alone, tmp_path, **case, output={"city": "os*"}) == []
    differs = ['the output is {"celsius": 19, "city": "Oslo"}, and not {"celsius": 19}']
    assert await tried(alone, tmp_path, **case, output={"celsius": 19}, output_exact=True) == differs
    model.scripts["How warm, at 19 degrees?"] = [say("It is warm."), *[wrong] * 3]
    [failed] = await tried(alone, tmp_path, **case)
    assert failed.startswith("The model's output does not fit the schema")
    model.scripts["How warm, at 19 degrees?"] = [say("It is warm."), *[say('{"celsius": 23}')] * 2]
    [claim] = await tried(alone, tmp_path, **case)
    assert "neither the request nor a result says 23" in claim
    model.scripts.clear()
    nothing: JsonValue = {"type": "nothing"}
    [unusable] = await tried(alone, tmp_path, **{**case, "output_schema": nothing})
    assert unusable.startswith("Nothing was done: output_schema")


async def test_a_budget_that_a_case_reaches_refuses_the_call_and_takes_nothing(
    alone: CommandLine, model: ScriptedModel, tmp_path: Path
) -> None:
    (policy := tmp_path / "policy.toml").write_text(THREE_A_DAY)
    alone = CommandLine(
        {
            **alone.environment,
            "ERRAND_POLICY": str(policy),
            "ERRAND_LEDGER_URL": f"sqlite:///{tmp_path / 'ledger.db'}",
        }
    )
    model.scripts["Write c and d."] = [
        calls(call("write_down", word="c")),
        calls(call("write_down", word="d")),
        say("I wrote c."),
    ]
    case: dict[str, JsonValue] = {
        "request": "Write c and d.",
        "call": [{"tool": "write_down", "arguments": {"word": "c"}, "ruling": "allow"}],
        "refused": [{"tool": "write_down", "arguments": {"word": "d"}}],
        "before": [{"tool": "write_down", "times": 2}],
    }
    assert await tried(alone, tmp_path, **case) == []
    assert "the budget of 3 calls of write_down per day for all is reached" in json.dumps(model.asked[-1]["messages"])
    assert await tried(alone, tmp_path, **{**case, "before": []}) == [
        'not expected: write_down {"word": "d"}',
        'not refused: write_down {"word": "d"}',
    ]
    assert not (tmp_path / "ledger.db").exists()
    policy.write_text(THREE_A_DAY + 'then = "ask"\n')
    words: list[JsonValue] = [
        {"tool": "write_down", "arguments": {"word": word}, "ruling": ruling}
        for word, ruling in (("c", "allow"), ("d", "ask"))
    ]
    assert await tried(alone, tmp_path, **{**case, "call": words, "refused": []}) == []


async def test_what_the_requester_approved_in_advance_counts_as_in_a_request(
    alone: CommandLine, model: ScriptedModel, tmp_path: Path
) -> None:
    model.scripts["Write e."] = [calls(call("write_down", word="e")), say("I wrote e.")]
    expected: JsonValue = [{"tool": "write_down", "ruling": "allow"}]
    assert await tried(alone, tmp_path, request="Write e.", call=expected, approve=["write_down"]) == []
    assert await tried(alone, tmp_path, request="Write e.", call=expected) != []


async def test_a_second_write_to_the_same_recipient_goes_back_once_as_in_a_request(
    alone: CommandLine, model: ScriptedModel, tmp_path: Path
) -> None:
    model.scripts["Tell ann."] = [
        calls(call("tell", to=["ann"], what="hi")),
        calls(call("tell", to=["ann"], what="hello")),
        say("I told ann."),
    ]
    expected: JsonValue = [{"tool": "tell", "arguments": {"to": ["ann"], "what": "hi"}}]
    assert await tried(alone, tmp_path, request="Tell ann.", call=expected) == []
    assert "the same is done already, or may be" in json.dumps(model.asked[-1]["messages"])


async def test_a_person_who_is_asked_may_say_no_and_the_model_is_told_why(
    alone: CommandLine, model: ScriptedModel, tmp_path: Path
) -> None:
    model.scripts["Tell ann."] = [calls(call("tell", to=["ann"], what="hi")), say("I did not tell ann.")]
    tell: dict[str, JsonValue] = {"tool": "tell", "ruling": "ask", "rejected": "not today"}
    case: dict[str, JsonValue] = {"request": "Tell ann.", "call": [tell], "summary": "did not"}
    assert await tried(alone, tmp_path, **case) == []
    assert "rejected by a person: not today" in json.dumps(model.asked[-1]["messages"])
    model.scripts["Tell ann."] = [calls(call("tell", to=["ann"], what="hi")), say("I told ann.")]
    allowed: list[JsonValue] = [{**tell, "ruling": "allow"}]
    assert await tried(alone, tmp_path, **{**case, "call": allowed, "summary": "told"}, approve=["tell"]) == []
    assert "rejected" not in json.dumps(model.asked[-1]["messages"])
