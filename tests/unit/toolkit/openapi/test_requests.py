"""Arguments become the request that the document describes."""

import json

import httpx
import pytest
from pydantic import JsonValue

from activities.errors import InvalidArguments
from activities.toolkit.openapi.requests import request_of
from tests.unit.toolkit.openapi.small import SERVER, Part, compiled, document, only, swagger, with_body

LIST: JsonValue = ["blue", "black", "brown"]
OBJECT: JsonValue = {"R": 100, "G": 200, "B": 150}


def _with(parameter: Part, value: JsonValue) -> httpx.Request:
    path = "/at/{color}" if parameter["in"] == "path" else "/at"
    operation = only(document({"parameters": [{"name": "color", **parameter}]}, method="get", path=path))
    return request_of(operation, {"color": value})


STYLES = [
    # The table of OpenAPI 3.1.1 section 4.8.12.4.
    ("path", "matrix", False, "blue", ";color=blue"),
    ("path", "matrix", False, LIST, ";color=blue,black,brown"),
    ("path", "matrix", False, OBJECT, ";color=R,100,G,200,B,150"),
    ("path", "matrix", True, LIST, ";color=blue;color=black;color=brown"),
    ("path", "matrix", True, OBJECT, ";R=100;G=200;B=150"),
    ("path", "label", False, "blue", ".blue"),
    ("path", "label", False, LIST, ".blue,black,brown"),
    ("path", "label", False, OBJECT, ".R,100,G,200,B,150"),
    ("path", "label", True, LIST, ".blue.black.brown"),
    ("path", "label", True, OBJECT, ".R=100.G=200.B=150"),
    ("path", "simple", False, "blue", "blue"),
    ("path", "simple", False, LIST, "blue,black,brown"),
    ("path", "simple", False, OBJECT, "R,100,G,200,B,150"),
    ("path", "simple", True, OBJECT, "R=100,G=200,B=150"),
    ("query", "form", False, "blue", "color=blue"),
    ("query", "form", False, LIST, "color=blue,black,brown"),
    ("query", "form", False, OBJECT, "color=R,100,G,200,B,150"),
    ("query", "form", True, LIST, "color=blue&color=black&color=brown"),
    ("query", "form", True, OBJECT, "R=100&G=200&B=150"),
    ("query", "spaceDelimited", False, LIST, "color=blue%20black%20brown"),
    ("query", "spaceDelimited", False, OBJECT, "color=R%20100%20G%20200%20B%20150"),
    ("query", "pipeDelimited", False, LIST, "color=blue%7Cblack%7Cbrown"),
    ("query", "pipeDelimited", False, OBJECT, "color=R%7C100%7CG%7C200%7CB%7C150"),
    ("query", "deepObject", True, OBJECT, "color[R]=100&color[G]=200&color[B]=150"),
    ("header", "simple", False, LIST, "blue,black,brown"),
    ("header", "simple", False, OBJECT, "R,100,G,200,B,150"),
    ("header", "simple", True, OBJECT, "R=100,G=200,B=150"),
    ("cookie", "form", False, LIST, "color=blue,black,brown"),
]


@pytest.mark.parametrize(("place", "style", "explode", "value", "written"), STYLES)
def test_a_parameter_is_written_in_its_style(
    place: str, style: str, explode: bool, value: JsonValue, written: str
) -> None:
    request = _with({"in": place, "style": style, "explode": explode, "schema": {}}, value)
    places = {
        "path": request.url.raw_path.decode().removeprefix("/v2/at/"),
        "query": request.url.query.decode(),
        "header": request.headers.get("color"),
        "cookie": request.headers.get("cookie"),
    }
    assert places[place] == written


@pytest.mark.parametrize(("value", "written"), [("a b&c=d/ä", "a%20b%26c%3Dd%2F%C3%A4"), (True, "true"), (1.5, "1.5")])
def test_a_value_is_quoted(value: JsonValue, written: str) -> None:
    assert _with({"in": "query", "schema": {}}, value).url.query.decode() == f"color={written}"


@pytest.mark.parametrize(
    ("parameter", "value", "sign"),
    [
        ({"in": "query", "style": "pipeDelimited"}, ["x|y", "z"], "|"),
        ({"in": "query", "style": "pipeDelimited"}, ["x|y"], "|"),
        ({"in": "query", "style": "pipeDelimited"}, {"x|y": 1}, "|"),
        ({"in": "query", "style": "spaceDelimited"}, ["New York", "Rome"], "a space"),
        ({"in": "query", "style": "form", "explode": False, "allowReserved": True}, ["x,y", "z"], ","),
        ({"in": "path", "style": "label", "explode": True}, [1.5, 2], "."),
        ({"in": "header", "style": "simple"}, ["x,y", "z"], ","),
        ({"in": "header", "style": "simple", "explode": True}, {"x": "y,z"}, ","),
        ({"in": "header", "style": "simple"}, {"x": "y,z"}, ","),
    ],
)
def test_a_list_is_refused_whose_values_the_far_end_would_take_apart(
    parameter: Part, value: JsonValue, sign: str
) -> None:
    with pytest.raises(InvalidArguments) as raised:
        _with({"explode": False, "schema": {}, **parameter}, value)
    assert str(raised.value) == (
        f"color has {sign} in one of its values, which stands between values there: it would be taken apart"
    )


