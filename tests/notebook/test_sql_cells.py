"""SQL in a cell and on the line: where its result goes, what is shown, and which flags go with it."""

# ruff: noqa: S608 - statements are what is tested here

import json

import pandas as pd
import pyarrow as pa
import pytest
from desk import get, listing
from scripted import CANARY

import doimages
from doimages.api.connect import embedded
from doimages.errors import CredentialsError, StatementError, UnknownColumnError, UsageError
from doimages.sheet import Sheet

ONE = "SELECT id FROM images LIMIT 2"


@pytest.mark.parametrize("line", ["rows", "rows <<", "-o rows", "--output=rows"])
def test_a_variable_takes_the_result_and_nothing_is_shown(notebook, desk, line):
    """DEST, `DEST <<` and -o mean the same with SQL as without."""
    assert notebook.run(f"%%doimages {line}\n{ONE}") is None
    assert notebook.out == ""
    assert notebook["rows"].id.tolist() == desk.images.id.tolist()[:2]
    assert notebook["_doimages"] is notebook["rows"]
    assert desk.sent == [get(page=1, per_page=2)]


def test_show_and_no_display_turn_it_round(notebook, desk):
    """--show shows what goes into a variable, --no-display hides what does not."""
    assert notebook.run(f"%%doimages rows --show\n{ONE}") is notebook["rows"]
    assert notebook.run(f"%%doimages --no-display\n{ONE}") is None
    assert len(notebook["_doimages"]) == 2


@pytest.mark.parametrize(
    "cell",
    [
        f"%%doimages\n{ONE};",
        f"%%doimages\n{ONE} ;\n\n",
        f"%%doimages\n;;{ONE};; -- the end",
        f"%%doimages\n-- all of them\n{ONE}\n;",
        f"%doimages {ONE};",
        f"%doimages {ONE}",
        f"%%doimages\n  {ONE.lower()}",
        "%%doimages\nSELECT id\nFROM images\nLIMIT 2",
    ],
)
def test_a_semicolon_ends_a_statement_and_hides_nothing(notebook, desk, cell):
    """However it ends, the frame is the output, and it is shown."""
    assert len(notebook.run(cell)) == 2
    assert "id" in notebook.out


def test_a_line_is_an_expression_too(notebook, desk):
    """`x = %doimages SELECT ...`, in a function as well, and braces and dollars stay SQL's."""
    notebook.run(f"x = %doimages {ONE}")
    assert len(notebook["x"]) == 2
    notebook.run(
        "def count():\n    out = %doimages SELECT id, {'a': 1} AS s, '$x' AS d FROM images LIMIT 2\n    return out\n"
    )
    notebook.run("s = x = 5\ny = count()")
    assert notebook["y"].s.tolist() == [{"a": 1}] * 2
    assert notebook["y"].d.tolist() == ["$x"] * 2


def test_of_several_statements_the_last_ones_result_counts(notebook, desk):
    """They run in their order; each sends its own requests."""
    rows = notebook.run("%%doimages\nSELECT id FROM images LIMIT 3;\nSELECT count(*) AS n FROM images; SHOW PROVIDERS")
    assert rows.name.tolist() == ["digitalocean"]
    assert desk.sent == sorted([get(page=1, per_page=3), get(page=1, per_page=1)])


@pytest.mark.parametrize(
    ("second", "kind"),
    [
        ("SELECT nosuch FROM images", UnknownColumnError),
        ("SELEC 1", StatementError),
        ("DELETE FROM images", StatementError),
        ("DELETE FROM images WHERE image_id = 7 RETURNING nosuch", UnknownColumnError),
        ("DELETE FROM images WHERE image_id = 7; SELECT 1", UsageError),
    ],
)
def test_a_wrong_second_statement_sends_nothing(notebook, desk, second, kind):
    """All are checked before the first is sent, and the variable stays."""
    notebook.run("rows = 1")
    error = notebook.fail(f"%%doimages rows\nSELECT id FROM images;\n{second}")
    assert isinstance(error, kind)
    assert error.line in {2, None}
    assert desk.sent == []
    assert notebook["rows"] == 1
    assert "_doimages" not in notebook


@pytest.mark.parametrize("body", ["", "\n", "\n\n \n", "\n-- SELECT 1\n", "\n# x\n/* two\nlines */\n"])
def test_an_empty_cell_is_a_plain_listing(notebook, desk, body):
    """Comments are no statement; the flags alone count."""
    notebook.run(f"%%doimages rows --private{body}")
    assert len(notebook["rows"].columns) == 14
    assert desk.sent == listing(private="true")


