"""What the file of sources says of one MCP server: the table `[mcp.NAME]`."""

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, StrictBool, model_validator

from activities.settings.environment import is_loopback
from activities.toolkit.openapi.settings import Table, Url, Variable
from workflows.contract.values import Effect

ErrorMeans = Literal["failed", "unknown"]
"""What a tool that says `isError` says of a write: that nothing has happened, or that nobody knows."""


class McpToolSettings(Table):
    """What the server does not say of one tool, or is not believed: the table `[mcp.NAME.tool.TOOL]`."""

    effect: Effect | None = None
    """By default `read` where the server sets readOnlyHint, and `write` for everything else."""
    idempotent: StrictBool = False
    """Calling it again with the same arguments does no harm, so that a call whose end is not known is made again."""
    grounded: tuple[str, ...] = ()
    """The arguments whose values somebody other than the model must have mentioned."""
    about: str = ""
    """What a call is about, for people, with the arguments in braces: "to {to}"."""
    timeout: float | None = Field(default=None, gt=0)
    """Seconds for one call of this tool."""
    failed_when: str = ""
    """JMESPath on the result: where it is true, the tool has failed, though it does not say `isError`."""
    error_means: ErrorMeans | None = None
    """What `isError` says of a write."""


class McpSettings(Table):
    """A program that is started (`command`), or an address (`url`)."""

    command: tuple[str, ...] = ()
    """Program and arguments; it speaks over its standard input and output."""
    env: dict[str, Variable] = Field(default_factory=dict[str, Variable])
    """Name of a variable that the program gets → name of the worker's variable with its value. Beside these it gets
    HOME, LOGNAME, PATH, SHELL, TERM and USER, and nothing else of the worker's."""
    url: Url | None = None
    """A server that speaks Streamable HTTP."""
    headers: dict[str, Variable] = Field(default_factory=dict[str, Variable])
    """Name of a header → name of the variable with its value, such as "Bearer …"."""
    private: StrictBool = False
    """The URL may be http://, outside of this machine."""
    offer: tuple[str, ...] = Field(default=("*",), min_length=1)
    """Patterns of the server's tools, read in order: each adds tools, or with a - takes some away."""
    trust_hints: StrictBool = False
    """The server's idempotentHint counts: what it says of itself is true."""
    untrusted: StrictBool = True
    """What it answers is a stranger's text, after which no policy allows a write without asking."""
    start_timeout: float = Field(default=30, gt=0)
    """Seconds for the start, the greeting and the list of tools, together."""
    timeout: float = Field(default=60, gt=0)
    """Seconds for one call."""
    failed_when: str = ""
    """Of every tool that says nothing else."""
    error_means: ErrorMeans = "failed"
    """`unknown` where tools may fail after they have acted. Of every tool that says nothing else."""
    tool: dict[str, McpToolSettings] = Field(default_factory=dict[str, McpToolSettings])
    """By the server's own name of the tool."""

    @model_validator(mode="after")
    def _one_way_to_reach_it(self) -> Self:
        if bool(self.command) == bool(self.url):
            raise ValueError("expected either command or url")
        if self.command and self.headers:
            raise ValueError("headers belong to a url; a command gets its secrets by env")
        if self.url and self.env:
            raise ValueError("env belongs to a command; a url gets its secrets by headers")
        return self

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        parts = urlsplit(self.url or "")
        if parts.scheme == "http" and not (self.private or is_loopback(parts.netloc)):
            raise ValueError("url: anybody on the way could read and change what goes over http://; use https://")
        return self
