"""The callback endpoints that there are, ready to be told: with their URLs and secrets."""

import base64
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from standardwebhooks import Webhook

from activities.callbacks.endpoint_file import (
    PAUSES,
    SETTING,
    CallbackFile,
    EndpointTable,
    may_name,
    problem_with_names,
)
from activities.errors import ConfigurationError
from activities.redaction import SECRETS

SHORTEST_SECRET = 24
"""Bytes, as Standard Webhooks 1.0.0 asks for."""


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
        return may_name(requester, self.requesters)


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
        file = CallbackFile.load(path)
        return cls({name: _endpoint(name, table) for name, table in file.endpoint.items()}, file.pauses)

    def find(self, name: str, requester: str, *, by_policy: bool = False) -> Endpoint | None:
        """The endpoint of this name, if the requester may name it, or the policy does."""
        found = self.by_name.get(name)
        return found if found and (by_policy or found.may_be_named_by(requester)) else None

    def problem_with(self, names: Iterable[str], requester: str) -> str | None:
        """What is wrong with the endpoints that a request names."""
        known = {name: each.requesters for name, each in self.by_name.items()}
        return problem_with_names(names, requester, known)


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
