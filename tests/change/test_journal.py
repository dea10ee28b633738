"""The journal of a plan: on disk before anything is sent, for one process at a time, and believed only whole."""

import errno
import json
import os
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager

import pandas as pd
import pytest
from scripted import CANARY

import doimages
from doimages.change import application, carrying, journal, outcome
from doimages.change.folder import folder
from doimages.errors import UsageError
from doimages.sandbox_api.faults import WRITES, Fault
from doimages.sandbox_api.server import Server
from doimages.sandbox_api.state import is_own


class Disk:
    """The module os as the journal sees it, with a fault at one of its calls."""

    def __init__(self, **replaced):
        self._replaced = replaced

    def __getattr__(self, name):
        return self._replaced.get(name) or getattr(os, name)


class Bench:
    """A sandbox, and plans for it that send one request after the other."""

    def __init__(self, server):
        self.state = server.state
        self.token = server.token
        self.url = server.url
        self.client = doimages.connect(token=server.token, base_url=server.url)
        self.state.reset()
        self.state.droplets.clear()
        own = [image for image in self.state.images.values() if is_own(image) and image["type"] == "snapshot"]
        self.ids = [image["id"] for image in own if "keep" not in (image["tags"] or ())][:4]

    def plan(self, operation="delete", **arguments):
        if operation == "create":
            fields = {"name": "base", "url": "https://images.example.com/base.qcow2", "region": "nyc3"}
            return doimages.create_custom(**fields, client=self.client)
        return getattr(pd.DataFrame({"id": self.ids}).do_images, operation)(**arguments, client=self.client)

    def apply(self, plan):
        return plan.apply(confirm=plan.confirmation, client=self.client)

    def resume(self, plan):
        return doimages.resume(plan.id, client=self.client)

    @contextmanager
    def silence(self, *, but=()):
        """Hold that nothing is sent but what has these methods."""
        known = len(self.state.log)
        yield
        assert [record for record in self.state.log[known:] if record.method not in but] == []

    @property
    def writes(self):
        return [record for record in self.state.log if record.method != "GET"]

    def check_all_deleted_once(self):
        assert not self.state.images.keys() & set(self.ids)
        assert sorted(record.path for record in self.writes) == [f"/v2/images/{number}" for number in sorted(self.ids)]


@pytest.fixture(scope="module")
def _server():
    with Server(images=60, rate_limit=10_000) as server:
        yield server


@pytest.fixture
def bench(_server, monkeypatch):
    monkeypatch.setattr(carrying, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(application, "LANES", 1)
    doimages.options.requests_per_minute = 10_000
    made = Bench(_server)
    yield made
    made.client.close()


def path_of(plan):
    return folder() / f"{plan.id}.jsonl"


def lines_of(plan):
    return [json.loads(line) for line in path_of(plan).read_bytes().splitlines()]


def outcomes(report):
    return [one.outcome for one in report.results]


# What is in it


@pytest.mark.parametrize(
    ("operation", "arguments", "requests"),
    [
        ("delete", {}, 4),
        ("update", {"name": "new"}, 4),
        ("transfer", {"region": "syd1"}, 4),
        ("tag", {"tag": "of-the-test"}, 3),
        ("create", {}, 1),
    ],
)
def test_an_intent_is_on_disk_before_each_request(bench, operation, arguments, requests):
    """At the moment a request reaches the server, there is one more intent than requests that came before it."""
    plan = bench.plan(operation, **arguments)
    seen = []

    def look():
        seen.append(sum(line["kind"] == "intent" for line in lines_of(plan)))

    bench.state.faults.append(Fault("drift", method=WRITES, change=look, times=None))
    bench.apply(plan).raise_for_failures()
    assert seen == list(range(1, requests + 1))
    assert [line["kind"] for line in lines_of(plan)][:2] == ["plan", "confirm"]
    assert lines_of(plan)[-1]["kind"] == "end"


def test_an_intent_names_its_step_and_each_try_has_one(bench):
    """A delete whose answer is lost and that was not done is sent again, after an intent of its own."""
    plan = bench.plan()
    bench.state.faults.append(Fault("drop", method="DELETE", path=f"/v2/images/{bench.ids[1]}"))
    bench.apply(plan).raise_for_failures()
    intents = [line["steps"] for line in lines_of(plan) if line["kind"] == "intent"]
    numbers = [step.number for step in plan.steps]
    assert intents == [[numbers[0]], [numbers[1]], [numbers[1]], [numbers[2]], [numbers[3]]]


def test_the_journal_is_for_its_owner_alone(bench):
    """The file is 0600 and its folder 0700, whatever the umask, and whoever made the folder."""
    folder().mkdir(parents=True, mode=0o755)
    before = os.umask(0)
    try:
        plan = bench.plan()
        bench.apply(plan)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder().stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder().iterdir()} == {0o600}


