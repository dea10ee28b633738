"""Waiting for actions and imports, replies that lag behind what was done, and what never ends."""

import httpx
import pytest
from scripted import image

OLD = "2024-03-01T02:35:00Z"
WAITED = ["transfer", "convert", "create"]


@pytest.fixture
def begin(desk):
    """Give a function that plans a transfer or convert of image 1, or an import."""

    def planned(operation, **fields):
        kind = "backup" if operation == "convert" else "snapshot"
        desk.has([image(1, **{"type": kind, "created_at": OLD} | fields)])
        if operation == "create":
            return desk.create()
        return desk.plan(operation, *(["ams3"] if operation == "transfer" else []))

    return planned


# Replies that lag


@pytest.mark.parametrize("lag", [1, 2])
def test_create_seen_late(desk, rows, lag):
    """An import whose reply was lost, and which no listing shows at the first looks, is found at a later one."""
    plan = desk.create()
    desk.state.lag, desk.state.polls = lag, None
    desk.trouble("POST", httpx.ReadTimeout, is_done=True)

    [row] = rows(desk.apply(plan))

    assert row["outcome"] == "running"
    assert row["id"] == max(desk.state.images)
    assert row["message"].endswith("found by its tag. importing: NEW")
    assert desk.writes == ["POST /v2/images"]


@pytest.mark.parametrize("lag", [1, 2])
def test_action_seen_late(desk, begin, rows, lag):
    """An action whose reply was lost, and which is not listed at the first looks, is found at a later one."""
    plan = begin("transfer")
    desk.state.lag = lag
    desk.trouble("POST", httpx.ReadTimeout, is_done=True)

    [row] = rows(desk.apply(plan))

    assert (row["outcome"], row["action_id"]) == ("running", max(desk.state.actions))
    assert desk.writes == ["POST /v2/images/1/actions"]


@pytest.mark.parametrize("kind", ["snapshot", "custom"])
@pytest.mark.parametrize("lag", [1, 2, 4])
def test_delete_still_shown(desk, rows, kind, lag):
    """A DELETE whose reply was lost, of an image that still shows, is sent again: the API says that it is gone."""
    desk.has(2, type=kind)
    plan = desk.plan("delete", ids=[1])
    desk.state.lag = lag
    desk.trouble("DELETE", httpx.ReadTimeout, is_done=True)

    [row] = rows(desk.apply(plan))

    assert (row["outcome"], row["message"]) == ("done", "an earlier try had done it")
    assert desk.writes == ["DELETE /v2/images/1"] * 2


@pytest.mark.parametrize("lag", [0, 1, 2])
def test_tag_seen_late(desk, rows, lag):
    """A tag whose replies were all lost is read back off the images themselves, which do not lag."""
    plan = desk.plan("tag", "prod", ids=[1, 2])
    desk.state.tags["prod"] = None
    desk.state.lag = lag
    desk.trouble("POST", httpx.ReadTimeout, is_done=True, times=None)

    report = desk.apply(plan)

    assert [row["outcome"] for row in rows(report)] == ["done", "done"]
    assert desk.state.images[1]["tags"] == ["prod"]


def test_import_is_not_confused(desk, rows):
    """An image of the same name, that was there before, is not taken for one whose reply was lost."""
    desk.has([image(1, name="base", type="custom", created_at=OLD)])
    plan = desk.create()
    desk.trouble("POST", httpx.ReadTimeout)

    [row] = rows(desk.apply(plan))
    [later] = rows(desk.resume(plan))

    assert (row["outcome"], row["id"]) == ("in doubt", None)
    assert (later["outcome"], later["message"].partition(":")[0]) == ("failed", "not created")
    assert desk.writes == []


def test_transfer_is_not_confused(desk, begin, rows):
    """An old transfer to the same region is not taken for one whose reply was lost: that one is in doubt."""
    plan = begin("transfer")
    old = desk.state.start_action("transfer", desk.state.images[1], "ams3")
    old |= {"status": "errored", "started_at": OLD, "completed_at": OLD}
    desk.state.running.clear()
    desk.trouble("POST", httpx.ReadTimeout)

    report = desk.apply(plan)

    [row] = rows(report)
    assert (row["outcome"], row["action_id"]) == ("in doubt", None)
    assert row["message"] == (
        "no transfer of image 1 ('web-1') is among its actions, and it may still begin: look before you plan anew."
    )
    assert desk.writes == ["POST /v2/images/1/actions"]


