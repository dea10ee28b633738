"""What a server, a network, other people and time do to a plan; the numbers are those of the list of faults.

Each row ends with one of nine words, and a message that says what was changed.
"""

import asyncio
import errno
import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from datetime import datetime, timedelta

import httpx
import pytest
from scripted import CANARY, image

import doimages
from doimages.change import journal as journals
from doimages.change import plan as plans_module
from doimages.change.journal import Journal, folder
from doimages.errors import (
    AuthenticationError,
    DecodeError,
    DOImagesError,
    ListingError,
    NotConfirmedError,
    ServerError,
    TransportError,
    UsageError,
)

OLD = "2024-03-01T02:35:00Z"
UNCHANGED = "Nothing was changed."


def outcomes(report):
    return [row.outcome for row in report.results]


def messages(report):
    return [row.message for row in report.results]


def kinds(plan):
    """Give the kinds of line in its journal."""
    path = folder() / f"{plan.id}.jsonl"
    return [json.loads(line)["kind"] for line in path.read_text().splitlines()] if path.exists() else []


# Server and network


def test_401_while_planning(desk):
    """1. A token that is refused makes no plan; the message says so, and holds no token."""
    desk.trouble("GET", 401, times=None)

    with pytest.raises(
        AuthenticationError, match=r"answered 401.* Check the token.* No plan was made\. Nothing was"
    ) as got:
        desk.plan("delete")

    assert desk.writes == []
    assert CANARY not in str(got.value)


def test_401_before_applying(desk):
    """1. A token that is refused by the time a plan is applied stops it before any write, or line of the journal."""
    plan = desk.plan("delete")
    desk.trouble("GET", 401, times=None)

    with pytest.raises(AuthenticationError, match=rf"answered 401.*{UNCHANGED}$"):
        desk.apply(plan)

    assert desk.writes == []
    assert kinds(plan) == []


def test_401_while_applying(desk):
    """1. A token that is revoked midway stops the plan: the rest is not started, and resume goes on with another."""
    desk.has(30)
    plan = desk.plan("delete", max_percent=100)
    desk.trouble("DELETE", 401, times=None, after=5)

    report = desk.apply(plan)

    assert report.counts == {"done": 5, "not started": 25}
    assert re.search(r"^DELETE \S+: DigitalOcean answered 401 .* Check the token: ", report.stopped)
    assert UNCHANGED not in report.stopped
    desk.wire.troubles.clear()
    assert desk.resume(plan).counts == {"done": 30}
    assert len(desk.writes) == 25


def test_403(desk):
    """2. A missing scope is named; after the first such answer no more is sent than was under way."""
    desk.has(40)
    plan = desk.plan("delete", max_percent=100)
    desk.trouble("DELETE", 403, times=None)

    report = desk.apply(plan)

    assert report.counts["failed"] + report.counts["not started"] == 40
    assert 1 <= report.counts["failed"] == len(desk.writes) <= 16
    assert f"The token lacks the scope image:delete. {UNCHANGED}" in report.failed["message"].iloc[0]
    assert desk.application.stopped == report.stopped
    assert len(desk.state.images) == 40


def test_403_of_a_batch(desk):
    """2. A missing scope for tags ends a batch of many with two requests, not one for each image."""
    desk.has(40)
    desk.state.tags["prod"] = None
    plan = desk.plan("tag", "prod")
    desk.trouble("POST", 403, times=None)

    report = desk.apply(plan)

    assert report.counts == {"failed": 1, "not started": 39}
    assert len(desk.writes) == 2


@pytest.mark.parametrize(
    ("kind", "status"), [("snapshot", 404), ("custom", 422)], ids=["3 snapshot: 404", "4 custom: 422 already deleted"]
)
def test_deleted_meanwhile(desk, kind, status):
    """3, 4. What another has deleted a moment ago is already gone, which is a good outcome."""
    desk.has(2, type=kind)
    plan = desk.plan("delete", ids=[1])
    desk.state.lag = 1
    desk.wire.sent.clear()
    if kind == "snapshot":
        desk.state.remove_image(1)
    else:
        desk.state.hold_back(("images", "image"), 1, desk.state.images[1])
        desk.state.images[1] |= {"status": "deleted"}

    report = desk.apply(plan)

    [row] = report.results
    assert (row.outcome, row.status, row.message) == ("already gone", status, "it was not there any more")
    assert desk.writes == ["DELETE /v2/images/1"]
    report.raise_for_failures()


def test_other_422(desk):
    """4. Any other 422 is a failure, in the API's words."""
    plan = desk.plan("delete", ids=[1])
    desk.trouble("DELETE", 422)

    [row] = desk.apply(plan).results

    assert (row.outcome, row.status) == ("failed", 422)
    assert row.message == f"DELETE /v2/images/1: DigitalOcean answered 422 scripted: Scripted. {UNCHANGED}"


