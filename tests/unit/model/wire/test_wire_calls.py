"""A call is of the tool that its name means, in whatever shape it comes; what is no call is not passed over."""

import json
from typing import Any

import pytest

from activities.errors import ModelReplyUnusable
from activities.lenient_json import Object
from activities.model.wire.replies import RawCall, read
from activities.model.wire.wire_calls import LONGEST_EXTRA
from tests.completions import call, calling, completion
from workflows.contract.values import Arguments

PARIS: Arguments = {"city": "Paris"}
ANY: Object = {"type": "object"}
TOOLS = {"get_weather": ANY, "get_stock": ANY, "functions.odd": ANY}


def only_call(*calls: Any, schemas: dict[str, Object] = TOOLS) -> RawCall:
    (made,) = read(calling(*calls), schemas=schemas).calls
    return made


class TestNames:
    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("get_weather", "get_weather"),
            ("get_weather<|channel|>commentary", "get_weather"),
            ("get_weather <|constrain|>json", "get_weather"),
            ("functions.get_weather", "get_weather"),
            ("functions.get_weather<|channel|>commentary", "get_weather"),
            ("functions.odd", "functions.odd"),
            ("functions.odd<|channel|>x", "functions.odd"),
            ("fly_to", "fly_to"),
            ("functions.fly_to", "functions.fly_to"),
            ("fly_to<|channel|>commentary", "fly_to<|channel|>commentary"),
            ("<|channel|>get_weather", "<|channel|>get_weather"),
            ("Get_Weather", "Get_Weather"),
            ("get_weather2", "get_weather2"),
            ("tools.get_weather", "tools.get_weather"),
        ],
    )
    def test_a_name_means_a_declared_tool_or_stays_as_it_is(self, written: str, meant: str) -> None:
        assert only_call(call(PARIS, written)) == RawCall(meant, PARIS)

    def test_without_declared_tools_every_name_stays_as_it_is(self) -> None:
        (made,) = read(calling(call(PARIS, "functions.get_weather"))).calls
        assert made == RawCall("functions.get_weather", PARIS)

    @pytest.mark.parametrize("name", [None, 3, ["get_weather"], {}, "", " "])
    def test_a_name_that_is_no_text_names_no_function(self, name: Any) -> None:
        made = only_call(call(PARIS, name))
        assert (made.tool, made.arguments) == ("", {})
        assert "must name a function" in (made.problem or "")


def use(name: Any, parameters: Any) -> dict[str, Any]:
    return {"recipient_name": name, "parameters": parameters}


class TestParallel:
    @pytest.mark.parametrize("wrapper", ["multi_tool_use.parallel", "parallel"])
    def test_a_call_that_stands_for_several_is_these(self, wrapper: str) -> None:
        uses = [use("functions.get_weather", PARIS), use("get_stock", '{"symbol": "AAPL"}'), use("get_stock", None)]
        calls = read(calling(call(json.dumps({"tool_uses": uses}), wrapper)), schemas=TOOLS).calls
        assert calls == (
            RawCall("get_weather", PARIS), RawCall("get_stock", {"symbol": "AAPL"}), RawCall("get_stock", {})
        )  # fmt: skip

    def test_a_problem_of_one_of_these_is_its_own(self) -> None:
        uses = [use("get_weather", PARIS), use("get_weather", '{"city":')]
        calls = read(calling(call({"tool_uses": uses}, "parallel")), schemas=TOOLS).calls
        assert [bool(each.problem) for each in calls] == [False, True]

    @pytest.mark.parametrize(
        "arguments",
        [
            pytest.param({"tool_uses": [use("get_weather", PARIS), use("fly_to", PARIS)]}, id="one unknown"),
            pytest.param({"tool_uses": [use("get_weather", PARIS), "get_weather"]}, id="one no call"),
            pytest.param({"tool_uses": [{**use("get_weather", {}), "arguments": PARIS}]}, id="an unknown field"),
            pytest.param({"tool_uses": [use(None, PARIS)]}, id="one without a name"),
            pytest.param({"tool_uses": []}, id="none"),
            pytest.param({"tool_uses": {"0": use("get_weather", PARIS)}}, id="no list"),
            pytest.param({"tool_uses": [use("get_weather", PARIS)], "order": "any"}, id="more than these"),
            pytest.param({}, id="nothing"),
        ],
    )
    def test_unless_all_are_of_declared_tools_it_is_one_call_of_an_unknown_one(self, arguments: Any) -> None:
        assert only_call(call(arguments, "parallel")) == RawCall("parallel", arguments)

    def test_a_declared_tool_of_that_name_is_that_tool(self) -> None:
        arguments: Arguments = {"tool_uses": [{"recipient_name": "get_weather", "parameters": {}}]}
        made = only_call(call(arguments, "parallel"), schemas={**TOOLS, "parallel": ANY})
        assert made == RawCall("parallel", arguments)


