"""Cases are read, and trials are held to them."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from activities.errors import ConfigurationError
from deploy.client.cases import Case, alike, as_json_line, load_cases
from deploy.client.junit import junit_xml
from deploy.client.pass_rates import Rate, Report
from deploy.client.trials import MadeCall, Trial, differences
from workflows.contract.api import RequestStatus
from workflows.contract.values import Arguments

SHIPPED = Path(__file__).parents[3] / "deploy" / "local" / "cases.toml"


def a_case(**parts: object) -> Case:
    return Case.model_validate({"request": "Tell ann.", **parts})


def made(tool: str, **arguments: object) -> MadeCall:
    return MadeCall.model_validate({"tool": tool, "arguments": arguments, "ruling": "ask"})


TELL = made("tell", to=["ann@example.com"], what="Hello there")
LOOK = made("look_up", word="tree")


@pytest.mark.parametrize(
    "parts",
    [
        {"call": [{"tool": "tell"}]},
        {"call": [{"tool": "tell", "arguments": {"to": ["*@example.com"], "what": "hello*"}}]},
        {"call": [{"tool": "t*", "arguments": TELL.arguments, "exact": True, "ruling": "ask"}]},
        {"forbidden": [{"tool": "tell", "arguments": {"to": ["eve*"]}}]},
        {"summary": "is done"},
        {"summary_not": ["was sent"]},
    ],
)
def test_a_trial_that_is_as_expected_differs_in_nothing(parts: dict[str, object]) -> None:
    assert differences(a_case(**parts), Trial(calls=(TELL,), summary="It is done.")) == []


@pytest.mark.parametrize(
    "parts",
    [
        {"call": [{"tool": "tell", "arguments": {"to": ["bob@example.com"]}}], "more": True},
        {"call": [{"tool": "tell", "arguments": {"loud": True}}], "more": True},
        {"call": [{"tool": "tell", "arguments": {"what": "*"}, "exact": True}], "more": True},
        {"call": [{"tool": "tell", "ruling": "allow"}]},
        {"call": [{"tool": "tell"}, {"tool": "tell"}]},
        {"none": True},
        {"forbidden": [{"tool": "tell"}]},
        {"summary": "was sent"},
        {"summary_not": ["is done"]},
    ],
)
def test_what_is_not_as_expected_is_told(parts: dict[str, object]) -> None:
    assert len(differences(a_case(**parts), Trial(calls=(TELL,), summary="It is done."))) == 1


def test_the_end_the_output_and_each_answer_are_held_to_what_the_case_says() -> None:
    case = a_case(
        say=["And bob.", {"text": "And eve.", "summary_not": "eve"}],
        status="limit_reached",
        output_schema={"type": "object"},
        output={"to": "ann*"},
        summary="ann",
    )
    stopped = Trial(summary="I told ann.", answers=("bob", "no"), status=RequestStatus.LIMIT_REACHED, error="Stopped.")
    assert differences(case, stopped.model_copy(update={"output": {"to": "Ann A.", "at": 3}})) == []
    other = stopped.model_copy(update={"answers": ("bob", "eve")})
    assert differences(case, other) == [
        "the answer to 'And eve.' has 'eve'",
        'the output is null, and not like {"to": "ann*"}',
    ]
    assert differences(case, Trial()) == ["it ended as completed, and not as limit_reached"]


def test_a_call_that_shall_be_refused_has_to_be_tried_and_refused() -> None:
    case = a_case(refused=[{"tool": "tell"}])
    refused = TELL.model_copy(update={"problem": "the budget is reached", "refused": True})
    assert differences(case, Trial(calls=(refused,))) == []
    assert differences(case, Trial(calls=(TELL,))) == ["not refused: tell"]
    assert differences(case, Trial()) == ["not refused: tell"]


def test_a_case_that_no_request_may_be_is_refused() -> None:
    for parts in ({"requester": "x" * 201}, {"request": "   "}, {"limits": {"turns": 0}}):
        with pytest.raises(ValueError, match=r"requester|blank|turns"):
            a_case(none=True, **parts)


def test_an_output_is_expected_only_where_one_is_asked_for() -> None:
    with pytest.raises(ValueError, match="an output is asked for where there is an output_schema"):
        a_case(output={"to": "ann"}, none=True)


def test_the_order_of_calls_counts_only_where_the_case_says_so() -> None:
    expected = {"call": [{"tool": "look_up"}, {"tool": "tell"}]}
    trial = Trial(calls=(TELL, LOOK), summary="Done.")
    assert differences(a_case(**expected), trial) == []
    assert differences(a_case(**expected, ordered=True), trial)


def test_each_call_answers_one_expectation_however_they_are_paired() -> None:
    case = a_case(call=[{"tool": "*"}, {"tool": "tell"}])
    assert differences(case, Trial(calls=(TELL, LOOK), summary="Done.")) == []


def test_a_call_beside_those_expected_differs_unless_more_may_be_made() -> None:
    trial = Trial(calls=(LOOK, TELL), summary="Done.")
    assert differences(a_case(call=[{"tool": "tell"}]), trial) == ['not expected: look_up {"word": "tree"}']
    assert differences(a_case(call=[{"tool": "tell"}], more=True), trial) == []


def test_a_call_that_was_sent_back_would_not_have_run_and_does_not_count() -> None:
    wrong = MadeCall(tool="tell", arguments={}, ruling="ask", problem="nobody mentioned eve before")
    assert differences(a_case(none=True), Trial(calls=(wrong,), summary="I cannot.")) == []


def test_a_trial_without_a_result_an_end_or_the_truth_did_not_pass() -> None:
    case = a_case(none=True)
    assert differences(case, Trial(error="the model refused"))
    assert differences(case, Trial(summary="Sent.", claims=('"Sent.": no call of tell is done',)))
    assert differences(case, Trial(summary="Hm.", unanswered=("look_up tree",)))


@pytest.mark.parametrize(
    ("expected", "actual", "same"),
    [
        ("[draft]", "[draft]", True),
        ("Ann", "ann", True),
        ("*4?", 41, True),
        (3, 3.0, True),
        (1, True, False),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        (["a"], ["a", "b"], False),
        (None, None, True),
        ("*", None, False),
    ],
)
def test_values_are_alike_by_pattern_and_by_their_named_parts(expected: object, actual: object, *, same: bool) -> None:
    values: Arguments = {"expected": expected, "actual": actual}  # pyright: ignore[reportAssignmentType]  # from a list of any
    assert alike(values["expected"], values["actual"]) is same


def test_the_cases_that_come_along_are_read_and_each_read_call_in_them_has_a_result() -> None:
    cases = load_cases(SHIPPED)
    assert len(cases) == 20
    reads = [(case, each) for case in cases for each in case.call if each.tool != "send_email"]
    assert all(case.stub_for(each.tool, each.arguments, set()) for case, each in reads)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[[case]]\nrequest = "Hi."', "expects nothing"),
        ('[[case]]\nrequest = "Hi."\nnone = true\ncall = [{ tool = "tell" }]', "none = true, and yet"),
        ('[[case]]\nrequest = "Hi."\nsumary = "x"', "sumary"),
        ("[[case]", "cases.toml"),
        ("", "no cases"),
        ('[[case]]\nrequest = "Hi."\nnone = true\n[[case]]\nrequest = "Hi."\nnone = true', "the same name"),
    ],
)
def test_a_file_that_is_wrong_or_a_case_that_expects_nothing_is_refused(
    text: str, problem: str, tmp_path: Path
) -> None:
    (tmp_path / "cases.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=problem):
        load_cases(tmp_path / "cases.toml")


def test_a_folder_has_the_cases_of_all_its_files_and_a_case_can_be_written_as_a_line(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[[case]]\nrequest = "Hi."\nnone = true')
    (tmp_path / "b.jsonl").write_text(as_json_line(a_case(name="b", call=[{"tool": "tell", "result": 3}])) + "\n")
    (tmp_path / "notes.md").write_text("no case")
    first, second = load_cases(tmp_path)
    assert (first.title, second.title, second.call[0].result) == ("Hi.", "b", 3)
    with pytest.raises(ConfigurationError):
        load_cases(tmp_path / "none.toml")


def test_an_expected_call_answers_once_and_a_stub_as_often_as_it_fits() -> None:
    case = a_case(call=[{"tool": "look_up", "result": 1}], stub=[{"tool": "look_*", "result": 2}])
    used = set[int]()
    answers = [case.stub_for("look_up", {"word": "a"}, used) for _ in range(3)]
    assert [answer and answer.result for answer in answers] == [1, 2, 2]
    assert case.stub_for("tell", {}, used) is None


@pytest.mark.parametrize(
    ("passed", "of", "low", "high"), [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (8, 10, 0.4902, 0.9433)]
)
def test_the_interval_is_wilsons(passed: int, of: int, low: float, high: float) -> None:
    assert Rate(passed, of).interval == pytest.approx((low, high), abs=1e-4)


def test_junit_xml_has_a_test_for_each_case_that_fails_below_the_share() -> None:
    case, well, badly = a_case(none=True), Trial(summary="Hm."), Trial(calls=(TELL,), summary="Done.\x00")
    report = Report.of("m\x1b", [case], [[well, badly]])
    for at_least, failures in ((0.5, 0), (0.6, 1)):
        [suite] = ET.fromstring(junit_xml([report], at_least))
        assert (suite.get("tests"), suite.get("failures")) == ("1", str(failures))
        assert len(suite.findall("testcase/failure")) == failures


def test_the_cases_of_the_page_are_cases(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "trying.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    for block in blocks:
        (file := tmp_path / "cases.toml").write_text(block)
        assert load_cases(file)
    assert len(blocks) == 2