def test_reads_as_deleted(desk):
    """5. After a lost DELETE an image that reads as deleted is gone: done."""
    desk.has(2, type="custom")
    plan = desk.plan("delete", ids=[1])
    desk.trouble("DELETE", httpx.ReadTimeout, is_done=True)

    [row] = desk.apply(plan).results

    assert (row.outcome, row.message) == ("done", "the reply was lost; it was read back as gone")
    assert desk.sent[-2:] == ["DELETE /v2/images/1", "GET /v2/images/1"]
    assert desk.state.images[1]["status"] == "deleted"


@pytest.mark.parametrize(
    "left", [{}, {"ratelimit-limit": "5000", "ratelimit-remaining": "0"}], ids=["bare", "none left"]
)
def test_429_loses_no_row(desk, left):
    """6. A 429 with retry-after 29 is waited out, also where it says that nothing remains just now; no row is lost."""
    desk.has(40)
    plan = desk.plan("delete", max_percent=100)
    headers = {"retry-after": "29"} | left | ({"ratelimit-reset": f"{desk.time.now + 29:.0f}"} if left else {})
    desk.trouble("DELETE", httpx.Response(429, json={"id": "x", "message": "y"}, headers=headers), after=3)

    report = desk.apply(plan)

    assert report.counts == {"done": 40}
    assert len(desk.writes) == 41
    assert 29 in desk.time.slept


def test_rate_limit_is_told(desk):
    """6. While the rate limit holds a plan up, the bar says for how long."""
    desk.has(40)
    plan = desk.plan("delete", max_percent=100)
    notes, naps = [], desk.time.sleep

    async def sleep(seconds):
        notes.append(desk.application.note)
        await naps(seconds)

    desk.time.sleep = sleep
    stop_at(desk, 5, lambda: desk.client._transport._pacer.pause(desk.time.now + 29))

    report = desk.apply(plan)

    assert report.counts == {"done": 40}
    assert any(note.startswith("rate limit: going on in 29 s") for note in notes)


def test_429_for_forty_minutes(desk):
    """7. A 429 of the hour pauses the plan, which says when to resume; nothing more is sent, and resume goes on."""
    plan = desk.plan("delete")
    reset = {"ratelimit-limit": "5000", "ratelimit-remaining": "0", "ratelimit-reset": f"{desk.time.now + 2400:.0f}"}
    desk.trouble("DELETE", httpx.Response(429, json={"id": "x", "message": "y"}, headers=reset), times=None, after=2)

    report = desk.apply(plan)

    assert report.counts == {"done": 2, "not started": 3}
    assert re.search(r": resume after \d\d:\d\d UTC$", report.stopped)
    assert f"doimages.resume('{plan.id}')" in repr(report)
    assert len(desk.writes) <= 5
    desk.wire.troubles.clear()
    desk.time.now += 2400
    assert desk.resume(plan).counts == {"done": 5}


def test_hour_used_up_by_others(desk):
    """7. Before a last hundredth of the hour's requests is touched the plan pauses: others share the token."""
    plan = desk.plan("delete")
    desk.state.limits.minute = 250
    desk.state.limits.spend(CANARY, 4960, seconds_ago=1200)

    report = desk.apply(plan)

    assert report.counts == {"not started": 5}
    assert re.fullmatch(r"\d+ requests are left of the rate limit: resume after \d\d:\d\d UTC", report.stopped)
    assert desk.writes == []


