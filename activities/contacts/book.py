"""The contacts of a file, searched by name. A file is read once, and anew when it has changed."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from activities.contacts.csv_contacts import csv_entries
from activities.contacts.entry import Entry, Unreadable
from activities.contacts.vcard_contacts import vcard_entries
from activities.smtp.addresses import address

READERS: Mapping[str, Callable[[str], Iterable[Entry]]] = {
    ".csv": csv_entries,
    ".vcf": vcard_entries,
    ".vcard": vcard_entries,
}
"""By the end of a file's name."""


@dataclass(frozen=True)
class Contact:
    name: str
    organization: str
    addresses: tuple[str, ...]
    nicknames: str = ""

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(_words(f"{self.name} {self.nicknames} {self.organization}"))


@dataclass(frozen=True)
class ContactBook:
    contacts: tuple[Contact, ...]

    def find(self, name: str) -> list[Contact]:
        """Whoever has every word of a name in theirs, or in their organization's; where nobody has, whoever has words
        that begin so. Case and accents make no difference."""
        wanted = frozenset(_words(name))
        if not wanted:
            return []
        return [each for each in self.contacts if wanted <= each.words] or [
            each for each in self.contacts if all(any(own.startswith(word) for own in each.words) for word in wanted)
        ]


def book_of(path: Path) -> ContactBook:
    """The contacts of a file as it is now.

    Raises:
        Unreadable: the file is missing or broken; the message names it, and the line.
    """
    try:
        found = path.stat()
        return _read(path, (found.st_mtime_ns, found.st_size, found.st_ino))
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from error


@lru_cache(maxsize=4)
def _read(path: Path, version: tuple[int, ...]) -> ContactBook:
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise Unreadable(f"{path}: its name must end in one of {', '.join(READERS)}")
    contacts: dict[Contact, None] = {}
    try:
        for entry in reader(_text(path)):
            contacts[Contact(entry.name, entry.organization, _addresses(entry), entry.nicknames)] = None
    except Unreadable as error:
        raise Unreadable(f"{path}, {error}") from error
    return ContactBook(tuple(contacts))


def _text(path: Path) -> str:
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unreadable("it is not UTF-8; save it as UTF-8", line=line) from error


def _addresses(entry: Entry) -> tuple[str, ...]:
    """Those that mail can be sent to: exports have others too, such as those within an Exchange server."""
    found: dict[str, None] = {}
    for text in entry.addresses:
        with suppress(ValueError):
            found[address(text)] = None
    return tuple(found)


def _words(text: str) -> list[str]:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return re.findall(r"\w+", "".join(each for each in decomposed if not unicodedata.combining(each)))
