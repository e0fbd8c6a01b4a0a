"""Settings of a tool's own: a pydantic-settings class in its module, an instance of which its function asks for.

class CrmSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="CRM_")
    url: str = "https://crm.example.com"
    token: SecretStr

@tool()
async def find_customer(name: str, *, crm: CrmSettings, http: httpx.AsyncClient) -> Customer: ...
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsError

from activities.error_text import said_by
from activities.errors import ConfigurationError
from activities.settings.environment import Group
from activities.toolkit.definitions import in_one_line
from activities.toolkit.tool import Tool


@dataclass(frozen=True)
class OwnSettings:
    """What the environment says for one class: an instance, or the variables that are missing."""

    instance: BaseSettings | None
    missing: tuple[str, ...]


def own_settings(tool: Tool) -> Iterator[type[BaseSettings]]:
    """The classes of settings that a tool asks for, beside the service's own."""
    for kind in tool.provided.values():
        if isinstance(kind, type) and issubclass(kind, BaseSettings) and not issubclass(kind, Group):  # pyright: ignore[reportUnnecessaryIsInstance]  # an annotation may be anything
            yield kind


def read(kind: type[BaseSettings]) -> OwnSettings:
    """Read the environment, once.

    Raises:
        ConfigurationError: a value is wrong; the message names the variable and the module.
    """
    try:
        return OwnSettings(kind(), ())
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False, include_input=False)
        wrong = [each for each in errors if each["type"] != "missing"]
        if wrong:
            variable = _variable(kind, wrong[0]["loc"])
            raise ConfigurationError(f"{variable}: {said_by(wrong[0])} ({_name(kind)})") from invalid
        return OwnSettings(None, tuple(_variable(kind, each["loc"]) for each in errors))
    except SettingsError as error:
        field = re.search(r'field "(\w+)"', str(error))
        variable = _variable(kind, (field[1],)) if field else in_one_line(error)
        raise ConfigurationError(f"{variable}: it is no JSON ({_name(kind)})") from error


def _variable(kind: type[BaseSettings], place: tuple[int | str, ...]) -> str:
    """The variable that a place in the settings is read from."""
    first, *rest = map(str, place)
    known = kind.model_fields
    prefix = kind.model_config.get("env_prefix", "") if first in known else ""  # an alias stands without it
    delimiter = kind.model_config.get("env_nested_delimiter")
    name = prefix + (delimiter.join([first, *rest]) if delimiter else first)
    return name if kind.model_config.get("case_sensitive") else name.upper()


def _name(kind: type[BaseSettings]) -> str:
    return f"the settings {kind.__qualname__} of module {kind.__module__}"
