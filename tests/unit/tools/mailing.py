"""A mail server that keeps what comes, and tools that send to it."""

import socket
from collections.abc import Generator
from contextlib import aclosing, contextmanager, suppress
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr
from temporalio.testing import ActivityEnvironment

from activities.errors import InvalidArguments
from activities.execution.act import Fence
from activities.execution.tool_activities import write_activity
from activities.ledger.ledger import Ledger
from activities.settings.mail import MailSettings
from activities.smtp.connections import MailConnections
from activities.toolkit.tool import tool_of
from workflows.contract.internal import AttemptBeat, ToolCall, ToolResult
from workflows.contract.values import Arguments


class Inbox:
    """A handler of aiosmtpd that keeps what comes; some recipients it refuses."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.refused: set[str] = set()

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 5.1.1 No such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.envelopes.append(envelope)
        return "250 2.0.0 Ok: queued as 4F2A"

    @property
    def messages(self) -> list[EmailMessage]:
        parser = BytesParser(policy=policy.default)
        return [parser.parsebytes(cast(bytes, each.content)) for each in self.envelopes]


@contextmanager
def serving(inbox: Inbox, *, utf8: bool = False) -> Generator[MailSettings]:
    """MailSettings by which tools find it. `utf8`: whether it takes addresses that are not ASCII."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port, ready_timeout=10, enable_SMTPUTF8=utf8)
    controller.start()
    try:
        yield MailSettings(
            smtp_url=SecretStr(f"smtp+plain://127.0.0.1:{port}"), mail_from="Errand <errand@example.com>"
        )
    finally:
        controller.stop()


async def counts(beat: AttemptBeat) -> None:
    """A fence that lets every attempt pass."""


async def run(
    function: object,
    arguments: Arguments,
    settings: MailSettings,
    ledger: Ledger,
    *,
    key: str = "r/1.0",
    fence: Fence = counts,
) -> ToolResult:
    """Run a tool that sends mail, as an activity."""
    tool = tool_of(function)
    assert tool is not None
    with suppress(InvalidArguments):  # as they are decided
        arguments = tool.validate(arguments).given
    call = ToolCall(key=key, tool=tool.name, arguments=arguments, chain="5eed")
    async with aclosing(MailConnections()) as connections:
        provisions: dict[type, object] = {MailSettings: settings, MailConnections: connections}
        return await ActivityEnvironment().run(write_activity(tool, provisions, ledger, fence=fence), call)
