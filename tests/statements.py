"""SQL that is compiled once in a process of the tests, and not for every ledger that one of them opens: 10 ms each."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

_SQLITE: list[Dialect] = []
"""That of the first engine; by its dialect SQLAlchemy knows what it has compiled."""
_COMPILED: dict[object, object] = {}
_create_engine = sa.create_engine


def compile_once() -> None:
    """For every engine of SQLite that this process makes from now on."""
    sa.create_engine = _sharing


def _sharing(url: str | sa.URL, **options: Any) -> sa.Engine:  # pyright: ignore[reportAny, reportExplicitAny]  # SQLAlchemy's
    if sa.make_url(url).get_backend_name() != "sqlite":
        return _create_engine(url, **options)
    engine = _create_engine(url, execution_options={"compiled_cache": _COMPILED}, **options)
    if not _SQLITE:
        _SQLITE.append(engine.dialect)
    engine.dialect = _SQLITE[0]
    return engine
