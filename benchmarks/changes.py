"""Changes by plan: deletes against a sandbox in a process of its own, a plan of 5,000 rows, lines of a journal."""

import contextlib
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import measure
from server import write_image

LATENCY_SECONDS = 0.2
DELETES, MANY, ROWS, LINES = 100, 1_000, 5_000, 1_000
LIMIT = 250
REPEATS = 7


def make_images(total: int) -> list[dict]:
    """Return snapshots that no guard keeps a plan from."""
    rng = random.Random(20261126)
    made = [json.loads(write_image(200_000_000 + number, rng)) for number in range(total)]
    plain = {"type": "snapshot", "tags": [], "description": ""}
    return [one | plain | {"created_at": f"2024{one['created_at'][4:]}"} for one in made]


def serve(latency_seconds: float, rate_limit: int, total: int) -> None:
    """Serve a sandbox; answer each line of the standard input with what was seen since the last, until it ends."""
    from doimages.sandbox_api.server import Server

    with Server(images=0, latency=latency_seconds, rate_limit=rate_limit) as server:
        server.state.images = {one["id"]: one for one in make_images(total)}
        print(json.dumps({"url": server.url, "token": server.token}), flush=True)
        for _ in sys.stdin:
            log = server.state.log
            seen = {"requests": len(log), "refused": sum(one.status == 429 for one in log)}
            deletes = Counter(one.path for one in log if one.method == "DELETE")
            print(json.dumps(seen | {"deletes": deletes.total(), "images": len(deletes)}), flush=True)
            log.clear()


