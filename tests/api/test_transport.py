"""The transport over real sockets: servers of our own on 127.0.0.1, and what they saw."""

import asyncio
import gc
import gzip
import json
import multiprocessing
import socket
import threading
import warnings
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import trustme
from scripted import CANARY, image
from servers import served

from doimages.api import transport as transport_module
from doimages.api.connect import close_all, connect
from doimages.api.portal import Portal, portal
from doimages.errors import DecodeError, ListingError, NotFoundError, TransportError
from doimages.reader import aread_do_images, read_do_images
from doimages.redaction import redact

RECORD = json.dumps({"image": image(1)}).encode()


class Script(BaseHTTPRequestHandler):
    """Answers each GET with what the script of its server says, and notes what it saw."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server
        server.seen.append((self.path, self.headers.get("Authorization"), self.client_address))
        answer = server.script.pop(0) if len(server.script) > 1 else server.script[0]
        if callable(answer):
            answer(self)
            return
        status, headers, body = answer
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json", "Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Keep quiet."""


class Served(ThreadingHTTPServer):
    """A scripted server: ``url``, and ``seen`` as (path, Authorization, address of the client)."""

    daemon_threads = True

    def __init__(self, *script):
        super().__init__(("127.0.0.1", 0), Script)
        self.script = list(script)
        self.seen = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        """Keep quiet about connections that the client cuts."""


@pytest.fixture(autouse=True)
def _unpaced(monkeypatch):
    """All tests use one token: keep them from waiting for each other's places."""
    monkeypatch.setenv("DOIMAGES_REQUESTS_PER_MINUTE", "100000")


@pytest.fixture
def serve():
    """Give a function that serves a script of answers: (status, headers, body), or a function of the handler."""
    servers = []

    def start(*script):
        server = Served(*script)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return server

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def client_of():
    """Give a function that connects to a URL with the canary as token."""
    clients = []

    def make(url, token=CANARY):
        clients.append(connect(token=token, base_url=url))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def trusted(authority, tmp_path, monkeypatch):
    """Let SSL_CERT_FILE name the authority of the tests."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))


@pytest.fixture
def serve_tls(authority, tmp_path):
    """Give a function that serves an ASGI app over TLS, with HTTP/2 on offer, and gives its URL."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(served(app, authority, tmp_path))


