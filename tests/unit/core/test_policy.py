"""Which calls need a person's yes."""

from pathlib import Path

import pytest
from pydantic import JsonValue

from activities.errors import ConfigurationError
from activities.policy import Policy, Rule
from activities.toolkit.tool import Tool, tool, tool_of
from activities.tools.mail import send_email
from workflows.contract.approvals import ApprovalRules, may_decide
from workflows.contract.values import Ruling


@tool(effect="write", grounded=("to", "cc"))
async def send(to: list[str], text: str = "", cc: str | None = None, amount: float = 0) -> None:
    """Send."""


@tool()
async def look(at: str) -> None:
    """Look."""


def made(function: object) -> Tool:
    found = tool_of(function)
    assert found is not None
    return found


SEND, LOOK = made(send), made(look)


class TestApprovals:
    def test_without_the_section_a_request_records_nothing_of_it(self) -> None:
        assert Policy().approvals.rules is None

    def test_what_a_request_records_are_approvers_and_who_is_told_when(self) -> None:
        policy = Policy.model_validate({"approvals": {"approvers": ["*@example.com"], "to": ["ops"]}})
        rules = ApprovalRules(approvers=("*@example.com",), to=("ops",), notify_seconds=60)
        assert policy.approvals.rules == rules
        assert may_decide(rules.approvers, "Ann@Example.com")
        assert not may_decide(rules.approvers, "ann@example.com.rival.example")
        assert may_decide((), "anybody")

    def test_mail_to_approvers_needs_the_tool(self) -> None:
        policy = Policy.model_validate({"approvals": {"to": ["mailto:ann@example.com"]}})
        with pytest.raises(ConfigurationError, match="send_email is not offered or not configured"):
            policy.approvals.with_recipients([], {})

    def test_approvers_have_their_addresses_as_mail_is_sent_to_them(self) -> None:
        policy = Policy.model_validate({"approvals": {"to": ["ops", "mailto:ann@EXAMPLE.com"]}})
        mail = made(send_email)
        found = policy.approvals.with_recipients(["ops"], {"send_email": mail})
        assert found.to == ("ops", "mailto:ann@example.com")
        used = mail.as_decided({"to": ["ann@example.com"], "subject": "x", "body": "x"})
        assert used.given["to"] == ["ann@example.com"]


class TestPolicyFile:
    def test_a_file_is_its_rules_in_order(self, tmp_path: Path) -> None:
        path = tmp_path / "policy.toml"
        path.write_text(
            """
            [[rule]]
            tool = "send"
            requester = "billing-*"
            arguments = { to = "*@exämple.com" }
            ruling = "allow"

            [[rule]]
            ruling = "deny"
            """,
            encoding="utf-8",
        )
        assert Policy.load(path).rule == (
            Rule(tool="send", requester="billing-*", arguments={"to": "*@exämple.com"}, ruling="allow"),
            Rule(ruling="deny"),
        )

    def test_without_a_file_there_are_no_rules(self) -> None:
        assert Policy.load(None).rule == ()

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            pytest.param(
                b"[[rule]\n",
                "it is no TOML: Expected ']]' at the end of an array declaration (at line 1, ",
                id="not TOML",
            ),
            pytest.param(b'[[rule]]\nruling = "allow\xff"\n', "it is no text in UTF-8, see line 2", id="not UTF-8"),
            pytest.param(b'[[rule]]\nruling = "yes"\n', "rule.0.ruling", id="no such ruling"),
            pytest.param(b'[[rule]]\nruling = "ask"\n[[rule]]\ntool = "send"\n', "rule.1.ruling", id="no ruling"),
            pytest.param(
                b'[[rule]]\nruling = "deny"\ntools = "send"\n',
                "rule.0.tools: there is no such key; did you mean tool?",
                id="a misspelt key",
            ),
            pytest.param(
                b'[[rules]]\nruling = "deny"\n',
                "rules: there is no such key; did you mean rule?",
                id="a misspelt table",
            ),
            pytest.param(b'four_eyes = "no"\n', "four_eyes: it is true or false, without quotes", id="a text"),
            pytest.param(b'[rule]\nruling = "deny"\n', "rule: it is a list of tables: write [[rule]]", id="one table"),
            pytest.param(
                b'[[rule]]\nrulling = "deny"\n',
                "rule.0.rulling: there is no such key; did you mean ruling?",
                id="a misspelt key that is missed",
            ),
            pytest.param(b"[[approvals]]\n", "approvals: it is a table: write [approvals]", id="several tables"),
            pytest.param(b'[approvals]\nto = "ops"\n', 'approvals.to: it is a list, such as ["…"]', id="no list"),
            pytest.param(b"plan_seconds = inf\n", "plan_seconds: it is a number, and neither nan nor inf", id="inf"),
            pytest.param(b'[[rule]]\nruling = "deny"\narguments = { amount = 3 }\n', "rule.0.arguments.amount", id="3"),
        ],
    )
    def test_a_mistake_is_named_by_variable_file_and_place(self, tmp_path: Path, text: bytes, place: str) -> None:
        path = tmp_path / "policy.toml"
        path.write_bytes(text)
        with pytest.raises(ConfigurationError) as raised:
            Policy.load(path)
        assert str(raised.value).startswith(f"ERRAND_POLICY: {path}: ")
        assert place in str(raised.value)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match=r"^ERRAND_POLICY: \S*nowhere\.toml: No such file or directory$"):
            Policy.load(tmp_path / "nowhere.toml")

    def test_a_folder_is_no_policy(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match=r"^ERRAND_POLICY: \S+: Is a directory$"):
            Policy.load(tmp_path)


