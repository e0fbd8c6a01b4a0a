"""What is an address, and what is none."""

import pytest

from activities.smtp.addresses import address


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("ann@example.com", "ann@example.com"),
        ("bob@corp.test", "bob@corp.test"),
        ("root@localhost", "root@localhost"),
        ("it@dc1.corp.local", "it@dc1.corp.local"),
        ("a.b+c_d'e@Example.COM", "a.b+c_d'e@example.com"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@straße.example", "ann@xn--strae-oqa.example"),
        ("ann@example。com", "ann@example.com"),
        ("änn@example.com", "änn@example.com"),
        ("a\u0308nn@example.com", "änn@example.com"),
        ("用户@例子.测试", "用户@xn--fsqu00a.xn--0zwm56d"),
        ("अजय@example.com", "अजय@example.com"),
        ("ä" * 32 + "@example.com", "ä" * 32 + "@example.com"),
    ],
)
def test_addresses(text: str, kept: str) -> None:
    """An address alone is kept, its domain in lower case and in ASCII; no domain and no script is special."""
    assert address(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "@example.com",
        "ann@",
        "ann@example",
        "ann@example.com.",
        "ann@1.2.3.4",
        "ann@[127.0.0.1]",
        "ann@ex ample.com",
        "ann@-example.com",
        "ann@exa_mple.com",
        " ann@example.com",
        "ann@example.com\n",
        "ann@example.com>\r\nRCPT TO:<eve@evil.test",
        "eve@evil.test,ann@example.com",
        "eve@evil.test ann@example.com",
        "ann..b@example.com",
        ".ann@example.com",
        '"ann b"@example.com',
        "Ann <ann@example.com>",
        "<ann@example.com>",
        "ann(comment)@example.com",
        "ａnn@example.com",
        "ﬁnn@example.com",
        "a\u0308@exa mple.com",
        "☀@example.com",
        "ann\u200b@example.com",
        "ä" * 33 + "@example.com",
        "=?utf-8?q?ann=0D=0A?=@example.com ",
        "a" * 65 + "@example.com",
        "ann@" + "a." * 130 + "com",
    ],
)
def test_what_is_no_address(text: str) -> None:
    """A name, a list, a comment, quotes, an IP address, a line break, a letter too many or too wide: none is one."""
    with pytest.raises(ValueError, match="is not an address"):
        address(text)
