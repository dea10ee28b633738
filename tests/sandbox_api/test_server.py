from __future__ import annotations

import socket
import threading

import httpx
import pytest

from doimages.sandbox_api.faults import Fault
from doimages.sandbox_api.server import Server


def get(server, path="/v2/account"):
    return httpx.get(f"{server.url}{path}", headers={"authorization": f"Bearer {server.token}"})


def test_life():
    """A server answers on a free port of 127.0.0.1 and leaves no thread and no open port behind."""
    before = set(threading.enumerate())

    with Server(images=5) as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert get(server, "/v2/images").json()["meta"] == {"total": 5}
        url = server.url

    assert set(threading.enumerate()) == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_again():
    """A server may be stopped twice, and started again on its port with its state and token."""
    server = Server(images=5).start().start()
    url = server.url
    get(server)
    server.stop()
    server.stop()

    with server:
        assert server.url == url
        assert get(server).status_code == 200
        assert len(server.state.log) == 2


def test_tokens_differ():
    """Each server has a token of its own, which is none of DigitalOcean's."""
    one, other = Server(images=0), Server(images=0)

    assert one.token != other.token
    assert one.token.startswith("sandbox-")


def test_port_in_use():
    """A port in use is an OSError where the server is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        Server(port=taken.getsockname()[1]).start()


def test_stop_does_not_wait_for_slow_replies():
    """A reply that is still to come does not hold the server up."""
    with Server(images=0) as server:
        server.state.faults.append(Fault("slow", seconds=3600))
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{server.url}/v2/account", headers={"authorization": f"Bearer {server.token}"}, timeout=0.05)


def test_foreign_host(server):
    """A page of another site that reaches the port by its own name is not answered."""
    reply = httpx.get(f"{server.url}/v2/images", headers={"host": "evil.example"})

    assert reply.status_code == 421


def test_rate_limit_and_latency():
    """rate_limit and latency are those of the server asked for."""
    with Server(images=0, rate_limit=1, latency=0.001) as server:
        assert get(server).headers["ratelimit-limit"] == "20"
        assert get(server).status_code == 429


def test_run_forever():
    """run_forever serves until the server is stopped."""
    server = Server(images=0).start()
    foreground = threading.Thread(target=server.run_forever)
    foreground.start()

    assert get(server).status_code == 200
    server.stop()
    foreground.join()
