"""The engine by itself: what it cannot reach though nothing stands before it, and the dtypes of what it gives."""

# ruff: noqa: S608 - statements are what is tested here

import asyncio
import threading

import pandas as pd
import pyarrow as pa
import pytest
import sqlglot

import doimages
from doimages.errors import StatementError
from doimages.sql import residual
from doimages.sql.residual import Residual


def run(statement: str, **tables: pa.Table) -> list[dict]:
    """Run a tree that no check of ours has seen, in a room of its own."""
    room = Residual(statement)
    try:
        for name, rows in tables.items():
            room.hand_over(name, rows)
        return room.run(sqlglot.parse_one(statement, read="duckdb")).to_pylist()
    finally:
        room.close()


def look(sql):
    """Ask DuckDB itself how it stands, past the wall."""
    room = Residual("")
    try:
        return room._connection.sql(sql).fetchall()
    finally:
        room.close()


@pytest.mark.parametrize(
    "source",
    [
        "read_csv('/etc/passwd')",
        "read_csv('there.csv')",
        "read_text('/etc/passwd')",
        "read_blob('there.csv')",
        "read_json('there.csv')",
        "read_parquet('there.csv')",
        "parquet_metadata('there.csv')",
        "sniff_csv('there.csv')",
        "glob('/etc/*')",
        "'there.csv'",
        "'https://127.0.0.1/there.csv'",
        "read_csv('http://127.0.0.1:1/there.csv')",
        "read_parquet('s3://there/there.parquet')",
        "duckdb_secrets()",
        "which_secret('s3://there', 's3')",
        "secret",
        "os",
        "globals",
    ],
)
def test_no_query_reaches_files_network_or_variables(tmp_path, monkeypatch, source):
    """The lock holds without the checks before it: a file that is there is not read, nor a variable of Python."""
    # DuckDB looks into the function that calls it, and into its module.
    monkeypatch.setattr(residual, "secret", pa.table({"word": ["sesame"]}), raising=False)
    (tmp_path / "there.csv").write_text("word\nsesame\n", encoding="utf-8")
    with pytest.raises(StatementError):
        run(f"SELECT * FROM {source}")


def test_no_function_reads_the_environment(monkeypatch):
    """Tokens are often there."""
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", "sesame")
    with pytest.raises(StatementError, match="no function 'getenv'"):
        run("SELECT getenv('DIGITALOCEAN_TOKEN')")


@pytest.mark.parametrize(
    "statement",
    [
        "SET enable_external_access = true",
        "SET GLOBAL lock_configuration = false",
        "SET python_enable_replacements = true",
        "SET memory_limit = '90GB'",
        "SET TimeZone = 'Europe/Berlin'",
        "PRAGMA memory_limit = '90GB'",
        "ATTACH 'there.db'",
        "COPY (SELECT 1) TO 'there.csv'",
        "INSTALL httpfs",
        "CREATE TABLE kept AS SELECT 1 AS a",
        "INSERT INTO kept SELECT 1",
        "DROP TABLE kept",
        "DELETE FROM kept",
    ],
)
def test_nothing_but_queries_is_run(tmp_path, statement):
    """A setting is not changed, a table not made that other rooms would see, a file not written."""
    before = look("SELECT name, value FROM duckdb_settings() ORDER BY name")
    with pytest.raises(StatementError, match="only queries are run"):
        run(statement)
    assert look("SELECT name, value FROM duckdb_settings() ORDER BY name") == before
    assert look("SELECT * FROM duckdb_tables()") == []
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("setting", ["enable_external_access = true", "lock_configuration = false", "threads = 1"])
def test_the_settings_are_locked_in_duckdb_itself(setting):
    """Even were a statement run that is no query."""
    room = Residual("")
    with pytest.raises(Exception, match="the configuration has been locked"):
        room._connection.execute(f"SET {setting}")
    room.close()


def test_a_table_is_seen_in_its_own_room_only():
    """Two queries at once may call different rows by one name."""
    one, other = Residual(""), Residual("")
    one.hand_over("images_1", pa.table({"a": [1]}))
    query = sqlglot.parse_one("SELECT * FROM images_1", read="duckdb")
    with pytest.raises(StatementError, match="images_1 is not there"):
        other.run(query)
    other.hand_over("images_1", pa.table({"a": [2]}))
    assert (one.run(query)["a"].to_pylist(), other.run(query)["a"].to_pylist()) == ([1], [2])
    one.close()
    assert other.run(query)["a"].to_pylist() == [2]
    other.close()
    with pytest.raises(StatementError):
        run("SELECT * FROM images_1")


