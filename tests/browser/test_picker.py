"""A picker in a real notebook: 20,000 images, a whole run from a filter to a report, a reload, keys, hostile names."""

from itertools import islice

import pytest
from lab import IS_READY, axe
from playwright.sync_api import expect

from doimages.sandbox_api.faults import Fault
from doimages.sandbox_api.state import is_own

SETUP = """
%load_ext doimages
import threading
import doimages
import pandas as pd
from IPython.display import Latex, display

def many(images, size):
    frame = pd.concat([images] * -(-size // len(images)), ignore_index=True).head(size)
    return frame.assign(id=range(1, size + 1))

images = doimages.read_do_images()

def begun():
    named = (one for one in threading.enumerate() if one.name.startswith("doimages-"))
    return [one for one in named if one.name != "doimages-io"]

def settle():
    while threads := begun():
        for thread in threads:
            thread.join()
"""
MANY = "many(images, 20_000),"
PICKER = "picker = doimages.picker(*given, **state)\npicker"
SNAPSHOT = "display(picker.snapshot(300), Latex('$y$'))"
CELLS = [SETUP, PICKER, SNAPSHOT]
OUTPUT = ".jp-OutputArea-output"
NAME = "Name (text or /regex/)"
DOOMED = "doomed"
MARKUP = '<img src=x onerror="window.ran = true">'
FORMULA = "$x$ and $$x$$"
LETTERS = "bxdda"
COUNT = """scope => {
    const names = ["a[href]", "button", "input", "select", "summary", "textarea", "[tabindex]"];
    const parts = `${names.map(name => `${scope} ${name}:not(:disabled)`).join()}`;
    window.parts = scope => [...document.querySelectorAll(parts)].filter(part => part.checkVisibility());
    return window.parts(scope).length;
}"""
FOCUS = """([scope, place]) => {
    const part = window.parts(scope)[place];
    part?.focus();
    window.part = part;
    return part ? {html: part.outerHTML, isText: ["text", "search"].includes(part.type), value: part.value} : {};
}"""
NOW = """() => ({
    isHere: document.activeElement.closest(".doimages-keys") !== null,
    value: window.part?.value,
})"""
SOURCES = "() => jupyterapp.shell.currentWidget.content.model.toJSON().cells.map(cell => cell.source)"
SAVE = "() => jupyterapp.commands.execute('docmanager:save').then(() => null)"


class Shown:
    """A picker in a notebook, with its output."""

    def __init__(self, notebook, state, given, arguments):
        self.notebook = notebook
        self.page = notebook.page
        self.sandbox = state
        notebook.py(f"given, state = ({given}), {arguments!r}")
        notebook.run(1)
        self.output = notebook.output(1)
        self.status = self.output.locator(".doimages-status")
        self.rows = self.output.locator("tbody tr[data-id]")
        self.boxes = self.rows.get_by_role("checkbox")
        expect(self.status).to_be_visible()

    def field(self, label):
        return self.output.get_by_label(label, exact=True)

    def button(self, name):
        return self.output.get_by_role("button", name=name)

    def py(self, code):
        return self.notebook.py(f"print({code})").strip()

    @property
    def selection(self):
        return set(map(int, self.py("*picker.selection.id").split()))

    def settle(self):
        """Wait until the kernel has taken all that came, and what that began has ended."""
        self.notebook.py("settle()")

    def plan(self, images):
        """Plan what is asked for, and give the box for the words and the button."""
        self.button("Preview plan").click()
        words = f"delete {images} images"
        box = self.output.get_by_role("textbox", name=f"To confirm, type: {words}", exact=True)
        expect(box).to_be_visible()
        return box, self.button("Apply plan"), words


@pytest.fixture(scope="module")
def shared(lab):
    with lab.open(CELLS) as notebook:
        notebook.page.set_viewport_size({"width": 1280, "height": 1500})
        notebook.run(0)
        yield notebook


