"""The keys of a file: the first one encrypts, and all of them decrypt.

    # id    32 random bytes in base64
    2026-11 1vPN…
    2026-05 /Kq3…

AES-256-GCM (NIST SP 800-38D) with a random nonce of 12 bytes, which goes before the ciphertext. What is encrypted is
bound to a context, so that it cannot be read where it does not belong.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from activities.errors import CannotDecrypt, ConfigurationError
from activities.redaction import SECRETS

PAYLOAD_KEYS = "ERRAND_PAYLOAD_KEYS"
KEY_BYTES = 32
NONCE_BYTES = 12
KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True)
class KeyRing:
    """At least one key; the ids in the file's order."""

    keys: Mapping[str, AESGCM]

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read a file of keys; they are redacted from then on.

        Raises:
            ConfigurationError: the file cannot be read, or a line is not an id and a key; no key is quoted.
        """
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{PAYLOAD_KEYS}: {file} cannot be read: {error}") from error
        keys: dict[str, AESGCM] = {}
        for number, line in enumerate(lines, 1):
            if not (words := line.partition("#")[0].split()):
                continue
            where = f"{PAYLOAD_KEYS}: {file}, line {number}"
            if len(words) != 2 or not KEY_ID.fullmatch(words[0]):
                raise ConfigurationError(f"{where}: expected an id and a key, such as `2026-11 BASE64`")
            if words[0] in keys:
                raise ConfigurationError(f"{where}: the id {words[0]} is there twice")
            SECRETS.add(words[1])
            keys[words[0]] = _key(words[1], where)
        if not keys:
            raise ConfigurationError(f"{PAYLOAD_KEYS}: there is no key in {file}")
        return cls(keys)

    @property
    def current(self) -> str:
        """The id of the key that encrypts."""
        return next(iter(self.keys))

    def only(self, ids: Collection[str]) -> "KeyRing":
        """Those keys of the ring that have one of these ids; maybe none."""
        return KeyRing({key_id: key for key_id, key in self.keys.items() if key_id in ids})

    def encrypt(self, plain: bytes, context: str) -> bytes:
        """Encrypt with the current key.

        Args:
            plain: what is to be encrypted.
            context: what it belongs to; to decrypt it, the same has to be given.
        """
        key_id, nonce = self.current, secrets.token_bytes(NONCE_BYTES)
        return nonce + self.keys[key_id].encrypt(nonce, plain, _bound_to(key_id, context))

    def decrypt(self, key_id: str, encrypted: bytes, context: str) -> bytes:
        """What was encrypted with a key of this ring.

        Raises:
            CannotDecrypt: this ring does not have the key, or what it encrypted was changed or moved since.
        """
        if key_id not in self.keys:
            known = ", ".join(self.keys) or "none"
            raise CannotDecrypt(f"{PAYLOAD_KEYS}: the key {key_id} is missing; the keys here are: {known}")
        nonce, ciphertext = encrypted[:NONCE_BYTES], encrypted[NONCE_BYTES:]
        try:
            return self.keys[key_id].decrypt(nonce, ciphertext, _bound_to(key_id, context))
        except (InvalidTag, ValueError):
            raise CannotDecrypt(
                f"what was encrypted with the key {key_id} cannot be decrypted as part of {context!r}: it was changed, "
                f"it belongs elsewhere, or {PAYLOAD_KEYS} has another key of that id"
            ) from None


def _key(text: str, where: str) -> AESGCM:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ConfigurationError(f"{where}: the key is no base64") from None
    if len(key) != KEY_BYTES:
        raise ConfigurationError(f"{where}: the key has {len(key)} bytes; AES-256 needs {KEY_BYTES}")
    return AESGCM(key)


def _bound_to(key_id: str, context: str) -> bytes:
    return f"errand/1\0{key_id}\0{context}".encode()
