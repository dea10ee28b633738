"""The table of retries, cell by cell: how often each kind of request is sent, and what ends it."""

import httpx
import pytest
from scripted import image

from doimages.errors import APIError, ConflictError, RateLimitError, ServerError, TransportError, UsageError

OPERATIONS = {
    "get": lambda client: client.image(1),
    "put": lambda client: client.update_image(1, name="new"),
    "delete": lambda client: client.delete_image(1),
    "create": lambda client: client.create_image(name="new", url="https://host.test/a.img", region="nyc3"),
    "action": lambda client: client.convert_image(1),
    "transfer": lambda client: client.create_account_transfer(1, email="a@b.test"),
    "tag": lambda client: client.tag_images("prod", [1]),
    "untag": lambda client: client.untag_images("prod", [1]),
}
POSTS = ("create", "action", "transfer")
# One row a failure, one column an operation, in the order of OPERATIONS.
SENT = {
    httpx.ConnectError: (5, 5, 5, 5, 5, 5, 5, 5),
    httpx.ConnectTimeout: (5, 5, 5, 5, 5, 5, 5, 5),
    httpx.PoolTimeout: (5, 5, 5, 5, 5, 5, 5, 5),
    httpx.WriteError: (5, 3, 1, 1, 1, 1, 3, 3),
    httpx.WriteTimeout: (5, 3, 1, 1, 1, 1, 3, 3),
    httpx.ReadTimeout: (5, 3, 1, 1, 1, 1, 3, 3),
    httpx.ReadError: (5, 3, 1, 1, 1, 1, 3, 3),
    httpx.RemoteProtocolError: (5, 3, 1, 1, 1, 1, 3, 3),
    408: (5, 3, 1, 1, 1, 1, 3, 3),
    425: (5, 3, 1, 1, 1, 1, 3, 3),
    500: (4, 1, 1, 1, 1, 1, 2, 2),
    502: (5, 3, 1, 1, 1, 1, 3, 3),
    503: (5, 3, 1, 1, 1, 1, 3, 3),
    504: (5, 3, 1, 1, 1, 1, 3, 3),
    409: (1, 3, 3, 1, 1, 1, 3, 3),
    423: (1, 3, 3, 1, 1, 1, 3, 3),
    **dict.fromkeys((301, 307, 400, 401, 403, 404, 405, 415, 422, 501), (1,) * 8),
}
CELLS = [
    pytest.param(failure, operation, times, id=f"{getattr(failure, '__name__', failure)}-{operation}")
    for failure, row in SENT.items()
    for operation, times in zip(OPERATIONS, row, strict=True)
]
DONE = {
    "get": httpx.Response(200, json={"image": image(1)}),
    "put": httpx.Response(200, json={"image": image(1)}),
    "delete": httpx.Response(204),
    "create": httpx.Response(202, json={"image": image(1)}),
    "action": httpx.Response(201, json={"action": {"id": 9}}),
    "transfer": httpx.Response(201, json={"transfer_id": 9}),
    "tag": httpx.Response(204),
    "untag": httpx.Response(204),
}


def play(*acts):
    """Give a handler that plays one act after the other, and the last one for ever."""
    left = list(acts)

    def handler(request):
        act = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(act, type):
            raise act("scripted", request=request)
        return httpx.Response(act, json={"id": "scripted", "message": "Scripted."}) if isinstance(act, int) else act

    return handler


def limited(**headers):
    """Give a 429 with headers."""
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return httpx.Response(429, json={"id": "too_many_requests", "message": "Too many."}, headers=named)


@pytest.mark.parametrize(("failure", "operation", "times"), CELLS)
def test_sent(make_client, run, failure, operation, times):
    """A request that goes on failing is sent as often as its cell of the table says, always the same, then raises."""
    client = make_client(play(failure))

    with pytest.raises((APIError, TransportError)):
        run(OPERATIONS[operation](client))

    assert client.sent == [client.sent[0]] * times


@pytest.mark.parametrize(("failure", "operation", "times"), [cell for cell in CELLS if cell.values[2] > 1])
def test_recovers(make_client, run, failure, operation, times):
    """A request that succeeds at its last attempt is no error."""
    client = make_client(play(*[failure] * (times - 1), DONE[operation]))

    run(OPERATIONS[operation](client))

    assert len(client.sent) == times


@pytest.mark.parametrize("operation", POSTS)
@pytest.mark.parametrize("failure", [httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError])
def test_post_is_in_doubt(make_client, run, failure, operation):
    """A POST whose reply was lost is in doubt, says so, and is not sent again although a second would succeed."""
    client = make_client(play(failure, DONE[operation]))

    with pytest.raises(TransportError, match="may have been carried out: read it back before sending it again") as got:
        run(OPERATIONS[operation](client))

    assert got.value.in_doubt
    assert len(client.sent) == 1


