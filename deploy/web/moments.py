"""Times that callers send."""

import re
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator

A_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def _said_as_text(given: object) -> object:
    """Pydantic takes numbers for seconds or milliseconds since 1970, by how large they are."""
    if isinstance(given, datetime) or (isinstance(given, str) and A_DATE.match(given)):
        return given
    raise ValueError("expected a time as text (RFC 3339), such as 2026-01-31T08:00:00Z")


Moment = Annotated[AwareDatetime, BeforeValidator(_said_as_text)]
