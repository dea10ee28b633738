"""Filters: what a value may be, what is refused in words, and code that no picker wrote."""

import numpy as np
import pandas as pd
import pytest

import doimages
from doimages.errors import UsageError
from doimages.pick.code import LANGUAGES, MAGIC, PYTHON, SQL, Source
from doimages.pick.picking import Picking
from doimages.pick.spec import FilterSpec

# Filter, value, what the error says.
BAD = [
    ("name", "/(/", r"name: /\(/ is no regular expression: missing \)"),
    ("name", "/[[:alpha:]]/", "no regular expression: Possible nested set"),
    ("name", r"/\pL/", r"no regular expression: bad escape \\p"),
    ("name", "/(?=a)/", "no look-around and no back-references: invalid perl operator"),
    ("name", r"/(a)\1/", "no look-around and no back-references: invalid escape sequence"),
    ("name", "/a*+/", "is no regular expression to SQL"),
    ("name", "/a{1001}/", "is no regular expression to SQL.*repetition size"),
    ("name", "x" * 501, "a text of 500 letters at most"),
    ("name", "\ud800", "a text of whole letters"),
    ("name", "/\ud800/", "a text of whole letters"),
    ("name", 5, "a text of 500 letters at most.*not 5"),
    ("name", ["web"], "a text of 500 letters"),
    ("type", {"base"}, "a list of 1000 values at most"),
    ("type", ["x"] * 1001, "a list of 1000 values at most"),
    ("type", [["base"]], "a list of texts, not"),
    ("type", b"base", "a list of texts"),
    ("tags", ["\udfff"], "a text of whole letters"),
    ("public", [1], "true or false, not 1"),
    ("public", "yes", "true or false"),
    ("size_gigabytes", [2, 1], "in this order"),
    ("size_gigabytes", [[1], 2], r"numbers of zero or more, not \[1\]"),
    ("size_gigabytes", [{}, None], "numbers of zero or more"),
    ("size_gigabytes", [-1, None], "numbers of zero or more"),
    ("size_gigabytes", [float("nan"), 1], "numbers of zero or more"),
    ("size_gigabytes", [10**400, None], "numbers of zero or more"),
    ("size_gigabytes", [True, None], "numbers of zero or more"),
    ("size_gigabytes", "12", "a pair of the least and the most"),
    ("min_disk_size", 5, "a pair of the least and the most"),
    ("created_at", ["2026-02-30", None], "days such as"),
    ("created_at", ["2026-02-02", "2026-02-01"], "in this order"),
    ("age", "90d", "after > or <"),
    ("age", ">90", "a length of time"),
    ("age", ">1m", "minutes or months"),
    ("age", ">1000000d", "a hundred years at most"),
    ("age", f">{'9' * 300}d", "a hundred years at most"),
    ("colour", "red", "no filter 'colour'"),
]


@pytest.mark.parametrize(("key", "value", "message"), BAD, ids=range(len(BAD)))
def test_value_that_is_none(listing, key, value, message):
    """A value that is none is refused in words by the spec, and by a picker, whose rows stay as they were."""
    picking = Picking(listing, name="web", sort="-id", selected=[listing["id"].iloc[0]])
    before = picking.state, picking.places

    with pytest.raises(UsageError, match=message):
        FilterSpec.of(**{key: value})
    with pytest.raises(UsageError, match=message):
        Picking(listing, **{key: value})
    with pytest.raises(UsageError, match=message):
        picking.set(sort="name", **{key: value})
    picking.hear({"kind": "filter", "spec": {key: value}, "seq": 1})

    assert picking.error
    assert (picking.state, picking.places) == before


@pytest.mark.parametrize(
    "given",
    [
        *({"name": ""}, {"name": None}, {"type": []}, {"type": None}, {"size_gigabytes": ["", None]}),
        *({"created_at": [None, None]}, {"age": " "}, {}),
    ],
)
def test_value_that_filters_nothing(given):
    """An empty value is no filter."""
    assert FilterSpec.of(**given) == FilterSpec()