@pytest.fixture
def show(shared, lab):
    """Give a function that shows a picker of all images of a sandbox as seeded, or of what is given."""
    lab.reset()
    shared.theme("light")
    return lambda given="", **arguments: Shown(shared, lab.state, given, arguments)


@pytest.fixture
def doomed(lab, show):
    """Give the ids of three snapshots that nothing keeps from being deleted, by the name they are given."""
    images = (one for one in lab.state.images.values() if is_own(one) and one["type"] == "snapshot")
    chosen = list(islice(images, 3))
    for number, image in enumerate(chosen):
        image |= {"name": f"{DOOMED}-{number}", "tags": []}
    return [image["id"] for image in chosen]


@pytest.fixture
def many(show):
    """Show 20,000 images."""
    picker = show(MANY)
    picker.settle()
    return picker


def test_bytes_at_20_000_images(many):
    """A filter is at most 20 KB on the wire, and no window has over 200 rows."""
    for name, told in (("web", "0 selected"), ("", "20,000 of 20,000"), ("/^db-0[12]/", "0 selected")):
        before = many.status.inner_text()
        many.notebook.bytes_in = 0
        many.field(NAME).fill(name)
        expect(many.status).to_contain_text(told)
        expect(many.status).not_to_have_text(before)
        many.settle()
        assert 0 < many.notebook.bytes_in <= 20_000
    many.boxes.first.focus()
    many.page.keyboard.press("End")
    expect(many.rows.last.get_by_role("checkbox")).to_be_focused()
    assert many.rows.count() <= 200
    assert int(many.py("len(picker._view.window['rows'])")) <= 200


def test_90_toggles(many):
    """Boxes that are clicked faster than the kernel answers are as they were clicked, then and when it has answered."""
    many.boxes.first.focus()
    turns = many.page.evaluate(
        """async () => {
            const wrong = [];
            for (let turn = 0; turn < 91; turn += 1) {
                const place = turn < 90 ? turn % 30 : 30;
                const box = document.querySelectorAll("tbody tr[data-id] input")[place];
                const now = [turn, box.checked, Number(box.closest("tr").dataset.id)];
                if (now[1] !== (turn >= 30 && turn < 60) || now[2] !== place + 1) wrong.push(now);
                box.click();
                if (turn % 10 === 0) await new Promise(requestAnimationFrame);
            }
            return wrong;
        }"""
    )
    assert turns == []
    ticked = many.rows.filter(has=many.page.locator("input:checked"))
    assert ticked.count() == 31
    expect(many.status).to_contain_text("31 selected", timeout=30_000)
    assert ticked.count() == 31
    assert many.selection == set(range(1, 32))
    expect(many.output.locator("[role=alert]").first).to_have_text("")


def test_from_a_filter_to_a_report(doomed, show):
    """A filter, all of it selected, a plan, wrong words refused, the right ones applied; what failed stays selected."""
    picker = show()
    picker.field(NAME).fill(DOOMED)
    picker.button("Select all 3 filtered").click()
    expect(picker.status).to_have_text("3 of 300 images · 3 selected")
    box, apply, words = picker.plan(3)
    for number in doomed:
        expect(picker.output).to_contain_text(f"image {number}")
    sent = len(picker.sandbox.log)
    for wrong in ("delete 4 images", words.upper(), f"{words} now"):
        box.fill(words)
        expect(apply).to_be_enabled()
        box.fill(wrong)
        expect(apply).to_be_disabled()
        box.press("Enter")
    picker.settle()
    assert len(picker.sandbox.log) == sent
    picker.sandbox.faults.append(Fault("status", method="DELETE", path=f"/v2/images/{doomed[1]}", status=422))
    box.fill(words)
    box.press("Enter")
    expect(picker.output).to_contain_text("This report is in _doimages.")
    expect(picker.status).to_have_text("1 of 298 images · 1 selected")
    picker.settle()
    assert picker.py("_doimages.counts") == "{'done': 2, 'failed': 1}"
    assert picker.sandbox.images.keys() & set(doomed) == {doomed[1]} == picker.selection
    written = [(record.method, record.path) for record in picker.sandbox.log if record.method != "GET"]
    assert sorted(written) == sorted(("DELETE", f"/v2/images/{number}") for number in doomed)
    expect(picker.rows).to_have_count(1)
    expect(picker.boxes.first).to_be_checked()


