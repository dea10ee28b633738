"""What SQL in a cell is given beside its text: values, dicts, files, saved statements, frames of the notebook."""

# ruff: noqa: S608 - statements are what is tested here

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from desk import get, listing

from doimages.errors import StatementError, UnknownColumnError, UnsupportedError, UsageError


@pytest.fixture(autouse=True)
def _no_views():
    """Saved statements stay for the length of the process: take those of a test away."""
    from doimages.execute import views

    before = dict(views)
    yield
    views.clear()
    views.update(before)


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("-p a=7", 7),
        ("-p a=-7", -7),
        ("--param a=7", 7),
        ("--param=a=7", 7),
        ("-pa=7", 7),
        ("-p a=1.5", 1.5),
        ("-p a=true", True),
        ("-p a=null", None),
        ("-p a=web", "web"),
        ("-p a='two words'", "two words"),
        ("-p a=", ""),
        ("-p a=b=c", "b=c"),
        ("""-p a='"7"' """, "7"),
        ("""-p a="it's; --" """, "it's; --"),
        ("-p a=2024-01-02", "2024-01-02"),
        ("-p a={x}", "{x}"),
        ("-p a=$x", "$x"),
        ("-p b=1 -p a=2", 2),
        ("-p a=1 -p a=2", 2),
    ],
)
def test_a_value_on_the_line_is_json_or_else_text(notebook, flag, value):
    """The last of one name counts; nothing in it is expanded."""
    got = notebook.run(f"%%doimages {flag}\nSELECT :a AS a, :a IS NULL AS gone")
    assert got.gone[0] == (value is None)
    assert value is None or got.a[0] == value


def test_a_list_on_the_line_is_the_list_of_in(notebook, desk):
    """JSON with its quotes, in quotes of the shell."""
    rows = notebook.run(
        '%%doimages -p ids=[1,2] -p tags=\'["prod","web"]\'\nSELECT id FROM images WHERE tag_name IN :tags'
    )
    assert desk.sent == sorted([*listing(tag_name="prod"), *listing(tag_name="web")])
    assert len(rows) > 0


@pytest.mark.parametrize("word", ["a", "=1", "1a=1", "a-b=1", "a.b=1", "'a =1'", "''"])
def test_a_word_that_is_no_pair_is_refused(notebook, word):
    """NAME=VALUE, and a name is one of Python's."""
    error = notebook.fail(f"%%doimages -p {word}\nSELECT 1")
    assert isinstance(error, UsageError)
    assert "write NAME=VALUE" in str(error)


def test_a_value_that_is_no_value_is_refused(notebook):
    """A JSON object, or a huge number, is told at its place in the statement."""
    error = notebook.fail("""%%doimages -p a='{"b": 1}'\nSELECT :a""")
    assert ":a is a dict, which is no value" in str(error)
    assert ":a is a float, which is no value" in str(notebook.fail("%%doimages -p a=Infinity\nSELECT :a"))
    assert notebook.run("%%doimages -p a=NaN\nSELECT :a IS NULL AS gone").gone[0]


def test_a_dict_gives_values(notebook):
    """--params $NAME of the notebook, or JSON; names that are no text are taken by their text."""
    notebook.shell.user_ns["given"] = {"a": np.int64(7), "b": [1, 2], "c": object(), 5: 1}
    assert notebook.run("%%doimages --params $given\nSELECT :a AS a, len(:b) AS b").iloc[0].tolist() == [7, 2]
    assert notebook.run("""%%doimages --params '{"a": "x", "b": null}'\nSELECT :a AS a, :b AS b""").a[0] == "x"
    assert notebook.run("%%doimages --params {}\nSELECT 1 AS one").one[0] == 1


@pytest.mark.parametrize("word", ["$nosuch", "$five", "five", "[1]", "5", "null", "'{bad'", "$", "$given.a"])
def test_what_is_no_dict_is_refused(notebook, word):
    """It is not looked up further than its name, and not run."""
    notebook.shell.user_ns |= {"five": 5, "given": {"a": {"b": 1}}}
    error = notebook.fail(f"%%doimages --params {word}\nSELECT :a")
    assert isinstance(error, UsageError)
    assert "is no dict: write $NAME of one, or JSON" in str(error)