def test_the_journal_has_no_token(bench):
    """Not even where the server sends it back in a message."""
    bench.state.tokens[CANARY] = None
    bench.client.close()
    bench.client = doimages.connect(token=CANARY, base_url=bench.url)
    plan = bench.plan("update", name="new")
    body = {"id": "unprocessable_entity", "message": f"not with Bearer {CANARY}, nor {CANARY}"}
    headers = {"x-request-id": f"of-{CANARY}"}
    bench.state.faults.append(Fault("status", method="PUT", status=422, body=body, headers=headers))
    try:
        assert outcomes(bench.apply(plan)) == [outcome.FAILED, *[outcome.DONE] * 3]
    finally:
        del bench.state.tokens[CANARY]
    written = b"".join(path.read_bytes() for path in folder().rglob("*"))
    assert b"not with" in written
    assert b'"request_id":"of-' in written
    assert CANARY.encode() not in written


# What is read of it


def test_a_journal_cut_anywhere_sends_nothing_again(bench):
    """A torn last line is cut off; what it told of is read back, and so is what came after it."""
    plan = bench.plan()
    bench.apply(plan)
    whole = path_of(plan).read_bytes()
    first = whole.index(b"\n") + 1
    for size in {first, *range(first, len(whole), 61), len(whole) - 1}:
        path_of(plan).write_bytes(whole[:size])
        with bench.silence(but={"GET"}):
            report = bench.resume(plan)
        assert set(outcomes(report)) <= {outcome.DONE, outcome.GONE}
    bench.check_all_deleted_once()


def test_the_outcome_that_was_torn_is_read_back(bench):
    """The row says so; its image was gone, and no second request went out."""
    plan = bench.plan()
    bench.apply(plan)
    text = path_of(plan).read_bytes()
    last = text.rindex(b'{"n":11,')
    assert json.loads(text[last:].splitlines()[0])["kind"] == "end"
    path_of(plan).write_bytes(text[: last - 20])
    report = bench.resume(plan)
    assert outcomes(report) == [outcome.DONE] * 4
    assert [one.message for one in report.results] == ["", "", "", "the reply was lost; it was read back as gone"]
    bench.check_all_deleted_once()


def test_a_journal_whose_first_line_is_torn_is_begun_anew(bench):
    """Nothing was sent by then, so the plan is applied as if it were for the first time."""
    plan = bench.plan()
    folder().mkdir(parents=True)
    path_of(plan).write_bytes(b'{"n":1,"kind":"plan","pl')
    with bench.silence(), pytest.raises(UsageError, match="was applied here"):
        bench.resume(plan)
    bench.apply(plan).raise_for_failures()
    assert [line["n"] for line in lines_of(plan)] == list(range(1, 12))
    bench.check_all_deleted_once()


def edited(old, new):
    return lambda lines: [line.replace(old, new) for line in lines]


def without(kind):
    return lambda lines: [line for line in lines if f'"kind":"{kind}"' not in line]


@pytest.mark.parametrize(
    "edit",
    [
        edited('"operation":"delete"', '"operation":"convert"'),
        edited('"max_count":50', '"max_count":5000'),
        edited('"outcome":"done"', '"outcome":"failed"'),
        edited('"version":1', '"version":2'),
        edited('"kind":"outcome"', '"kind":"outcome'),
        edited('"outcome":"done"', '"outcam":"done"'),
        edited('"steps":[', '"stebs":['),
        edited('"kind":"confirm"', '"kynd":"confirm"'),
        without("plan"),
        without("intent"),
        lambda lines: [lines[0], *lines[:0:-1]],
        lambda lines: ["[]", *lines],
        lambda lines: [lines[0], "", *lines[1:]],
        lambda lines: [*lines, lines[-1]],
    ],
    ids=[
        *(
            "operation",
            "guard",
            "outcome",
            "version",
            "torn line",
            "name of a value",
            "name of a list",
            "name of the kind",
        ),
        *("no plan", "no intents", "backwards", "one line more", "an empty line", "the last line twice"),
    ],
)
def test_an_edited_journal_is_refused(bench, edit):
    """Its plan must fit its id, its lines be whole and all there; nothing is sent, and the journal stays as it was."""
    plan = bench.plan()
    bench.apply(plan)
    lines = path_of(plan).read_text(encoding="utf-8").splitlines()
    changed = edit(lines)
    assert changed != lines
    path_of(plan).write_text("".join(f"{line}\n" for line in changed), encoding="utf-8")
    text = path_of(plan).read_bytes()
    for attempt in (bench.resume, bench.apply):
        with bench.silence(), pytest.raises(UsageError, match="was edited or damaged") as caught:
            attempt(plan)
        assert f"The journal of plan {plan.id} was edited" in str(caught.value)
        assert "Nothing was sent." in str(caught.value)
    assert path_of(plan).read_bytes() == text


