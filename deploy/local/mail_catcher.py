"""An SMTP server that delivers nothing and keeps what it receives, each mail as an .eml file.

python -m deploy.local.mail_catcher PORT FOLDER
"""

import asyncio
import os
import sys
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from uuid import uuid4

from aiosmtpd.smtp import SMTP, Envelope, Session


class MailCatcher:
    """Keeps each mail in `folder` before it says that it has it; file names sort by time of arrival."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{uuid4().hex[:8]}"
        recipients = ", ".join(envelope.rcpt_tos)
        trace = f"X-Envelope-From: {envelope.mail_from}\r\nX-Envelope-To: {recipients}\r\n".encode()
        await asyncio.to_thread(self._keep, name, trace + (envelope.original_content or b""))
        return f"250 OK kept as {name}"

    def _keep(self, name: str, content: bytes) -> None:
        unfinished = self._folder / f"{name}.part"
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(self._folder / f"{name}.eml")


def kept_mails(folder: Path) -> dict[Path, EmailMessage]:
    """The mails in a catcher's folder, in the order of their arrival."""
    return {file: message_from_bytes(file.read_bytes(), policy=policy.default) for file in sorted(folder.glob("*.eml"))}


async def serve(port: int, folder: Path) -> None:
    catcher = MailCatcher(folder)

    def session() -> SMTP:
        return SMTP(catcher, hostname="localhost", enable_SMTPUTF8=True)

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
