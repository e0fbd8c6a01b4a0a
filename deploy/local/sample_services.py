"""The sample services for weather, exchange rates and stocks: the real ones' HTTP, made-up answers, one loopback port.

    python -m deploy.local.sample_services PORT

`/v1/search` and `/v1/forecast` speak as Open-Meteo does, `/v1/latest` as Frankfurter, `/q/l/` as Stooq. Every
answer says in the header `X-Sample-Data` that it is a sample: nothing here is a fact about today's weather or anybody's
shares.
"""

import json
import sys
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qsl, urlsplit

from deploy.local import sample_rates, sample_stocks, sample_weather


class SampleServices(ThreadingHTTPServer):
    """Listens on loopback as soon as it is made; `serve_forever` answers."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections open
    server_version = "ErrandSamples"
    wbufsize = -1  # head and body leave in one packet
    disable_nagle_algorithm = True

    JSON: ClassVar = "application/json; charset=utf-8"
    CSV: ClassVar = "text/csv; charset=utf-8"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        now = datetime.now(UTC)
        try:
            match url.path:
                case "/v1/search":
                    self._answer(HTTPStatus.OK, self.JSON, _json(sample_weather.search(query)))
                case "/v1/forecast":
                    self._answer(HTTPStatus.OK, self.JSON, _json(sample_weather.forecast(query, now)))
                case "/v1/latest":
                    self._answer(HTTPStatus.OK, self.JSON, _json(sample_rates.latest(query, now)))
                case "/q/l/":
                    self._answer(HTTPStatus.OK, self.CSV, sample_stocks.quotes(query, now))
                case "/health":
                    self._answer(HTTPStatus.OK, self.JSON, _json({"status": "ok"}))
                case _:
                    self._answer(HTTPStatus.NOT_FOUND, self.JSON, _json({"error": True, "reason": "Not Found"}))
        except sample_rates.UnknownCurrency as unknown:
            self._answer(HTTPStatus.NOT_FOUND, self.JSON, _json({"message": str(unknown)}))
        except sample_weather.BadRequest as bad:
            self._answer(HTTPStatus.BAD_REQUEST, self.JSON, _json({"error": True, "reason": str(bad)}))

    def _answer(self, status: HTTPStatus, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Sample-Data", "made up, not real")
        self.end_headers()
        self.wfile.write(body)


def _json(answer: dict[str, object]) -> str:
    return json.dumps(answer, ensure_ascii=False)


def main(port: int) -> None:
    sample_weather.cities()  # loaded before the first question, not by it
    SampleServices(port).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
