r"""JupyterLab and Notebook 7 in Chromium, against a sandbox of this process; the fixtures are in tests/browser.

    def test_x(open_notebook, lab):
        notebook = open_notebook(["%load_ext doimages\nimport doimages", "doimages.picker()"])  # or app="notebook"
        notebook.run(0)                      # runs a cell to its end; raises AssertionError with what the cell raised
        notebook.page, notebook.output(0)    # the Playwright page; the locator of a cell's output
        notebook.py("print(1)")              # asks the kernel, past the history, and gives what was printed: "1\n"
        notebook.cell_count                  # and notebook.theme("dark"); pages open light
        notebook.bytes_in = 0                # counts the bytes of the kernel's websocket
        lab.state.images, lab.state.log      # the sandbox: 300 images, no Droplets; opening resets it, or lab.reset()

A page takes 4 s, a cell 0.1 s: tests of a module share a page and run its cell again (as tests/browser/test_plan.py).

    @pytest.fixture(scope="module", params=["lab", "notebook"])
    def shared(request, lab):
        with lab.open([SETUP, "doimages.picker(frame)"], request.param) as notebook:
            notebook.run(0)
            yield notebook

    @pytest.fixture
    def picker(shared, lab):
        lab.reset()
        shared.theme("light")
        shared.run(1)
        return shared

`axe(page, "css selector")` lists violations: hold it against []. A request off 127.0.0.1 fails when its page closes.
`bare(esm, css, traits)` is in tests/bare.py. A test that fails keeps a picture: its report says where.
"""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from functools import cache
from importlib.resources import files
from time import monotonic
from urllib.parse import urlsplit

import httpx
import nbformat
from playwright.sync_api import expect, sync_playwright

from doimages.sandbox_api.server import Server

