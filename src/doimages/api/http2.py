"""One HTTP/2 connection: the h2 library's events on an asyncio Protocol."""

import asyncio
import contextlib
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

from doimages.api.model import Reply

SILENT_SECONDS = 30.0
# The library's defaults stall a page of 100 kB once for each 64 kB; these never do.
WINDOW = 2**24
FRAME = 2**20
TOGETHER = 8
MOST_STREAM = 2**31 - 1

_numbers = count(1)

Headers = list[tuple[str, str]]


class LostError(Exception):
    """No whole reply came; ``is_unsent`` if the server did nothing.

    ``connection`` is the number of the connection that took the request with it, None if that goes on.
    """

    def __init__(self, reason: str, *, is_unsent: bool = False, connection: int | None = None) -> None:
        super().__init__(reason)
        self.is_unsent = is_unsent
        self.connection = connection


@dataclass(slots=True)
class Stream:
    """One request under way."""

    done: "asyncio.Future[Reply]"
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    parts: list[bytes] = field(default_factory=list)
    size: int = 0


class Connection(asyncio.Protocol):
    """One HTTP/2 connection and the requests under way on it."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(
                client_side=True,
                header_encoding="utf-8",
                # Our own headers are right as they are; checking them is a third of the time of sending.
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self._streams: dict[int, Stream] = {}
        self._waiting: deque[tuple[Callable[[], Headers], Stream]] = deque()
        self._heard_at = 0.0
        self._number = next(_numbers)
        self._is_told = False
        self._unwritten = 0
        self.is_closed = False
        self.lost = asyncio.Event()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say hello, with windows wide enough for any page."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - asyncio's word for a stream socket
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        codes = h2.settings.SettingCodes
        self._h2.local_settings = h2.settings.Settings(
            client=True,
            initial_values={codes.ENABLE_PUSH: 0, codes.INITIAL_WINDOW_SIZE: WINDOW, codes.MAX_FRAME_SIZE: FRAME},
        )
        self._h2.max_inbound_frame_size = FRAME
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(WINDOW)
        self._flush()
        self._heard_at = self._loop.time()
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what came, and answer what the protocol wants answered."""
        try:
            events = self._h2.receive_data(data)
        except h2.exceptions.ProtocolError as error:
            self._end(f"the server broke the protocol: {error}")
            return
        for event in events:
            self._handle(event)
        if not self.is_closed:
            self._send_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what is under way."""
        self._end(str(exc) if exc else "the server closed the connection")
        self.lost.set()

    # What the multiplexer calls

    async def get(self, make_headers: Callable[[], Headers]) -> Reply:
        """Send one request and wait for its reply; if the caller is cancelled, so is the request."""
        stream = Stream(self._loop.create_future())
        if not (self._streams or self._waiting):
            self._heard_at = self._loop.time()
        self._waiting.append((make_headers, stream))
        self._pump()
        self._flush_soon()
        try:
            return await stream.done
        finally:
            self._forget(stream)

    def close(self) -> None:
        """Say goodbye, and close."""
        with contextlib.suppress(h2.exceptions.ProtocolError):
            self._h2.close_connection()
        self._flush()
        self._transport.close()
        self._end("the connection was closed")

    # The rest

    def _handle(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.DataReceived(stream_id=number, data=data, flow_controlled_length=length):
                self._heard_at = self._loop.time()
                self._h2.acknowledge_received_data(length, number)
                self._take(number, data)
            case h2.events.ResponseReceived(stream_id=number, headers=headers) if number in self._streams:
                self._heard_at = self._loop.time()
                stream = self._streams[number]
                stream.headers = {_text(name): _text(value) for name, value in headers}
                stream.status = int(stream.headers.pop(":status"))
            case h2.events.RemoteSettingsChanged():
                self._is_told = True
            case h2.events.StreamEnded(stream_id=number) if number in self._streams:
                self._finish(self._streams.pop(number))
            case h2.events.StreamReset(stream_id=number, error_code=code) if number in self._streams:
                refused = code == h2.errors.ErrorCodes.REFUSED_STREAM
                _fail(self._streams.pop(number), f"the server reset the request ({code})", is_unsent=refused)
            case h2.events.ConnectionTerminated(last_stream_id=last):
                # What is numbered higher was not done. What was begun might still end well, but h2 takes no frame
                # after a GOAWAY, so it is asked again.
                self._end("the server is closing the connection", last=last or 0)

    def _take(self, number: int, data: bytes) -> None:
        stream = self._streams.get(number)
        if stream is None:
            return
        stream.parts.append(data)
        stream.size += len(data)
        if stream.size > self._most_bytes:
            self._reset(number)
            _fail(self._streams.pop(number), f"the answer is larger than {self._most_bytes // 2**20} MiB")

    def _finish(self, stream: Stream) -> None:
        body = b"".join(stream.parts)
        try:
            if stream.headers.get("content-encoding", "").strip().lower() == "gzip":
                body = _unzip(body, self._most_bytes)
        except (zlib.error, ValueError) as error:
            _fail(stream, f"the answer cannot be unpacked: {error}")
            return
        if not stream.done.done():
            stream.done.set_result(Reply(stream.status, stream.headers, body))

    def _pump(self) -> None:
        """Send what waits, as far as the server takes more at once."""
        while self._waiting and not self.is_closed and self._has_room():
            make_headers, stream = self._waiting.popleft()
            if stream.done.done():
                continue
            try:
                number = self._h2.get_next_available_stream_id()
                self._h2.send_headers(number, make_headers(), end_stream=True)
            except h2.exceptions.ProtocolError:
                # The error holds the headers, and with them the token.
                number = 0
            if number:
                self._streams[number] = stream
            else:
                self._end("the connection takes no more requests")
                _fail(stream, "the connection takes no more requests", is_unsent=True, connection=self._number)

    def _send_waiting(self) -> None:
        self._pump()
        self._flush()

    def _has_room(self) -> bool:
        # One request may go ahead of the server's settings; more could be more than it takes.
        return len(self._streams) < (self._h2.remote_settings.max_concurrent_streams if self._is_told else 1)

    def _forget(self, stream: Stream) -> None:
        for number, known in self._streams.items():
            if known is stream:
                del self._streams[number]
                self._reset(number)
                return

    def _reset(self, number: int) -> None:
        with contextlib.suppress(h2.exceptions.ProtocolError):
            self._h2.reset_stream(number, h2.errors.ErrorCodes.CANCEL)
        self._flush()

    def _flush_soon(self) -> None:
        """Write a few requests together: one write each costs time, one for all leaves the server idle meanwhile."""
        self._unwritten += 1
        if self._unwritten == TOGETHER:
            self._flush()
        elif self._unwritten == 1:
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._unwritten = 0
        data = self._h2.data_to_send()
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def _watch(self) -> None:
        """Give up on a connection that sends nothing of the replies that are awaited; a PING is nothing of them."""
        if self.is_closed and not self._streams:
            return
        silent = self._loop.time() - self._heard_at
        if (self._streams or self._waiting) and silent >= SILENT_SECONDS:
            self._end(f"nothing came for {SILENT_SECONDS:.0f} s")
            return
        self._loop.call_later(SILENT_SECONDS / 2, self._watch)

    def _end(self, reason: str, last: int = MOST_STREAM) -> None:
        """Fail all requests; those numbered above the last that the server took were not sent."""
        self.is_closed = True
        streams, self._streams = self._streams, {}
        for number, stream in streams.items():
            _fail(stream, reason, is_unsent=number > last, connection=self._number)
        while self._waiting:
            _fail(self._waiting.popleft()[1], reason, is_unsent=True, connection=self._number)
        if not self._transport.is_closing():
            self._transport.abort()


def _fail(stream: Stream, reason: str, *, is_unsent: bool = False, connection: int | None = None) -> None:
    if not stream.done.done():
        stream.done.set_exception(LostError(reason, is_unsent=is_unsent, connection=connection))


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode(errors="replace")


def _unzip(body: bytes, most_bytes: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    unpacked = unpacker.decompress(body, most_bytes)
    if not unpacker.eof:
        raise ValueError("it is cut short, or too large")
    return unpacked