class TestShape:
    @pytest.mark.parametrize("id_", ["", None, 7, "call_abc", {"odd": True}])
    def test_the_id_does_not_matter(self, id_: Any) -> None:
        assert only_call(call(PARIS, id=id_)) == RawCall("get_weather", PARIS)

    @pytest.mark.parametrize("kind", [None, "", "function", "tool", 3])
    def test_the_type_does_not_matter(self, kind: Any) -> None:
        assert only_call(call(PARIS, type=kind)) == RawCall("get_weather", PARIS)

    def test_two_calls_with_one_id_are_two_calls(self) -> None:
        calls = read(calling(call({"city": "Paris"}), call({"city": "Rome"}), call({"city": "Rome"}))).calls
        assert [each.arguments["city"] for each in calls] == ["Paris", "Rome", "Rome"]

    @pytest.mark.parametrize(
        ("indexes", "order"),
        [
            ((0, 1, 2), ["a", "b", "c"]),
            ((2, 0, 1), ["b", "c", "a"]),
            ((0, 0, 0), ["a", "b", "c"]),
            ((1, 0, None), ["a", "b", "c"]),
            ((1, 0, "2"), ["a", "b", "c"]),
        ],
    )
    def test_calls_are_in_the_order_of_their_indexes_if_each_has_its_own(self, indexes: Any, order: list[str]) -> None:
        made = [call({"city": city}, index=index) for city, index in zip("abc", indexes, strict=True)]
        assert [each.arguments["city"] for each in read(calling(*made)).calls] == order

    @pytest.mark.parametrize("finish_reason", ["stop", "tool_calls", "tool_call", "eos", "", None])
    def test_calls_are_calls_whatever_the_finish_reason(self, finish_reason: str | None) -> None:
        (made,) = read(calling(call(PARIS), finish_reason=finish_reason)).calls
        assert made == RawCall("get_weather", PARIS)

    def test_text_beside_calls_is_kept(self) -> None:
        reply = read(calling(call(PARIS), content="Let me see."))
        assert (reply.text, len(reply.calls)) == ("Let me see.", 1)

    @pytest.mark.parametrize("others", [None, [], {}])
    def test_an_old_style_call_is_a_call(self, others: Any) -> None:
        message = {"function_call": {"name": "get_weather", "arguments": '{"city": "Paris"}'}, "tool_calls": others}
        (made,) = read(completion(message, "function_call")).calls
        assert made == RawCall("get_weather", PARIS)

    def test_an_old_style_call_beside_others_is_the_same_call_again(self) -> None:
        body = calling(call(PARIS), function_call={"name": "get_weather", "arguments": '{"city": "Paris"}'})
        assert read(body).calls == (RawCall("get_weather", PARIS),)

    def test_what_the_endpoint_put_on_a_call_is_kept(self) -> None:
        extra: Any = {"extra_content": {"google": {"thought_signature": "Zm9v"}}}
        assert only_call(call(PARIS, **extra, index=0, other=None)) == RawCall("get_weather", PARIS, extra=extra)

    def test_too_much_of_it_is_not(self) -> None:
        assert only_call(call(PARIS, signature="x" * LONGEST_EXTRA)) == RawCall("get_weather", PARIS)

    @pytest.mark.parametrize(
        "odd",
        [
            pytest.param({"id": "c1", "type": "function"}, id="no function"),
            pytest.param({"function": "get_weather"}, id="function as text"),
            pytest.param({"function": None}, id="function null"),
            pytest.param({"function": [{"name": "get_weather"}]}, id="function a list"),
            pytest.param({"name": "get_weather", "arguments": "{}"}, id="function left out"),
            pytest.param("get_weather", id="text"),
            pytest.param(None, id="null"),
            pytest.param([], id="a list"),
        ],
    )
    def test_what_is_no_call_is_a_problem_in_its_place(self, odd: Any) -> None:
        first, second = read(calling(odd, call(PARIS))).calls
        assert (first.tool, first.arguments) == ("", {})
        assert "must name a function" in (first.problem or "")
        assert second == RawCall("get_weather", PARIS)

    @pytest.mark.parametrize(
        ("custom", "name"), [({"name": "get_weather", "input": "Paris"}, "get_weather"), ({"name": 3}, ""), (None, "")]
    )
    def test_a_custom_call_is_a_problem(self, custom: Any, name: str) -> None:
        made = only_call({"type": "custom", "custom": custom, "function": call(PARIS)["function"]})
        assert (made.tool, made.arguments) == (name, {})
        assert "free text" in (made.problem or "")

    @pytest.mark.parametrize("calls", [call(PARIS), "get_weather", 1, True])
    def test_calls_that_are_no_list_are_never_passed_over(self, calls: Any) -> None:
        with pytest.raises(ModelReplyUnusable, match="no list"):
            read(completion({"content": "Mail sent.", "tool_calls": calls}))
