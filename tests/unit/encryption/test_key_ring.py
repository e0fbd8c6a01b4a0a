"""The first key of a file encrypts, all of them decrypt, and nothing can be read where it does not belong."""

from base64 import b64encode
from pathlib import Path

import pytest

from activities.encryption.key_ring import KeyRing
from activities.encryption.loading import load_key_ring
from activities.errors import ConfigurationError, ServiceUnavailable
from activities.redaction import REDACTED, redacted
from tests.unit.encryption.keys import key_file, new_key, ring

OLD, NEW = b64encode(bytes(32)).decode(), b64encode(bytes(range(32))).decode()
"""The same in every process that runs the tests."""


def test_what_is_encrypted_is_decrypted_by_the_same_key_and_context(tmp_path: Path) -> None:
    keys = ring(tmp_path, old=OLD)
    encrypted = keys.encrypt(b"hush", "here")
    assert b"hush" not in encrypted
    assert keys.decrypt("old", encrypted, "here") == b"hush"
    assert keys.encrypt(b"hush", "here") != encrypted


def test_after_a_rotation_the_new_key_encrypts_and_the_old_one_still_decrypts(tmp_path: Path) -> None:
    before, after = ring(tmp_path, old=OLD), ring(tmp_path, new=NEW, old=OLD)
    assert after.current == "new"
    assert after.decrypt("old", before.encrypt(b"hush", "here"), "here") == b"hush"


def test_before_the_new_key_encrypts_everybody_can_already_decrypt_what_it_will(tmp_path: Path) -> None:
    first_step, second_step = ring(tmp_path, old=OLD, new=NEW), ring(tmp_path, new=NEW, old=OLD)
    assert first_step.current == "old"
    assert first_step.decrypt("new", second_step.encrypt(b"hush", "here"), "here") == b"hush"


def test_a_key_that_is_missing_is_named_and_so_are_those_that_are_there(tmp_path: Path) -> None:
    encrypted = ring(tmp_path, old=OLD).encrypt(b"hush", "here")
    with pytest.raises(ServiceUnavailable, match="the key old is missing; the keys here are: new"):
        ring(tmp_path, new=NEW).decrypt("old", encrypted, "here")


@pytest.mark.parametrize("other", ["moved", "changed", "cut", "under another id", "by another key"])
def test_what_was_tampered_with_is_not_decrypted(tmp_path: Path, other: str) -> None:
    keys = ring(tmp_path, old=OLD, new=OLD)
    key_id, encrypted, context = "old", keys.encrypt(b"hush", "here"), "here"
    match other:
        case "moved":
            context = "there"
        case "changed":
            encrypted = encrypted[:-1] + bytes([encrypted[-1] ^ 1])
        case "cut":
            encrypted = encrypted[:7]
        case "under another id":
            key_id = "new"
        case _:
            keys = ring(tmp_path, old=NEW)
    with pytest.raises(ServiceUnavailable, match="cannot be decrypted"):
        keys.decrypt(key_id, encrypted, context)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "there is no key in"),
        ("# only words\n", "there is no key in"),
        (f"{OLD}\n", "line 1: expected an id and a key"),
        (f"a/b {OLD}\n", "line 1: expected an id and a key"),
        (f"\na {OLD}\na {NEW}\n", "line 3: the id a is there twice"),
        ("a hush-hush!\n", "line 1: the key is no base64"),
        ("a aHVzaA==\n", "line 1: the key has 4 bytes; AES-256 needs 32"),
    ],
)
def test_a_file_that_is_none_of_keys_says_why_and_quotes_no_key(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "keys"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        KeyRing.read(file)
    assert problem in str(raised.value)
    assert str(raised.value).startswith("ERRAND_PAYLOAD_KEYS: ")
    assert not any(key in str(raised.value) for key in (OLD, NEW, "hush", "aHVz"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"ERRAND_PAYLOAD_KEYS: .*none cannot be read"):
        load_key_ring(tmp_path / "none")


def test_no_file_is_no_key_ring() -> None:
    assert load_key_ring(None) is None


def test_a_key_is_redacted_once_it_was_read(tmp_path: Path) -> None:
    key = new_key()
    KeyRing.read(key_file(tmp_path, a=key))
    assert redacted(f"no such key: {key}") == f"no such key: {REDACTED}"
