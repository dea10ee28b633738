"""One server process for every cell: pages serialised beforehand, behind hypercorn, latency added per request.

As a script it serves until its standard input closes; `running_server` starts it so, for the other files here.
"""

import asyncio
import contextlib
import gc
import json
import random
import socket
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

REGIONS = ("nyc1", "nyc3", "sfo2", "sfo3", "ams3", "fra1", "lon1", "sgp1", "tor1", "blr1", "syd1")
DISTRIBUTIONS = ("Ubuntu", "Debian", "Fedora", "AlmaLinux", "Rocky Linux", "Unknown OS")
TYPES = ("snapshot", "snapshot", "snapshot", "backup", "custom")
HEADERS = [(b"content-type", b"application/json"), (b"ratelimit-limit", b"5000"), (b"ratelimit-remaining", b"4999")]


def write_image(image_id: int, rng: random.Random) -> bytes:
    """Return one image of the account as JSON: all 14 fields, the API's key order and spacing."""
    kind, distribution = rng.choice(TYPES), rng.choice(DISTRIBUTIONS)
    day = f"20{rng.randint(18, 26)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    record = {
        "id": image_id,
        "name": f"{rng.choice(('web', 'db', 'worker', 'build'))}-{rng.randint(1, 999)}-{day}-{rng.randrange(10**12)}",
        "distribution": distribution,
        "slug": None,
        "public": False,
        "regions": rng.sample(REGIONS, rng.randint(1, 3)),
        "created_at": f"{day}T{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}Z",
        "min_disk_size": rng.choice((25, 50, 80, 160, None)),
        "type": kind,
        "size_gigabytes": round(rng.uniform(0.1, 30), 2),
        "description": "" if kind == "snapshot" else f"{kind} of {distribution}",
        "tags": rng.sample(("prod", "staging", "env:prod", "team:data", "keep"), rng.randint(0, 2)),
        "status": "available",
        "error_message": "",
    }
    return json.dumps(record, separators=(",", ":")).encode()


class Pages:
    """The ASGI application: one state (total, latency) for all requests, changed between cells by POST /control."""

    def __init__(self) -> None:
        self.total, self.latency_seconds, self.requests = 200, 0.0, 0
        self.rng = random.Random(20261123)
        self.images: list[bytes] = []
        self.pages: dict[tuple[int, bytes, bytes], bytes] = {}

    def set_state(self, state: dict) -> None:
        """Take a new state and serialise every page of it, so that no measured request does."""
        self.latency_seconds, self.requests = state["latency_seconds"], 0
        if state["total"] != self.total or not self.pages:
            self.total = state["total"]
            self.pages.clear()
        while len(self.images) < self.total:
            self.images.append(write_image(200_000_000 + 37 * len(self.images), self.rng))
        host, per_page = state["host"].encode(), state.get("per_page", 200)
        for page in range(1, -(-self.total // per_page) + 1):
            self.page(host, f"page={page}&per_page={per_page}".encode())
        gc.collect()
        gc.freeze()

    def page(self, host: bytes, query: bytes) -> bytes:
        """Return one page by its query; a query not seen before is serialised and kept."""
        key = (self.total, host, query)
        if key not in self.pages:
            values = parse_qs(query.decode())
            page = int(values.pop("page", ["1"])[0])
            per_page = min(int(values.pop("per_page", ["20"])[0]), 200)
            kept = "".join(f"&{name}={value[0]}" for name, value in values.items())
            last = max(1, -(-self.total // per_page))
            near = {"first": 1, "prev": page - 1} if page > 1 else {}
            if page < last:
                near |= {"next": page + 1, "last": last}
            url = f"https://{host.decode()}/v2/images?page=%d&per_page={per_page}{kept}"
            links = {"pages": {name: url % number for name, number in near.items()}}
            tail = json.dumps({"links": links, "meta": {"total": self.total}}, separators=(",", ":")).encode()
            rows = self.images[: self.total][(page - 1) * per_page : page * per_page]
            self.pages[key] = b'{"images":[' + b",".join(rows) + b"]," + tail[1:]
        return self.pages[key]

    async def __call__(self, scope, receive, send) -> None:
        """Answer one request; the connection's own protocol is hypercorn's business."""
        if scope["type"] != "http":
            return
        path, status = scope["path"].rstrip("/"), 200
        if path == "/control":
            body, more = b"", True
            while more:
                message = await receive()
                body, more = body + message["body"], message["more_body"]
            answer = json.dumps({"requests": self.requests}).encode()
            if body:
                self.set_state(json.loads(body))
        else:
            self.requests += 1
            await asyncio.sleep(self.latency_seconds)
            if path == "/v2/images":
                host = next(value for name, value in scope["headers"] if name in (b"host", b":authority"))
                answer = self.page(host, scope["query_string"])
            elif path.startswith("/v2/images/") and path[11:].isdigit():
                answer = b'{"image":' + write_image(int(path[11:]), random.Random(path)) + b"}"
            else:
                status, answer = 404, b'{"id":"not_found","message":"The resource was not found."}'
        length = (b"content-length", str(len(answer)).encode())
        await send({"type": "http.response.start", "status": status, "headers": [*HEADERS, length]})
        await send({"type": "http.response.body", "body": answer})


async def serve(folder: Path) -> None:
    """Serve the pages on two ports, one with HTTP/2 and HTTP/1.1, one with HTTP/1.1 only, until input ends."""
    import hypercorn.asyncio
    import hypercorn.config
    import trustme

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(
        str(folder / "server.pem")
    )
    pages, stop, servers, ports = Pages(), asyncio.Event(), [], []
    for protocols in (["h2", "http/1.1"], ["http/1.1"]):
        listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        config = hypercorn.config.Config()
        config.bind = [f"fd://{listener.fileno()}"]
        config.certfile = config.keyfile = str(folder / "server.pem")
        config.alpn_protocols = protocols
        config.h2_max_concurrent_streams = 256
        config.keep_alive_max_requests = 10**9  # its default closes a connection in the middle of a listing
        config.keep_alive_timeout = 600
        config.include_date_header = config.include_server_header = False
        config.errorlog = None
        ports.append(listener.getsockname()[1])
        servers.append(hypercorn.asyncio.serve(pages, config, shutdown_trigger=stop.wait))
        listener.detach()
    loop = asyncio.get_running_loop()
    loop.run_in_executor(None, sys.stdin.read).add_done_callback(lambda _: stop.set())
    facts = {"url": f"https://127.0.0.1:{ports[0]}", "http1_url": f"https://127.0.0.1:{ports[1]}"}
    print(json.dumps(facts | {"ca_file": str(folder / "ca.pem")}), flush=True)
    await asyncio.gather(*servers)


@dataclass(frozen=True)
class Server:
    """Where the server is, and the one thing to tell it."""

    url: str
    http1_url: str
    ca_file: str

    def control(self, url: str, state: dict | None = None) -> int:
        """Set the state when given one; return how many requests were answered since the last state."""
        context = ssl.create_default_context(cafile=self.ca_file)
        body = json.dumps(state | {"host": url.removeprefix("https://")}).encode() if state else None
        request = urllib.request.Request(url + "/control", data=body, method="POST")
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        with opener.open(request) as reply:
            return json.load(reply)["requests"]


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    """Start the server's process, give its address, and end it by closing its input."""
    process = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Server(**json.loads(process.stdout.readline()))
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(serve(Path(name)))
