"""A program that applies or resumes plans, and kills itself at a point it is told: a fork a line of its input.

The points are those before, inside and after each write to the journal, and before and after each request that changes
something, counted from 1. All is imported once; a fork costs milliseconds, and it makes its own thread and connections.
"""

import json
import os
import resource
import signal
import sys
import traceback
from pathlib import Path

import anyio._backends._asyncio  # noqa: F401 - what httpx imports at the first request
import h11  # noqa: F401 - the same
import httpx
import pandas as pd

import doimages
import doimages.change.apply
import doimages.reads
from doimages.api.model import Kind
from doimages.api.transport import Transport
from doimages.change import carrying, journal, outcome


class Points:
    """Counts the points that are reached, and dies at one."""

    def __init__(self, die_at):
        self.left = die_at

    def reach(self, last_act=lambda: None):
        self.left -= 1
        if self.left == 0:
            last_act()
            os.kill(os.getpid(), signal.SIGKILL)


class Disk:
    """The module os, as the journal sees it."""

    def __init__(self, points):
        self._points = points
        self._written = None

    def __getattr__(self, name):
        return getattr(os, name)

    def write(self, descriptor, text):
        self._points.reach()
        self._points.reach(lambda: os.write(descriptor, text[: len(text) // 2]))
        self._written = descriptor
        return os.write(descriptor, text)

    def fsync(self, descriptor):
        os.fsync(descriptor)
        if descriptor == self._written:
            self._written = None
            self._points.reach()


def plant(points):
    plain = Transport._send_by_httpx

    async def send(self, request):
        if request.kind is Kind.READ:
            return await plain(self, request)
        points.reach()
        reply = await plain(self, request)
        points.reach()
        return reply

    Transport._send_by_httpx = send
    journal.os = Disk(points)
    carrying.LOOK_SECONDS = 0.0


def work(job):
    os.environ |= job["environment"]
    client = doimages.connect(token=job["token"], base_url=job["url"])
    if "resume" in job:
        plant(Points(job["die_at"]))
        doimages.resume(job["resume"], client=client)
        return
    if job["operation"] == "create":
        plan = doimages.create_custom(**job["arguments"], client=client)
    else:
        frame = pd.DataFrame({"id": job["ids"]})
        plan = getattr(frame.do_images, job["operation"])(**job["arguments"], client=client)
    plan.save(job["plan"])
    plant(Points(job["die_at"]))
    if "file_bytes" in job:
        Path(job["report"]).write_text(json.dumps(apply_on_full_disk(plan, client, job["file_bytes"])))
    else:
        plan.apply(confirm=plan.confirmation, client=client)


def apply_on_full_disk(plan, client, size):
    """Tell what came of a plan where no file may be larger than that."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        report = plan.apply(confirm=plan.confirmation, client=client)
    except doimages.UsageError as error:
        return {"stopped": str(error), "outcomes": [outcome.NOT_STARTED] * len(plan.steps)}
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    return {"stopped": report.stopped, "outcomes": [one.outcome for one in report.results]}


def warm_up():
    """Do once what every fork would do: import, and read the certificates, which plain HTTP has no use for."""
    doimages.register()
    context = httpx.create_ssl_context()
    httpx._transports.default.create_ssl_context = lambda **_: context


def main():
    warm_up()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                work(json.loads(line))
            except BaseException:  # noqa: BLE001 - a fork must not go on in the loop
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
