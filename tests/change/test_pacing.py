"""A plan within the rate limit: against a sandbox that enforces it, on a loop whose time jumps."""

import asyncio
import math
import random
import re
from collections import Counter
from dataclasses import dataclass, field

import httpx
import pytest
from jumping import JumpingLoop
from scripted import CANARY, image

from doimages.api.client import Client
from doimages.api.credentials import Credentials
from doimages.api.pacing import Pacer
from doimages.api.transport import Transport
from doimages.change.application import Application
from doimages.change.guards import make_guards
from doimages.change.journal import Journal
from doimages.change.planning import Asked, Wish, aplan_changes
from doimages.redaction import Secret
from doimages.sandbox_api.app import create_app
from doimages.sandbox_api.faults import Fault
from doimages.sandbox_api.state import State

START = 1_800_000_000.0  # 2027-01-15T08:00:00Z
URL = "http://localhost"
MINUTE = 60.0


@dataclass(frozen=True)
class Sent:
    """A request as it went out, and the status that came back."""

    at: float
    method: str
    path: str
    status: int


@dataclass
class Over(httpx.AsyncBaseTransport):
    """The way to the sandbox: it takes a while there and back, and notes what is sent."""

    app: httpx.ASGITransport
    travel_seconds: object
    sent: list[Sent] = field(default_factory=list)

    async def handle_async_request(self, request):
        at = asyncio.get_running_loop().time()
        await asyncio.sleep(self.travel_seconds())
        reply = await self.app.handle_async_request(request)
        await asyncio.sleep(self.travel_seconds())
        self.sent.append(Sent(at, request.method, request.url.path, reply.status_code))
        return reply


async def sleep(seconds):
    """Sleep for a microsecond at least: a rounded wait of less would not move the loop's time at all."""
    await asyncio.sleep(max(seconds, 1e-6))


class Account:
    """An account of some snapshots in a sandbox, and plans of deletes carried out in it."""

    def __init__(self, images, *, limit=250, pacer_limit=None, travel_seconds=lambda: 0.1):
        self.loop = JumpingLoop()
        self.state = State(0, rate_limit=limit, clock=self.epoch)
        self.state.images = {number: image(number) for number in range(1, images + 1)}
        app = httpx.ASGITransport(create_app(self.state, token=CANARY))
        self.over = Over(app, travel_seconds)
        transport = Transport(
            URL,
            Secret(CANARY),
            Pacer(limit if pacer_limit is None else pacer_limit),
            over=self.over,
            clock=self.loop.time,
            epoch=self.epoch,
            sleep=sleep,
        )
        self.client = Client(Credentials(Secret(CANARY), "the test", URL), transport)

    def epoch(self):
        """Give the Unix time."""
        return START + self.loop.time()

    def plan(self, image_ids):
        """Plan the delete of images."""
        guards = make_guards(max_count=10_000, max_percent=100)
        asked = [Asked(image_id=number) for number in image_ids]
        return self.loop.run_until_complete(aplan_changes(Wish(operation="delete", guards=guards), asked, self.client))

    def carry_out(self, plan, watch=None):
        """Carry a plan out, or go on with it; give the application, which has the results."""
        journal = Journal(plan.id)
        journal.open()
        try:
            history = journal.read()
            application = Application(plan, self.client, journal, history, clock=self.loop.time, sleep=sleep)
            if history is None:
                journal.write("plan", plan=plan.to_record())
            self.loop.run_until_complete(self._run(application, watch))
        finally:
            journal.close()
        return application

    async def _run(self, application, watch):
        await application.prepare()
        watching = asyncio.ensure_future(watch(application)) if watch else None
        await application.run()
        if watching:
            watching.cancel()

    def wait(self, seconds):
        """Let time pass."""
        self.loop.run_until_complete(asyncio.sleep(seconds))

    @property
    def deletes(self):
        """The DELETEs in the order they went out."""
        return sorted((one for one in self.over.sent if one.method == "DELETE"), key=lambda one: one.at)

    @property
    def statuses(self):
        """How many replies had which status."""
        return Counter(one.status for one in self.over.sent)


