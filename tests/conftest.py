"""What tests have beside what every example has: time that is told, and a client over a script."""

import json
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
