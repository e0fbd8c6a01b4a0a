"""Keeps secrets out of all that is kept or shown: history, conversation, ledger, log and terminal.

    SECRETS.add(token)                  # whoever reads a secret adds it
    SECRETS.add_settings(settings)      # every `SecretStr` of a settings object, and every password in a URL
    redacted(f"no such key: {token}")   # "no such key: [redacted]"

A secret is found in clear, URL-quoted, in base64 (also as a part of what was encoded, such as `user:password`), and in
the escapes of JSON and of `repr`. One of fewer than 6 characters is not looked for: so short a text stands in too many
others. What a stranger wrote is redacted before it is shortened, because half a secret is not found.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar, cast
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from pydantic import BaseModel, JsonValue, SecretBytes, SecretStr

REDACTED = "[redacted]"
SHORTEST = 6
"""Characters of a secret that is looked for."""
SECRET_PARAMETERS = ("key", "token", "secret", "password", "sig", "auth")
"""What the name of a parameter of a URL contains whose value is secret."""

M = TypeVar("M", bound=BaseModel)


class Secrets:
    """What must not be seen, in every form in which it might be."""

    def __init__(self) -> None:
        self._forms: tuple[str, ...] = ()
        """The longest first, so that a URL goes before the password in it."""
        self._lasting = frozenset[str]()
        """The forms of the secrets that are never forgotten."""
        self._passing: dict[str, frozenset[str]] = {}
        """Secret → its forms, of those that are over after a time."""

    def add(self, *secrets: str) -> None:
        """From now on these are redacted, unless they are too short."""
        self._lasting |= _long_enough(secrets)
        self._order()

    def add_passing(self, secret: str) -> None:
        """Redact a secret until it is forgotten, such as an access token."""
        self._passing[secret] = _long_enough([secret])
        self._order()

    def forget(self, secret: str) -> None:
        """One that is over, unless it is one for good too."""
        self._passing.pop(secret, None)
        self._order()

    def _order(self) -> None:
        self._forms = tuple(sorted(self._lasting.union(*self._passing.values()), key=len, reverse=True))

    def add_headers(self, *values: str) -> None:
        """Add what stands in headers: a far end may give "Bearer TOKEN" back as TOKEN."""
        self.add(*values, *(value.partition(" ")[2] for value in values))

    def add_settings(self, settings: BaseModel) -> tuple[str, ...]:
        """Add every secret of a settings object.

        Returns:
            The fields whose secret is too short to be redacted.
        """
        found = {name: list(_secrets_in(value)) for name, value in settings}
        self.add(*(secret for secrets in found.values() for secret in secrets))
        return tuple(name for name, secrets in found.items() if any(0 < len(each) < SHORTEST for each in secrets))

    def redact(self, text: str) -> str:
        """The text without any secret."""
        for form in self._forms:
            text = text.replace(form, REDACTED)
        return text

    def redact_beginning(self, text: str, length: int) -> str:
        """Of a text of more characters, the beginning, which does not end with half a secret: to look for every secret
        in megabytes takes seconds."""
        if len(text) <= length:
            return self.redact(text)
        longest = len(self._forms[0]) if self._forms else 0
        found = self.redact(text[:length])
        return found[: max(len(found) - longest, 0)]

    def redact_value(self, value: JsonValue) -> JsonValue:
        """The value without any secret in its texts and names; the very same where there is none."""
        return self._clean(value) if self._are_in("\n".join(_texts(value))) else value

    def redact_json(self, text: str) -> str:
        """JSON that stays JSON, although a number in it may look like a secret; any other text as by `redact`."""
        if not self._are_in(text):
            return text
        try:
            return json.dumps(self._clean(json.loads(text)))
        except (ValueError, RecursionError):
            return self.redact(text)

    def redact_message(self, message: M, as_json: str) -> M:
        """The message, of which the JSON is given too, without any secret; the very same where there is none."""
        if not self._are_in(as_json):
            return message
        return type(message).model_validate(self._clean(message.model_dump(mode="json")))

    def _are_in(self, text: str) -> bool:
        return any(form in text for form in self._forms)

    def _clean(self, value: JsonValue) -> JsonValue:
        match value:
            case str():
                return self.redact(value)
            case list():
                return [self._clean(each) for each in value]
            case dict():
                return {self.redact(name): self._clean(each) for name, each in value.items()}
            case _:
                return value


SECRETS = Secrets()
"""Those of this process."""

redacted = SECRETS.redact


def _texts(value: JsonValue) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from _texts(each)
        case dict():
            yield from value
            yield from _texts(list(value.values()))
        case _:
            pass


def _secrets_in(value: object) -> Iterator[str]:
    match value:
        case SecretStr():
            secret = value.get_secret_value()
            if not _is_only_a_place(secret):
                yield secret
            yield from _inside_url(secret)
        case SecretBytes():
            yield value.get_secret_value().decode(errors="replace")
        case str():
            yield from _inside_url(value)
        case BaseModel():
            yield from _secrets_in(dict(value))
        case Mapping():
            yield from _secrets_in(list(cast("Mapping[object, object]", value).values()))
        case list() | tuple():
            for each in cast("Iterable[object]", value):
                yield from _secrets_in(each)
        case _:
            pass


def _is_only_a_place(text: str) -> bool:
    """Whether it is a URL of scheme, host and port, which is no secret although it is kept as one."""
    try:
        url = urlsplit(text)
    except ValueError:
        return False
    return bool(url.netloc) and "@" not in url.netloc and not url.path.strip("/") and not url.query


def _inside_url(text: str) -> Iterator[str]:
    """The password of a URL, as it is written and as it is meant, and what is secret among its parameters."""
    if found := re.search("://[^/:@]*:(.*)@", text):
        # Where it holds a bare @, nobody knows where it ends.
        parts = (part for part in found[1].split("@") if len(part) >= SHORTEST)
        yield from (each for password in (found[1], *parts) for each in (password, unquote(password)))
    for name, value in parse_qsl(text.partition("?")[2]) if "://" in text else ():
        if any(each in name.casefold() for each in SECRET_PARAMETERS):
            yield value


def _long_enough(secrets: Iterable[str]) -> frozenset[str]:
    """The forms of those that are looked for."""
    return frozenset(form for each in map(str.strip, secrets) if len(each) >= SHORTEST for form in _forms(each))


def _forms(secret: str) -> set[str]:
    written = {secret, *_url_quoted(secret)}
    for _ in range(2):  # a line of JSON may hold the `repr` of what holds the secret
        written |= {escaped for each in written for escaped in _escaped(each)}
    encoded = set(_base64(secret.encode(errors="replace")))
    return written | encoded | {quoted for each in encoded for quoted in _url_quoted(each)}


def _url_quoted(text: str) -> Iterator[str]:
    """By the rules for a parameter, a path and a form; hexadecimal digits are of either case."""
    for safe in ("", "/"):
        quoted = quote(text, safe=safe, errors="replace")
        yield from (quoted, re.sub("%..", lambda found: found[0].lower(), quoted), quoted.replace("%20", "+"))


def _escaped(text: str) -> Iterator[str]:
    """By JSON, in three ways, and by Python."""
    as_json = json.dumps(text)[1:-1]
    yield from (as_json, as_json.replace("/", r"\/"), json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1])


def _base64(secret: bytes) -> Iterator[str]:
    """For each of the three places where it may begin in a group of three bytes: the characters that hold nothing but
    the secret, in either alphabet, and as some write it in JSON."""
    for place in range(3):
        encoded = b64encode(bytes(place) + secret).decode()
        own = encoded[(place * 8 + 5) // 6 : (place + len(secret)) * 8 // 6]
        yield from (own, own.replace("+", "-").replace("/", "_"), own.replace("/", r"\/"))