# Waiting


@pytest.mark.parametrize("operation", WAITED)
def test_wait(desk, begin, rows, operation):
    """With wait the report comes when the API is done, and the change is there."""
    plan = begin(operation)

    report = desk.apply(plan, wait=True)

    [row] = rows(report)
    assert (row["outcome"], row["message"]) == ("done", "")
    if operation == "create":
        assert desk.state.images[row["id"]]["status"] == "available"
    elif operation == "transfer":
        assert desk.state.images[1]["regions"] == ["nyc3", "ams3"]
        assert row["after"] == {"region": "ams3"}
    else:
        assert desk.state.images[1]["type"] == "snapshot"
    assert len(desk.writes) == 1


@pytest.mark.parametrize("operation", WAITED)
def test_no_wait(desk, begin, rows, operation):
    """Without it the report comes at once, says what is running, and nothing is asked after the change."""
    plan = begin(operation)

    [row] = rows(desk.apply(plan))

    assert row["outcome"] == "running"
    assert row["message"] in {"importing: NEW", f"action {row['action_id']} is in-progress"}
    assert desk.sent[-1] == desk.writes[-1]
    assert desk.time.slept == []


@pytest.mark.parametrize("operation", WAITED)
@pytest.mark.parametrize("lag", [1, 3])
def test_early_404(desk, begin, rows, operation, lag):
    """An action or import that is a 404 at first is waited for all the same."""
    plan = begin(operation)
    desk.state.lag = lag

    [row] = rows(desk.apply(plan, wait=True))

    assert row["outcome"] == "done"
    assert len(desk.writes) == 1


@pytest.mark.parametrize("operation", WAITED)
def test_404_for_good(desk, begin, rows, operation):
    """One that stays a 404 for a minute is gone: failed, with the action's or image's id."""
    plan = begin(operation)
    desk.state.lag = 10**6

    [row] = rows(desk.apply(plan, wait=True))

    assert (row["outcome"], row["status"]) == ("failed", 404)
    assert row["message"].startswith("it is gone: GET /v2/images/")
    assert row["id" if operation == "create" else "action_id"]
    assert 60 < sum(desk.time.slept) < 120


@pytest.mark.parametrize("operation", WAITED)
def test_never_ends(desk, begin, rows, operation):
    """What does not end in an hour is running still; resume waits on, and sends no change again."""
    plan = begin(operation)
    desk.state.polls = None

    [row] = rows(desk.apply(plan, wait=True))

    assert row["outcome"] == "running"
    assert row["message"].endswith("; it has not ended in an hour: resume waits on")
    assert 3600 < sum(desk.time.slept) < 3700
    assert len(desk.sent) < 200

    [row] = rows(desk.resume(plan, wait=True))
    assert row["outcome"] == "running"
    assert row["message"].count("it has not ended in an hour") == 1
    assert desk.writes == []

    desk.state.advance()
    [row] = rows(desk.resume(plan, wait=True))
    assert (row["outcome"], row["message"]) == ("done", "")
    assert desk.writes == []

    [row] = rows(desk.resume(plan, wait=True))
    assert (row["outcome"], desk.sent) == ("done", [])


def test_resume_without_wait(desk, begin, rows):
    """Resume without wait asks nothing of what is running: there is nothing left to send."""
    plan = begin("transfer")
    desk.apply(plan)

    [row] = rows(desk.resume(plan))

    assert (row["outcome"], desk.sent) == ("running", [])


@pytest.mark.parametrize("operation", ["transfer", "convert"])
def test_errored(desk, begin, rows, operation):
    """An action that ends as errored is failed, with its id; nothing was changed."""
    plan = begin(operation, name="web errored")

    report = desk.apply(plan, wait=True)

    [row] = rows(report)
    assert row["outcome"] == "failed"
    assert row["message"] == f"action {row['action_id']} ended as errored. Nothing was changed."
    assert report.failed["id"].tolist() == [1]


