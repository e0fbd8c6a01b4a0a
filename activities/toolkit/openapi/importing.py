"""A source's document, compiled: what is offered of it, and why the rest of that is left out."""

from collections.abc import Sequence
from pathlib import Path

from activities.schema.json_schema import NotASchema, check
from activities.toolkit.definitions import in_one_line
from activities.toolkit.openapi.cache import compiled
from activities.toolkit.openapi.choosing import Found, offered, operations_in
from activities.toolkit.openapi.compiling import compile_operation
from activities.toolkit.openapi.credentials import filled_by
from activities.toolkit.openapi.document import Document, NoDocument, read_document
from activities.toolkit.openapi.fetched import text_of
from activities.toolkit.openapi.idempotency import likely_meant
from activities.toolkit.openapi.recipe import CannotImport, Compiled, Operation
from activities.toolkit.openapi.servers import NoServer, server_of
from activities.toolkit.openapi.settings import OpenApiSettings
from activities.toolkit.patterns import FitsNothing
from activities.toolkit.source_file import WrongKey
from activities.written_by_hand import did_you_mean


def import_document(
    source: str, settings: OpenApiSettings, *, folder: Path, kept: Path, private: bool = False
) -> Compiled:
    """Import a document, or take what is kept of it from an earlier start.

    Args:
        source: what it is called.
        settings: its table.
        folder: from which a relative path is seen.
        kept: the folder of what is kept from start to start.
        private: whether it may be at a private address although its table does not say so.

    Raises:
        WrongKey: the document cannot be read, or the table names what it does not have.
    """
    try:
        text = text_of(settings, folder=folder, kept=kept / "documents", private=private)
        beside = None if settings.is_remote else (folder / Path(settings.document).expanduser()).resolve().parent

        def compile() -> Compiled:
            return compile_document(source, settings, read_document(text, folder=beside))

        return compiled(text, source, settings, kept / "compiled", compile)
    except NoDocument as error:
        raise WrongKey("document", str(error)) from error


def compile_document(source: str, settings: OpenApiSettings, document: Document) -> Compiled:
    """Compile the operations that a source offers.

    Raises:
        NoDocument: its paths cannot be read.
        WrongKey: the table names what the document does not have.
    """
    every = operations_in(document, source)
    if not every:
        raise NoDocument("it has no operations")
    chosen = _offered(every, settings.offer)
    for name in settings.operation:
        _named(every, name, f"operation.{name}")
    operations: dict[str, Operation] = {}
    left_out: dict[str, str] = {}
    for found in chosen:
        try:
            operations[found.id] = _compiled(document, found, settings)
        except CannotImport as error:
            if named := _table_of(found, settings):
                raise WrongKey(f"operation.{named}", f"it cannot be imported: {error}") from error
            left_out[found.id] = str(error)
    looks = {
        name: _look(document, every, name, own.look, settings) for name, own in settings.operation.items() if own.look
    }
    return Compiled(
        title=document.title,
        operations=tuple(operations.values()),
        left_out=left_out,
        looks=looks,
        not_offered=len(every) - len(chosen),
        files=document.files,
    )


def _offered(every: Sequence[Found], patterns: Sequence[str]) -> Sequence[Found]:
    try:
        return offered(every, patterns)
    except FitsNothing as error:
        raise WrongKey("offer", f"no operation fits {error.pattern!r}{_like(every, error.pattern)}") from error


def _named(every: Sequence[Found], name: str, key: str) -> Found:
    for found in every:
        if name in (found.id, found.route):
            return found
    raise WrongKey(key, f"there is no operation {name!r}{_like(every, name)}")


def _table_of(found: Found, settings: OpenApiSettings) -> str:
    """The name by which a table is the operation's; nothing, where none is."""
    return next((name for name in (found.id, found.route) if name in settings.operation), "")


def _like(every: Sequence[Found], name: str) -> str:
    return did_you_mean(name, [name for each in every for name in dict.fromkeys((each.id, each.route))])


def _look(document: Document, every: Sequence[Found], of: str, name: str, settings: OpenApiSettings) -> Operation:
    key = f"operation.{of}.look"
    found = _named(every, name, key)
    own = settings.operation.get(_table_of(found, settings))
    if ((own and own.effect) or ("read" if found.method in ("GET", "HEAD") else "write")) != "read":
        raise WrongKey(key, f"{name} is no read")
    if found.method == "HEAD":
        raise WrongKey(key, f"{name} is a HEAD, whose answer has nothing to look at; name a GET")
    try:
        return _compiled(document, found, settings)
    except CannotImport as error:
        raise WrongKey(key, f"{name} cannot be imported: {error}") from error


def _compiled(document: Document, found: Found, settings: OpenApiSettings) -> Operation:
    table = _table_of(found, settings)
    own = settings.operation.get(table)
    filled = set(filled_by(settings.auth))
    if own and (named := own.idempotency_header):
        if meant := likely_meant(found, named):
            key = f"operation.{table}.idempotency_header"
            raise WrongKey(key, f"the operation takes no header {named}; did you mean {meant}?")
        filled.add(("header", named.lower()))
    try:
        server = settings.url or server_of(
            document, found, origin=settings.document if settings.is_remote else "", variables=settings.variables
        )
    except NoServer as error:
        raise WrongKey(error.key, str(error)) from error
    try:
        made = compile_operation(document, found, server=server, filled=frozenset(filled))
        check({"type": "object", **made.arguments})
    except CannotImport:
        raise
    except NotASchema as error:
        raise CannotImport(f"its arguments are no schema that can be used: {error}") from error
    except Exception as error:  # a stranger's document may be wrong in any way, and has others beside this one
        raise CannotImport(f"what the document says of it cannot be read: {in_one_line(error)}") from error
    return made
