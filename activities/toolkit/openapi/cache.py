"""What was compiled of a document, kept for the next start: a document of 13 MB is then read only to be hashed."""

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import structlog
from pydantic import ValidationError

from activities.toolkit.openapi.fetched import digest
from activities.toolkit.openapi.recipe import Compiled
from activities.toolkit.openapi.settings import OpenApiSettings

log = structlog.stdlib.get_logger(__name__)


def compiled(
    text: bytes, source: str, settings: OpenApiSettings, folder: Path, compile: Callable[[], Compiled]
) -> Compiled:
    """What was kept for the same document, settings and code; else what `compile` makes, which is kept."""
    key = hashlib.sha256("\n".join((_code(), source, settings.model_dump_json(), digest(text))).encode()).hexdigest()
    path = folder / f"{key[:40]}.json"
    try:
        kept = Compiled.model_validate_json(path.read_bytes())
        if all(_is_still(Path(file), sha256) for file, sha256 in kept.files.items()):
            return kept
    except (OSError, ValidationError):
        pass
    made = compile()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}")
        beside.write_text(made.model_dump_json(), encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        log.warning("what was compiled of a document cannot be kept", path=str(path), error=error.strerror)
    return made


def _is_still(path: Path, sha256: str) -> bool:
    return path.is_file() and digest(path.read_bytes()) == sha256


@cache
def _code() -> str:
    """Of this package: another version may compile otherwise."""
    texts = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    return digest(b"\0".join(texts))