@pytest.mark.parametrize(
    "headers",
    [
        {"retry-after": "junk"},
        {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"},
        {"retry-after": "-5"},
        {"ratelimit-reset": "1444931833"},
        {"ratelimit-reset": "999999999999999"},
        {"retry-after": "999999999999999"},
        {"ratelimit-limit": "5000", "ratelimit-remaining": "0", "ratelimit-reset": "999999999999999"},
        {"ratelimit-limit": "5000", "ratelimit-remaining": "0", "ratelimit-reset": "1444931833"},
        {"ratelimit-limit": "0", "ratelimit-remaining": "0", "ratelimit-reset": "0"},
    ],
    ids=lambda headers: ",".join(f"{name}={value}" for name, value in headers.items()),
)
def test_headers_that_lie(desk, headers):
    """23. A 429 whose headers are past, years away or junk is waited out for a while, or pauses; it breaks nothing."""
    desk.has(2)
    plan = desk.plan("delete")
    desk.trouble("DELETE", httpx.Response(429, json={"id": "x", "message": "y"}, headers=headers))

    report = desk.apply(plan)

    assert set(outcomes(report)) <= {"done", "not started"}
    assert report.stopped is None or re.search(r"rate limit.*: resume ", report.stopped)
    assert sum(desk.time.slept) <= 300
    desk.wire.troubles.clear()
    assert desk.resume(plan).counts == {"done": 2}


def test_503_while_planning(desk):
    """8. A listing that fails makes no plan, after five tries."""
    desk.trouble("GET", 503, "/v2/images", times=None)

    with pytest.raises(ServerError, match=rf"answered 503.* No plan was made\. {UNCHANGED}$"):
        desk.plan("delete")

    assert desk.sent.count("GET /v2/images") == 5
    assert desk.writes == []


def test_503_before_applying(desk):
    """8. The same at the start of an apply: nothing is changed, and the plan can be applied later."""
    plan = desk.plan("delete")
    desk.trouble("GET", 503, "/v2/images", times=None)

    with pytest.raises(ServerError, match=rf"answered 503.* {UNCHANGED}$"):
        desk.apply(plan)

    assert desk.writes == []
    desk.wire.troubles.clear()
    assert desk.apply(plan).counts == {"done": 5}


def test_reread_that_fails(desk):
    """8. When the rows are a minute old and cannot be read again, the rest is not started; resume goes on."""
    desk.has(40)
    plan = desk.plan("delete", max_percent=100)
    wait = httpx.Response(429, json={"id": "x", "message": "y"}, headers={"retry-after": "61"})
    desk.trouble("DELETE", wait, after=20)
    desk.trouble("GET", 503, "/v2/images", times=None, after=1)

    report = desk.apply(plan)

    assert report.counts["done"] >= 20
    assert report.counts["not started"] >= 1
    assert report.stopped.startswith("the images could not be read again: GET /v2/images")
    desk.wire.troubles.clear()
    assert desk.resume(plan).counts == {"done": 40}


def test_unreachable(desk):
    """13. What cannot be reached is tried five times; then the plan stops, and nothing was changed."""
    plan = desk.plan("delete")
    desk.trouble("*", httpx.ConnectError, times=None, text="Name or service not known")

    with pytest.raises(
        TransportError, match=rf"api.test cannot be reached \(Name or service not known\)\. {UNCHANGED}"
    ):
        desk.apply(plan)

    assert desk.writes == []


def test_untrusted(desk):
    """14. A certificate that is not trusted ends at once: no second try, and there is no way to switch that off."""
    desk.trouble("*", httpx.ConnectError, times=None, text="[SSL: CERTIFICATE_VERIFY_FAILED] expired")

    with pytest.raises(TransportError, match=r"certificate of api.test is not trusted\. Nothing was sent\. No plan"):
        desk.plan("delete")

    assert desk.sent.count("GET /v2/images") == 1


def test_html_for_a_listing(desk):
    """15. HTML with status 200 makes no plan."""
    page = httpx.Response(200, headers={"content-type": "text/html"}, content=b"<html>Sign in</html>")
    desk.trouble("GET", page, "/v2/images", times=None)

    with pytest.raises(DecodeError, match=rf"the answer is text/html, not JSON.* No plan was made\. {UNCHANGED}$"):
        desk.plan("delete")

    assert desk.writes == []


@pytest.mark.parametrize(
    ("body", "named"), [({"links": {}, "meta": {"total": 0}}, "images"), ({"images": None, "links": {}}, "images")]
)
def test_listing_lacks_a_key(desk, body, named):
    """16. A listing without its keys makes no plan, and the key is named."""
    desk.trouble("GET", httpx.Response(200, json=body), "/v2/images", times=None)

    with pytest.raises(DOImagesError, match=rf"{named}.*No plan was made\. {UNCHANGED}$"):
        desk.plan("delete")

    assert desk.writes == []


def test_cut_listing(desk):
    """17. A listing that is cut short is read again."""
    cut = httpx.Response(200, headers={"content-type": "application/json"}, content=b'{"images": [{"id')
    desk.trouble("GET", cut, "/v2/images")

    assert len(desk.plan("delete")) == 5


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (
            httpx.Response(422, content=b"Bad thing. Token dop_v1_" + b"ab" * 32 + b" x" * 90),
            r"no error record but 'Bad thing",
        ),
        (httpx.Response(422, json={"error": "One.", "messages": ["Two."]}), r"One\.; Two\."),
        (httpx.Response(422), "an empty body"),
    ],
    ids=["text", "the shape of tags", "empty"],
)
def test_error_without_a_record(desk, reply, said):
    """18. An error of another shape shows its status and some of its body, and no token."""
    plan = desk.plan("delete", ids=[1])
    desk.trouble("DELETE", reply)

    [row] = desk.apply(plan).results

    assert row.outcome == "failed"
    assert re.search(rf"^DELETE /v2/images/1: DigitalOcean answered 422: {said}.* {UNCHANGED}$", row.message)
    assert len(row.message) < 220
    assert "abab" not in row.message


