"""What the ledger keeps of an action's contents and of people, encrypted where its worker has keys.

A row is found and compared by its key, digest and likeness, which are no contents. What is encrypted is bound to its
row and column. Rows from before, in clear or by an older key, are read as they are.
"""

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import sqlalchemy as sa
from pydantic import JsonValue

from activities.errors import CannotDecrypt
from activities.ledger.damage import DamagedRow

if TYPE_CHECKING:
    from activities.encryption.key_ring import KeyRing

KEYS = "errand_keys"
"""The execution option of an engine by which its connections know the key ring."""
ENCRYPTED = ("arguments", "result", "error", "requester", "approved_by", "resolved_by")
MARK = "errand-encrypted"


def encrypted(connection: sa.Connection, key: str, values: Mapping[str, object]) -> dict[str, object]:
    """Values of the row of this key, as they are to be written."""
    keys = _keys_of(connection)
    if keys is None:
        return {name: _not_marked(value) for name, value in values.items()}
    hidden: dict[str, object] = {
        column: _written(keys, key, column, cast("JsonValue", values[column]))
        for column in ENCRYPTED
        if values.get(column) not in (None, "")
    }
    return {**values, **hidden}


def decrypted(connection: sa.Connection, row: sa.RowMapping) -> dict[str, object]:
    """A row as it was before it was encrypted.

    Raises:
        CannotDecrypt: its key is missing, or it is not what was written.
        DamagedRow: it is nothing that was encrypted.
    """
    keys, values = _keys_of(connection), dict(row)
    for column in ENCRYPTED:
        if isinstance(text := values.get(column), str) and text.startswith(f"{MARK}:"):
            try:
                values[column] = _read(keys, str(row["key"]), column, text)
            except ValueError as error:
                raise DamagedRow(str(row["key"]), column, error) from error
    return values


def _not_marked(value: object) -> object:
    """A far end's own words must not be taken for something encrypted, which nobody could read."""
    return f" {value}" if isinstance(value, str) and value.startswith(f"{MARK}:") else value


def _written(keys: "KeyRing", key: str, column: str, value: JsonValue) -> str:
    data = keys.encrypt(json.dumps(value).encode(), _context(key, column))
    return f"{MARK}:{keys.current}:{base64.b64encode(data).decode()}"


def _read(keys: "KeyRing | None", key: str, column: str, text: str) -> JsonValue:
    _, key_id, data = text.split(":", 2)
    if keys is None:
        raise CannotDecrypt(f"the ledger is encrypted with the key {key_id}; ERRAND_PAYLOAD_KEYS has to name it")
    return json.loads(keys.decrypt(key_id, base64.b64decode(data), _context(key, column)))


def _context(key: str, column: str) -> str:
    return f"ledger {key} {column}"


def _keys_of(connection: sa.Connection) -> "KeyRing | None":
    return connection.get_execution_options().get(KEYS)
