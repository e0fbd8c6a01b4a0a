"""What the codec server reads from the environment."""

from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from activities.errors import ConfigurationError
from activities.settings import Words, is_loopback

PREFIX = "ERRAND_CODEC_"


class CodecSettings(BaseSettings):
    """Field names are the variables' names without `ERRAND_CODEC_`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, env_ignore_empty=True)

    address: str = Field(
        default="127.0.0.1:8234", pattern=r"^[^/]+:\d{1,5}$", description="host and port of the codec server"
    )
    origins: Words = Field(default=(), description="the exact origins of UIs that may ask it from a browser")
    access: Path | None = Field(
        default=None, description="the TOML file that says who may read what; needed beyond loopback"
    )

    @property
    def host(self) -> str:
        return self.address.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @model_validator(mode="after")
    def _is_not_open_to_everybody(self) -> Self:
        if self.access is None and not is_loopback(self.host):
            raise ValueError(f"{PREFIX}ACCESS: missing; beyond loopback the codec server answers only who may read")
        if "*" in self.origins or any(not origin.startswith(("http://", "https://")) for origin in self.origins):
            raise ValueError(f"{PREFIX}ORIGINS: expected exact origins, such as https://temporal.example.com")
        return self

    @classmethod
    def from_environment(cls) -> Self:
        """Read the environment.

        Raises:
            ConfigurationError: a variable's value is wrong; the message names the variable.
        """
        try:
            return cls()
        except ValidationError as invalid:
            first = invalid.errors()[0]
            name = "".join(f"{PREFIX}{str(part).upper()}: " for part in first["loc"][:1])
            raise ConfigurationError(f"{name}{first['msg'].removeprefix('Value error, ')}") from invalid