class Pages:
    """An ASGI app that lists images 1 to ``total``, page by page, and notes each request."""

    def __init__(self, total):
        self.total = total
        self.seen = []

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        self.seen.append((scope["http_version"], scope["client"]))
        query = httpx.QueryParams(scope["query_string"].decode())
        page, size = int(query["page"]), int(query["per_page"])
        # Later pages answer first.
        await asyncio.sleep(0.1 / page)
        ids = range((page - 1) * size + 1, min(page * size, self.total) + 1)
        body = json.dumps({"images": [{"id": i} for i in ids], "meta": {"total": self.total}}).encode()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def cut_off(handler):
    """Begin an answer, and reset the connection in the midst of it."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{")
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    handler.close_connection = True


@pytest.fixture
def swift(monkeypatch):
    """Take the waits between attempts away."""
    monkeypatch.setattr(transport_module.retry, "backoff_seconds", lambda *_: 0.0)


def test_redirect(serve, client_of, run):
    """A redirect is not followed: the error names the host, and the host saw nothing."""
    other = serve((200, {}, RECORD))
    first = serve((302, {"Location": f"{other.url}/v2/images/1"}, b""))

    with pytest.raises(TransportError, match=rf"redirected to 127.0.0.1:{other.server_port} \(302\)") as got:
        run(client_of(first.url).image(1))

    assert got.value.status == 302
    assert other.seen == []
    assert [authorization for _, authorization, _ in first.seen] == [f"Bearer {CANARY}"]


def test_next_link_on_another_host(serve, client_of):
    """A next link that points to another host sends nothing there: only its page number is taken."""
    other = serve((200, {}, RECORD))
    links = {"pages": {"next": f"{other.url}/v2/images?page=2", "last": f"{other.url}/v2/images?page=2"}}
    pages = [{"images": [image(number)], "links": links, "meta": {"total": 2}} for number in (1, 2)]
    first = serve(*((200, {}, json.dumps(page).encode()) for page in pages))

    frame = read_do_images(client=client_of(first.url))

    assert frame["id"].tolist() == [1, 2]
    assert other.seen == []
    assert [path for path, _, _ in first.seen] == ["/v2/images?page=1&per_page=200", "/v2/images?page=2&per_page=200"]


def test_proxy_is_not_used_in_plain_text(serve, client_of, run, monkeypatch):
    """A proxy of the environment does not see the token of a request in plain text."""
    proxy, server = serve((200, {}, RECORD)), serve((200, {}, RECORD))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)

    assert run(client_of(server.url).image(1))["id"] == 1

    assert proxy.seen == []
    assert len(server.seen) == 1


def test_untrusted_certificate(serve_tls, client_of, run):
    """A certificate that no known authority signed ends the request at once; the server saw none."""
    app = Pages(1)
    client = client_of(serve_tls(app))

    with pytest.raises(TransportError, match=r"certificate of 127.0.0.1 is not trusted\. Nothing was sent") as got:
        run(client.image(1))

    assert not got.value.retryable
    assert not got.value.in_doubt
    assert app.seen == []


def test_no_tls_at_all(serve, client_of, run, swift):
    """An https address whose server speaks plain text ends the request at once."""
    server = serve((200, {}, RECORD))

    with pytest.raises(TransportError, match=r"no TLS connection to 127.0.0.1:\d+ \(.*\)\. Nothing was sent") as got:
        run(client_of(server.url.replace("http:", "https:")).image(1))

    assert not got.value.retryable
    assert server.seen == []


def test_pages_over_http2(serve_tls, client_of, trusted):
    """A hundred pages over one HTTP/2 connection arrive as one listing in order; SSL_CERT_FILE is honoured."""
    app = Pages(20_000)

    frame = read_do_images(client=client_of(serve_tls(app)))

    assert frame["id"].tolist() == list(range(1, 20_001))
    assert len(app.seen) == 100
    assert {version for version, _ in app.seen} == {"2"}
    assert len({address for _, address in app.seen}) == 1


@pytest.mark.parametrize("status", [204, 404])
def test_write_over_http2(serve_tls, client_of, trusted, run, status):
    """Writes go over HTTP/2 as well, and are answered as over HTTP/1.1."""
    seen = []

    async def app(scope, receive, send):
        if scope["type"] == "http":
            seen.append((scope["method"], scope["http_version"]))
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    deleted = client_of(serve_tls(app)).delete_image(1)

    if status == 204:
        run(deleted)
    else:
        with pytest.raises(NotFoundError):
            run(deleted)
    assert seen == [("DELETE", "2")]


def test_size_cap(serve, client_of, run, monkeypatch):
    """An answer that is larger than any honest one is refused, and not asked for again."""
    monkeypatch.setattr(transport_module, "MOST_BYTES", 1024**2)
    server = serve((200, {}, b"{" + b" " * 1024**2 + b"}"))

    with pytest.raises(TransportError, match="the answer is larger than 1 MiB"):
        run(client_of(server.url).image(1))

    assert len(server.seen) == 1


def test_size_cap_counts_what_is_unpacked(serve, client_of, run, monkeypatch):
    """A small answer that unpacks to a large one is refused too."""
    monkeypatch.setattr(transport_module, "MOST_BYTES", 1024**2)
    server = serve((200, {"Content-Encoding": "gzip"}, gzip.compress(b"{" + b" " * 2 * 1024**2 + b"}")))

    with pytest.raises(TransportError, match="the answer is larger than 1 MiB"):
        run(client_of(server.url).image(1))


def test_gzip(serve, client_of, run):
    """A compressed answer is read."""
    server = serve((200, {"Content-Encoding": "gzip"}, gzip.compress(RECORD)))

    assert run(client_of(server.url).image(1))["name"] == "web-1"


def test_broken_gzip(serve, client_of, run):
    """An answer that does not unpack is an error, and not asked for again."""
    server = serve((200, {"Content-Encoding": "gzip"}, b"{}"))

    with pytest.raises(TransportError, match=r"no whole answer came from 127\.0\.0\.1"):
        run(client_of(server.url).image(1))

    assert len(server.seen) == 1


def test_reset(serve, client_of, run, swift):
    """A read whose connection is reset in the midst of the answer is sent again."""
    server = serve(cut_off, cut_off, (200, {}, RECORD))

    assert run(client_of(server.url).image(1))["id"] == 1

    assert len(server.seen) == 3


def test_html(serve, client_of):
    """A page of HTML with status 200, as of a captive proxy, makes no frame."""
    server = serve((200, {"Content-Type": "text/html"}, b"<html></html>"))

    with pytest.raises(DecodeError, match="the answer is text/html, not JSON"):
        read_do_images(client=client_of(server.url))


def test_keep_alive(serve, client_of, run):
    """One request after the other goes over one connection."""
    server = serve((200, {}, RECORD))
    client = client_of(server.url)

    for _ in range(5):
        run(client.image(1))

    assert len({address for _, _, address in server.seen}) == 1


def test_dropped_keep_alive(serve, client_of, run, swift):
    """A connection that the server closed meanwhile is replaced without an error."""

    def last(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(RECORD), RECORD))
        handler.close_connection = True

    server = serve(last, (200, {}, RECORD))
    client = client_of(server.url)

    assert [run(client.image(1))["id"] for _ in range(2)] == [1, 1]

    assert len({address for _, _, address in server.seen}) == 2


def test_connect_refused(client_of, run, swift):
    """A port where nobody listens is said to be out of reach."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"

    with pytest.raises(TransportError, match=r"127.0.0.1:\d+ cannot be reached \(.*\)\. Nothing was changed") as got:
        run(client_of(url).delete_image(1))

    assert not got.value.in_doubt


