"""When a request may go out: the pacer by itself, and under the transport on a loop whose time jumps."""

import asyncio
import random
import selectors

import httpx
import pytest
from scripted import CANARY, URL

from doimages.api.model import Request
from doimages.api.pacing import Pacer
from doimages.api.transport import Transport
from doimages.errors import RateLimitError
from doimages.redaction import Secret

READ = Request("GET", "/v2/images/1")


class JumpingSelector(selectors.DefaultSelector):
    """A selector that never waits: it moves the clock on by the time it was asked to wait."""

    def __init__(self):
        super().__init__()
        self.now = 0.0

    def select(self, timeout=None):
        self.now += timeout or 0.0
        return super().select(0)


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop on which an hour of sleeping takes no time."""

    def __init__(self):
        self.clock = JumpingSelector()
        super().__init__(self.clock)

    def time(self):
        return self.clock.now


class SlidingServer:
    """A server that allows ``limit`` requests in any minute, by when they reach it."""

    def __init__(self, loop, travel_seconds, limit=250):
        self.loop = loop
        self.travel_seconds = travel_seconds
        self.limit = limit
        self.arrivals = []
        self.refused = 0

    async def __call__(self, request):
        await asyncio.sleep(self.travel_seconds())
        now = self.loop.time()
        recent = [at for at in self.arrivals if at > now - 60]
        if len(recent) >= self.limit:
            self.refused += 1
            return httpx.Response(429, headers={"retry-after": str(int(recent[0] + 60 - now) + 1)}, json={})
        self.arrivals.append(now)
        await asyncio.sleep(self.travel_seconds())
        return httpx.Response(200, json={})


def transport_over(handler, loop, pacer):
    over = httpx.MockTransport(handler)
    return Transport(URL, Secret(CANARY), pacer, over=over, clock=loop.time, epoch=loop.time, draw=lambda: 1.0)


@pytest.fixture
def loop():
    jumping = JumpingLoop()
    yield jumping
    jumping.close()


def simulate(loop, travel_seconds, count=1_000):
    """Send many requests at once to a sliding server; give the server and the seconds that took."""
    server = SlidingServer(loop, travel_seconds)
    transport = transport_over(server, loop, Pacer(250))

    async def send_all():
        await asyncio.gather(*(transport.send(READ) for _ in range(count)))
        await transport.aclose()

    loop.run_until_complete(send_all())
    return server, loop.time()


def test_places():
    """The first requests of a window go at once; the next waits until half a second past the minute of the first."""
    pacer = Pacer(3)

    assert [pacer.reserve(100.0) for _ in range(7)] == [0, 0, 0, 60.5, 60.5, 60.5, 121]


def test_places_come_free_one_by_one():
    """Each place comes free a window after it was used, as on the server."""
    pacer = Pacer(2)

    assert [pacer.reserve(0.0), pacer.reserve(10.0), pacer.reserve(20.0), pacer.reserve(20.0)] == [0, 0, 40.5, 50.5]


def test_idle_minute():
    """After an idle window every place is free."""
    pacer = Pacer(2)
    pacer.reserve(0.0)
    pacer.reserve(0.0)

    assert [pacer.reserve(60.5), pacer.reserve(60.5)] == [0, 0]


def test_pause():
    """A pause holds new requests and those that have a place; a shorter one does not end a longer one."""
    pacer = Pacer(5)
    pacer.pause(130.0)
    pacer.pause(110.0)

    assert pacer.reserve(100.0) == 30
    assert pacer.remaining_pause(100.0) == 30
    assert pacer.remaining_pause(131.0) == 0


def test_clock_goes_back():
    """Requests keep their order when the clock is set back."""
    pacer = Pacer(5)
    pacer.reserve(100.0)

    assert pacer.reserve(90.0) == 10


@pytest.mark.parametrize("seed", range(5))
def test_thousand_requests(loop, seed):
    """A sliding server refuses none of 1,000 requests, and they take hardly longer than its limit asks."""
    travel = random.Random(seed)  # noqa: S311 - no secret is drawn

    server, seconds = simulate(loop, lambda: travel.uniform(0.0, 0.4))

    assert server.refused == 0
    assert len(server.arrivals) == 1_000
    assert 180 < seconds < 1.1 * 180


def test_slow_first_minute(loop):
    """A slow start, as of new connections, does not make the second minute too full."""
    server, _ = simulate(loop, lambda: 0.4 if loop.time() < 40 else 0.0)

    assert server.refused == 0


def test_limit_pauses_all(loop):
    """When one request meets the rate limit no other of the token is sent until the wait is over."""
    sent = []

    def handler(request):
        sent.append((request.url.path[-1], loop.time()))
        return httpx.Response(429 if len(sent) == 1 else 200, headers={"retry-after": "30"}, json={})

    pacer = Pacer(250)
    one, other = (transport_over(handler, loop, pacer) for _ in range(2))

    async def send_all():
        first = asyncio.ensure_future(one.send(Request("GET", "/v2/images/1")))
        await asyncio.sleep(5)
        await asyncio.gather(
            first, one.send(Request("GET", "/v2/images/2")), other.send(Request("GET", "/v2/images/3"))
        )
        await one.aclose()
        await other.aclose()

    loop.run_until_complete(send_all())

    assert sent[0] == ("1", 0)
    assert sorted(sent[1:]) == [("1", 30), ("2", 30), ("3", 30)]


def test_limit_holds_those_with_a_place(loop):
    """A request that waits for its place when another meets the rate limit waits for that too."""
    sent = []

    def handler(request):
        sent.append(loop.time())
        return httpx.Response(429 if len(sent) == 2 else 200, headers={"retry-after": "100"}, json={})

    transport = transport_over(handler, loop, Pacer(2))

    async def send_all():
        await asyncio.gather(*(transport.send(READ) for _ in range(3)))
        await transport.aclose()

    loop.run_until_complete(send_all())

    assert sent == [0, 0, 100, 100]


def test_limit_past_the_cap_pauses_none(loop):
    """A rate limit too far away to wait for fails its request, and the next is sent."""
    replies = [httpx.Response(429, headers={"retry-after": "3600"}, json={}), httpx.Response(200, json={})]
    transport = transport_over(lambda _: replies.pop(0), loop, Pacer(250))

    async def send_two():
        with pytest.raises(RateLimitError):
            await transport.send(READ)
        await transport.send(READ)
        await transport.aclose()

    loop.run_until_complete(send_two())

    assert loop.time() == 0


def test_lanes(loop):
    """At most 32 requests are under way at once over HTTP/1.1."""
    under_way, most = 0, 0

    async def handler(request):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.1)
        under_way -= 1
        return httpx.Response(200, json={})

    transport = transport_over(handler, loop, Pacer(250))

    async def send_all():
        await asyncio.gather(*(transport.send(READ) for _ in range(200)))
        await transport.aclose()

    loop.run_until_complete(send_all())

    assert most == 32
