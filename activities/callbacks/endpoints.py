"""The file of callback endpoints, in TOML: names, and what a request may never say itself, their URLs and secrets.

[endpoint.ops]
url = "https://ops.example.com/hooks/errand"
secrets = ["OPS_HOOK_SECRET"]     # names of variables; while a secret is changed, the new one and the old one
requesters = ["billing-*"]        # who may name it; without it, everybody
private = false                   # whether it may have an address that is not public, and plain http
"""

import base64
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from standardwebhooks import Webhook

from activities.errors import ConfigurationError
from activities.redaction import SECRETS
from workflows.refusals import no_such

SETTING = "ERRAND_CALLBACKS"
PAUSES = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before each further attempt: three days in all. The example of Standard Webhooks 1.0.0."""
SHORTEST_SECRET = 24
"""Bytes, as Standard Webhooks 1.0.0 asks for."""
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class EndpointTable(BaseModel):
    """What the file says of one endpoint."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    secrets: tuple[Variable, ...] = Field(min_length=1, max_length=5)
    requesters: tuple[str, ...] = ("*",)
    private: bool = False

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

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")], EndpointTable] = {}
    pauses: tuple[Annotated[float, Field(gt=0, le=86_400)], ...] = PAUSES

    @field_validator("pauses")
    @classmethod
    def _not_endless(cls, pauses: tuple[float, ...]) -> tuple[float, ...]:
        if sum(pauses) > 7 * 86_400:
            raise ValueError("they come to more than a week")
        return pauses


@dataclass(frozen=True)
class Endpoint:
    """One endpoint, ready to be told."""

    name: str
    url: str
    webhooks: tuple[Webhook, ...]
    """One for each secret: the receiver may know any of them."""
    requesters: tuple[str, ...]
    private: bool

    def may_be_named_by(self, requester: str) -> bool:
        return any(fnmatchcase(requester.casefold(), pattern.casefold()) for pattern in self.requesters)


@dataclass(frozen=True)
class Endpoints:
    """All that are configured, and the pauses between two attempts, in seconds."""

    by_name: Mapping[str, Endpoint]
    pauses: Sequence[float] = PAUSES

    @classmethod
    def load(cls, path: Path | None) -> Self:
        """Read the file and the variables that it names; without a file there are no endpoints.

        Raises:
            ConfigurationError: it is missing or wrong, or a secret is; the message names the place.
        """
        if path is None:
            return cls({})
        try:
            file = CallbackFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigurationError(f"{SETTING}: {path}: {error}") from error
        except ValidationError as invalid:
            first = invalid.errors(include_url=False, include_input=False)[0]
            where, what = ".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")
            raise ConfigurationError(f"{SETTING}: {path}: {where}: {what}") from None
        return cls({name: _endpoint(name, table) for name, table in file.endpoint.items()}, file.pauses)

    def find(self, name: str, requester: str, *, by_policy: bool = False) -> Endpoint | None:
        """The endpoint of this name, if the requester may name it, or the policy does."""
        found = self.by_name.get(name)
        return found if found and (by_policy or found.may_be_named_by(requester)) else None

    def problem_with(self, names: Iterable[str], requester: str) -> str | None:
        """What is wrong with the endpoints that a request names."""
        for name in names:
            if self.find(name, requester) is None:
                allowed = [each.name for each in self.by_name.values() if each.may_be_named_by(requester)]
                if not allowed:
                    return f"there is no endpoint {name[:60]!r}, and none that {requester or 'this requester'} may name"
                return no_such("endpoint", name, allowed)
        return None


NO_ENDPOINTS = Endpoints({})


def _endpoint(name: str, table: EndpointTable) -> Endpoint:
    webhooks = tuple(_webhook(name, variable) for variable in table.secrets)
    return Endpoint(name, table.url, webhooks, table.requesters, table.private)


def _webhook(name: str, variable: str) -> Webhook:
    """Signs with the secret that a variable holds: `whsec_` and 24 bytes or more in base64."""
    secret = os.environ.get(variable, "").strip()
    if not secret:
        raise ConfigurationError(f"{SETTING}: endpoint.{name}: the variable {variable} is not set")
    try:
        raw = base64.b64decode(secret.removeprefix("whsec_") + "==", validate=False)
        if len(raw) < SHORTEST_SECRET or not secret.startswith("whsec_"):
            raise ValueError
    except ValueError:
        why = f"expected whsec_ and {SHORTEST_SECRET} bytes or more in base64"
        raise ConfigurationError(f"{SETTING}: endpoint.{name}: {variable}: {why}") from None
    SECRETS.add(secret, secret.removeprefix("whsec_"))
    return Webhook(secret)
