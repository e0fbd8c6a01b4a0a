"""Which tools there are, and what they may do."""

from pathlib import Path

from pydantic import Field

from activities.settings.environment import Group, Words


class ToolSettings(Group):
    """Where tools come from, which are offered to the model, and which writes need a yes."""

    tools: Words = Field(default=(), description="modules, files and folders with further tools")
    sources: Path | None = Field(default=None, description="the TOML file of documents and servers that become tools")
    offer: Words = Field(
        default=("*",), min_length=1, description="patterns of the tools that are offered; one with a - takes away"
    )
    policy: Path | None = Field(default=None, description="the TOML file that says which writes need a yes")
    address_book: Words = Field(default=(), description="addresses that may be written to without being in a request")
