"""The figures of a summary agree with plain pandas, whichever frame they are made of."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted import image, pages_of

import doimages
from doimages.accessor import ImagesAccessor
from doimages.errors import UsageError
from doimages.reader import read_do_images
from doimages.summary.figures import plain_images, summarize

PARTS = ["totals", "by_type", "by_distribution", "by_region", "ages", "biggest", "oldest"]
GROUPS = ["by_type", "by_distribution", "by_region", "ages"]
AGES = ["under 1 day", "1 to 7 days", "7 to 30 days", "30 to 90 days", "90 to 365 days", "over a year"]
IMAGES = [
    image(11, regions=["nyc3", "ams3", "nyc3"], size_gigabytes=10),
    image(12, regions=[], size_gigabytes=0.05, distribution=None),
    image(13, regions=["nyc3"], type="custom", size_gigabytes=50, name=None),
    image(14, regions=["fra1"], type="backup", size_gigabytes=50, created_at="2025-01-02T00:00:00Z"),
    image(15, regions=None, type="base", public=True, size_gigabytes=None, distribution="Debian"),
    image(16, type="snapshot", size_gigabytes=None, created_at=None),
    image(17, type="snapshot", public=True, size_gigabytes=1),
    image(18, type=None, size_gigabytes=4, created_at="2025-01-02T00:00:00Z"),
]
backends = pytest.mark.parametrize("dtype_backend", [None, "numpy_nullable", "pyarrow"])


@pytest.fixture
def read(make_client):
    """Give a function that reads the images of the script, or others."""

    def from_script(images=IMAGES, **arguments):
        return read_do_images(client=make_client(pages_of(images)), **arguments)

    return from_script


def rows(frame):
    """Give a part as a dict of its rows, None for what is missing."""
    plain = frame.astype(object).where(frame.notna(), None)
    return {None if pd.isna(key) else key: tuple(row) for key, row in zip(plain.index, plain.to_numpy(), strict=True)}


@backends
@pytest.mark.parametrize("index_col", [None, "id"])
def test_groups(read, dtype_backend, index_col):
    """Images, GB and cost come by type, distribution and region; a value and a sum that nobody knows are missing."""
    summary = read(dtype_backend=dtype_backend, index_col=index_col).do_images.summary()

    assert rows(summary.by_type) == {
        "snapshot": (4, pytest.approx(11.05), pytest.approx(0.6 + 0.01 + 0.06)),
        "backup": (1, 50, None),
        "base": (1, None, None),
        "custom": (1, 50, 3),
        None: (1, 4, None),
    }
    assert rows(summary.by_distribution) == {
        "Ubuntu": (6, 115, pytest.approx(3.66)),
        "Debian": (1, None, None),
        None: (1, 0.05, 0.01),
    }
    assert rows(summary.by_region) == {
        "nyc3": (5, 65, pytest.approx(3.66)),
        None: (2, 0.05, 0.01),
        "ams3": (1, 10, 0.6),
        "fra1": (1, 50, None),
    }
    assert list(summary.by_region.index.dropna()) == ["nyc3", "ams3", "fra1"]


@backends
def test_totals(read, dtype_backend):
    """The totals count the images, the own ones, and those of which size, cost or age is not known."""
    totals = read(dtype_backend=dtype_backend).do_images.summary().totals

    assert totals.to_dict("records") == [
        {
            "images": 8,
            "own_images": 5,
            "gigabytes": pytest.approx(115.05),
            "monthly_cost": pytest.approx(3.67),
            "unknown_size": 2,
            "unknown_cost": 1,
            "unknown_age": 1,
        }
    ]


@backends
def test_biggest_and_oldest(read, dtype_backend):
    """The biggest and the oldest come in order, equals by id; those that could be anywhere are left out."""
    summary = read(IMAGES[::-1], dtype_backend=dtype_backend).do_images.summary()

    assert list(summary.biggest["id"]) == [13, 14, 11, 18, 17, 12]
    assert list(summary.oldest["id"]) == [14, 18, 11, 12, 13, 15, 17]
    assert list(summary.biggest.columns) == list(summary.oldest.columns)
    assert summary.biggest.loc[0].to_dict() == {
        "id": 13,
        "name": pytest.approx(float("nan"), nan_ok=True),
        "type": "custom",
        "distribution": "Ubuntu",
        "size_gigabytes": 50,
        "created_at": pd.Timestamp("2026-03-01T02:35:00Z"),
        "monthly_cost": 3,
    }


def test_ten(read):
    """Of many images ten are the biggest, and ten the oldest."""
    summary = read([image(number, size_gigabytes=number) for number in range(1, 31)]).do_images.summary()

    assert list(summary.biggest["id"]) == list(range(30, 20, -1))
    assert list(summary.oldest["id"]) == list(range(1, 11))


@backends
def test_dtypes(read, dtype_backend):
    """The dtypes are the same for every backend, for missing values, and for no images."""
    expected = {name: frame.dtypes.to_dict() for name, frame in read().do_images.summary().to_frames().items()}
    assert list(expected) == PARTS

    for images in (IMAGES, []):
        parts = read(images, dtype_backend=dtype_backend).do_images.summary().to_frames()
        assert {name: frame.dtypes.to_dict() for name, frame in parts.items()} == expected
        assert {str(parts[name].index.dtype) for name in GROUPS} == {"str"}
    assert {str(dtype) for name in GROUPS for dtype in expected[name].values()} == {"int64", "Float64"}
    assert [str(dtype) for dtype in expected["oldest"].values()] == [
        *("int64", "str", "str", "str", "Float64", "datetime64[us, UTC]", "Float64")
    ]


@backends
def test_no_images(read, dtype_backend):
    """No images give zeros, and all ages."""
    summary = read([], dtype_backend=dtype_backend).do_images.summary()

    assert set(summary.totals.iloc[0]) == {0}
    assert rows(summary.ages) == dict.fromkeys(AGES, (0, 0, 0))
    assert [len(getattr(summary, name)) for name in ("by_type", "by_region", "biggest", "oldest")] == [0] * 4


@backends
def test_ages(read, dtype_backend):
    """An image is in the age it has reached; one of the future is new, one of unknown time has no age."""
    days = [-1, 0.5, 1.01, 6.9, 7.01, 29.9, 30.01, 89.9, 90.01, 364.9, 365.01, 4000]
    now = datetime.now(UTC)
    images = [
        image(number, created_at=(now - timedelta(days=age)).isoformat(), size_gigabytes=1)
        for number, age in enumerate(days, 1)
    ]
    summary = read([*images, image(99, created_at=None)], dtype_backend=dtype_backend).do_images.summary()

    assert list(summary.ages["images"]) == [2] * 6 + [1]
    assert list(summary.ages.index[:-1]) == AGES
    assert pd.isna(summary.ages.index[-1])
    assert timedelta(0) <= summary.made_at - now < timedelta(minutes=5)


def test_a_day_is_reached_at_its_start(read):
    """An age begins with its first moment."""
    frame = read(IMAGES[:1])
    made = frame.do_images.summary().made_at
    images = plain_images(frame, [11])
    images["monthly_cost"] = ImagesAccessor(images).monthly_cost()
    for edge, age in zip((1, 7, 30, 90, 365), AGES[1:], strict=True):
        images["created_at"] = pd.Series([made - timedelta(days=edge)]).astype("datetime64[us, UTC]")
        assert summarize(images, images.assign(regions="nyc3"), made).ages["images"][age] == 1


def test_price(read):
    """The price is that of the settings."""
    frame = read()
    doimages.options.price_per_gigabyte_month = 1.0

    assert frame.do_images.summary().totals["monthly_cost"].iloc[0] == pytest.approx(61.05)


def test_other_sources(read, tmp_path):
    """A frame whose times are texts, as from a CSV file, gives the same by type, age and size."""
    frame = read()
    frame.to_csv(tmp_path / "images.csv", index=False)
    expected = frame.do_images.summary()
    found = pd.read_csv(tmp_path / "images.csv").do_images.summary()

    for name in ("totals", "by_type", "by_distribution", "ages", "biggest", "oldest"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(expected, name))


@pytest.mark.parametrize("column", ["name", "type", "distribution", "regions", "size_gigabytes", "created_at"])
def test_needed_columns(read, column):
    """Without a column that is summed up, the error names it."""
    with pytest.raises(UsageError, match=f"this frame has no column '{column}'; read it with that column"):
        read().drop(columns=column).do_images.summary()


@pytest.mark.parametrize("column", ["public", "tags", "description"])
def test_other_columns(read, column):
    """The other columns may be missing; without ``public`` an image is one's own by its type."""
    own = 6 if column == "public" else 5

    assert read().drop(columns=column).do_images.summary().totals["own_images"].iloc[0] == own


