"""Statements in a cell and on the line: as from Python, with the values and frames of the notebook."""

import pandas as pd
import pytest
from desk import get, hold, listing

from doimages.errors import NotFoundError, StatementError, UnknownColumnError

TALOS, MISSING = 200003551, 999


def test_a_cell_puts_its_rows_into_a_variable(notebook, desk):
    """Vector 10: the statement is the body, and the frame goes to the name on the line."""
    notebook.run(
        "%%doimages snaps\nSELECT id, type FROM digitalocean.images.images\nWHERE type = 'snapshot' -- all of them"
    )
    snapshots = desk.images[(desk.images["type"] == "snapshot") & ~desk.images.public]
    assert desk.sent == listing(private="true")
    hold(notebook["snaps"], snapshots[["id", "type"]])


def test_a_line_gives_its_rows(notebook, desk):
    """Vector 33 on one line."""
    rows = notebook.run("%doimages SELECT id, size_gigabytes FROM images ORDER BY size_gigabytes DESC LIMIT 3")
    hold(rows, desk.images.nlargest(3, "size_gigabytes")[["id", "size_gigabytes"]])


def test_a_cell_joins_the_notebooks_frames_and_takes_its_values(notebook, desk):
    """A frame by its name, a value by :name; StackQL pastes the text of the value into the statement."""
    notebook.shell.user_ns["owners"] = pd.DataFrame({"image_id": [TALOS], "owner": ["it's ann"]})
    notebook.shell.user_ns["who"] = "it's ann"
    rows = notebook.run(
        "%%doimages\nSELECT o.owner, i.name FROM images i JOIN owners o ON o.image_id = i.id WHERE o.owner = :who"
    )
    assert rows.to_numpy().tolist() == [["it's ann", desk.images.set_index("id").name[TALOS]]]
    assert desk.sent == listing()


def test_a_flag_gives_a_value_that_is_bound_and_not_pasted(notebook, desk):
    """Vector 110: quotes in a value are letters of it."""
    rows = notebook.run("""%%doimages -p t="x' OR 1=1 --"\nSELECT id FROM images WHERE name = :t""")
    assert len(rows) == 0
    assert rows.id.dtype == "int64"
    assert desk.sent == listing()


def test_a_dollar_of_a_json_path_is_left_alone(notebook, desk):
    """`$[0]` needs no doubled dollar, also where the notebook has such names."""
    rows = notebook.run("%%doimages\nSELECT json_extract(regions, '$[0]') AS first FROM images LIMIT 4")
    assert rows["first"].tolist() == [regions[0] for regions in desk.images.regions.head(4)]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("SELECT id FROM images WHERE nosuch = 1", UnknownColumnError),
        ("SELECT id FROM images WHERE NOT private = true", StatementError),
        ("SELECT * FROM read_csv('/etc/passwd')", StatementError),
        ("SELECT id FROM images WHERE name = :nosuch", StatementError),
        ("SELEC id FROM images", StatementError),
    ],
)
def test_a_wrong_cell_fails_in_three_lines_and_sends_nothing(notebook, desk, body, kind):
    """The error stands under the cell with a caret, and no variable is made."""
    desk.state.log.clear()
    error = notebook.fail(f"%%doimages rows\n{body}")
    assert isinstance(error, kind)
    assert "^" in str(error)
    assert len(notebook.out.splitlines()) <= 3
    assert "rows" not in notebook
    assert desk.sent == []


def test_a_missing_image_fails_the_cell(notebook, desk):
    """Vector 6: an error and no rows do not look the same."""
    error = notebook.fail(f"%%doimages\nSELECT id FROM images WHERE image_id = {MISSING}")
    assert isinstance(error, NotFoundError)
    assert desk.sent == [get(f"/v2/images/{MISSING}")]


def test_a_dry_run_sends_nothing(notebook, desk):
    """Vector 103 by a flag: the requests and the residual are shown."""
    desk.state.log.clear()
    notebook.run("%%doimages --dry-run\nSELECT id FROM images WHERE private = true AND public")
    shown = notebook.out
    assert "GET /v2/images?private=true&per_page=200&page=1" in shown
    assert "residual" in shown
    assert desk.sent == []
