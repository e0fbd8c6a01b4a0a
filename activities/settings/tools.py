"""Which tools there are, and what they may do."""

from pathlib import Path

from pydantic import Field

from activities.settings.environment import Group, Words
from workflows.contract.api import A_YEAR


class ToolSettings(Group):
    """Where tools come from, which are offered to the model, and which writes need a yes."""

    tools: Words = Field(default=(), description="modules, files and folders with further tools")
    sources: Path | None = Field(default=None, description="the TOML file of documents and servers that become tools")
    offer: Words = Field(
        default=("*",), min_length=1, description="patterns of the tools that are offered; one with a - takes away"
    )
    offer_at_most: int = Field(
        default=40, ge=1, description="tools; of more, the model is shown those that fit the request, and `find_tools`"
    )
    offer_bytes: int = Field(
        default=64 * 1024, ge=1, description="bytes of functions with their schemas; of more, the same"
    )
    ask_again: float = Field(
        default=3600,
        ge=0,
        le=A_YEAR,
        description="seconds for which a write of unknown end goes on being asked about after its attempts, where the "
        "far end does nothing twice; less than it keeps keys, which is mostly 24 hours",
    )
    policy: Path | None = Field(default=None, description="the TOML file that says which writes need a yes")
    address_book: Words = Field(default=(), description="addresses that may be written to without being in a request")
