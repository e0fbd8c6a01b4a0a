"""An export of the ledger's writes in which a changed or missing row shows.

A file has one JSON object a line: first what was exported, then one for each row, by the time it was begun and its key,
then the head. Each line but the last is `{"content": …, "previous": …, "hash": …}`: `previous` is the hash of the line
before it, and `hash` the SHA-256 of `[previous, content]` as JSON with sorted names, no spaces and only ASCII. So the
head, which is the hash of the last of them, changes with every row. Whoever can write the file can make a new chain;
only a head that is kept elsewhere shows that.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from activities.errors import ConfigurationError
from workflows.contract.values import sha256

if TYPE_CHECKING:
    from activities.ledger.damage import DamagedRow
    from activities.ledger.ledger import Ledger
    from activities.ledger.rows import Action

FORMAT = "errand-audit-1"
FIRST = "0" * 64
"""The previous hash of a file's first line."""
SETTLED = frozenset({"state", "result", "error", "finished_at", "resolved_by"})
MAY_CHANGE: dict[JsonValue, frozenset[str]] = {
    "done": frozenset(),
    "unknown": SETTLED,
    "begun": SETTLED | {"approved_by", "attempt", "begun_at"},
    "not_done": SETTLED | {"approved_by", "attempt", "begun_at"},
}
"""What may change of a row that was in this state when it was exported. One that is not done may be begun again."""
MEANWHILE = timedelta(minutes=1)
"""A row begun so shortly before the export may have been committed after it."""


class Scope(BaseModel):
    """The first line's content: what was exported."""

    model_config = ConfigDict(frozen=True)

    format: str = FORMAT
    ledger: str
    """Its identity, which a copy of it has too."""
    since: datetime | None
    until: datetime


class Link(BaseModel):
    """One line of the chain."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    content: dict[str, JsonValue]
    previous: str
    hash: str

    @classmethod
    def after(cls, previous: str, content: dict[str, JsonValue]) -> "Link":
        return cls(content=content, previous=previous, hash=_hash(previous, content))

    @property
    def holds(self) -> bool:
        return self.hash == _hash(self.previous, self.content)


class Head(BaseModel):
    """The last line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    head: str
    rows: int


class Verified(BaseModel):
    """What a check of a file came to."""

    model_config = ConfigDict(frozen=True)

    head: str
    rows: int
    problems: tuple[str, ...] = ()
    """What must not be: the file was changed, or the ledger was."""
    moved_on: tuple[str, ...] = ()
    """Rows that were not final when they were exported, and have changed as such rows may."""


async def export(
    ledger: "Ledger", since: datetime | None, damaged: "list[DamagedRow] | None" = None
) -> tuple[list[str], Head]:
    """The lines of an export of all writes begun since a moment, and its head.

    Args:
        ledger: whose rows.
        since: when the first was begun; None for all.
        damaged: is given the rows that cannot be read and so are left out; without it, the first of them is raised.
    """
    until = await ledger.upkeep.clock()  # by which rows are begun: one begun later is not missing from the file
    rows = await ledger.upkeep.between(since, until, damaged)
    links = [Link.after(FIRST, Scope(ledger=ledger.identity, since=since, until=until).model_dump(mode="json"))]
    for row in rows:
        links.append(Link.after(links[-1].hash, content(row)))
    head = Head(head=links[-1].hash, rows=len(rows))
    return [*(link.model_dump_json() for link in links), head.model_dump_json()], head


def content(row: "Action") -> dict[str, JsonValue]:
    """A row as it is exported: without its token, which is a secret of the attempt that holds it; times in UTC."""
    values: dict[str, Any] = row.model_dump(mode="json", exclude={"token"})
    times = {name: getattr(row, name) for name in ("begun_at", "finished_at")}
    return values | {name: at and at.astimezone(UTC).isoformat() for name, at in times.items()}


