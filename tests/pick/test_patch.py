"""A picker's frame after a report: its rows as they are now, everything else as it was."""

import pandas as pd
import pytest
from estate import confirmed, estate, images

import doimages
from doimages.pick.patch import patched

BACKENDS = (None, "numpy_nullable", "pyarrow")
OLD = {"created_at": "2024-03-01T02:35:00Z", "tags": ["web"]}
COUNT = 6


@pytest.fixture
def account():
    with estate(*images(COUNT, **OLD)) as made:
        yield made


def read(account, **how):
    return doimages.read_do_images(private=True, client=account.here, **how)


def own(frame, *, is_index):
    """Make it a frame of a user's: a column first, an index that is no range, or ids as the index."""
    frame.insert(0, "mine", [f"note {one}" for one in frame["id"]])
    return frame.set_index("id") if is_index else frame.set_axis(pd.Index(list("abcdef"), name="letter"), axis=0)


def ids_of(frame):
    return (frame.index if frame.index.name == "id" else frame["id"]).tolist()


def cell(frame, number, column):
    return frame[column].iloc[ids_of(frame).index(number)]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("is_index", [False, True])
def test_rows_after_changes(account, backend, is_index):
    """After a delete, a rename and a tag the rows tell so, and columns, order, dtypes, index and attrs are kept."""
    frame = own(read(account, dtype_backend=backend), is_index=is_index)
    before = frame.copy(deep=True)
    some = read(account)
    confirmed(some[some["id"] == 2].do_images.delete(client=account.here))
    confirmed(some[some["id"] == 3].do_images.update(name="it's <new>", client=account.here))
    confirmed(some[some["id"] == 4].do_images.tag("prod", client=account.here))

    made = patched(frame, read(account), [2, 3, 4])

    assert ids_of(made) == [1, 3, 4, 5, 6]
    assert cell(made, 3, "name") == "it's <new>"
    assert sorted(cell(made, 4, "tags")) == ["prod", "web"]
    assert made["mine"].tolist() == [f"note {one}" for one in ids_of(made)]
    assert made.columns.tolist() == before.columns.tolist()
    assert made.dtypes.to_dict() == before.dtypes.to_dict()
    pd.testing.assert_index_equal(made.index, before.index[[0, 2, 3, 4, 5]])
    same = [0, 4, 5]
    pd.testing.assert_frame_equal(made.iloc[[ids_of(made).index(one) for one in (1, 5, 6)]], before.iloc[same])
    told = before.attrs["do_images"]
    assert made.attrs["do_images"] == told | {"rows": COUNT - 1}
    pd.testing.assert_frame_equal(frame, before)
    assert frame.attrs["do_images"] == told


def test_rows_that_were_not_told_of(account):
    """What a report does not tell of stays as it was, though it is gone or has another name by now."""
    frame = read(account)
    confirmed(frame[frame["id"] == 2].do_images.delete(client=account.here))
    confirmed(frame[frame["id"] == 3].do_images.update(name="new", client=account.here))
    pd.testing.assert_frame_equal(patched(frame, read(account), []), frame)
    pd.testing.assert_frame_equal(patched(frame, read(account), [5, 99]), frame)


def test_all_rows_gone(account):
    """A frame whose images are all gone is empty, with its dtypes."""
    frame = read(account)
    fresh = frame.iloc[:0]
    made = patched(frame, fresh, frame["id"].tolist())
    assert (len(made), made.dtypes.to_dict()) == (0, frame.dtypes.to_dict())


def test_missing_values_come_and_go(account):
    """A value that is missing now is missing in the frame, and one that was missing is there."""
    frame, fresh = read(account), read(account)
    frame["min_disk_size"] = pd.array([None, 25, 25, 25, 25, 25], "Int64")
    fresh["min_disk_size"] = pd.array([30, None, 25, 25, 25, 25], "Int64")
    fresh["tags"] = [["web"], ["web"], None, ["web"], ["web"], ["web"]]
    made = patched(frame, fresh, [1, 2, 3])
    assert made["min_disk_size"].astype(object).tolist() == [30, pd.NA, 25, 25, 25, 25]
    assert made["tags"].tolist() == [["web"], ["web"], None, ["web"], ["web"], ["web"]]


@pytest.mark.filterwarnings("error")
def test_category_takes_new_values(account):
    """A column of categories has the new value, and stays one of categories."""
    frame = read(account, dtypes={"name": "category"})
    confirmed(frame[frame["id"] == 3].do_images.update(name="new", client=account.here))
    made = patched(frame, read(account), [3])
    assert made["name"].tolist() == ["web-1", "web-2", "new", "web-4", "web-5", "web-6"]
    assert made["name"].dtype == "category"


def test_part_of_the_columns(account):
    """A frame of a few columns keeps to them; a frame that is no whole listing says nothing of its rows."""
    frame = read(account)[["name", "id"]].iloc[[4, 1]]
    confirmed(frame.do_images.update(name=lambda image: f"old-{image.name}", client=account.here))
    made = patched(frame, read(account), [5, 2])
    assert made.to_dict("list") == {"name": ["old-web-5", "old-web-2"], "id": [5, 2]}
    assert made.attrs == frame.attrs
