"""Which operations are offered, what they are called, and how mistakes in a table are told."""

import pytest

from activities.toolkit.source_file import WrongKey
from tests.unit.toolkit.openapi.small import Part, compiled

ORDERS: Part = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1"},
    "servers": [{"url": "https://shop.example.com"}],
    "paths": {
        "/orders": {"get": {"operationId": "listOrders"}, "post": {"operationId": "createOrder"}},
        "/orders/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {"summary": "Get an order"},
            "delete": {"operationId": "orders/delete"},
        },
    },
}


def _ids(*offer: str) -> list[str]:
    return [each.id for each in compiled(ORDERS, offer=offer).operations]


def test_tools_are_named_by_source_and_operation() -> None:
    names = {each.id: each.tool for each in compiled(ORDERS).operations}
    assert names == {
        "listOrders": "crm_listOrders",
        "createOrder": "crm_createOrder",
        "GET /orders/{id}": "crm_get_orders_id",
        "orders/delete": "crm_orders_delete",
    }


@pytest.mark.parametrize(
    ("offer", "ids"),
    [
        (["*Order*"], ["listOrders", "createOrder"]),
        (["GET *"], ["listOrders", "GET /orders/{id}"]),
        (["*", "-DELETE *"], ["listOrders", "createOrder", "GET /orders/{id}"]),
        (["-create*"], ["listOrders", "GET /orders/{id}", "orders/delete"]),
    ],
)
def test_patterns_fit_operation_ids_or_method_and_path(offer: list[str], ids: list[str]) -> None:
    assert _ids(*offer) == ids


def test_a_name_does_not_depend_on_what_else_is_offered() -> None:
    clashing: Part = {
        **ORDERS,
        "paths": {"/a": {"get": {"operationId": "a/b"}}, "/b": {"get": {"operationId": "a_b"}}},
    }
    every = {each.id: each.tool for each in compiled(clashing).operations}
    [alone] = compiled(clashing, offer=["a/b"]).operations
    assert alone.tool == every["a/b"] != every["a_b"]


def test_an_id_that_is_given_twice_is_none() -> None:
    twice: Part = {**ORDERS, "paths": {"/a": {"get": {"operationId": "x"}}, "/b": {"get": {"operationId": "x"}}}}
    assert [each.tool for each in compiled(twice).operations] == ["crm_get_a", "crm_get_b"]


@pytest.mark.parametrize(
    ("settings", "key", "said"),
    [
        ({"offer": ["listOrder"]}, "offer", "no operation fits 'listOrder'; did you mean listOrders?"),
        (
            {"operation": {"createOrders": {}}},
            "operation.createOrders",
            "there is no operation 'createOrders'; did you mean createOrder?",
        ),
        (
            {"operation": {"createOrder": {"look": "orders/delete"}}},
            "operation.createOrder.look",
            "orders/delete is no read",
        ),
    ],
)
def test_a_table_that_names_what_is_not_there_says_what_is_near(settings: Part, key: str, said: str) -> None:
    with pytest.raises(WrongKey) as raised:
        compiled(ORDERS, **settings)
    assert (raised.value.key, str(raised.value)) == (key, said)


class TestServers:
    def test_variables_have_their_defaults_and_the_tables_values(self) -> None:
        servers = [
            {
                "url": "https://{region}.example.com/{version}",
                "variables": {"region": {"default": "eu", "enum": ["eu", "us"]}, "version": {"default": "v1"}},
            }
        ]
        assert compiled({**ORDERS, "servers": servers}).operations[0].server == "https://eu.example.com/v1"
        found = compiled({**ORDERS, "servers": servers}, variables={"region": "us"})
        assert found.operations[0].server == "https://us.example.com/v1"
        with pytest.raises(WrongKey, match="variable region is one of eu, us"):
            compiled({**ORDERS, "servers": servers}, variables={"region": "asia"})

    @pytest.mark.parametrize("variables", [{}, {"region": {"description": "Where."}}, {"region": {"default": None}}])
    def test_a_variable_without_a_value_is_asked_for(self, variables: Part) -> None:
        servers = [{"url": "https://{region}.example.com", "variables": variables}]
        with pytest.raises(WrongKey, match="needs a value for region") as raised:
            compiled({**ORDERS, "servers": servers})
        assert raised.value.key == "variables"
        found = compiled({**ORDERS, "servers": servers}, variables={"region": "us"})
        assert found.operations[0].server == "https://us.example.com"

    @pytest.mark.parametrize("end", ["?tenant=7", "#x"])
    def test_a_server_that_no_path_can_follow_is_refused(self, end: str) -> None:
        with pytest.raises(WrongKey, match="no path can follow the server") as raised:
            compiled({**ORDERS, "servers": [{"url": f"https://shop.example.com/api{end}"}]})
        assert raised.value.key == "url"

    def test_the_tables_url_stands_before_the_documents(self) -> None:
        assert compiled(ORDERS, url="https://other.example.com").operations[0].server == "https://other.example.com"

    def test_a_document_that_does_not_say_where_its_server_is_needs_a_url(self) -> None:
        with pytest.raises(WrongKey, match="the document does not say where its server is; set url") as raised:
            compiled({**ORDERS, "servers": [{"url": "/v1"}]})
        assert raised.value.key == "url"
