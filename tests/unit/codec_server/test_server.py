"""The codec server answers as the Temporal UI and CLI ask, and only with the keys of whoever asks."""

import hashlib
import os
import subprocess
import threading
import time
from collections.abc import Generator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from pydantic_core import to_json
from starlette.testclient import TestClient
from temporalio.api.common.v1 import Payload, Payloads

from activities.encryption.codec import EncryptingCodec, is_encrypted
from activities.encryption.key_ring import KeyRing
from activities.errors import ConfigurationError
from deploy.codec_server.access import Access, Readers
from deploy.codec_server.server import application
from tests.forked import Forked
from tests.unit.encryption.keys import key_file, new_key, ring

ROOT = Path(__file__).parents[3]
UI = "https://temporal.example.com"
OLD, NEW = new_key(), new_key()
SAID = Payload(metadata={"encoding": b"json/plain"}, data=b'"hush"')
NAMESPACE = {"X-Namespace": "default"}


@pytest.fixture
def keys(tmp_path: Path) -> KeyRing:
    return ring(tmp_path, new=NEW, old=OLD)


async def encrypted(tmp_path: Path, namespace: str = "default") -> list[Payload]:
    """The same payload by each key, and in clear."""
    by_new = await EncryptingCodec(ring(tmp_path, new=NEW), namespace).encode([SAID])
    by_old = await EncryptingCodec(ring(tmp_path, old=OLD), namespace).encode([SAID])
    return [*by_new, *by_old, SAID]


def access(tmp_path: Path, text: str) -> Access:
    file = tmp_path / "access.toml"
    file.write_text(text)
    return Access.read(file)


def token(name: str, secret: str, keys: str) -> str:
    return f'[token.{name}]\nsha256 = "{hashlib.sha256(secret.encode()).hexdigest()}"\nkeys = ["{keys}"]\n'


def asked(
    client: TestClient, way: str, payloads: list[Payload], headers: Mapping[str, str] = NAMESPACE
) -> list[Payload]:
    answer = client.post(way, json=MessageToDict(Payloads(payloads=payloads)), headers=dict(headers))
    assert answer.status_code == 200, answer.text
    return list(ParseDict(answer.json(), Payloads()).payloads)


@pytest.mark.parametrize("way", ["/decode", "/decode?preserveStorageRefs=true", "/default/decode"])
async def test_what_is_encrypted_by_any_key_is_decrypted_and_what_is_in_clear_stays(
    keys: KeyRing, tmp_path: Path, way: str
) -> None:
    client = TestClient(application(keys, Readers(None, keys.keys)))
    headers = NAMESPACE if way.startswith("/decode") else {}
    assert asked(client, way, await encrypted(tmp_path), headers) == [SAID, SAID, SAID]


async def test_what_is_encoded_for_an_update_is_read_by_a_worker(keys: KeyRing) -> None:
    client = TestClient(application(keys, Readers(None, keys.keys)))
    sent = asked(client, "/encode", [SAID])
    assert all(map(is_encrypted, sent))
    assert await EncryptingCodec(keys, "default").decode(sent) == [SAID]


async def test_a_payload_of_another_namespace_stays_encrypted(keys: KeyRing, tmp_path: Path) -> None:
    client = TestClient(application(keys, Readers(None, keys.keys)))
    sent = await encrypted(tmp_path, "other")
    assert asked(client, "/decode", sent) == sent


async def test_a_token_reads_with_its_own_keys_only(keys: KeyRing, tmp_path: Path) -> None:
    may = access(tmp_path, token("support", "t0ken", "old"))
    client = TestClient(application(keys, Readers(may, keys.keys)))
    headers = {**NAMESPACE, "Authorization": "Bearer t0ken"}
    sent = await encrypted(tmp_path)
    assert asked(client, "/decode", sent, headers) == [sent[0], SAID, SAID]
    refused = client.post("/encode", json=MessageToDict(Payloads(payloads=[SAID])), headers=headers)
    assert (refused.status_code, refused.text) == (403, "the key new may not be used by this token")


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic dDBrZW4=", "t0ken"])
def test_without_a_token_that_is_known_nothing_is_answered(keys: KeyRing, tmp_path: Path, authorization: str) -> None:
    may = access(tmp_path, token("support", "t0ken", "*"))
    client = TestClient(application(keys, Readers(may, keys.keys)))
    for way in ("/decode", "/encode"):
        answer = client.post(way, json={"payloads": []}, headers={**NAMESPACE, "Authorization": authorization})
        assert answer.status_code == 401


@pytest.mark.parametrize("body", ["", '{"payloads": 7}', '{"other": 1}'])
def test_what_are_no_payloads_is_refused(keys: KeyRing, body: str) -> None:
    client = TestClient(application(keys, Readers(None, keys.keys)))
    assert client.post("/decode", content=body, headers=NAMESPACE).status_code == 400


def test_without_a_namespace_nothing_can_be_decrypted_and_it_says_so(keys: KeyRing) -> None:
    client = TestClient(application(keys, Readers(None, keys.keys)))
    answer = client.post("/decode", json={"payloads": []})
    assert (answer.status_code, answer.text) == (400, "expected the header X-Namespace, or /NAMESPACE/decode")


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [(UI, UI), (f"{UI}.evil.example", None), ("http://temporal.example.com", None), ("null", None)],
)
def test_a_browser_is_allowed_for_exactly_the_origins_that_are_named(
    keys: KeyRing, origin: str, allowed: str | None
) -> None:
    client = TestClient(application(keys, Readers(None, keys.keys), (UI,)))
    wanted = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,authorization-extras,content-type,x-namespace",
    }
    assert client.options("/decode", headers=wanted).headers.get("Access-Control-Allow-Origin") == allowed


