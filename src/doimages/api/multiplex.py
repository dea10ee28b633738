"""GET requests over one HTTP/2 connection: what a listing of a hundred pages stands on.

Only reads come this way, for they can be sent again; writes go through httpx. Against the same server httpx spends
about 100 ms of CPU on 100 pages, this 40, and that is the difference between 1.6 and 1.2 times the floor at 20,000
images (docs/decisions/0007). The protocol itself is the h2 library's, in ``http2.py``.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable

from doimages.api.http2 import Connection, Headers, LostError
from doimages.api.model import Reply

CONNECT_SECONDS = 5.0
CLOSE_SECONDS = 1.0


class NotOfferedError(Exception):
    """The server does not speak HTTP/2."""


class Multiplexer:
    """GET requests to one host; the connection is opened at need, and anew when it was lost."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, most_bytes: int) -> None:
        self._host = host
        self._port = port
        self._context = context
        self._most_bytes = most_bytes
        self._connection: Connection | None = None
        self._opening = asyncio.Lock()
        self._is_closed = False

    async def get(self, make_headers: Callable[[], Headers]) -> Reply:
        """Send a GET with these headers; raises NotOfferedError, LostError, or OSError if there is no connection."""
        connection = self._connection
        if connection is None or connection.is_closed:
            async with self._opening:
                connection = self._connection
                if connection is None or connection.is_closed:
                    connection = self._connection = await self._open()
        if self._is_closed:
            connection.close()
            raise LostError("the client was closed", is_unsent=True)
        return await connection.get(make_headers)

    async def _open(self) -> Connection:
        async with asyncio.timeout(CONNECT_SECONDS):
            transport, connection = await asyncio.get_running_loop().create_connection(
                lambda: Connection(self._most_bytes), self._host, self._port, ssl=self._context
            )
        if transport.get_extra_info("ssl_object").selected_alpn_protocol() != "h2":
            transport.abort()
            raise NotOfferedError
        return connection

    async def aclose(self) -> None:
        """Close the connection, for good."""
        self._is_closed = True
        if self._connection is not None:
            self._connection.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._connection.lost.wait(), CLOSE_SECONDS)