def test_a_lone_semicolon_is_told(notebook, desk):
    """It is neither a statement nor an empty cell."""
    assert "there is no statement" in str(notebook.fail("%%doimages\n;"))
    assert desk.sent == []


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--type snapshot", "type goes into the statement: WHERE type = ..."),
        ("--type snapshot,custom", "type goes into the statement"),
        ("--private", "private goes into the statement: WHERE private = ..."),
        ("--tag-name web", "tag_name goes into the statement"),
        ("--id 12", "image_id goes into the statement"),
        ("--columns nosuch", "no column 'nosuch'"),
        ("--columns name", "no column 'name'"),
        ("-n -1", "zero or more"),
        ("-f x.sql", "this cell has a body"),
        ("--as json --dtype-backend pyarrow", "for frames"),
    ],
)
def test_flags_that_contradict_the_statement_are_refused(notebook, desk, flags, said):
    """Each says where it belongs, and nothing is sent."""
    error = notebook.fail(f"%%doimages {flags}\n{ONE}")
    assert isinstance(error, UsageError)
    assert said in str(error)
    assert desk.sent == []


@pytest.mark.parametrize(
    ("statement", "sent", "rows"),
    [
        ("SELECT id FROM images", [get(page=1, per_page=5)], 5),
        ("SELECT id FROM images LIMIT 3", [get(page=1, per_page=3)], 3),
        ("SELECT id FROM images LIMIT 9", [get(page=1, per_page=5)], 5),
        ("SELECT id FROM images LIMIT 9 OFFSET 2", [get(page=1, per_page=7)], 5),
        ("SELECT id FROM images ORDER BY id", listing(), 5),
        ("SELECT id FROM images UNION ALL SELECT id FROM images", listing(), 5),
        ("SELECT range AS id FROM range(9)", [], 5),
        ("SHOW METHODS IN images", [], 5),
    ],
)
def test_a_number_of_rows_limits_every_statement(notebook, desk, statement, sent, rows):
    """-n is as LIMIT: a plain SELECT asks for no more than that."""
    assert len(notebook.run(f"%%doimages -n 5\n{statement}")) == rows
    assert desk.sent == sent


def test_columns_are_chosen_of_the_result(notebook, desk):
    """--columns picks and orders what the statement gives."""
    rows = notebook.run("%%doimages --columns n,type\nSELECT type, count(*) AS n FROM images GROUP BY type")
    assert list(rows.columns) == ["n", "type"]


def test_the_other_forms_are_arrow_and_json(notebook, desk):
    """A pyarrow.Table with its types, and records that json takes."""
    cell = "SELECT id, tags, created_at, slug, 1.5 AS x, created_at::DATE AS day FROM images LIMIT 3"
    table = notebook.run(f"%%doimages --as arrow\n{cell}")
    assert isinstance(table, pa.Table)
    assert [str(kind) for kind in table.schema.types] == [
        *("int64", "list<item: string>", "timestamp[us, tz=UTC]", "string", "double", "timestamp[s]"),
    ]
    assert json.loads(table.schema.metadata[b"do_images"])["rows"] == 3
    records = notebook.run(f"%%doimages --as json\n{cell}")
    assert json.loads(json.dumps(records)) == records
    assert records[0]["created_at"].endswith("Z")
    assert records[0]["id"] == table["id"][0].as_py()


def test_an_arrow_backed_result_speaks_arrow(notebook, desk):
    """--dtype-backend pyarrow: every column is Arrow's, and any library reads it by the PyCapsule interface."""
    notebook.run("%%doimages rows --dtype-backend pyarrow\nSELECT id, tags, created_at, public FROM images LIMIT 4")
    rows = notebook["rows"]
    assert all(isinstance(dtype, pd.ArrowDtype) for dtype in rows.dtypes)
    read = pa.RecordBatchReader.from_stream(rows).read_all().select(["id", "tags", "created_at", "public"])
    assert read["id"].to_pylist() == desk.images.id.tolist()[:4]
    assert [str(kind) for kind in read.schema.types] == ["int64", "list<item: string>", "timestamp[us, tz=UTC]", "bool"]
    # and so it joins the next statement, with its types
    again = notebook.run("%%doimages --as arrow\nSELECT id, tags, created_at, public FROM rows")
    assert again.schema.remove_metadata() == read.schema.remove_metadata()


def test_the_last_result_can_be_joined(notebook, desk):
    """FROM _doimages reads what is there and sends nothing; then it is the last result itself."""
    notebook.run("%%doimages\nSELECT id, name FROM images")
    assert notebook.run("%doimages SELECT count(*) AS n FROM _doimages").n.tolist() == [len(desk.images)]
    assert notebook.run("%doimages SELECT n + 1 AS m FROM _doimages").m.tolist() == [len(desk.images) + 1]
    assert desk.sent == listing()


# No token and no endpoint


