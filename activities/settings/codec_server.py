"""The codec server, which decrypts for the Temporal UI and CLI."""

from pathlib import Path

from pydantic import Field, field_validator

from activities.settings.environment import Group, Words


class CodecServerSettings(Group):
    """Where it listens, and to whom."""

    codec_address: str = Field(
        default="127.0.0.1:8234", pattern=r"^[^/]+:\d{1,5}$", description="host and port of the codec server"
    )
    codec_origins: Words = Field(
        default=(), description="exact origins of Temporal UIs that may ask it, such as https://temporal.example.com"
    )
    codec_access: Path | None = Field(
        default=None, description="the TOML file that says who may read what; it has to, beyond loopback"
    )

    @field_validator("codec_origins")
    @classmethod
    def _origins_are_exact(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if any("*" in each or not each.startswith(("http://", "https://")) for each in origins):
            raise ValueError("expected exact origins, such as https://temporal.example.com")
        return origins

    @property
    def codec_host(self) -> str:
        return self.codec_address.rpartition(":")[0].strip("[]")

    @property
    def codec_port(self) -> int:
        return int(self.codec_address.rpartition(":")[2])