# An expression, and the dtype of its column by default; with the nullable and the Arrow backend if that is another.
_TIME = "datetime64[us, UTC]"
DTYPES = {
    **dict.fromkeys(
        (
            *(f"1::{kind}" for kind in ("TINYINT", "UTINYINT", "SMALLINT", "INT", "BIGINT", "UBIGINT", "HUGEINT")),
            *("1::DECIMAL(10, 0)", "sum(1)", "count(*)", "sum(CASE WHEN true THEN 1 END)", "max(1::UHUGEINT)"),
        ),
        ("Int64", "Int64", "int64[pyarrow]"),
    ),
    **dict.fromkeys(
        ("1.5", "1::DECIMAL(30, 2)", "1::FLOAT", "1::DOUBLE", "avg(1)", "1 / 2", "total(1)"),
        ("Float64", "Float64", "double[pyarrow]"),
    ),
    **dict.fromkeys(("true", "1 = 2", "bool_or(true)"), ("boolean", "boolean", "bool[pyarrow]")),
    **dict.fromkeys(
        (
            *("'x'", "'a'::ENUM('a', 'b')", "NULL", "max(NULL)", "count(*)::VARCHAR", "string_agg('a', ',')"),
            *("""'{"a": 1}'::JSON""", "'00000000-0000-0000-0000-000000000001'::UUID"),
        ),
        ("str", "string", "string[pyarrow]"),
    ),
    "TIMESTAMPTZ '2024-01-02 03:04:05+02'": (_TIME, _TIME, "timestamp[us, tz=UTC][pyarrow]"),
    "now()": (_TIME, _TIME, "timestamp[us, tz=UTC][pyarrow]"),
    "TIMESTAMP '2024-01-02 03:04:05'": ("datetime64[us]", "datetime64[us]", "timestamp[us][pyarrow]"),
    "TIMESTAMP_NS '2024-01-02 03:04:05'": ("datetime64[us]", "datetime64[us]", "timestamp[us][pyarrow]"),
    "DATE '2024-01-02'": ("datetime64[s]", "datetime64[s]", "timestamp[s][pyarrow]"),
    "INTERVAL 36 HOUR": ("timedelta64[us]", "timedelta64[us]", "duration[us][pyarrow]"),
    "TIME '03:04:05'": ("object", "object", "time64[us][pyarrow]"),
    "['a', NULL]": ("object", "object", "list<item: string>[pyarrow]"),
    "[1, 2]": ("object", "object", "list<l: int32>[pyarrow]"),
    "[['a'], ['b']]": ("object", "object", "list<l: list<l: string>>[pyarrow]"),
    "{'a': 1, 'b': ['x']}": ("object", "object", "struct<a: int32, b: list<l: string>>[pyarrow]"),
    "MAP {'a': 1}": ("object", "object", "map<string, int32>[pyarrow]"),
}


@pytest.mark.parametrize("rows", [1, 0])
@pytest.mark.parametrize(("expression", "dtypes"), DTYPES.items(), ids=DTYPES)
def test_a_column_has_the_dtype_of_its_expression(expression, dtypes, rows):
    """Whatever it is, with a row and without, as pandas calls it and as Arrow does."""
    statement = f"SELECT {expression} AS x FROM range(3) HAVING {rows} = 1"
    if not any(word in expression for word in ("count", "sum", "max", "avg", "total", "agg", "bool_or")):
        statement = f"SELECT {expression} AS x FROM range({rows})"
    for backend, dtype in zip((None, "numpy_nullable", "pyarrow"), dtypes, strict=True):
        frame = doimages.read_do_images(statement, dtype_backend=backend)
        assert (str(frame.dtypes["x"]), len(frame)) == (dtype, rows)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("sum(9007199254740993)", 27021597764222979),
        ("0.1::DECIMAL(3, 1)", 0.1),
        ("TIMESTAMPTZ '2024-01-02 03:04:05+02'", pd.Timestamp("2024-01-02 01:04:05", tz="UTC")),
        ("TIMESTAMP '2024-01-02 03:04:05'", pd.Timestamp("2024-01-02 03:04:05")),
        ("DATE '9999-12-31'", pd.Timestamp("9999-12-31")),
        ("INTERVAL 36 HOUR", pd.Timedelta(hours=36)),
        ("INTERVAL '1 month 1 day'", pd.Timedelta(days=31)),
        ("[['a'], NULL, []]", [["a"], None, []]),
        ("['a', NULL]", ["a", None]),
        ("{'a': 1, 'b': ['x']}", {"a": 1, "b": ["x"]}),
        ("MAP {'a': 1}", [("a", 1)]),
        ("chr(128640) || 'é'", "🚀é"),
    ],
)
def test_a_value_comes_as_it_is(expression, value):
    """Large whole numbers are not rounded, times keep their zone, lists are lists."""
    is_sum = expression.startswith("sum")
    frame = doimages.read_do_images(f"SELECT {expression} AS x FROM range({3 if is_sum else 1})")
    assert frame["x"][0] == value


