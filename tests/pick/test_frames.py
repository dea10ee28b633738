"""Frames that a picker is given: any with an integer id, one row an image; others are refused in words."""

import json

import pandas as pd
import pytest

import doimages
from doimages.errors import UsageError
from doimages.pick import shown
from doimages.pick.code import SORTS, Source
from doimages.pick.picking import Picking

FULL = {
    "id": [1, 2],
    "name": ["web", None],
    "type": ["snapshot", "base"],
    "size_gigabytes": [1.0, None],
    "min_disk_size": pd.array([None, 20], "Int64"),
    "tags": [["prod"], None],
    "regions": [[], ["nyc3", "NYC3"]],
    "public": pd.array([True, None], "boolean"),
    "created_at": pd.to_datetime(["2026-01-01", None], utc=True),
    "status": [None, "available"],
    "distribution": ["Ubuntu", None],
}
IDS = pd.DataFrame({"id": pd.array([], "int64")})


def show(frame, **state):
    """Make all that the screen shows, as JSON has it, and give the ids of the rows."""
    picking = Picking(frame, **state)
    parts = (shown.columns, shown.facets, shown.offers, shown.window, shown.marks, shown.status)
    json.dumps([part(picking) for part in parts], allow_nan=False)
    picking.hear({"kind": "all", "seq": 1})
    picking.hear({"kind": "focus", "id": next(iter(picking.rows.ids), None), "seq": 2})
    assert shown.details(picking) or not len(frame)
    assert len(picking.selected) == len(picking.value)
    return [picking.rows.ids[place] for place in picking.places]


@pytest.mark.parametrize(
    ("frame", "ids"),
    [
        (IDS, []),
        (pd.DataFrame(FULL).iloc[:0], []),
        (pd.DataFrame(FULL).iloc[:1], [1]),
        (pd.DataFrame(FULL), [1, 2]),
        (pd.DataFrame(FULL).set_index("id"), [1, 2]),
        (pd.DataFrame(FULL, index=[7, 7]), [1, 2]),
        (pd.DataFrame(FULL, index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])), [1, 2]),
        (pd.DataFrame(FULL).astype({"type": "category", "name": "category"}), [1, 2]),
        (pd.DataFrame(FULL).astype(object).astype({"id": "int64"}), [1, 2]),
        (pd.DataFrame(FULL).astype({"id": "Int64"}), [1, 2]),
        (pd.DataFrame(FULL | {"mine": [1, 2], 5: [3, 4], ("a", "b"): [5, 6], "index": [7, 8]}), [1, 2]),
        (pd.DataFrame({"id": [3], "name": [5]}), [3]),
        (pd.DataFrame({"id": [2**62, 1]}), [2**62, 1]),
    ],
    ids=range(13),
)
def test_frame_is_shown(frame, ids):
    """A frame without rows, with one, with an index or columns of its own, with dtypes of its own, is shown."""
    before = frame.copy(deep=True)
    assert show(frame) == ids
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("backend", ["numpy_nullable", "pyarrow"])
def test_words_count_once_a_row(backend):
    """A tag or region counts once a row in whatever case, is shown as it was first written, and is found in any."""
    words = [["Prod", "PROD", "web"], ["prod"], [], None, ["WEB", "web"]]
    for frame in (
        made := pd.DataFrame({"id": range(1, 6), "tags": words, "regions": words}),
        made.convert_dtypes(dtype_backend=backend),
    ):
        for key in ("tags", "regions"):
            picking = Picking(frame, **{key: ["pROD"]})
            values = shown.facets(picking)[key]["values"]
            assert sorted(values, key=str) == [["prod", "Prod", 2], ["web", "web", 2], [None, "(none)", 2]]
            assert picking.value["id"].tolist() == [1, 2]
            names = {"df": frame}
            exec(picking.spec.to_python(Source.FRAME), names)  # noqa: S102 - what is tested is that it runs
            found = doimages.read_do_images(picking.spec.to_sql(Source.FRAME), frames={"df": frame})
            assert names["picked"]["id"].tolist() == found["id"].tolist() == [1, 2]