def test_next_page_elsewhere(desk):
    """20. A next link to another host is not followed: no plan rests on it, and nothing is sent there."""
    desk.has(3)

    def elsewhere(number):
        links = {"pages": {"next": f"https://evil.test/v2/images?page={number + 1}"}}
        rows = [image(number, created_at=OLD)]
        return httpx.Response(200, json={"images": rows, "links": links, "meta": {"total": 3}})

    desk.trouble("GET", elsewhere(1), "/v2/images", times=None)

    with pytest.raises(ListingError, match=rf"No plan was made\. {UNCHANGED}$"):
        desk.plan("delete")

    assert set(desk.sent) <= {"GET /v2/images", "GET /v2/account", "GET /v2/droplets"}
    assert desk.writes == []


def test_redirect(desk):
    """21. A write that is redirected is not followed: the plan stops, and says to check the base URL."""
    plan = desk.plan("update", name="new", ids=[1])
    desk.trouble("PUT", httpx.Response(307, headers={"location": "https://evil.test/v2/images/1"}), times=None)

    report = desk.apply(plan)

    assert outcomes(report) == ["not started"]
    assert report.stopped.startswith("PUT /v2/images/1: redirected to evil.test (307).")
    assert desk.writes == ["PUT /v2/images/1"]


def test_nulls(desk):
    """26. An image of which the API tells hardly anything can be planned for, shown, and deleted."""
    nothing = dict.fromkeys(image(1))
    desk.has([nothing | {"id": 1, "type": "snapshot", "public": False, "created_at": OLD, "regions": []}])

    plan = desk.plan("delete")
    report = desk.apply(plan)

    assert "of unknown size" in repr(plan)
    assert outcomes(report) == ["done"]
    assert len(report.to_frame()) == 1


def test_image_without_public(desk):
    """26, 60. An image of which the API does not say that it is not public is left alone."""
    desk.has([image(1, created_at=OLD, public=None)])

    plan = desk.plan("delete")

    assert len(plan) == 0
    assert plan.refusals[0].reason == "the API does not say whether it is public"


# State, time, two writers


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [("delete", {}), ("update", {"name": "new"}), ("transfer", {"region": "ams3"}), ("tag", {"tag": "prod"})],
)
def test_gone_meanwhile(desk, operation, arguments):
    """30. What is gone between plan and apply is already gone; nothing is sent for it, and the others go on."""
    plan = desk.plan(operation, **arguments)
    desk.state.remove_image(2)
    desk.state.polls = 0

    report = desk.apply(plan, wait=True)

    assert outcomes(report) == ["done", "already gone", "done", "done", "done"]
    assert messages(report)[1] == "it is not there any more"
    assert report.results[1].tries == 0


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "other", r"name was 'web-2' and is 'other'"),
        ("type", "custom", r"type was 'snapshot' and is 'custom'"),
        ("created_at", "2024-03-02T00:00:00Z", r"created_at was '2024-03-01\S+' and is '2024-03-02\S+'"),
    ],
)
def test_changed_meanwhile(desk, field, value, said):
    """31. An image that is not what was planned for is left alone: changed since plan; the others go on."""
    plan = desk.plan("delete")
    desk.state.images[2][field] = value

    report = desk.apply(plan)

    assert outcomes(report) == ["done", "changed since plan", "done", "done", "done"]
    assert re.fullmatch(rf"{said}\. {UNCHANGED}", messages(report)[1])
    assert "DELETE /v2/images/2" not in desk.sent
    assert 2 in desk.state.images


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"public": True}, "it is public, so not yours"),
        ({"type": "base"}, "it is of type base, so not yours"),
        ({"type": "admin"}, "it is of type admin, so not yours"),
        ({"public": None}, "the API does not say whether it is public"),
        ({"tags": ["keep"]}, "its tag 'keep' protects it: untag it first"),
        ({"tags": ["Protected"]}, "its tag 'Protected' protects it: untag it first"),
        ({"type": "backup"}, "a backup: the API answers 204 and keeps it"),
        ({"status": "pending"}, "its status is pending: pending=True allows it"),
    ],
)
def test_refused_meanwhile(desk, fields, said):
    """32. An image that became public, a base or protected is refused at the last look, and nothing is sent for it."""
    plan = desk.plan("delete")
    desk.state.images[2] |= fields

    report = desk.apply(plan)

    assert outcomes(report) == ["done", "refused", "done", "done", "done"]
    assert messages(report)[1].startswith(said)
    assert "DELETE /v2/images/2" not in desk.sent