@pytest.mark.parametrize(
    "expression", ["NULL::INT", "NULL::VARCHAR[]", "NULL::TIMESTAMPTZ", "NULL::DATE", "NULL", "NULL::INTERVAL"]
)
def test_what_is_missing_is_missing_for_pandas(expression):
    """In every kind of column, alone and beside other rows."""
    frame = doimages.read_do_images(f"SELECT {expression} AS x FROM range(2)")
    assert frame["x"].isna().all()


def test_columns_of_one_name_get_numbers():
    """No column is lost, and none takes the name of another."""
    frame = doimages.read_do_images("SELECT 1 AS a, 2 AS a, 3 AS a_1, 4 AS a")
    assert frame.iloc[0].to_dict() == {"a": 1, "a_1": 2, "a_1_1": 3, "a_2": 4}


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("123456789012345678901234567890", "more than 64 bits. CAST it to DOUBLE or VARCHAR"),
        ("sum(9223372036854775807) FROM range(2)", "more than 64 bits"),
        ("18446744073709551615::UBIGINT", "more than 64 bits"),
        ("union_value(a := 1)", "a type that no frame has. CAST it to VARCHAR"),
        ("1::BIGNUM", "a type that no frame has"),
    ],
)
def test_a_value_that_no_column_holds_is_told(expression, message):
    """It is never wrapped around, rounded or given as bytes."""
    with pytest.raises(StatementError, match=message.replace(".", r"\.")):
        doimages.read_do_images(f"SELECT {expression}")
    assert len(doimages.read_do_images("SELECT CAST(123456789012345678901234567890 AS VARCHAR) AS x")["x"][0]) == 30


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("CAST('x' AS INT)", "could not convert string 'x' to INT32. TRY_CAST gives NULL instead."),
        ("error('boom')", "boom."),
        ("json_extract('not json', '$.a')", "malformed JSON"),
        ("list_sum('a')", "You might need to add explicit type casts"),
    ],
)
def test_what_duckdb_refuses_is_our_error(expression, message):
    """In its words, without its name and line."""
    with pytest.raises(StatementError) as caught:
        doimages.read_do_images(f"SELECT {expression}")
    assert message in str(caught.value)
    assert "Error:" not in str(caught.value)
    assert "LINE" not in str(caught.value)


def test_a_query_is_stopped_though_it_has_not_begun(monkeypatch):
    """An interrupt that comes too early for DuckDB is not lost: the query does not run on with nobody waiting."""
    begun, heard, ended = threading.Event(), threading.Event(), threading.Event()
    run_plain, interrupt_plain = Residual.run, Residual.interrupt

    def run_late(self, query, *, with_rows=True):
        if not with_rows:
            return run_plain(self, query, with_rows=False)
        begun.set()
        heard.wait(60)
        try:
            return run_plain(self, query)
        finally:
            ended.set()

    def interrupt_early(self):
        interrupt_plain(self)
        heard.set()

    async def cancel():
        runaway = "SELECT count(*) FROM range(1000000000) a, range(1000000) b WHERE hash(a.range + b.range) = 5"
        task = asyncio.create_task(doimages.aread_do_images(runaway))
        await asyncio.to_thread(begun.wait, 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await asyncio.to_thread(ended.wait, 60)

    monkeypatch.setattr(Residual, "run", run_late)
    monkeypatch.setattr(Residual, "interrupt", interrupt_early)
    assert asyncio.run(cancel())