@pytest.mark.parametrize(
    ("place", "style", "explode", "value", "written"),
    [
        ("query", "form", False, ["x,y", "z"], "color=x%2Cy,z"),
        ("query", "form", True, ["x,y", "z"], "color=x%2Cy&color=z"),
        ("query", "pipeDelimited", False, ["x,y z", "%7C"], "color=x%2Cy%20z%7C%257C"),
        ("query", "pipeDelimited", False, "x|y", "color=x%7Cy"),
        ("query", "pipeDelimited", True, ["x|y", "z"], "color=x%7Cy&color=z"),
        ("path", "simple", False, ["x,y", "z"], "x%2Cy,z"),
        ("path", "label", True, "1.5", ".1.5"),
        ("path", "label", False, ["1.5", "x,y"], ".1.5,x%2Cy"),
        ("path", "matrix", False, ["x,y", "z"], ";color=x%2Cy,z"),
        ("header", "simple", False, "x,y", "x,y"),
    ],
)
def test_a_value_that_can_be_told_from_its_neighbours_is_sent(
    place: str, style: str, explode: bool, value: JsonValue, written: str
) -> None:
    test_a_parameter_is_written_in_its_style(place, style, explode, value, written)


@pytest.mark.parametrize(
    ("media_type", "style", "value"),
    [
        ("application/x-www-form-urlencoded", "pipeDelimited", ["x|y", "z"]),
        ("multipart/form-data", "pipeDelimited", ["x|y", "z"]),
        ("multipart/form-data", "form", ["x,y", "z"]),
    ],
)
def test_a_field_of_a_form_is_refused_whose_values_the_far_end_would_take_apart(
    media_type: str, style: str, value: JsonValue
) -> None:
    fields: Part = {"type": "object", "properties": {"tags": {"type": "array"}}}
    body = with_body(fields, media_type)
    body["requestBody"]["content"][media_type]["encoding"] = {"tags": {"style": style, "explode": False}}
    with pytest.raises(InvalidArguments, match=r"^tags has . in one of its values"):
        request_of(only(document(body)), {"tags": value})


@pytest.mark.parametrize("value", [None, [None], {"a": None}])
@pytest.mark.parametrize("place", ["query", "header", "cookie"])
def test_null_is_not_sent_as_a_word(place: str, value: JsonValue) -> None:
    request = _with({"in": place, "schema": {}}, value)
    assert (request.url.query, "color" in request.headers, "cookie" in request.headers) == (b"", False, False)


@pytest.mark.parametrize(("style", "written"), [("form", b"a=1"), ("deepObject", b"color[a]=1")])
def test_what_is_null_in_an_object_is_not_sent(style: str, written: bytes) -> None:
    request = _with({"in": "query", "style": style, "schema": {}}, {"a": 1, "b": None})
    assert request.url.query == written


def test_null_in_a_path_is_refused() -> None:
    with pytest.raises(InvalidArguments, match="color must not be null: it is a part of the path"):
        _with({"in": "path", "required": True, "schema": {}}, None)


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_form_leaves_out_what_is_null(media_type: str) -> None:
    fields: Part = {"type": "object", "properties": {"email": {}, "tags": {}}}
    request = request_of(only(document(with_body(fields, media_type))), {"email": None, "tags": ["a", None]})
    assert b"null" not in request.read()
    assert b"email" not in request.read()


@pytest.mark.parametrize(("value", "sent"), [("hello", "hello"), ("a&b", "a&b"), (7, "7")])
@pytest.mark.parametrize("place", ["query", "header"])
def test_a_parameter_of_plain_text_is_sent_without_the_quotes_of_json(place: str, value: JsonValue, sent: str) -> None:
    request = _with({"in": place, "content": {"text/plain": {"schema": {}}}}, value)
    assert (request.url.params if place == "query" else request.headers)["color"] == sent


def test_a_parameter_of_another_media_type_leaves_its_operation_out() -> None:
    parameter: Part = {"name": "q", "in": "query", "content": {"application/xml": {"schema": {}}}}
    found = compiled(document({"parameters": [parameter]}))
    assert found.left_out == {"act": "a parameter is application/xml, which is not written here"}


