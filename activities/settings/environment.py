"""How groups of settings are read from the environment."""

import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from activities.redaction import SECRETS

PREFIX = "ERRAND_"
SECRETS_FOLDER = "ERRAND_SECRETS"
"""The variable that names a folder of files, each of which has the value of the setting of its name."""
PROJECT = Path(__file__).resolve().parents[2]
"""The folder of worker.py and client.py."""


class Group(BaseSettings):
    """Settings that belong together. Field names are the variables' names without `ERRAND_`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, env_ignore_empty=True, populate_by_name=True, hide_input_in_errors=True
    )

    def model_post_init(self, _: object) -> None:
        SECRETS.add_settings(self)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """A variable goes before the file of its name in the folder of ERRAND_SECRETS."""
        folder = os.environ.get(SECRETS_FOLDER)
        files = (SecretsSettingsSource(settings_cls, folder),) if folder else ()
        return (init_settings, env_settings, *files)


def variable(field: str) -> str:
    """The name of the variable that a field of the settings is read from."""
    return field.upper() if field.casefold().startswith("openai_") else PREFIX + field.upper()


def _words(value: object) -> object:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]
"""Several values in one variable, separated by spaces or commas."""


def _usable_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0 or " " in url:
        raise ValueError("expected a URL such as https://host/path")
    if parts.username or parts.password:
        raise ValueError("a user or password in the URL would be written into logs and histories")
    return url


Url = Annotated[str, AfterValidator(_usable_url)]
"""Of an HTTP service, without a secret."""


def _fits_into_a_header(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]+", secret.get_secret_value()):
        raise ValueError("it has characters that no key has: a space, a line end, or one that is not ASCII")
    return secret


Key = Annotated[SecretStr, AfterValidator(_fits_into_a_header)]
"""Goes into a header."""


def is_loopback(host: str) -> bool:
    """Whether a host, with or without a port, is this machine itself."""
    with_port = re.fullmatch(r"(\[.*\]|[^:]*):\d+", host)
    name = (with_port[1] if with_port else host).strip("[]")
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def is_safe(url: str) -> bool:
    """Whether nobody on the way can change what is found there: over TLS, or on this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:  # of brackets that hold no address
        return False
    host = parts.hostname or ""
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))