@pytest.mark.parametrize("change", ["selection", "filter", "action"])
def test_a_change_drops_the_plan(doomed, show, change):
    """What was planned for something else can be confirmed no more."""
    picker = show(name=DOOMED, selected=doomed)
    box, apply, words = picker.plan(3)
    box.fill(words)
    expect(apply).to_be_enabled()
    if change == "selection":
        picker.boxes.first.click()
    elif change == "filter":
        picker.field(NAME).fill("")
    else:
        picker.field("Action").select_option("tag")
    expect(box).to_have_count(0)
    expect(picker.output).to_contain_text("The plan was dropped")
    expect(apply).to_have_count(0)


def test_a_selection_outlives_filters_sorting_and_a_reload(show, shared):
    """Images stay selected by their ids, and a page that is loaded again shows the same picker, which works on."""
    picker = show()
    expected = set()
    for name, place in (("web", 3), ("db", 1), ("worker", 2)):
        picker.field(NAME).fill(name)
        expect(picker.rows.first).to_contain_text(name)
        picker.button("size_gigabytes").click()
        row = picker.rows.nth(place)
        expect(row).to_contain_text(name)
        picker.settle()
        expected.add(int(row.get_attribute("data-id")))
        row.get_by_role("checkbox").check()
    picker.settle()
    assert picker.selection == expected
    text = "3 selected (2 hidden by filters)"
    expect(picker.status).to_contain_text(text)
    shared.call(SAVE, None)
    picker.page.reload()
    picker.page.wait_for_function(IS_READY)
    expect(picker.status).to_contain_text(text)
    expect(picker.field(NAME)).to_have_value("worker")
    expect(picker.rows.filter(has=picker.page.locator("input:checked"))).to_have_count(1)
    picker.button("Clear filters").click()
    expect(picker.status).to_have_text("300 of 300 images · 3 selected")
    picker.boxes.first.click()
    expect(picker.status).to_have_text("300 of 300 images · 4 selected")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_has_nothing_against_it(doomed, show, shared, theme):
    """It is as accessible as axe can tell: alone, with a row in focus, with a plan, with its report."""
    shared.theme(theme)
    picker = show(name=DOOMED, selected=doomed)
    shared.theme(theme)
    assert axe(picker.page, OUTPUT) == []
    picker.boxes.first.focus()
    box, apply, words = picker.plan(3)
    assert axe(picker.page, OUTPUT) == []
    box.fill(words)
    apply.click()
    expect(picker.output).to_contain_text("This report is in _doimages.")
    assert axe(picker.page, OUTPUT) == []
    picker.settle()


def test_read_only(show):
    """It filters and selects, and has nothing that could change an image."""
    picker = show(read_only=True, type=["snapshot"])
    picker.boxes.nth(2).click()
    expect(picker.status).to_contain_text("1 selected")
    assert picker.field("Action").count() == picker.button("Preview plan").count() == 0


