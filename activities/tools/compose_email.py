"""Mail with everything that a mail may have: copies, another address for replies, HTML, files."""

from typing import Annotated

from pydantic import Field

from activities.execution.act import Act
from activities.settings.mail import MailSettings
from activities.smtp.addresses import Copies, Recipients, once_each
from activities.smtp.attachments import Attachment, from_results
from activities.smtp.connections import MailConnections
from activities.smtp.html import Html
from activities.smtp.message import Body, Mail, Subject
from activities.smtp.sending import SENDING, SENT, SentEmail, send, sender_of
from activities.toolkit.tool import tool
from workflows.contract.internal import ToolCall

MOST_COPIES = 25
"""Of either kind: with the recipients at most 100, which every server takes (RFC 5321 section 4.5.3.1.8)."""


@tool(
    about="to {to} {cc} {bcc}",
    grounded=("to", "cc", "bcc", "reply_to"),
    claim_verbs=SENT,
    confirmed={"to": "accepted", "cc": "accepted", "bcc": "accepted", "reply_to": ""},
    same_as="send_email",
    fill=from_results,
    **SENDING,
)
async def compose_email(
    to: Recipients,
    subject: Subject,
    body: Body,
    cc: Annotated[Copies, Field(max_length=MOST_COPIES)] = (),
    bcc: Annotated[Copies, Field(max_length=MOST_COPIES)] = (),
    reply_to: Annotated[Copies, Field(max_length=5)] = (),
    html: Html = "",
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=10)] = (),
    *,
    settings: MailSettings,
    connections: MailConnections,
    call: ToolCall,
    act: Act,
) -> SentEmail:
    """Send an email that has copies, attachments, an HTML version or another address for replies.

    Args:
        to: Email addresses of the recipients.
        subject: Subject line.
        body: Text of the message.
        cc: Email addresses that get a copy.
        bcc: Email addresses that get a copy of which the other recipients do not know.
        reply_to: Email addresses that replies go to, instead of the sender's.
        html: The same text as HTML. Links, tables and inline colours are kept; images, scripts and forms are not.
        attachments: Files. The name of each ends in .csv, .tsv, .json, .txt, .log or .md; the content is its text. For
            a file with the result of an earlier call, leave the content out: from_result names the function, or the id
            of the call.

    Raises:
        ServiceUnavailable, ServiceRefused, OutcomeUnknown: as in `activities.smtp.sending`.
    """
    files = tuple(each.file for each in attachments)
    mail = Mail(sender_of(settings), to, subject, body, cc=cc, reply_to=reply_to, html=html, attachments=files)
    recipients = once_each((*to, *cc, *bcc))
    return await send(mail, recipients, settings=settings, connections=connections, call=call, act=act)
