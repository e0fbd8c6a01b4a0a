"""What Temporal and the ledger's database may not read."""

from pathlib import Path

from pydantic import Field

from activities.settings.environment import Group


class EncryptionSettings(Group):
    """With which keys, and what stays in clear all the same."""

    payload_keys: Path | None = Field(
        default=None, description="the file of keys with which payloads and the ledger's contents are encrypted"
    )
    show_requester: bool = Field(
        default=False, description="whether Temporal may be searched for who asked although payloads are encrypted"
    )

    @property
    def encrypts(self) -> bool:
        return self.payload_keys is not None

    @property
    def hides_requester(self) -> bool:
        """Whether no search attribute says who asks."""
        return self.encrypts and not self.show_requester
