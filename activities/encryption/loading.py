"""The key ring that the settings name, if they name one; the extra that it needs is loaded only then."""

from pathlib import Path
from typing import TYPE_CHECKING

from activities.errors import ConfigurationError

if TYPE_CHECKING:
    from activities.encryption.key_ring import KeyRing


def load_key_ring(file: Path | None) -> "KeyRing | None":
    """Read the file of keys that ERRAND_PAYLOAD_KEYS names; None where it names none.

    Raises:
        ConfigurationError: the file cannot be used, or the extra is not installed.
    """
    if file is None:
        return None
    try:
        from activities.encryption.key_ring import KeyRing
    except ImportError as error:
        raise ConfigurationError(f"ERRAND_PAYLOAD_KEYS: {error}; it needs `uv sync --extra encryption`") from error
    return KeyRing.read(file)