async def verify(file: Path, ledger: "Ledger | None", *, head: str | None = None) -> Verified:
    """Check a file against itself, against a head that was kept elsewhere, and against the ledger.

    Args:
        file: an export.
        ledger: None leaves the ledger out.
        head: as `export` gave it.

    Raises:
        ConfigurationError: it cannot be read, or is no export; or the head is empty, which would check nothing.
    """
    if head is not None and not head.strip():
        raise ConfigurationError("--head is empty: give the head that was kept, or leave --head out")
    scope, links, last = _read(file)
    problems = list(_breaks(links))
    if last is None:
        problems.append("the last line, with the head, is missing: the end was cut off")
    elif (last.head, last.rows) != (links[-1].hash, len(links) - 1):
        problems.append(f"the head is of {last.rows} rows, and the file has {len(links) - 1}, or others")
    if head is not None and head != links[-1].hash:
        problems.append(f"the head is {links[-1].hash}, and not the one that was kept")
    moved = list[str]()
    if ledger:
        differences, moved = await _compared(scope, [link.content for link in links[1:]], ledger)
        problems += differences
    return Verified(head=links[-1].hash, rows=len(links) - 1, problems=tuple(problems), moved_on=tuple(moved))


def _read(file: Path) -> tuple[Scope, list[Link], Head | None]:
    try:
        lines = file.read_text(encoding="utf-8").rstrip("\n").split("\n")
        *_, last = objects = [json.loads(line, object_pairs_hook=_each_once) for line in lines]
        is_whole = "head" in last
        links = [Link.model_validate(each) for each in (objects[:-1] if is_whole else objects)]
        scope = Scope.model_validate(links[0].content if links else {})
        return scope, links, Head.model_validate(last) if is_whole else None
    except (OSError, ValidationError, ValueError, TypeError) as error:
        raise ConfigurationError(f"{file} is no export of `client.py audit`: {error}") from error


def _each_once(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    """An object. Of one in which a name is there twice, some readers see the first and others the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name in found if [each for each, _ in pairs].count(name) > 1)
        raise ValueError(f"{twice} is there twice")
    return found


def _breaks(links: Sequence[Link]) -> Iterator[str]:
    before = FIRST
    for number, link in enumerate(links, start=1):
        what = f"line {number} ({link.content.get('key', 'what was exported')})"
        if not link.holds:
            yield f"{what} was changed: its hash is of another content"
        if link.previous != before:
            yield f"{what} does not follow the line before it: a line was removed, added, moved or changed"
        before = link.hash


async def _compared(
    scope: Scope, exported: Sequence[dict[str, JsonValue]], ledger: "Ledger"
) -> tuple[list[str], list[str]]:
    if scope.ledger != ledger.identity:
        return [f"it was exported from ledger {scope.ledger}, and this one is {ledger.identity}"], []
    damaged: list[DamagedRow] = []
    there = {row.key: row for row in await ledger.upkeep.between(scope.since, scope.until, damaged)}
    problems, moved = [str(each) for each in damaged], list[str]()
    unread = {each.key for each in damaged}
    for row in exported:
        key = str(row["key"])
        if key in unread:
            continue
        now = there.pop(key, None) or await ledger.find(key)
        if now is None:
            problems.append(f"{key} is no longer in the ledger")
        elif changed := [name for name, value in content(now).items() if sha256(row.get(name)) != sha256(value)]:
            may_be = MAY_CHANGE.get(row["state"], frozenset()).issuperset(changed)
            told = f"{key}: {', '.join(changed)} changed in the ledger: {row['state']} then, {now.state} now"
            (moved if may_be else problems).append(told + _settled(now))
    for row in there.values():
        told = f"{row.key} is in the ledger, begun {row.begun_at:%Y-%m-%d %H:%M:%S} UTC, and not in the file"
        (moved if row.begun_at > scope.until - MEANWHILE else problems).append(told)
    return problems, moved


def _settled(row: "Action") -> str:
    return f", settled by {row.resolved_by}" if row.resolved_by else ""


def _hash(previous: str, content: dict[str, JsonValue]) -> str:
    return sha256([previous, content])