@pytest.mark.parametrize("edit", [{"public": True}, {"tags": ["keep"]}, {"name": "other"}, None])
def test_changed_while_applying(desk, edit):
    """31, 32. The rows are looked at again each minute: what changed during a long apply is left alone as well."""
    desk.has(40)
    plan = desk.plan("delete", max_percent=100)
    desk.trouble(
        "DELETE", httpx.Response(429, json={"id": "x", "message": "y"}, headers={"retry-after": "61"}), after=10
    )
    naps = desk.time.sleep

    async def sleep(seconds):
        if seconds == 61:
            if edit is None:
                desk.state.images.pop(40)
            else:
                desk.state.images[40] |= edit
        await naps(seconds)

    desk.time.sleep = sleep

    report = desk.apply(plan)

    word = "already gone" if edit is None else "changed since plan" if "name" in edit else "refused"
    assert report.counts == {"done": 39, word: 1}
    assert "DELETE /v2/images/40" not in desk.sent


@pytest.mark.parametrize(("minutes", "said"), [(16, "16 min"), (180, "3 h"), (60 * 24 * 3, "3 days")])
def test_stale(desk, monkeypatch, minutes, said):
    """33. A plan older than 15 minutes is refused, and says how old it is and what to do."""
    plan = desk.plan("delete")
    made = datetime.fromisoformat(plan.made_at)
    late = made - timedelta(minutes=minutes)
    record = plan.to_record() | {"made_at": late.isoformat(), "expires_at": (late + plans_module.FRESH_FOR).isoformat()}
    record |= {"id": plans_module._id_of(record)}
    old = plans_module.Plan.from_record(record)

    with pytest.raises(UsageError) as got:
        desk.apply(old)

    assert str(got.value) == f"plan {old.id} was made {said} ago; plan.refresh() reads anew. Nothing was sent."
    assert desk.sent == []
    assert desk.apply(old.refresh(desk.client)).counts == {"done": 5}


def test_applied_twice(desk):
    """34. An apply cell that is run twice sends nothing the second time, and says when it was done."""
    plan = desk.plan("delete")
    desk.apply(plan)

    with pytest.raises(UsageError) as got:
        desk.apply(plan)

    assert re.fullmatch(
        rf"plan {plan.id} was applied already at \d{{4}}-\d\d-\d\d \d\d:\d\d UTC: delete, 5 of 5 done\. "
        r"Nothing was sent\.",
        str(got.value),
    )
    assert desk.sent == []


def test_begun(desk):
    """34. A plan that was begun is for resume, not for a second apply."""
    plan = desk.plan("delete")
    desk.trouble("DELETE", 401, times=None, after=1)
    desk.apply(plan)

    with pytest.raises(UsageError, match=rf"doimages\.resume\('{plan.id}'\) goes on\. Nothing was sent\.$"):
        desk.apply(plan)

    assert desk.sent == []


def test_two_at_once(desk):
    """35. While somebody applies a plan nobody else can, and is told who does."""
    plan = desk.plan("delete")
    other = Journal(plan.id)
    other.open()
    try:
        other.write("plan", plan=plan.to_record())
        other.write("confirm", pid=4711)
        with pytest.raises(UsageError) as got:
            desk.apply(plan)
    finally:
        other.close()

    assert str(got.value) == f"process 4711 is applying plan {plan.id}. Nothing was sent."
    assert desk.sent == []


def test_two_plans(desk):
    """36. Of two plans with images in common the second sees that those are gone, and sends nothing for them."""
    first, second = desk.plan("delete", ids=[1, 2, 3]), desk.plan("delete", ids=[2, 3, 4])

    assert outcomes(desk.apply(first)) == ["done"] * 3
    assert outcomes(desk.apply(second)) == ["already gone", "already gone", "done"]
    assert desk.writes == ["DELETE /v2/images/4"]


def test_process_that_ended(desk):
    """37. What was sent when the process ended is read back by resume, the rest is sent, and nothing twice."""
    plan = desk.plan("delete")
    desk.apply(plan)
    path = folder() / f"{plan.id}.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    # As if it had ended after the reply to the third request, before its outcome was on disk.
    third = [number for number, line in enumerate(lines) if '"kind":"intent","steps":[3]' in line]
    path.write_text("".join(lines[: third[0] + 1]))
    left = {5: image(5, created_at=OLD)} if '"steps":[5]' not in "".join(lines[: third[0] + 1]) else {}
    desk.state.images.update(left)

    report = desk.resume(plan)

    assert sum(report.counts.get(word, 0) for word in ("done", "already gone")) == 5
    assert "DELETE /v2/images/3" not in desk.sent
    assert report.results[2].message == "the reply was lost; it was read back as gone"
    assert desk.state.images == {}


