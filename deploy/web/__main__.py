"""The door: HTTP for systems that are no Temporal client.

uv run -m deploy.web    every setting is an environment variable; docs/configuration.md lists them
"""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager

import structlog
import uvicorn
import uvloop
from temporalio.service import RPCError

from activities.errors import ConfigurationError, Unreachable
from activities.redaction import redacted
from activities.settings import Settings
from activities.temporal import connect
from deploy.client.requests import PATIENCE
from deploy.service.logs import configure_logging
from deploy.service.observed import Telemetry
from deploy.service.telemetry import client_telemetry
from deploy.web.application import application
from deploy.web.connections import PromptProtocol
from deploy.web.settings import WebSettings

log = structlog.stdlib.get_logger("errand")

DRAIN_SECONDS = 5
"""For calls that are being answered when the door is to stop; what waits longer asks again elsewhere."""


async def serve(settings: WebSettings, service: Settings, telemetry: Telemetry) -> None:
    """Answer calls until SIGTERM or SIGINT."""
    client = await connect(patience=PATIENCE, interceptors=telemetry.client_interceptors)
    app = application(client, settings, service)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        lifespan="off",
        http=PromptProtocol,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    server = _Server(config)

    def stop() -> None:
        server.should_exit = True

    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop)
    # What was made at the start stays: nobody has to look through it again and again for what is garbage.
    gc.collect()
    gc.freeze()
    log.info("door opens", url=settings.url)
    await server.serve()


class _Server(uvicorn.Server):
    """Leaves signals to the loop: it would end itself by the one that it was stopped with."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def main() -> int:
    """The exit code: 0 after a signal, 2 where a setting is missing or wrong, 3 where Temporal cannot be reached, and 1
    after a mistake in code."""
    configure_logging()
    try:
        settings, service = WebSettings.from_environment(), Settings.from_environment()
        configure_logging(contents=not service.encryption.encrypts)
        with closing(client_telemetry()) as telemetry:
            uvloop.run(serve(settings, service, telemetry))
    except ConfigurationError as error:
        sys.stderr.write(redacted(f"error: {error}\n"))
        return 2
    except (Unreachable, RPCError) as error:
        sys.stderr.write(redacted(f"error: {error}\n"))
        return 3
    except Exception:
        log.exception("the door ended by a mistake in code")
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Not sys.exit: the SDK's own threads sometimes crash an interpreter that takes itself apart.
    os._exit(code)
