"""What must not happen whatever goes wrong.

A change of an image that is another by now, one told of that was not made, one made that is not told of, a lost report.
"""

import asyncio
import json
import signal
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import httpx
import pandas as pd
import pytest
from scripted import image

import doimages
from doimages import progress as bars
from doimages.api.pacing import Pacer
from doimages.change import lookout
from doimages.change import plan as plans_module
from doimages.change.apply import apply_plan
from doimages.change.journal import Journal, JournalError, folder
from doimages.errors import ApplyError, UsageError

OLD = "2024-03-01T02:35:00Z"
SECONDS = 61
LIMITED = httpx.Response(429, json={"id": "too_many", "message": "Too many."}, headers={"retry-after": str(SECONDS)})
REFUSED = httpx.Response(422, json={"id": "unprocessable_entity", "message": "One of them."})
RESOURCES = "/v2/tags/old/resources"

# What a change of images sends for image 1, and its arguments.
CHANGES = {
    "delete": ("DELETE /v2/images/1", (), {}),
    "update": ("PUT /v2/images/1", (), {"name": "ours"}),
    "transfer": ("POST /v2/images/1/actions", ("ams3",), {}),
    "convert": ("POST /v2/images/1/actions", (), {}),
    "transfer_account": ("POST /v2/images/1/account_transfer", (), {"email": "a@example.com"}),
    "tag": ("POST /v2/tags/old/resources", ("old",), {}),
    "untag": ("DELETE /v2/tags/gone/resources", ("gone",), {}),
}


@pytest.fixture
def begin(desk):
    """Give a function that plans a change of image 1, and makes its first request meet trouble."""

    def planned(operation, how=None, **trouble):
        desk.has(3, type="backup" if operation == "convert" else "snapshot", tags=["gone"], regions=["nyc3"])
        desk.state.tags |= {"old": None, "gone": None}
        request, arguments, options = CHANGES[operation]
        plan = desk.plan(operation, *arguments, ids=[1], **options)
        if how is not None:
            desk.trouble(request.partition(" ")[0], how, **trouble)
        return plan

    return planned


def during_pause(desk, change):
    """Have something changed while the rate limit is waited for, once."""
    naps, changes = desk.time.sleep, [change]

    async def sleep(seconds):
        if seconds == SECONDS and changes:
            changes.pop()()
        await naps(seconds)

    desk.time.sleep = sleep


def on_request(desk, react):
    """Have a function see each request before it is answered; what it gives, if anything, is the answer."""
    answer = desk.wire._over.handle_async_request

    async def handle(request):
        reply = react(request)
        if asyncio.iscoroutine(reply):
            reply = await reply
        return await answer(request) if reply is None else reply

    desk.wire._over.handle_async_request = handle


def outcomes(report):
    return [one.outcome for one in report.results]


def lines_of(plan):
    return [json.loads(line) for line in (folder() / f"{plan.id}.jsonl").read_text().splitlines()]


# What changes while a plan waits


@pytest.mark.parametrize("operation", CHANGES)
def test_renamed_in_a_pause(desk, begin, operation):
    """An image that is another's after the rate limit was waited out is not changed: no request goes out any more."""
    plan = begin(operation, LIMITED)
    during_pause(desk, lambda: desk.state.images[1].update(name="production"))

    report = desk.apply(plan)

    assert outcomes(report) == ["changed since plan"]
    assert report.results[0].message == "name was 'web-1' and is 'production'. Nothing was changed."
    assert desk.writes == [CHANGES[operation][0]]
    assert report.is_finished


@pytest.mark.parametrize("operation", CHANGES)
def test_deleted_in_a_pause(desk, begin, operation):
    """An image that another deletes while the rate limit is waited out is already gone, and was not done by us."""
    plan = begin(operation, LIMITED)
    during_pause(desk, lambda: desk.state.images.pop(1))

    report = desk.apply(plan)

    assert outcomes(report) == ["already gone"]
    assert desk.writes == [CHANGES[operation][0]]