@pytest.mark.parametrize("operation", ["delete", "update"])
def test_interrupted_once(desk, operation):
    """39. Interrupted once, what is under way ends, the rest is not started; the report comes, and resume goes on."""
    desk.has(40)
    plan = desk.plan(operation, max_percent=100, **({"name": "new"} if operation == "update" else {}))
    stop_at(desk, 10, lambda: desk.application.stop("interrupted"))

    report = desk.apply(plan)

    assert set(report.counts) == {"done", "not started"}
    assert report.counts["done"] == len(desk.writes) < 40
    assert report.stopped == "interrupted"
    assert not report.is_finished
    assert [line.partition(": ")[2] for line in doimages.change.apply.tell_unfinished()] != []
    more = 40 - len(desk.writes)
    assert desk.resume(plan).counts == {"done": 40}
    assert len(desk.writes) == more


def test_interrupted_twice(desk):
    """39. Interrupted twice it ends at once: what is under way is in doubt, and resume settles it."""
    desk.has(40)
    plan = desk.plan("delete", max_percent=100)

    def twice():
        desk.application.stop()
        desk.application.cut()

    stop_at(desk, 10, twice)

    report = desk.apply(plan)

    assert report.counts["in doubt"] >= 1
    assert report.counts["not started"] >= 1
    assert "it was sent, and no reply was read: resume looks what became of it" in messages(report)
    assert desk.resume(plan).counts == {"done": 40}
    assert desk.state.images == {}


def stop_at(desk, number, stop):
    """Have something done when so many changes were sent."""
    answer, left = desk.wire._over.handle_async_request, [stop]

    async def handle(request):
        if left and len(desk.writes) == number and request.method != "GET":
            left.pop()()
            # Time for what was asked to happen while this request is under way.
            for _ in range(3):
                await asyncio.sleep(0)
        return await answer(request)

    desk.wire._over.handle_async_request = handle


def test_no_journal(desk, monkeypatch, tmp_path):
    """41. Where no journal can be written nothing is changed."""
    plan = desk.plan("delete")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))

    with pytest.raises(UsageError, match=r"no journal, no changes\. Nothing was sent\.$"):
        desk.apply(plan)

    assert desk.writes == []


def test_full_disk(desk, monkeypatch):
    """41. A disk that is full at the first line: no journal, no changes."""
    plan = desk.plan("delete")
    monkeypatch.setattr(journals.os, "write", fail_after(0, os.write, errno.ENOSPC))

    with pytest.raises(UsageError, match=rf"No space left on device\): no journal, no changes\. {UNCHANGED}$"):
        desk.apply(plan)

    assert desk.writes == []


def test_disk_fails_midway(desk, monkeypatch):
    """42. When a line cannot be put on disk nothing more is sent; the report still comes, and resume goes on."""
    desk.has(40)
    plan = desk.plan("delete", max_percent=100)
    with monkeypatch.context() as patched:
        patched.setattr(journals.os, "fsync", fail_after(20, lambda descriptor: None, errno.EIO))
        report = desk.apply(plan)

    assert report.stopped == f"the journal cannot be written ({os.strerror(errno.EIO)})"
    assert report.counts["not started"] >= 1
    assert 1 <= len(desk.writes) < 40
    assert len(desk.state.images) >= 40 - len(desk.writes)
    before = set(desk.writes)
    assert set(desk.resume(plan).counts) <= {"done", "already gone"}
    assert desk.state.images == {}
    assert not before & set(desk.writes)


def fail_after(times, real, number):
    """Give a function that works so often, and fails from then on."""
    left = iter(range(times))

    def call(*arguments):
        if next(left, None) is None:
            raise OSError(number, os.strerror(number))
        return real(*arguments)

    return call


def test_lock_is_free_again(desk):
    """43. An apply that failed leaves no lock behind, though its traceback is still held."""
    plan = desk.plan("delete")
    desk.trouble("GET", 503, "/v2/images", times=None)
    with pytest.raises(ServerError) as held:
        desk.apply(plan)
    desk.wire.troubles.clear()

    assert desk.apply(plan).counts == {"done": 5}
    assert held.value.__traceback__ is not None


def test_sleep_of_the_machine(desk):
    """44. A connection that died while the machine slept is read back, and the rows are looked at anew."""
    desk.has(40)
    plan = desk.plan("delete", max_percent=100)
    desk.trouble("DELETE", httpx.ReadError, is_done=True, after=5)
    desk.trouble("DELETE", httpx.ReadError, after=5)

    def sleep():
        desk.time.now += 8 * 3600

    stop_at(desk, 6, sleep)

    report = desk.apply(plan)

    assert report.counts == {"done": 40}
    assert desk.sent.count("GET /v2/images") >= 2
    assert len(desk.writes) == 41