TIMEOUT_SECONDS = 60
PATHS = {"lab": "doc/tree/{}?reset&token={}", "notebook": "notebooks/{}?token={}"}
FLAGS = (
    *("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-quic", "--disable-sync", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--no-proxy-server"),
)
CONFIG = """
c.ServerApp.ip = "127.0.0.1"
c.ServerApp.port = {port}
c.ServerApp.port_retries = 0
c.ServerApp.open_browser = False
c.ServerApp.root_dir = {root!r}
c.ServerApp.allow_root = True
c.IdentityProvider.token = {token!r}
c.LabApp.expose_app_in_browser = True
c.LabApp.news_url = None
c.LabApp.extension_manager = "readonly"
c.JupyterNotebookApp.expose_app_in_browser = True
"""
NOTES = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
QUIET = {"@jupyterlab/apputils-extension:notification": NOTES}
NOTEBOOK = "const panel = jupyterapp.shell.currentWidget, notebook = panel.content;"
IS_READY = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
RUN = f"""async index => {{
    {NOTEBOOK}
    notebook.activeCellIndex = index;
    await jupyterapp.commands.execute("notebook:run-cell");
    return notebook.widgets[index].model.outputs.toJSON().filter(one => one.output_type === "error");
}}"""
ASK = f"""async code => {{
    {NOTEBOOK}
    const asked = panel.sessionContext.session.kernel.requestExecute({{code, store_history: false}});
    let text = "";
    const errors = [];
    asked.onIOPub = ({{header, content}}) => {{
        if (header.msg_type === "stream") text += content.text;
        if (header.msg_type === "error") errors.push(content);
    }};
    await asked.done;
    return {{text, errors}};
}}"""
THEME = "name => jupyterapp.commands.execute('apputils:change-theme', {theme: name}).then(() => null)"


def find_chromium() -> str | None:
    """Give the path of a browser, if there is any."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def browser_context(path: str):
    """Give the one context of a browser: a context for each page would take longer than the page."""
    expect.set_options(timeout=15_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS])
        clipboard = ["clipboard-read", "clipboard-write"]
        context = browser.new_context(viewport={"width": 1280, "height": 900}, permissions=clipboard)
        context.set_default_timeout(TIMEOUT_SECONDS * 1000)
        yield context
        browser.close()


@cache
def axe_source() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


def axe(page, selector: str) -> list[str]:
    """Give what axe-core has to say against a part of a page, a line for each element."""
    page.evaluate(axe_source())
    found = page.evaluate("selector => axe.run(selector, {resultTypes: ['violations']})", selector)
    return [
        f"{rule['impact']} {rule['id']}: {rule['help']}: {' '.join(node['target'])}: {node['html'][:200]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def raise_errors(errors) -> None:
    for error in errors:
        text = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(error["traceback"]))
        raise AssertionError(f"{error['ename']}: {error['evalue']}\n{text}")


class OpenNotebook:
    """A notebook open in a page, with its kernel."""

    def __init__(self, page):
        self.page = page
        self.bytes_in = 0
        self.outside = []
        page.on("request", self._look)
        page.on("websocket", self._hear)

    def _look(self, request):
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob"} and parts.hostname != "127.0.0.1":
            self.outside.append(request.url)

    def _hear(self, websocket):
        if "/channels" in websocket.url:  # the kernel's
            websocket.on("framereceived", self._count)

    def _count(self, payload):
        self.bytes_in += len(payload)

    def call(self, script, argument):
        """Give what a function of JavaScript comes to, in time: evaluate would wait for it without end."""
        self.page.evaluate(
            "([script, argument]) => { window.came = null; eval(script)(argument).then("
            "value => { window.came = {value}; }, error => { window.came = {failed: String(error)}; }); }",
            [script, argument],
        )
        came = self.page.wait_for_function("() => window.came").json_value()
        assert "failed" not in came, came["failed"]
        return came["value"]

    def run(self, index: int) -> None:
        """Run a cell to its end."""
        raise_errors(self.call(RUN, index))

    def py(self, code: str) -> str:
        """Ask the kernel, past the notebook, and give what it prints."""
        came = self.call(ASK, code)
        raise_errors(came["errors"])
        return came["text"]

    def output(self, index: int):
        """Give the locator of a cell's output."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index).locator(".jp-Cell-outputArea")

    @property
    def cell_count(self) -> int:
        return self.page.evaluate(f"() => {{ {NOTEBOOK} return notebook.model.cells.length; }}")

    def theme(self, name: str) -> None:
        """Change to the theme "dark" or "light"; the server keeps it for pages to come."""
        is_light = name == "light"
        if self.page.evaluate("document.body.dataset.jpThemeLight") != json.dumps(is_light):
            self.call(THEME, f"JupyterLab {name.capitalize()}")
            self.page.wait_for_function(
                "is_light => document.body.dataset.jpThemeLight === String(is_light)", arg=is_light
            )


class Lab:
    """A JupyterLab whose kernels are given the sandbox as their account."""

    def __init__(self, folder, context):
        self.folder = folder
        self.context = context
        self.sandbox = Server(rate_limit=10_000)
        self.log = folder / "lab.log"
        self.token = secrets.token_hex(16)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{self._port}/",
            headers={"Authorization": f"token {self.token}"},
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )
        self._count = 0

    @property
    def state(self):
        return self.sandbox.state

    def reset(self) -> None:
        """Give the sandbox as seeded, but for Droplets: they use images."""
        self.state.reset()
        self.state.droplets.clear()

    def _environment(self) -> dict[str, str]:
        """Give the environment of whoever runs the tests, without what is theirs of DigitalOcean and of Jupyter."""
        prefixes = ("DOIMAGES", "DIGITALOCEAN", "JUPYTER", "IPYTHON", "XDG_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
        folders = {
            name: str(self.folder / name.lower())
            for name in (
                *("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"),
                *("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"),
            )
        }
        account = {
            "DIGITALOCEAN_API_URL": self.sandbox.url,
            "DIGITALOCEAN_TOKEN": self.sandbox.token,
            "DOIMAGES_REQUESTS_PER_MINUTE": "10000",
        }
        return kept | folders | account

    @contextmanager
    def served(self):
        """Run the sandbox and the server for a with block."""
        root = self.folder / "root"
        config = self.folder / "config.py"
        overrides = self.folder / "jupyter_config_dir" / "labconfig" / "default_setting_overrides.json"
        root.mkdir()
        overrides.parent.mkdir(parents=True)
        overrides.write_text(json.dumps(QUIET))
        config.write_text(CONFIG.format(port=self._port, root=str(root), token=self.token))
        command = [sys.executable, "-m", "jupyter", "lab", f"--config={config}"]
        with self.sandbox, self.http, self.log.open("wb") as log:
            process = subprocess.Popen(command, env=self._environment(), cwd=root, stdout=log, stderr=log)  # noqa: S603
            try:
                self._wait_for(process)
                yield
            finally:
                process.terminate()  # it ends its kernels
                try:
                    process.wait(TIMEOUT_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def _wait_for(self, process) -> None:
        ends = monotonic() + TIMEOUT_SECONDS
        while process.poll() is None and monotonic() < ends:
            with suppress(httpx.TransportError):
                if self.http.get("api/status").is_success:
                    return
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
        raise AssertionError(f"JupyterLab did not start:\n{self.log.read_text()}")

    @contextmanager
    def open(self, cells, app="lab"):
        """Open a notebook of these cells for a with block."""
        self.reset()
        self._count += 1
        name = f"test-{self._count}.ipynb"
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.folder / "root" / name)
        page = self.context.new_page()
        made = OpenNotebook(page)
        try:
            page.goto(f"{self.http.base_url}{PATHS[app].format(name, self.token)}")
            page.wait_for_function(IS_READY)
            made.theme("light")
            yield made
        finally:
            page.close()
            for session in self.http.get("api/sessions").json():
                if session["path"] == name:
                    self.http.delete(f"api/sessions/{session['id']}").raise_for_status()
        assert made.outside == [], made.outside
