"""Whoever stands in a file of contacts: a name becomes an address, which mail may then go to."""

import asyncio
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from activities.contacts.book import Contact, ContactBook, book_of
from activities.contacts.entry import Unreadable
from activities.errors import NotFound, ServiceUnavailable
from activities.settings.environment import PREFIX
from activities.toolkit.tool import tool

MOST = 20
"""Of those that are found."""


class ContactsSettings(BaseSettings):
    """`contacts`: a file of contacts, in vCard (.vcf) or as a table (.csv)."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, env_ignore_empty=True)

    contacts: Path

    @field_validator("contacts")
    @classmethod
    def _is_readable(cls, contacts: Path) -> Path:
        path = contacts.expanduser().absolute()
        book_of(path)
        return path


class FoundContact(BaseModel):
    """A person, or whatever else has a name and an address."""

    model_config = ConfigDict(frozen=True)

    name: str
    addresses: tuple[str, ...]
    organization: str = Field(default="", exclude_if=lambda value: not value)


class FoundContacts(BaseModel):
    """All that a name may mean; `left_out` is how many more there are."""

    model_config = ConfigDict(frozen=True)

    contacts: tuple[FoundContact, ...]
    left_out: int = Field(default=0, exclude_if=lambda number: not number)


@tool(about="{name}")
async def find_contact(name: str, *, settings: ContactsSettings) -> FoundContacts:
    """Look up somebody's email address in the contacts, by name.

    Args:
        name: The name or a part of it, for example "Ann" or "Ann Miller".

    Raises:
        NotFound: nobody has that name, or nobody of that name an address.
        ServiceUnavailable: the file of contacts is missing or broken just now.
    """
    found = await asyncio.to_thread(_find, settings.contacts, name)
    reachable = [each for each in found if each.addresses]
    if not found:
        raise NotFound(f"nobody in the contacts is called {name[:100]!r}")
    if not reachable:
        raise NotFound(f"{found[0].name} is in the contacts, but without an address that mail can be sent to")
    shown = tuple(
        FoundContact(name=each.name, addresses=each.addresses, organization=each.organization)
        for each in reachable[:MOST]
    )
    return FoundContacts(contacts=shown, left_out=len(reachable) - len(shown))


def _find(path: Path, name: str) -> list[Contact]:
    try:
        book: ContactBook = book_of(path)
    except Unreadable as error:
        # Whoever saves it at this moment is done with it in another.
        raise ServiceUnavailable(f"the contacts cannot be read: {error}") from error
    return book.find(name)
