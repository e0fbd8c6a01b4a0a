"""The connection to Temporal, and how messages are written for it."""

import asyncio
from datetime import timedelta

from temporalio.client import Client
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import CompositePayloadConverter, DataConverter
from temporalio.envconfig import ClientConfig

from activities.errors import ConfigurationError, Unreachable
from activities.redaction import SECRETS

_CONVERTERS = tuple(PydanticPayloadConverter().converters.values())


class SharedPydanticConverter(CompositePayloadConverter):
    """`PydanticPayloadConverter`, of which the SDK makes a new one for every workflow task, without what it learned of
    types: here all of them learn together."""

    def __init__(self) -> None:
        super().__init__(*_CONVERTERS)


DATA_CONVERTER = DataConverter(payload_converter_class=SharedPydanticConverter)
"""Writes and reads what `temporalio.contrib.pydantic.pydantic_data_converter` does."""


async def connect(*, patience: timedelta | None = None) -> Client:
    """Connect to the Temporal server that the environment names, by default 127.0.0.1:7233.

    TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS… and TEMPORAL_PROFILE mean what they mean to
    every Temporal tool: https://docs.temporal.io/develop/environment-configuration

    Raises:
        ConfigurationError: the profile, or the file that it is in, cannot be used.
        Unreachable: nothing answers at the address, or not within `patience`.
    """
    try:
        config = ClientConfig.load_client_connect_config()
    except (RuntimeError, ValueError, OSError) as error:
        # Without the lines of the file that it quotes: one may be the key's.
        words = " ".join(line for line in str(error).splitlines() if "|" not in line)
        raise ConfigurationError(f"TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE: {words}") from None
    if key := config.get("api_key"):
        SECRETS.add(key)
    address = config.setdefault("target_host", "127.0.0.1:7233")
    try:
        async with asyncio.timeout(patience.total_seconds() if patience else None):
            return await Client.connect(**config, data_converter=DATA_CONVERTER)
    except ValueError as error:
        raise ConfigurationError(f"TEMPORAL_ADDRESS: {address}: {error}") from error
    except (RuntimeError, TimeoutError) as error:
        # The SDK's own connection failure is a bare RuntimeError.
        raise Unreachable(f"cannot reach Temporal at {address} (TEMPORAL_ADDRESS); `make up` starts one") from error