@pytest.fixture(autouse=True)
def _no_disk(monkeypatch):
    """Spare the disk: that journals are on it is tested elsewhere."""
    monkeypatch.setattr("os.fsync", lambda _: None)


@pytest.fixture
def open_account():
    """Give a function that opens an account."""
    opened = []

    def make(images, **how):
        opened.append(Account(images, **how))
        return opened[-1]

    yield make
    for account in opened:
        account.loop.run_until_complete(account.client._transport.aclose())
        account.loop.close()


def outcomes(application):
    """How many steps have which outcome."""
    return dict(Counter(one.outcome for one in application.results.values()))


def fullest(requests, seconds=MINUTE):
    """Give the most requests that went out in any window of so many seconds."""
    times = sorted(one.at for one in requests)
    return max(sum(start <= at < start + seconds for at in times) for start in times)


def test_thousand_deletes(open_account):
    """1,000 deletes meet no 429, take hardly longer than the limit asks, each is sent once, and on fresh rows."""
    travel = random.Random(7)  # noqa: S311 - no secret is drawn
    account = open_account(1_000, travel_seconds=lambda: travel.uniform(0.0, 0.4))

    application = account.carry_out(account.plan(range(1, 1_001)))

    assert outcomes(application) == {"done": 1_000}
    assert account.statuses[429] == 0
    assert Counter(one.path for one in account.deletes) == {f"/v2/images/{number}": 1 for number in range(1, 1_001)}
    assert account.state.images == {}
    floor = (math.ceil(len(account.over.sent) / 250) - 1) * MINUTE
    assert floor <= account.loop.time() <= 1.1 * floor
    readings = [one.at for one in account.over.sent if one.path == "/v2/images"]
    for delete in account.deletes:
        # The pages of one reading are sent one after the other, within a second.
        assert delete.at - max(at for at in readings if at <= delete.at) <= MINUTE


def test_image_that_changes_meanwhile(open_account):
    """An image that gets another name while the plan waits for the limit is left alone."""
    account = open_account(60, limit=25)
    plan = account.plan(range(1, 61))

    async def rename(application):
        await asyncio.sleep(30)
        account.state.images[60]["name"] = "the last good one"

    application = account.carry_out(plan, rename)

    assert outcomes(application) == {"done": 59, "changed since plan": 1}
    assert list(account.state.images) == [60]


def test_slower_when_little_is_left(open_account):
    """When less than a tenth of the hour's requests is left, at most 60 a minute are sent."""
    account = open_account(200)
    account.state.limits.spend(CANARY, 4_600, seconds_ago=1_200)
    plan = account.plan(range(1, 201))

    application = account.carry_out(plan)

    assert outcomes(application) == {"done": 200}
    assert fullest(account.deletes) <= 60
    assert account.deletes[-1].at - account.deletes[0].at >= 3 * MINUTE


def test_fast_when_enough_is_left(open_account):
    """With a tenth of the hour's requests left they go out as fast as the minute allows."""
    account = open_account(200)
    account.state.limits.spend(CANARY, 4_200, seconds_ago=1_200)
    plan = account.plan(range(1, 201))

    account.carry_out(plan)

    assert fullest(account.deletes) == 200


def test_stop_when_hardly_any_is_left(open_account):
    """The last hundredth of the hour's requests is left to others: the plan stops, and a resume later ends it."""
    account = open_account(100)
    account.state.limits.spend(CANARY, 4_920, seconds_ago=1_200)
    plan = account.plan(range(1, 101))

    stopped = account.carry_out(plan)

    left = account.state.limits.hour - 4_920 - len(account.over.sent)
    assert 0 < left < 50
    assert re.fullmatch(r"\d\d requests are left of the rate limit: resume after 08:40 UTC", stopped.stopped)
    assert not stopped.is_finished
    sent = len(account.deletes)
    assert outcomes(stopped) == {"done": sent, "not started": 100 - sent}

    account.wait(2_400)
    resumed = account.carry_out(plan)

    assert resumed.stopped is None
    assert outcomes(resumed) == {"done": 100}
    assert account.statuses[429] == 0
    assert len(account.deletes) == 100


