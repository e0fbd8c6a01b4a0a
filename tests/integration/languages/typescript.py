"""The TypeScript of docs/contract, installed and compiled outside of it."""

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = ROOT / "docs" / "contract"
KEPT = ROOT / ".errand" / "contract"
"""Where a copy of the sources is, with what npm has installed: the next run finds it."""
TYPESCRIPT = KEPT / "typescript"
UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH", "ECONNRESET", "TIMEOUT")


def compiled() -> Path:
    """The folder with the clients in JavaScript."""
    with _installed():
        names = ("contract.d.ts", "errand.ts", "temporal-client.ts", "door-client.ts", "example.ts", "tsconfig.json")
        _once("compiled", tuple(f"typescript/{name}" for name in names), _compile)
    return TYPESCRIPT / "build"


def types() -> str:
    """contract.d.ts, made anew."""
    with _installed():
        _run("node", "types.mjs")
        made = (TYPESCRIPT / "contract.d.ts").read_text(encoding="utf-8")
        _copy()
    return made


@contextmanager
def _installed() -> Generator[None]:
    """A copy of the sources with their packages, for one test at a time: others run in processes of their own.

    A test without npm or its registry is skipped.
    """
    if not shutil.which("npm"):
        pytest.skip("there is no npm on this machine")
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _copy()
        _once("installed", ("typescript/package-lock.json",), _install)
        yield


def _copy() -> None:
    shutil.copytree(SOURCES, KEPT, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules", "build"))


def _once(what: str, names: tuple[str, ...], do: Callable[[], None]) -> None:
    """Do it where it was not done with these very files."""
    stamp, content = KEPT / what, b"".join((KEPT / name).read_bytes() for name in names)
    digest = hashlib.sha256(content).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        stamp.unlink(missing_ok=True)
        do()
        stamp.write_text(digest)


def _install() -> None:
    try:
        patience = ("--prefer-offline", "--fetch-retries=1", "--fetch-timeout=20000")
        _run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", *patience)
    except AssertionError as failed:
        if any(code in str(failed) for code in UNREACHABLE):
            pytest.skip("npm cannot reach its registry")
        raise


def _compile() -> None:
    _run(str(TYPESCRIPT / "node_modules" / ".bin" / "tsc"))


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=TYPESCRIPT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
