"""What a worker and a client read from the environment."""

from collections.abc import Mapping
from typing import Self, cast

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from activities.error_text import said_by
from activities.errors import ConfigurationError
from activities.settings.codec_server import CodecServerSettings
from activities.settings.data_services import DataServices
from activities.settings.encryption import EncryptionSettings
from activities.settings.environment import Group, variable
from activities.settings.http import HttpSettings
from activities.settings.ledger import LedgerSettings
from activities.settings.mail import MailSettings
from activities.settings.model import ModelSettings
from activities.settings.notification import NotificationSettings
from activities.settings.tools import ToolSettings
from activities.settings.worker import WorkerSettings


class Settings(BaseModel):
    """One object, read once, in groups. No two groups have a field of the same name."""

    model_config = ConfigDict(frozen=True)

    worker: WorkerSettings
    model: ModelSettings
    mail: MailSettings
    services: DataServices
    http: HttpSettings
    ledger: LedgerSettings
    encryption: EncryptionSettings
    codec: CodecServerSettings
    tools: ToolSettings
    notification: NotificationSettings

    @classmethod
    def read(cls, **values: object) -> Self:
        """Read the environment, beside the values that are given.

        Raises:
            ValidationError: a value is wrong.
            TypeError: there is no such setting.
        """
        if unknown := values.keys() - cls.fields().keys():
            raise TypeError(f"there is no such setting: {', '.join(sorted(unknown))}")
        return cls.model_validate(
            {
                name: group.model_validate(
                    {field: value for field, value in values.items() if field in group.model_fields}
                )
                for name, group in cls.groups().items()
            }
        )

    @classmethod
    def from_environment(cls) -> Self:
        """Read the environment.

        Raises:
            ConfigurationError: a variable's value is wrong; the message names the variable.
        """
        try:
            return cls.read()
        except ValidationError as invalid:
            first = invalid.errors()[0]
            raise ConfigurationError(f"{variable(str(first['loc'][0]))}: {said_by(first)}") from invalid

    @classmethod
    def groups(cls) -> Mapping[str, type[Group]]:
        return {name: cast("type[Group]", field.annotation) for name, field in cls.model_fields.items()}

    @classmethod
    def fields(cls) -> Mapping[str, FieldInfo]:
        """Of all groups."""
        return {name: field for group in cls.groups().values() for name, field in group.model_fields.items()}

    def group_objects(self) -> tuple[Group, ...]:
        return tuple(cast("Group", group) for _, group in self)

    def lacks(self, field: str) -> bool:
        """Whether a setting, of whichever group, is not set."""
        return all(getattr(group, field, None) in (None, ()) for group in self.group_objects())
