"""What a command does where it cannot show it: its output is closed, or goes to a disk that is full."""

import os
import subprocess
import sys
from asyncio import to_thread
from collections.abc import Sequence

import pytest
from temporalio.client import Client

from client import handle_of, outcome
from tests.integration.cli.conftest import ROOT, CommandLine, Said, an_id
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import RequestStatus

pytestmark = pytest.mark.long

CLOSED, FULL = ">&-", ">/dev/full"
NO_SPACE = "error: the output cannot be written: No space left on device\n"


async def said(cli: CommandLine, redirected: str, *words: str) -> Said:
    """What a process says, and how it ends, whose streams a shell has redirected.

    One whose streams are closed is started anew, as that is when Python looks for them.
    """
    assert cli.python
    program = (str(ROOT / "client.py"), *words)
    started = (sys.executable, *program) if CLOSED in redirected else cli.python(*program)
    return await ended(cli, ["sh", "-c", f'exec "$@" {redirected}', "sh", *started], subprocess.PIPE)


async def unread(cli: CommandLine, *words: str) -> Said:
    """How a process ends whose output nobody reads, as behind `| head -1` once that has its line."""
    assert cli.python
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        return await ended(cli, cli.python(str(ROOT / "client.py"), *words), theirs)
    finally:
        os.close(theirs)


async def ended(cli: CommandLine, command: Sequence[str], out: int) -> Said:
    environment = {**os.environ, **cli.environment}
    nothing, piped = subprocess.DEVNULL, subprocess.PIPE
    end = await to_thread(
        subprocess.run, command, env=environment, stdin=nothing, stdout=out, stderr=piped, text=True, timeout=60
    )
    return Said(end.returncode, end.stdout or "", end.stderr)


async def test_a_request_whose_output_is_closed_is_carried_out_and_its_end_is_the_exit_code(
    cli: CommandLine, worker: ScriptedModel, client: Client
) -> None:
    worker.scripts["Say hello."] = [say("Hello.")]
    assert await said(cli, CLOSED, "submit", "Say hello.", "--id", (id := an_id())) == Said(0, "", "")
    assert (await outcome(handle_of(client, id))).status is RequestStatus.COMPLETED


async def test_a_request_whose_output_finds_no_space_goes_on_and_one_line_says_so(
    cli: CommandLine, worker: ScriptedModel, client: Client
) -> None:
    worker.scripts["Say hello."] = [say("Hello.")]
    assert await said(cli, FULL, "submit", "Say hello.", "--id", (id := an_id())) == Said(4, "", NO_SPACE)
    assert (await outcome(handle_of(client, id))).status is RequestStatus.COMPLETED


async def test_a_command_whose_reader_wants_no_more_ends_as_it_would_have(
    cli: CommandLine, worker: ScriptedModel, client: Client
) -> None:
    worker.scripts["Say hello."] = [say("Hello.")]
    assert await unread(cli, "submit", "Say hello.", "--id", (id := an_id())) == Said(0, "", "")
    assert (await outcome(handle_of(client, id))).status is RequestStatus.COMPLETED
    assert await unread(cli, "result", id) == Said(0, "", "")
    assert await unread(cli, "result", id, "--json") == Said(0, "", "")
    listed = await unread(cli, "list", "--limit", "1")
    assert (listed.code, "error" in listed.err) == (0, False)
    assert (await unread(cli, "result", an_id())).code == 2


async def test_a_request_that_ended_otherwise_still_ends_its_command_so_when_nobody_reads(
    cli: CommandLine, worker: ScriptedModel
) -> None:
    worker.scripts["Say hello."] = [calls(call("write_down", word="hello"))]
    assert await unread(cli, "submit", "Say hello.", "--yes", "--max-turns", "1", "--id", an_id()) == Said(1, "", "")


@pytest.mark.parametrize("word", ["schema", "--help"])
async def test_what_asks_nobody_ends_so_too(cli: CommandLine, word: str) -> None:
    assert await said(cli, CLOSED, word) == Said(0, "", "")
    assert await said(cli, FULL, word) == Said(4, "", NO_SPACE)
    assert await unread(cli, word) == Said(0, "", "")
    assert await said(cli, f"{CLOSED} 2>&- <&-", word) == Said(0, "", "")
    assert await said(cli, f"{FULL} 2>/dev/full", word) == Said(4, "", "")
