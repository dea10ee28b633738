"""A process killed at any point of an apply loses nothing and does nothing twice: resume brings the plan to its end."""

import json
import random
import signal
import subprocess
import sys
from collections import Counter
from copy import deepcopy
from itertools import count
from pathlib import Path

import pytest

import doimages
from doimages.change import carrying, outcome
from doimages.change.journal import find_history, folder, read_history, unfinished
from doimages.sandbox_api.faults import lost_answers
from doimages.sandbox_api.server import Server
from doimages.sandbox_api.state import is_own

VICTIM = Path(__file__).with_name("victim.py")
KILLED = -signal.SIGKILL
# What the server answers to a request whose client died before it was read: nothing was done.
UNREAD = 413
IMPORT = {"name": "base", "url": "https://images.example.com/base.qcow2", "region": "nyc3", "tags": ["of-the-test"]}


class Bench:
    """A sandbox, and a program that applies plans to it and dies."""

    def __init__(self, server, program, path):
        self.state = server.state
        self.plan_path = path / "plan.json"
        self.report_path = path / "report.json"
        self.client = doimages.connect(token=server.token, base_url=server.url)
        self._program = program
        self._job = {
            "url": server.url,
            "token": server.token,
            "plan": str(self.plan_path),
            "report": str(self.report_path),
            "environment": {"XDG_STATE_HOME": str(path / "state"), "DOIMAGES_REQUESTS_PER_MINUTE": "10000"},
        }
        self.reset()
        self.before = deepcopy(self.state.images)

    def reset(self):
        self.state.reset()
        # The images that Droplets were made of are deleted all the same; the log is shorter without the questions.
        self.state.droplets.clear()

    def snapshots(self, number):
        own = [image for image in self.state.images.values() if is_own(image) and image["type"] == "snapshot"]
        return [image["id"] for image in own if "keep" not in (image["tags"] or ())][:number]

    def run(self, die_at, **job):
        """Have the program do something, and give how it ended."""
        self._program.stdin.write(json.dumps({**self._job, "die_at": die_at, **job}) + "\n")
        self._program.stdin.flush()
        return int(self._program.stdout.readline())

    def finish(self):
        """Bring the plan to its end as somebody would who comes after the crash."""
        plan = doimages.load_plan(self.plan_path)
        if read_history(folder() / f"{plan.id}.jsonl") is not None:
            return doimages.resume(plan.id, client=self.client)
        return plan.apply(confirm=plan.confirmation, client=self.client)

    def deaths(self, operation, ids=(), **arguments):
        """Kill it at the first point, the second, and so on until it survives; give each time point and report."""
        for point in count(1):
            self.reset()
            self.plan_path.unlink(missing_ok=True)
            ended = self.run(point, operation=operation, ids=list(ids), arguments=arguments)
            if ended == 0:
                self.points = point - 1
                return
            assert ended == KILLED
            report = self.finish()
            self.check_records(report)
            yield point, report

    def check_records(self, report):
        """Each row is on disk with an outcome, and another resume sends nothing and tells the same."""
        history = find_history(report.plan.id)
        assert history.is_finished
        assert list(unfinished()) == []
        assert tuple(history.results[step.number] for step in report.plan.steps) == report.results
        sent = len(self.state.log)
        assert doimages.resume(report.plan.id, client=self.client).results == report.results
        assert len(self.state.log) == sent

    def check_others(self, *ids):
        """No other image was touched."""
        others = {image_id: image for image_id, image in self.state.images.items() if image_id not in ids}
        assert others == {image_id: image for image_id, image in self.before.items() if image_id not in ids}

    def writes(self, is_read=lambda status: status != UNREAD):
        """The requests that changed something, or tried to."""
        return [record for record in self.state.log if record.method != "GET" and is_read(record.status)]

    def how_often(self, method):
        """How often each path was asked for by a method."""
        return Counter(record.path for record in self.writes() if record.method == method)


