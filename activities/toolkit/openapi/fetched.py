"""The text of a document: from a file, or from a URL, where it is kept, and another in its place is refused."""

import hashlib
import os
from pathlib import Path

import httpx
import structlog

from activities.error_text import message_of
from activities.errors import ServiceRefused, ServiceUnavailable
from activities.http.guard import Guard, guard_of_source, guarded_client
from activities.toolkit.openapi.document import NoDocument
from activities.toolkit.openapi.settings import OpenApiSettings
from activities.toolkit.own_loop import in_own_loop

LONGEST_DOCUMENT = 64 * 1024 * 1024
SECONDS = 30.0

log = structlog.stdlib.get_logger(__name__)


def text_of(settings: OpenApiSettings, *, folder: Path, kept: Path, private: bool = False) -> bytes:
    """Read the text of a document, from its file or its URL.

    Args:
        settings: where it is, and which is accepted.
        folder: from which a relative path is seen.
        kept: the folder of the documents that were fetched.
        private: whether the URL may be at a private address although the settings do not say so.

    Raises:
        NoDocument: it cannot be had, or is another than the one that was accepted.
    """
    if settings.is_remote:
        guard = guard_of_source(private=private or settings.private)
        return _remote(settings, kept / hashlib.sha256(settings.document.encode()).hexdigest()[:32], guard)
    path = folder / Path(settings.document).expanduser()
    try:
        text = path.read_bytes()
    except OSError as error:
        raise NoDocument(f"{path}: {error.strerror or error}") from error
    _check(settings, text)
    return text


def _remote(settings: OpenApiSettings, path: Path, guard: Guard) -> bytes:
    old = path.read_bytes() if path.is_file() else None
    if old is not None and settings.sha256 and digest(old) == settings.sha256:
        return old
    try:
        new = in_own_loop(lambda: _fetch(settings.document, guard))
    except NoDocument as error:
        if old is None or settings.sha256:
            raise
        log.warning("the document that was kept is used", document=settings.document, why=str(error))
        return old
    _check(settings, new)
    if old is not None and new != old and not settings.sha256:
        raise NoDocument(
            f"{settings.document} gives another document than the one that was kept "
            f'({digest(old)[:12]}… before); look what changed, and accept it: sha256 = "{digest(new)}"'
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    # Beside it first: several workers may start at once, and one may be stopped in the middle.
    beside = path.with_suffix(f".{os.getpid()}")
    beside.write_bytes(new)
    beside.replace(path)
    return new


async def _fetch(url: str, guard: Guard) -> bytes:
    parts: list[bytes] = []
    length = 0
    try:
        async with guarded_client(guard, timeout=SECONDS) as client, client.stream("GET", url) as reply:
            if not reply.is_success:
                raise NoDocument(f"{url}: {reply.status_code} {reply.reason_phrase}".strip())
            async for part in reply.aiter_bytes():
                parts.append(part)
                length += len(part)
                if length > LONGEST_DOCUMENT:
                    raise NoDocument(f"{url}: it has more than {LONGEST_DOCUMENT:,} bytes")
    except (ServiceRefused, ServiceUnavailable) as error:
        raise NoDocument(f"{url}: {message_of(error)}") from error
    except httpx.HTTPError as error:
        raise NoDocument(f"{url}: it cannot be fetched: {type(error).__name__}") from error
    return b"".join(parts)


def _check(settings: OpenApiSettings, text: bytes) -> None:
    if settings.sha256 and digest(text) != settings.sha256:
        raise NoDocument(f'{settings.document} is not the accepted document: it has sha256 = "{digest(text)}"')


def digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