class Provider:
    """An OpenID provider on loopback."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"})
        self.keys = {"keys": [self.key.as_dict(private=False)]}
        self.keys_at: str | None = None
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def signed(self, **changes: object) -> str:
        claims = {"iss": self.issuer, "aud": "temporal-ui", "exp": time.time() + 60, "groups": ["operators"]}
        return jwt.encode({"alg": "RS256", "kid": "1"}, claims | changes, self.key)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                about = {"issuer": provider.issuer, "jwks_uri": provider.keys_at or f"{provider.issuer}/keys"}
                body = to_json(about if self.path.endswith("openid-configuration") else provider.keys)
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


@pytest.fixture(scope="module")
def provider() -> Generator[Provider]:
    made = Provider()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def by_provider(keys: KeyRing, provider: Provider, tmp_path: Path) -> TestClient:
    oidc = f'[oidc]\nissuer = "{provider.issuer}"\naudience = "temporal-ui"\n[oidc.groups]\noperators = ["*"]\n'
    return TestClient(application(keys, Readers(access(tmp_path, oidc), keys.keys)))


async def test_a_token_of_the_provider_reads_what_its_groups_may(
    by_provider: TestClient, provider: Provider, tmp_path: Path
) -> None:
    sent = await encrypted(tmp_path)
    for groups, read in ((["operators"], [SAID, SAID, SAID]), (["others"], sent)):
        headers = {**NAMESPACE, "Authorization": f"Bearer {provider.signed(groups=groups)}"}
        assert asked(by_provider, "/decode", sent, headers) == read


@pytest.mark.parametrize(
    "changes",
    [{"exp": 1}, {"aud": "other"}, {"iss": "https://evil.example"}],
    ids=["expired", "for another audience", "of another issuer"],
)
def test_a_token_that_the_provider_did_not_give_for_this_is_refused(
    by_provider: TestClient, provider: Provider, changes: dict[str, object]
) -> None:
    headers = {**NAMESPACE, "Authorization": f"Bearer {provider.signed(**changes)}"}
    assert by_provider.post("/decode", json={"payloads": []}, headers=headers).status_code == 401


def test_a_token_that_anybody_can_make_is_refused(by_provider: TestClient, provider: Provider) -> None:
    claims = {"iss": provider.issuer, "aud": "temporal-ui", "exp": time.time() + 60, "groups": ["operators"]}
    secret = OctKey.import_key("x" * 32)
    unsigned = jwt.encode({"alg": "none", "kid": "1"}, claims, secret, algorithms=["none"])
    by_others = jwt.encode({"alg": "HS256", "kid": "1"}, claims, secret)
    for each in (unsigned, by_others):
        headers = {**NAMESPACE, "Authorization": f"Bearer {each}"}
        assert by_provider.post("/decode", json={"payloads": []}, headers=headers).status_code == 401


def test_a_provider_whose_keys_others_could_change_on_the_way_is_not_asked_for_them(
    keys: KeyRing, tmp_path: Path
) -> None:
    provider = Provider()
    provider.keys_at = "http://login.example.com/keys"
    oidc = f'[oidc]\nissuer = "{provider.issuer}"\naudience = "temporal-ui"\n[oidc.groups]\noperators = ["*"]\n'
    client = TestClient(application(keys, Readers(access(tmp_path, oidc), keys.keys)))
    headers = {**NAMESPACE, "Authorization": f"Bearer {provider.signed()}"}
    answer = client.post("/decode", json={"payloads": []}, headers=headers)
    provider.server.shutdown()
    provider.server.server_close()
    assert (answer.status_code, answer.text) == (
        503,
        f"the keys of {provider.issuer} cannot be fetched; the log says why",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "lets nobody in"),
        ("[token.a]\nsha256 = 'x'\nkeys = ['*']", "token.a.sha256"),
        (f"[token.a]\nsha256 = '{'0' * 64}'\nkeys = []", "token.a.keys"),
        ("[oidc]\nissuer = 'login.example.com'\naudience = 'a'\ngroups = {}", "oidc.issuer"),
        ("[oidc]\nissuer = 'http://login.example.com'\naudience = 'a'\ngroups = {}", "oidc.issuer"),
        ("[tokens.a]", "tokens: there is no such key; did you mean token?"),
        ("token", "it is no TOML: "),
    ],
)
def test_a_file_of_access_that_is_wrong_says_where(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        access(tmp_path, text)
    assert str(raised.value).startswith("ERRAND_CODEC_ACCESS: ")
    assert problem in str(raised.value)


def started(python: Forked, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ERRAND_")} | variables
    return subprocess.run(
        python("-m", "deploy.codec_server"),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_beyond_loopback_it_does_not_start_open_to_everybody(python: Forked, tmp_path: Path) -> None:
    keys = str(key_file(tmp_path, k1=new_key()))
    ended = started(python, ERRAND_PAYLOAD_KEYS=keys, ERRAND_CODEC_ADDRESS="0.0.0.0:8234")
    assert ended.returncode == 2
    assert "error: ERRAND_CODEC_ACCESS: missing; beyond loopback, it has to say who may read what" in ended.stderr


def test_without_keys_it_does_not_start(python: Forked) -> None:
    ended = started(python)
    assert ended.returncode == 2
    assert "error: ERRAND_PAYLOAD_KEYS: missing; there is nothing to decrypt with" in ended.stderr


def test_an_origin_that_is_not_exact_is_refused(python: Forked) -> None:
    ended = started(python, ERRAND_CODEC_ORIGINS="https://*.example.com")
    assert ended.returncode == 2
    assert "error: ERRAND_CODEC_ORIGINS: " in ended.stderr