def test_path_of_the_base_url(serve, client_of, run):
    """A base URL may have a path, which goes before that of the request."""
    server = serve((200, {}, RECORD))

    run(client_of(f"{server.url}/proxy/").image(1))

    assert server.seen[0][0] == "/proxy/v2/images/1"


def test_close(serve, run):
    """A closed client leaves no open socket behind: no ResourceWarning, and the server sees the end."""
    ended = threading.Event()

    def wait_for_end(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(RECORD), RECORD))
        handler.wfile.flush()
        handler.rfile.read(1)
        ended.set()
        handler.close_connection = True

    server = serve(wait_for_end)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with connect(token=CANARY, base_url=server.url) as client:
            run(client.image(1))
        assert ended.wait(5)
        del client
        gc.collect()

    assert warned == []


def test_forgotten_client(serve, run):
    """The connections of a client that nobody closed are closed when nobody holds it any more."""
    ended = threading.Event()

    def wait_for_end(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(RECORD), RECORD))
        handler.wfile.flush()
        handler.rfile.read(1)
        ended.set()
        handler.close_connection = True

    client = connect(token=CANARY, base_url=serve(wait_for_end).url)
    run(client.image(1))

    del client
    gc.collect()

    assert ended.wait(5)


async def tasks_left():
    """Give what else runs on the loop of the portal, once it has had its turn."""
    for _ in range(100):
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if not left:
            break
        await asyncio.sleep(0.01)
    return [repr(task) for task in left]


@pytest.fixture
def stuck(serve):
    """A server that never answers, and an event that is set when a request has reached it."""
    reached, release = threading.Event(), threading.Event()

    def wait(handler):
        reached.set()
        release.wait(10)
        handler.close_connection = True

    server = serve(wait)
    yield server, reached
    release.set()