@pytest.mark.parametrize("missing", [name for name in FULL if name != "id"])
def test_frame_without_a_column(missing):
    """A frame lacks any column but id: its filters and its order are refused by its name, all else is there."""
    frame = pd.DataFrame(FULL).drop(columns=missing)
    picking = Picking(frame)

    assert show(frame) == [1, 2]
    assert missing not in shown.columns(picking)
    assert missing not in {one.column for one in picking.rows.filters}
    if missing in SORTS:
        with pytest.raises(UsageError, match="sort is one of"):
            Picking(frame, sort=missing)
    values = {"name": "x", "size_gigabytes": [0, 1], "min_disk_size": [0, 1], "created_at": ["2026-01-01", None]}
    with pytest.raises(UsageError, match=f"no column '{missing}'"):
        Picking(frame, **{missing: values.get(missing, [None])})
    if missing in {"type", "size_gigabytes"}:
        with pytest.raises(UsageError, match="monthly_cost"):
            Picking(frame, monthly_cost=[0, 1])
        with pytest.raises(UsageError, match="sort is one of"):
            Picking(frame, sort="monthly_cost")


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame(), "one integer column, or index, 'id'"),
        (pd.DataFrame({"name": ["web"]}), "one integer column, or index, 'id'"),
        (pd.DataFrame({"id": ["1"]}), "one integer column, or index, 'id'"),
        (pd.DataFrame({"id": [1.0]}), "one integer column, or index, 'id'"),
        (pd.DataFrame({"id": [True]}), "one integer column, or index, 'id'"),
        (pd.DataFrame({"id": [1]}, index=pd.Index([2], name="id")), "one integer column, or index, 'id'"),
        (pd.DataFrame({"id": [1, 1], "name": ["a", "b"]}), "image 1 is in this frame twice.*drop_duplicates"),
        (pd.DataFrame({"name": ["a", "b"]}, index=pd.Index([4, 4], name="id")), "image 4 is in this frame twice"),
        (pd.DataFrame({"id": pd.array([1, None], "Int64")}), "a row of this frame has no id"),
        (pd.DataFrame([[1, 2]], columns=["id", "id"]), "two columns 'id'"),
        (pd.DataFrame([[1, "a", "b"]], columns=["id", "name", "name"]), "two columns 'name'"),
        (pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("id", ""), ("x", "y")])), "columns of one level"),
        (pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("x", "id"), ("x", "y")])), "columns of one level"),
    ],
    ids=range(13),
)
def test_frame_that_is_none_of_images(frame, message):
    """A frame without one integer id a row, or with a column named twice, is refused in words."""
    with pytest.raises(UsageError, match=f"{message}.*Nothing was sent"):
        Picking(frame)


@pytest.mark.parametrize("sort", [None, *SORTS, *(f"-{column}" for column in SORTS)])
def test_missing_values_stand_last(listing, sort):
    """What is missing stands last in either direction, and equals stand by their ids."""
    picking = Picking(listing, sort=sort)
    if sort is None:
        assert picking.places == list(range(len(listing)))
        return
    column = sort.removeprefix("-")
    values = listing.do_images.monthly_cost() if column == "monthly_cost" else listing[column]
    pairs = [
        (None if pd.isna(value) else value, one)
        for value, one in zip(values.iloc[picking.places], picking.value["id"], strict=True)
    ]
    present = [pair for pair in pairs if pair[0] is not None]

    assert pairs[len(present) :] == sorted(pair for pair in pairs if pair[0] is None)
    by_id = sorted(present, key=lambda pair: pair[1])
    assert present == sorted(by_id, key=lambda pair: pair[0], reverse=sort.startswith("-"))


def test_state_is_the_same_picker(listing):
    """What a picker says of its state, kept as JSON, is a picker that shows the same."""
    ids = listing["id"].tolist()
    given = {
        "name": "/(web|db)/",
        "age": ">1d",
        "size_gigabytes": [0, 20.5],
        "tags": ["PROD", None],
        "type": "snapshot",
        "created_at": [None, "2026-10-31"],
        "public": False,
        "sort": "-created_at",
        "selected": [ids[9], ids[2]],
    }
    picking = Picking(listing, **given)
    again = Picking(listing, **json.loads(json.dumps(picking.state)))

    assert again.state == picking.state
    assert picking.state["selected"] == [ids[9], ids[2]]
    assert picking.places
    for part in (shown.facets, shown.window, shown.marks, shown.status):
        assert part(again) == part(picking)
    assert Picking(listing).state == {}