@pytest.mark.parametrize(("operation", "is_good"), [("delete", True), ("untag", True), ("update", False)])
def test_gone_is_good_where_it_was_to_go(desk, begin, operation, is_good):
    """That an image is gone is as planned for what takes it away, and a failure for what was to change it."""
    plan = begin(operation)
    del desk.state.images[1]

    report = desk.apply(plan)

    assert outcomes(report) == ["already gone"]
    if is_good:
        report.raise_for_failures()
    else:
        with pytest.raises(ApplyError, match="already gone"):
            report.raise_for_failures()


@pytest.mark.parametrize("operation", CHANGES)
def test_stopped_in_a_pause(desk, begin, operation):
    """What the API refused for now, and is not sent again, is not started; resume looks for nothing, and sends it."""
    plan = begin(operation, LIMITED)
    during_pause(desk, lambda: desk.application.stop("by hand"))

    report = desk.apply(plan)

    assert (outcomes(report), report.stopped) == (["not started"], "by hand")
    assert desk.writes == [CHANGES[operation][0]]
    assert [line["result"]["outcome"] for line in lines_of(plan) if line["kind"] == "outcome"] == ["not started"]
    assert outcomes(desk.resume(plan))[0] in {"done", "running"}
    assert desk.writes == [CHANGES[operation][0]]


def test_unsent_then_renamed(desk, begin):
    """A DELETE that never left is not sent to an image that was renamed meanwhile."""
    plan = begin("delete", httpx.ConnectError)
    naps = desk.time.sleep

    async def sleep(seconds):
        if desk.writes:
            desk.state.images[1]["name"] = "production"
            desk.time.now += SECONDS
        await naps(seconds)

    desk.time.sleep = sleep

    assert outcomes(desk.apply(plan)) == ["changed since plan"]
    assert 1 in desk.state.images


def test_lost_then_protected(desk, begin):
    """A PUT that was done while its reply was lost is done, though the image was protected before the next try."""
    plan = begin("update", httpx.ReadTimeout, is_done=True)
    naps = desk.time.sleep

    async def sleep(seconds):
        if desk.writes:
            desk.state.images[1]["tags"] = ["keep"]
            desk.time.now += SECONDS
        await naps(seconds)

    desk.time.sleep = sleep

    report = desk.apply(plan)

    assert outcomes(report) == ["done"]
    assert report.results[0].message == "the reply was lost; the change was read back"
    assert desk.writes == ["PUT /v2/images/1"]


def test_one_of_a_batch_changes(desk):
    """One of a batch that changes in a pause is left alone, and the others go on without it."""
    desk.state.tags["old"] = None
    plan = desk.plan("tag", "old")
    desk.trouble("POST", LIMITED)
    during_pause(desk, lambda: desk.state.images[2].update(name="production"))

    report = desk.apply(plan)

    assert outcomes(report) == ["done", "changed since plan", "done", "done", "done"]
    assert [one["id"] for one in desk.state.images.values() if one["tags"]] == [1, 3, 4, 5]


@pytest.mark.parametrize("field", ["name", "description"])
def test_later_value_is_kept(desk, field):
    """A value that another wrote after the plan was made is not written over."""
    desk.has(2, type="custom")
    plan = desk.plan("update", ids=[1], **{field: "ours"})
    desk.state.images[1][field] = "theirs"

    assert outcomes(desk.apply(plan)) == ["changed since plan"]
    assert desk.state.images[1][field] == "theirs"


def test_rescued(desk):
    """An image that was due, and whose tag was taken off after the plan was made, is not deleted."""
    desk.has(2, tags=["doimages-delete-after:2020-01-01"], created_at="2020-01-01T00:00:00Z")
    plan = desk.plan("delete", due=True, max_percent=100)
    desk.state.images[2]["tags"] = []

    assert outcomes(desk.apply(plan)) == ["done", "changed since plan"]
    assert list(desk.state.images) == [2]


