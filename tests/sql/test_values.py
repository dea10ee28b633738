"""Values of Python bound by :name: each kind as the literal it stands for, and what is no value refused by its name."""

# ruff: noqa: S608 - statements are what is tested here

from collections import UserDict
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from desk import get, listing
from hypothesis import example, given
from hypothesis import strategies as st

import doimages
from doimages.errors import StatementError

INDIA = timezone(timedelta(hours=5, minutes=30))
MOMENT = pd.Timestamp("2024-02-03 04:05:06.000007", tz="UTC")
SCALARS = {
    "int": (7, 7),
    "negative": (-7, -7),
    "zero": (0, 0),
    "large": (2**63 - 1, 2**63 - 1),
    "float": (1.5, 1.5),
    "negative float": (-0.25, -0.25),
    "small": (1e-7, 1e-7),
    "huge": (1e300, 1e300),
    "decimal": (Decimal("2.50"), 2.5),
    "numpy int": (np.int64(7), 7),
    "numpy uint8": (np.uint8(7), 7),
    "numpy float": (np.float32(0.5), 0.5),
    "numpy text": (np.str_("it's"), "it's"),
    "0-d array": (np.array(7), 7),
    "true": (True, True),
    "false": (False, False),
    "numpy bool": (np.bool_(True), True),
    "text": ("it's; -- \\ :a $b", "it's; -- \\ :a $b"),
    "empty": ("", ""),
    "lines": ("a\nb\r\n\tc", "a\nb\r\n\tc"),
    "unicode": ("🚀 é \N{RIGHT-TO-LEFT OVERRIDE}", "🚀 é \N{RIGHT-TO-LEFT OVERRIDE}"),
    "timestamp": (MOMENT, MOMENT),
    "datetime": (MOMENT.to_pydatetime(), MOMENT),
    "naive": (MOMENT.tz_localize(None).to_pydatetime(), MOMENT),
    "another zone": (MOMENT.tz_convert(INDIA).to_pydatetime(), MOMENT),
    "numpy time": (np.datetime64("2024-02-03T04:05:06.000007"), MOMENT),
    "numpy nanoseconds": (np.datetime64("2024-02-03T04:05:06.000007", "ns"), MOMENT),
    "date": (date(2024, 2, 3), pd.Timestamp("2024-02-03")),
}
MISSING = {
    "None": None,
    "NaN": float("nan"),
    "numpy NaN": np.float64("nan"),
    "NA": pd.NA,
    "NaT": pd.NaT,
    "numpy NaT": np.datetime64("NaT"),
    "decimal NaN": Decimal("nan"),
}
LISTS = {
    "list": [7, 8],
    "tuple": (7, 8),
    "set": {7, 8},
    "frozenset": frozenset([7, 8]),
    "range": range(7, 9),
    "array": np.array([7, 8]),
    "series": pd.Series([7, 8], index=["a", "b"]),
    "nullable": pd.Series([7, 8], dtype="Int64"),
    "arrow series": pd.Series([7, 8], dtype="int64[pyarrow]"),
    "category": pd.Series([7, 8], dtype="category"),
    "index": pd.Index([7, 8]),
    "floats": [7.0, 8.0],
    "numpy ints": [np.int64(7), np.int64(8)],
    "objects": np.array([7, np.int64(8)], dtype=object),
}
REFUSED = {
    "dict": ({"a": 1}, "a dict"),
    "object": (object(), "a object"),
    "function": (len, "a builtin_function_or_method"),
    "class": (int, "a type"),
    "frame": (pd.DataFrame({"a": [1]}), "a DataFrame"),
    "bytes": (b"7", "a bytes"),
    "complex": (7j, "a complex"),
    "fraction": (Fraction(1, 2), "a Fraction"),
    "interval": (timedelta(1), "a timedelta"),
    "numpy interval": (np.timedelta64(1, "ns"), "a timedelta"),
    "time": (time(1), "a time"),
    "table": (pa.table({"a": [1]}), "a Table"),
    "mapping": (UserDict(a=1), "a UserDict"),
    "generator": ((n for n in [7]), "a generator"),
    "list of lists": ([[7]], "a list"),
    "2-d": (np.array([[7]]), "a list"),
    "inf": (float("inf"), "a float"),
    "minus inf": (-np.inf, "a float"),
    "decimal inf": (Decimal("inf"), "a Decimal"),
    "infinite list": ([1, float("inf")], "a float"),
}


def ask(statement: str, **params: object) -> pd.DataFrame:
    """Ask what needs no request."""
    return doimages.read_do_images(statement, params=params)


