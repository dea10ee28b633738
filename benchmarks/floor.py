"""The floor: the same pages as raw bytes, page 1 and then all others at once, nothing decoded, connections open.

Over HTTP/1.1 on up to 64 TLS sockets, and over HTTP/2 on one or two; the table takes the fastest.
One round trip is the first page alone on an open connection.
"""

import asyncio
import re
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.events
import h2.settings
import measure

PATH = "/v2/images?page=%d&per_page=200"
TOTAL = re.compile(rb'"total":(\d+)')


class Http1(asyncio.Protocol):
    """One connection that asks one page at a time."""

    def __init__(self) -> None:
        self.received, self.missing, self.waiter = bytearray(), 0, None

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.missing and (end := self.received.find(b"\r\n\r\n")) >= 0:
            length = re.search(rb"content-length: (\d+)", self.received[:end])[1]
            self.missing = end + 4 + int(length)
        if self.missing and len(self.received) == self.missing:
            reply, self.received, self.missing = self.received, bytearray(), 0
            self.waiter.set_result(reply)

    async def get(self, page: int) -> bytes:
        self.waiter = asyncio.get_running_loop().create_future()
        request = f"GET {PATH % page} HTTP/1.1\r\nhost: {self.host}\r\nauthorization: Bearer t\r\n\r\n"
        self.transport.write(request.encode())
        return await self.waiter


class Http2(asyncio.Protocol):
    """One connection that asks all its pages at once, with windows and frames larger than any page."""

    def __init__(self) -> None:
        self.bodies, self.waiters = {}, {}
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))
        codes = h2.settings.SettingCodes
        self.h2.local_settings = h2.settings.Settings(
            client=True,
            initial_values={codes.ENABLE_PUSH: 0, codes.INITIAL_WINDOW_SIZE: 2**24, codes.MAX_FRAME_SIZE: 2**20},
        )
        self.h2.max_inbound_frame_size = 2**20

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(2**30)
        transport.write(self.h2.data_to_send())

    def data_received(self, data: bytes) -> None:
        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.DataReceived):
                self.bodies[event.stream_id].append(event.data)
                self.h2.increment_flow_control_window(event.flow_controlled_length or 1)
            elif isinstance(event, h2.events.StreamEnded):
                self.waiters.pop(event.stream_id).set_result(b"".join(self.bodies.pop(event.stream_id)))
        if answer := self.h2.data_to_send():
            self.transport.write(answer)

    def get(self, page: int) -> asyncio.Future:
        stream = self.h2.get_next_available_stream_id()
        names = {":method": "GET", ":path": PATH % page, ":scheme": "https", ":authority": self.host}
        self.h2.send_headers(stream, [*names.items(), ("authorization", "Bearer t")], end_stream=True)
        self.bodies[stream], self.waiters[stream] = [], asyncio.get_running_loop().create_future()
        self.transport.write(self.h2.data_to_send())
        return self.waiters[stream]


class Floor:
    """Open connections to one server, and listings over them; one object a way."""

    def __init__(self, url: str, ca_file: str, protocol: type, connections: int) -> None:
        self.address, self.protocol, self.wanted = urlsplit(url), protocol, connections
        self.context = ssl.create_default_context(cafile=ca_file)
        self.context.set_alpn_protocols(["h2" if protocol is Http2 else "http/1.1"])
        self.open = []

    async def connect(self) -> None:
        loop, where = asyncio.get_running_loop(), (self.address.hostname, self.address.port)
        pairs = [loop.create_connection(self.protocol, *where, ssl=self.context) for _ in range(self.wanted)]
        self.open = [protocol for _, protocol in await asyncio.gather(*pairs)]
        for protocol in self.open:
            protocol.host = self.address.netloc
            await protocol.get(1)

    async def list_pages(self, total: int | None = None) -> list[bytes]:
        """Return the bytes of every page; with a total as a hint, all are asked at once."""
        first = [] if total else [await self.open[0].get(1)]
        left = list(range(len(first) + 1, -(-(total or int(TOTAL.search(first[0], len(first[0]) - 60)[1])) // 200) + 1))
        if self.protocol is Http2:
            return first + await asyncio.gather(*(self.open[page % len(self.open)].get(page) for page in left))

        async def drain(connection: Http1) -> list[bytes]:
            replies = []
            while left:
                replies.append(await connection.get(left.pop()))
            return replies

        return sum(await asyncio.gather(*(drain(connection) for connection in self.open)), first)

    def close(self) -> None:
        for protocol in self.open:
            protocol.transport.abort()


WAYS = {"HTTP/2 on 1": (Http2, 1), "HTTP/2 on 2": (Http2, 2), "HTTP/1.1 on 64": (Http1, 64)}


def open_floor(way: str, *, hinted: bool) -> Callable:
    """Give the opener of one way for `measure`: `hinted` asks all pages at once, by the total of the last call."""

    def open_cell(url: str, _token: str, ca_file: str) -> Callable[[], int]:
        loop, last = asyncio.new_event_loop(), [None]
        floor = Floor(url, ca_file, *WAYS[way])
        loop.run_until_complete(floor.connect())

        def list_pages() -> int:
            pages = loop.run_until_complete(floor.list_pages(last[0] if hinted else None))
            return int(TOTAL.search(pages[0], len(pages[0]) - 60)[1])

        def prepare() -> None:
            last[0] = None
            last[0] = list_pages() if hinted else None

        list_pages.prepare = prepare
        return list_pages

    return open_cell


CELLS = {f"{way}{', hinted' * hinted}": open_floor(way, hinted=hinted) for way in WAYS for hinted in (False, True)}

if __name__ == "__main__":
    measure.main(CELLS)
