"""`worker.py --processes N`: one worker a core, which come and go together."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from activities.settings import Settings
from tests.forked.process import Process, Processes
from tests.integration.requests.asking import start
from tests.integration.requests.test_stopping import ROOT, variables_of
from tests.scripted_model import ScriptedModel, say


def ready_in(log: Path) -> int:
    return log.read_text().count("worker ready")


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@asynccontextmanager
async def two_workers(
    environment: Mapping[str, str], processes: Processes, log: Path
) -> AsyncGenerator[tuple[Process, list[int]]]:
    """The process that has started two workers which are ready, and their pids."""
    process = await processes.start(["worker.py", "--processes", "2"], environment, log)
    try:
        async with asyncio.timeout(60):
            while ready_in(log) < 2:
                await asyncio.sleep(0.05)
        yield process, children_of(process.pid)
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.long
async def test_several_workers_share_the_work_and_stop_together(
    temporal: WorkflowEnvironment, settings: Settings, model: ScriptedModel, processes: Processes, tmp_path: Path
) -> None:
    model.scripts["Hi"] = [say("Hello.")]
    async with two_workers(variables_of(temporal, settings), processes, tmp_path / "log") as (process, pids):
        assert len(pids) == 2
        handle = await start(temporal.client, settings, "Hi")
        assert (await handle.result()).summary == "Hello."
        process.terminate()
        async with asyncio.timeout(20):
            assert await process.wait() == 0
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_when_one_of_several_workers_dies_the_others_stop_and_whoever_started_them_is_told(
    tmp_path: Path,
) -> None:
    program = tmp_path / "worker.py"
    program.write_text("import os, time; os.write(1, f'{os.getpid()}\\n'.encode()); time.sleep(60)\n")
    serving = "import sys; from deploy.service.processes import *; sys.exit(serve_in(2, Path(sys.argv[1])))"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", serving, str(program)), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    try:
        async with asyncio.timeout(20):
            one, other = [int(await process.stdout.readline()) for _ in range(2)]
            os.kill(one, signal.SIGKILL)
            assert await process.wait() == 1
    finally:
        if process.returncode is None:
            process.terminate()
    with pytest.raises(ProcessLookupError):
        os.kill(other, 0)
