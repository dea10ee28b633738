"""Reads over one HTTP/2 connection: what becomes of each when the server misbehaves, closes or falls silent."""

import asyncio
import gzip
import socket
import ssl
import threading

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings
import httpx
import pytest
import trustme
from scripted import image, pages_of

import doimages
from doimages.api import http2
from doimages.api.http2 import LostError
from doimages.api.model import Reply
from doimages.api.multiplex import Multiplexer, NotOfferedError
from doimages.api.portal import portal

MOST_BYTES = 1_000_000


class Script(asyncio.Protocol):
    """An HTTP/2 server that answers each request with `answer(self, stream_id, path)`."""

    answer = None
    streams = 100
    open_at_once: list[int]
    connections: list["Script"]

    def connection_made(self, transport):
        self.transport = transport
        self.connections.append(self)
        self.open = set()
        self.cancelled = []
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        most = {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: self.streams}
        self.h2.local_settings = h2.settings.Settings(client=False, initial_values=most)
        self.h2.initiate_connection()
        self.flush()

    def data_received(self, data):
        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                self.open.add(event.stream_id)
                self.open_at_once.append(len(self.open))
                self.answer(self, event.stream_id, dict(event.headers)[":path"])
            elif isinstance(event, h2.events.StreamReset):
                self.cancelled.append(event.stream_id)
        self.flush()

    def reply(self, stream_id, body=b"{}", status="200", **headers):
        self.open.discard(stream_id)
        named = [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.h2.send_headers(stream_id, [(":status", status), *named])
        for start in range(0, len(body) or 1, 16_384):
            part = body[start : start + 16_384]
            self.h2.send_data(stream_id, part, end_stream=start + 16_384 >= len(body))
        self.flush()

    def flush(self):
        if not self.transport.is_closing():
            self.transport.write(self.h2.data_to_send())


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def serve(authority):
    """Give a function that serves a script and gives a multiplexer for it, with the list of its connections."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server_context)
    client_context = ssl.create_default_context()
    authority.configure_trust(client_context)
    client_context.set_alpn_protocols(["h2", "http/1.1"])
    opened, servers = [], []

    def start(answer, *, streams=100, protocols=("h2",)):
        connections, open_at_once = [], []
        kind = type(
            "Answering",
            (Script,),
            {
                "answer": staticmethod(answer),
                "streams": streams,
                "connections": connections,
                "open_at_once": open_at_once,
            },
        )
        server_context.set_alpn_protocols(list(protocols))
        made = loop.create_server(kind, "127.0.0.1", 0, ssl=server_context)
        server = asyncio.run_coroutine_threadsafe(made, loop).result()
        servers.append(server)
        port = server.sockets[0].getsockname()[1]
        multiplexer = Multiplexer("127.0.0.1", port, client_context, MOST_BYTES)
        opened.append(multiplexer)
        return multiplexer, kind

    yield start

    for multiplexer in opened:
        portal.wait(multiplexer.aclose())

    async def stop():
        for server in servers:
            server.close()
            await server.wait_closed()

    asyncio.run_coroutine_threadsafe(stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def headers_of(path):
    """Give the headers of a GET of that path."""
    return lambda: [(":method", "GET"), (":scheme", "https"), (":authority", "127.0.0.1"), (":path", path)]


def get(multiplexer, *paths):
    """Ask for all paths side by side; a failure stands in its place."""

    async def work():
        return await asyncio.gather(*(multiplexer.get(headers_of(path)) for path in paths), return_exceptions=True)

    return portal.wait(work())


def echo(connection, stream_id, path):
    connection.reply(stream_id, path.encode(), content_type="text/plain")


def test_a_hundred_reads_share_one_connection(serve):
    """A hundred requests at once go over one connection, and each gets its own reply."""
    multiplexer, script = serve(echo)
    replies = get(multiplexer, *(f"/{number}" for number in range(100)))
    assert [reply.body.decode() for reply in replies] == [f"/{number}" for number in range(100)]
    assert replies[0].status == 200
    assert replies[0].headers == {"content-type": "text/plain"}
    assert len(script.connections) == 1


def test_no_more_streams_than_the_server_takes(serve):
    """A server that takes three requests at once never has more, from the first on, and all are answered."""
    waiting = []

    def answer(connection, stream_id, path):
        waiting.append((stream_id, path))
        if len(waiting) == 3 or path == "/9":
            while waiting:
                number, asked = waiting.pop()
                echo(connection, number, asked)

    multiplexer, script = serve(answer, streams=3)
    replies = get(multiplexer, *(f"/{number}" for number in range(10)))
    assert [reply.body.decode() for reply in replies] == [f"/{number}" for number in range(10)]
    assert max(script.open_at_once) == 3


def test_pages_larger_than_the_default_window_arrive(serve):
    """A body of 600 kB, far over HTTP/2's default window, arrives whole."""
    body = bytes(600_000)
    multiplexer, _ = serve(lambda connection, stream_id, _: connection.reply(stream_id, body))
    assert get(multiplexer, "/")[0].body == body


def test_packed_replies_are_unpacked(serve):
    """A reply in gzip is unpacked; one that is cut short, or no gzip, is a lost reply."""
    packed = gzip.compress(b"x" * 5000)
    bodies = {"/good": packed, "/cut": packed[:-9], "/bad": b"no gzip"}
    multiplexer, _ = serve(
        lambda connection, stream_id, path: connection.reply(stream_id, bodies[path], content_encoding="gzip")
    )
    good, cut, bad = get(multiplexer, "/good", "/cut", "/bad")
    assert good.body == b"x" * 5000
    assert "cannot be unpacked" in str(cut)
    assert "cannot be unpacked" in str(bad)


def test_replies_over_the_cap_are_refused(serve):
    """A reply larger than the cap is dropped while it comes, packed or not; others on the connection go on."""
    large = bytes(MOST_BYTES + 1)
    answers = {
        "/large": lambda connection, stream_id: connection.reply(stream_id, large),
        "/bomb": lambda connection, stream_id: connection.reply(
            stream_id, gzip.compress(bytes(50 * MOST_BYTES)), content_encoding="gzip"
        ),
        "/small": lambda connection, stream_id: connection.reply(stream_id, b"small"),
    }
    multiplexer, _ = serve(lambda connection, stream_id, path: answers[path](connection, stream_id))
    too_large, bomb, small = get(multiplexer, "/large", "/bomb", "/small")
    assert isinstance(too_large, LostError)
    assert isinstance(bomb, LostError)
    assert small.body == b"small"


@pytest.mark.parametrize(
    ("code", "is_unsent"), [(h2.errors.ErrorCodes.REFUSED_STREAM, True), (h2.errors.ErrorCodes.INTERNAL_ERROR, False)]
)
def test_a_reset_fails_one_request_only(serve, code, is_unsent):
    """A request that the server resets is lost, or was never begun; its neighbours are answered."""

    def answer(connection, stream_id, path):
        if path == "/reset":
            connection.h2.reset_stream(stream_id, code)
        else:
            echo(connection, stream_id, path)

    multiplexer, script = serve(answer)
    lost, fine = get(multiplexer, "/reset", "/fine")
    assert isinstance(lost, LostError)
    assert lost.is_unsent is is_unsent
    assert fine.body == b"/fine"
    assert len(script.connections) == 1


def test_goaway_tells_what_was_not_begun(serve):
    """After GOAWAY what the server never began is unsent, what it did is lost, and the next request connects anew."""
    begun = []

    def answer(connection, stream_id, path):
        if path == "/begun":
            begun.append(stream_id)
        elif path == "/unbegun":
            connection.h2.close_connection(last_stream_id=begun[0])
        else:
            echo(connection, stream_id, path)

    multiplexer, script = serve(answer)
    first, second = get(multiplexer, "/begun", "/unbegun")
    assert (first.is_unsent, second.is_unsent) == (False, True)
    assert first.connection == second.connection is not None
    assert get(multiplexer, "/again")[0].body == b"/again"
    assert len(script.connections) == 2


def test_requests_that_wait_when_the_server_closes_are_unsent(serve):
    """Requests that had no stream yet when the connection ended were not sent; those that had are lost."""
    multiplexer, _ = serve(lambda connection, *_: connection.transport.abort(), streams=1)
    lost = get(multiplexer, "/1", "/2", "/3")
    assert [type(error) for error in lost] == [LostError] * 3
    assert sorted(error.is_unsent for error in lost) == [False, True, True]
    assert len({error.connection for error in lost}) == 1


def test_the_next_request_connects_anew_after_a_loss(serve):
    """A connection that was lost is not used again."""

    def answer(connection, stream_id, path):
        if path == "/lost":
            connection.transport.abort()
        else:
            echo(connection, stream_id, path)

    multiplexer, script = serve(answer)
    assert isinstance(get(multiplexer, "/lost")[0], LostError)
    assert get(multiplexer, "/found")[0].body == b"/found"
    assert len(script.connections) == 2


def test_a_server_that_breaks_the_protocol_is_left(serve):
    """A frame that must not be (data on no stream) fails what is under way, and the connection with it."""
    multiplexer, _ = serve(lambda connection, *_: connection.transport.write(bytes(9)))
    (error,) = get(multiplexer, "/")
    assert isinstance(error, LostError)
    assert "broke the protocol" in str(error)


def test_a_silent_server_is_given_up(serve, monkeypatch):
    """A server that says nothing while a reply is awaited is left after the time of silence."""
    monkeypatch.setattr(http2, "SILENT_SECONDS", 0.2)
    multiplexer, _ = serve(lambda *_: None)
    (error,) = get(multiplexer, "/")
    assert isinstance(error, LostError)
    assert "nothing came for" in str(error)


def test_a_cancelled_request_is_cancelled_at_the_server_too(serve):
    """A request whose caller is cancelled is reset, its neighbours are answered, and no task is left."""
    reached = threading.Event()
    held = []

    def answer(connection, stream_id, path):
        if path == "/never":
            held.append(stream_id)
            reached.set()
        else:
            echo(connection, stream_id, path)

    multiplexer, script = serve(answer)

    async def work():
        task = asyncio.ensure_future(multiplexer.get(headers_of("/never")))
        await asyncio.to_thread(reached.wait)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled(), await multiplexer.get(headers_of("/after"))

    was_cancelled, reply = portal.wait(work())
    assert was_cancelled
    assert reply.body == b"/after"
    assert script.connections[0].cancelled == held
    assert len(script.connections) == 1


def test_a_server_without_http2_is_told_apart(serve):
    """A server that offers HTTP/1.1 only is no failure: it is asked in its own way."""
    multiplexer, _ = serve(echo, protocols=("http/1.1",))
    (error,) = get(multiplexer, "/")
    assert isinstance(error, NotOfferedError)


def test_nobody_listens():
    """A port where nobody listens is an OSError: nothing was sent."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (error,) = get(Multiplexer("127.0.0.1", port, ssl.create_default_context(), MOST_BYTES), "/")
    assert isinstance(error, ConnectionRefusedError)


def test_a_stranger_is_not_trusted(serve):
    """A certificate of another authority is refused before anything is sent."""
    multiplexer, script = serve(echo)
    stranger = Multiplexer("127.0.0.1", multiplexer._port, ssl.create_default_context(), MOST_BYTES)
    (error,) = get(stranger, "/")
    assert isinstance(error, ssl.SSLCertVerificationError)
    assert script.connections == []


class LosesAllOnce:
    """A stand-in for the multiplexer: every request but the first is lost with one connection, and then answered."""

    def __init__(self, pages):
        self.pages = pages
        self.asked = []

    async def get(self, make_headers):
        path = dict(make_headers())[":path"]
        self.asked.append(path)
        if "page=1&" not in path and self.asked.count(path) == 1:
            await asyncio.sleep(0)
            raise LostError("the server closed the connection", connection=1)
        reply = self.pages(httpx.Request("GET", f"https://api.test{path}"))
        return Reply(200, {"content-type": "application/json"}, reply.content)

    async def aclose(self):
        pass


def test_a_connection_lost_with_many_requests_costs_one_retry(make_client):
    """Losing a connection takes all its requests along, but is one failure: the listing is read all the same."""
    client = make_client(pages_of([image(number) for number in range(1, 12_001)]))
    fast = client._transport._fast = LosesAllOnce(pages_of([image(number) for number in range(1, 12_001)]))
    frame = doimages.read_do_images(client=client)
    assert frame["id"].tolist() == list(range(1, 12_001))
    assert len(fast.asked) == 1 + 2 * 59
    assert client.sent == []


@pytest.mark.parametrize("streams", [0, 100], ids=["takes none", "pings only"])
def test_a_server_that_is_busy_with_other_things_is_given_up(serve, monkeypatch, streams):
    """A server that takes no request, or answers a request with pings alone, is left after the time of silence."""
    monkeypatch.setattr(http2, "SILENT_SECONDS", 0.3)

    def answer(connection, *_):
        connection.h2.ping(b"12345678")

    multiplexer, _ = serve(answer, streams=streams)
    errors = get(multiplexer, "/1", "/2")
    assert [type(error) for error in errors] == [LostError, LostError]


def test_a_closed_multiplexer_opens_nothing(serve):
    """After aclose a request is unsent, and no connection is left open behind it."""
    multiplexer, _ = serve(echo)
    get(multiplexer, "/")
    portal.wait(multiplexer.aclose())
    (error,) = get(multiplexer, "/again")
    assert isinstance(error, LostError)
    assert error.is_unsent
