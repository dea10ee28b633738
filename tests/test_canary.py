"""A canary for a token: after everything that can fail has failed it must be found nowhere but in its header."""

import asyncio
import gc
import json
import logging
import os
import pickle
import socket
import threading
import traceback

import h11
import hpack
import httpx
import pytest
import trustme
from scripted import CANARY, image
from servers import served

import doimages
from doimages.api import transport as transport_module
from doimages.api.connect import close_all, connect
from doimages.reader import aread_do_images, read_do_images
from doimages.settings import options

ECHO = {"id": f"id-{CANARY}", "message": f"Token {CANARY} is bad.", "request_id": f"request-{CANARY}"}
HEADERS = {
    "x-request-id": CANARY,
    "x-echo": f"Bearer {CANARY}",
    "location": f"https://{CANARY}:{CANARY}@evil.test/{CANARY}?token={CANARY}",
    "retry-after": "3600",
}
# What single images are answered with: status, type, body.
IMAGES = {
    "200": (200, "application/json", {"image": image(200, name=CANARY, tags=[CANARY], unknown=CANARY)}),
    "2001": (200, "text/html", f"<html>{CANARY}</html>"),
    "2002": (200, "application/json", '{"image": {"name": "' + CANARY),
    "2003": (200, "application/json", [CANARY]),
    "2004": (200, "application/json", {CANARY: CANARY}),
    "2005": (200, "application/json", {"image": image(1, name=CANARY)}),
    "2006": (200, "application/json", {"image": CANARY}),
    "2007": (200, f"text/{CANARY}", CANARY),
    "4001": (400, "application/json", {"error": CANARY, "messages": [CANARY], "root_causes": [CANARY]}),
    "4002": (400, "application/json", {"id": CANARY, "message": {CANARY: [CANARY]}}),
    "4003": (400, "text/plain", f"{CANARY} " * 20),
    "5001": (504, "text/html", f"<html>{CANARY}</html>"),
    **{
        str(status): (status, "application/json", ECHO)
        for status in (301, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503)
    },
}
# What listings are answered with, by tag.
LISTINGS = {
    "good": {"images": [image(1, name=CANARY, tags=["good", CANARY], unknown=CANARY)], "meta": {"total": 1}},
    "walk": {"images": [], "links": {"pages": {"next": f"https://{CANARY}/?page=1&x={CANARY}"}}},
    "time": {"images": [image(1, created_at=CANARY, tags=["time"])], "meta": {"total": 1}},
    "number": {"images": [image(1, min_disk_size=[CANARY])], "meta": {"total": 1}},
    "text": {"images": [image(1, name={"a": CANARY})], "meta": {"total": 1}},
    "key": {"images": [image(CANARY)], "meta": {"total": 1}},
    "record": {"images": [[CANARY]], "meta": {"total": 1}},
    "keys": {CANARY: []},
    "total": {"images": [image(1, name=CANARY)], "meta": {"total": CANARY}},
    "column": {"images": [image(1, tags=["column"]) | {CANARY: CANARY}], "meta": {"total": 1}},
    "changed": {"images": [image(1, name=CANARY)], "meta": {"total": 2}},
    "end": {"images": [image(1, name=CANARY)], "links": {"pages": {"next": f"https://{CANARY}?page=7"}}},
}
FAILING_READS = {
    name: lambda client, name=name: read_do_images(client=client, tag_name=name)
    for name in LISTINGS
    if name not in ("good", "column")
}
FAILING_READS |= {
    f"image {number}": lambda client, number=number: read_do_images(client=client, image_id=int(number))
    for number in IMAGES
    if number != "200"
}
WRITES = {
    "put": lambda client, number: client.update_image(number, name="new"),
    "delete": lambda client, number: client.delete_image(number),
    "action": lambda client, number: client.transfer_image(number, "nyc3"),
}


class Hostile:
    """An ASGI app that sends the token back in whatever it answers; ``authorizations`` is what it was sent."""

    def __init__(self):
        self.authorizations = set()

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        self.authorizations.add(headers[b"authorization"].decode())
        while (await receive()).get("more_body"):
            pass
        query = httpx.QueryParams(scope["query_string"].decode())
        number = scope["path"].removeprefix("/v2/images").strip("/").partition("/")[0]
        status, kind, body = (200, "application/json", LISTINGS[query["tag_name"]]) if not number else IMAGES[number]
        encoded = (body if isinstance(body, str) else json.dumps(body)).encode()
        said = [(name.encode(), value.encode()) for name, value in ({"content-type": kind} | HEADERS).items()]
        await send({"type": "http.response.start", "status": status, "headers": said})
        await send({"type": "http.response.body", "body": encoded})


