"""When a request may go out: the pacer by itself, and under the transport on a loop whose time jumps."""

import asyncio
import random
from contextlib import suppress

import httpx
import pytest
from jumping import JumpingLoop
from scripted import CANARY, URL

from doimages.api.model import Request
from doimages.api.pacing import Pacer, Quota, read_quota
from doimages.api.transport import Transport
from doimages.errors import NotFoundError, RateLimitError
from doimages.redaction import Secret

READ = Request("GET", "/v2/images/1")


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


def test_seconds_to_place():
    """The seconds to the next place can be asked for; nothing is booked."""
    pacer = Pacer(2)
    pacer.reserve(0.0)

    assert [pacer.seconds_to_place(10.0) for _ in range(3)] == [0, 0, 0]
    pacer.reserve(10.0)
    assert [pacer.seconds_to_place(20.0) for _ in range(3)] == [40.5, 40.5, 40.5]
    pacer.pause(100.0)
    assert pacer.seconds_to_place(20.0) == 80


def test_quota():
    """What is left of the rate limit is read from the three headers."""
    headers = {"ratelimit-limit": "5000", "ratelimit-remaining": "4816", "ratelimit-reset": "1444931833"}

    assert read_quota(headers) == Quota(limit=5000, remaining=4816, reset=1444931833)


@pytest.mark.parametrize("value", [None, "", "many", "-1", "1.5", "٣", "1" * 16])
@pytest.mark.parametrize("name", ["limit", "remaining", "reset"])
def test_no_quota(name, value):
    """A header that is missing, or is no number, tells nothing."""
    headers = {"ratelimit-limit": "5000", "ratelimit-remaining": "4816", "ratelimit-reset": "1444931833"}
    headers = {**headers, f"ratelimit-{name}": value}
    if value is None:
        del headers[f"ratelimit-{name}"]

    assert read_quota(headers) is None


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


def test_asking_before_each_attempt(loop):
    """What asks before a request is asked once an attempt, also after a rate limit and a lost reply."""
    replies = [httpx.Response(503), httpx.Response(429, headers={"retry-after": "30"}), httpx.Response(200, json={})]
    events = []

    def handler(request):
        events.append(("sent", loop.time()))
        return replies.pop(0)

    async def before(earlier):
        events.append(("asked", loop.time()))

    transport = transport_over(handler, loop, Pacer(250))

    async def send_one():
        reply = await transport.send(READ, before)
        await transport.aclose()
        return reply

    assert loop.run_until_complete(send_one()).status == 200
    assert events == [("asked", 0), ("sent", 0), ("asked", 1), ("sent", 1), ("asked", 31), ("sent", 31)]


def test_asking_keeps_a_request_back(loop):
    """What is raised by what asks before a request comes out as it is; nothing is sent, and no place is taken."""
    pacer = Pacer(1)
    transport = transport_over(lambda _: pytest.fail("sent"), loop, pacer)

    async def before(earlier):
        raise LookupError("not this one")

    async def send_one():
        try:
            await transport.send(READ, before)
        finally:
            await transport.aclose()

    with pytest.raises(LookupError, match="not this one"):
        loop.run_until_complete(send_one())
    assert pacer.seconds_to_place(loop.time()) == 0


def test_asking_waits_for_the_place(loop):
    """Where what asks has waited for a free place the request goes out at once: its lane is in hand already."""
    asked, sent = [], []

    async def handler(request):
        sent.append((request.url.path[-2:], loop.time()))
        await asyncio.sleep(7)
        return httpx.Response(200, json={})

    transport = transport_over(handler, loop, Pacer(40))

    async def send_one(number):
        async def before(earlier):
            while (pause := transport.seconds_to_place()) > 0:  # noqa: ASYNC110 - time is what it waits for
                await asyncio.sleep(min(pause, 1.0))
            asked.append((str(number), loop.time()))

        await transport.send(Request("GET", f"/v2/images/{number}"), before)

    async def send_all():
        await asyncio.gather(*(send_one(number) for number in range(10, 60)))
        await transport.aclose()

    loop.run_until_complete(send_all())

    assert len(sent) == 50
    assert sorted(asked) == sorted(sent)


def test_those_that_ask_leave_lanes(loop):
    """However many requests ask first, what they read for it gets through."""
    transport = transport_over(lambda _: httpx.Response(200, json={}), loop, Pacer(1_000))
    read = []

    async def before(earlier):
        await asyncio.sleep(1)
        read.append(await transport.send(READ))

    async def send_all():
        async with asyncio.timeout(600):
            await asyncio.gather(*(transport.send(READ, before) for _ in range(100)))
        await transport.aclose()

    loop.run_until_complete(send_all())

    assert len(read) == 100


def test_quota_of_the_last_reply(loop):
    """A transport tells what the last reply said is left; one without, and a rate limit waited out, change nothing."""

    def limits(remaining):
        return {"ratelimit-limit": "5000", "ratelimit-remaining": str(remaining), "ratelimit-reset": "3600"}

    replies = [
        httpx.Response(200, headers=limits(4_000), json={}),
        httpx.Response(404, headers=limits(3_999), json={}),
        httpx.Response(200, json={}),
        httpx.Response(429, headers={**limits(0), "retry-after": "5"}, json={}),
        httpx.Response(200, json={}),
    ]
    transport = transport_over(lambda _: replies.pop(0), loop, Pacer(250))
    told = [transport.quota]

    async def send_all():
        for _ in range(4):
            with suppress(NotFoundError):
                await transport.send(READ)
            told.append(transport.quota)
        await transport.aclose()

    loop.run_until_complete(send_all())

    assert replies == []
    assert [one and one.remaining for one in told] == [None, 4_000, 3_999, 3_999, 3_999]
