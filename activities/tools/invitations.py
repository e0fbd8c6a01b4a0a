"""Invitations to an appointment, by mail: a calendar asks whoever gets one whether to accept (RFC 5545, 5546, 6047)."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from activities.errors import InvalidArguments
from activities.execution.act import Act
from activities.settings.mail import MailSettings
from activities.smtp.addresses import Recipients
from activities.smtp.appointments import Appointment
from activities.smtp.connections import MailConnections
from activities.smtp.message import Body, Mail, Subject, identity, printable
from activities.smtp.sending import SENDING, SENT, SentEmail, send, sender_of
from activities.toolkit.tool import tool
from activities.tools.dates import in_zone, zone_named
from workflows.contract.internal import ToolCall

LONGEST = timedelta(days=31)
FARTHEST = timedelta(days=3653)
USUAL_MINUTES = 60


def _lines(text: str) -> str:
    """Lines that end alike, and no empty ones at the end. A calendar's text has no other control characters (RFC 5545
    section 3.3.11)."""
    lines = [line.replace("\t", " ") for line in text.splitlines()]
    if not all(map(printable, lines)):
        raise ValueError("must have no control characters")
    return "\n".join(lines).rstrip("\n")


class SentInvitation(SentEmail):
    """`uid` is what calendars know the appointment by."""

    uid: str


@tool(
    about="to {to}: {title}, {start} {zone}",
    grounded=("to",),
    claim_verbs=(*SENT, "invited"),
    confirmed={"to": "accepted"},
    **SENDING,
)
async def send_invitation(
    to: Recipients,
    title: Subject,
    start: datetime,
    zone: str,
    end: datetime | None = None,
    minutes: Annotated[int | None, Field(gt=0, le=LONGEST // timedelta(minutes=1))] = None,
    place: Subject = "",
    description: Annotated[Body, AfterValidator(_lines)] = "",
    *,
    settings: MailSettings,
    connections: MailConnections,
    call: ToolCall,
    act: Act,
) -> SentInvitation:
    """Invite people to a meeting or another appointment, by email.

    Args:
        to: Email addresses of those who are invited.
        title: What it is, in a few words.
        start: When it begins, as 2026-01-31T14:00:00; without an offset, it is meant in the zone.
        zone: Name of the time zone, for example "Europe/Paris".
        end: When it ends, in the same way.
        minutes: How long it lasts, where no end is given; an hour, where neither is.
        place: Where it is, or the link to it.
        description: What it is about.

    Raises:
        InvalidArguments: there is no such zone, or the appointment is over or ends before it begins.
        ServiceUnavailable, ServiceRefused, OutcomeUnknown: as in `activities.smtp.sending`.
    """
    sender = sender_of(settings)
    begins, ends = _times(start, end, minutes, zone_named(zone))
    uid = f"{identity(call.key)}@{sender.address.rpartition('@')[2]}"
    appointment = Appointment(uid, sender, to, title, begins, ends, place, description)
    mail = Mail(sender, to, f"Invitation: {title}", appointment.in_words(), invitation=appointment.request())
    sent = await send(mail, to, settings=settings, connections=connections, call=call, act=act)
    return SentInvitation.model_validate({"uid": uid, **dict(sent)})


def _times(start: datetime, end: datetime | None, minutes: int | None, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When an appointment begins and ends, on the zone's clock."""
    now = datetime.now(UTC)
    begins = in_zone(start, zone)
    if not now < begins < now + FARTHEST:
        there = f"{now.astimezone(zone):%Y-%m-%d %H:%M}"
        raise InvalidArguments(f"the start must lie in the next ten years; there it is now {there}")
    if end is None:
        # Minutes pass everywhere alike, also where clocks change.
        return begins, (begins.astimezone(UTC) + timedelta(minutes=minutes or USUAL_MINUTES)).astimezone(zone)
    ends = in_zone(end, zone)
    length = ends.astimezone(UTC) - begins.astimezone(UTC)
    if not timedelta() < length <= LONGEST:
        raise InvalidArguments(f"the end must lie behind the start, by at most {LONGEST.days} days")
    if minutes not in (None, length / timedelta(minutes=1)):
        raise InvalidArguments(f"it cannot both take {minutes} minutes and end at {ends:%Y-%m-%d %H:%M}; leave one out")
    return begins, ends
