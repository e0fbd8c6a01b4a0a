"""The header that takes a call's key is one that the far end knows: under another name, a write would happen twice."""

import pytest

from activities.toolkit.source_file import WrongKey
from tests.unit.toolkit.openapi.small import Part, compiled, document, only, swagger


def _header(name: str, *, required: bool = False) -> Part:
    return {"name": name, "in": "header", "required": required, "schema": {"type": "string"}}


def _naming(name: str, of: str = "act") -> Part:
    return {of: {"idempotency_header": name}}


@pytest.mark.parametrize(
    ("declared", "named", "meant"),
    [
        (["If-Match", "Idempotency-Key"], "Idempotency-Kye", "Idempotency-Key"),
        (["Idempotency-Key"], "X-Request-Id", "Idempotency-Key"),
        (["X-Idempotence-Token"], "Idempotency-Key", "X-Idempotence-Token"),
        (["If-Match", "X-Request-Id"], "X-Requst-Id", "X-Request-Id"),
    ],
)
def test_a_header_that_the_operation_does_not_have_is_refused_with_the_one_that_was_meant(
    declared: list[str], named: str, meant: str
) -> None:
    with pytest.raises(WrongKey) as raised:
        compiled(document({"parameters": [*map(_header, declared)]}), operation=_naming(named))
    assert raised.value.key == "operation.act.idempotency_header"
    assert str(raised.value) == f"the operation takes no header {named}; did you mean {meant}?"


def test_the_key_is_the_one_in_the_table_also_where_that_names_method_and_path() -> None:
    contents = document({"parameters": [_header("Idempotency-Key")]})
    with pytest.raises(WrongKey) as raised:
        compiled(contents, operation=_naming("Idempotency-Kye", of="POST /things"))
    assert raised.value.key == "operation.POST /things.idempotency_header"


def test_a_header_of_the_path_or_behind_a_reference_counts_too() -> None:
    contents = document({"parameters": []}, components={"parameters": {"Key": _header("Idempotency-Key")}})
    contents["paths"]["/things"]["parameters"] = [{"$ref": "#/components/parameters/Key"}]
    with pytest.raises(WrongKey, match=r"did you mean Idempotency-Key\?"):
        compiled(contents, operation=_naming("Idempotency-Kye"))
    old = {"name": "Idempotency-Key", "in": "header", "type": "string"}
    with pytest.raises(WrongKey, match=r"did you mean Idempotency-Key\?"):
        compiled(swagger({"parameters": [old]}), operation=_naming("Idempotency-Kye"))


@pytest.mark.parametrize(
    ("declared", "named"),
    [
        (["Idempotency-Key"], "idempotency-key"),
        (["If-Match"], "Idempotency-Key"),
        (["If-Match"], "X-Request-Id"),
        ([], "Idempotency-Kye"),
    ],
)
def test_a_header_that_the_document_lists_or_that_may_be_one_which_it_does_not_list_is_taken(
    declared: list[str], named: str
) -> None:
    operation = only(document({"parameters": [*map(_header, declared)]}), operation=_naming(named))
    assert [each.name for each in operation.parameters] == [each for each in declared if each == "If-Match"]
