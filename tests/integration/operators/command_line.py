"""Temporal's own command line, as an operator types it."""

import asyncio
import os
import shlex
import subprocess
from functools import partial

from temporalio.client import Client

from tests.dev_server import TEMPORAL, variables_for


async def type_command(client: Client, command: str, *, workflow_id: str, activity_id: str = "?") -> str:
    """Carry out a command.

    Args:
        client: of the server that is meant.
        command: its words; `{id}` is the workflow's id, `{activity}` that of the activity.
        workflow_id: for `{id}`.
        activity_id: for `{activity}`.

    Returns:
        Why that cannot be done; nothing where it was.
    """
    words = [word.replace("{id}", workflow_id).replace("{activity}", activity_id) for word in shlex.split(command)]
    run = partial(
        subprocess.run,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | variables_for(client),
        check=False,
    )
    # In a thread, as uvloop copies the tables of all memory for each process that it starts: 12 ms.
    ended = await asyncio.to_thread(run, [TEMPORAL, *words])
    return ended.stdout if ended.returncode else ""
