"""A document from a URL is kept with its hash, and another in its place is refused until it is accepted."""

import hashlib
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from activities.toolkit.openapi.document import NoDocument
from activities.toolkit.openapi.fetched import text_of
from activities.toolkit.openapi.settings import OpenApiSettings

OLD, NEW = b'{"openapi": "3.1.0"}', b'{"openapi": "3.0.0"}'


class Far(ThreadingHTTPServer):
    """A server of one document."""

    text = OLD
    asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/openapi.json"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Far)
        self.server.asked += 1
        self.send_response(200 if self.server.text else 503)
        self.end_headers()
        self.wfile.write(self.server.text)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def far() -> Generator[Far]:
    server = Far(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def _text(far: Far, kept: Path, sha256: str = "") -> bytes:
    settings = OpenApiSettings(document=far.url, private=True, sha256=sha256)
    return text_of(settings, folder=kept, kept=kept / "kept")


def _sha256(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def test_another_document_under_the_same_url_is_refused(far: Far, tmp_path: Path) -> None:
    assert _text(far, tmp_path) == OLD
    far.text = NEW
    with pytest.raises(NoDocument, match=f'accept it: sha256 = "{_sha256(NEW)}"'):
        _text(far, tmp_path)


def test_it_is_taken_once_its_hash_is_accepted(far: Far, tmp_path: Path) -> None:
    _text(far, tmp_path)
    far.text = NEW
    assert _text(far, tmp_path, _sha256(NEW)) == NEW


def test_an_accepted_document_is_not_fetched_again(far: Far, tmp_path: Path) -> None:
    _text(far, tmp_path, _sha256(OLD))
    asked = far.asked
    assert (_text(far, tmp_path, _sha256(OLD)), far.asked) == (OLD, asked)


def test_what_is_not_the_accepted_document_is_refused(far: Far, tmp_path: Path) -> None:
    with pytest.raises(NoDocument, match=f'it has sha256 = "{_sha256(OLD)}"'):
        _text(far, tmp_path, _sha256(NEW))


def test_the_kept_document_is_used_while_the_url_does_not_answer(far: Far, tmp_path: Path) -> None:
    _text(far, tmp_path)
    far.text = b""
    assert _text(far, tmp_path) == OLD


def test_without_a_kept_one_it_says_that_the_url_does_not_answer(far: Far, tmp_path: Path) -> None:
    far.text = b""
    with pytest.raises(NoDocument, match="503 Service Unavailable"):
        _text(far, tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoDocument, match=r"none\.yaml: No such file or directory"):
        text_of(OpenApiSettings(document="none.yaml"), folder=tmp_path, kept=tmp_path)


def test_a_url_at_a_private_address_is_not_asked_unless_it_is_said_to_be_private(far: Far, tmp_path: Path) -> None:
    settings = OpenApiSettings(document=far.url.replace("http:", "https:"))
    with pytest.raises(NoDocument, match=r"127\.0\.0\.1, which is no public address; private = true allows it"):
        text_of(settings, folder=tmp_path, kept=tmp_path / "kept")
    assert far.asked == 0