@backends
@pytest.mark.parametrize("index_col", [None, "id"])
def test_no_image_counts_twice(read, dtype_backend, index_col):
    """A frame with an image in two rows is refused."""
    exploded = read(dtype_backend=dtype_backend, index_col=index_col).do_images.explode("regions")

    with pytest.raises(UsageError, match="image 11 is in more than one row, and would count twice"):
        exploded.do_images.summary()


def test_a_row_without_an_id(read):
    """A row that is of no image is refused."""
    frame = read().assign(id=pd.array([11, 12, 13, None, 15, 16, 17, 18], "Int64"))

    with pytest.raises(UsageError, match="row 3 has no id"):
        frame.do_images.summary()


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("size_gigabytes", "huge", "the column 'size_gigabytes' cannot be read as Float64"),
        ("created_at", "long ago", "the column 'created_at' cannot be read as datetime64"),
        ("created_at", 5, "the column 'created_at' holds numbers, not times"),
        ("public", "perhaps", "the column 'public' cannot be read as boolean"),
    ],
)
def test_other_values(read, column, value, said):
    """A column of other values is refused by its name."""
    with pytest.raises(UsageError, match=said):
        read().assign(**{column: value}).do_images.summary()


def test_the_frame_stays(read):
    """The frame is left as it is."""
    frame = read()
    before = frame.copy(deep=True)
    frame.do_images.summary()

    pd.testing.assert_frame_equal(frame, before)