def test_read_on_a_running_loop(serve, client_of):
    """aread_do_images works on a loop that runs already, and read_do_images in a thread of it."""
    server = serve((200, {}, json.dumps({"images": [image(1)], "meta": {"total": 1}}).encode()))
    client = client_of(server.url)

    async def read_all():
        return await asyncio.gather(
            aread_do_images(client=client),
            aread_do_images(client=client),
            asyncio.to_thread(read_do_images, client=client),
        )

    assert [len(frame) for frame in asyncio.run(read_all())] == [1, 1, 1]


def test_sync_read_on_a_running_loop(serve, client_of):
    """read_do_images works where a loop runs in the same thread, as in a cell."""
    server = serve((200, {}, json.dumps({"images": [image(1)], "meta": {"total": 1}}).encode()))
    client = client_of(server.url)

    async def read_one():
        return read_do_images(client=client)

    assert len(asyncio.run(read_one())) == 1


@pytest.mark.parametrize("progress", ["off", "text"])
def test_cancelled_read(stuck, client_of, progress):
    """A cancelled aread_do_images ends its request, with a bar or without: nothing is left running."""
    server, reached = stuck
    client = client_of(server.url)

    async def cancel_one():
        read = asyncio.ensure_future(aread_do_images(client=client, progress=progress))
        await asyncio.to_thread(reached.wait, 10)
        read.cancel()
        with pytest.raises(asyncio.CancelledError):
            await read

    asyncio.run(cancel_one())

    assert portal.wait(tasks_left()) == []
    assert len(server.seen) == 1


def test_cancelled_future(stuck, client_of):
    """Work that is cancelled through its future leaves nothing running."""
    server, reached = stuck
    future = portal.submit(client_of(server.url).images())
    assert reached.wait(10)

    future.cancel()

    assert portal.wait(tasks_left()) == []


def test_interrupted_wait(stuck, client_of):
    """A wait that is interrupted ends its request first."""
    server, reached = stuck

    def interrupt():
        if reached.is_set():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        portal.wait(client_of(server.url).images(), interrupt)

    assert portal.wait(tasks_left()) == []


def test_failed_page_ends_the_others(serve, client_of):
    """When one page of a listing fails for good the other requests are ended, and nothing is left running."""
    first = json.dumps({"images": [image(i) for i in range(200)], "meta": {"total": 2000}}).encode()
    server = serve((200, {}, first), (404, {}, b'{"id": "not_found", "message": "No."}'))

    with pytest.raises(NotFoundError, match="The listing failed at page"):
        read_do_images(client=client_of(server.url))

    assert portal.wait(tasks_left()) == []


def test_changed_listing(serve, client_of):
    """A listing whose pages never agree is read three times and makes no frame."""
    server = serve((200, {}, json.dumps({"images": [image(1)], "meta": {"total": 2}}).encode()))

    with pytest.raises(ListingError, match="changed while it was read, 3 times"):
        read_do_images(client=client_of(server.url))

    assert len(server.seen) == 6


def test_portal_stops_and_starts():
    """A stopped portal ends its thread, cuts off what still runs, and starts anew at its next use."""
    own = Portal()

    async def name():
        return threading.current_thread()

    first = own.wait(name())
    forgotten = own.submit(asyncio.sleep(3600))
    own.stop()
    second = own.wait(name())
    own.stop()

    assert forgotten.cancelled()
    assert not first.is_alive()
    assert not second.is_alive()


def test_close_all(serve, monkeypatch):
    """After close_all the next read makes connections of its own."""
    server = serve((200, {}, json.dumps({"images": [image(1)], "meta": {"total": 1}}).encode()))
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", CANARY)
    monkeypatch.setenv("DIGITALOCEAN_API_URL", server.url)

    assert len(read_do_images()) == 1
    close_all()
    assert len(read_do_images()) == 1
    close_all()

    assert len({address for _, _, address in server.seen}) == 2


def read_in_child(answers, client):
    try:
        answers.put(len(read_do_images(client=client)))
    except Exception as error:  # noqa: BLE001 - whatever it is goes to the parent
        answers.put(redact(repr(error)))


