"""Run the code of the pages a person copies from, on the sandbox: `python docs/run_pages.py [--write]`.

Blocks fenced as ``python`` or ``ipython`` are cells of one shell a page; a ``text`` block right below one is its output
and is compared, or, with ``--write``, made. Any other fence is left alone.
"""

import argparse
import atexit
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import doimages
from doimages.api.connect import embedded
from doimages.sandbox_api.server import Server

ROOT = Path(__file__).parents[1]
PAGES = (
    ROOT / "README.md",
    ROOT / "docs" / "index.md",
    *sorted((ROOT / "docs" / "tutorials").glob("*.md")),
    *sorted((ROOT / "docs" / "how-to").glob("*.md")),
)
_CELL = re.compile(
    r"^```(?P<fence>python|ipython)\n(?P<code>.*?)^```\n(?P<below>\n```text\n.*?^```\n)?", re.DOTALL | re.MULTILINE
)
# What differs from run to run: the port of a sandbox, times, the id of a plan, the day a quarantine ends.
_VARYING = (
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:8080"),
    (re.compile(r"(fetched_at\W+)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"), r"\g<1>2026-11-24T12:00:00+00:00"),
    (re.compile(r"([Pp]lan |unfinished: |UTC: |begun: |resume\(')[0-9a-f]{8}\b"), r"\g<1>3f9a12c4"),
    (re.compile(r"doimages:[0-9a-f]{12}\b"), "doimages:5e884898da28"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"), "2026-11-24 12:15 UTC"),
    (re.compile(r"(doimages-delete-after:|not due before )\d{4}-\d\d-\d\d"), r"\g<1>2026-12-01"),
)


def steady(text: str) -> str:
    """Give a text without what differs from run to run."""
    for pattern, constant in _VARYING:
        text = pattern.sub(constant, text)
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()) + "\n"


@contextmanager
def account(folder: Path) -> Iterator[None]:
    """Put a sandbox where the pages have an account, by the environment; journals of plans go into the folder."""
    with Server() as server:
        names = {
            "DIGITALOCEAN_API_URL": server.url,
            "DIGITALOCEAN_TOKEN": server.token,
            "XDG_STATE_HOME": str(folder / "state"),
        }
        before = {name: os.environ.get(name) for name in names}
        os.environ.update(names)
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})


@contextmanager
def shell(folder: Path) -> Iterator[InteractiveShell]:
    """Make a shell that keeps no history and shows outputs without their number."""
    config = Config()
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor"
    before, os.environ["IPYTHONDIR"] = os.environ.get("IPYTHONDIR"), str(folder)
    made = InteractiveShell(config=config)
    made.displayhook.write_output_prompt = lambda: None
    try:
        yield made
    finally:
        doimages.unload_ipython_extension(made)
        doimages.register()
        doimages.options.reset()
        if embedded.server is not None:
            embedded.reset()  # a page may have changed it, and the next one begins with all images
        made.history_manager.end_session()
        atexit.unregister(made.atexit_operations)
        os.environ.pop("IPYTHONDIR") if before is None else os.environ.update(IPYTHONDIR=before)


def run_page(text: str) -> str:
    """Run a page's cells in order, and give the page with the outputs they have now; a failing cell raises."""

    def run_cell(cell: re.Match[str]) -> str:
        shown = StringIO()
        with redirect_stdout(shown):
            result = made.run_cell(cell["code"])
        result.raise_error()
        if cell["below"] is None:
            return cell[0]
        return f"```{cell['fence']}\n{cell['code']}```\n\n```text\n{steady(shown.getvalue())}```\n"

    with tempfile.TemporaryDirectory() as name, chdir(name), account(Path(name)), shell(Path(name)) as made:
        return _CELL.sub(run_cell, text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="store the outputs in the pages")
    is_written = parser.parse_args().write
    differing = 0
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        now = run_page(text)
        if now == text:
            continue
        differing += 1
        sys.stderr.write(f"{page.relative_to(ROOT)}: outputs differ\n")
        if is_written:
            page.write_text(now, encoding="utf-8")
    return 0 if is_written else min(differing, 1)


if __name__ == "__main__":
    sys.exit(main())
