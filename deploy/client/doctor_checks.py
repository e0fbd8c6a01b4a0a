"""What `client.py doctor` looks at beside Temporal. Each check says what it has found, or raises why it fails."""

from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
from temporalio.client import Client
from temporalio.service import RPCError

from activities.encryption.loading import load_key_ring
from activities.errors import CannotDecrypt, ErrandError, LedgerRestored
from activities.http.tls import trusted_roots
from activities.settings import Settings
from deploy.client.actions import ledger_of_the_workers
from deploy.client.doubt import Doubt
from deploy.client.keys import KeyFile, KeySettings

MAY_DIFFER = timedelta(seconds=5)
WAITED = 10
"""Seconds for each answer of a mail server, and for the time."""
MOST_UNKNOWN = 1000


async def sources(settings: Settings) -> str:
    """Whether tools, policy and callback endpoints load, and fit each other.

    Raises:
        ConfigurationError: one of them does not; the message names it.
        Doubt: there is no tool.
    """
    from activities.callbacks.endpoints import Endpoints
    from activities.policy import Policy
    from activities.toolkit.catalogue import Catalogue

    catalogue = Catalogue.load(settings)
    async with aclosing(catalogue.sources):
        callbacks = Endpoints.load(settings.notification.callbacks)
        Policy.of_worker(settings, catalogue, [*callbacks.by_name])
    left_out = "; ".join(f"{name} lacks {', '.join(names)}" for name, names in catalogue.unconfigured.items())
    if not catalogue.tools:
        raise Doubt("there is no tool", left_out or "see ERRAND_OFFER and ERRAND_TOOLS")
    return f"{len(catalogue.tools)} tools" + (f"; {left_out}" if left_out else "")


async def model(settings: Settings) -> str:
    """Whether the model answers a question with a call of the one tool that it is shown.

    Raises:
        ModelError, ConfigurationError: it does not answer, or none is named.
        Doubt: it answers without a call.
    """
    from activities.model.endpoint import Endpoint
    from activities.model.trial import answers_with_a_call

    async with aclosing(Endpoint.from_settings(settings.model)) as endpoint:
        if not await answers_with_a_call(endpoint, settings.model.system_prompt):
            said = f"{endpoint.model} answers, but does not call the tool that it was shown"
            raise Doubt(said, "choose another model, or see ERRAND_MODEL_CALLING in docs/models.md")
    return f"{endpoint.model} answers with a call"


async def mail(settings: Settings) -> str:
    """Whether the mail server greets, and takes user and password.

    Raises:
        ServiceUnavailable, ServiceRefused: it does not.
        Doubt: none is named.
    """
    from activities.smtp.transaction import SmtpTransaction, Timeouts

    server = settings.mail.smtp_server
    if server is None or settings.mail.mail_from is None:
        raise Doubt("no mail can be sent", "set ERRAND_SMTP_URL and ERRAND_MAIL_FROM, if it shall")
    async with SmtpTransaction(server, Timeouts(command=WAITED)) as transaction:
        await transaction.open()
    logged_in = "greets and takes the password" if server.username else "greets"
    return f"{server.host}:{server.port} {logged_in}"


async def ledger(settings: Settings) -> str:
    """Whether the workers' ledger is there and can be written, and knows how every write ended.

    Raises:
        ConfigurationError, Unreachable, ServiceUnavailable: it is not there, or cannot be used.
        LedgerRestored: an older copy was put back, and writes wait.
        Doubt: there are writes that a person has to settle.
    """
    from activities.ledger.rows import State

    async with ledger_of_the_workers(settings) as opened:
        await opened.upkeep.check_writable()
        if held := await opened.restores.unsettled():
            raise LedgerRestored(held.message)
        found = await opened.search(state=State.UNKNOWN, limit=MOST_UNKNOWN)
    if found:
        said = f"{len(found)} unknown writes, the oldest of {found[-1].begun_at:%Y-%m-%d %H:%M} UTC"
        raise Doubt(said, "see client.py actions --state unknown, and settle each: client.py resolve")
    return f"{opened.place}, identity {opened.identity}, can be written"


async def clock(settings: Settings) -> str:
    """Whether this machine's clock agrees with PostgreSQL's; where the ledger is a file, with the model's endpoint.

    Raises:
        ConfigurationError, Unreachable, ServiceUnavailable: the ledger cannot be read.
        Doubt: it does not agree.
    """
    if settings.ledger.ledger_url.startswith("sqlite"):
        whose, theirs = "the model's endpoint", await _time_of(settings.model.openai_base_url)
    else:
        async with ledger_of_the_workers(settings) as opened:
            whose, theirs = "PostgreSQL", await opened.upkeep.clock()
    if theirs is None:
        return "nobody to compare it with"
    differs = abs(datetime.now(UTC) - theirs)
    if differs > MAY_DIFFER:
        raise Doubt(f"{differs.total_seconds():.0f} s from that of {whose}", "set both by NTP")
    return f"agrees with that of {whose}"


async def keys(client: Client | None, settings: Settings) -> str:
    """With which key payloads are encrypted, and how many callers the door knows.

    Args:
        client: of Temporal, where it answers: what the workers have encrypted there is to be read.
        settings: of the environment.

    Raises:
        ConfigurationError: a file of keys cannot be used.
        CannotDecrypt: the workers have a key that is not in it.
    """
    ring, door = load_key_ring(settings.encryption.payload_keys), KeyFile.read(KeySettings.from_environment().keys)
    if client:
        await _read_mark(client, settings)
    payloads = f"payloads are encrypted with {ring.current}" if ring else "payloads are in clear"
    return f"{payloads}; the door knows {len(door.keys) if door else 0} callers"


async def _read_mark(client: Client, settings: Settings) -> None:
    """Read what every worker reads when it starts; that it is not there, or not to be had, other checks tell."""
    from activities.ledger.watch import mark_in_temporal

    try:
        async with ledger_of_the_workers(settings) as opened:
            await mark_in_temporal(client, opened.identity)
    except CannotDecrypt:
        raise
    except (ErrandError, RPCError):
        return


async def _time_of(url: str | None) -> datetime | None:
    """By the Date header of whatever an HTTP server answers (RFC 9110 section 6.6.1), if it has one."""
    try:
        async with httpx.AsyncClient(verify=trusted_roots(), timeout=WAITED) as http:
            answer = await http.head(url or "https://api.openai.com/v1")
        return parsedate_to_datetime(answer.headers["Date"])
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError):
        return None
