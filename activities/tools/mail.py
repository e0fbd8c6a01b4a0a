"""Mail, over SMTP (RFC 5321)."""

from activities.execution.act import Act
from activities.settings.mail import MailSettings
from activities.smtp.addresses import Recipients
from activities.smtp.connections import MailConnections
from activities.smtp.message import Body, Mail, Subject
from activities.smtp.sending import SENDING, SENT, SentEmail, send, sender_of
from activities.toolkit.tool import tool
from workflows.contract.internal import ToolCall


@tool(about="to {to}", grounded=("to",), claim_verbs=SENT, confirmed={"to": "accepted"}, **SENDING)
async def send_email(
    to: Recipients,
    subject: Subject,
    body: Body,
    *,
    settings: MailSettings,
    connections: MailConnections,
    call: ToolCall,
    act: Act,
) -> SentEmail:
    """Send an email.

    Args:
        to: Email addresses of the recipients.
        subject: Subject line.
        body: Text of the message.

    Raises:
        ServiceUnavailable, ServiceRefused, OutcomeUnknown: as in `activities.smtp.sending`.
    """
    mail = Mail(sender_of(settings), to, subject, body)
    return await send(mail, to, settings=settings, connections=connections, call=call, act=act)
