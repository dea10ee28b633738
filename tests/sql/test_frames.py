"""Frames that a statement names in FROM: which kinds, which columns, and what is looked up."""

# ruff: noqa: S608 - statements are what is tested here

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from desk import listing

import doimages
from doimages.errors import StatementError, UnknownColumnError, UsageError

DAYS = ["2024-01-02T03:04:05", None]
# A column, and the dtype SQL gives it back as; its values stay what they are.
COLUMNS = {
    **{
        kind: (pd.Series([1, 2], dtype=kind), "Int64")
        for kind in ("int8", "uint16", "int64", "uint64", "Int32", "category")
    },
    "Int64 with NA": (pd.Series([1, None], dtype="Int64"), "Int64"),
    "int64[pyarrow]": (pd.Series([1, None], dtype="int64[pyarrow]"), "Int64"),
    "float64": (pd.Series([1.5, np.nan]), "Float64"),
    "float32": (pd.Series([1.5, -0.25], dtype="float32"), "Float64"),
    "Float64": (pd.Series([1.5, None], dtype="Float64"), "Float64"),
    "Decimal": (pd.Series([Decimal("1.50"), Decimal("2.25")]), "Float64"),
    "bool": (pd.Series([True, False]), "boolean"),
    "boolean": (pd.Series([True, None], dtype="boolean"), "boolean"),
    "str": (pd.Series(["it's", None], dtype="str"), "str"),
    "string": (pd.Series(["🚀", None], dtype="string"), "str"),
    "string[pyarrow]": (pd.Series(["a", None], dtype="string[pyarrow]"), "str"),
    "object of text": (pd.Series(["a", None], dtype=object), "str"),
    "category of text": (pd.Series(["a", None], dtype="category"), "str"),
    "all missing": (pd.Series([None, None], dtype=object), "str"),
    "naive ns": (pd.Series(pd.to_datetime(DAYS)).astype("datetime64[ns]"), "datetime64[us]"),
    "naive s": (pd.Series(pd.to_datetime(DAYS)).astype("datetime64[s]"), "datetime64[us]"),
    "UTC": (pd.Series(pd.to_datetime(DAYS, utc=True)), "datetime64[us, UTC]"),
    "a zone": (pd.Series(pd.to_datetime(DAYS, utc=True)).dt.tz_convert("Asia/Kolkata"), "datetime64[us, UTC]"),
    "dates": (pd.Series([dt.date(2024, 1, 2), None]), "datetime64[s]"),
    "timedelta": (pd.Series(pd.to_timedelta(["1h", None])), "timedelta64[us]"),
    "lists": (pd.Series([["a", "b"], []]), "object"),
    "lists of numbers": (pd.Series([[1], [2, 3]]), "object"),
    "lists of Arrow": (pd.Series([["a"], ["b"]], dtype=pd.ArrowDtype(pa.list_(pa.string()))), "object"),
    "dicts": (pd.Series([{"a": 1}, {"a": 2}]), "object"),
    "bytes": (pd.Series([b"a", b"\xff"]), "object"),
}
UNREADABLE = {
    "mixed": [1, "a"],
    "text first": ["a", 1],
    "bool and int": [True, 1],
    "objects": [object(), object()],
    "mixed lists": [["a"], [1]],
    "too large": [2**70, 1],
    "surrogate": pd.Series(["\ud800", "a"], dtype=object),
    "complex": [1j, 2j],
    "period": pd.period_range("2024-01", periods=2, freq="M"),
    "interval": pd.interval_range(0, 2),
    "sparse": pd.arrays.SparseArray([0, 1]),
}


class Stream:
    """What has Arrow's PyCapsule interface and nothing else, as frames of other libraries do."""

    def __init__(self, rows):
        self._rows = rows

    def __arrow_c_stream__(self, requested_schema=None):
        return self._rows.__arrow_c_stream__(requested_schema)


def ask(statement: str, **frames: object) -> pd.DataFrame:
    """Ask what needs no request."""
    return doimages.read_do_images(statement, frames=frames)


@pytest.mark.parametrize(("column", "dtype"), COLUMNS.values(), ids=COLUMNS)
def test_a_column_of_pandas_is_read(column, dtype):
    """Each dtype as the kind it is, with what is missing, and the same for no rows."""
    frame = pd.DataFrame({"x": column})
    got = ask("SELECT x FROM f", f=frame)["x"]
    assert str(got.dtype) == dtype
    assert got.isna().tolist() == column.isna().tolist()
    for one, given in zip(got.dropna(), column.dropna(), strict=True):
        assert one == (pd.Timestamp(given) if dtype.startswith("datetime") else given)
    typed = frame if column.dtype != object else None
    if typed is not None:
        assert str(ask("SELECT x FROM f WHERE 1 = 0", f=typed)["x"].dtype) == dtype


