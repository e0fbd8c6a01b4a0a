"""Temporal's own command line, as an operator types it."""

import asyncio
import shlex

from temporalio.client import Client

from tests.conftest import TEMPORAL


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
    process = await asyncio.create_subprocess_exec(
        TEMPORAL,
        *words,
        "--address",
        client.service_client.config.target_host,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return said.decode() if process.returncode else ""