def test_machine_slept(desk, monkeypatch):
    """After the machine slept, which no monotonic clock counts, the rows are read again before more is sent."""
    desk.has(40)
    plan = desk.plan("delete", max_percent=100)
    wall = SimpleNamespace(now=1_000_000.0)
    monkeypatch.setattr(lookout, "time", SimpleNamespace(time=lambda: wall.now))

    def sleep(request):
        if request.method == "DELETE" and wall.now == 1_000_000.0:
            wall.now += 3 * 3600
            for number in range(30, 41):
                desk.state.images[number]["name"] = "production"

    on_request(desk, sleep)

    report = desk.apply(plan)

    assert report.counts == {"done": 29, "changed since plan": 11}
    assert list(desk.state.images) == list(range(30, 41))
    assert desk.sent.count("GET /v2/images") == 2


# What is taken for what was sent


def test_errored_action_is_not_adopted(desk):
    """A transfer that failed a minute before is not taken for the one whose reply was lost."""
    desk.has([image(1, created_at=OLD)])
    old = desk.state.start_action("transfer", desk.state.images[1], "ams3")
    before = f"{datetime.now(UTC) - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
    old |= {"status": "errored", "started_at": before, "completed_at": before}
    desk.state.running.clear()
    plan = desk.plan("transfer", "ams3")
    desk.state.lag = 2
    desk.trouble("POST", httpx.ReadTimeout, is_done=True)

    report = desk.apply(plan)

    assert outcomes(report) == ["running"]
    assert report.results[0].action_id != old["id"]
    assert desk.writes == ["POST /v2/images/1/actions"]


def test_put_that_changed_nothing(desk):
    """A PUT that is answered with the old name has failed: the API has kept it."""
    plan = desk.plan("update", name="ours", ids=[1])
    desk.trouble("PUT", httpx.Response(200, json={"image": image(1)}))

    report = desk.apply(plan)

    assert outcomes(report) == ["failed"]
    assert report.results[0].message == "the API answered, and kept the name 'web-1'"


def test_saved_create_on_another_machine(desk, monkeypatch, tmp_path):
    """A saved import that was carried out on another machine finds its image by its tag, and makes no second."""
    desk.create().save(str(tmp_path / "plan.json"))
    desk.apply(doimages.load_plan(str(tmp_path / "plan.json")))
    made = max(desk.state.images)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
    assert not folder().exists()

    report = desk.apply(doimages.load_plan(str(tmp_path / "plan.json")))

    assert [(one.outcome, one.image_id) for one in report.results] == [("running", made)]
    assert desk.writes == []


