"""What the types of the tools that come with Errand make of an argument, they leave alone when they read it again."""

from contextlib import suppress

from hypothesis import example, given
from hypothesis import strategies as st

from activities.errors import InvalidArguments
from activities.toolkit.tool import tool_of
from activities.tools.compose_email import compose_email
from activities.tools.invitations import send_invitation
from tests.unit.execution.arbitrary import quick
from workflows.contract.values import Arguments

PIECES = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<b>",
        "&lt;",
        "&amp;lt;",
        "<script>",
        "<!--",
        "-->",
        "<pre>\n",
        "\n",
        "\r\n",
        "\t",
        " ",
        "é",
        "x",
        "&",
    ]
)
MARKUP = st.lists(PIECES, max_size=9).map("".join)
ADDRESSES = st.lists(
    st.sampled_from(["ann", "@", "Example", ".com", "bücher", "Ａ", "。", '"', " "]), min_size=2, max_size=6
).map("".join)
MAIL: Arguments = {"to": ["ann@example.com"], "subject": "hi", "body": "b"}
LUNCH: Arguments = {"to": ["ann@example.com"], "title": "Lunch", "start": "2026-12-01T12:00", "zone": "Europe/Paris"}


def keeps(function: object, arguments: Arguments) -> None:
    """`ToolCrashed` is raised where it does not."""
    found = tool_of(function)
    assert found is not None
    with suppress(InvalidArguments):
        found.as_decided(found.validate(arguments).given)


@quick
@given(MARKUP, ADDRESSES)
def test_of_a_mail(html: str, to: str) -> None:
    keeps(compose_email, {**MAIL, "html": html})
    keeps(compose_email, {**MAIL, "to": [to], "cc": [to, to]})


@quick
@given(MARKUP)
@example("x\r\n\n")
def test_of_an_invitation(description: str) -> None:
    keeps(send_invitation, {**LUNCH, "description": description})
