"""The negative control's worker: `aiosmtplib.send` in an activity with Temporal's default retries.

TEMPORAL_ADDRESS says where the server is, NAIVE_SMTP_PORT where mail goes.
"""

import asyncio
import os
import sys
from contextlib import suppress
from datetime import timedelta
from email.message import EmailMessage

import aiosmtplib
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.temporal import connect
from tests.chaos.insist import insist

TASK_QUEUE = "naive"
SMTP_PORT = "NAIVE_SMTP_PORT"


@activity.defn
async def send_naively(token: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "errand@example.com", f"{token}@example.com", token
    mail["Message-ID"] = f"<{token}@example.com>"
    mail.set_content("Hello.")
    await aiosmtplib.send(
        mail,
        hostname="127.0.0.1",
        port=int(os.environ[SMTP_PORT]),
        start_tls=True,
        username="errand",
        password="secret",
        timeout=2,
    )


@workflow.defn
class SendNaively:
    @workflow.run
    async def run(self, token: str) -> None:
        await workflow.execute_activity(send_naively, token, start_to_close_timeout=timedelta(seconds=10))


async def send(client: Client, token: str) -> None:
    """Have it sent, and wait until the naive worker says so."""

    async def start() -> None:
        with suppress(WorkflowAlreadyStartedError):
            await client.start_workflow(
                SendNaively.run,
                token,
                id=token,
                task_queue=TASK_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            )

    await insist(start)
    with suppress(WorkflowFailureError):
        await insist(client.get_workflow_handle(token).result, each=300)


async def work() -> None:
    client = await connect()
    async with Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[SendNaively],
        activities=[send_naively],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        sys.stderr.write("worker ready\n")
        await asyncio.Event().wait()


def main() -> None:
    asyncio.run(work())
