"""The connection to Temporal, and how messages are written for it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio.client import Client, Interceptor
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
)
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.runtime import Runtime

from activities.encryption.codec import EncryptingCodec, NoKeys
from activities.encryption.loading import load_key_ring
from activities.errors import ConfigurationError, Unreachable
from activities.redaction import SECRETS
from activities.settings import Settings

if TYPE_CHECKING:
    from activities.encryption.key_ring import KeyRing

_CONVERTERS = (*PydanticPayloadConverter().converters.values(), NoKeys())


class SharedPydanticConverter(CompositePayloadConverter):
    """`PydanticPayloadConverter`, of which the SDK makes a new one for every workflow task, without what it learned of
    types: here all of them learn together."""

    def __init__(self) -> None:
        super().__init__(*_CONVERTERS)


DATA_CONVERTER = DataConverter(payload_converter_class=SharedPydanticConverter)
"""Writes and reads what `temporalio.contrib.pydantic.pydantic_data_converter` does."""


def data_converter(namespace: str, keys: "KeyRing | None") -> DataConverter:
    """How messages are written for a namespace: in clear, or encrypted where there are keys."""
    if keys is None:
        return DATA_CONVERTER
    return replace(
        DATA_CONVERTER,
        payload_codec=EncryptingCodec(keys, namespace),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


def converter_of_the_environment() -> DataConverter:
    """For who reads what was exported, without a connection.

    Raises:
        ConfigurationError: the profile, the file that it is in, or the file of keys cannot be used.
    """
    keys = load_key_ring(Settings.from_environment().encryption.payload_keys)
    return data_converter(_config().get("namespace", "default"), keys)


def _config() -> ClientConnectConfig:
    try:
        return ClientConfig.load_client_connect_config()
    except (RuntimeError, ValueError, OSError) as error:
        # Without the lines of the file that it quotes: one may be the key's.
        words = " ".join(line for line in str(error).splitlines() if "|" not in line)
        raise ConfigurationError(f"TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE: {words}") from None


async def connect(
    *, patience: timedelta | None = None, interceptors: Sequence[Interceptor] = (), runtime: Runtime | None = None
) -> Client:
    """Connect to the Temporal server that the environment names, by default 127.0.0.1:7233.

    TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS… and TEMPORAL_PROFILE mean what they mean to
    every Temporal tool: https://docs.temporal.io/develop/environment-configuration

    With ERRAND_PAYLOAD_KEYS, all that the client sends is encrypted.

    Args:
        patience: how long to wait for an answer.
        interceptors: of all that the client does, for example to trace it.
        runtime: the SDK's; by default the process's.

    Raises:
        ConfigurationError: the profile, the file that it is in, or the file of keys cannot be used.
        Unreachable: nothing answers at the address, or not within `patience`.
    """
    config = _config()
    if key := config.get("api_key"):
        SECRETS.add(key)
    address = config.setdefault("target_host", "127.0.0.1:7233")
    keys = load_key_ring(Settings.from_environment().encryption.payload_keys)
    converter = data_converter(config.get("namespace", "default"), keys)
    try:
        async with asyncio.timeout(patience.total_seconds() if patience else None):
            return await Client.connect(**config, data_converter=converter, interceptors=interceptors, runtime=runtime)
    except ValueError as error:
        raise ConfigurationError(f"TEMPORAL_ADDRESS: {address}: {error}") from error
    except (RuntimeError, TimeoutError) as error:
        # The SDK's own connection failure is a bare RuntimeError.
        raise Unreachable(f"cannot reach Temporal at {address} (TEMPORAL_ADDRESS); `make up` starts one") from error