def test_a_list_of_nothing_is_not_sent() -> None:
    assert _with({"in": "query", "schema": {"type": "array"}}, []).url.query == b""


def test_a_parameter_with_a_media_type_is_json() -> None:
    request = _with({"in": "query", "content": {"application/json": {"schema": {}}}}, {"a": [1]})
    assert request.url.params["color"] == '{"a":[1]}'


@pytest.mark.parametrize("value", ["..", ".", "", "../orders/7", "7/../../orders", "..\\orders"])
def test_a_value_never_makes_another_path(value: str) -> None:
    with pytest.raises(InvalidArguments):
        _with({"in": "path", "required": True, "schema": {}}, value)


@pytest.mark.parametrize(
    ("style", "value", "said"),
    [
        ("simple", "", "color must not be empty: it is a part of the path"),
        ("label", "", "color must not be empty: it is a part of the path"),
        ("simple", "..", "color must not be ..: as a part of the path it means another path"),
    ],
)
def test_what_is_wrong_with_a_part_of_the_path_is_said(style: str, value: str, said: str) -> None:
    with pytest.raises(InvalidArguments) as raised:
        _with({"in": "path", "required": True, "style": style, "schema": {}}, value)
    assert str(raised.value) == said


def test_a_slash_in_a_value_stays_in_its_part_of_the_path() -> None:
    request = _with({"in": "path", "required": True, "schema": {}}, "7/admin?x#y")
    assert request.url.raw_path == b"/v2/at/7%2Fadmin%3Fx%23y"


ID: Part = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}


@pytest.mark.parametrize(
    ("path", "others", "sent"),
    [
        ("/orders/{id}?dryRun=true", [], b"/v2/orders/7%3F?dryRun=true"),
        ("/orders?id={id}&to=a b", [], b"/v2/orders?id=7%3F&to=a%20b"),
        ("/orders/{id}?pause#now", [], b"/v2/orders/7%3F?pause"),
        ("/orders/{id}?a=1", ["q"], b"/v2/orders/7%3F?a=1&q=2"),
    ],
)
def test_a_query_in_the_path_is_a_part_of_the_operation(path: str, others: list[str], sent: bytes) -> None:
    parameters: list[Part] = [ID, *({"name": name, "in": "query", "schema": {}} for name in others)]
    operation = only(document({"parameters": parameters}, path=path))
    assert request_of(operation, {"id": "7?", **dict.fromkeys(others, 2)}).url.raw_path == sent


def test_no_argument_changes_a_query_that_stands_in_the_path() -> None:
    parameters = [{"name": name, "in": "query", "schema": {"type": "boolean"}} for name in ("dryRun", "quiet")]
    operation = only(document({"parameters": parameters}, path="/orders?dryRun=true"))
    assert operation.arguments["properties"] == {"quiet": {"type": "boolean"}}


def test_an_operation_whose_query_in_the_path_nobody_fills_is_left_out() -> None:
    found = compiled(document({"parameters": [{**ID, "in": "query"}]}, path="/orders?id={id}"))
    assert found.left_out == {"act": "its path has {id}, and no parameter fills it"}


@pytest.mark.parametrize("value", ["a\r\nx-admin: 1", "ä", " a"])
def test_a_header_takes_no_second_line(value: str) -> None:
    with pytest.raises(InvalidArguments, match="only printable ASCII, on one line"):
        _with({"in": "header", "schema": {}}, value)


@pytest.mark.parametrize(
    "name",
    [
        *("Connection", "keep-alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade"),
        *("Proxy-Authorization", "HTTP2-Settings", "Accept-Encoding", "Content-Encoding", "Content-Length", "Expect"),
        "Host",
    ],
)
@pytest.mark.parametrize("required", [True, False])
def test_a_header_that_says_how_a_request_is_sent_is_no_argument_and_said_so(name: str, required: bool) -> None:
    parameters = [
        {"name": name, "in": "header", "required": required, "schema": {"type": "string"}},
        {"name": "If-Match", "in": "header", "schema": {"type": "string"}},
    ]
    operation = only(document({"parameters": parameters}))
    assert list(operation.arguments["properties"]) == ["If-Match"]  # pyright: ignore[reportArgumentType]
    assert "required" not in operation.arguments
    assert operation.notes == (f"the header {name} is left to the connection",)


@pytest.mark.parametrize("name", ["Accept", "Content-Type", "Authorization", "Cookie"])
def test_of_a_header_that_the_specification_gives_to_others_nothing_is_said(name: str) -> None:
    operation = only(document({"parameters": [{"name": name, "in": "header", "schema": {"type": "string"}}]}))
    assert (operation.arguments["properties"], operation.notes) == ({}, ())


