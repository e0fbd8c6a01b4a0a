"""Looks at everything that a deployment needs, and says what to do where something is missing.

It sends no mail, starts no request and keeps no change. It asks the model one question.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from temporalio.client import Client
from temporalio.service import RPCError

from activities.errors import ErrandError, LedgerRestored
from activities.ledger.troubles import trouble_of
from activities.settings import Settings
from activities.temporal import connect
from deploy.client import doctor_checks, doctor_temporal
from deploy.client.doubt import Doubt
from deploy.client.requests import PATIENCE


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """What was found out about one thing."""

    of: str
    level: Level
    said: str
    todo: str = ""
    error: Exception | None = None
    """Why it fails."""


OF_TEMPORAL: dict[str, Callable[[Client, Settings], Awaitable[str]]] = {
    "namespace": doctor_temporal.namespace,
    "search attributes": doctor_temporal.search_attributes,
    "workers": doctor_temporal.workers,
    "restores": doctor_temporal.restores,
}
OF_THE_REST: dict[str, Callable[[Settings], Awaitable[str]]] = {
    "sources": doctor_checks.sources,
    "model": doctor_checks.model,
    "mail": doctor_checks.mail,
    "ledger": doctor_checks.ledger,
    "clock": doctor_checks.clock,
}
TODO = {
    "temporal": "see that it runs, and that TEMPORAL_ADDRESS and the certificates or the key are right",
    "namespace": "make it (temporal operator namespace create), or name another in TEMPORAL_NAMESPACE",
    "sources": "mend the setting or the file that it names",
    "model": "see that OPENAI_BASE_URL, OPENAI_MODEL and OPENAI_API_KEY are right, and the endpoint runs",
    "mail": "see that ERRAND_SMTP_URL is right, and the server runs",
    "keys": "mend the file that the setting names; ERRAND_PAYLOAD_KEYS is to name one with all keys of the workers",
}
"""What is to be done where a check fails."""
RECOVER = "client.py ledger recover; see docs/operations.md, Backup and restore"


async def examine(settings: Settings) -> AsyncGenerator[Finding]:
    """Look at one thing after another; what needs Temporal is left out where it does not answer."""
    client: Client | None = None
    try:
        client = await connect(patience=PATIENCE)
    except ErrandError as error:
        yield _failed("temporal", error)
    else:
        yield Finding("temporal", Level.OK, client.service_client.config.target_host)
        for name, check in OF_TEMPORAL.items():
            yield await _found(name, check(client, settings))
    for name, check in OF_THE_REST.items():
        yield await _found(name, check(settings))
    yield await _found("keys", doctor_checks.keys(client, settings))


async def _found(name: str, check: Awaitable[str]) -> Finding:
    try:
        return Finding(name, Level.OK, await check)
    except Doubt as doubt:
        return Finding(name, Level.WARN, str(doubt), doubt.todo)
    except (ErrandError, RPCError) as error:
        return _failed(name, error)


def _failed(name: str, error: ErrandError | RPCError) -> Finding:
    said = error.message if isinstance(error, RPCError) else str(error)
    todo = RECOVER if isinstance(error, LedgerRestored) else _todo(name, said)
    return Finding(name, Level.FAIL, said.removesuffix(f"; {todo}"), todo, error)


def _todo(name: str, said: str) -> str:
    """Of a ledger it hangs on what is wrong with it, which its own message may say as well."""
    return trouble_of(said).todo if name == "ledger" else TODO.get(name, "")