@pytest.fixture(scope="module")
def _server():
    with Server(images=60, rate_limit=10_000) as server:
        yield server


@pytest.fixture(scope="module")
def _program():
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, str(VICTIM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        yield program
        program.stdin.close()


@pytest.fixture
def bench(_server, _program, tmp_path, monkeypatch):
    monkeypatch.setattr(carrying, "LOOK_SECONDS", 0.0)
    doimages.options.requests_per_minute = 10_000
    made = Bench(_server, _program, tmp_path)
    yield made
    made.client.close()


def points_of(*, lines, sends):
    """Three points a line of the journal, two a request."""
    return 3 * lines + 2 * sends


def test_a_delete_survives_a_kill_at_any_point(bench):
    """All five are gone, no other is, no image is deleted twice, and every row is recorded as done."""
    ids = bench.snapshots(5)
    for point, report in bench.deaths("delete", ids):
        assert not bench.state.images.keys() & set(ids), point
        bench.check_others(*ids)
        assert bench.how_often("DELETE") == {f"/v2/images/{image_id}": 1 for image_id in ids}, point
        assert {record.status for record in bench.writes()} == {204}, point
        assert {one.outcome for one in report.results} == {outcome.DONE}, point
    # plan, confirm, end; an intent and an outcome an image
    assert bench.points == points_of(lines=3 + 2 * 5, sends=5)


def test_a_create_survives_a_kill_at_any_point(bench):
    """There is one image or none, never two; where none was made the row says so and can be planned again."""
    unsent = []
    for point, report in bench.deaths("create", **IMPORT):
        made = [image for image in bench.state.images.values() if "of-the-test" in (image["tags"] or ())]
        [result] = report.results
        bench.check_others(*(image["id"] for image in made))
        assert len(bench.writes()) == len(made), point
        if made:
            assert result.outcome in {outcome.RUNNING, outcome.DONE}, point
            assert result.image_id == made[0]["id"], point
            continue
        unsent.append(point)
        assert result.outcome == outcome.FAILED
        assert result.message.startswith("not created: ")
        again = report.retry_plan(client=bench.client)
        again.apply(confirm=again.confirmation, client=bench.client).raise_for_failures()
        assert [record.status for record in bench.writes()] == [202]
    assert bench.points == points_of(lines=3 + 2, sends=1)
    # The intent was on disk, and the request was not yet out.
    assert unsent == [9, 10]


def test_a_transfer_survives_a_kill_at_any_point(bench):
    """No image is transferred twice; a row of which nobody can tell is in doubt, and was not sent."""
    ids = [image_id for image_id in bench.snapshots(20) if "syd1" not in bench.before[image_id]["regions"]][:2]
    for point, report in bench.deaths("transfer", ids, region="syd1"):
        begun = {int(record.path.split("/")[3]) for record in bench.writes()}
        assert set(bench.how_often("POST").values()) <= {1}, point
        for step, result in zip(report.plan.steps, report.results, strict=True):
            assert result.tries == 1, point
            if step.image_id in begun:
                assert result.outcome in {outcome.RUNNING, outcome.DONE}, point
                assert bench.state.actions[result.action_id]["resource_id"] == step.image_id
            else:
                assert result.outcome == outcome.IN_DOUBT, point
        # At the first six no intent was on disk.
        assert begun == set(ids) or point > 6
        bench.check_others(*ids)
    assert bench.points == points_of(lines=3 + 2 * 2, sends=2)


def test_a_tag_survives_a_kill_at_any_point(bench):
    """All bear the tag, none lost another, and no other image bears it."""
    ids = bench.snapshots(2)
    for point, report in bench.deaths("tag", ids, tag="of-the-test"):
        for image_id in ids:
            assert bench.state.images[image_id]["tags"] == [*(bench.before[image_id]["tags"] or ()), "of-the-test"]
        bench.check_others(*ids)
        assert {one.outcome for one in report.results} == {outcome.DONE}, point
    # The tag is not there: a request in vain, one that makes it, and one that gives it; each with an intent.
    assert bench.points == points_of(lines=3 + 3 + 2, sends=3)


def test_a_rename_survives_a_kill_at_any_point(bench):
    """All have the new name, and each was renamed once."""
    ids = bench.snapshots(2)
    for point, report in bench.deaths("update", ids, name="new"):
        assert {bench.state.images[image_id]["name"] for image_id in ids} == {"new"}, point
        bench.check_others(*ids)
        assert bench.how_often("PUT") == {f"/v2/images/{image_id}": 1 for image_id in ids}, point
        assert {one.outcome for one in report.results} == {outcome.DONE}, point
    assert bench.points == points_of(lines=3 + 2 * 2, sends=2)


@pytest.mark.parametrize("seed", range(8))
def test_four_kills_and_lost_answers_lose_nothing(bench, seed):
    """With three of ten answers lost and the process killed four times, twelve images go, each by one request."""
    draw = random.Random(seed)  # noqa: S311 - where it dies, no secret
    ids = bench.snapshots(12)
    bench.state.faults.append(lost_answers(0.3, seed=seed))
    assert bench.run(draw.randint(7, 25), operation="delete", ids=ids, arguments={}) == KILLED
    plan = doimages.load_plan(bench.plan_path)
    for _ in range(3):
        assert bench.run(draw.randint(1, 20), resume=plan.id) == KILLED
    report = bench.finish()
    bench.check_records(report)
    assert not bench.state.images.keys() & set(ids)
    bench.check_others(*ids)
    assert bench.how_often("DELETE") == {f"/v2/images/{image_id}": 1 for image_id in ids}
    assert {one.outcome for one in report.results} == {outcome.DONE}


def test_a_disk_that_fills_up_loses_nothing(bench):
    """However many bytes the journal may have, a request goes out only after its intent, and resume does the rest."""
    ids = bench.snapshots(2)
    ended = []
    for size in count(500, 500):
        bench.reset()
        bench.report_path.unlink(missing_ok=True)
        assert bench.run(0, operation="delete", ids=ids, arguments={}, file_bytes=size) == 0
        told = json.loads(bench.report_path.read_text())
        if told["stopped"] is None:
            break
        ended.append(told)
        plan = doimages.load_plan(bench.plan_path)
        deleted = {int(record.path.rpartition("/")[2]) for record in bench.writes()}
        reported = {
            step.image_id for step, one in zip(plan.steps, told["outcomes"], strict=True) if one == outcome.DONE
        }
        assert deleted == reported
        bench.check_records(bench.finish())
        bench.check_others(*ids)
        assert bench.how_often("DELETE") == {f"/v2/images/{image_id}": 1 for image_id in ids}
    assert {"no journal, no changes" in told["stopped"] for told in ended} == {True, False}
    assert {one for told in ended for one in told["outcomes"]} >= {outcome.DONE, outcome.NOT_STARTED}


@pytest.mark.parametrize("seed", range(4))
def test_a_create_is_not_made_twice_when_its_answer_is_lost_and_the_process_killed(bench, seed):
    """The image is found by its tag, though not at the first look, or was never made."""
    bench.state.lag = seed % 3
    draw = random.Random(seed)  # noqa: S311 - where it dies, no secret
    bench.state.faults.append(lost_answers(1.0))
    assert bench.run(draw.randint(7, 14), operation="create", ids=[], arguments=IMPORT) == KILLED
    plan = doimages.load_plan(bench.plan_path)
    for _ in range(3):
        if bench.run(draw.randint(1, 6), resume=plan.id) == 0:
            break
    report = bench.finish()
    bench.check_records(report)
    made = [image["id"] for image in bench.state.images.values() if "of-the-test" in (image["tags"] or ())]
    assert len(made) == len(bench.writes()) <= 1
    assert [one.image_id for one in report.results if one.image_id is not None] == made