def test_a_journal_of_another_version_is_refused(bench):
    """One that is whole, but written by a later release, is left to that."""
    plan = bench.plan()
    folder().mkdir(parents=True)
    line = {"n": 1, "at": journal.now(), "plan_id": plan.id, "kind": "plan", "plan": plan.to_record() | {"version": 2}}
    line["seal"] = journal._seal("", line)
    path_of(plan).write_text(json.dumps(line) + "\n", encoding="utf-8")
    with bench.silence(), pytest.raises(UsageError, match=r"is of version 2, not 1.*Nothing was sent"):
        bench.resume(plan)


def test_the_journal_of_another_plan_is_refused(bench):
    """A file that was renamed tells of images that this plan does not have."""
    plan, other = bench.plan(), bench.plan("update", name="new")
    bench.apply(other)
    path_of(other).rename(path_of(plan))
    with bench.silence(), pytest.raises(UsageError, match="Nothing was sent"):
        bench.resume(plan)


# Where it cannot be written


@pytest.mark.parametrize(
    "number", [errno.EACCES, errno.EROFS, errno.ENOSPC], ids=lambda number: errno.errorcode[number]
)
def test_without_a_journal_nothing_is_sent(bench, monkeypatch, number):
    """The message says what the system said."""
    plan = bench.plan()

    def fail(path, *_):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(journal, "os", Disk(open=fail))
    with bench.silence(), pytest.raises(UsageError, match="no journal, no changes") as caught:
        bench.apply(plan)
    assert str(caught.value) == (
        f"The journal cannot be written ({os.strerror(number)}): no journal, no changes. Nothing was sent."
    )
    monkeypatch.undo()


def test_without_its_folder_nothing_is_sent(bench, monkeypatch, tmp_path):
    """A file where the folder should be is as bad; once it is gone the plan can be applied."""
    plan = bench.plan()
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    with monkeypatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(in_the_way))
        with bench.silence(), pytest.raises(UsageError, match="no journal, no changes"):
            bench.apply(plan)
    bench.apply(plan).raise_for_failures()
    bench.check_all_deleted_once()


def failing_fsync(at):
    """Give a disk whose fsync fails at a line, and works again after it: what failed once may be lost."""
    calls = [0, 0]

    def write(descriptor, text):
        calls[0] += 1
        return os.write(descriptor, text)

    def fsync(descriptor):
        if calls[0] != calls[1] and calls[0] == at:
            calls[1] = calls[0]
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        os.fsync(descriptor)

    return Disk(write=write, fsync=fsync)