def test_the_line_comes_before_the_dict_and_the_dict_before_the_notebook(notebook):
    """-p, then --params, then the variable of that name."""
    notebook.shell.user_ns |= {"a": 1, "given": {"a": 2}}
    assert notebook.run("%doimages SELECT :a AS a").a[0] == 1
    assert notebook.run("%%doimages --params $given\nSELECT :a AS a").a[0] == 2
    assert notebook.run("%%doimages --params $given -p a=3\nSELECT :a AS a").a[0] == 3
    notebook.run("def f():\n    a = 9\n    out = %doimages SELECT :a AS a\n    return out\ngot = f()")
    assert notebook["got"].a[0] == 1


def test_variables_of_the_notebook_are_values(notebook, desk):
    """Dates, Series and texts as they are; what is no value is refused by its name."""
    notebook.shell.user_ns |= {
        "since": desk.images.created_at.max(),
        "day": dt.date(2020, 1, 1),
        "ids": desk.images.id.tail(2),
        "frame": desk.images,
    }
    rows = notebook.run("%doimages SELECT id FROM images WHERE created_at >= :since AND created_at > :day")
    assert rows.id.tolist() == desk.images[desk.images.created_at == desk.images.created_at.max()].id.tolist()
    desk.state.log.clear()
    rows = notebook.run("%doimages SELECT id FROM images WHERE image_id IN :ids")
    assert rows.id.tolist() == desk.images.id.tolist()[-2:]
    assert desk.sent == sorted(get(f"/v2/images/{one}") for one in rows.id)
    error = notebook.fail("%doimages SELECT id FROM images WHERE id = :frame")
    assert ":frame is a DataFrame, which is no value" in str(error)
    assert "A frame goes into FROM by its name" in str(error)
    assert isinstance(notebook.fail("%doimages SELECT :nosuch"), StatementError)


@pytest.mark.parametrize("flag", ["-p a=1", "--params {}", "--save x"])
@pytest.mark.parametrize("cell", ["%doimages {}", "%%doimages {}\n-- nothing"])
def test_flags_of_sql_want_sql(notebook, flag, cell):
    """Beside a plain listing they would do nothing."""
    assert "is for SQL, and there is none" in str(notebook.fail(cell.format(flag)))


# Files


