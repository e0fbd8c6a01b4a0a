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


@pytest.mark.parametrize("content", ['{"status": "error", "why": "closed"}'])
def test_a_no_under_200_is_refused_with_its_words(content: str) -> None:
    with pytest.raises(ServiceRefused, match=r'crm act was refused by the far end: .*"why":"closed"'):
        Answers("crm act", failed_when="status == 'error'").judge(_reply(content))


@pytest.mark.parametrize("content", [TICKET, ""])
def test_a_yes_is_not_refused(content: str) -> None:
    Answers("crm act", failed_when="status == 'error'").judge(_reply(content))


@pytest.mark.parametrize(
    ("content", "media_type", "failed_when"),
    [
        ("<html>maintenance</html>", "text/html", "status == 'error'"),
        ('{"n": "x"}', "application/json", "abs(n) > `1`"),
    ],
)
def test_what_cannot_be_judged_is_neither_yes_nor_no(content: str, media_type: str, failed_when: str) -> None:
    with pytest.raises(OutcomeUnknown):
        Answers("crm act", failed_when=failed_when).judge(_reply(content, media_type))


@pytest.mark.parametrize(
    ("reply", "result", "told"),
    [
        (_reply(TICKET), "items[].{id: id, title: title}", [{"id": 7, "title": "Printer"}]),
        (_reply('{"n": "x"}'), "abs(n)", {"n": "x"}),
        (_reply("hello", "text/plain; charset=utf-8"), "", "hello"),
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


@pytest.mark.parametrize("option", ["failed_when", "result"])
def test_what_is_no_jmespath_is_named(option: str) -> None:
    with pytest.raises(NotAnExpression) as raised:
        Answers("crm act", **{option: "items[].{"})
    assert (raised.value.option, str(raised.value)[:17]) == (option, "it is no JMESPath")