def test_limit_is_waited_out(open_account):
    """A 429 holds all requests as long as it asks, says so, and no image is lost."""
    account = open_account(100)
    account.state.faults.append(Fault("status", method="DELETE", status=429, headers={"retry-after": "29"}, after=20))
    plan = account.plan(range(1, 101))
    notes = []

    async def watch(application):
        while True:
            notes.append(application.note)
            await asyncio.sleep(1)

    application = account.carry_out(plan, watch)

    assert outcomes(application) == {"done": 100}
    assert account.statuses[429] == 1
    assert len(account.deletes) == 101
    refused = next(one for one in account.deletes if one.status == 429)
    came = refused.at + 0.2
    assert not [one for one in account.deletes if came < one.at < came + 29]
    assert any(re.fullmatch(r"rate limit: going on in 2\d s", note) for note in notes)
    assert sorted(one.tries for one in application.results.values()) == [1] * 99 + [2]


def test_limit_too_far_away(open_account):
    """A 429 that asks for more than two minutes stops the plan; the image it met is not lost, and resume ends it."""
    account = open_account(40)
    account.state.faults.append(Fault("status", method="DELETE", status=429, headers={"retry-after": "2400"}, after=5))
    plan = account.plan(range(1, 41))

    stopped = account.carry_out(plan)

    assert re.fullmatch(r"the rate limit of this token is used up: resume after \d\d:\d\d UTC", stopped.stopped)
    assert outcomes(stopped)["not started"] >= 1
    assert set(outcomes(stopped)) == {"done", "not started"}
    resumed = account.carry_out(plan)
    assert outcomes(resumed) == {"done": 40}
    assert Counter(one.status for one in account.deletes) == {204: 40, 429: 1}


def test_others_use_the_token(open_account):
    """Requests of others that fill the minute are waited out by what the 429 says, and no image is lost."""
    account = open_account(60, limit=40)
    plan = account.plan(range(1, 61))

    async def others(application):
        await asyncio.sleep(0.1)
        account.state.limits.spend(CANARY, 25)

    application = account.carry_out(plan, others)

    assert outcomes(application) == {"done": 60}
    assert account.statuses[429] > 0
    assert Counter(one.status for one in account.deletes)[204] == 60


def test_two_plans_at_once(open_account):
    """Two plans of one client share its limit: no 429, and both come to their end."""
    account = open_account(80, limit=25)
    plans = [account.plan(range(1, 41)), account.plan(range(41, 81))]
    journals = [Journal(plan.id) for plan in plans]
    applications = [
        Application(plan, account.client, journal, clock=account.loop.time, sleep=sleep)
        for plan, journal in zip(plans, journals, strict=True)
    ]

    async def run_all():
        await asyncio.gather(*(one.prepare() for one in applications))
        async with asyncio.timeout(600):
            await asyncio.gather(*(one.run() for one in applications))

    try:
        for journal in journals:
            journal.open()
        account.loop.run_until_complete(run_all())
    finally:
        for journal in journals:
            journal.close()

    assert [outcomes(one) for one in applications] == [{"done": 40}, {"done": 40}]
    assert account.statuses[429] == 0


def test_reading_takes_all_places(open_account, monkeypatch):
    """Where reading the images takes all that a minute allows, a plan still goes on, be it slowly."""
    monkeypatch.setenv("DOIMAGES_REQUESTS_PER_MINUTE", "5")
    account = open_account(1_000, limit=250, pacer_limit=5)
    plan = account.plan(range(1, 4))

    async def watch(application):
        await asyncio.sleep(3_600)
        application.stop("it takes an hour")

    application = account.carry_out(plan, watch)

    assert outcomes(application) == {"done": 3}
