"""Addresses that mail is sent to: `local@domain`, alone and in full."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated

import idna
from pydantic import AfterValidator, Field, WithJsonSchema

_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+")
_DOMAIN = re.compile(r"([a-z0-9-]+\.)+[a-z0-9-]*[a-z][a-z0-9-]*|localhost")


def address(text: str) -> str:
    """Hold `text` to what mail is sent to here: `local@domain`, without a name, a comment, quotes or an IP address.

    The part before the @ is a dot-atom (RFC 5322 section 3.2.3), with letters and digits of any script (RFC 6531
    section 3.3); not every server takes those. The domain comes back in lower case, and in the ASCII form of IDNA 2008
    if it was not ASCII. No domain is looked up, and none is special: `.test` and `.local` pass.

    Raises:
        ValueError: it is something else.
    """
    local, _, domain = text.rpartition("@")
    local = unicodedata.normalize("NFC", local)
    domain = _in_ascii(domain)
    if _is_local(local) and _DOMAIN.fullmatch(domain) and len(local.encode()) + len(domain) < 254:
        return f"{local}@{domain}"
    raise ValueError(f'"{text[:100]}" is not an address; give it alone and in full, for example "ann@example.com"')


@lru_cache(maxsize=4096)
def _in_ascii(domain: str) -> str:
    """Empty, where it is none. A file of contacts has few domains, and this is what takes the time."""
    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return ""


def _is_local(text: str) -> bool:
    """Whether it may stand before the @. What only looks like another letter (full width, ligatures) may not."""
    plain = "".join("x" if not each.isascii() and unicodedata.category(each)[0] in "LMN" else each for each in text)
    is_atoms = all(_ATOM.fullmatch(atom) for atom in plain.split("."))
    return is_atoms and len(text.encode()) <= 64 and unicodedata.is_normalized("NFKC", text)


def once_each(addresses: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(addresses))


Address = Annotated[str, AfterValidator(address), WithJsonSchema({"type": "string", "format": "email"})]
Copies = Annotated[tuple[Address, ...], AfterValidator(lambda given: tuple(once_each(given)))]
"""As many as a tool takes; a `Field` says how many."""
Recipients = Annotated[list[Address], Field(min_length=1, max_length=50), AfterValidator(once_each)]