@pytest.mark.parametrize("values", UNREADABLE.values(), ids=UNREADABLE)
def test_a_column_without_one_type_is_an_error_where_it_is_used(desk, values):
    """The message names the frame, the column and a way out; beside the statement it does not matter."""
    frame = pd.DataFrame({"x": values, "id": desk.images.id[:2]})
    for select in ("f.x", "*", "f.* EXCLUDE (id)", "count(f.x)"):
        error = desk.refuse(f"SELECT {select} FROM images i JOIN f ON f.id = i.id", UsageError, frames={"f": frame})
        assert "column 'x' of the frame f cannot be read by SQL" in str(error)
        assert "astype" in str(error)
    assert len(desk.ask("SELECT i.name FROM images i JOIN f ON f.id = i.id", frames={"f": frame})) == 2


@pytest.mark.parametrize(
    "make",
    [Stream, lambda rows: rows, lambda rows: rows.to_batches()[0], lambda rows: rows.to_reader()],
    ids=["stream", "table", "batch", "reader"],
)
def test_what_speaks_arrow_is_a_frame(make):
    """A table, a batch, a reader that can be read but once, and whatever has the PyCapsule interface."""
    rows = pa.table({"a": [1, 2], "b": ["x", None], "C": [[1], []]})
    assert ask("SELECT a, b FROM f", f=make(rows)).to_numpy().tolist()[0] == [1, "x"]
    assert ask("SELECT f.a + g.a AS n FROM f JOIN f g USING (a)", f=make(rows)).n.tolist() == [2, 4]
    assert ask("SELECT count(*) AS n FROM f", f=make(rows)).n.tolist() == [2]
    assert ask("SELECT 1 AS one FROM f", f=make(rows)).one.tolist() == [1, 1]
    assert list(ask("SELECT * FROM f", f=make(rows)).columns) == ["a", "b", "C"]


def test_a_stream_that_fails_is_our_error():
    """What its maker raises is told; what is no table is told too."""

    class Broken:
        def __arrow_c_stream__(self, requested_schema=None):
            raise RuntimeError("the wire is cut")

    for frame, reason in ((Broken(), "the wire is cut"), (pa.chunked_array([[1]]), "non-struct type")):
        with pytest.raises(UsageError, match=f"^f cannot be read as a table: .*{reason}"):
            ask("SELECT * FROM f", f=frame)


@pytest.mark.parametrize("thing", [5, [1], {"a": [1]}, pd.Series([1], name="a"), None, "f", len], ids=str)
def test_what_is_no_frame_is_no_table(thing):
    """A variable of another kind is not found."""
    with pytest.raises(StatementError, match=r"^no table 'f'"):
        ask("SELECT * FROM f", f=thing)


def test_labels_that_are_no_text_are_columns_by_their_text():
    """Numbers, tuples and dates go in double quotes."""
    frame = pd.DataFrame({0: [1], (1, 2): [2], None: [3], "a b": [4], 'q"q': [5], "select": [6], "É": [7]})
    got = ask('SELECT "0", "(1, 2)", "None", "a b", "q""q", "select", É FROM f', f=frame)
    assert got.iloc[0].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert list(ask("SELECT * FROM f", f=frame).columns) == [str(label) for label in frame.columns]


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame([[1, 2, 3]], columns=["a", "a", "b"]),
        pa.table([pa.array([1]), pa.array([2]), pa.array([3])], names=["a", "a", "b"]),
    ],
    ids=["pandas", "arrow"],
)
def test_two_columns_of_one_label_are_not_guessed_between(frame):
    """It is an error where one is used, and none where not."""
    for select in ("a", "*"):
        with pytest.raises(UsageError, match=r"^the frame f has two columns 'a': rename one"):
            ask(f"SELECT {select} FROM f", f=frame)
    assert ask("SELECT b FROM f", f=frame).b.tolist() == [3]
    with pytest.raises(UsageError, match="two columns '0'"):
        ask("SELECT * FROM f", f=pd.DataFrame({0: [1], "0": [2]}))


def test_the_index_is_no_column():
    """As in pandas' own to_arrow with preserve_index=False; reset_index makes it one."""
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}, index=[7, 8])
    assert ask("SELECT * FROM f", f=frame).index.tolist() == [0, 1]
    with pytest.raises(UnknownColumnError, match=r"no column 'a' in f\. Known: b"):
        ask("SELECT a FROM f", f=frame.set_index("a"))
    assert ask("SELECT a FROM f", f=frame.set_index("a").reset_index()).a.tolist() == [1, 2]