def full_disk(at):
    """Give a disk that takes half of a line."""
    calls = [0]

    def write(descriptor, text):
        calls[0] += 1
        return os.write(descriptor, text[: len(text) // 2] if calls[0] == at else text)

    return Disk(write=write)


@pytest.mark.parametrize("fault", [failing_fsync, full_disk])
@pytest.mark.parametrize("at", [1, 2])
def test_no_journal_at_the_beginning_is_no_change(bench, monkeypatch, fault, at):
    """Plan and confirmation must be on disk before anything is changed; later the same plan can be carried out."""
    plan = bench.plan()
    with monkeypatch.context() as patch:
        patch.setattr(journal, "os", fault(at))
        with bench.silence(but={"GET"}), pytest.raises(UsageError, match=r"no changes.*Nothing was changed"):
            bench.apply(plan)
    is_begun = journal.read_history(path_of(plan)) is not None
    report = bench.resume(plan) if is_begun else bench.apply(plan)
    assert outcomes(report) == [outcome.DONE] * 4
    bench.check_all_deleted_once()


@pytest.mark.parametrize("fault", [failing_fsync, full_disk])
@pytest.mark.parametrize("at", range(3, 12))
def test_a_journal_that_fails_midway_ends_the_plan(bench, monkeypatch, fault, at):
    """No request goes out without its intent; the report comes back, tells what was done, and resume goes on."""
    plan = bench.plan()
    with monkeypatch.context() as patch:
        patch.setattr(journal, "os", fault(at))
        report = bench.apply(plan)
    # Line 3 is the first intent, 4 its outcome, 5 the second intent ... 11 the end.
    sent = min((at - 2) // 2, 4)
    assert len(bench.writes) == sent
    assert outcomes(report) == [outcome.DONE] * sent + [outcome.NOT_STARTED] * (4 - sent)
    assert [one.tries for one in report.results] == [1] * sent + [0] * (4 - sent)
    assert "the journal cannot be written" in report.stopped
    assert bench.resume(plan).counts == {outcome.DONE: 4}
    bench.check_all_deleted_once()


# Who has it


def test_a_second_process_is_told_who_applies(bench, tmp_path):
    """Neither apply nor resume sends anything there; both name the process that is at it."""
    plan = bench.plan()
    plan.save(tmp_path / "plan.json")
    said = []
    program = f"""
import doimages
client = doimages.connect(token={bench.token!r}, base_url={bench.url!r})
plan = doimages.load_plan({str(tmp_path / "plan.json")!r})
for attempt in (lambda: doimages.resume(plan.id, client=client),
                lambda: plan.apply(confirm=plan.confirmation, client=client)):
    try:
        attempt()
    except doimages.UsageError as error:
        print(error)
"""

    def rush_in():
        ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
        said.extend(ran.stdout.splitlines())

    bench.state.faults.append(Fault("drift", method="DELETE", change=rush_in))
    bench.apply(plan).raise_for_failures()
    assert said == [f"process {os.getpid()} is applying plan {plan.id}. Nothing was sent."] * 2
    bench.check_all_deleted_once()


def test_the_journal_is_free_after_an_apply_that_failed(bench):
    """The error is still held, and its traceback with it, as a notebook holds the last one."""
    plan = bench.plan()
    bench.state.faults.append(Fault("status", path="/v2/account", status=401))
    with pytest.raises(doimages.AuthenticationError) as held:
        bench.apply(plan)
    bench.apply(plan).raise_for_failures()
    assert held.tb is not None
    bench.check_all_deleted_once()


def test_the_journal_is_free_after_an_apply_that_was_interrupted_early(bench):
    """Before anything was sent an interrupt is a KeyboardInterrupt, and the plan can be applied again."""
    plan = bench.plan()
    bench.state.faults.append(Fault("drift", path="/v2/account", change=lambda: os.kill(os.getpid(), signal.SIGINT)))
    with bench.silence(but={"GET"}), pytest.raises(KeyboardInterrupt) as held:
        bench.apply(plan)
    bench.apply(plan).raise_for_failures()
    assert held.tb is not None
    bench.check_all_deleted_once()


def test_the_journal_is_free_after_an_interrupt_while_it_is_opened(bench, monkeypatch):
    """The lock was taken by then, and nothing was written."""
    plan = bench.plan()

    def interrupted(path):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(journal, "_cut", interrupted)
        with bench.silence(), pytest.raises(KeyboardInterrupt) as held:
            bench.apply(plan)
    bench.apply(plan).raise_for_failures()
    assert held.tb is not None
    bench.check_all_deleted_once()


def test_an_interrupt_ends_after_the_request_under_way(bench):
    """The report comes back, the rest is not started, Ctrl-C is Ctrl-C again, and resume goes on here."""
    plan = bench.plan()
    handler = signal.getsignal(signal.SIGINT)
    bench.state.faults.append(
        Fault("drift", method="DELETE", after=1, change=lambda: os.kill(os.getpid(), signal.SIGINT))
    )
    report = bench.apply(plan)
    assert signal.getsignal(signal.SIGINT) is handler
    assert report.stopped == "interrupted"
    assert outcomes(report) == [outcome.DONE] * 2 + [outcome.NOT_STARTED] * 2
    assert len(bench.writes) == 2
    end = lines_of(plan)[-1]
    assert (end["kind"], end["stopped"], end["is_finished"]) == ("end", "interrupted", False)
    assert bench.resume(plan).counts == {outcome.DONE: 4}
    bench.check_all_deleted_once()
