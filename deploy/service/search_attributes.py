"""The search attributes that requests carry, which a namespace has to know."""

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import ConfigurationError
from workflows.timeline import SEARCH_ATTRIBUTES


async def register_search_attributes(client: Client) -> None:
    """Make the namespace know the search attributes that requests carry; those that it knows stay as they are.

    Raises:
        ConfigurationError: they are missing and this client may not add them.
    """
    namespace = client.namespace
    try:
        known = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace=namespace))
        wanted = {key.name: IndexedValueType.ValueType(key.indexed_value_type.value) for key in SEARCH_ATTRIBUTES}
        missing = {name: kind for name, kind in wanted.items() if name not in known.custom_attributes}
        if missing:
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(namespace=namespace, search_attributes=missing)
            )
    except RPCError as error:
        if error.status is RPCStatusCode.ALREADY_EXISTS:
            return
        names = ", ".join(f"{key.name} ({key.indexed_value_type.name.title()})" for key in SEARCH_ATTRIBUTES)
        raise ConfigurationError(
            f"TEMPORAL_NAMESPACE: namespace {namespace} does not let this worker register search attributes "
            f"({error.message}); register them yourself: {names}"
        ) from error
