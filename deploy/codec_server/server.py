"""POST /decode and /encode as the Temporal UI and CLI ask for them: https://docs.temporal.io/codec-server.

The body is JSON of `temporal.api.common.v1.Payloads`, and so is the answer. The namespace is in the header
`X-Namespace`, or comes first in the path.
"""

from collections.abc import Sequence

import structlog
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from temporalio.api.common.v1 import Payload, Payloads

from activities.encryption.codec import EncryptingCodec, is_encrypted, key_id_of
from activities.encryption.key_ring import KeyRing
from activities.errors import ServiceUnavailable, Unreachable
from deploy.codec_server.access import NotKnown, Readers

log = structlog.stdlib.get_logger(__name__)

HEADERS = ("Content-Type", "X-Namespace", "Authorization", "Authorization-Extras")
"""That the UI sends."""


class CodecServer:
    """Answers those that may read, with the keys that they may read with."""

    def __init__(self, keys: KeyRing, readers: Readers) -> None:
        self._keys = keys
        self._readers = readers

    async def decode(self, request: Request) -> Response:
        """Decrypt what may be read, and leave the rest as it is."""
        return await self._answer(request, decoding=True)

    async def encode(self, request: Request) -> Response:
        """Encrypt with the current key, which whoever asks has to have the right to."""
        return await self._answer(request, decoding=False)

    async def _answer(self, request: Request, *, decoding: bool) -> Response:
        try:
            allowed = self._keys.only(await self._readers.keys_for(request.headers.get("Authorization", "")))
        except NotKnown as error:
            return PlainTextResponse(str(error), 401, {"WWW-Authenticate": "Bearer"})
        except Unreachable as error:
            return PlainTextResponse(str(error), 503)
        namespace = request.path_params.get("namespace") or request.headers.get("X-Namespace", "")
        if not namespace:
            return PlainTextResponse("expected the header X-Namespace, or /NAMESPACE/decode", 400)
        try:
            payloads = ParseDict(await request.json(), Payloads()).payloads
        except (ParseError, ValueError) as error:
            return PlainTextResponse(f"expected temporal.api.common.v1.Payloads in JSON: {type(error).__name__}", 400)
        if decoding:
            answered = await self._decrypted(allowed, namespace, payloads)
        elif self._keys.current in allowed.keys:
            answered = await EncryptingCodec(self._keys, namespace).encode(payloads)
        else:
            return PlainTextResponse(f"the key {self._keys.current} may not be used by this token", 403)
        return JSONResponse(MessageToDict(Payloads(payloads=answered)))

    async def _decrypted(self, allowed: KeyRing, namespace: str, payloads: Sequence[Payload]) -> list[Payload]:
        codec = EncryptingCodec(allowed, namespace)
        answered: list[Payload] = []
        for payload in payloads:
            try:
                answered += await codec.decode([payload])
            except ServiceUnavailable as error:
                log.info("a payload stays encrypted", key=key_id_of(payload), why=str(error))
                answered.append(payload)
        read = sum(map(is_encrypted, payloads)) - sum(map(is_encrypted, answered))
        log.info("decoded", namespace=namespace, payloads=len(payloads), decrypted=read)
        return answered


async def _alive(_: Request) -> Response:
    return PlainTextResponse("ok")


def application(keys: KeyRing, readers: Readers, origins: Sequence[str] = ()) -> Starlette:
    """The codec server as an ASGI application; `origins` are those of UIs, exactly."""
    server = CodecServer(keys, readers)
    ways = (("decode", server.decode), ("encode", server.encode))
    routes = [Route(f"{prefix}/{name}", way, methods=["POST"]) for name, way in ways for prefix in ("", "/{namespace}")]
    cors = Middleware(CORSMiddleware, allow_origins=list(origins), allow_methods=["POST"], allow_headers=list(HEADERS))
    return Starlette(routes=[Route("/livez", _alive), *routes], middleware=[cors] if origins else [])