@pytest.mark.parametrize("ids", [[True], [1.0], ["1"], "1", 5, [[1]], {"1": 1}, [None], b"1"], ids=repr)
def test_selected_that_is_no_list_of_ids(listing, ids):
    """What is no list of whole numbers is refused, of a new picker and of one that is there."""
    picking = Picking(listing)
    with pytest.raises(UsageError, match="selected is a list of ids"):
        Picking(listing, selected=ids)
    with pytest.raises(UsageError, match="selected is a list of ids"):
        picking.set(selected=ids)
    assert picking.state == {}


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Series])
def test_selected_in_any_list(listing, kind):
    """A list, an array and a column of ids select the same; one that is not there is passed over."""
    ids = [*listing["id"].head(2).tolist(), 1]
    picking = Picking(listing, selected=kind(ids))
    again = Picking(listing)
    again.set(selected=kind(ids))
    assert picking.state == again.state == {"selected": ids[:2]}


@pytest.mark.parametrize("sort", ["tags", "", "-", "--id", "id ", 5, ["id"], True], ids=repr)
def test_sort_that_is_none(listing, sort):
    """What is no column to sort by is refused, with those that are."""
    with pytest.raises(UsageError, match=r"sort is one of id, name, description.*monthly_cost"):
        Picking(listing, sort=sort)


OTHERS = [
    "",
    "df",
    "picked = df['x']",
    "import os",
    "picked = df\n[df[\"type\"].isin(['base'])]",
    'picked = df[df["type"].isin(["base"]) | df["public"].isin([True])]',
    'picked = df[~df["type"].isin(["base"])]',
    'picked = df[df["type"].isin([None])]',
    'picked = df[df["type"].isin([])]',
    'picked = df[df["type"].isin(["base"])].head(3)',
    'picked = df[df["type"].isin(["base"])]; import os',
    'picked = df[df["name"].str.lower().str.contains("WEB", regex=False)]',
    'picked = df[df["name"].str.lower().str.contains("/web/", regex=False)]',
    'picked = df[df["name"].str.lower().str.contains("", regex=False)]',
    'picked = df[df["name"].str.lower().str.contains(5, regex=False)]',
    'picked = df[df["name"].str.contains("(")]',
    "picked = df[df.do_images.has_tag(None)]",
    'picked = df[(df["size_gigabytes"] >= "5")]',
    'picked = df[df["type"].isin(["base"]) & df["type"].isin(["custom"])]',
    'picked = df[df["type"].isin(["base"]) & df["type"].isna()]',
    'picked = df.query("id > 0")',
    "SELECT * FROM images WHERE",
    "SELECT * FROM images WHERE private = true OR type IN ('base')",
    "SELECT * FROM images WHERE type IN ('base') OR public IN (true)",
    "SELECT * FROM images WHERE NOT type IN ('base')",
    "SELECT * FROM images WHERE type IN ('distribution')",
    "SELECT * FROM images WHERE type IN ('base', NULL)",
    "SELECT * FROM images WHERE type IN ('base') -- AND public IN (true)",
    "SELECT * FROM images WHERE type IN ('base'); DELETE FROM images",
    "SELECT * FROM images WHERE contains(lower(name), 'WEB')",
    "SELECT * FROM images WHERE contains(lower(name), 5)",
    "SELECT * FROM images WHERE regexp_matches(name, 5)",
    "SELECT * FROM images WHERE list_has_any(list_transform(tags, lambda word: lower(word)), ['PROD'])",
    "SELECT * FROM images WHERE size_gigabytes >= -5",
    "SELECT * FROM images WHERE created_at < now() - INTERVAL '3 months'",
    "SELECT * FROM images LIMIT 3",
    "SELECT id FROM images",
    "SELECT * FROM actions",
    "DELETE FROM images",
    "%%doimages\nSELECT * FROM images",
    "%%doimages picked --limit 3\nSELECT * FROM images",
]


@pytest.mark.parametrize("code", OTHERS, ids=range(len(OTHERS)))
def test_code_that_no_picker_wrote(listing, code):
    """Code that a picker does not write, or that means other rows than its filters could, is refused."""
    with pytest.raises(UsageError):
        FilterSpec.from_code(code)
    with pytest.raises(UsageError):
        Picking(listing, code=code)


@pytest.mark.parametrize("code", [5, ["SELECT * FROM images"], b"SELECT * FROM images"])
def test_code_that_is_no_text(listing, code):
    """Code is a text, and stands without other filters."""
    with pytest.raises(UsageError, match="code is a text that a picker wrote"):
        Picking(listing, code=code)
    with pytest.raises(UsageError, match="stands without other filters"):
        Picking(listing, code=FilterSpec().to_sql(), name="web")