def test_namesake_is_decided_on_by_resume(desk):
    """A lost import that shows late is found by resume, though one of its name was made by hand meanwhile."""
    plan = desk.create()
    desk.state.lag, desk.state.polls = 10, None
    desk.trouble("POST", httpx.ReadTimeout, is_done=True)
    report = desk.apply(plan)
    made = max(desk.state.images)
    desk.state.images[77] = image(77, name="base", type="custom", created_at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    assert outcomes(report) == ["in doubt"]
    assert not report.is_finished
    while made not in set(desk.frame()["id"]):
        pass

    report = desk.resume(plan)

    assert [(one.outcome, one.image_id) for one in report.results] == [("running", made)]
    assert desk.writes == []


def test_token_of_an_account_not_known(desk):
    """A plan made without account:read is refused by a token that tells an account: it may be another."""
    desk.state.tokens["narrow"] = frozenset({"image:read", "image:delete"})
    narrow = desk.connect("narrow")
    plan = pd.DataFrame({"id": [1, 2]}).do_images.delete(client=narrow)
    assert plan.account is None

    with pytest.raises(UsageError, match=r"whether that is the same account cannot be told.* Nothing was changed\.$"):
        desk.apply(plan)

    assert desk.writes == []
    assert outcomes(desk.apply(plan, client=narrow)) == ["done", "done"]


# What goes on where one fails


def test_one_of_a_split_batch_changes(desk):
    """Of a batch that is refused and sent one by one, one that changes meanwhile is left alone; the rest are done."""
    desk.state.tags["old"] = None
    plan = desk.plan("tag", "old")
    desk.trouble("POST", REFUSED, path=RESOURCES)

    def change(request):
        if desk.sent.count(f"POST {RESOURCES}") == 3:
            desk.time.now += SECONDS
            desk.state.images[4]["name"] = "production"

    on_request(desk, change)

    assert outcomes(desk.apply(plan)) == ["done", "done", "done", "changed since plan", "done"]


def test_one_of_a_split_batch_is_unreadable(desk):
    """Of a batch sent one by one, one that was lost and cannot be read back is in doubt; the rest are done."""
    desk.state.tags["old"] = None
    plan = desk.plan("tag", "old")
    desk.trouble("POST", REFUSED, path=RESOURCES)
    desk.trouble("POST", httpx.ReadTimeout, path=RESOURCES, after=1, times=3)
    desk.trouble("GET", 403, after=2)

    report = desk.apply(plan)

    assert outcomes(report) == ["done", "in doubt", "done", "done", "done"]
    assert outcomes(desk.resume(plan)) == ["done"] * 5


def test_action_without_an_id(desk):
    """An action that the API gives no id of is running, and says so; the others are waited for to their end."""
    plan = desk.plan("transfer", "ams3", ids=[1, 2, 3])
    desk.trouble("POST", httpx.Response(201, json={"action": {"status": "in-progress"}}), is_done=True)

    report = desk.apply(plan, wait=True)

    assert sorted(outcomes(report)) == ["done", "done", "running"]
    [row] = [one for one in report.results if one.outcome == "running"]
    assert row.message.endswith("the API gave no id to ask for")


def test_watch_that_fails(desk):
    """What shows how far a plan is may fail: the plan goes on, and its report comes."""
    plan = desk.plan("delete")
    has_failed = threading.Event()

    async def wait(request):
        if request.method == "DELETE":
            assert await asyncio.to_thread(has_failed.wait, 10)

    def watch(application):
        if desk.sent.count("GET /v2/images"):
            has_failed.set()
            raise BrokenPipeError

    on_request(desk, wait)
    desk.wire.sent.clear()

    report = apply_plan(plan, plan.confirmation, progress="off", client=desk.client, watch=watch)

    assert report.counts == {"done": 5}
    assert report.is_finished


@pytest.mark.parametrize(
    "fails",
    [
        "refresh",
        "close",
    ],
)
def test_bar_that_fails(desk, monkeypatch, fails):
    """A bar that can no longer be drawn, or closed, ends nothing either."""
    plan = desk.plan("delete")
    has_drawn = threading.Event()

    def broken():
        raise BrokenPipeError

    class Bar:
        total = n = 0

        def set_postfix_str(self, note, *, refresh):
            has_drawn.set()

        def refresh(self):
            if fails == "refresh":
                broken()

        def close(self):
            if fails == "close":
                broken()

    async def wait(request):
        if request.method == "DELETE":
            assert await asyncio.to_thread(has_drawn.wait, 10)

    on_request(desk, wait)
    monkeypatch.setattr(bars, "SILENT_SECONDS", 0)
    monkeypatch.setattr(bars, "_bar", lambda mode, label: Bar())

    report = plan.apply(confirm=plan.confirmation, progress="text", client=desk.client)

    assert report.counts == {"done": 5}
    assert report.is_finished
    assert lines_of(plan)[-1]["kind"] == "end"


def test_interrupted_among_many(desk):
    """Interrupted while hundreds of actions are waited for, no more are asked for than were under way."""
    desk.has(300)
    desk.state.polls = None
    desk.client._transport._pacer = Pacer(250)
    plan = desk.plan("transfer", "ams3", max_count=1000)
    polls = []

    async def count(request):
        if request.method == "GET" and "/actions/" in request.url.path:
            polls.append(desk.time.now)
            await asyncio.sleep(0)
            if len(polls) >= 20:
                desk.application.stop()

    on_request(desk, count)

    report = desk.apply(plan, wait=True)

    assert (report.counts, report.stopped) == ({"running": 300}, "interrupted")
    assert 20 <= len(polls) < 20 + 32
    assert desk.time.now - polls[19] <= 5


# What a report and a message say


@pytest.mark.parametrize("how", [401, 403, httpx.ConnectError])
def test_reason_is_of_the_whole_plan(desk, how):
    """The reason that ends a plan midway does not say that nothing was changed: of its own request it was true."""
    plan = desk.plan("delete")
    desk.trouble("DELETE", how, after=2, times=None)

    report = desk.apply(plan)

    assert report.counts["done"] == 2
    assert report.stopped.startswith("DELETE /v2/images/")
    assert "Nothing was" not in report.stopped


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("1790000000000", "5 requests are left of the rate limit: resume in an hour"),
        ("1e400", None),
        ("-1790000000000", None),
    ],
)
def test_reset_that_is_absurd(desk, header, said):
    """A time of reset that no calendar has ends a plan as little left does, or is no word of what is left at all."""
    desk.has(40)
    plan = desk.plan("delete", max_percent=100)
    answer = desk.wire._over.handle_async_request

    async def handle(request):
        reply = await answer(request)
        if request.method == "DELETE":
            little = {"ratelimit-limit": "5000", "ratelimit-remaining": "5", "ratelimit-reset": header}
            reply.headers.update(little)
        return reply

    desk.wire._over.handle_async_request = handle

    report = desk.apply(plan)

    assert set(report.counts) <= {"done", "not started"}
    assert report.counts["done"] == len(desk.writes)
    assert report.stopped == said


