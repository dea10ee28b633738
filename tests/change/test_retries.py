"""The table of retries, cell by cell, as a plan meets it: how often it is sent, what is read back, what it says."""

from collections import Counter

import httpx
import pytest
from scripted import image

LOST = (
    httpx.WriteError,
    httpx.ReadTimeout,
    httpx.ReadError,
    httpx.RemoteProtocolError,
    408,
    425,
    502,
    503,
    504,
)
SOME_LOST = (httpx.ReadTimeout, httpx.RemoteProtocolError, 408, 503)
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
TEAM = "3d1c7a52-0000-4000-8000-000000000000"

# What each operation sends for image 1, and how it is planned.
CHANGES = {
    "update": ("PUT /v2/images/1", lambda desk: desk.plan("update", name="new", ids=[1])),
    "delete": ("DELETE /v2/images/1", lambda desk: desk.plan("delete", ids=[1])),
    "create": ("POST /v2/images", lambda desk: desk.create()),
    "transfer": ("POST /v2/images/1/actions", lambda desk: desk.plan("transfer", "ams3", ids=[1])),
    "convert": ("POST /v2/images/1/actions", lambda desk: desk.plan("convert", ids=[1])),
    "move": ("POST /v2/images/1/account_transfer", lambda desk: desk.plan("transfer_account", team=TEAM, ids=[1])),
    "tag": ("POST /v2/tags/prod/resources", lambda desk: desk.plan("tag", "prod", ids=[1])),
    "untag": ("DELETE /v2/tags/old/resources", lambda desk: desk.plan("untag", "old", ids=[1])),
}
# One row a failure that goes on and on, one cell an operation in the order of CHANGES: how often it is sent, and the
# outcome where it was never carried out.
NOT_SENT = ("5 not started",) * 8
NEVER_DONE = ("3 failed", "3 failed", "1 in doubt", "1 in doubt", "1 in doubt", "1 in doubt", "3 failed", "3 failed")
ONCE_FAILED = ("1 failed",) * 8
TABLE = {
    **dict.fromkeys(UNSENT, NOT_SENT),
    **dict.fromkeys(LOST, NEVER_DONE),
    500: ("2 failed", "3 failed", "1 in doubt", "1 in doubt", "1 in doubt", "1 in doubt", "2 failed", "2 failed"),
    **dict.fromkeys(
        (409, 423),
        ("3 failed", "3 failed", "1 failed", "1 failed", "1 failed", "1 failed", "3 failed", "3 failed"),
    ),
    404: ("1 failed", "1 already gone", "1 failed", "1 failed", "1 failed", "1 failed", "2 failed", "1 already gone"),
    403: ("1 failed", "1 failed", "2 failed", "1 failed", "1 failed", "1 failed", "1 failed", "1 failed"),
    **dict.fromkeys((400, 405, 415, 422, 501), ONCE_FAILED),
    **dict.fromkeys((301, 307, 401), ("1 not started",) * 8),
}
CELLS = [
    pytest.param(failure, operation, cell, id=f"{getattr(failure, '__name__', failure)}-{operation}")
    for failure, row in TABLE.items()
    for operation, cell in zip(CHANGES, row, strict=True)
]


@pytest.fixture
def begin(desk):
    """Give a function that plans an operation on image 1, and tells the plan and what the change sends."""

    def planned(operation):
        desk.state.account["team"] = {"uuid": TEAM, "name": "acme"}
        desk.has([image(1, type="backup" if operation == "convert" else "snapshot", tags=["old"])])
        desk.state.tags |= {"old": None, "prod": None}
        request, plan = CHANGES[operation]
        return plan(desk), request

    return planned


def path_of(request):
    return request.partition(" ")[::2]


@pytest.mark.parametrize(("failure", "operation", "cell"), CELLS)
def test_never_done(desk, begin, rows, failure, operation, cell):
    """A change that goes on failing is sent as often as its cell says, changes nothing, and has the cell's outcome."""
    plan, request = begin(operation)
    method, path = path_of(request)
    before = {key: dict(record) for key, record in desk.state.images.items()}
    desk.trouble(method, failure, path, times=None)

    report = desk.apply(plan)

    [row] = rows(report)
    times, outcome = cell.split(" ", 1)
    assert (desk.sent.count(request), row["outcome"]) == (int(times), outcome)
    assert desk.state.images == before
    assert bool(report.stopped) is (outcome == "not started" or failure == 403)


def by_done(cells):
    """Name the cells of a table of what was carried out."""
    return [
        pytest.param(failure, operation, *cell, id=f"{getattr(failure, '__name__', failure)}-{operation}")
        for failure, row in cells.items()
        for operation, cell in zip(CHANGES, row, strict=True)
    ]


