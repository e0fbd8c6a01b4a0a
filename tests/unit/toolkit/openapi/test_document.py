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


@pytest.mark.parametrize("text", [b"{a: .inf, b: [-.inf, .nan, 1.5]}", b'{"a": Infinity, "b": [-1e999, NaN, 1.5]}'])
def test_a_number_that_json_cannot_say_is_null(text: bytes) -> None:
    assert parse(text) == {"a": None, "b": [None, None, 1.5]}


def test_what_stands_in_several_places_is_made_once() -> None:
    found = parse(b"a: &a {200: x}\nb: *a\nc: [*a, *a]")
    assert found == {"a": {"200": "x"}, "b": {"200": "x"}, "c": [{"200": "x"}, {"200": "x"}]}
    assert found["a"] is found["b"] is found["c"][0]


def test_a_small_document_of_nested_aliases_is_refused_at_once() -> None:
    """Nine of nine of nine …: a few hundred bytes, which would become millions of parts."""
    lines = [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 7)]
    text = "\n".join(["a0: &a0 [x]", *lines, "openapi: 3.0.0", "paths: {}"]).encode()
    with pytest.raises(NoDocument, match=r"its aliases make .* parts of .*; write it without so many of them"):
        parse(text)
