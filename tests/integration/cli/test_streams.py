"""What a command does where it cannot show it: its output is closed, or goes to a disk that is full."""

import os
import subprocess
import sys
from asyncio import to_thread

import pytest
from temporalio.client import Client

from client import handle_of, outcome
from tests.integration.cli.conftest import ROOT, CommandLine, Said, an_id
from tests.scripted_model import ScriptedModel, say
from workflows.contract.api import RequestStatus

CLOSED, FULL = ">&-", ">/dev/full"
NO_SPACE = "error: the output cannot be written: No space left on device\n"


async def said(cli: CommandLine, redirected: str, *words: str) -> Said:
    """What a process says, and how it ends, whose streams a shell has redirected.

    One whose streams are closed is started anew, as that is when Python looks for them.
    """
    assert cli.python
    program = (str(ROOT / "client.py"), *words)
    started = (sys.executable, *program) if CLOSED in redirected else cli.python(*program)
    command = ["sh", "-c", f'exec "$@" {redirected}', "sh", *started]
    environment = {**os.environ, **cli.environment}
    ended = await to_thread(
        subprocess.run, command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    return Said(ended.returncode, ended.stdout, ended.stderr)


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


@pytest.mark.parametrize("word", ["schema", "--help"])
async def test_what_asks_nobody_ends_so_too(cli: CommandLine, word: str) -> None:
    assert await said(cli, CLOSED, word) == Said(0, "", "")
    assert await said(cli, FULL, word) == Said(4, "", NO_SPACE)
    assert await said(cli, f"{CLOSED} 2>&- <&-", word) == Said(0, "", "")
    assert await said(cli, f"{FULL} 2>/dev/full", word) == Said(4, "", "")
