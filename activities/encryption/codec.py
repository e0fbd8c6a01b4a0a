"""A payload codec: everything that is a payload in Temporal is encrypted before it leaves the process."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from temporalio.api.common.v1 import Payload
from temporalio.converter import EncodingPayloadConverter, PayloadCodec

from activities.errors import CannotDecrypt

if TYPE_CHECKING:
    from activities.encryption.key_ring import KeyRing

ENCODING = b"binary/errand-aes256gcm"
"""Of its own: the samples' `binary/encrypted` has no additional authenticated data."""
KEY_ID = "encryption-key-id"


class EncryptingCodec(PayloadCodec):
    """Encrypts for one namespace. What is in clear, from before or from a plain client, is read as it is."""

    def __init__(self, keys: "KeyRing", namespace: str) -> None:
        self._keys = keys
        self._context = f"namespace {namespace}"

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._encrypted(each) for each in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt those that are encrypted.

        Raises:
            CannotDecrypt: the key of a payload is missing, or the payload is not what was encrypted.
        """
        return [self._decrypted(each) if is_encrypted(each) else each for each in payloads]

    def _encrypted(self, payload: Payload) -> Payload:
        data = self._keys.encrypt(payload.SerializeToString(), self._context)
        return Payload(metadata={"encoding": ENCODING, KEY_ID: self._keys.current.encode()}, data=data)

    def _decrypted(self, payload: Payload) -> Payload:
        return Payload.FromString(self._keys.decrypt(key_id_of(payload), payload.data, self._context))


class NoKeys(EncodingPayloadConverter):
    """Says of what is encrypted, where there are no keys at all, that they are missing."""

    @property
    def encoding(self) -> str:
        return ENCODING.decode()

    def to_payload(self, value: Any) -> Payload | None:
        return None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> NoReturn:
        raise CannotDecrypt(f"ERRAND_PAYLOAD_KEYS: the key {key_id_of(payload)} is missing; it names no file of keys")


def is_encrypted(payload: Payload) -> bool:
    """Whether it was encrypted here, or by a codec of the same format."""
    return payload.metadata.get("encoding") == ENCODING


def key_id_of(payload: Payload) -> str:
    """The id of the key that an encrypted payload was encrypted with."""
    return payload.metadata.get(KEY_ID, b"").decode(errors="replace")