@pytest.mark.parametrize(("value", "expected"), SCALARS.values(), ids=SCALARS)
def test_a_value_comes_back_as_it_was_given(value, expected):
    """Numbers, booleans, texts and times; a time without a zone is UTC, and text is never read as SQL."""
    got = ask("SELECT :a AS a, :a IS NULL AS gone", a=value)
    assert got["a"][0] == expected
    assert not got["gone"][0]


@pytest.mark.parametrize("value", MISSING.values(), ids=MISSING)
def test_a_missing_value_is_null(value):
    """Of Python, numpy, pandas and decimal."""
    assert ask("SELECT :a IS NULL AS gone, [1] AS b WHERE :b IS NULL", a=value, b=value)["gone"][0]


@pytest.mark.parametrize("values", LISTS.values(), ids=LISTS)
def test_a_list_is_the_list_of_in(values):
    """With brackets around or without, beside others, under NOT; elsewhere it is one of SQL's lists."""
    for condition in (
        "range IN :a",
        "range IN (:a)",
        "range IN (:a, 8)",
        "NOT range NOT IN :a",
        "list_contains(:a, range)",
    ):
        assert ask(f"SELECT range FROM range(20) WHERE {condition}", a=values)["range"].tolist() == [7, 8]
    assert ask("SELECT len(:a) AS n", a=values)["n"][0] == 2


@pytest.mark.parametrize("empty", [[], (), set(), range(0), pd.Series([], dtype="int64"), np.array([])], ids=type)
def test_an_empty_list_holds_nothing(desk, empty):
    """IN is true of no row, NOT IN of each; no image is asked for, and never all of them."""
    count = "SELECT count(*) AS n FROM range(5) WHERE range"
    assert ask(f"{count} IN :a", a=empty)["n"][0] == 0
    assert ask(f"{count} NOT IN :a", a=empty)["n"][0] == 5
    assert ask(f"{count} IN (:a, 1)", a=empty)["n"][0] == 1
    for name in ("image_id", "id"):
        assert len(desk.ask(f"SELECT id FROM images WHERE {name} IN :a", params={"a": empty})) == 0
        assert not any(sent.startswith("GET /v2/images/") for sent in desk.sent)


