"""A browser, what runs in it, and a picture of it when a test fails."""

import os
from contextlib import ExitStack
from pathlib import Path

import pytest
from bare import Bare
from lab import Lab, browser_context, find_chromium

HERE = Path(__file__).parent
MISSING = (
    "NO BROWSER, NOTHING SHOWN: these tests drive Chromium and found none of chromium, chromium-browser and "
    "google-chrome. `make unit` as root installs it where there is apt-get; else: apt-get install chromium"
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark the tests of this folder, and run them last: while Playwright is up, no other loop runs on this thread."""
    items.sort(key=lambda item: HERE in item.path.parents)
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("browser")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Name in the report of a failure a picture of each page, and what the server said last."""
    report = yield
    given = getattr(item, "funcargs", {})
    if report.failed and report.when != "teardown" and "chromium" in given:
        for number, page in enumerate(given["chromium"].pages):
            path = given["tmp_path"] / f"page-{number}.png"
            page.screenshot(path=path)
            report.sections.append(("picture of the page", str(path)))
        if "lab" in given:
            report.sections.append(("end of the server's log", given["lab"].log.read_text()[-3000:]))
    return report


@pytest.fixture(scope="session")
def chromium():
    """Give the one context of the browser."""
    path = find_chromium()
    if path is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(MISSING)
    with browser_context(path) as context:
        yield context


@pytest.fixture
def bare(chromium):
    """Give a function that renders an ES module in a page of its own: see tests/bare.py."""
    made = []

    def make(esm, css="", traits=None):
        made.append(Bare(chromium, esm, css, traits or {}))
        return made[-1]

    yield make
    for one in made:
        one.page.close()
    assert [error for one in made for error in one.errors] == []


@pytest.fixture(scope="session")
def lab(chromium, tmp_path_factory):
    """Give a running JupyterLab: see tests/lab.py."""
    made = Lab(tmp_path_factory.mktemp("lab"), chromium)
    with made.served():
        yield made


@pytest.fixture
def open_notebook(lab):
    """Give a function that opens a notebook until the test ends."""
    with ExitStack() as opened:
        yield lambda cells, app="lab": opened.enter_context(lab.open(cells, app))