class Listener(logging.Handler):
    """Keeps every record of every logger, as it was and as text."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.texts = []

    def emit(self, record):
        self.texts.append(f"{record.name}: {self.format(record)} {vars(record)!r}")


@pytest.fixture(autouse=True)
def heard():
    """Everything that any logger says."""
    listener, root = Listener(), logging.getLogger()
    level = root.level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    yield listener.texts
    root.removeHandler(listener)
    root.setLevel(level)
    assert_absent(*listener.texts)


@pytest.fixture(autouse=True)
def _swift(monkeypatch):
    """Take the waits away: those between attempts, and those for a place in the minute."""
    monkeypatch.setenv("DOIMAGES_REQUESTS_PER_MINUTE", "100000")
    monkeypatch.setattr(transport_module.retry, "backoff_seconds", lambda *_: 0.0)


@pytest.fixture(params=["HTTP/1.1", "HTTP/2"])
def hostile(request, tmp_path, monkeypatch):
    """A hostile server over real sockets: the app, and its URL."""
    app = Hostile()
    authority = None
    if request.param == "HTTP/2":
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    with served(app, authority, tmp_path) as url:
        yield app, url


@pytest.fixture
def client(hostile):
    with connect(token=CANARY, base_url=hostile[1]) as connected:
        yield connected


# The middle of the canary as HTTP/2 sends it, packed but for anybody to read, in the repr of bytes.
PACKED = repr(hpack.Encoder().encode([("authorization", f"Bearer {CANARY}")])[-24:-8])[2:-1]


def assert_absent(*texts):
    """Look for the canary, and for its middle in case something cut or packed it."""
    for text in texts:
        found = text.decode("latin-1") if isinstance(text, bytes) else text
        assert PACKED not in found
        place = found.find("c0ffeec0ffee")
        assert place < 0, found[max(0, place - 300) : place + 100].replace("c0ffee", "(canary)")


def chain(error):
    """Give an error and all it came from, shown in a traceback or not."""
    seen = []
    left = [error]
    while left:
        found = left.pop()
        if found is None or found in seen:
            continue
        seen.append(found)
        left += [found.__cause__, found.__context__, *getattr(found, "exceptions", ())]
    return seen


def texts_of(error):
    """Give all that an error can be made to tell, its tracebacks with the locals of their frames."""
    for found in chain(error):
        yield str(found)
        yield repr(found)
        yield repr(found.args)
        yield repr(vars(found))
        yield repr(getattr(found, "__notes__", ""))
        yield from traceback.TracebackException.from_exception(found, capture_locals=True, compact=False).format()
        yield from getattr(found, "_render_traceback_", list)()
        yield pickle.dumps(found)


def failing(operation):
    """Do what must fail, and give the error."""
    with pytest.raises(doimages.DOImagesError) as got:
        operation()
    return got.value


@pytest.mark.parametrize("name", FAILING_READS)
def test_failing_reads(client, name):
    """No error of a read tells the token, though the server sends it back."""
    error = failing(lambda: FAILING_READS[name](client))

    assert_absent(*texts_of(error))


@pytest.mark.parametrize("name", ["changed", "time"])
def test_failing_aread(client, name):
    """No error of an asynchronous read tells the token."""
    error = failing(lambda: asyncio.run(aread_do_images(client=client, tag_name=name)))

    assert_absent(*texts_of(error))


@pytest.mark.parametrize("number", [400, 401, 403, 404, 409, 422, 429, 500, 503, 302, 2002, 4001, 4002, 4003, 5001])
@pytest.mark.parametrize("name", WRITES)
def test_failing_writes(client, run, name, number):
    """No error of a write tells the token."""
    error = failing(lambda: run(WRITES[name](client, number)))

    assert_absent(*texts_of(error))


@pytest.mark.parametrize("dtype_backend", [None, "numpy_nullable", "pyarrow"])
def test_frames(hostile, client, tmp_path, heard, dtype_backend):
    """No frame holds the token, in its values or its attrs, pickled or as Parquet; the server did get it."""
    for frame in (
        read_do_images(client=client, tag_name="good", dtype_backend=dtype_backend),
        read_do_images(client=client, tag_name="column", dtype_backend=dtype_backend),
        read_do_images(client=client, image_id=200, dtype_backend=dtype_backend),
    ):
        frame.to_parquet(tmp_path / "frame.parquet")
        assert_absent(
            frame.to_csv(),
            repr(frame),
            frame.to_html(),
            repr(frame.attrs),
            json.dumps(frame.attrs),
            pickle.dumps(frame),
        )
        assert_absent((tmp_path / "frame.parquet").read_bytes(), repr(frame.do_images.provenance))

    assert hostile[0].authorizations == {f"Bearer {CANARY}"}
    assert any("httpx" in text or "hpack" in text for text in heard)


def test_reprs(client):
    """No object that a notebook may show holds the token where its repr looks."""
    transport = client._transport
    objects = [client, vars(client), transport, vars(transport), transport._http.headers, transport._pacer]

    assert_absent(*map(repr, objects), repr(doimages.options), options.to_pandas().to_csv(), repr(vars(options)))


def test_settings_of_the_environment(hostile, monkeypatch):
    """A client made of the environment's settings holds its token no less closely."""
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", CANARY)
    monkeypatch.setenv("DIGITALOCEAN_API_URL", hostile[1])

    frame = read_do_images(tag_name="good")
    error = failing(lambda: read_do_images(image_id=401))
    close_all()

    assert_absent(*texts_of(error), repr(frame.attrs))


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.ReadError,
        httpx.ReadTimeout,
        httpx.WriteError,
        httpx.RemoteProtocolError,
        httpx.LocalProtocolError,
        httpx.DecodingError,
        httpx.ProxyError,
        httpx.UnsupportedProtocol,
        httpx.TooManyRedirects,
    ],
)
def test_failures_of_httpx(make_client, run, failure):
    """An error of httpx, which holds the request and its header, is nowhere behind ours."""

    def handler(request):
        try:
            raise h11.LocalProtocolError(  # noqa: TRY301 - as httpcore does
                f"Illegal header value b'Bearer {CANARY}'"
            )
        except h11.LocalProtocolError as error:
            raise failure(str(error), request=request) from error

    client = make_client(handler)

    for operation in (client.image(1), client.delete_image(1), client.convert_image(1)):
        error = failing(lambda operation=operation: run(operation))
        assert [type(found).__module__ for found in chain(error)] == ["doimages.errors"]
        assert_absent(*texts_of(error))


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("is_listening", [False, True], ids=["refused", "cut"])
def test_failures_of_sockets(run, scheme, is_listening):
    """No error of a connection that is refused, or cut at once, tells the token."""
    listener = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def cut():
        while not stopped.is_set():
            listener.accept()[0].close()

    thread = threading.Thread(target=cut)
    if is_listening:
        thread.start()
    else:
        listener.close()
    address = listener.getsockname() if is_listening else ("127.0.0.1", 9)
    with connect(token=CANARY, base_url=f"{scheme}://{address[0]}:{address[1]}") as client:
        errors = [
            failing(lambda: read_do_images(client=client)),
            failing(lambda: run(client.delete_image(1))),
            failing(lambda: run(client.convert_image(1))),
        ]
    if is_listening:
        stopped.set()
        socket.create_connection(address).close()
        thread.join()
        listener.close()

    for error in errors:
        assert_absent(*texts_of(error))


