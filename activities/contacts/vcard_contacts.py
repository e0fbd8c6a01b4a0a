"""Contacts in vCard 3.0 and 4.0 (RFC 2426, RFC 6350). Of a card only names and addresses are read."""

import re
from collections.abc import Iterator

from activities.contacts.entry import Entry, Unreadable

NAME = re.compile(r"(?:[\w-]+\.)?([\w-]+)[;:]")
"""Of a property, without the group before it."""
READ = ("VERSION", "FN", "N", "NICKNAME", "ORG", "EMAIL")
OF_PARTS = ("N", "ORG")
"""Their values have parts, which are told apart before what is escaped in them is read."""
MAILTO = re.compile("^mailto:", re.IGNORECASE)
VERSIONS = ("3.0", "4.0")


def vcard_entries(text: str) -> Iterator[Entry]:
    """The contacts of a file of cards.

    Raises:
        Unreadable: a line is none of a card; the message begins with the line.
    """
    began: int | None = None
    card: dict[str, list[str]] = {}
    for number, line in _unfolded(text):
        match line.strip().upper():
            case "":
                continue
            case "BEGIN:VCARD" if began is None:
                began, card = number, {}
            case "END:VCARD" if began is not None:
                yield _entry(card)
                began = None
            case _ if began is None or line.upper().startswith(("BEGIN:", "END:")):
                raise Unreadable("a card begins with BEGIN:VCARD and ends with END:VCARD", line=number)
            case _:
                name, value = _property(line, number)
                card.setdefault(name, []).append(value)
    if began is not None:
        raise Unreadable("the card that begins here has no END:VCARD", line=began)


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """The lines, each with the number of the first; one that begins with a space goes on with the one before it (RFC
    6350 section 3.2)."""
    began, pieces = 1, list[str]()
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        if line[:1] in (" ", "\t"):
            pieces.append(line[1:])
            continue
        if pieces:
            yield began, "".join(pieces)
        began, pieces = number, [line]
    yield began, "".join(pieces)


def _property(line: str, number: int) -> tuple[str, str]:
    """Name and value; the value only of what is read."""
    found = NAME.match(line)
    if found is None:
        raise Unreadable(f'"{line[:60]}" is no line of a card', line=number)
    name = found[1].upper()
    if name not in READ:
        return name, ""
    from icalendar.parser import Contentline  # it takes a seventh of a second to load

    try:
        _, _, value = Contentline(line).raw_parts() if name in OF_PARTS else Contentline(line).parts()
    except ValueError as error:
        raise Unreadable(f'"{line[:60]}" is no line of a card of version 3.0 or 4.0', line=number) from error
    if name == "VERSION" and value not in VERSIONS:
        raise Unreadable(f"vCard {value[:10]} is not read; export it as vCard 3.0 or 4.0, or as CSV", line=number)
    return name, value.strip()


def _entry(card: dict[str, list[str]]) -> Entry:
    family, given, *_ = [*_parts(card.get("N", [""])[0]), "", ""]
    [name, *_] = card.get("FN", [f"{given} {family}".strip()])
    company = _parts(card.get("ORG", [""])[0])[0]
    nicknames = " ".join(card.get("NICKNAME", ()))
    addresses = tuple(MAILTO.sub("", each) for each in card.get("EMAIL", ()) if each)
    return Entry(name or company, addresses, organization=company, nicknames=nicknames)


def _parts(value: str) -> list[str]:
    """Of a value that semicolons divide, as they are meant: an escaped semicolon divides nothing."""
    divided = re.sub(r"(\\.)|;", lambda found: found[1] or "\0", value).split("\0")
    return [re.sub(r"\\(.)", lambda found: " " if found[1] in "nN" else found[1], part).strip() for part in divided]