def test_clock_set_back(desk):
    """A plan from the future is as stale as an old one: the clock was set back, and how old it is cannot be told."""
    plan = desk.plan("delete")
    later = datetime.fromisoformat(plan.made_at) + timedelta(hours=6)
    made = {"made_at": later.isoformat(), "expires_at": (later + plans_module.FRESH_FOR).isoformat()}
    record = plan.to_record() | made
    plan = plans_module.Plan.from_record(record | {"id": plans_module._id_of(record)})

    with pytest.raises(UsageError, match=r"Nothing was sent\.$"):
        desk.apply(plan)

    assert desk.sent == []


def test_journal_that_lacks_its_end(desk, monkeypatch):
    """A plan whose last line cannot be written is not told of as finished; resume ends it, and sends no change."""
    plan = desk.plan("delete")
    write = Journal.write

    def fail(journal, kind, **values):
        if kind == "end":
            raise JournalError("the journal cannot be written (No space left on device)")
        write(journal, kind, **values)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "write", fail)
        report = desk.apply(plan)

    assert report.counts == {"done": 5}
    assert not report.is_finished
    assert report.stopped == "the journal cannot be written (No space left on device)"
    report = desk.resume(plan)
    assert (report.counts, report.is_finished, desk.writes) == ({"done": 5}, True, [])


def test_signal_handler_not_of_python(desk, monkeypatch):
    """Where the handler before was not made by Python, which gives it as None, the plan ends well all the same."""
    plan = desk.plan("delete")
    setter, before = signal.signal, signal.getsignal(signal.SIGINT)

    def untold(number, handler):
        setter(number, handler)

    monkeypatch.setattr(signal, "signal", untold)
    try:
        report = desk.apply(plan)
        after = signal.getsignal(signal.SIGINT)
    finally:
        setter(signal.SIGINT, before)

    assert report.counts == {"done": 5}
    assert after is signal.SIG_DFL


def test_retry_of_what_failed_alone(desk):
    """Planned again is what failed, of a plan that is at its end; what changed or is gone is left to a new look."""
    plan = desk.plan("update", ids=[1, 2, 3], name="ours")
    desk.state.images[2]["name"] = "theirs"
    del desk.state.images[3]
    desk.trouble("PUT", 422)
    report = desk.apply(plan)
    assert outcomes(report) == ["failed", "changed since plan", "already gone"]

    assert [step.image_id for step in report.retry_plan(desk.client).steps] == [1]
