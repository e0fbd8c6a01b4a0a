"""What one operation of a document says wrongly costs that operation, and no other."""

from pathlib import Path

import pytest

from activities.errors import ConfigurationError
from activities.toolkit.catalogue import Catalogue
from activities.toolkit.openapi.document import parse
from activities.toolkit.source_file import WrongKey
from tests.unit.toolkit.openapi.desk import DOCUMENT, catalogue
from tests.unit.toolkit.openapi.far_end import FarEnd
from tests.unit.toolkit.openapi.small import Part, compiled, document

MAXIMUM = "{name: title, in: query, schema: {type: number, maximum: .inf}}"
GOOD: Part = {"/good": {"get": {"operationId": "good"}}}


def _beside_a_good_one(schema: Part, **more: Part | None) -> Part:
    odd = document({"parameters": [{"name": "q", "in": "query", "schema": schema}]}, version="3.1.0")
    return {**odd, "paths": {**odd["paths"], **GOOD}, **more}


ODD: list[tuple[Part, str]] = [
    ({"type": "string", "minLength": "1"}, "its schema has minLength '1', which is no number"),
    ({"type": "string", "maxLength": "255"}, "its schema has maxLength '255', which is no number"),
    ({"type": "array", "minItems": True}, "its schema has minItems 'True', which is no number"),
    ({"type": "x", "default": 3}, "its schema has a type that there is not: x"),
    ({"type": ["string", 5]}, "its schema has a type that there is not: 5"),
    ({"type": "integer", "maximum": "9"}, "its arguments are no schema that can be used: properties.q.maximum"),
    ({"type": "string", "maxLength": -1}, "its arguments are no schema that can be used: properties.q.maxLength"),
    ({"type": "object", "dependentRequired": 5}, "its arguments are no schema that can be used"),
]


@pytest.mark.parametrize(("schema", "why"), ODD)
def test_an_odd_schema_leaves_out_its_operation_alone(schema: Part, why: str) -> None:
    found = compiled(_beside_a_good_one(schema))
    assert [each.id for each in found.operations] == ["good"]
    assert found.left_out["act"].startswith(why)


@pytest.mark.parametrize("components", [None, [], "x", {"schemas": None}])
def test_a_reference_into_what_is_no_object_points_to_nothing(components: Part | None) -> None:
    found = compiled(_beside_a_good_one({"$ref": "#/components/schemas/Q"}, components=components))
    assert [each.id for each in found.operations] == ["good"]
    assert found.left_out == {"act": "$ref '#/components/schemas/Q' points to nothing that is read"}


@pytest.mark.parametrize("keyword", ["minLength", "maxLength", "format", "enum", "minimum"])
def test_a_keyword_that_is_null_limits_nothing(keyword: str) -> None:
    found = compiled(_beside_a_good_one({"type": "string", keyword: None}))
    assert ([each.id for each in found.operations], dict(found.left_out)) == (["act", "good"], {})


def test_a_title_that_points_to_nothing_is_none() -> None:
    assert compiled({**document({}), "info": {"$ref": "#/nope"}}).title == ""


def test_where_the_table_names_an_odd_operation_the_worker_ends_in_one_line() -> None:
    with pytest.raises(WrongKey, match="it cannot be imported: its schema has a type that there is not: x") as raised:
        compiled(_beside_a_good_one({"type": "x"}), operation={"act": {}})
    assert raised.value.key == "operation.act"


def test_half_a_character_costs_no_more_than_itself() -> None:
    whole, half = parse(rb'{"info": {"title": "\ud83d\ude00"}}'), parse(rb'{"info": {"title": "a \ud83d", "x": 1}}')
    assert (whole, half) == ({"info": {"title": "\U0001f600"}}, {"info": {"title": "a \ufffd", "x": 1}})


class TestAWorker:
    def test_starts_again_with_what_it_kept_of_an_endless_maximum(self, far: FarEnd, tmp_path: Path) -> None:
        odd = DOCUMENT.replace("{name: title, in: query, schema: {type: string}}", MAXIMUM)
        first, second = (self._names(catalogue(tmp_path, far, document=odd)) for _ in range(2))
        assert first == second == ["desk_countTickets", "desk_createTicket", "desk_listTickets"]

    def test_shows_why_an_odd_operation_is_no_tool(self, far: FarEnd, tmp_path: Path) -> None:
        odd = DOCUMENT.replace("schema: {type: string}}", 'schema: {type: string, maxLength: "255"}}')
        found = catalogue(tmp_path, far, document=odd)
        assert self._names(found) == ["desk_countTickets", "desk_createTicket"]
        assert found.sources.left_out["desk listTickets"] == "its schema has maxLength '255', which is no number"

    def test_ends_in_one_line_that_names_the_table(self, far: FarEnd, tmp_path: Path) -> None:
        odd = DOCUMENT.replace("description: What it is about.", "minLength: x")
        with pytest.raises(ConfigurationError) as raised:
            catalogue(tmp_path, far, document=odd)
        assert str(raised.value) == (
            f"ERRAND_SOURCES: {tmp_path}/sources.toml: openapi.desk.operation.createTicket: it cannot be imported: "
            "its schema has minLength 'x', which is no number"
        )

    @staticmethod
    def _names(found: Catalogue) -> list[str]:
        return sorted(name for name in found.tools if name.startswith("desk_"))
