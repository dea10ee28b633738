"""What every test has: no token, no settings, no network but this machine, and a client over a script or a sandbox."""

import json
import sys
from collections.abc import Callable, Iterator

import httpx
import pytest
from scripted import CANARY, URL, FakeTime, Handler

from doimages.api.client import Client
from doimages.api.connect import close_all
from doimages.api.credentials import Credentials
from doimages.api.pacing import Pacer
from doimages.api.portal import portal
from doimages.api.transport import Transport
from doimages.redaction import Secret
from doimages.settings import SETTINGS, options


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    """Keep the tokens, files and options of whoever runs the tests out of them."""
    for setting in SETTINGS.values():
        monkeypatch.delenv(setting.variable, raising=False)
    for name in ("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN", "DOIMAGES_NO_PATCH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    options.reset()
    yield
    options.reset()
    if "doimages.execute" in sys.modules:
        sys.modules["doimages.execute"].views.clear()


@pytest.fixture(scope="session", autouse=True)
def _closing():
    yield
    close_all()


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def make_client(fake_time) -> Iterator[Callable[..., Client]]:
    """Give a function that makes a client over a script: handler(httpx.Request) -> httpx.Response.

    Waiting is fake; ``client.sent`` is the list of (method, path and query, body) that went out.
    """
    made = []

    def make(handler: Handler, *, token: str = CANARY, limit: int = 250, base_url: str = URL) -> Client:
        sent = []

        def noting(request: httpx.Request) -> httpx.Response:
            sent.append(
                (request.method, request.url.raw_path.decode(), request.content and json.loads(request.content))
            )
            return handler(request)

        secret = Secret(token)
        transport = Transport(
            base_url,
            secret,
            Pacer(limit),
            over=httpx.MockTransport(noting),
            clock=fake_time.clock,
            epoch=fake_time.clock,
            sleep=fake_time.sleep,
            draw=fake_time.draw,
        )
        client = Client(Credentials(secret, "the token argument", base_url), transport)
        client.sent = sent
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def run():
    """Give a function that runs a coroutine of the client on the loop thread."""
    return portal.wait