def test_slow_listing(desk):
    """44. A listing that takes longer than rows stay fresh holds a plan up, and does not keep it from ending."""
    plan = desk.plan("delete")
    answer = desk.wire._over.handle_async_request

    async def handle(request):
        if request.url.path == "/v2/images":
            assert desk.sent.count("GET /v2/images") < 50
            desk.time.now += 61
        return await answer(request)

    desk.wire._over.handle_async_request = handle

    assert desk.apply(plan).counts == {"done": 5}


EDITS = {
    "a step less": lambda record: record["steps"].pop(),
    "another id": lambda record: record["steps"][0]["image"].update(id=99),
    "a guard": lambda record: record["guards"].update(max_count=10**6),
    "the address": lambda record: record.update(base_url="https://evil.test"),
    "the account": lambda record: record["account"].update(uuid="other"),
    "the operation": lambda record: record.update(operation="update"),
    "the end": lambda record: record.update(expires_at="2099-01-01T00:00:00+00:00"),
    "the version": lambda record: record.update(version=2),
}


@pytest.mark.parametrize("edit", EDITS)
def test_edited_plan(desk, tmp_path, edit):
    """45. A saved plan that was edited, or is of another version, is refused."""
    plan = desk.plan("delete")
    plan.save(tmp_path / "plan.json")
    record = json.loads((tmp_path / "plan.json").read_text())
    EDITS[edit](record)
    (tmp_path / "plan.json").write_text(json.dumps(record))

    with pytest.raises(UsageError, match=r"(was edited|is of version|is no plan).* Nothing was sent\.$"):
        doimages.load_plan(tmp_path / "plan.json")


def test_edited_journal(desk):
    """45. A journal whose plan was edited is refused by resume, and nothing is sent."""
    plan = desk.plan("delete")
    desk.trouble("DELETE", 401, times=None)
    desk.apply(plan)
    path = folder() / f"{plan.id}.jsonl"
    path.write_text(path.read_text().replace('"name":"web-1"', '"name":"web-x"', 1))

    with pytest.raises(UsageError, match=r"was edited.* Nothing was sent\.$"):
        desk.resume(plan)

    assert desk.sent == []


@pytest.mark.parametrize("part", ["uuid", "team"])
def test_other_account(desk, part):
    """46. A plan for one account or team is refused with the token of another, which is named."""
    plan = desk.plan("delete")
    other = {"uuid": "other-uuid", "name": "team B"}
    if part == "team":
        desk.state.account["team"] = other
    else:
        desk.state.account |= {"uuid": "other-uuid", "team": {**desk.state.account["team"], "name": "team B"}}

    with pytest.raises(UsageError) as got:
        desk.apply(plan)

    assert (
        str(got.value)
        == f"planned for {plan.account.name}; this is another token: it is of team B. Nothing was changed."
    )
    assert desk.writes == []


def test_other_account_on_resume(desk):
    """46. The same for resume."""
    plan = desk.plan("delete")
    desk.trouble("DELETE", 401, times=None)
    desk.apply(plan)
    desk.wire.troubles.clear()
    desk.state.account |= {"uuid": "other-uuid"}

    with pytest.raises(UsageError, match=rf"^planned for .*{UNCHANGED}$"):
        desk.resume(plan)

    assert desk.writes == []


@pytest.mark.parametrize("how", ["apply", "resume", "refresh"])
def test_other_host(desk, how):
    """47. A plan for one address is refused by a client of another, and nothing is sent to either."""
    plan = desk.plan("delete")
    desk.trouble("DELETE", 401, times=None)
    if how == "resume":
        desk.apply(plan)
    other = desk.connect(base_url="https://other.test")
    desk.wire.sent.clear()

    with pytest.raises(UsageError) as got:
        {"apply": desk.apply, "resume": desk.resume, "refresh": lambda plan, client: plan.refresh(client)}[how](
            plan, client=other
        )

    assert str(got.value).startswith(f"Plan {plan.id} is for https://api.test, the client speaks to https://other.test")
    assert str(got.value).endswith("Nothing was sent.")
    assert desk.sent == []


@pytest.mark.parametrize("confirm", [None, "", "yes", "delete 5 images", "Delete 5 images from sandbox", True])
def test_not_confirmed(desk, confirm):
    """48. Without the exact words nothing is sent, and the error gives the argument to pass."""
    plan = desk.plan("delete")
    desk.wire.sent.clear()

    with pytest.raises(NotConfirmedError) as got:
        plan.apply(confirm, client=desk.client)

    assert str(got.value).endswith("pass confirm='delete 5 images from sandbox'. Nothing was sent.")
    assert got.value.plan is plan
    assert desk.sent == []


