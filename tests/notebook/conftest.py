"""A shell in this process for most tests, and a real Jupyter kernel for what only a kernel shows."""

import atexit
from contextlib import suppress
from queue import Empty

import pytest
from desk import Desk, open_desk
from hand import join
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.manager import KernelManager
from traitlets.config import Config

import doimages
from doimages.sandbox_api.server import Server

TIMEOUT_SECONDS = 60


class Notebook:
    """A shell with the extension loaded, and what its last cell showed."""

    def __init__(self, shell, capsys):
        self.shell = shell
        self._capsys = capsys

    def run(self, cell):
        """Run a cell and give its output value; the error of a failing cell is raised."""
        result = self._run(cell)
        result.raise_error()
        return result.result

    def fail(self, cell):
        """Run a cell that must fail, and give its error."""
        result = self._run(cell)
        assert not result.success
        return result.error_before_exec or result.error_in_exec

    def _run(self, cell):
        self._capsys.readouterr()
        result = self.shell.run_cell(cell, store_history=True)
        captured = self._capsys.readouterr()
        self.out, self.err = captured.out, captured.err
        return result

    def __getitem__(self, name):
        return self.shell.user_ns[name]

    def __contains__(self, name):
        return name in self.shell.user_ns


@pytest.fixture(scope="module")
def _desk():
    with open_desk(images=60) as desk:
        yield desk


@pytest.fixture
def desk(_desk, monkeypatch) -> Desk:
    """A sandbox that the environment names, as it would an account."""
    monkeypatch.setenv("DIGITALOCEAN_API_URL", _desk.box.url)
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", _desk.box.token)
    monkeypatch.setenv("DOIMAGES_REQUESTS_PER_MINUTE", "10000")
    _desk.state.reset()
    return _desk


@pytest.fixture
def notebook(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    config = Config()
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor"
    shell = InteractiveShell(config=config)
    made = Notebook(shell, capsys)
    made.run("%load_ext doimages")
    yield made
    doimages.unload_ipython_extension(shell)
    doimages.register()
    shell.history_manager.end_session()
    atexit.unregister(shell.atexit_operations)


class Kernel:
    """A kernel process, and the messages of the cell it ran last."""

    def __init__(self, client, manager):
        self.client = client
        self.manager = manager

    def start(self, cell):
        """Send a cell and do not wait for it."""
        self.asked = self.client.execute(cell)

    def peek(self):
        """Wait a moment for any message; what it says does not matter."""
        with suppress(Empty):
            self.client.get_iopub_msg(timeout=0.05)

    def finish(self):
        """Give the messages of the cell that was started, up to its end, by type."""
        messages = []
        while True:
            message = self.client.get_iopub_msg(timeout=TIMEOUT_SECONDS)
            if message["parent_header"].get("msg_id") != self.asked:
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return messages
            messages.append((message["msg_type"], message["content"]))

    def run(self, cell):
        self.start(cell)
        return self.finish()

    def text(self, cell):
        """Run a cell that must work, and give the text of its output and of what it printed."""
        messages = self.run(cell)
        assert [content for kind, content in messages if kind == "error"] == []
        return "".join(
            content.get("text", "") or content.get("data", {}).get("text/plain", "") for _, content in messages
        )


@pytest.fixture
def settled(caplog):
    """Leave no thread of a widget, and no error that it only logged."""
    yield
    join()
    assert "Exception in" not in caplog.text


@pytest.fixture
def server():
    with Server() as made:
        yield made


@pytest.fixture
def kernel(tmp_path, monkeypatch, server):
    """Give a kernel whose environment names the server of the test, its token with it."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("DIGITALOCEAN_API_URL", server.url)
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", server.token)
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=TIMEOUT_SECONDS)
    yield Kernel(client, manager)
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    manager.cleanup_resources()
    manager.context.destroy()
