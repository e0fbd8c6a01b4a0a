"""Tools whose parameters are a JSON Schema instead of a Python signature: what descriptions from elsewhere become.

    names = legal_names(["pets.find", "pets_find"])
    find = tool_from_schema(
        name=names["pets.find"],
        description="Find pets.",
        parameters={"type": "object", "properties": {"kind": {"enum": ["cat", "dog"]}}, "required": ["kind"]},
        function=find_pets,          # async def find_pets(arguments: Arguments, *, http: httpx.AsyncClient) -> ...
        effect="read",
    )

The function gets the arguments as one dictionary, under the names that the schema has, and keyword-only what the worker
gives, as in `@tool`. Objects that name their fields take no others, unless the schema says that they do.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Unpack

from pydantic import JsonValue

from activities.schema.additional_properties import closed
from activities.schema.json_schema import JsonSchema, NotASchema, check
from activities.toolkit.argument_model import ToolFunction
from activities.toolkit.definitions import Unfit, called_at, naming
from activities.toolkit.function_names import LONGEST_NAME, sendable
from activities.toolkit.options import ToolOptions, route_of
from activities.toolkit.parameters import FromSchema, check_takes_a_dictionary
from activities.toolkit.tool import Tool, made_of


def tool_from_schema(
    *,
    name: str,
    description: str,
    parameters: Mapping[str, JsonValue],
    function: ToolFunction,
    defined_at: str = "",
    **options: Unpack[ToolOptions],
) -> Tool:
    """Make a tool of a name, a description, a JSON Schema and a function.

    Args:
        name: a legal one, such as `legal_names` makes.
        description: for the model.
        parameters: the JSON Schema of an object.
        function: gets the arguments as one dictionary.
        defined_at: where, for people; by default file and line of the call.
        options: as for `@tool`, but `effect` is "write" by default.

    Raises:
        ConfigurationError: the name is not legal, the function cannot be run as that tool, or the parameters are no
            JSON Schema of an object, refer to something outside it, or cannot be held to in bounded time. The message
            names the tool, and where it is defined.
    """
    where = defined_at or called_at(1)
    with naming(name[:LONGEST_NAME], where):
        check_takes_a_dictionary(function)
        route = route_of(options, "write")
        return made_of(name, description, where, function, FromSchema(_compiled(parameters)), route, options)


def legal_names(names: Iterable[str], *, taken: Iterable[str] = ()) -> dict[str, str]:
    """A legal name for every name, no two the same and none of those that are taken: original → legal.

    The same whatever the order: a legal name stays as it is, and where others would come to the same, each gets a
    suffix made of its original.
    """
    wanted = {name: sendable(name) for name in names}
    reserved = frozenset(taken)
    used = {*reserved, *(name for name, legal in wanted.items() if name == legal)}
    clashing = {legal for legal, times in Counter(wanted.values()).items() if times > 1} | used
    return {
        name: legal if legal not in clashing or (name == legal and name not in reserved) else _suffixed(name, legal)
        for name, legal in wanted.items()
    }


def _suffixed(name: str, legal: str) -> str:
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{legal[: LONGEST_NAME - len(digest) - 1]}_{digest}"


def _compiled(parameters: Mapping[str, JsonValue]) -> JsonSchema:
    try:
        document = {"type": "object", **parameters}
        if document["type"] != "object":
            raise NotASchema("the arguments of a tool are an object")
        check(document)
    except NotASchema as error:
        raise Unfit(f"its parameters are no schema that can be used: {error}") from error
    return JsonSchema(closed(document))