def test_run_all_on_an_old_notebook(desk):
    """49. The words of an old plan do not fit a new one that finds another number of images."""
    words = desk.plan("delete").confirmation
    desk.state.remove_image(1)
    plan = desk.plan("delete")

    with pytest.raises(NotConfirmedError, match=rf"^'{words}' does not confirm plan {plan.id}\."):
        plan.apply(words, client=desk.client)

    assert desk.writes == []


@pytest.mark.parametrize("kind", ["snapshot", "custom"])
def test_convert_of_no_backup(desk, kind):
    """50. Only a backup is converted; for another nothing is sent."""
    desk.has(2, type=kind)

    plan = desk.plan("convert")

    assert [one.outcome for one in plan.refusals] == ["refused"] * 2
    assert plan.refusals[0].reason == f"a {kind}: only a backup is converted, and becomes a snapshot"
    assert desk.writes == []


def test_transfer_to_where_it_is(desk):
    """51. A transfer to where an image is already is no change, at planning and at the last look."""
    desk.state.images[1]["regions"] = ["nyc3", "ams3"]
    plan = desk.plan("transfer", "ams3")
    desk.state.images[2]["regions"] = ["nyc3", "ams3"]

    report = desk.apply(plan)

    assert [(one.image_id, one.outcome, one.reason) for one in plan.refusals] == [
        (1, "no change", "it is in ams3 already")
    ]
    assert outcomes(report) == ["no change", "running", "running", "running"]
    assert len(desk.writes) == 3
    report.raise_for_failures()


def test_rename_to_the_same(desk):
    """52. A rename to the name it has is no change, at planning and at the last look."""
    desk.state.images[1]["name"] = "new"
    plan = desk.plan("update", name="new")

    report = desk.apply(plan)

    assert [(one.outcome, one.reason) for one in plan.refusals] == [("no change", "it has these values already")]
    assert outcomes(report) == ["done"] * 4
    assert len(desk.writes) == 4


def test_renamed_by_another(desk):
    """52. One that another has given the same name since is no change, not changed since plan."""
    plan = desk.plan("update", name="new")
    desk.state.images[2]["name"] = "new"

    assert outcomes(desk.apply(plan)) == ["done", "no change", "done", "done", "done"]
    assert "PUT /v2/images/2" not in desk.sent


def test_dry_run(desk):
    """A plan that is made, shown, saved and refreshed sends nothing but GETs."""
    for plan in (desk.plan("delete"), desk.plan("transfer", "ams3"), desk.plan("quarantine"), desk.create()):
        repr(plan), plan._repr_html_(), plan.to_frame(), plan.refresh(desk.client)

    assert desk.writes == []


def test_no_token_anywhere(desk, tmp_path):
    """No plan, journal, report or message holds the token, though the server sends it back."""
    plan = desk.plan("update", name="new")
    desk.trouble("PUT", httpx.Response(422, json={"id": "x", "message": f"Bearer {CANARY} is bad"}), times=2)
    desk.trouble("PUT", httpx.Response(422, json={"id": "x", "message": f"{CANARY}"}, headers={"x-request-id": CANARY}))

    report = desk.apply(plan)
    plan.save(tmp_path / "plan.json")

    texts = [repr(plan), repr(report), report.to_frame().to_csv(), *(path.read_text() for path in folder().iterdir())]
    with suppress(doimages.ApplyError):
        report.raise_for_failures()
    assert report.counts == {"done": 2, "failed": 3}
    assert not [
        text for text in [*texts, (tmp_path / "plan.json").read_text()] if CANARY in text or CANARY[10:] in text
    ]


RELOADED = """
import importlib, sys
import doimages

with doimages.sandbox(images=40) as box:
    frame = doimages.read_do_images(type="snapshot", max_results=3, client=box.client)
    plan = frame.do_images.tag("old", client=box.client)
    for name in [name for name in sys.modules if name.startswith("doimages.change")]:
        importlib.reload(sys.modules[name])
    report = plan.apply(confirm=plan.confirmation, client=box.client, progress="off")
    print(report.counts, len(report.undo_plan(box.client)))
"""


def test_reloaded_modules(tmp_path):
    """53. A plan that was made before the modules of plans were reloaded, as by %autoreload, is applied."""
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path / "state")}
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", RELOADED], capture_output=True, text=True, env=environment, timeout=60, check=False
    )

    assert (done.stdout.strip(), done.stderr) == ("{'done': 3} 3", "")