NEWEST = datetime(2026, 11, 1, tzinfo=UTC)
any_image = st.fixed_dictionaries({
    "type": st.sampled_from([None, "snapshot", "backup", "custom", "base"]),
    "distribution": st.sampled_from([None, "Ubuntu", "Debian", "ubuntu", "", "missing", "nan"]),
    "regions": st.none() | st.lists(st.sampled_from(["nyc3", "ams3", "fra1"]), max_size=4),
    "size_gigabytes": st.none() | st.integers(0, 4000).map(lambda number: number / 4),
    "created_at": st.none() | st.integers(0, 1000).map(lambda days: NEWEST - timedelta(days)),
})  # fmt: skip


@settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(images=st.lists(any_image, max_size=12))
def test_laws(images):
    """By type, distribution and age the sums are the totals; by region each row is that of plain pandas."""
    frame = pd.DataFrame(
        [{"id": number, "name": "web"} | one for number, one in enumerate(images, 1)],
        columns=["id", "name", "type", "distribution", "regions", "size_gigabytes", "created_at"],
    ).astype({"id": "int64", "size_gigabytes": "Float64", "created_at": "datetime64[us, UTC]"})
    summary = frame.do_images.summary()
    total = summary.totals.iloc[0]

    for name in ("by_type", "by_distribution", "ages"):
        part = getattr(summary, name)
        assert part["images"].sum() == total["images"] == len(images)
        for column in ("gigabytes", "monthly_cost"):
            assert part[column].sum() == pytest.approx(0 if pd.isna(total[column]) else total[column])

    costs = frame.do_images.monthly_cost()
    kept = frame.assign(cost=costs, regions=[sorted(set(words or ())) for words in frame["regions"]]).explode("regions")
    for region, row in summary.by_region.iterrows():
        here = kept[kept["regions"].isna() if pd.isna(region) else kept["regions"] == region]
        assert row["images"] == len(here)
        for column, values in (("gigabytes", here["size_gigabytes"]), ("monthly_cost", here["cost"])):
            if values.notna().any():
                assert row[column] == pytest.approx(values.sum())
            else:
                assert row[column] is pd.NA
    assert len(summary.by_region) == kept["regions"].nunique(dropna=False)

    by_type = frame["type"].value_counts(dropna=False)
    assert {kind: count for kind, (count, *_) in rows(summary.by_type).items()} == {
        None if pd.isna(kind) else kind: count for kind, count in by_type.items()
    }
    assert list(summary.biggest["size_gigabytes"]) == sorted(frame["size_gigabytes"].dropna(), reverse=True)[:10]
    assert list(summary.oldest["created_at"]) == sorted(frame["created_at"].dropna())[:10]