@pytest.mark.parametrize("status", [201, 202])
@pytest.mark.parametrize("operation", POSTS)
def test_post_with_a_broken_reply(make_client, run, operation, status):
    """A POST whose reply is cut short is in doubt, and is not sent again."""
    client = make_client(play(httpx.Response(status, content=b'{"image": {"id'), DONE[operation]))

    with pytest.raises(TransportError, match="no whole JSON") as got:
        run(OPERATIONS[operation](client))

    assert got.value.in_doubt
    assert len(client.sent) == 1


@pytest.mark.parametrize("operation", OPERATIONS)
def test_unsent_is_not_in_doubt(make_client, run, operation):
    """A request that never left is not in doubt, and says that nothing was changed."""
    client = make_client(play(httpx.ConnectError))

    with pytest.raises(
        TransportError, match=r"^[A-Z]+ \S+: api.test cannot be reached .* Nothing was changed\.$"
    ) as got:
        run(OPERATIONS[operation](client))

    assert not got.value.in_doubt
    assert got.value.retryable


def test_read_of_a_short_reply(make_client, run):
    """A GET whose JSON was cut short is sent again."""
    client = make_client(play(httpx.Response(200, content=b'{"image": {"id'), DONE["get"]))

    assert run(client.image(1))["id"] == 1

    assert len(client.sent) == 2


def test_mixed_failures(make_client, run):
    """Failures of several kinds count as attempts together: a conflict after two lost replies of a PUT is the end."""
    client = make_client(play(httpx.ReadTimeout, 503, 409, DONE["put"]))

    with pytest.raises(ConflictError):
        run(client.update_image(1, name="new"))

    assert len(client.sent) == 3


def test_backoff(make_client, run, fake_time):
    """The waits between attempts double: at most 1, 2, 4 and 8 seconds."""
    client = make_client(play(503))

    with pytest.raises(ServerError):
        run(client.image(1))

    assert fake_time.slept == [1, 2, 4, 8]


def test_jitter(make_client, run, fake_time):
    """Chance shortens each wait down to nothing."""
    fake_time.share = 0.25
    client = make_client(play(503))

    with pytest.raises(ServerError):
        run(client.image(1))

    assert fake_time.slept == [0.25, 0.5, 1, 2]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_limit_is_no_attempt(make_client, run, fake_time, operation):
    """A request that meets the rate limit is sent again whatever it does, more often than any failure would be."""
    client = make_client(play(*[limited(retry_after=7)] * 8, DONE[operation]))

    run(OPERATIONS[operation](client))

    assert len(client.sent) == 9
    assert fake_time.slept == [7] * 8


def test_limit_leaves_attempts(make_client, run):
    """A rate limit between failures takes none of the attempts."""
    client = make_client(play(503, limited(retry_after=2), 503, limited(retry_after=2), DONE["put"]))

    run(client.update_image(1, name="new"))

    assert len(client.sent) == 5


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry_after": 29}, 29),
        ({"retry_after": 0}, 1),
        ({"retry_after": 120}, 120),
        ({"retry_after": "Mon, 21 Sep 2026 14:13:50 GMT"}, 30),
        ({"ratelimit_reset": 1_790_000_040}, 40),
        ({"retry_after": 5, "ratelimit_reset": 1_790_000_040}, 5),
        ({"retry_after": "soon", "ratelimit_reset": 1_790_000_040}, 40),
        ({"retry_after": -5}, 21),
        ({"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 21),
        ({"retry_after": "٣"}, 21),
        ({"ratelimit_reset": 1_444_931_833}, 21),
        ({"ratelimit_reset": "soon"}, 21),
        ({"ratelimit_reset": ""}, 21),
        ({"retry_after": "9" * 400, "ratelimit_reset": "9" * 5000}, 21),
        ({}, 21),
    ],
)
def test_limit_waits(make_client, run, fake_time, headers, wait):
    """The wait is what the reply says, at least a second; 1 to 21 seconds by chance if it says nothing sensible."""
    named = [(name.replace("_", "-").encode(), str(value).encode()) for name, value in headers.items()]
    client = make_client(play(httpx.Response(429, headers=named), DONE["get"]))

    run(client.image(1))

    assert fake_time.slept == [wait]


