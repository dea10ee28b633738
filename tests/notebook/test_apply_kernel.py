"""A plan at work in a real kernel: interrupted once, twice, in a widget's callback, and with its kernel killed."""

import json
import threading
import time

import pytest

from doimages.change.application import LANES
from doimages.change.folder import folder
from doimages.sandbox_api.faults import Fault
from doimages.sandbox_api.state import is_own

pytestmark = pytest.mark.kernel

IMAGES = LANES + 4
TIMEOUT_SECONDS = 30
# The kernel tells when the signal has reached the plan.
SETUP = """
%load_ext doimages
import pandas as pd, doimages
from doimages.change import carrying
from doimages.change.application import Application
carrying.LOOK_SECONDS = 0.0
plain = Application.stop
def telling(self, reason="interrupted"):
    plain(self, reason)
    open({told!r}, "w").close()
Application.stop = telling
plan = pd.DataFrame({{"id": {ids}}}).do_images.delete()
"""


class Bench:
    """A kernel with a plan to delete images, and a server that holds the first delete until it is let go."""

    def __init__(self, kernel, server, path):
        self.kernel = kernel
        self.state = server.state
        self.state.droplets.clear()
        own = [image for image in self.state.images.values() if is_own(image) and image["type"] == "snapshot"]
        self.ids = [image["id"] for image in own if "keep" not in (image["tags"] or ())][:IMAGES]
        self._told = path / "told"
        self._held = threading.Event()
        self._let_go = threading.Event()
        self._tick = threading.Event()
        self.state.faults.append(Fault("drift", method="DELETE", change=self._hold))
        self.set_up()

    def set_up(self):
        assert self.kernel.text(SETUP.format(told=str(self._told), ids=self.ids)) == ""

    def _hold(self):
        self._held.set()
        self._let_go.wait(TIMEOUT_SECONDS)

    def let_go(self):
        self._let_go.set()

    def wait_until(self, is_so):
        """Look until it is so; no message of the kernel is taken, for it may be the one that ends the cell."""
        ends = time.monotonic() + TIMEOUT_SECONDS
        while not is_so():
            assert time.monotonic() < ends
            self._tick.wait(0.01)

    def wait_until_busy(self):
        """Wait until as many deletes are under way as may be, and the server holds them up."""
        self.wait_until(lambda: self._held.is_set() and self.count("intent") == LANES)

    def interrupt(self):
        """Interrupt the kernel, and wait until the plan knows."""
        self._told.unlink(missing_ok=True)
        self.kernel.manager.interrupt_kernel()
        self.wait_until(self._told.exists)

    def restart(self):
        """Kill the kernel and start another; a client of its own hears all that it says."""
        self.kernel.client.stop_channels()
        self.kernel.manager.restart_kernel(now=True)
        self.kernel.client = self.kernel.manager.client()
        self.kernel.client.start_channels()
        self.kernel.client.wait_for_ready(timeout=TIMEOUT_SECONDS)

    def lines(self):
        paths = list(folder().glob("*.jsonl"))
        text = paths[0].read_bytes() if paths else b""
        return [json.loads(line) for line in text[: text.rfind(b"\n") + 1].splitlines()]

    def count(self, kind):
        return sum(line["kind"] == kind for line in self.lines())

    def check_stopped(self):
        """The journal's last line says that the plan was interrupted and is not at its end."""
        end = self.lines()[-1]
        assert (end["kind"], end["stopped"], end["is_finished"]) == ("end", "interrupted", False)

    def check_resume(self):
        """Resume in the same kernel brings all to their end; each image was deleted once, and no other."""
        assert self.kernel.text("doimages.resume(plan.id).counts") == f"{{'done': {IMAGES}}}"
        assert not self.state.images.keys() & set(self.ids)
        done = [record.path for record in self.state.log if record.method == "DELETE" and record.status == 204]
        assert sorted(done) == sorted(f"/v2/images/{image_id}" for image_id in self.ids)
        assert self.lines()[-1]["is_finished"]


@pytest.fixture
def bench(kernel, server, tmp_path):
    made = Bench(kernel, server, tmp_path)
    yield made
    made.let_go()
    kernel.client.stop_channels()


def test_an_interrupt_ends_after_the_requests_under_way(bench, kernel):
    """The cell ends well, with a report: what was under way is done, the rest was not started."""
    kernel.start("report = plan.apply(confirm=plan.confirmation)")
    bench.wait_until_busy()
    bench.interrupt()
    bench.let_go()
    assert "error" not in dict(kernel.finish())
    assert kernel.text("report.counts") == f"{{'done': {LANES}, 'not started': {IMAGES - LANES}}}"
    assert kernel.text("report.stopped") == "'interrupted'"
    bench.check_stopped()
    bench.check_resume()


def test_a_second_interrupt_ends_at_once(bench, kernel):
    """The cell ends though no reply came, with a report: what was under way is in doubt, the rest was not started."""
    kernel.start("report = plan.apply(confirm=plan.confirmation)")
    bench.wait_until_busy()
    bench.interrupt()
    bench.interrupt()
    assert "error" not in dict(kernel.finish())
    assert kernel.text("report.counts") == f"{{'in doubt': {LANES}, 'not started': {IMAGES - LANES}}}"
    assert kernel.text("import asyncio; from doimages.api.portal import portal; asyncio.all_tasks(portal.loop)") == (
        "set()"
    )
    bench.check_stopped()
    bench.let_go()
    bench.check_resume()


def test_an_interrupt_within_a_widgets_callback(bench, kernel):
    """The callback goes on after its apply and keeps the report; the journal says that it was stopped."""
    model_id = kernel.text(
        "import ipywidgets\n"
        "def on_click(_):\n"
        "    global report\n"
        "    report = plan.apply(confirm=plan.confirmation)\n"
        "button = ipywidgets.Button()\n"
        "button.on_click(on_click)\n"
        "button.model_id"
    ).strip("'")
    click = {"method": "custom", "content": {"event": "click"}}
    message = kernel.client.session.msg("comm_msg", {"comm_id": model_id, "data": click})
    kernel.client.shell_channel.send(message)
    kernel.asked = message["header"]["msg_id"]
    bench.wait_until_busy()
    bench.interrupt()
    bench.let_go()
    assert "error" not in dict(kernel.finish())
    assert kernel.text("report.counts") == f"{{'done': {LANES}, 'not started': {IMAGES - LANES}}}"
    bench.check_stopped()
    bench.check_resume()


def test_a_kernel_killed_at_work(bench, kernel):
    """The next one says so when it loads the extension, and resume brings the plan to its end."""
    kernel.start("report = plan.apply(confirm=plan.confirmation)")
    bench.wait_until_busy()
    bench.restart()
    bench.let_go()
    plan_id = bench.lines()[0]["plan_id"]
    told = kernel.text("%load_ext doimages")
    assert f"unfinished: {plan_id} delete" in told
    assert f"0 of {IMAGES} done, {LANES} in doubt: doimages.resume({plan_id!r})" in told
    kernel.run("import doimages; from types import SimpleNamespace; plan = SimpleNamespace(id=" + repr(plan_id) + ")")
    bench.check_resume()
