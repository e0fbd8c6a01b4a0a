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

from pydantic import JsonValue

from activities.definitions import Unfit, called_at, naming
from activities.function_names import LONGEST_NAME, sendable
from activities.parameters import FromSchema, ToolFunction, check_takes_a_dictionary, provided
from activities.schema.closing import closed
from activities.schema.json_schema import JsonSchema, NotASchema, check
from activities.tool import Tool, checked, route
from workflows.contract import Effect


def tool_from_schema(
    *,
    name: str,
    description: str,
    parameters: Mapping[str, JsonValue],
    function: ToolFunction,
    effect: Effect = "write",
    about: str = "",
    timeout: float = 30,
    patience: float = 600,
    attempts: int = 5,
    needs: tuple[str, ...] = (),
    grounded: tuple[str, ...] = (),
    untrusted: bool = False,
    idempotent: bool = False,
    claim_verbs: tuple[str, ...] = (),
    confirmed: Mapping[str, str] | None = None,
    replaces: str = "",
) -> Tool:
    """Make a tool of a name, a description, a JSON Schema and a function. The rest means what it means for `@tool`.

    Raises:
        ConfigurationError: the name is not legal, the function cannot be run as that tool, or the parameters are no
            JSON Schema of an object, refer to something outside it, or cannot be held to in bounded time. The message
            names the tool, and file and line of the call.
    """
    where = called_at(1)
    with naming(name[:LONGEST_NAME], where):
        check_takes_a_dictionary(function)
        return checked(
            Tool(
                name=name,
                description=description.strip(),
                defined_at=where,
                function=function,
                parameters=FromSchema(_compiled(parameters)),
                provided=provided(function),
                route=route(effect, timeout=timeout, patience=patience, attempts=attempts, untrusted=untrusted),
                about=about,
                needs=needs,
                grounded=grounded,
                idempotent=idempotent,
                claim_verbs=claim_verbs,
                confirmed=confirmed or {},
                replaces=replaces,
            )
        )


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
