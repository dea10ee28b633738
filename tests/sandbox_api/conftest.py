"""The sandbox in process, answering one request after the other, and served over HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from doimages.sandbox_api.app import create_app
from doimages.sandbox_api.server import Server
from doimages.sandbox_api.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.applications import Starlette

TOKEN = "sandbox-of-a-test"
START = 1_800_000_000.0  # 2027-01-15T08:00:00Z


@dataclass
class Clock:
    """A clock that stands still until a test moves it."""

    now: float = START

    def __call__(self) -> float:
        return self.now


@dataclass
class Box:
    """The application and its state; `send` is one request and its reply."""

    state: State
    app: Starlette
    clock: Clock
    token: str | None = TOKEN

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= options.pop("headers", {})

        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
                return await client.request(method, path, headers=headers, **options)

        return asyncio.run(exchange())

    def id_of(self, kind: str, status: str = "available") -> int:
        """Give the first image of the account of that type and status."""
        return next(
            image["id"]
            for image in self.state.images.values()
            if image["type"] == kind and image.get("status") == status and not image["public"]
        )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def box(clock: Clock) -> Box:
    state = State(images=60, clock=clock)
    return Box(state, create_app(state, token=TOKEN), clock)


@pytest.fixture(scope="module")
def _running() -> Iterator[Server]:
    with Server(images=60, rate_limit=10_000) as server:
        yield server


@pytest.fixture
def server(_running: Server) -> Server:
    """A sandbox over HTTP in its seeded state; one server a module, as a stop takes a moment."""
    _running.reset()
    return _running
