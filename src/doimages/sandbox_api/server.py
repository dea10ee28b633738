"""The sandbox served over HTTP on 127.0.0.1, in a thread of its own or in the foreground."""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from doimages.sandbox_api.app import create_app
from doimages.sandbox_api.state import State

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

HOST = "127.0.0.1"


class Connection(H11Protocol):
    """A connection that lends its transport to the application, so that a fault can close it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put the transport where every request of this connection finds it."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class Server:
    """A sandbox at `url`, opened by `token`, over `state`; it stops with the with-block or `stop()`.

    `images` and `seed` make the catalogue, `latency` is in seconds, `rate_limit` in requests a minute, and
    `port` 0 takes a free one. It listens on 127.0.0.1 alone, with a token made anew for each server, and prints
    nothing.
    """

    def __init__(
        self,
        *,
        images: int = 300,
        seed: int = 7,
        latency: float = 0.0,
        rate_limit: int = 250,
        port: int = 0,
    ) -> None:
        self.state = State(images, seed, rate_limit=rate_limit)
        self.token = f"sandbox-{secrets.token_hex(16)}"
        self._port = port
        self._config = uvicorn.Config(
            create_app(self.state, token=self.token, latency=latency),
            http=Connection,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address to give to a client, without a path; port 0 until it has started."""
        return f"http://{HOST}:{self._port}"

    def start(self) -> Self:
        """Listen, and answer from a daemon thread; a port in use raises OSError here. Twice is once."""
        if self._thread is not None:
            return self
        if not self._config.loaded:
            self._config.load()
        listener = socket.create_server((HOST, self._port))
        # Connections inherit this. Without it a reply of two writes waits 40 ms for a delayed ACK (measured):
        # asyncio sets it only where the socket names its protocol, and create_server's does not.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._port = listener.getsockname()[1]
        self._server = uvicorn.Server(self._config)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="doimages-sandbox", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close every connection and wait for the thread to end. Twice is once."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join()
        self._server = self._thread = None

    def run_forever(self) -> None:
        """Serve until Ctrl-C, for `doimages sandbox`; start first to know the port."""
        thread = self.start()._thread  # noqa: SLF001 - its own
        try:
            with suppress(KeyboardInterrupt):
                while thread is not None and thread.is_alive():
                    thread.join(timeout=0.5)  # a wait without end is deaf to Ctrl-C on Windows
        finally:
            self.stop()

    def reset(self) -> None:
        """Give the seeded state back: see `State.reset`."""
        self.state.reset()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
