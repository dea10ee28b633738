"""A plan in a real notebook: what it shows, what applies it, and what keys and names do not do."""

import pytest
from lab import axe
from playwright.sync_api import expect

from doimages.sandbox_api.state import is_own

SETUP = """
%load_ext doimages
import threading
import pandas as pd
from IPython.display import HTML, Latex, display
"""
PLAN = "plan = pd.DataFrame({'id': ids}).do_images.delete()\nplan"
# What stands where there are no widgets; then mathematics, which is set when all above it has been looked at.
PLAIN = "display(HTML(plan._repr_html_()), Latex('$y$'))"
CELLS = [SETUP, PLAN, PLAIN]
OUTPUT = ".jp-OutputArea-output"
MATHEMATICS = "mjx-container"
FOCUSABLE = "a[href], button, input, select, summary, textarea, [tabindex]:not([tabindex='-1'])"
MARKUP = '<img src=x onerror="window.ran = true">'
FORMULA = "$x$ and $$x$$"
IDS = 3


class Plan:
    """A plan to delete three images, shown in a notebook."""

    def __init__(self, notebook, state, names=()):
        self.notebook = notebook
        self.page = notebook.page
        self.state = state
        own = [image for image in state.images.values() if is_own(image) and image["type"] == "snapshot"]
        chosen = [image for image in own if "keep" not in (image["tags"] or ())][:IDS]
        for image, name in zip(chosen, names, strict=False):
            image["name"] = name
        self.ids = {image["id"] for image in chosen}
        notebook.py(f"ids = {sorted(self.ids)}")
        notebook.run(1)
        self.words = notebook.py("print(plan.confirmation, end='')")
        self.output = notebook.output(1)
        self.box = self.output.get_by_role("textbox", name=f"To confirm, type: {self.words}", exact=True)
        self.button = self.output.get_by_role("button", name="Apply plan")

    def type(self, words):
        """Type the words, and wait until the kernel has them."""
        self.box.fill(words)
        expect(self.button).to_be_enabled(enabled=words == self.words)

    def settle(self):
        """Wait until the kernel has taken all that came, and what that began has ended."""
        self.notebook.py("for one in threading.enumerate():\n    if plan.id in one.name:\n        one.join()")

    def check_done(self):
        """The report is shown and kept, the images are gone, and nothing else was written."""
        expect(self.output).to_contain_text("This report is in _doimages.")
        assert self.notebook.py("print(_doimages.counts)") == f"{{'done': {IDS}}}\n"
        assert not self.state.images.keys() & self.ids
        written = [(record.method, record.path) for record in self.state.log if record.method != "GET"]
        assert sorted(written) == sorted(("DELETE", f"/v2/images/{number}") for number in self.ids)


@pytest.fixture(scope="module", params=["lab", "notebook"])
def shared(request, lab):
    with lab.open(CELLS, request.param) as notebook:
        notebook.run(0)
        yield notebook


@pytest.fixture
def make_plan(shared, lab):
    """Give a function that shows a plan; the sandbox is as seeded, but for Droplets: they use images."""
    lab.reset()
    shared.theme("light")
    return lambda *names: Plan(shared, lab.state, names)


def test_what_a_plan_shows(make_plan):
    """A plan is its preview, a box for the words, and a button that is off."""
    plan = make_plan()
    expect(plan.output).to_contain_text("delete 3 images. Nothing has been changed.")
    for number in plan.ids:
        expect(plan.output).to_contain_text(f"image {number}")
    expect(plan.box).to_have_value("")
    expect(plan.button).to_be_disabled()


def test_wrong_words(make_plan):
    """Wrong words leave the button off, and Enter sends nothing."""
    plan = make_plan()
    plan.type(plan.words)
    plan.type("delete 4 images")
    sent = len(plan.state.log)
    plan.box.press("Enter")
    plan.settle()
    assert len(plan.state.log) == sent
    expect(plan.button).to_be_disabled()
    expect(plan.box).to_have_value("delete 4 images")


@pytest.mark.parametrize("how", ["Enter", "click"])
def test_the_right_words(make_plan, how):
    """The right words, and Enter or a click, apply the plan."""
    plan = make_plan()
    plan.type(plan.words)
    if how == "Enter":
        plan.box.press("Enter")
    else:
        plan.button.click()
    plan.check_done()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_has_nothing_against_a_plan(make_plan, theme):
    """A plan is as accessible as axe can tell: with the button off, with it on, and with the report in its place."""
    plan = make_plan()
    plan.notebook.theme(theme)
    assert axe(plan.page, OUTPUT) == []
    plan.type(plan.words)
    assert axe(plan.page, OUTPUT) == []
    plan.button.click()
    plan.check_done()
    assert axe(plan.page, OUTPUT) == []


def test_names_that_would_be_markup(make_plan):
    """Such names run nothing and are shown as they are: in the plan, in its HTML, in the report."""
    plan = make_plan(MARKUP, FORMULA)
    plan.notebook.run(2)
    plain, formula = (plan.notebook.output(2).locator(OUTPUT).nth(number) for number in range(2))
    expect(formula.locator(MATHEMATICS)).to_have_count(1)
    for output in (plan.output, plain):
        expect(output).to_contain_text(MARKUP)
        expect(output).to_contain_text(FORMULA)
    plan.type(plan.words)
    plan.button.click()
    plan.check_done()
    plan.notebook.run(2)
    expect(formula.locator(MATHEMATICS)).to_have_count(1)
    assert plan.page.locator(f"{OUTPUT} {MATHEMATICS}").count() == 1
    assert plan.page.locator(f"{OUTPUT} img").count() == 0
    assert plan.page.evaluate("window.ran") is None


# Last: a key that gets through changes the notebook that the tests share.
def test_bare_keys_stay_in_the_plan(make_plan):
    """With any part of a plan in focus, b, x and d d make no cell and take none away."""
    plan = make_plan()
    parts = plan.output.locator(OUTPUT).locator(FOCUSABLE)
    expect(parts).to_have_count(2)
    plan.type(plan.words)
    # The button first: a key in the box turns it off, and what is off takes no focus.
    for part in reversed(parts.all()):
        part.focus()
        expect(part).to_be_focused()
        for key in "bxdd":
            plan.page.keyboard.press(key)
            assert plan.notebook.cell_count == len(CELLS), f"after {key}, with {part.evaluate('e => e.outerHTML')}"
    expect(plan.box).to_have_value(f"{plan.words}bxdd")