@pytest.mark.parametrize("holds_client", [False, True], ids=["shared client", "client of its own"])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_fork(serve, client_of, monkeypatch, holds_client):
    """A forked child reads over connections of its own, and the parent goes on over its own."""
    server = serve((200, {}, json.dumps({"images": [image(1)], "meta": {"total": 1}}).encode()))
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", CANARY)
    monkeypatch.setenv("DIGITALOCEAN_API_URL", server.url)
    client = client_of(server.url) if holds_client else None
    assert len(read_do_images(client=client)) == 1
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=read_in_child, args=(answers, client))

    child.start()
    answer = answers.get(timeout=20)
    child.join(20)

    assert answer == 1
    assert len(read_do_images(client=client)) == 1
    addresses = [address for _, _, address in server.seen]
    assert addresses[0] == addresses[2] != addresses[1]
    if not holds_client:
        close_all()


@pytest.fixture
def asking():
    """Give what asks before each attempt and is shown each good reply, and what they noted."""
    asked, replies = [], []

    async def before(earlier):
        asked.append(earlier)

    return before, replies.append, asked, replies


def test_asking_client(serve, client_of, run, asking):
    """A client that asks does so before each attempt, and shows the reply; the client it was made of does neither."""
    before, after, asked, replies = asking
    server = serve((200, {"X-Request-Id": "r-1"}, RECORD))
    client = client_of(server.url)

    assert run(client.asking(before, after).image(1))["id"] == 1
    run(client.image(1))

    assert asked == [None]
    assert [(reply.status, reply.headers["x-request-id"], reply.body) for reply in replies] == [(200, "r-1", RECORD)]


def test_asking_client_sends_again(serve, client_of, run, swift, asking):
    """A request that is sent again asks again, and is told that the first may have been carried out."""
    before, after, asked, replies = asking
    server = serve(cut_off, (503, {}, b"{}"), (200, {}, RECORD))

    run(client_of(server.url).asking(before, after).image(1))

    assert asked == [None, True, True]
    assert [reply.status for reply in replies] == [200]


def test_asking_client_meets_the_limit(serve, client_of, run, swift, asking):
    """A request that met the rate limit asks again, and is told that nothing was done before."""
    before, after, asked, _ = asking
    server = serve((429, {"Retry-After": "1"}, b"{}"), (200, {}, RECORD))

    run(client_of(server.url).asking(before, after).image(1))

    assert asked == [None, False]


def test_asking_client_is_refused(serve, client_of, run, asking):
    """A reply that is an error is raised, and not shown."""
    before, after, asked, replies = asking
    server = serve((404, {}, b'{"id": "not_found", "message": "No."}'))

    with pytest.raises(NotFoundError):
        run(client_of(server.url).asking(before, after).image(1))

    assert asked == [None]
    assert replies == []


def test_asking_client_keeps_back(serve, client_of, run, asking):
    """What is raised before a request comes out as it is, and the server sees nothing; the next one goes through."""
    _, after, _, replies = asking
    server = serve((200, {}, RECORD))
    client = client_of(server.url)

    async def refuse(earlier):
        raise LookupError("not this one")

    with pytest.raises(LookupError, match="not this one"):
        run(client.asking(refuse, after).image(1))
    assert server.seen == []
    assert replies == []
    assert run(client.image(1))["id"] == 1


def test_quota(serve, client_of, run, asking):
    """A client tells what the last reply said is left of the rate limit, whoever sent the request."""
    before, after, _, _ = asking
    left = [{"RateLimit-Limit": "5000", "RateLimit-Remaining": str(n), "RateLimit-Reset": "1790000000"} for n in (9, 8)]
    server = serve(*((200, headers, RECORD) for headers in left), (200, {}, RECORD))
    client = client_of(server.url)
    assert client.quota is None

    run(client.image(1))
    assert (client.quota.limit, client.quota.remaining, client.quota.reset) == (5_000, 9, 1_790_000_000)
    other = client.asking(before, after)
    run(other.image(1))
    assert client.quota == other.quota
    assert client.quota.remaining == 8
    run(client.image(1))
    assert client.quota.remaining == 8
