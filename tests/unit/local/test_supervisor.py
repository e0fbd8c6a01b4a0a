"""The supervisor, with parts that are small real processes."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local.part import DeploymentError, Part, logs
from deploy.local.supervisor import LONGEST_PAUSE, Pauses, Supervisor

STAYS = "print('here I am', flush=True); import time; time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + STAYS
LEAVES_A_CHILD = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "


def part(name: str, program: str = STAYS, *, after: tuple[str, ...] = (), within: float = 20, stops: float = 5) -> Part:
    return Part(
        name=name,
        command=(sys.executable, "-c", program),
        is_ready=logs("here I am"),
        after=after,
        ready_within=within,
        stops_within=stops,
    )


def is_alive(pid: int, ask: Callable[[int, int], None] = os.kill) -> bool:
    try:
        ask(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.02)


async def test_a_part_that_is_killed_is_started_again_at_once(tmp_path: Path) -> None:
    said: list[str] = []
    async with Supervisor([part("one")], tmp_path, said.append) as supervisor:
        first = supervisor.pid("one")
        assert first
        os.kill(first, signal.SIGKILL)
        await until(lambda: sum("✓" in line for line in said) == 2)
        second = supervisor.pid("one")
        assert second
        assert second != first
    assert "one was ended by SIGKILL; starting it again" in said
    assert not is_alive(second)


async def test_a_part_starts_only_when_the_parts_it_needs_are_ready(tmp_path: Path) -> None:
    said: list[str] = []
    slow = "import time; time.sleep(0.5); " + STAYS
    async with Supervisor([part("later", after=("sooner",)), part("sooner", slow)], tmp_path, said.append):
        assert [line.split()[1] for line in said] == ["sooner", "later"]


async def test_a_part_that_cannot_start_ends_the_deployment_with_its_last_words(tmp_path: Path) -> None:
    said: list[str] = []
    parts = [part("broken", "raise SystemExit('no such luck')", after=("fine",)), part("fine")]
    with pytest.raises(DeploymentError, match=r"broken ended with status 1[\s\S]*no such luck"):
        async with Supervisor(parts, tmp_path, said.append):
            pytest.fail("it must not count as started")
    fine = int(said[0].split("process ")[1].rstrip(")"))
    assert not is_alive(fine)


async def test_a_part_that_is_never_ready_is_given_up_in_time(tmp_path: Path) -> None:
    silent = part("silent", "import time; time.sleep(600)", within=0.3)
    with pytest.raises(DeploymentError, match=r"silent was not ready within 0\.3 s"):
        async with Supervisor([silent], tmp_path, print):
            pytest.fail("it must not count as started")


async def test_a_part_that_ignores_sigterm_is_ended_with_its_children(tmp_path: Path) -> None:
    async with Supervisor([part("stubborn", LEAVES_A_CHILD + STUBBORN, stops=0.3)], tmp_path, print) as supervisor:
        pid = supervisor.pid("stubborn")
        assert pid
    assert not is_alive(pid)
    await until(lambda: not is_alive(pid, os.killpg))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent is gone")
async def test_no_part_outlives_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    program = f"""
import asyncio, sys
from pathlib import Path
from deploy.local.supervisor import Supervisor
from tests.unit.local.test_supervisor import part

async def main():
    async with Supervisor([part("orphan")], Path({str(tmp_path)!r}), lambda _: None) as supervisor:
        print(supervisor.pid("orphan"), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout
    orphan = int(await parent.stdout.readline())
    assert is_alive(orphan)
    parent.kill()
    await parent.wait()
    await until(lambda: not is_alive(orphan))


def test_a_part_that_keeps_dying_is_started_again_ever_more_slowly() -> None:
    pauses = Pauses()
    assert [pauses.after(0.5) for _ in range(8)] == [0, 1, 2, 4, 8, 16, LONGEST_PAUSE, LONGEST_PAUSE]
    assert pauses.after(60) == 0
    assert pauses.after(0.5) == 1
