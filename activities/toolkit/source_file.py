"""The file of sources, in TOML: which documents and servers are to be tools, and what they do not say themselves.

    [openapi.crm]
    document = "crm.yaml"
    auth = { bearer = "CRM_TOKEN" }
    offer = ["listCustomers", "createTicket"]

    [mcp.files]
    command = ["npx", "-y", "@modelcontextprotocol/server-filesystem", "/data"]
    offer = ["read_*", "write_file"]

docs/tools.md shows one whole.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, field_validator

from activities import written_by_hand
from activities.errors import ConfigurationError
from activities.toolkit.function_names import LEGAL
from activities.toolkit.mcp.settings import McpSettings
from activities.toolkit.openapi.settings import OpenApiSettings
from activities.written_by_hand import read_toml

VARIABLE = "ERRAND_SOURCES"


class SourceFile(BaseModel):
    """Name of a source → what is said of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    openapi: dict[str, OpenApiSettings] = {}
    mcp: dict[str, McpSettings] = {}

    @field_validator("openapi", "mcp")
    @classmethod
    def _names_are_legal(cls, sources: dict[str, object]) -> dict[str, object]:
        if wrong := [name for name in sources if not LEGAL.fullmatch(name)]:
            raise ValueError(f"{wrong[0]!r} becomes a part of its tools' names, which have a-z A-Z 0-9 _ -")
        return sources


def read_sources(path: Path | None) -> SourceFile:
    """Read the file; without one there are no sources.

    Raises:
        ConfigurationError: it is missing or wrong; one line names file and key.
    """
    return SourceFile() if path is None else read_toml(SourceFile, path, VARIABLE)


def wrong(path: Path, key: str, what: str) -> ConfigurationError:
    """The error that says in one line which key of the file is wrong, and why."""
    return written_by_hand.wrong(VARIABLE, path, key, what)


class WrongKey(ValueError):
    """A key of a source's table does not fit what the source has."""

    def __init__(self, key: str, what: str) -> None:
        super().__init__(what)
        self.key = key
