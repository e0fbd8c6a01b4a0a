"""An OpenID Connect issuer on loopback: its configuration, its keys, and the page where people sign in."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

AUDIENCE = "errand"
CLIENT = "desk"


@dataclass
class Issuer:
    """`identity` and `access` are claims of its ID and access tokens, `secret` is the client's, if it has one."""

    url: str = ""
    keys: list[ECKey | RSAKey] = field(default_factory=lambda: [ECKey.generate_key("P-256", {"kid": "1"})])
    name: str | None = None
    """What it calls itself, where that is not its URL."""
    asked: int = 0
    identity: dict[str, Any] = field(default_factory=dict[str, Any])
    access: dict[str, Any] = field(default_factory=dict[str, Any])
    secret: str = ""
    refuses: str = ""
    """With what it sends people back, where it does not let them in."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """What was asked for, by the code that was given for it."""

    def token(self, *, key: Any = None, alg: str = "ES256", kid: str = "1", **claims: object) -> str:
        usual = {"iss": self.url, "aud": AUDIENCE, "sub": "ann", "exp": int(time.time()) + 60, "scope": "errand:read"}
        left = {name: value for name, value in (usual | claims).items() if value is not None}
        return jwt.encode({"alg": alg, "kid": kid}, left, key or self.keys[-1], algorithms=[alg])

    def documents(self) -> dict[str, object]:
        return {
            "/keys": {"keys": [each.as_dict(private=False) for each in self.keys]},
            "/.well-known/openid-configuration": {
                "issuer": self.name or self.url,
                "jwks_uri": f"{self.url}/keys",
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
            },
        }

    def let_in(self, asked: dict[str, str]) -> str:
        """Where somebody who has signed in is sent back to."""
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        answer = {"error": self.refuses} if self.refuses else {"code": code}
        return f"{asked['redirect_uri']}?{urlencode({**answer, 'state': asked['state'], 'iss': self.url})}"

    def tokens(self, sent: dict[str, str], authorization: str) -> dict[str, object] | None:
        """For a code, once, and for who has asked for it; None for anybody else."""
        asked = self.codes.pop(sent["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(sent["code_verifier"].encode()).digest()).rstrip(b"=")
        basic = base64.b64encode(f"{CLIENT}:{self.secret}".encode()).decode()
        knows = authorization == f"Basic {basic}" if self.secret else sent.get("client_id") == CLIENT
        if not asked or not knows or challenge.decode() != asked["code_challenge"]:
            return None
        if sent["redirect_uri"] != asked["redirect_uri"]:
            return None
        identity: dict[str, Any] = {"aud": CLIENT, "nonce": asked["nonce"], "scope": None, **self.identity}
        return {"id_token": self.token(**identity), "access_token": self.token(**self.access), "token_type": "Bearer"}


@contextmanager
def serving() -> Generator[Issuer]:
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += 1
            where = urlsplit(self.path)
            if where.path == "/authorize":
                self.send_response(303)
                self.send_header("Location", issuer.let_in(dict(parse_qsl(where.query))))
                self.end_headers()
                return
            self.answer(200, issuer.documents()[where.path])

        def do_POST(self) -> None:
            sent = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            tokens = issuer.tokens(sent, self.headers.get("Authorization", ""))
            self.answer(400 if tokens is None else 200, tokens or {"error": "invalid_grant"})

        def answer(self, status: int, body: object) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