@pytest.mark.parametrize(
    ("url", "said"),
    [("https://images.example.com/fail.img", "unpack"), ("https://images.example.com/disk.raw.bz2", None)],
)
def test_failed_import(desk, rows, url, said):
    """An import that fails is failed, with what the API says of it; one that works is done."""
    plan = desk.create(url=url)

    [row] = rows(desk.apply(plan, wait=True))

    if said is None:
        assert row["outcome"] == "done"
        return
    assert row["outcome"] == "failed"
    assert row["message"] == f"the import failed: {desk.state.images[row['id']]['error_message'].strip()}"


def test_failed_import_without_a_reason(desk, rows):
    """An import that ends deleted without a word is failed, and says that there was none."""
    plan = desk.create(url="https://images.example.com/fail.img")
    desk.state.polls = None
    desk.apply(plan)
    desk.state.importing.clear()
    desk.state.images[max(desk.state.images)] |= {"status": "deleted", "error_message": " "}

    [row] = rows(desk.resume(plan, wait=True))

    assert (row["outcome"], row["message"]) == ("failed", "the import failed: DigitalOcean gives no reason")


@pytest.mark.parametrize("trouble", [503, httpx.ReadTimeout, httpx.ConnectError])
def test_polls_that_fail(desk, begin, rows, trouble):
    """Polls that fail for a while end no wait."""
    plan = begin("transfer")
    desk.trouble("GET", trouble, "/v2/images/1/actions/*", times=12)

    [row] = rows(desk.apply(plan, wait=True))

    assert (row["outcome"], row["message"]) == ("done", "")


@pytest.mark.parametrize("trouble", [503, httpx.ReadTimeout, httpx.ConnectError])
def test_polls_that_fail_for_ever(desk, begin, rows, trouble):
    """Polls that never come through end after the hour as well: still running, and why it is not known."""
    plan = begin("transfer")
    desk.trouble("GET", trouble, "/v2/images/1/actions/*", times=None)

    [row] = rows(desk.apply(plan, wait=True))

    assert row["outcome"] == "running"
    assert row["message"].startswith("it could not be asked for: GET /v2/images/1/actions/")
    assert sum(desk.time.slept) < 4500


@pytest.mark.parametrize("status", [401, 403, 422])
def test_polls_that_are_refused(desk, begin, rows, status):
    """A poll that the API refuses ends the wait: running, as far as is known."""
    plan = begin("transfer")
    desk.trouble("GET", status, "/v2/images/1/actions/*", times=None)

    [row] = rows(desk.apply(plan, wait=True))

    assert row["outcome"] == "running"
    assert row["message"].startswith("it cannot be asked for: GET /v2/images/1/actions/")


BROKEN = {
    "html": httpx.Response(200, headers={"content-type": "text/html"}, content=b"<html>"),
    "another record": httpx.Response(200, json={"ok": True}),
}


@pytest.mark.parametrize("reply", BROKEN)
@pytest.mark.parametrize("operation", WAITED)
def test_polls_that_are_no_record(desk, begin, rows, operation, reply):
    """A poll that is no record, as a proxy sends it, is asked again."""
    plan = begin(operation)
    desk.trouble("GET", BROKEN[reply], "/v2/images/*", times=3)

    report = desk.apply(plan, wait=True)

    [row] = rows(report)
    assert (row["outcome"], report.stopped) == ("done", None)


@pytest.mark.parametrize("operation", WAITED)
def test_interrupted_while_waiting(desk, begin, rows, operation):
    """Interrupted once while it waits, the report comes at once: still running; resume waits on."""
    plan = begin(operation)
    desk.state.polls = None
    naps = desk.time.sleep

    async def sleep(seconds):
        if len(desk.time.slept) == 5:
            desk.application.stop()
        await naps(seconds)

    desk.time.sleep = sleep

    report = desk.apply(plan, wait=True)

    [row] = rows(report)
    assert (row["outcome"], report.stopped) == ("running", "interrupted")
    assert len(desk.time.slept) < 10
    desk.time.sleep = naps
    desk.state.advance()
    assert [row["outcome"] for row in rows(desk.resume(plan, wait=True))] == ["done"]


def test_waits_side_by_side(desk, rows):
    """Many actions are waited for side by side, and one that fails ends no other's wait."""
    desk.has(
        [image(number, name="errored" if number == 3 else f"web-{number}", created_at=OLD) for number in range(1, 6)]
    )
    plan = desk.plan("transfer", "ams3")

    report = desk.apply(plan, wait=True)

    assert report.counts == {"done": 4, "failed": 1}
    assert len(desk.writes) == 5
