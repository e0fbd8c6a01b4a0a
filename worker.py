"""The worker: settings → clients → activities → Worker.

uv run worker.py                  every setting is an environment variable; docs/configuration.md lists them
uv run worker.py --processes 4    as many workers, each on a core of its own
"""

import argparse
import asyncio
import gc
import os
import signal
import sys
from contextlib import closing
from pathlib import Path

import structlog
import uvloop
from temporalio.service import RPCError

from activities.errors import ConfigurationError, Unreachable
from activities.redaction import redacted
from activities.settings import Settings
from activities.settings.environment import is_loopback
from activities.temporal import connect
from deploy.service.assembly import Service, build_worker
from deploy.service.health import health_server, readiness
from deploy.service.logs import configure_logging
from deploy.service.observed import Telemetry
from deploy.service.open_files import TODO, check_limit, ran_out
from deploy.service.processes import serve_in
from deploy.service.search_attributes import register_search_attributes
from deploy.service.telemetry import worker_telemetry
from deploy.service.versioning import check_current, promote, version_of_environment

log = structlog.stdlib.get_logger("errand")


async def serve(service: Service, telemetry: Telemetry) -> None:
    """Work until SIGTERM or SIGINT; then let running activities finish, for as long as ERRAND_GRACE says."""
    settings = service.settings.worker
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    client = await connect(interceptors=telemetry.client_interceptors, runtime=telemetry.runtime)
    if service.settings.ledger.ledger_url.startswith("sqlite") and not is_loopback(
        client.service_client.config.target_host
    ):
        log.warning("the ledger is SQLite: only workers on this machine share it", setting="ERRAND_LEDGER_URL")
    version = version_of_environment()
    await check_current(client, settings.task_queue, version)
    async with build_worker(client, service, telemetry=telemetry, version=version, watches_ledger=True) as worker:
        await register_search_attributes(client)
        async with worker, health_server(settings.health_address, readiness(worker, client)):
            # What was made at the start stays: nobody has to look through it again and again for what is garbage.
            gc.collect()
            gc.freeze()
            if version and settings.promote:
                await promote(client, version)
            log.info("worker ready", task_queue=settings.task_queue, namespace=client.namespace)
            await stop.wait()
            log.info("worker stopping: running activities may finish", seconds=settings.grace)
    log.info("worker stopped")


def main() -> int:
    """The exit code: 0 after a signal, 2 where a setting is missing or wrong or the system's limit too low, 3 where
    Temporal or the ledger cannot be reached, and 1 after a mistake in code."""
    configure_logging()
    try:
        check_limit()
        settings = Settings.from_environment()
        telemetry = worker_telemetry(settings.worker.metrics_address)
        configure_logging(contents=not settings.encryption.encrypts, more=telemetry.log_processors)
        with closing(telemetry):
            uvloop.run(serve(Service.assemble(settings), telemetry))
    except ConfigurationError as error:
        print(redacted(f"error: {error}"), file=sys.stderr)
        return 2
    except (Unreachable, RPCError) as error:
        print(redacted(f"error: {error}"), file=sys.stderr)
        return 3
    except Exception as error:
        if ran_out(error):
            print(f"error: the system lets this worker open no more files and connections; {TODO}", file=sys.stderr)
            return 2
        log.exception("the worker ended by a mistake in code")
        return 1
    return 0


def processes_wanted() -> int:
    """What the command line says."""
    options = argparse.ArgumentParser(description="Carry out requests; docs/configuration.md lists its settings.")
    options.add_argument("--processes", type=int, default=1, metavar="N", help="workers, each in a process of its own")
    return options.parse_args().processes


if __name__ == "__main__":
    processes = processes_wanted()
    code = serve_in(processes, Path(__file__)) if processes > 1 else main()
    sys.stderr.flush()
    # Not sys.exit: the SDK's own threads sometimes crash an interpreter that takes itself apart.
    os._exit(code)
