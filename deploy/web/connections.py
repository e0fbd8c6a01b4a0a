"""Connections on which nothing is said: uvicorn alone would keep them for as long as the other end likes."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_IN = 20.0
"""Seconds for the head of a call, from the connection's beginning or from its own first byte."""


class PromptProtocol(H11Protocol):
    """HTTP/1.1, by which a connection is closed where the head of a call does not come in time.

    A body has a time of its own, and so has a connection that is kept for the next call; an answer may take any time.
    """

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_answering:
            self._wait_no_more()
        elif self._late is None:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    @property
    def _is_answering(self) -> bool:
        return bool(self.cycle) and not self.cycle.response_complete

    def _wait_for_head(self) -> None:
        self._late = self.loop.call_later(HEAD_IN, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
