"""An account of a few images without a server: replies can be lost, late or wrong, and no wait is real."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import httpx
import pandas as pd
import pytest
from scripted import CANARY, URL, FakeTime, image

import doimages
from doimages.api.client import Client
from doimages.api.credentials import Credentials
from doimages.api.pacing import Pacer
from doimages.api.transport import Transport
from doimages.change import apply
from doimages.change.application import Application
from doimages.redaction import Secret
from doimages.sandbox_api.app import create_app
from doimages.sandbox_api.state import State

MADE = "2024-03-01T02:35:00Z"


@dataclass
class Trouble:
    """What becomes of the next requests that fit: an error of httpx, a status or a reply; ``is_done`` does them first.

    ``text`` is what the error says; the first ``after`` that fit pass.
    """

    method: str
    how: type[Exception] | int | httpx.Response
    path: str = "*"
    is_done: bool = False
    times: int | None = 1
    after: int = 0
    text: str = "scripted"

    def fits(self, request: httpx.Request) -> bool:
        """Tell whether a request meets it, and use it up."""
        is_meant = fnmatchcase(request.method, self.method) and fnmatchcase(request.url.path, self.path)
        if not is_meant or self.times == 0:
            return False
        if self.after:
            self.after -= 1
            return False
        self.times = None if self.times is None else self.times - 1
        return True

    def reply(self, request: httpx.Request) -> httpx.Response:
        """Give the reply, or raise the error."""
        if isinstance(self.how, type):
            raise self.how(self.text, request=request)
        if isinstance(self.how, int):
            return httpx.Response(self.how, json={"id": "scripted", "message": "Scripted."})
        return httpx.Response(self.how.status_code, headers=self.how.headers, content=self.how.content)


class Wire(httpx.AsyncBaseTransport):
    """Hands requests to the sandbox, notes each, and makes the trouble that was asked for."""

    def __init__(self, over: httpx.ASGITransport) -> None:
        self._over = over
        self.sent: list[tuple[str, str, object]] = []
        self.troubles: list[Trouble] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        self.sent.append((request.method, request.url.raw_path.decode(), json.loads(body) if body else None))
        trouble = next((one for one in self.troubles if one.fits(request)), None)
        if trouble is None or trouble.is_done:
            reply = await self._over.handle_async_request(request)
        return reply if trouble is None else trouble.reply(request)


@dataclass
class Desk:
    """An account with images 1, 2, ..., what it was sent, and the ways to change it; time moves by sleeping only."""

    time: FakeTime
    state: State = field(default_factory=lambda: State(1, rate_limit=10**6))
    token: str = CANARY
    application: Application | None = None

    def __post_init__(self) -> None:
        self.has(5)
        self.state.droplets.clear()
        self.wire = Wire(httpx.ASGITransport(app=create_app(self.state, token=CANARY)))
        self.client = self.connect()

    def connect(self, token: str = CANARY, base_url: str = URL) -> Client:
        """Make a client; its connections are none, so it need not be closed."""
        secret = Secret(token)
        transport = Transport(
            base_url,
            secret,
            Pacer(10**6),
            over=self.wire,
            clock=self.time.clock,
            epoch=self.time.clock,
            sleep=self.sleep,
            draw=self.time.draw,
        )
        return Client(Credentials(secret, "the token argument", base_url), transport)

    async def sleep(self, seconds: float) -> None:
        """Sleep by this desk's time, as it is just now: a test may replace it."""
        await self.time.sleep(seconds)

    def start(self, *args, **options) -> Application:
        """Make an application by this desk's time."""
        self.application = Application(*args, clock=self.time.clock, sleep=self.sleep, **options)
        return self.application

    def has(self, images: int | Iterable[dict], **fields) -> None:
        """Say which images there are: so many snapshots, or these records."""
        if isinstance(images, int):
            images = [image(number, **{"created_at": MADE} | fields) for number in range(1, images + 1)]
        self.state.images.clear()
        self.state.images.update({record["id"]: record for record in images})

    def trouble(self, *args, **options) -> None:
        """Make trouble: see Trouble."""
        self.wire.troubles.append(Trouble(*args, **options))

    @property
    def sent(self) -> list[str]:
        """The requests so far, without queries."""
        return [f"{method} {path.partition('?')[0]}" for method, path, _ in self.wire.sent]

    @property
    def writes(self) -> list[str]:
        """The requests that change something, if they are carried out."""
        return [one for one in self.sent if not one.startswith("GET ")]

    def frame(self, *ids: int) -> pd.DataFrame:
        """A frame as a read gives it, of these ids or all."""
        frame = doimages.read_do_images(private=True, client=self.client)
        return frame[frame["id"].isin(ids)] if ids else frame

    def plan(self, operation: str, *args, ids: Iterable[int] = (), **options):
        """Plan by the accessor, for these ids or all."""
        frame = pd.DataFrame({"id": pd.Series(list(ids) or list(self.state.images), dtype="Int64")})
        return getattr(frame.do_images, operation)(*args, client=self.client, **options)

    def create(self, **options):
        """Plan an import."""
        given = {"name": "base", "url": "https://images.example.com/base.qcow2", "region": "nyc3"}
        return doimages.create_custom(**given | {"client": self.client} | options)

    def apply(self, plan, **options):
        """Carry a plan out; what was sent before is forgotten."""
        self.wire.sent.clear()
        return plan.apply(confirm=plan.confirmation, progress="off", **{"client": self.client} | options)

    def resume(self, plan, **options):
        """Take it up again; what was sent before is forgotten."""
        self.wire.sent.clear()
        return doimages.resume(plan.id, progress="off", **{"client": self.client} | options)


@pytest.fixture
def desk(fake_time, monkeypatch) -> Desk:
    """Give a desk with five snapshots of the account, ids 1 to 5."""
    desk = Desk(fake_time)
    monkeypatch.setattr(apply, "Application", desk.start)
    # What is on disk for good is the business of test_journal and test_crash; here it is most of the time.
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    return desk


@pytest.fixture
def rows():
    """Give a function that tells the rows of a report as plain dicts."""

    def rows_of(report) -> list[dict]:
        frame = report.to_frame().astype(object)
        return frame.where(frame.notna(), None).to_dict("records")

    return rows_of
