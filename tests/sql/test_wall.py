"""What a statement could smuggle past its tree, through names, values, frames and size: none of it is run."""

# ruff: noqa: S608 - statements are what is tested here

import logging
from decimal import Decimal

import pandas as pd
import pytest
import sqlglot

from doimages.errors import DOImagesError, StatementError
from doimages.sql.allowed import DENIED
from doimages.sql.residual import Residual
from doimages.sql.statements import to_sql

TOKEN = "dop_v1_" + "0a" * 32


@pytest.mark.parametrize(
    "statement",
    [
        'SELECT EXTRACT("year FROM now()) AS a; CREATE MACRO lower(x) AS 666; SELECT extract(year" FROM now())',
        "SELECT 1::\"foo), current_setting('threads'), (1\"",
        'SELECT CONVERT(1 USING "x; y")',
        'SELECT DECIMAL("x; y", 1)',
        'SELECT f("a; b" => 1)',
    ],
)
def test_a_quoted_name_is_no_way_to_more_sql(desk, statement):
    """Where SQL wants a word, a name in quotes would be printed as it is; the text is read again before it is run."""
    with pytest.raises(DOImagesError):
        desk.ask(statement)
    assert desk.sent == []
    assert desk.ask("SELECT lower('ABC') AS a").a.tolist() == ["abc"]


@pytest.mark.parametrize("name", sorted(DENIED))
def test_a_denied_function_is_refused_by_its_tree_and_by_its_text(desk, name):
    """The statement is refused where the name stands; a tree made by hand is refused as text."""
    assert name in str(desk.refuse(f"SELECT {name}('x')"))
    room = Residual("")
    with pytest.raises(StatementError, match=f"{name} is not there"):
        room.run(sqlglot.parse_one(f"SELECT {name}('x')", read="duckdb"))
    room.close()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM LATERAL duckdb_settings()",
        "SELECT * FROM query('SELECT 1')",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM duckdb_tables",
        "SELECT * FROM information_schema.tables",
        "SELECT (SELECT max(x) FROM (SELECT current_setting('threads') AS x))",
        "WITH a AS (SELECT 1) SELECT * FROM a, pg_catalog.pg_class",
    ],
)
def test_a_text_reads_from_what_it_was_handed_alone(sql):
    """DuckDB's own tables and functions are none of these, wherever they stand."""
    room = Residual("")
    with pytest.raises(StatementError):
        room.run(sqlglot.parse_one(sql, read="duckdb"))
    room.close()


def test_several_statements_in_one_text_are_not_run():
    """One tree may print as two statements."""
    tree = sqlglot.parse_one("SELECT 1 AS x", read="duckdb")
    tree.expressions[0].this.set("this", "1; SELECT 2")
    assert ";" in to_sql(tree, "duckdb")
    room = Residual("")
    with pytest.raises(StatementError, match="one at a time"):
        room.run(tree)
    room.close()


class Number(int):
    """A number that prints itself as SQL."""

    def __abs__(self):
        return "1); ATTACH ':memory:' AS z; SELECT (1"

    def __str__(self):
        return "1); SELECT (2"

    __repr__ = __str__


class Raising:
    """A value that raises whatever it is asked."""

    def __getattr__(self, name):
        raise RuntimeError(name)


def test_a_number_of_its_own_kind_is_the_number_it_is(desk):
    """How it would print itself does not matter."""
    assert desk.ask("SELECT :n AS n", params={"n": Number(5)}).n.tolist() == [5]


@pytest.mark.parametrize("value", [Raising(), [Raising()], Decimal("sNaN"), Decimal("1e1000000")], ids=repr)
def test_a_value_that_cannot_be_read_is_named(desk, value):
    """What it raises does not come out; its name does."""
    assert ":v" in str(desk.refuse("SELECT :v AS v", params={"v": value}))


def test_a_frame_that_cannot_be_read_is_named(desk):
    """What it raises does not come out; its name does."""
    with pytest.raises(DOImagesError, match="mine cannot be read as a frame: RuntimeError"):
        desk.ask("SELECT * FROM mine", frames={"mine": Raising()})


def test_explain_masks_tokens(desk):
    """A plan can be pasted anywhere."""
    told = desk.ask("EXPLAIN SELECT id FROM images WHERE name = :s", params={"s": TOKEN})
    assert TOKEN not in told.to_csv()


def test_warnings_of_the_parser_mask_tokens(desk, caplog):
    """What sqlglot does not understand it logs, statement and all."""
    with caplog.at_level(logging.DEBUG):
        desk.refuse(f"WITH x AS (COPY (SELECT '{TOKEN}') TO 'a') SELECT 1")
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("write", ["DELETE FROM images WHERE id = 1", "UPDATE images SET name = 'x' WHERE id = 1"])
def test_with_names_queries_alone(desk, write):
    """A write within a query would be none that a plan knows of."""
    assert "no query" in str(desk.refuse(f"WITH x AS ({write}) SELECT 1"))


@pytest.mark.parametrize(
    ("statement", "phrase"),
    [
        ("SELECT " + "date(" * 20 + "'now'" + ")" * 20, "stands in more than"),
        ("SELECT 1;" * 101, "100 are the most"),
        ("SELECT 1" + " + 1" * 10_001, "20,000 are the most"),
        ("SELECT 1 FROM images a" + "".join(f", images a{n}" for n in range(100)), "101 tables"),
    ],
    ids=["functions", "statements", "words", "tables"],
)
def test_what_would_take_for_ever_is_refused(desk, statement, phrase):
    """Each is far above what a person writes."""
    assert phrase in str(desk.refuse(statement))


def test_views_that_multiply_are_refused(desk):
    """Each reads the one before it three times."""
    desk.ask("CREATE VIEW b0 AS SELECT id FROM images")
    statements = [f"CREATE VIEW b{n + 1} AS SELECT x.id FROM b{n} x, b{n} y, b{n} z" for n in range(12)]
    assert "tables, views unfolded" in str(desk.refuse("; ".join(statements)))


@pytest.mark.parametrize("word", ["CURRENT_DATE", "CURRENT_TIMESTAMP", "now()"])
def test_the_time_of_now_needs_no_name(desk, word):
    """A column that is not named has the name of what it is."""
    made = desk.ask(f"SELECT {word}")
    assert made.columns.str.lower().tolist() == [word.lower()]
    assert abs(pd.Timestamp.now("UTC") - pd.to_datetime(made.iloc[0, 0], utc=True)) < pd.Timedelta(days=2)
