"""The file of callback endpoints, in TOML: names, and what a request may never say itself, their URLs and secrets.

[endpoint.ops]
url = "https://ops.example.com/hooks/errand"
secrets = ["OPS_HOOK_SECRET"]     # names of variables; while a secret is changed, the new one and the old one
requesters = ["billing-*"]        # who may name it; without it, everybody
private = false                   # whether it may have an address that is not public, and plain http
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StrictBool, field_validator, model_validator

from activities.written_by_hand import read_toml
from workflows.refusals import no_such

SETTING = "ERRAND_CALLBACKS"
PAUSES = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before each further attempt: three days in all. The example of Standard Webhooks 1.0.0."""
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class EndpointTable(BaseModel):
    """What the file says of one endpoint."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    secrets: tuple[Variable, ...] = Field(min_length=1, max_length=5)
    requesters: tuple[str, ...] = ("*",)
    private: StrictBool = False

    @model_validator(mode="after")
    def _url_is_usable(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme not in (("http", "https") if self.private else ("https",)) or not parts.hostname:
            raise ValueError("url: expected https://host/path; plain http only where private = true")
        if parts.username or parts.password:
            raise ValueError("url: a user or password in it would be written into logs")
        return self


class CallbackFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    endpoint: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")], EndpointTable] = {}
    pauses: tuple[Annotated[float, Field(gt=0, le=86_400)], ...] = PAUSES

    @field_validator("pauses")
    @classmethod
    def _not_endless(cls, pauses: tuple[float, ...]) -> tuple[float, ...]:
        if sum(pauses) > 7 * 86_400:
            raise ValueError("they come to more than a week")
        return pauses

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file; the variables that it names are not looked at.

        Raises:
            ConfigurationError: it is missing or wrong; the message names the place.
        """
        return read_toml(cls, path, SETTING)


def may_name(requester: str, patterns: Iterable[str]) -> bool:
    """Whether an endpoint with these patterns is for a requester."""
    return any(fnmatchcase(requester.casefold(), pattern.casefold()) for pattern in patterns)


def problem_with_names(names: Iterable[str], requester: str, known: Mapping[str, Iterable[str]]) -> str | None:
    """What is wrong with the endpoints that a request names; None where nothing is.

    Args:
        names: as the request has them.
        requester: who asks. They are told of no endpoint that they may not name.
        known: the patterns of requesters of each endpoint that there is, by its name.
    """
    allowed = [name for name, patterns in known.items() if may_name(requester, patterns)]
    for name in names:
        if name not in allowed:
            if not allowed:
                return f"there is no endpoint {name[:60]!r}, and none that {requester or 'this requester'} may name"
            return f"{name[:60]}: {no_such('endpoint', name, allowed)}"
    return None


def problem_before_start(names: Iterable[str], requester: str, path: Path | None) -> str | None:
    """What is wrong with the endpoints that a request names, found before it starts. Without a file here nothing is:
    the worker has the last word.

    Raises:
        ConfigurationError: the file is missing or wrong.
    """
    if path is None or not (names := tuple(names)):
        return None
    known = CallbackFile.load(path).endpoint
    return problem_with_names(names, requester, {name: table.requesters for name, table in known.items()})
