"""What a process is given to be observed; nothing by default."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from temporalio.client import Client
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.runtime import Runtime

if TYPE_CHECKING:
    from structlog.typing import Processor
    from temporalio.worker import Interceptor

    from activities.budgets import Budget
    from activities.ledger.ledger import Ledger

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def _not_watched(_: Client, __: "Ledger", ___: "Sequence[Budget]") -> AbstractAsyncContextManager[None]:
    return nullcontext()


def _nothing_left() -> None:
    pass


@dataclass(frozen=True)
class Telemetry:
    """For its client and its worker."""

    runtime: Runtime | None = None
    """With the SDK's metrics."""
    client_interceptors: Sequence[ClientInterceptor] = ()
    """Those that trace; the SDK gives them to the client's workers too."""
    interceptors: Sequence["Interceptor"] = ()
    """Of workers alone."""
    log_processors: Sequence["Processor"] = ()
    """Say in each line of the log which trace it belongs to."""
    watching: Callable[[Client, "Ledger", "Sequence[Budget]"], AbstractAsyncContextManager[None]] = _not_watched
    """Measures what waits for a person, and what is left of budgets, while the block runs."""
    close: Callable[[], object] = _nothing_left
    """Sends what is left."""


OFF = Telemetry()