def test_a_file_is_read_in_place_of_the_body(notebook, desk, tmp_path):
    """On a line or over an empty cell, with values; its errors point into it."""
    (tmp_path / "few images.sql").write_text("-- é\nSELECT id\nFROM images LIMIT :n;\n", encoding="utf-8")
    notebook.shell.user_ns["n"] = 3
    for cell in ("%doimages rows -f 'few images.sql'", "%%doimages rows --file='few images.sql'\n-- no body"):
        notebook.run(cell)
        assert notebook.shell.user_ns.pop("rows").id.tolist() == desk.images.id.tolist()[:3]
    (tmp_path / "bad.sql").write_text("SELECT id,\n  nmae FROM images", encoding="utf-8")
    error = notebook.fail("%doimages -f bad.sql")
    assert isinstance(error, UnknownColumnError)
    assert (error.line, error.column) == (2, 3)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("-f nosuch.sql", "nosuch.sql: the file cannot be read, No such file or directory"),
        ("-f .", "the file cannot be read, Is a directory"),
        ("-f empty.sql", "empty.sql: the file is empty"),
        ("-f blank.sql", "blank.sql: the file is empty"),
        ("-f latin.sql", "latin.sql: the file cannot be read, it is no UTF-8 text"),
        ("-f ''", "the file cannot be read"),
        ("-f", "expected one argument"),
        ("-f comment.sql", "there is no statement"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(notebook, desk, tmp_path, flags, said):
    """It says why, and nothing is sent."""
    (tmp_path / "empty.sql").touch()
    (tmp_path / "blank.sql").write_text(" \n\t\n", encoding="utf-8")
    (tmp_path / "latin.sql").write_bytes("SELECT 'é'".encode("latin-1"))
    (tmp_path / "comment.sql").write_text("-- nothing", encoding="utf-8")
    error = notebook.fail(f"%doimages {flags}")
    assert isinstance(error, UsageError)
    assert said in str(error)
    assert desk.sent == []


def test_a_file_beside_a_body_is_refused(notebook, tmp_path):
    """One of them would be left out."""
    (tmp_path / "x.sql").write_text("SELECT 1", encoding="utf-8")
    assert "this cell has a body" in str(notebook.fail("%%doimages -f x.sql\nSELECT 2"))


def test_a_byte_order_mark_is_no_part_of_a_file(notebook, tmp_path):
    """Windows' editors write one."""
    (tmp_path / "x.sql").write_bytes(b"\xef\xbb\xbfSELECT 5 AS a")
    assert notebook.run("%doimages -f x.sql").a.tolist() == [5]


# Saved statements


def test_a_saved_statement_is_read_anew(notebook, desk):
    """--save keeps it under a name; FROM the name sends its requests again, with values of then."""
    notebook.shell.user_ns["tag"] = "prod"
    notebook.run("%%doimages first --save Mine\nSELECT id, name FROM images WHERE tag_name = :tag")
    assert desk.sent == listing(tag_name="prod")
    desk.state.log.clear()
    notebook.shell.user_ns["tag"] = "web"
    rows = notebook.run("%doimages SELECT m.name FROM mine m ORDER BY id")
    assert desk.sent == listing(tag_name="web")
    assert len(rows) > 0
    notebook.run("%%doimages --save mine\nSELECT 1 AS one")
    assert notebook.run("%doimages SELECT * FROM MINE").one.tolist() == [1]


def test_views_are_created_and_dropped(notebook, desk):
    """In one cell and over several; what they name is checked when they are made."""
    told = notebook.run("%%doimages\nCREATE VIEW snaps AS SELECT id FROM images WHERE type = 'snapshot'")
    assert told.message.tolist() == ["Saved as snaps: FROM snaps reads it anew."]
    assert desk.sent == []
    assert len(notebook.run("%doimages SELECT count(*) AS n FROM snaps")) == 1
    assert desk.sent == listing(private="true")
    assert notebook.run("%doimages SHOW VIEWS").name.tolist() == ["snaps"]
    assert "there is a view 'snaps' already" in str(notebook.fail("%doimages CREATE VIEW snaps AS SELECT 1"))
    assert isinstance(notebook.fail("%doimages CREATE VIEW other AS SELECT nosuch FROM images"), UnknownColumnError)
    notebook.run("%doimages DROP VIEW snaps")
    assert "no table 'snaps'" in str(notebook.fail("%doimages SELECT * FROM snaps"))
    assert "no view 'snaps'" in str(notebook.fail("%doimages DROP VIEW snaps"))


def test_a_dry_run_saves_and_drops_nothing(notebook):
    """It only looks."""
    notebook.run("%doimages CREATE VIEW kept AS SELECT 5 AS a")
    notebook.run("%%doimages --dry-run --save tried\nSELECT 1 AS a")
    notebook.run("%%doimages --dry-run\nCREATE VIEW tried AS SELECT 1 AS a")
    notebook.run("%%doimages --dry-run\nDROP VIEW kept")
    notebook.run("%%doimages\nEXPLAIN DROP VIEW kept")
    assert "no table 'tried'" in str(notebook.fail("%doimages SELECT * FROM tried"))
    assert notebook.run("%doimages SELECT a FROM kept").a.tolist() == [5]


@pytest.mark.parametrize(
    ("flags", "body", "kind"),
    [
        ("--save images", "SELECT 1", StatementError),
        ("--save digitalocean.images.images", "SELECT 1", StatementError),
        ("--save 'a b'", "SELECT 1", StatementError),
        ("--save x", "SELECT 1; SELECT 2", UnsupportedError),
        ("--save x", "SHOW METHODS IN images", UnsupportedError),
        ("--save x", "SELECT nosuch FROM images", UnknownColumnError),
    ],
)
def test_what_cannot_be_saved_is_refused(notebook, desk, flags, body, kind):
    """A table's name, several statements, what is no query; nothing is sent, and nothing saved."""
    assert isinstance(notebook.fail(f"%%doimages {flags}\n{body}"), kind)
    assert desk.sent == []
    assert "no table 'x'" in str(notebook.fail("%doimages SELECT * FROM x"))


def test_a_frame_of_the_notebook_joins_by_its_name(notebook, desk):
    """Case counts; a variable that is no frame is no table."""
    notebook.shell.user_ns |= {"Owners": pd.DataFrame({"id": desk.images.id[:2], "owner": ["ann", "bo"]}), "five": 5}
    rows = notebook.run("%doimages SELECT o.owner, i.name FROM images i JOIN Owners o USING (id) ORDER BY owner")
    assert rows.owner.tolist() == ["ann", "bo"]
    for name in ("five", "owners", "nosuch", "In", "get_ipython"):
        assert f"no table {name!r}" in str(notebook.fail(f"%doimages SELECT * FROM {name}"))