def test_a_body_in_json_is_made_of_the_arguments_that_are_its_fields() -> None:
    operation = only(document(with_body({"type": "object", "properties": {"a": {}, "b": {}}})))
    request = request_of(operation, {"a": 1})
    assert (request.url, request.headers["content-type"], json.loads(request.content)) == (
        f"{SERVER}/things",
        "application/json",
        {"a": 1},
    )


def test_a_body_that_is_no_plain_object_is_one_argument() -> None:
    operation = only(document(with_body({"type": "array", "items": {"type": "string"}})))
    assert json.loads(request_of(operation, {"body": ["a"]}).content) == ["a"]


def test_names_that_clash_get_the_place_they_stand_in() -> None:
    operation = only(
        document(
            {
                "parameters": [
                    {"name": "id", "in": "query", "schema": {"type": "string"}},
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                ],
                **with_body({"type": "object", "properties": {"id": {"type": "string"}}}),
            },
            path="/things/{id}",
        )
    )
    assert list(operation.arguments["properties"]) == ["id", "id_query", "id_body"]  # pyright: ignore[reportArgumentType]
    request = request_of(operation, {"id": "p", "id_query": "q", "id_body": "b"})
    assert (request.url.raw_path, json.loads(request.content)) == (b"/v2/things/p?id=q", {"id": "b"})


def test_names_that_no_endpoint_takes_are_changed_and_sent_as_they_are() -> None:
    operation = only(
        document({"parameters": [{"name": "filter[state]", "in": "query", "schema": {"type": "string"}}]}, method="get")
    )
    assert request_of(operation, {"filter_state": "open"}).url.query == b"filter[state]=open"


def test_a_form_repeats_lists_and_writes_objects_as_json() -> None:
    fields = {
        "type": "object",
        "properties": {"a": {"type": "array"}, "o": {"type": "object"}, "t": {"type": "string"}},
    }
    operation = only(document(with_body(fields, "application/x-www-form-urlencoded")))
    request = request_of(operation, {"a": [1, 2], "o": {"x": 1}, "t": "a&b"})
    assert request.content == b"a=1&a=2&o=%7B%22x%22%3A1%7D&t=a%26b"


def test_a_multipart_body_is_the_same_for_the_same_arguments() -> None:
    fields = {"type": "object", "properties": {"note": {"type": "string"}, "tags": {"type": "array"}}}
    operation = only(document(with_body(fields, "multipart/form-data")))
    first, second = (request_of(operation, {"note": "ä", "tags": ["x", "y"]}) for _ in range(2))
    assert first.read() == second.read()
    assert first.read().count(b'name="tags"') == 2
    assert "boundary=" in first.headers["content-type"]


def test_a_field_that_is_a_file_is_left_out_and_said_so() -> None:
    fields = {
        "type": "object",
        "properties": {"note": {"type": "string"}, "file": {"type": "string", "format": "binary"}},
    }
    operation = only(document(with_body(fields, "multipart/form-data")))
    assert (list(operation.arguments["properties"]), operation.notes) == (["note"], ("the file file is left out",))  # pyright: ignore[reportArgumentType]


def test_a_body_that_may_be_missing_is_missing_where_nothing_is_given() -> None:
    operation = only(document(with_body({"type": "object", "properties": {"a": {}}}, required=False)))
    assert request_of(operation, {}).content == b""


class TestVersion2:
    def test_a_body_is_its_parameter_in_the_body(self) -> None:
        schema = {"type": "object", "properties": {"name": {"type": "string"}}}
        operation = only(swagger({"parameters": [{"name": "pet", "in": "body", "required": True, "schema": schema}]}))
        request = request_of(operation, {"name": "Rex"})
        assert (request.url, json.loads(request.content)) == (f"{SERVER}/things", {"name": "Rex"})

    def test_a_form_is_its_parameters_in_the_form(self) -> None:
        fields = [{"name": name, "in": "formData", "type": "string"} for name in ("a", "b")]
        operation = only(swagger({"parameters": fields, "consumes": ["application/x-www-form-urlencoded"]}))
        assert request_of(operation, {"a": "1", "b": "2"}).content == b"a=1&b=2"

    @pytest.mark.parametrize(
        ("written", "query"),
        [("csv", "s=a,b"), ("ssv", "s=a%20b"), ("tsv", "s=a%09b"), ("pipes", "s=a%7Cb"), ("multi", "s=a&s=b")],
    )
    def test_a_list_is_written_in_its_format(self, written: str, query: str) -> None:
        parameter = {
            "name": "s",
            "in": "query",
            "type": "array",
            "items": {"type": "string"},
            "collectionFormat": written,
        }
        operation = only(swagger({"parameters": [parameter]}, method="get"))
        assert request_of(operation, {"s": ["a", "b"]}).url.query.decode() == query
