"""JSON and YAML are read alike, and what is no OpenAPI document says so."""

from pathlib import Path

import pytest

from activities.toolkit.openapi.document import NoDocument, parse, read_document


def test_yaml_is_read_as_json_has_it() -> None:
    assert parse(b"a: 2024-01-01\nb: on\nc: true\nd: {200: x}") == {
        "a": "2024-01-01",
        "b": "on",
        "c": True,
        "d": {"200": "x"},
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[1]", "it is no object"),
        (b"{a: [", "it is neither JSON nor YAML"),
        (b"{}", "it is no OpenAPI document"),
        (b'{"openapi": "4.0.0"}', "it is of OpenAPI version 4.0.0, not 2.0, 3.0 or 3.1"),
        (b"!!python/object/apply:os.system [ls]", "it is neither JSON nor YAML"),
    ],
)
def test_what_is_no_document_says_why(text: bytes, said: str) -> None:
    with pytest.raises(NoDocument, match=said):
        read_document(text)


def test_references_reach_files_beside_the_document_and_none_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "api"
    folder.mkdir()
    (folder / "names.yaml").write_text("Name: {type: string}")
    (tmp_path / "secret.yaml").write_text("Name: {type: string}")
    document = read_document(b'{"openapi": "3.1.0", "paths": {}}', folder=folder)
    assert document.root.at("names.yaml#/Name").value == {"type": "string"}
    assert list(document.files) == [str(folder / "names.yaml")]
    for target in ("../secret.yaml#/Name", "https://example.com/x.json", "/etc/passwd"):
        with pytest.raises(Exception, match="points to nothing that is read"):
            document.root.at(target)