def test_names_that_would_be_markup(doomed, show, lab):
    """Such names run nothing and are shown as they are: in the grid, the details, a plan, a report and a snapshot."""
    for number, name in zip(doomed, (MARKUP, FORMULA, f"{DOOMED}</script>"), strict=True):
        lab.state.images[number] |= {"name": name, "description": name}
    lab.state.images[doomed[0]]["tags"] = [MARKUP]
    picker = show(selected=doomed)
    picker.field(NAME).fill(MARKUP)
    expect(picker.rows).to_have_count(1)
    picker.boxes.first.focus()
    expect(picker.output.locator("dd", has_text=MARKUP).first).to_be_visible()
    picker.field("Action").select_option("rename")
    picker.field("New name, such as old-{name}").fill(f"{MARKUP}{{name}}")
    expect(picker.output).to_contain_text(f"{FORMULA} → {MARKUP}{FORMULA}")
    picker.field("Action").select_option("delete")
    box, _, words = picker.plan(3)
    box.fill(words)
    for text in (MARKUP, FORMULA):
        expect(picker.output.locator("table").last).to_contain_text(text)
    box.press("Enter")
    expect(picker.output).to_contain_text("This report is in _doimages.")
    picker.settle()
    lab.reset()
    picker = show("images.assign(name=$1, description=$1),".replace("$1", repr(f"{MARKUP} {FORMULA}")))
    picker.notebook.run(2)
    snapshot, formula = (picker.notebook.output(2).locator(OUTPUT).nth(number) for number in range(2))
    # It is set when all above it has been looked at.
    expect(formula.locator("mjx-container")).to_have_count(1)
    expect(snapshot).to_contain_text(f"{MARKUP} {FORMULA}")
    assert picker.page.locator(f"{OUTPUT} mjx-container").count() == 1
    assert picker.page.locator(f"{OUTPUT} img").count() == 0
    assert picker.page.evaluate("window.ran") is None


def test_notebook_7(lab):
    """There it shows, filters and selects as well, and keeps its keys."""
    with lab.open(CELLS, "notebook") as notebook:
        notebook.run(0)
        picker = Shown(notebook, lab.state, "", {"type": ["snapshot"]})
        expect(picker.status).to_contain_text("251 of 300 images")
        picker.field(NAME).fill("web")
        expect(picker.rows.first).to_contain_text("web")
        picker.boxes.first.focus()
        for key in ("Space", "ArrowDown", "Space", "b", "x", "d", "d"):
            picker.page.keyboard.press(key)
        expect(picker.status).to_contain_text("2 selected")
        picker.settle()
        assert len(picker.selection) == 2
        assert notebook.cell_count == len(CELLS)


# Last: a key that gets through changes the notebook that the tests share.
@pytest.mark.parametrize("stage", ["plan", "report"])
def test_bare_keys_stay_in_the_picker(doomed, show, stage):
    """With any part in focus no bare key is a command of the notebook, and text fields take what is typed."""
    picker = show(name=DOOMED, selected=doomed)
    box, apply, words = picker.plan(3)
    box.fill(words)
    expect(apply).to_be_enabled()
    scope = ".doimages-keys"
    if stage == "report":
        # So that it has a button: what failed can be planned again.
        picker.sandbox.faults.append(Fault("status", method="DELETE", path=f"/v2/images/{doomed[1]}", status=422))
        apply.click()
        expect(picker.button("Plan the retry of 1 image")).to_be_visible()
        picker.settle()
        scope += " .doimages-keys"
    before = picker.page.evaluate(SOURCES)
    count = picker.page.evaluate(COUNT, scope)
    assert count > (0 if stage == "report" else 40)
    # The last first: what is typed into a filter takes the plan away, and values of facets.
    for place in reversed(range(count)):
        was = picker.page.evaluate(FOCUS, [scope, place])
        picker.page.keyboard.type(LETTERS)
        now = picker.page.evaluate(NOW)
        assert picker.page.evaluate(SOURCES) == before, f"after {LETTERS} on {was['html']}"
        assert now["isHere"], f"after {LETTERS} on {was['html']}"
        if was["isText"]:
            assert sorted(now["value"]) == sorted(was["value"] + LETTERS)
    # It presses buttons, and so some parts go.
    for place in reversed(range(count)):
        was = picker.page.evaluate(FOCUS, [scope, place])
        picker.page.keyboard.press("Enter")
        assert picker.page.evaluate(SOURCES) == before, f"after Enter on {was}"