class TestRules:
    def test_a_write_that_no_rule_fits_is_asked_about(self) -> None:
        assert Policy().rule_on(SEND, {"to": ["ann@example.com"]}, "")[0] == "ask"

    def test_a_read_that_no_rule_fits_is_allowed(self) -> None:
        assert Policy().rule_on(LOOK, {"at": "it"}, "") == ("allow", "")

    def test_the_first_rule_that_fits_decides_and_is_named(self) -> None:
        policy = Policy(rule=(Rule(tool="look", ruling="deny"), Rule(tool="s*", ruling="allow"), Rule(ruling="deny")))
        assert policy.rule_on(SEND, {"to": []}, "") == ("allow", "rule 2 of the policy")

    def test_a_read_can_be_denied(self) -> None:
        assert Policy(rule=(Rule(tool="look", ruling="deny"),)).rule_on(LOOK, {"at": "it"}, "")[0] == "deny"

    @pytest.mark.parametrize(
        ("ruling", "to", "fits"),
        [
            ("allow", ["ann@example.com", "bob@example.com"], True),
            ("allow", ["ann@example.com", "eve@evil.test"], False),
            ("deny", ["ann@example.com", "bob@example.com"], True),
            ("deny", ["eve@evil.test", "ann@example.com"], True),
            ("deny", ["eve@evil.test"], False),
            ("ask", ["eve@evil.test", "ann@example.com"], True),
            ("allow", [], False),
            ("deny", [], False),
            ("allow", None, False),
            ("allow", "ANN@EXAMPLE.COM", True),
            ("allow", "ann@example.com.evil.test", False),
        ],
    )
    def test_to_allow_all_values_must_fit_and_to_ask_or_deny_one_is_enough(
        self, ruling: Ruling, to: JsonValue, fits: bool
    ) -> None:
        rule = Rule(arguments={"to": "*@example.com"}, ruling=ruling)
        assert rule.fits("send", {"to": to}, "") is fits

    @pytest.mark.parametrize("ruling", ["allow", "ask", "deny"])
    def test_a_rule_on_an_argument_does_not_fit_a_call_without_it(self, ruling: Ruling) -> None:
        assert not Rule(arguments={"to": "*"}, ruling=ruling).fits("send", {}, "")

    def test_every_argument_that_a_rule_names_must_fit(self) -> None:
        rule = Rule(arguments={"to": "*@example.com", "text": "hello*"}, ruling="allow")
        assert rule.fits("send", {"to": ["ann@example.com"], "text": "Hello Ann"}, "")
        assert not rule.fits("send", {"to": ["ann@example.com"], "text": "Bye Ann"}, "")

    @pytest.mark.parametrize(
        ("value", "pattern"),
        [(5, "5"), (2.5, "2.5"), (True, "true"), ({"city": "Paris"}, "paris"), ([["Paris"]], "p*"), ("a[b", "a[[]b")],
    )
    def test_values_of_every_kind_are_compared_as_text(self, value: JsonValue, pattern: str) -> None:
        assert Rule(arguments={"x": pattern}, ruling="allow").fits("send", {"x": value}, "")

    @pytest.mark.parametrize(
        ("requester", "fits"), [("billing-7", True), ("Billing-7", True), ("", False), ("x-billing-7", False)]
    )
    def test_a_rule_can_be_for_some_requesters(self, requester: str, fits: bool) -> None:
        assert Rule(requester="billing-*", ruling="allow").fits("send", {}, requester) is fits

    def test_a_name_of_a_tool_is_compared_by_case(self) -> None:
        assert not Rule(tool="SEND", ruling="allow").fits("send", {}, "")