class Box:
    """The sandbox's process, as its client sees it."""

    def __init__(self, process: subprocess.Popen) -> None:
        self._process = process
        place = json.loads(process.stdout.readline())
        self.url, self.token = place["url"], place["token"]

    def seen(self) -> dict[str, int]:
        """Return what it was sent since it was last asked."""
        self._process.stdin.write("seen\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextlib.contextmanager
def running_box(latency_seconds: float, rate_limit: int, total: int) -> Iterator[Box]:
    """Start the sandbox's process, and end it by closing its input."""
    command = [sys.executable, __file__, "serve", str(latency_seconds), str(rate_limit), str(total)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Box(process)
        finally:
            process.stdin.close()


def plan_deletes(client: object, ids: list[int]) -> object:
    """Plan the delete of images by their ids, as a frame does."""
    import pandas as pd

    plan = pd.DataFrame({"id": ids}).do_images.delete(client=client, max_count=10_000, max_percent=100)
    if len(plan) != len(ids):
        raise RuntimeError(f"left alone: {plan.refusals}")
    return plan


def timed(call: Callable) -> tuple[float, object]:
    """Return the seconds that a call takes, and what it gives."""
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


def apply(plan: object) -> tuple[float, object]:
    """Return the seconds that a plan takes to be applied, and its report; raise what did not go as planned."""
    took, report = timed(lambda: plan.apply(confirm=plan.confirmation, progress="off"))
    report.raise_for_failures()
    return took, report


def delete_by_requests(box: Box, ids: list[int]) -> None:
    """Delete one after the other over one connection."""
    import requests

    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {box.token}"
        session.trust_env = False
        for image_id in ids:
            session.delete(f"{box.url}/v2/images/{image_id}", timeout=30).raise_for_status()


def delete_by_pydo(box: Box, ids: list[int]) -> None:
    """Delete one after the other, as pydo's docs do."""
    from pydo import Client

    client = Client(token=box.token, endpoint=box.url)
    for image_id in ids:
        client.images.delete(image_id=image_id, enforce_https=False)


SERIAL = {"requests loop": delete_by_requests, "pydo loop": delete_by_pydo}


def measure_deletes(repeats: int) -> dict:
    """Return what 100 deletes take by plan and by loops, on a server that answers 200 ms late."""
    import doimages

    images = iter([one["id"] for one in make_images(DELETES * (repeats + len(SERIAL) + 1))])

    def take() -> list[int]:
        return [next(images) for _ in range(DELETES)]

    with running_box(LATENCY_SECONDS, 10**6, DELETES * (repeats + len(SERIAL) + 1)) as box:
        with doimages.connect(token=box.token, base_url=box.url) as client:
            taken = []
            for turn in range(repeats + 1):  # the first one opens the connections
                planning, plan = timed(lambda: plan_deletes(client, take()))
                box.seen()
                applying, _ = apply(plan)
                seen = box.seen()
                if (seen["deletes"], seen["images"], seen["refused"]) != (DELETES, DELETES, 0):
                    raise RuntimeError(f"not each deleted once: {seen}")
                if turn:
                    taken.append({"plan": planning, "apply": applying, "requests": seen["requests"]})
        serial = {}
        for name, delete in SERIAL.items():
            ids = take()
            serial[name], _ = timed(lambda delete=delete, ids=ids: delete(box, ids))
            if box.seen()["deletes"] != DELETES:
                raise RuntimeError(f"{name}: not each deleted once")
    applied = [one["apply"] for one in taken]
    return {
        "seconds": statistics.median(applied),
        "slowest_seconds": max(applied),
        "plan_seconds": statistics.median(one["plan"] for one in taken),
        "requests": taken[0]["requests"],
        "serial_seconds": serial,
    }


def measure_many() -> dict:
    """Return what 1,000 deletes take where 250 requests a minute are allowed, planning included, and the floor."""
    import doimages

    with running_box(0.05, LIMIT, MANY) as box, doimages.connect(token=box.token, base_url=box.url) as client:
        ids = [one["id"] for one in make_images(MANY)]
        took, _ = timed(lambda: apply(plan_deletes(client, ids)))
        seen = box.seen()
    if (seen["deletes"], seen["images"]) != (MANY, MANY):
        raise RuntimeError(f"not each deleted once: {seen}")
    floor = (math.ceil(seen["requests"] / LIMIT) - 1) * 60
    return {"seconds": took, "floor_seconds": floor, "requests": seen["requests"], "refused": seen["refused"]}


def measure_plan(repeats: int) -> dict:
    """Return what a plan of 5,000 rows takes, part by part; nothing is sent."""
    import doimages
    from doimages.change.guards import make_guards
    from doimages.change.image import Image
    from doimages.change.planning import Asked, Wish, build_plan
    from doimages.change.preview import to_html, to_text
    from doimages.change.scene import Account, Scene

    images = [Image.of(one) for one in make_images(ROWS)]
    scene = Scene({one.id: one for one in images}, {}, Account("a", "b", "c"), {})
    wish = Wish(operation="delete", guards=make_guards(max_count=10_000, max_percent=100))
    asked = [Asked(image_id=one.id) for one in images]
    client = doimages.connect(token=measure.TOKEN, base_url="http://127.0.0.1:9")
    plan = build_plan(wish, asked, scene, client)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        calls = {
            "plan": lambda: build_plan(wish, asked, scene, client),
            "fingerprint": lambda: plan.fingerprint,
            "save": lambda: plan.save(path),
            "load": lambda: doimages.load_plan(path),
            "text": lambda: to_text(plan),
            "HTML": lambda: to_html(plan),
            "frame": plan.to_frame,
        }
        taken = [{name: timed(call)[0] for name, call in calls.items()} for _ in range(repeats + 1)][1:]
        if doimages.load_plan(path) != plan:
            raise RuntimeError("the plan that was loaded is not the one that was saved")
        size = path.stat().st_size
    parts = {name: statistics.median(one[name] for one in taken) for name in calls}
    shown = statistics.median(one["plan"] + one["text"] + one["HTML"] for one in taken)
    return {"seconds": parts, "shown_seconds": shown, "megabytes": size / 1e6}


def measure_journal() -> dict:
    """Return what a line of the journal takes, and just after each an append with fsync of as many bytes."""
    from doimages.change.journal import Journal

    journal = Journal("00000000")
    journal.open()
    descriptor = os.open(journal.path.with_name("plain"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    journal.write("intent", steps=[0])
    line = journal.path.read_bytes()

    def append() -> None:
        os.write(descriptor, line)
        os.fsync(descriptor)

    taken = []
    try:
        for number in range(LINES):
            ours, _ = timed(lambda number=number: journal.write("intent", steps=[number]))
            plain, _ = timed(append)
            taken.append((ours, plain))
    finally:
        os.close(descriptor)
        journal.close()
    return {
        "line_seconds": statistics.median(ours for ours, _ in taken),
        "slowest_seconds": max(ours for ours, _ in taken),
        "plain_seconds": statistics.median(plain for _, plain in taken),
        "more_seconds": statistics.median(ours - plain for ours, plain in taken),
    }


PARTS = {
    "deletes": measure_deletes,
    "many": measure_many,
    "plan": measure_plan,
    "journal": measure_journal,
}


def measure_changes(*, is_quick: bool, is_long: bool) -> dict[str, dict]:
    """Return all figures of changes, each part from a fresh process; the long one takes four minutes."""
    repeats = {"deletes": ["2" if is_quick else str(REPEATS)], "plan": ["3" if is_quick else "11"]}
    return {name: run_alone(name, *repeats.get(name, [])) for name in PARTS if name != "many" or is_long}


def run_alone(*arguments: str) -> dict:
    """Run a part in a fresh process with a state folder of its own, and return what it prints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DOIMAGES_", "DIGITALOCEAN_"))}
    kept = {name: value for name, value in kept.items() if "proxy" not in name.lower()}
    # Not in /tmp, which may be in memory: fsync is to be that of a disk.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        environment = kept | {"XDG_STATE_HOME": folder}
        if arguments[0] != "many":
            environment["DOIMAGES_REQUESTS_PER_MINUTE"] = "1000000"
        command = [sys.executable, __file__, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return {"error": measure.last_line(done.stderr)} if done.returncode else json.loads(done.stdout)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        print(json.dumps(PARTS[sys.argv[1]](*map(int, sys.argv[2:]))))