@pytest.mark.parametrize(
    "body",
    [
        "SELECT id FROM images WHERE private = true AND public",
        "EXPLAIN SELECT id FROM images WHERE private = true AND public",
        "EXPLAIN DELETE FROM images WHERE image_id IN (SELECT id FROM images WHERE private = true AND public)",
    ],
)
@pytest.mark.parametrize("endpoint", ["", "--endpoint sandbox"])
def test_a_dry_run_needs_no_token_and_starts_no_sandbox(notebook, body, endpoint):
    """It shows the requests and the residual, in text and HTML; the variables stay."""
    embedded.stop()
    sheet = notebook.run(f"%%doimages rows {endpoint} --dry-run\n{body}")
    assert isinstance(sheet, Sheet)
    for word in ("GET /v2/images?private=true&per_page=200&page=1", "residual", "nothing was sent"):
        assert word in repr(sheet)
        assert word.replace("&", "&amp;") in sheet._repr_html_()
    assert ("embedded sandbox" if endpoint else "nowhere: No token") in repr(sheet)
    assert embedded.server is None
    assert "rows" not in notebook
    assert "_doimages" not in notebook


def test_explain_needs_no_token(notebook):
    """It is a frame of steps, and the last result."""
    steps = notebook.run("%%doimages\nEXPLAIN SELECT count(*) AS n FROM images WHERE private = true")
    assert list(steps.columns) == ["step", "detail"]
    assert "GET /v2/images?private=true&per_page=1&page=1" in steps.detail.tolist()
    assert dict(steps.to_numpy())["column n"] == "Int64"


def test_a_dry_run_escapes_what_is_in_the_statement(notebook):
    """Nothing in it is markup."""
    sheet = notebook.run("%%doimages --dry-run\nSELECT id FROM images WHERE name = '<script>alert(1)</script>'")
    assert "<script>" not in sheet._repr_html_()
    assert "&lt;script&gt;" in sheet._repr_html_()


def test_a_wrong_statement_fails_a_dry_run(notebook):
    """It is checked as it would be."""
    assert isinstance(notebook.fail("%%doimages --dry-run\nSELECT nosuch FROM images"), UnknownColumnError)


@pytest.mark.parametrize(
    "body", ["SELECT max(a) AS n FROM mine", "SELECT 2 AS n", "SHOW METHODS IN images", "DESCRIBE images"]
)
def test_what_sends_nothing_needs_no_token(notebook, body):
    """A frame alone is SQL over a frame."""
    notebook.shell.user_ns["mine"] = pd.DataFrame({"a": [1, 2]})
    assert len(notebook.run(f"%%doimages\n{body}")) > 0
    assert isinstance(notebook.fail(f"%%doimages\n{ONE}"), CredentialsError)


def test_the_sandbox_answers_sql(notebook):
    """--endpoint sandbox, for one cell."""
    rows = notebook.run("%%doimages --endpoint sandbox\nSELECT count(*) AS n FROM images WHERE type = 'snapshot'")
    assert rows.n[0] > 0
    assert rows.attrs["do_images"]["endpoint"].startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    "body", [f"SELECT '{CANARY}'", f"-- {CANARY}\n{ONE}", f"SELECT id FROM images WHERE name = 'x{CANARY}'"]
)
def test_a_token_in_the_body_is_refused_and_not_repeated(notebook, desk, body):
    """It is in the notebook now, so it has to be revoked."""
    notebook.fail(f"%%doimages\n{body}")
    assert "Revoke it" in notebook.out
    assert CANARY not in notebook.out
    assert desk.sent == []


def test_an_error_is_three_lines_with_a_caret(notebook, desk):
    """The message, the line of the statement, and carets below the word; %tb and --traceback give all of it."""
    statement = "SELECT id,\n       nmae\nFROM images"
    error = notebook.fail(f"%%doimages\n{statement}")
    with pytest.raises(UnknownColumnError) as caught:
        doimages.read_do_images(statement)
    assert caught.value._render_traceback_() == notebook.out.splitlines()
    assert notebook.out.splitlines() == [
        "UnknownColumnError: no column 'nmae' in images. Did you mean 'name'?",
        "         nmae",
        "         ^^^^",
    ]
    assert (error.line, error.column, error.suggestions) == (2, 8, ["name"])
    notebook.run("%tb")
    assert "Traceback" in notebook.out
    notebook.fail("%%doimages --traceback\nSELECT nmae FROM images")
    assert "Traceback" in notebook.out


def test_sql_works_after_loading_again(notebook):
    """Unloading and loading leave no second magic behind."""
    notebook.run("%unload_ext doimages\n%load_ext doimages")
    assert notebook.run("%doimages SELECT 1 AS a").a.tolist() == [1]
