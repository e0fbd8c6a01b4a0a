"""Files of keys."""

import base64
import secrets
from pathlib import Path

from activities.encryption.key_ring import KEY_BYTES, KeyRing


def new_key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def key_file(folder: Path, **keys: str) -> Path:
    """A file of these keys in this order; in an id, `_` stands for `-`."""
    file = folder / f"keys-{secrets.token_hex(4)}"
    file.write_text("".join(f"{key_id.replace('_', '-')} {key}\n" for key_id, key in keys.items()))
    return file


def ring(folder: Path, **keys: str) -> KeyRing:
    return KeyRing.read(key_file(folder, **keys))
