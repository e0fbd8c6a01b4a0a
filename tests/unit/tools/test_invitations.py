"""send_invitation, against a real SMTP server; what it says is read back by a reader of calendars."""

from collections.abc import Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar, Event
from temporalio.exceptions import ApplicationError

from activities.ledger.ledger import Ledger
from activities.settings.mail import MailSettings
from activities.smtp.appointments import Appointment
from activities.smtp.message import Sender, printable
from activities.tools.invitations import send_invitation
from tests.conftest import new_ledger
from tests.unit.tools import mailing
from tests.unit.tools.mailing import Inbox
from workflows.contract.internal import ToolResult
from workflows.contract.values import Arguments

YEAR = datetime.now(UTC).year + 1
START = f"{YEAR}-07-01T14:00:00"


async def run(
    settings: MailSettings, ledger: Ledger, changes: Arguments | None = None, *, key: str = "r/1.0"
) -> ToolResult:
    filled: Arguments = {"to": ["ann@example.com"], "title": "Lunch", "start": START, "zone": "Europe/Paris"}
    return await mailing.run(send_invitation, filled | (changes or {}), settings, ledger, key=key)


def event_in(message: EmailMessage) -> tuple[Calendar, Event]:
    [_, part] = message.iter_parts()
    assert part.get_content_type() == "text/calendar"
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    calendar = Calendar.from_ical(content)
    assert isinstance(calendar, Calendar)
    [event] = calendar.events
    return calendar, event


async def test_an_invitation_is_something_to_answer(settings: MailSettings, ledger: Ledger, inbox: Inbox) -> None:
    """A request by the sender to everybody who gets it, which a calendar asks them about (RFC 5546 section 3.2.2)."""
    asked: Arguments = {
        "to": ["ann@example.com", "bob@corp.test"],
        "title": "Essen, später; vielleicht",
        "end": f"{YEAR}-07-01T15:30:00",
        "place": "Café, Raum 5",
        "description": "Erst essen,\n\tdann reden.",
    }
    result = await run(settings, ledger, asked)
    [message] = inbox.messages
    calendar, event = event_in(message)
    assert message["Subject"] == "Invitation: Essen, später; vielleicht"
    assert (calendar["METHOD"], calendar["VERSION"]) == ("REQUEST", "2.0")
    assert str(event["ORGANIZER"]) == "mailto:errand@example.com"
    assert event["ORGANIZER"].params["CN"] == "Errand"
    assert [str(each) for each in event.attendees] == ["mailto:ann@example.com", "mailto:bob@corp.test"]
    assert {(each.RSVP, str(each.PARTSTAT)) for each in event.attendees} == {(True, "NEEDS-ACTION")}
    assert (event.summary, event.location) == ("Essen, später; vielleicht", "Café, Raum 5")
    assert event.description == "Erst essen,\n dann reden."
    paris = ZoneInfo("Europe/Paris")
    assert (event.start, event.end) == (
        datetime(YEAR, 7, 1, 14, tzinfo=paris),
        datetime(YEAR, 7, 1, 15, 30, tzinfo=paris),
    )
    assert isinstance(result.value, dict)
    assert result.value["uid"] == event.uid
    assert result.value["accepted"] == ["ann@example.com", "bob@corp.test"]


async def test_whoever_has_no_calendar_reads_it(settings: MailSettings, ledger: Ledger, inbox: Inbox) -> None:
    """The text beside it says the same, on the clock of the zone."""
    await run(settings, ledger, {"place": "Room 5", "description": "Eat."})
    [text, _] = inbox.messages[0].iter_parts()
    when = f"{datetime(YEAR, 7, 1, tzinfo=UTC):%A}, 1 July {YEAR}, 14:00 to 15:00 (Europe/Paris)"
    assert text.get_content().strip().splitlines() == ["Lunch", "", f"When: {when}", "Where: Room 5", "", "Eat."]