# Carried out at the first try, with the reply lost: how often it is sent, and the outcome. What the transport sends
# again (PUT, tags) the API answers the second time; the rest is read back.
DONE_LOST = (
    (2, "done"),
    (1, "done"),
    (1, "running"),
    (1, "running"),
    (1, "running"),
    (1, "done"),
    (2, "done"),
    (2, "done"),
)
DONE_BROKEN = ((1, "done"), *DONE_LOST[1:])


@pytest.mark.parametrize(
    ("failure", "operation", "times", "outcome"), by_done({**dict.fromkeys(SOME_LOST, DONE_LOST), 500: DONE_BROKEN})
)
def test_done_all_the_same(desk, begin, rows, failure, operation, times, outcome):
    """A change that was carried out while its reply was lost is found, and is not made twice."""
    plan, request = begin(operation)
    method, path = path_of(request)
    desk.trouble(method, failure, path, is_done=True)

    report = desk.apply(plan)

    [row] = rows(report)
    assert (desk.sent.count(request), row["outcome"]) == (times, outcome)
    assert row["tries"] == times
    if operation in {"create", "transfer", "convert"}:
        assert row["id" if operation == "create" else "action_id"] in {*desk.state.images, *desk.state.actions}
        assert len([one for one in desk.state.actions.values() if one["resource_id"] == 1]) <= 1
        assert len(desk.state.images) <= 2


@pytest.mark.parametrize("failure", [*SOME_LOST, 500])
@pytest.mark.parametrize("operation", ["update", "delete", "tag", "untag"])
def test_sent_again(desk, begin, rows, failure, operation):
    """A change that may be sent again is, when its first try was lost and not carried out."""
    plan, request = begin(operation)
    method, path = path_of(request)
    desk.trouble(method, failure, path)

    [row] = rows(desk.apply(plan))

    assert (row["outcome"], row["tries"], desk.sent.count(request)) == ("done", 2, 2)


# What is read after the last try of each, three looks of it where that can help.
LOOKS = {
    "update": {"GET /v2/images/1": 3},
    "delete": {"GET /v2/images/1": 5},  # one before each of the two that follow, three after the last
    "create": {"GET /v2/images": 6},  # by its tag, then all of the account's
    "transfer": {"GET /v2/images/1/actions": 3, "GET /v2/images/1": 3},
    "convert": {"GET /v2/images/1/actions": 3, "GET /v2/images/1": 3},
    "move": {"GET /v2/images/1": 3},
    "tag": {"GET /v2/images": 3},
    "untag": {"GET /v2/images": 3},
}


@pytest.mark.parametrize("operation", CHANGES)
def test_looks(desk, begin, operation):
    """What may have been carried out is looked for three times, with pauses; a DELETE before each more try as well."""
    plan, request = begin(operation)
    method, path = path_of(request)
    desk.trouble(method, httpx.ReadTimeout, path, times=None)

    desk.apply(plan)

    sent = desk.sent[desk.sent.index(request) :]
    assert Counter(one for one in sent if one.startswith("GET")) == LOOKS[operation]
    assert desk.time.slept[-2:] == [2.0, 4.0]


@pytest.mark.parametrize("operation", CHANGES)
@pytest.mark.parametrize("failure", [httpx.ConnectError, 503])
def test_unreadable(desk, begin, rows, operation, failure):
    """What was lost and cannot be read back is in doubt, and says so; resume reads it back, and sends no change."""
    plan, request = begin(operation)
    method, path = path_of(request)
    desk.trouble(method, httpx.ReadError, path, is_done=True, times=None)
    desk.trouble("GET", failure, times=None, after=2)

    report = desk.apply(plan)

    [row] = rows(report)
    assert row["outcome"] == "in doubt"
    assert row["message"].startswith("it was sent, and could not be read back: GET /v2/images")
    desk.wire.troubles.clear()
    [row] = rows(desk.resume(plan))
    assert row["outcome"] in {"done", "running"}
    assert desk.writes == []


@pytest.mark.parametrize("operation", ["create", "transfer", "convert", "move"])
def test_resume_sends_no_post_again(desk, begin, rows, operation):
    """A POST that was lost, could not be read back, and is not found by resume either is never sent again."""
    plan, request = begin(operation)
    method, path = path_of(request)
    desk.trouble(method, httpx.ReadError, path)
    desk.trouble("GET", httpx.ConnectError, times=None, after=2)
    assert [row["outcome"] for row in rows(desk.apply(plan))] == ["in doubt"]
    desk.wire.troubles.clear()

    [row] = rows(desk.resume(plan))

    assert row["outcome"] == ("failed" if operation == "create" else "in doubt")
    assert desk.writes == []


