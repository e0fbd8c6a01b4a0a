"""JSON without the quotes that nothing needs: {city:Paris,temperature_c:21.5,conditions:partly cloudy}.

A result stands as text in the JSON of a question, where every quote takes two bytes more. A text keeps its quotes where
it could be taken for something else or could end, so nothing that a stranger wrote can pass for another field.
"""

import re

from pydantic import JsonValue
from pydantic_core import to_json

_BARE = re.compile(r"[^\W\d_](?:[\w @.+/%°'-]*[\w.%°])?")
_WORDS_OF_JSON = frozenset({"true", "false", "null"})


def bare(value: JsonValue) -> str:
    """A value, to be read by a model."""
    match value:
        case str():
            return value if _BARE.fullmatch(value) and value not in _WORDS_OF_JSON else to_json(value).decode()
        case dict():
            return f"{{{','.join(f'{bare(name)}:{bare(part)}' for name, part in value.items())}}}"
        case list():
            return f"[{','.join(map(bare, value))}]"
        case _:
            return to_json(value, inf_nan_mode="null").decode()