async def test_one_call_is_one_appointment(settings: MailSettings, inbox: Inbox) -> None:
    """What calendars know it by follows from the call's key, as the Message-ID does."""
    for key in ("r/1.0", "r/1.0", "r/1.1"):
        async with aclosing(await Ledger.open(new_ledger())) as ledger:
            await run(settings, ledger, key=key)
    first, again, other = (event_in(message)[1].uid for message in inbox.messages)
    assert first == again != other
    assert [message["Message-ID"] for message in inbox.messages] == [f"<{uid}>" for uid in (first, again, other)]


@pytest.mark.parametrize(
    ("given", "length"),
    [
        ({}, timedelta(hours=1)),
        ({"minutes": 90}, timedelta(minutes=90)),
        ({"end": f"{YEAR}-07-01T16:00:00"}, timedelta(hours=2)),
        ({"end": f"{YEAR}-07-01T16:00:00", "minutes": 120}, timedelta(hours=2)),
        ({"end": f"{YEAR}-07-01T16:00:00+00:00"}, timedelta(hours=4)),
        ({"start": f"{YEAR}-07-01T14:00:00Z", "minutes": 5}, timedelta(minutes=5)),
    ],
)
async def test_how_long_it_lasts(
    settings: MailSettings, ledger: Ledger, inbox: Inbox, given: Arguments, length: timedelta
) -> None:
    await run(settings, ledger, given)
    event = event_in(inbox.messages[0])[1]
    assert event.duration == length


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"zone": "Europe/Pariss"}, "no time zone"),
        ({"start": "2020-01-01T14:00:00"}, "must lie in the next ten years"),
        ({"start": "9999-12-31T23:59:59"}, "must lie in the next ten years"),
        ({"end": START}, "must lie behind the start"),
        ({"end": f"{YEAR}-06-30T16:00:00"}, "must lie behind the start"),
        ({"end": f"{YEAR + 1}-07-01T16:00:00"}, "at most 31 days"),
        ({"end": f"{YEAR}-07-01T16:00:00", "minutes": 30}, "cannot both"),
        ({"minutes": 0}, "minutes"),
        ({"title": "Lunch\r\nATTENDEE:mailto:eve@evil.test"}, "one line"),
        ({"description": "a\0b"}, "control characters"),
        ({"to": []}, "to"),
    ],
)
async def test_what_makes_no_sense_goes_back_to_the_model(
    settings: MailSettings, ledger: Ledger, inbox: Inbox, changes: Arguments, why: str
) -> None:
    with pytest.raises(ApplicationError, match=why) as error:
        await run(settings, ledger, changes)
    assert error.value.type == "InvalidArguments"
    assert not inbox.envelopes


LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=80).filter(printable)
NASTY = st.lists(st.sampled_from(["\\n", "\\", ";", ",", ":", '"', "BEGIN:VEVENT", "ü", "x" * 70, " "]), max_size=9)
WORDS = LINE | NASTY.map("".join)


@given(title=WORDS, place=WORDS, lines=st.lists(WORDS, max_size=3), name=WORDS)
def test_a_text_is_only_a_text(title: str, place: str, lines: Sequence[str], name: str) -> None:
    """Whatever a title, a place, a description and the sender's name contain, they add nothing to the appointment."""
    begins = datetime(YEAR, 7, 1, 14, tzinfo=UTC)
    sender = Sender(name, "errand@example.com")
    to = ["a%b?c=d&e@example.com", "änn@example.com"]
    meant = Appointment("u@x", sender, to, title, begins, begins + timedelta(hours=1), place, "\n".join(lines))
    calendar = Calendar.from_ical(meant.request())
    assert isinstance(calendar, Calendar)
    [event] = calendar.events
    assert not {*event} - {
        *("UID", "SEQUENCE", "DTSTAMP", "DTSTART", "DTEND", "ORGANIZER", "ATTENDEE"),
        *("SUMMARY", "LOCATION", "DESCRIPTION"),
    }
    assert [str(each) for each in event.attendees] == [
        "mailto:a%25b%3Fc%3Dd%26e@example.com",
        "mailto:%C3%A4nn@example.com",
    ]
    assert (event.summary or "", event.location or "", event.description or "") == (title, place, "\n".join(lines))