@pytest.mark.parametrize("broken", ["\r\nX-Evil: 1", "\nnext", " b", "\x00", "é", "\udcff"])
@pytest.mark.parametrize("variable", ["DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN"])
def test_header_injection(monkeypatch, variable, broken):
    """A token of the environment that would add a header is refused, and no frame on the way shows it."""
    monkeypatch.setitem(os.environ, variable, CANARY + broken.replace("\x00", "\x01"))

    assert_absent(*texts_of(failing(read_do_images)))


def test_unknown_context(tmp_path):
    """A context that doctl does not have shows none of the tokens of those it has."""
    folder = tmp_path / "config" / "doctl"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(
        f"access-token: {CANARY}\nauth-contexts: {{work: {CANARY}}}\n", encoding="utf-8"
    )
    assert_absent(*texts_of(failing(lambda: connect(context="home"))))

    (folder / "config.yaml").write_text(f"access-token: {CANARY}: [\n", encoding="utf-8")
    assert_absent(*texts_of(failing(lambda: connect(context="home"))))


def test_token_for_another_address(monkeypatch):
    """A token that is not sent to an address is not shown either."""
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", CANARY)

    assert_absent(*texts_of(failing(lambda: connect(base_url="https://evil.test"))))


def test_closed_client(client, run):
    """A closed client tells nothing."""
    client.close()

    assert_absent(*texts_of(failing(lambda: run(client.image(1)))))


def test_canary_is_heard(heard):
    """The search would find the canary: it is in a record that is not masked, of a logger that nobody guards."""
    logging.getLogger("not.guarded").debug("%s", CANARY)

    with pytest.raises(AssertionError, match="canary"):
        assert_absent(*heard)
    heard.clear()
    gc.collect()
