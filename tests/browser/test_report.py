"""A report in a real notebook: its undo planned by a button, confirmed by its words, and what keys do not do."""

import pytest
from lab import axe
from playwright.sync_api import expect

from doimages.sandbox_api.state import is_own

SETUP = "%load_ext doimages\nimport pandas as pd"
REPORT = """plan = pd.DataFrame({'id': [number]}).do_images.update(name='<b>other</b>')
report = plan.apply(confirm=plan.confirmation)
report"""
CELLS = [SETUP, REPORT]


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_the_undo_of_an_update(open_notebook, lab, app):
    """A click plans it, bare keys stay with it, the words apply it, and the image has its name again."""
    notebook = open_notebook(CELLS, app)
    image = next(one for one in lab.state.images.values() if is_own(one) and one["type"] == "snapshot")
    image["name"] = name = "$x$ and <b>bold</b>"
    notebook.py(f"number = {image['id']}")
    notebook.run(0)
    notebook.run(1)
    assert lab.state.images[image["id"]]["name"] == "<b>other</b>"
    output = notebook.output(1)
    undo = output.get_by_role("button", name="Plan the undo")
    undo.focus()
    for key in "bxdd":
        notebook.page.keyboard.press(key)
        assert notebook.cell_count == len(CELLS)
    undo.press("Enter")
    expect(output).to_contain_text(f"name '<b>other</b>' -> '{name}'")
    expect(output.get_by_role("status").filter(has_text="is below: update 1 image.")).to_have_count(1)
    expect(output.locator("mjx-container")).to_have_count(0)
    for theme in ("dark", "light") if app == "lab" else ("light",):
        notebook.theme(theme)
        assert axe(notebook.page, ".jp-OutputArea-output") == []
    words = output.get_by_role("textbox", name="To confirm, type: update 1 image", exact=True)
    words.fill("update 1 image")
    words.press("Enter")
    expect(output).to_contain_text("This report is in _doimages.")
    assert lab.state.images[image["id"]]["name"] == name
    assert notebook.py("print(_doimages.counts, _doimages.plan.id != plan.id)") == "{'done': 1} True\n"
