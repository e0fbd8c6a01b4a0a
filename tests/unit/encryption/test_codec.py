"""All that a converter writes for Temporal is encrypted for its namespace, and what is in clear is still read."""

from pathlib import Path

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities.encryption.codec import ENCODING, KEY_ID
from activities.errors import ServiceUnavailable
from activities.failures import LARGEST_FAILURE, ActivityFailed, EncodedFailures, redacting
from activities.redaction import REDACTED, SECRETS
from activities.temporal import DATA_CONVERTER, data_converter
from tests.unit.encryption.keys import new_key, ring
from workflows.contract.api import Request

OLD, NEW = new_key(), new_key()
REQUEST = Request(text="tell ann@example.com that hush")


async def test_a_message_is_encrypted_and_says_only_by_which_key(tmp_path: Path) -> None:
    converter = data_converter("default", ring(tmp_path, old=OLD))
    [payload] = await converter.encode([REQUEST])
    assert b"hush" not in payload.SerializeToString()
    assert dict(payload.metadata) == {"encoding": ENCODING, KEY_ID: b"old"}
    assert await converter.decode([payload], [Request]) == [REQUEST]


async def test_messages_in_clear_and_by_an_older_key_are_read(tmp_path: Path) -> None:
    clear = await DATA_CONVERTER.encode([REQUEST])
    old = await data_converter("default", ring(tmp_path, old=OLD)).encode([REQUEST])
    rotated = data_converter("default", ring(tmp_path, new=NEW, old=OLD))
    assert await rotated.decode([*clear, *old], [Request, Request]) == [REQUEST, REQUEST]


async def test_a_message_is_not_read_in_another_namespace_nor_without_its_key(tmp_path: Path) -> None:
    encrypted = await data_converter("default", ring(tmp_path, old=OLD)).encode([REQUEST])
    with pytest.raises(ServiceUnavailable, match="as part of 'namespace other'"):
        await data_converter("other", ring(tmp_path, old=OLD)).decode(encrypted, [Request])
    with pytest.raises(ServiceUnavailable, match="the key old is missing"):
        await data_converter("default", ring(tmp_path, new=NEW)).decode(encrypted, [Request])


async def test_a_failure_has_its_words_and_its_stack_encrypted_and_its_secrets_redacted(tmp_path: Path) -> None:
    SECRETS.add("canary-of-a-failure")
    converter = data_converter("default", ring(tmp_path, old=OLD))
    client = redacting(await Client.connect("127.0.0.1:1", lazy=True, data_converter=converter))
    worker = client.data_converter
    assert isinstance(worker.failure_converter, EncodedFailures)
    failure = Failure()
    try:
        raise ApplicationError("hush canary-of-a-failure", type="Sorry") from ValueError("behind hush")
    except ApplicationError as error:
        await worker.encode_failure(error, failure)
    assert b"hush" not in failure.SerializeToString()
    assert failure.application_failure_info.type == "Sorry"
    told = await converter.decode_failure(failure)
    assert isinstance(told, ApplicationError)
    assert told.message == f"hush {REDACTED}"
    assert "behind hush" in str(told.__cause__)


async def test_a_failure_of_many_words_still_fits_once_it_is_encrypted(tmp_path: Path) -> None:
    converter = data_converter("default", ring(tmp_path, old=OLD))
    worker = redacting(await Client.connect("127.0.0.1:1", lazy=True, data_converter=converter)).data_converter
    failure = Failure()
    failed = ActivityFailed('"\n' * 1000, {"detail": "x" * 500})
    failed.stack_trace = '  File "tool.py"\n' * 200
    await worker.encode_failure(failed, failure)
    assert failure.ByteSize() <= LARGEST_FAILURE
    told = await converter.decode_failure(failure)
    assert isinstance(told, ApplicationError)
    assert told.message.startswith('"\n"')
