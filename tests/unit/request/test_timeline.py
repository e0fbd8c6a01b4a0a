"""What the Temporal UI shows of a request: nobody's words but Errand's are anything but code there."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.unit.execution.arbitrary import quick
from workflows.contract.api import PendingApproval, PendingQuestion, Receipt, ReceiptStatus
from workflows.markdown import SUMMARY_BYTES, block, code, plain
from workflows.timeline import details

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
FOREIGN = [
    "[Approve](https://evil.example)",
    "![](https://evil.example/pixel.png)",
    "<script>alert(1)</script><b>",
    "# Approve: `uv run client.py approve other`",
    "\n\n### Waits for approval: `pay` all\n\n    {}",
    "a\r\n- b\n1. c\n> d\n***\n---\n===",
    "```\n~~~\n    code",
    "x` [out](https://evil.example) `y",
    "``",
    "\\",
    "a\\",
    "| a | b |\n|--|--|\n| 1 | 2 |",
    "[x]: https://evil.example\n\n[x]",
    "https://evil.example www.evil.example eve@evil.example",
    "\u202eevorppa\u2066 \u200b\x0b\x0c\x1c\x85\u2028\u2029",
    "&lt;b&gt; &#91;x&#93;",
    "$x$ **b** ~~s~~ _u_",
]
words = st.one_of(
    st.sampled_from(FOREIGN),
    st.lists(st.sampled_from([*FOREIGN, "`", "\n", " ", "    ", "\t", "a"]), max_size=4).map("".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
)


def structure(text: str) -> list[tuple[str, str, str]]:
    """What Markdown makes of a text, without what stands in code."""

    def of(token: Token) -> list[tuple[str, str, str]]:
        if token.children is not None:
            return [each for child in token.children for each in of(child)]
        return [(token.type, token.tag, "" if token.tag == "code" else token.content)]

    return [each for token in MARKDOWN.parse(text) for each in of(token)]


def shown(foreign: Callable[[], str]) -> str:
    """Current details with everything in them that comes from elsewhere."""
    receipts = [
        Receipt(
            key="r/1.1",
            tool=foreign() or "x",
            arguments={},
            status=status,
            error=foreign() or "x",
            approved_by=foreign() or "x",
        )
        for status in (ReceiptStatus.FAILED, ReceiptStatus.DONE)
    ]
    pending = PendingApproval(
        key=foreign(),
        digest="0" * 64,
        tool=foreign() or "x",
        arguments={foreign() or "x": foreign(), f"{foreign()}2": [foreign()]},
        about=foreign() or "x",
        reason=foreign() or "x",
        expires_at=datetime(2030, 1, 1, tzinfo=UTC),
    )
    question = PendingQuestion(key=foreign(), text=foreign() or "x", expires_at=datetime(2030, 1, 1, tzinfo=UTC))
    waiting = [pending, question]
    return details(foreign() or "x", foreign() or "x", foreign() or "x", receipts, waiting, [foreign() or "x"])


@pytest.mark.parametrize("foreign", FOREIGN)
def test_each_of_these_changes_nothing_in_what_markdown_makes_of_current_details(foreign: str) -> None:
    assert structure(shown(lambda: foreign)) == structure(shown(lambda: "x"))


@quick
@given(st.data())
def test_no_words_from_elsewhere_change_what_markdown_makes_of_current_details(data: st.DataObject) -> None:
    seen = shown(lambda: data.draw(words.filter(str.strip)))
    assert structure(seen) == structure(shown(lambda: "x"))


def test_without_code_these_words_are_links_images_and_headings() -> None:
    """The control: the check would notice."""
    found = {kind for foreign in FOREIGN for kind, _, _ in structure(f"Now:\n\n{foreign}")}
    assert {"link_open", "image", "html_block", "heading_open", "fence", "table_open"} <= found


def test_the_way_to_approve_comes_first_and_its_command_is_one_word_for_the_shell() -> None:
    pending = PendingApproval(key="k", digest="d", tool="t", arguments={}, expires_at=datetime(2030, 1, 1, tzinfo=UTC))
    first, _, way = details("r; rm -rf ~", "x", "x", [], [pending], []).split("\n")[:3]
    assert first == "### Waits for approval"
    assert way.startswith("Approve: `uv run client.py approve 'r; rm -rf ~'`, or Update `approve`")


@quick
@given(words, st.integers(10, SUMMARY_BYTES))
def test_a_summary_is_one_code_span_within_the_bytes_that_the_server_takes(text: str, limit: int) -> None:
    made = code(text, limit)
    assert len(made.encode()) <= limit
    kinds = [kind for kind, _, _ in structure(made)]
    assert kinds == (["paragraph_open", "code_inline", "paragraph_close"] if made else [])
    assert bool(made) == bool(text.strip())
    assert plain(made).isprintable()


def test_a_short_text_is_whole_in_its_code_span_and_comes_back_from_it() -> None:
    for text in ("to ann@example.com", "[l](https://x.example)", "größer", "a\\"):
        assert code(text) == f"`{text}`"
        assert plain(code(text)) == text
    assert plain("`a` and `b`") == "`a` and `b`"
    assert code("two\n lines") == "`two lines`"
    assert code("a `b` c") == "`a 'b' c`"


def test_arguments_are_whole_and_what_cannot_be_seen_in_them_is_an_escape() -> None:
    shown = block({"body": "one\n\ntwo\u202e", "to": ["ann@example.com"]})
    assert shown == '    body: one\n    \n    two\\u202e\n    to: ["ann@example.com"]'