def test_a_frame_without_rows_or_columns_has_none():
    """Its dtypes hold; without columns its rows can still be counted."""
    frame = pd.DataFrame({"a": [1], "t": pd.to_datetime(["2024-01-01"], utc=True), "b": ["x"]})
    assert ask("SELECT * FROM f", f=frame.iloc[:0]).dtypes.astype(str).tolist() == [
        "Int64",
        "datetime64[us, UTC]",
        "str",
    ]
    for empty in (pd.DataFrame(), pa.table({})):
        assert ask("SELECT count(*) AS n FROM f", f=empty).n.tolist() == [0]
    assert ask("SELECT count(*) AS n FROM f", f=pd.DataFrame(index=[7, 8])).n.tolist() == [2]


def test_a_table_comes_before_a_frame_of_its_name(desk):
    """`images` is always the API's, a CTE comes before a frame; between a view and a frame nobody guesses."""
    frame = pd.DataFrame({"id": [5], "name": ["a frame"]})
    assert len(desk.ask("SELECT id, name FROM images", frames={"images": frame})) == len(desk.images)
    assert desk.sent == listing()
    assert ask("WITH f AS (SELECT 6 AS id) SELECT id FROM f", f=frame).id.tolist() == [6]
    ask("CREATE OR REPLACE VIEW g AS SELECT 7 AS id")
    with pytest.raises(StatementError, match=r"^g is a view and a DataFrame\. DROP VIEW g"):
        ask("SELECT id FROM g", g=frame)
    ask("DROP VIEW g")
    assert ask("SELECT id FROM g", g=frame).id.tolist() == [5]
    assert ask("SELECT * FROM images_1", images_1=frame).id.tolist() == [5]


def test_a_frame_may_have_the_name_of_a_source(desk):
    """What the listing is called within the engine never takes the place of a frame."""
    frame = pd.DataFrame({"id": desk.images.id[:1], "word": ["kept"]})
    rows = desk.ask("SELECT i.id, f.word FROM images i JOIN images_1 f USING (id)", frames={"images_1": frame})
    assert rows.word.tolist() == ["kept"]


def test_a_frames_name_is_taken_as_written_and_its_columns_in_any_case():
    """Names of variables are told apart by case, columns of SQL are not."""
    frame = pd.DataFrame({"Total": [1], "b": [2]})
    assert ask('SELECT total, TOTAL AS t, B FROM "My f"', **{"My f": frame}).iloc[0].tolist() == [1, 1, 2]
    with pytest.raises(StatementError, match=r"^no table 'F'"):
        ask("SELECT * FROM F", f=frame)
    with pytest.raises(StatementError, match="no provider 'main'"):
        ask("SELECT * FROM main.f", f=frame)


class Noting(Mapping):
    """A namespace that notes what is looked up."""

    def __init__(self, **names):
        self._names, self.asked = names, []

    def __getitem__(self, name):
        self.asked.append(name)
        return self._names[name]

    def __iter__(self):
        raise AssertionError("nobody lists the names")

    def __len__(self):
        return len(self._names)


@pytest.mark.parametrize(
    ("statement", "asked"),
    [
        ("SELECT f.a FROM f WHERE a = 1 OR 'secret' = 'g'", {"f"}),
        ("SELECT a FROM f x JOIN (SELECT a FROM g) y USING (a)", {"f", "g"}),
        ("SELECT 1", set()),
        ("WITH f AS (SELECT 1 AS a) SELECT secret.a FROM f secret", set()),
        ("EXPLAIN SELECT a FROM f", {"f"}),
        ("SHOW PROVIDERS", set()),
    ],
)
def test_only_names_in_from_are_looked_up(statement, asked):
    """No other variable is touched, and the namespace is never listed."""
    frame = pd.DataFrame({"a": [1]})
    names = Noting(f=frame, g=frame, secret=frame)
    doimages.read_do_images(statement, frames=names)
    assert set(names.asked) == asked


def test_a_frame_alone_needs_no_token_and_stays_as_it_was():
    """No client is made, nothing is written into the frame, and the result shares nothing with it."""
    frame = pd.DataFrame({"a": [1, 2], "tags": [["x"], ["y"]]})
    before = frame.copy(deep=True)
    got = ask("SELECT a, tags FROM f", f=frame)
    got.loc[0, "a"] = 9
    got.tags[0].append("z")
    pd.testing.assert_frame_equal(frame, before)
    assert "do_images" not in got.attrs