RATE = {"id": "too_many_requests", "message": "Too many."}


@pytest.mark.parametrize("operation", CHANGES)
def test_rate_limit(desk, begin, rows, operation):
    """A 429 is waited out as long as it says, is no failed try, and nothing is read back for it."""
    plan, request = begin(operation)
    method, path = path_of(request)
    desk.trouble(method, httpx.Response(429, json=RATE, headers={"retry-after": "29"}), path, times=2)

    [row] = rows(desk.apply(plan))

    assert row["outcome"] in {"done", "running"}
    assert desk.sent.count(request) == 3
    assert [one for one in desk.time.slept if one > 1] == [29.0] * 2
    assert not [one for one in desk.sent[desk.sent.index(request) :] if one.startswith("GET")]


@pytest.mark.parametrize("operation", CHANGES)
def test_rate_limit_for_long(desk, begin, rows, operation):
    """A 429 that asks for more than two minutes pauses the plan: not started, and a time to go on; resume does."""
    plan, request = begin(operation)
    method, path = path_of(request)
    desk.trouble(
        method, httpx.Response(429, json=RATE, headers={"ratelimit-reset": f"{desk.time.now + 2400:.0f}"}), path
    )

    report = desk.apply(plan)

    [row] = rows(report)
    assert (row["outcome"], row["status"], desk.sent.count(request)) == ("not started", 429, 1)
    assert report.stopped.startswith("the rate limit of this token is used up: resume after ")
    assert row["message"] == report.stopped
    [row] = rows(desk.resume(plan))
    assert row["outcome"] in {"done", "running"}


BROKEN = {
    "html": httpx.Response(200, headers={"content-type": "text/html"}, content=b"<html>Sign in</html>"),
    "cut": httpx.Response(202, headers={"content-type": "application/json"}, content=b'{"image": {"id'),
    "no record": httpx.Response(200, json={"ok": True}),
    "another record": httpx.Response(200, json={"image": 7, "action": 7}),
}


@pytest.mark.parametrize("reply", BROKEN)
@pytest.mark.parametrize("operation", ["update", "create", "transfer", "convert"])
def test_good_status_with_a_broken_body(desk, begin, rows, operation, reply):
    """A 2xx that is no record was most likely done: it is read back, and never sent again."""
    plan, request = begin(operation)
    method, path = path_of(request)
    desk.trouble(method, BROKEN[reply], path, is_done=True)

    [row] = rows(desk.apply(plan))

    assert row["outcome"] == ("done" if operation == "update" else "running")
    assert desk.sent.count(request) == 1


@pytest.mark.parametrize(
    ("operation", "outcome"), list(zip(CHANGES, (one.split(" ", 1)[1] for one in NEVER_DONE), strict=True))
)
def test_page_of_a_proxy(desk, begin, rows, operation, outcome):
    """A page of HTML with status 200 is no word that a change was made, of a DELETE neither: it is read back."""
    plan, request = begin(operation)
    method, path = path_of(request)
    desk.trouble(method, BROKEN["html"], path, times=None)

    [row] = rows(desk.apply(plan))

    assert row["outcome"] == outcome


@pytest.mark.parametrize("operation", CHANGES)
def test_certificate(desk, begin, rows, operation):
    """A certificate that is not trusted ends the plan at the first try, and the reason is of no single request."""
    plan, request = begin(operation)
    method, path = path_of(request)
    desk.trouble(method, httpx.ConnectError, path, times=None, text="[SSL: CERTIFICATE_VERIFY_FAILED]")

    report = desk.apply(plan)

    [row] = rows(report)
    assert (row["outcome"], desk.sent.count(request)) == ("not started", 1)
    assert report.stopped == f"{request}: the certificate of api.test is not trusted."


@pytest.mark.parametrize("operation", ["update", "tag", "untag"])
@pytest.mark.parametrize("then", [httpx.ConnectError, 401, "pause"])
def test_lost_then_not_sent(desk, begin, rows, operation, then):
    """A change that was lost once is done or in doubt, never "not started", though its last try was not sent at all."""
    plan, request = begin(operation)
    method, path = path_of(request)
    pause = httpx.Response(429, json=RATE, headers={"retry-after": "3000"})
    desk.trouble(method, httpx.ReadError, path, is_done=True)
    desk.trouble(method, pause if then == "pause" else then, path, times=None)

    [row] = rows(desk.apply(plan))
    desk.wire.troubles.clear()
    [later] = rows(desk.resume(plan))

    assert row["outcome"] in {"done", "in doubt"}
    assert later["outcome"] == "done"
