"""An appointment that people are invited to, as a calendar reads it (RFC 5545) and asks about it (RFC 5546)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from activities.smtp.message import Sender


@dataclass(frozen=True)
class Appointment:
    """`begins` and `ends` are on the clock of one zone, of `zoneinfo`."""

    uid: str
    organizer: Sender
    attendees: Sequence[str]
    title: str
    begins: datetime
    ends: datetime
    place: str = ""
    description: str = ""

    def in_words(self) -> str:
        """For a reader whose program knows nothing of calendars."""
        end = f"{self.ends:%H:%M}" if self.ends.date() == self.begins.date() else _day_and_time(self.ends)
        lines = [self.title, "", f"When: {_day_and_time(self.begins)} to {end} ({self.begins.tzinfo})"]
        if self.place:
            lines.append(f"Where: {self.place}")
        if self.description:
            lines += ["", self.description]
        return "\n".join(lines)

    def request(self) -> bytes:
        """An iCalendar object of the method REQUEST, with one event.

        Its times are UTC: each calendar shows them on its owner's clock, and nobody has to know the rules of a zone.
        """
        from icalendar import Calendar, Event, vCalAddress  # it takes a seventh of a second to load

        name, address = self.organizer
        event = Event.new(
            uid=self.uid,
            sequence=0,
            stamp=datetime.now(UTC),
            start=self.begins.astimezone(UTC),
            end=self.ends.astimezone(UTC),
            summary=self.title,
            location=self.place or None,
            description=self.description or None,
            organizer=vCalAddress.new(_uri(address), cn=name or None),
            attendees=[
                vCalAddress.new(_uri(each), role="REQ-PARTICIPANT", partstat="NEEDS-ACTION", rsvp=True)
                for each in self.attendees
            ],
        )
        calendar = Calendar.new(prodid="-//Errand//Errand//EN", method="REQUEST", subcomponents=[event])
        del calendar["UID"]  # a random one, of no event
        return calendar.to_ical()


def _uri(address: str) -> str:
    """Without the characters that have a meaning in an address of the web (RFC 6068 section 2)."""
    return f"mailto:{quote(address, safe='@!$*+-._~')}"


def _day_and_time(time: datetime) -> str:
    return f"{time:%A}, {time.day} {time:%B %Y, %H:%M}"
