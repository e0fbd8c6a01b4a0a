"""The processes: a Temporal server that keeps everything in memory, and one worker at a time."""

import asyncio
import base64
import os
import secrets
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.encryption.key_ring import KEY_BYTES, KeyRing
from activities.temporal import data_converter
from deploy.local.deployment import Deployment
from deploy.local.part import DeploymentError, Log, Part, logs
from deploy.service.search_attributes import register_search_attributes
from tests.bench.surroundings import Surroundings, surroundings
from tests.forked.part import forked_part
from tests.forked.process import Processes

POLL = 0.01
SETTINGS_OF_OTHERS = ("TEMPORAL_", "OPENAI_", "ERRAND_")


@dataclass(frozen=True)
class Running:
    pid: int
    ready_after: float
    """Seconds from its start."""


@dataclass(frozen=True)
class Scene:
    folder: Path
    address: str
    server: Running
    around: Surroundings
    plain: Client
    """With the default converter."""
    client: Client
    """The service's."""
    payload_keys: Path | None
    forks: Processes | None = None
    """Of workers whose start is not measured."""

    @asynccontextmanager
    async def running(self, worker: Part) -> AsyncGenerator[Running]:
        """The worker, whose start is not measured."""
        async with running(forked_part(worker, self.forks) if self.forks else worker, self.folder) as process:
            yield process


@asynccontextmanager
async def staged(folder: Path, *, encrypted: bool = False, forks: Processes | None = None) -> AsyncGenerator[Scene]:
    """Everything but the workers; gone afterwards.

    Args:
        folder: an empty directory.
        encrypted: whether the service encrypts its payloads and its ledger; the other one does not.
        forks: of workers whose start is not measured; by default these are started as all others.
    """
    deployment = Deployment.on_free_ports(folder)
    address = deployment.temporal_address
    async with surroundings() as around, running(_in_memory(deployment.temporal()), folder) as server:
        keys = _new_keys(folder / "payload-keys") if encrypted else None
        converter = data_converter("default", KeyRing.read(keys)) if keys else pydantic_data_converter
        client = await Client.connect(address, data_converter=converter)
        await register_search_attributes(client)
        yield Scene(folder, address, server, around, await Client.connect(address), client, keys, forks)


def _new_keys(file: Path) -> Path:
    file.write_text(f"bench {base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n", encoding="utf-8")
    return file


def _in_memory(server: Part) -> Part:
    """The embedded deployment's server, without its file."""
    words = list(server.command)
    while (at := next((i for i, word in enumerate(words) if word in ("--db-filename", "--sqlite-pragma")), -1)) >= 0:
        del words[at : at + 2]
    return replace(server, command=tuple(words))


def worker(name: str, command: Sequence[str], variables: Mapping[str, str]) -> Part:
    """A worker that writes "worker ready", with these variables and nobody else's settings."""
    usual = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS_OF_OTHERS)}
    environment = usual | {"NO_PROXY": "127.0.0.1,localhost"} | dict(variables)
    return Part(name, (sys.executable, *command), logs("worker ready"), environment, stops_within=10)


@asynccontextmanager
async def running(part: Part, folder: Path) -> AsyncGenerator[Running]:
    """
    Raises:
        DeploymentError: it did not become ready; the message ends with what it wrote last.
    """
    log = Log(folder / f"{part.name.replace(' ', '-')}-{time.monotonic_ns()}.log", 0)
    began = time.monotonic()
    process = await part.start(log)
    try:
        while not await part.is_ready(log):
            if process.returncode is not None or time.monotonic() - began > part.ready_within:
                raise DeploymentError(f"{part.name} did not become ready:\n{log.tail()}")
            await asyncio.sleep(POLL)
        yield Running(process.pid, time.monotonic() - began)
    finally:
        if process.returncode is None:
            await part.stop(process)