@pytest.mark.parametrize(
    ("code", "given"),
    [
        ("  picked = df  # all", {}),
        ('picked = df[(df["size_gigabytes"] >= 5.0)]', {"size_gigabytes": [5, None]}),
        ("select * from images where type in ('base') order by id desc nulls last", {"type": ["base"]}),
        ("SELECT * FROM images WHERE private = true", {}),
        ("SELECT * FROM df WHERE type IN ('a') AND size_gigabytes >= 5", {"size_gigabytes": [5, None], "type": ["a"]}),
        ("SELECT * FROM images WHERE created_at > now() - INTERVAL '48 hours'", {"age": "<48 hours"}),
    ],
)  # fmt: skip
def test_code_with_other_literals(code, given):
    """Other literals, another order of predicates, spaces, and small letters of SQL's words are read."""
    assert FilterSpec.from_code(code) == FilterSpec.of(**given)


def test_frame_is_no_column_of_words():
    """Values that are called as the parts of a form are, are values."""
    spec = FilterSpec.of(distribution=["VALUE", "VALUES", "RATE"], name="VALUES")
    frame = pd.DataFrame({"id": [1, 2], "name": ["values", "VALUE"], "distribution": ["VALUES", "RATE"]})
    for language in (PYTHON, SQL, MAGIC):
        assert FilterSpec.from_code(spec.to_code(language)).to_sql() == spec.to_sql()
    found = doimages.read_do_images(spec.to_sql(Source.FRAME), frames={"df": frame})
    assert found["id"].tolist() == Picking(frame, **spec.to_record()).value["id"].tolist() == [1]


@pytest.mark.parametrize("price", [0.06, 0.0654321789, 1e-07, 2.0])
def test_cost_is_the_settings(monkeypatch, listing, price):
    """The cost of a month is by the setting, to its last digit, in the rows and in SQL; an unknown size has none."""
    monkeypatch.setenv("DOIMAGES_PRICE_PER_GIGABYTE_MONTH", str(price))
    costs = listing.do_images.monthly_cost().dropna().sort_values()
    spec = FilterSpec.of(monthly_cost=[costs.iloc[len(costs) // 2], costs.iloc[-1]])

    shown = Picking(listing, sort="monthly_cost", **spec.to_record()).value["id"].tolist()
    found = doimages.read_do_images(spec.to_sql(Source.FRAME, "monthly_cost"), frames={"df": listing})
    every = doimages.read_do_images(FilterSpec.of(monthly_cost=[0, None]).to_sql(Source.FRAME), frames={"df": listing})

    assert found["id"].tolist() == shown
    assert len(every) == len(costs) < len(listing)
    assert FilterSpec.from_code(spec.to_sql()) == FilterSpec.from_code(spec.to_python()) == spec


REGEX = pd.DataFrame({"id": [1, 2, 3, 4], "name": ["é", "web-01\n", "١٢", "web-01"]})


@pytest.mark.parametrize(
    ("pattern", "python", "re2"),
    [(r"/^\w/", [1, 2, 3, 4], [2, 4]), ("/1$/", [2, 4], [4]), (r"/^\d+$/", [3], [])],
)
def test_engines_of_regular_expressions(pattern, python, re2):
    """Where engines differ, a picker finds what the Python it shows finds; SQL, and a frame of Arrow, have RE2's."""
    arrow = REGEX.convert_dtypes(dtype_backend="pyarrow")
    spec = FilterSpec.of(name=pattern)
    for frame, expected in ((REGEX, python), (arrow, re2)):
        names = {"df": frame}
        exec(spec.to_python(Source.FRAME), names)  # noqa: S102 - what is tested is that it runs
        found = doimages.read_do_images(spec.to_sql(Source.FRAME), frames={"df": frame})
        assert Picking(frame, name=pattern).value["id"].tolist() == names["picked"]["id"].tolist() == expected
        assert found["id"].tolist() == re2


@pytest.mark.parametrize("sort", [None, "id", "-id", "name", "-created_at", "monthly_cost", "-monthly_cost"])
@pytest.mark.parametrize("filters", [{}, {"type": ["snapshot"]}])
@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.name)
def test_code_gives_its_order_too(listing, sort, filters, language):
    """What a picker wrote makes a picker that shows the same rows in the same order."""
    picking = Picking(listing, sort=sort, **filters)
    again = Picking(listing, code=picking.spec.to_code(language, picking.source, picking.sort))
    assert again.state == picking.state
    assert again.places == picking.places