@pytest.mark.parametrize(
    ("headers", "retry_after", "when"),
    [
        ({"retry_after": 121}, 121, "in 2 min"),
        ({"ratelimit_reset": 1_790_002_400}, 2400, "in 40 min"),
        ({"ratelimit_reset": 4_070_908_800}, 2_280_908_800, "in 38015147 min"),
    ],
)
def test_limit_past_the_cap(make_client, run, fake_time, headers, retry_after, when):
    """A wait longer than two minutes is not waited for: the error tells how long it is."""
    client = make_client(play(limited(**headers)))

    with pytest.raises(RateLimitError, match=f"rate limit of this token is used up; go on {when}") as got:
        run(client.image(1))

    assert got.value.retry_after == retry_after
    assert got.value.status == 429
    assert (len(client.sent), fake_time.slept) == (1, [])


def test_limit_on_a_write(make_client, run):
    """A write that met the rate limit says that nothing was changed."""
    client = make_client(play(limited(retry_after=3600)))

    with pytest.raises(RateLimitError, match=r"Nothing was changed\.$"):
        run(client.delete_image(1))


def test_limit_for_ever(make_client, run, fake_time):
    """Waits for the rate limit end after five minutes in all."""
    client = make_client(play(limited(retry_after=100)))

    with pytest.raises(RateLimitError) as got:
        run(client.image(1))

    assert got.value.retry_after == 100
    assert fake_time.slept == [100, 100, 100]
    assert len(client.sent) == 4


def test_budget(make_client, run):
    """Ten retries empty the budget of a client; then every failure is final."""
    client = make_client(play(503))

    def times():
        before = len(client.sent)
        with pytest.raises(ServerError):
            run(client.image(1))
        return len(client.sent) - before

    assert [times(), times(), times(), times()] == [5, 5, 3, 1]


def test_budget_is_earned_back(make_client, run):
    """Five successes pay for one retry, and a full budget grows no further."""
    acts = [DONE["get"]] * 20 + [503] * 14 + [DONE["get"]] * 5 + [503]
    client = make_client(play(*acts))
    for _ in range(20):
        run(client.image(1))
    for _ in range(4):
        with pytest.raises(ServerError):
            run(client.image(1))
    for _ in range(5):
        run(client.image(1))
    assert len(client.sent) == len(acts) - 1

    with pytest.raises(ServerError):
        run(client.image(1))

    assert len(client.sent) == len(acts) + 1


def test_budget_and_limit(make_client, run):
    """Waiting for the rate limit costs nothing of the budget."""
    client = make_client(play(*[limited(retry_after=1)] * 20, DONE["get"]))

    run(client.image(1))

    assert len(client.sent) == 21


def slow(fake_time, seconds, *acts):
    """Give a handler that plays acts of a server that takes long."""
    inner = play(*acts)

    def handler(request):
        fake_time.now += seconds
        return inner(request)

    return handler


def test_total_time(make_client, run, fake_time):
    """No attempt begins when a minute has gone into a request: two attempts of 25 seconds leave time for a third."""
    client = make_client(slow(fake_time, 25, httpx.ReadTimeout))

    with pytest.raises(TransportError):
        run(client.image(1))

    assert len(client.sent) == 3


def test_total_time_and_limit(make_client, run, fake_time):
    """Waits for the rate limit do not count as time of the request."""
    client = make_client(play(limited(retry_after=90), 503, DONE["get"]))

    run(client.image(1))

    assert fake_time.slept == [90, 1]


def test_total_time_and_pacing(make_client, run, fake_time):
    """The wait for a place in the minute does not count as time of the request."""
    client = make_client(play(DONE["get"], 503, DONE["get"]), limit=1)
    run(client.image(1))

    run(client.image(2))

    assert len(client.sent) == 3
    assert fake_time.slept == [60.5, 1, 59.5]


def test_whole_listing(make_client, run):
    """A page that fails twice is asked for three times, the others once."""
    failing = play(503, httpx.ReadError, None)

    def handler(request):
        page = int(request.url.params["page"])
        if page == 2 and (reply := failing(request)) is not None:
            return reply
        return httpx.Response(200, json={"images": [image(page)], "meta": {"total": 3}})

    client = make_client(handler)

    rows = run(client.images(limit=None)).rows

    assert rows["id"].to_pylist() == [1, 2, 3]
    pages = [path.partition("page=")[2][:1] for _, path, _ in client.sent]
    assert sorted(pages) == ["1", "2", "2", "2", "3"]


def test_closed_client(make_client, run):
    """A client that was closed says so, and sends nothing."""
    client = make_client(play(DONE["get"]))
    client.close()

    with pytest.raises(UsageError, match=r"^GET /v2/images/1: this client is closed; .* Nothing was sent\.$"):
        run(client.image(1))

    assert client.sent == []
