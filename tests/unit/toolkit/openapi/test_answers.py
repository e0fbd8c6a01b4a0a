"""An answer's no is a no, whatever its status says; and of its yes, what is of interest is told."""

import httpx
import pytest
from pydantic import JsonValue

from activities.errors import OutcomeUnknown, ServiceRefused
from activities.toolkit.expressions import NotAnExpression
from activities.toolkit.openapi.answers import Answers

TICKET = '{"status": "ok", "items": [{"id": 7, "title": "Printer", "secret": 1}]}'


def _reply(
    content: str, media_type: str = "application/json", status: int = 200, method: str = "POST"
) -> httpx.Response:
    request = httpx.Request(method, "https://crm.example.com/")
    return httpx.Response(status, headers={"content-type": media_type}, content=content, request=request)


def _having(option: str, expression: str) -> Answers:
    if option == "result":
        return Answers("crm act", result=expression)
    return Answers("crm act", failed_when=expression)


@pytest.mark.parametrize("content", ['{"status": "error", "why": "closed"}'])
def test_a_no_under_200_is_refused_with_its_words(content: str) -> None:
    with pytest.raises(ServiceRefused, match=r'crm act was refused by the far end: .*"why":"closed"'):
        Answers("crm act", failed_when="status == 'error'").judge(_reply(content))


@pytest.mark.parametrize(
    "reply", [_reply(TICKET), _reply("", status=204), _reply("", status=205), _reply("", method="HEAD")]
)
def test_a_yes_is_not_refused(reply: httpx.Response) -> None:
    Answers("crm act", failed_when="status == 'error'").judge(reply)


@pytest.mark.parametrize("errors", ["0", "0.0", "null", "[]", "false", '""', "[null]"])
def test_no_errors_are_no_error(errors: str) -> None:
    Answers("crm act", failed_when="errors").judge(_reply(f'{{"errors": {errors}}}'))


@pytest.mark.parametrize("errors", ["1", "true", '["closed"]'])
def test_errors_are_a_no(errors: str) -> None:
    with pytest.raises(ServiceRefused):
        Answers("crm act", failed_when="errors").judge(_reply(f'{{"errors": {errors}}}'))


@pytest.mark.parametrize(
    ("content", "media_type", "failed_when"),
    [
        ("<html>maintenance</html>", "text/html", "status == 'error'"),
        ("", "application/json", "status == 'error'"),
        ('{"status": "error", "status": "ok"}', "application/json", "status == 'error'"),
        ('{"parts": [{"ok": false, "ok": true}]}', "application/json", "parts[?!ok]"),
        ('{"n": "x"}', "application/json", "abs(n) > `1`"),
        ('{"errors": NaN}', "application/json", "errors"),
        ('{"errors": Infinity}', "application/json", "errors"),
        ('\ufeff{"errors": -Infinity}', "application/json", "errors"),
        ('{"status": NaN}', "application/json", "status == 'error'"),
        ('{"errors": 1e999}', "application/json", "errors"),
        (f'{{"errors": 1{"0" * 400}}}', "application/json", "errors"),
    ],
)
def test_what_cannot_be_judged_is_neither_yes_nor_no(content: str, media_type: str, failed_when: str) -> None:
    with pytest.raises(OutcomeUnknown):
        Answers("crm act", failed_when=failed_when).judge(_reply(content, media_type))


def test_an_answer_that_begins_with_a_mark_of_its_byte_order_is_judged_like_any_other() -> None:
    Answers("crm act", failed_when="errors").judge(_reply('\ufeff{"errors": 0}'))


@pytest.mark.parametrize("found", ["NaN", "Infinity", "1e999"])
def test_a_look_does_not_take_a_number_that_is_none_for_nothing(found: str) -> None:
    with pytest.raises(OutcomeUnknown, match=f"neither yes nor no: {found} is no number"):
        Answers("crm find", result="found").shown(_reply(f'{{"found": {found}}}'))


@pytest.mark.parametrize(
    ("reply", "result", "told"),
    [
        (_reply(TICKET), "items[].{id: id, title: title}", [{"id": 7, "title": "Printer"}]),
        (_reply("hello", "text/plain; charset=utf-8"), "", "hello"),
        (_reply('{"share": NaN, "of": 1e999}'), "", {"share": None, "of": None}),
        (_reply("a,b\n1,2", "text/csv"), "items", "a,b\n1,2"),
        (_reply('{"a": 1}', "application/problem+json"), "", {"a": 1}),
        (_reply("\x89PNG", "image/png"), "", {"media_type": "image/png", "bytes": 5}),
        (_reply("", status=204), "items", {"status": "204 No Content"}),
        (
            _reply("", method="HEAD"),
            "",
            {"status": "200 OK", "content-type": "application/json"},
        ),
    ],
)
def test_what_is_told_of_an_answer(reply: httpx.Response, result: str, told: JsonValue) -> None:
    assert Answers("crm act", result=result).result(reply) == told


def test_an_answer_to_which_result_cannot_be_applied_is_not_told_whole() -> None:
    told = Answers("crm act", result="{n: abs(n)}").result(_reply('{"n": "secret", "card": 1}'))
    assert told == "the answer could not be reduced by `result`: the function abs takes number, not string"


@pytest.mark.parametrize("option", ["failed_when", "result"])
@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("lenght(@) > `3`", "JMESPath has no function lenght; did you mean length?"),
        ("a[0:2].{n: sort_by(b, &to_sting(c))}", "JMESPath has no function to_sting; did you mean to_string?"),
        ("items[?contains(name)]", "the function contains takes 2 arguments, not 1"),
        ("length(a, b)", "the function length takes 1 argument, not 2"),
        ("not_null()", "the function not_null takes at least 1 argument, not 0"),
    ],
)
def test_a_function_that_cannot_be_called_is_named_before_there_is_an_answer(
    option: str, expression: str, said: str
) -> None:
    with pytest.raises(NotAnExpression) as raised:
        _having(option, expression)
    assert (raised.value.option, str(raised.value)) == (option, said)


@pytest.mark.parametrize("expression", ["items[::-1] | [0:2]", '`{"children": 1}`', "not_null(a, b, c) || !d"])
def test_an_expression_whose_functions_are_all_there_is_taken(expression: str) -> None:
    Answers("crm act", result=expression)


@pytest.mark.parametrize("option", ["failed_when", "result"])
def test_what_is_no_jmespath_is_named(option: str) -> None:
    with pytest.raises(NotAnExpression) as raised:
        _having(option, "items[].{")
    assert (raised.value.option, str(raised.value)[:17]) == (option, "it is no JMESPath")