@pytest.mark.parametrize(("value", "what"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_value_is_refused_by_its_name(value, what):
    """The message names the variable and its type, points at it, and does not print what is in it."""
    with pytest.raises(StatementError, match=f"^:thing is {what}, which is no value") as caught:
        ask("SELECT 1,\n  :thing", thing=value)
    assert (caught.value.line, caught.value.column) == (2, 3)
    assert "0x" not in str(caught.value)


@pytest.mark.parametrize("text", ["a\0", "\ud800", ["fine", "\udfff"]], ids=ascii)
def test_a_letter_that_no_text_holds_is_refused(text):
    """As in the statement itself."""
    with pytest.raises(StatementError, match=r"^:a holds a letter that no SQL text can"):
        ask("SELECT :a", a=text)


@pytest.mark.parametrize("clause", ["WHERE 7 = :a", "WHERE 7 <> :a", "WHERE 'a' LIKE :a", "LIMIT :a"])
def test_a_list_is_refused_where_one_value_is_wanted(clause):
    """It says what to write instead."""
    with pytest.raises(StatementError, match=r"^:a is a list, and this takes one value\. Write IN :a"):
        ask(f"SELECT 1 {clause}", a=[7, 8])


def test_values_go_where_literals_go(desk):
    """In calls, LIMIT, OFFSET, BETWEEN, CASE and CTEs; a name may stand there twice."""
    rows = desk.ask(
        """WITH some AS (SELECT id, name FROM images WHERE id BETWEEN :low AND :high)
        SELECT id, CASE WHEN id > :low THEN :word ELSE split_part(name, :dash, :place) END AS word
        FROM some WHERE length(name) > :one ORDER BY id LIMIT :n OFFSET :one""",
        params={"low": 0, "high": 2**40, "word": "it's", "dash": "-", "place": 1, "one": 1, "n": 3},
    )
    assert rows.id.tolist() == sorted(desk.images.id)[1:4]
    assert set(rows.word) == {"it's"}


def test_values_are_pushed_down_as_literals_are(desk):
    """A bound value makes the same request as one that is written out."""
    ids = desk.images.id.tolist()[:2]
    assert desk.ask("SELECT id FROM images WHERE image_id IN :a", params={"a": ids}).id.tolist() == ids
    assert desk.sent == sorted(get(f"/v2/images/{one}") for one in ids)
    desk.ask("SELECT id FROM images WHERE tag_name = :a AND private = :b", params={"a": "prod", "b": True})
    assert desk.sent == listing(tag_name="prod", private="true")
    desk.ask("SELECT id FROM images WHERE tag_name IN :a", params={"a": {"web", "prod"}})
    assert desk.sent == sorted([*listing(tag_name="prod"), *listing(tag_name="web")])
    desk.ask("SELECT id FROM images LIMIT :a", params={"a": np.int64(5)})
    assert desk.sent == [get(page=1, per_page=5)]
    desk.ask("SELECT id FROM images WHERE type IN :a", params={"a": pd.Series(["snapshot", "backup"])})
    assert desk.sent == listing(private="true")


def test_a_time_is_compared_as_a_time(desk):
    """Aware, naive or a date alone: the rows are those of pandas."""
    since = desk.images.created_at.sort_values().iloc[30]
    for value in (
        since,
        since.to_pydatetime(),
        since.tz_localize(None),
        since.tz_convert(INDIA),
        since.to_datetime64(),
    ):
        rows = desk.ask("SELECT id FROM images WHERE created_at >= :since", params={"since": value})
        assert rows.id.tolist() == desk.images[desk.images.created_at >= since].id.tolist()
    some = desk.images.created_at.iloc[[3, 5]]
    for values in (some, some.to_numpy(), some.to_numpy("datetime64[ns]"), some.tolist(), pd.Index(some)):
        rows = desk.ask("SELECT id FROM images WHERE created_at IN :some", params={"some": values})
        assert set(rows.id) == set(desk.images[desk.images.created_at.isin(some)].id)
    rows = desk.ask("SELECT id FROM images WHERE created_at >= :since", params={"since": since.date()})
    assert rows.id.tolist() == desk.images[desk.images.created_at >= pd.Timestamp(since.date(), tz=UTC)].id.tolist()


def test_a_view_keeps_the_name_and_takes_the_value_when_it_is_read(desk):
    """CREATE VIEW binds nothing."""
    desk.ask("CREATE OR REPLACE VIEW few AS SELECT id FROM images WHERE id IN :a")
    ids = desk.images.id.tolist()[:3]
    for one in ids:
        assert desk.ask("SELECT * FROM few", params={"a": [one]}).id.tolist() == [one]
    assert ":a has no value" in str(desk.refuse("SELECT * FROM few"))
    desk.ask("DROP VIEW few")


def test_only_names_of_the_statement_are_asked_for():
    """A mapping is not read beyond them; a name in a text or comment is none."""

    class Noting(dict):
        def __getitem__(self, name):
            asked.append(name)
            return super().__getitem__(name)

    asked: list[str] = []
    values = Noting(a=1, b=2, c=3)
    doimages.read_do_images("SELECT :a, ':b', 1::int, '$.c' -- :c\n", params=values)
    assert asked == ["a"]


def test_a_name_is_taken_as_it_is_written():
    """Case counts, as in Python."""
    assert ask("SELECT :a AS x, :A AS y", a=1, A=2).iloc[0].tolist() == [1, 2]
    with pytest.raises(StatementError, match=r"^:B has no value"):
        ask("SELECT :B", b=1)


def test_a_dollar_is_a_colon():
    """`$name` is bound as `:name` is, and a missing one is pointed at."""
    assert ask("SELECT $a AS x", a=datetime(2024, 1, 1, tzinfo=UTC))["x"][0] == pd.Timestamp("2024-01-01", tz=UTC)
    with pytest.raises(StatementError) as caught:
        ask("SELECT $nosuch")
    assert caught.value.column == 8


_texts = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"))
_numbers = st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
_times = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001 - made aware


@given(st.one_of(_texts, _numbers, st.booleans(), _times))
@example("'; SELECT 1; --")
@example(-0.0)
@example(5e-324)
def test_any_value_comes_back_whatever_is_around_it(value):
    """A value is never a part of the statement: it is what it was, and the rows are counted right."""
    got = ask("SELECT :a AS a, [:a][1] = :a AS same, 'x' || :b AS b FROM range(3) WHERE :a = :a -- :a", a=value, b="'")
    assert len(got) == 3
    assert got["a"][0] == value
    assert got["same"].all()
    assert got["b"].eq("x'").all()


@given(st.lists(st.integers(0, 9)))
def test_any_list_is_what_it_holds(values):
    """IN and NOT IN divide the rows as Python does."""
    assert ask("SELECT range AS n FROM range(10) WHERE range IN :a", a=values).n.tolist() == sorted(set(values))
    assert set(ask("SELECT range AS n FROM range(10) WHERE range NOT IN :a", a=values).n) == {*range(10)} - {*values}
