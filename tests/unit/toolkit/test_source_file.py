"""The file of sources is read strictly; every mistake is one line that names file and key."""

from pathlib import Path

import pytest

from activities.errors import ConfigurationError
from activities.toolkit.source_file import read_sources

TRUE_OR_FALSE = "it is true or false, without quotes"


def _file(folder: Path, text: str) -> Path:
    path = folder / "sources.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_there_are_no_sources() -> None:
    assert read_sources(None).openapi == {}


def test_a_document_needs_no_more_than_its_place(tmp_path: Path) -> None:
    crm = read_sources(_file(tmp_path, '[openapi.crm]\ndocument = "crm.yaml"')).openapi["crm"]
    assert (crm.document, crm.offer, crm.untrusted) == ("crm.yaml", ("*",), True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[openapi.crm]", "openapi.crm.document: it is missing"),
        (
            '[openapi.crm]\ndocument = "a.json"\nofer = ["x"]',
            "openapi.crm.ofer: there is no such key; did you mean offer?",
        ),
        (
            '[openapi.crm]\ndocument = "a.json"\n[openapi.crm.operation.x]\nfailed_if = "a"',
            "openapi.crm.operation.x.failed_if: there is no such key; did you mean failed_when?",
        ),
        ('[openapo.crm]\ndocument = "a"', "openapo: there is no such key; did you mean openapi?"),
        (
            '[openapi.crm]\ndocument = "a"\nauth = { oauth2 = { token_uri = "https://x" } }',
            "openapi.crm.auth.oauth2.token_uri: there is no such key; did you mean token_url?",
        ),
        (
            '[openapi.crm]\ndocument = "a"\nauth = { bearer = "sk-12 34" }',
            "openapi.crm.auth.bearer: expected the name of an environment variable, such as CRM_TOKEN; "
            "the secret itself stands nowhere here",
        ),
        (
            '[openapi.crm]\ndocument = "a"\nauth = { bearer = "A", basic = { user = "B", password = "C" } }',
            "openapi.crm.auth: bearer and basic fill the same header; name one of them",
        ),
        (
            '[openapi.crm]\ndocument = "a"\nurl = "https://me:secret@example.com"',
            "openapi.crm.url: it is a URL without user, password, query or fragment; secrets belong into auth",
        ),
        (
            '[openapi."c rm"]\ndocument = "a"',
            "openapi: 'c rm' becomes a part of its tools' names, which have a-z A-Z 0-9 _ -",
        ),
        ('[mcp.x]\ncommand = "python x.py"', 'mcp.x.command: it is a list, such as ["npx", "-y", "…"]'),
        ('[openapi.crm]\ndocument = "a"\noffer = "x"', 'openapi.crm.offer: it is a list, such as ["list*"]'),
        (
            '[openapi.crm]\ndocument = "a"\n[openapi.crm.operation.x]\ngrounded = "to"',
            'openapi.crm.operation.x.grounded: it is a list, such as ["…"]',
        ),
        *(
            (f'[openapi.crm]\ndocument = "a"\n{key} = {value}', f"openapi.crm.{key}: {TRUE_OR_FALSE}")
            for key, value in (("private", '"yes"'), ("untrusted", '"no"'), ("private", "1"))
        ),
        *(
            (
                f'[openapi.crm]\ndocument = "a"\n[openapi.crm.operation.x]\n{key} = "true"',
                f"openapi.crm.operation.x.{key}: {TRUE_OR_FALSE}",
            )
            for key in ("safe_503", "repeatable")
        ),
        *(
            (f'[mcp.x]\ncommand = ["x"]\n{key} = "on"', f"mcp.x.{key}: {TRUE_OR_FALSE}")
            for key in ("private", "trust_hints", "untrusted")
        ),
        (
            '[mcp.x]\ncommand = ["x"]\n[mcp.x.tool.y]\nidempotent = "yes"',
            f"mcp.x.tool.y.idempotent: {TRUE_OR_FALSE}",
        ),
        ("[[openapi]]", "openapi: it is a table: write [openapi.NAME]"),
        ("[openapi", "it is no TOML: Expected ']' at the end of a table declaration (at end of document)"),
    ],
)
def test_a_mistake_is_one_line_that_names_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    path = _file(tmp_path, text)
    with pytest.raises(ConfigurationError) as raised:
        read_sources(path)
    assert str(raised.value) == f"ERRAND_SOURCES: {path}: {said}"


def test_a_value_that_may_be_a_secret_is_not_quoted(tmp_path: Path) -> None:
    path = _file(tmp_path, '[openapi.crm]\ndocument = "a"\nauth = { bearer = "sk-12 34" }')
    with pytest.raises(ConfigurationError) as raised:
        read_sources(path)
    assert "sk-12" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml: No such file or directory"):
        read_sources(tmp_path / "none.toml")
