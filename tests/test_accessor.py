"""``df.do_images``: what a frame of images can tell, whichever way it came about."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pandas as pd
import pytest
from scripted import image, pages_of

from doimages.accessor import ImagesAccessor
from doimages.errors import CredentialsError, NotFoundError, UsageError
from doimages.reader import read_do_images
from doimages.settings import options

IMAGES = [
    image(11, tags=["prod", "web"], regions=["nyc3", "ams3"]),
    image(12, tags=[], regions=[], size_gigabytes=0.05),
    image(13, tags=None, regions=["nyc3"], type="custom", size_gigabytes=50),
    image(14, tags=["Prod"], regions=["fra1"], type="backup", size_gigabytes=4),
    image(15, tags=["dev"], regions=None, type="base", public=True, size_gigabytes=0),
    image(16, tags=["dev", None], type="snapshot", size_gigabytes=None),
    image(17, tags=["dev"], type="snapshot", size_gigabytes=0),
    image(18, tags=["dev"], type=None),
]
BACKENDS = [None, "numpy_nullable", "pyarrow"]
backends = pytest.mark.parametrize("dtype_backend", BACKENDS)


@pytest.fixture
def read(make_client):
    """Give a function that reads the images of the script, or others."""

    def from_script(images=IMAGES, **arguments):
        return read_do_images(client=make_client(pages_of(images)), **arguments)

    return from_script


@backends
def test_ids(read, dtype_backend):
    """The ids come in the order of the rows, as plain ints."""
    frame = read(dtype_backend=dtype_backend)

    assert frame.do_images.ids == [11, 12, 13, 14, 15, 16, 17, 18]
    assert {type(number) for number in frame.do_images.ids} == {int}


@backends
def test_ids_of_an_index(read, dtype_backend):
    """An id that is the index is found there."""
    frame = read(dtype_backend=dtype_backend, index_col="id")

    assert frame.do_images.ids == [11, 12, 13, 14, 15, 16, 17, 18]
    assert frame.iloc[[3, 1]].do_images.ids == [14, 12]


@backends
def test_ids_of_parts(read, dtype_backend):
    """A frame that was filtered, sorted, sliced or repeated tells its own ids, each once."""
    frame = read(dtype_backend=dtype_backend)

    assert frame[frame["id"] > 15].do_images.ids == [16, 17, 18]
    assert frame.sort_values("id", ascending=False).head(2).do_images.ids == [18, 17]
    assert frame.query("id == 12").do_images.ids == [12]
    assert frame.iloc[::4].do_images.ids == [11, 15]
    assert pd.concat([frame.head(2), frame.head(3)]).do_images.ids == [11, 12, 13]
    assert frame.head(0).do_images.ids == []
    assert frame[["id"]].do_images.ids == [11, 12, 13, 14, 15, 16, 17, 18]


def test_missing_ids():
    """A missing id is left out."""
    assert pd.DataFrame({"id": pd.array([7, None, 8], "Int64")}).do_images.ids == [7, 8]


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint64", "Int64", "int64[pyarrow]"])
def test_any_integer_is_an_id(dtype):
    """Any integer dtype will do for an id."""
    assert pd.DataFrame({"id": pd.Series([7], dtype=dtype)}).do_images.ids == [7]


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"name": ["web"]}),
        pd.DataFrame({"id": ["7"]}),
        pd.DataFrame({"id": [7.0]}),
        pd.DataFrame({"id": [True]}),
        pd.DataFrame({"id": [None]}),
        pd.DataFrame({"id": pd.to_datetime(["2026-01-01"])}),
        pd.DataFrame({"ID": [7]}),
        pd.DataFrame({"name": ["web"]}, index=pd.Index([7], name="number")),
        pd.DataFrame(),
        pd.DataFrame([[7, 8]], columns=["id", "id"]),
        pd.DataFrame([[7, 8]], columns=["id", "id"], index=pd.Index([7], name="id")),
        pd.DataFrame([[7, 8]], columns=pd.MultiIndex.from_tuples([("id", ""), ("name", "x")])),
        pd.DataFrame([[8]], columns=pd.MultiIndex.from_tuples([("name", "x")]), index=pd.Index([7], name="id")),
    ],
    ids=[
        *("no id", "text", "float", "bool", "object", "time", "capitals", "other index", "empty"),
        *("two ids", "three ids", "levels", "levels with an index"),
    ],
)
def test_hidden(frame):
    """The accessor is hidden from a frame without an integer id."""
    assert not hasattr(frame, "do_images")
    with pytest.raises(AttributeError, match="do_images is for frames with an integer column"):
        ImagesAccessor(frame)


def test_offered():
    """The accessor is among the attributes that completion offers."""
    assert "do_images" in dir(pd.DataFrame({"id": [7]}))


def test_stateless(read):
    """The accessor holds its frame and nothing else."""
    assert list(vars(read().do_images)) == ["_frame"]


@backends
def test_provenance(read, dtype_backend):
    """The provenance tells where, when and how the frame was read."""
    found = read(dtype_backend=dtype_backend).do_images.provenance

    read_at = datetime.fromisoformat(found.pop("fetched_at"))
    assert timedelta(0) <= datetime.now(UTC) - read_at < timedelta(minutes=5)
    assert found == {
        "v": 1,
        "endpoint": "https://api.test",
        "token_from": "the token argument",
        "query": "GET /v2/images",
        "rows": 8,
        "total": 8,
        "requests": 1,
        "complete": True,
    }


def test_provenance_is_a_copy(read):
    """Changing what provenance gives does not change the frame."""
    frame = read()
    frame.do_images.provenance.clear()

    assert frame.do_images.provenance["rows"] == 8


def test_no_provenance():
    """A frame of another origin has none."""
    assert pd.DataFrame({"id": [7]}).do_images.provenance == {}


@backends
def test_provenance_stays(read, tmp_path, dtype_backend):
    """The provenance comes through slices, queries, copies, pickles and Parquet."""
    frame = read(dtype_backend=dtype_backend)
    kept = frame.do_images.provenance
    frame.to_parquet(tmp_path / "images.parquet")
    frame.to_pickle(tmp_path / "images.pickle")
    # pandas reads lists of Arrow back only if it is told to: it does not know their dtype by name.
    how = {"dtype_backend": "pyarrow"} if dtype_backend == "pyarrow" else {}

    assert frame[2:].do_images.provenance == kept
    assert frame.query("id > 12").sort_values("name").reset_index(drop=True).do_images.provenance == kept
    assert frame.copy().assign(extra=1)[["id", "extra"]].do_images.provenance == kept
    assert pd.read_parquet(tmp_path / "images.parquet", **how).do_images.provenance == kept
    assert pd.read_pickle(tmp_path / "images.pickle").do_images.provenance == kept  # noqa: S301 - of our own making
    assert frame.set_index("id").do_images.provenance == kept


def aged(minutes):
    frame = pd.DataFrame({"id": [7]})
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    frame.attrs["do_images"] = {"fetched_at": at.isoformat(timespec="seconds")}
    return frame


def test_is_stale():
    """A frame is stale after 15 minutes, or as many as are given."""
    assert not aged(14).do_images.is_stale()
    assert aged(16).do_images.is_stale()
    assert aged(14).do_images.is_stale(minutes=10)
    assert not aged(16).do_images.is_stale(20)
    assert aged(1).do_images.is_stale(0)


def test_is_stale_by_setting():
    """The setting stale_minutes changes how many."""
    with options.option_context(stale_minutes=60):
        assert not aged(59).do_images.is_stale()
        assert aged(61).do_images.is_stale()


def test_unknown_age_is_stale():
    """A frame that does not know when it was read is stale."""
    assert pd.DataFrame({"id": [7]}).do_images.is_stale()


@backends
def test_has_region(read, dtype_backend):
    """A row has a region if it is in one of those named; without regions it has none."""
    found = read(dtype_backend=dtype_backend).do_images.has_region("nyc3", "FRA1")

    assert found.tolist() == [True, False, True, True, False, True, True, True]
    assert found.dtype == bool


@backends
def test_has_tag(read, dtype_backend):
    """A row has a tag in any case of its letters; where tags are unknown it has none."""
    frame = read(dtype_backend=dtype_backend)

    assert frame.do_images.has_tag("PROD").tolist() == [True, False, False, True, False, False, False, False]
    assert frame.do_images.has_tag("web", "dev").tolist() == [True, False, False, False, True, True, True, True]
    assert not frame.do_images.has_tag("pro").any()


@backends
def test_has_is_a_mask(read, dtype_backend):
    """What it gives selects rows, whatever the index, and of no rows none."""
    frame = read(dtype_backend=dtype_backend)
    by_id = read(dtype_backend=dtype_backend, index_col="id")

    assert frame[frame.do_images.has_region("fra1")]["id"].tolist() == [14]
    assert by_id[by_id.do_images.has_region("fra1")].index.tolist() == [14]
    part = frame[frame["id"] > 13]
    assert part[part.do_images.has_tag("prod")]["id"].tolist() == [14]
    empty = frame.head(0)
    assert len(empty[empty.do_images.has_tag("prod")]) == 0
    assert len(empty[~empty.do_images.has_region("nyc3")]) == 0


def test_has_nothing(read):
    """Nothing to look for is refused."""
    with pytest.raises(UsageError, match="name at least one of the tags"):
        read().do_images.has_tag()
    with pytest.raises(UsageError, match="name at least one of the regions"):
        read().do_images.has_region()


@pytest.mark.parametrize("word", [5, None, ["prod"], b"prod"], ids=repr)
def test_has_what_is_no_text(read, word):
    """What is no text is no tag and no region."""
    for ask, column in ((read().do_images.has_tag, "tags"), (read().do_images.has_region, "regions")):
        with pytest.raises(
            UsageError, match=rf"^{column} to look for are texts, one by one, not .*Nothing was sent\.$"
        ):
            ask("prod", word)


def test_column_that_is_there_twice(read):
    """A column that is there twice is refused where it is looked at, and the ids are told all the same."""
    frame = read()
    twice = pd.concat([frame, frame[["name", "type"]]], axis=1)

    assert twice.do_images.ids == frame.do_images.ids
    for ask in (twice.do_images.latest, twice.do_images.monthly_cost):
        with pytest.raises(UsageError, match=r"this frame has 2 columns '(name|type)'; drop all but one"):
            ask()


@pytest.mark.parametrize(
    "ask",
    [lambda found: found.has_tag("a"), lambda found: found.explode("tags"), lambda found: found.monthly_cost()],
    ids=["has_tag", "explode", "monthly_cost"],
)
def test_missing_column(read, ask):
    """A frame without the column says so."""
    with pytest.raises(UsageError, match=r"this frame has no column '(tags|type)'; read it with that column"):
        ask(read(columns=["id", "name"]).do_images)


@backends
def test_explode(read, dtype_backend):
    """There is a row for each region, and one with a missing value where there is none; the index repeats."""
    found = read(dtype_backend=dtype_backend).do_images.explode("regions")

    assert found["id"].tolist() == [11, 11, 12, 13, 14, 15, 16, 17, 18]
    assert found["regions"].fillna("-").tolist() == ["nyc3", "ams3", "-", "nyc3", "fra1", "-", "nyc3", "nyc3", "nyc3"]
    assert found["regions"].dtype == "str"
    assert found.index.tolist() == [0, 0, 1, 2, 3, 4, 5, 6, 7]


@backends
def test_explode_groups(read, dtype_backend):
    """Exploded tags can be counted, and a missing one within a list is missing."""
    found = read(dtype_backend=dtype_backend).do_images.explode("tags")

    assert found["tags"].value_counts().to_dict() == {"dev": 4, "prod": 1, "web": 1, "Prod": 1}
    assert found["tags"].isna().sum() == 3


@backends
def test_explode_nothing(read, dtype_backend):
    """A frame of no rows explodes to one of no rows with the same columns."""
    frame = read([], dtype_backend=dtype_backend)

    found = frame.do_images.explode("regions")

    assert len(found) == 0
    assert found.columns.tolist() == frame.columns.tolist()
    assert found["regions"].dtype == "str"


def test_explode_leaves_the_frame(read):
    """The frame itself stays as it was."""
    frame = read()
    frame.do_images.explode("tags")

    assert frame["tags"].iloc[0] == ["prod", "web"]


@pytest.mark.parametrize("column", ["name", "tag", "id", ""])
def test_explode_no_list(read, column):
    """A column that holds no lists is refused with those that do."""
    with pytest.raises(UsageError, match=r"holds no lists; explode tags or regions\.$"):
        read().do_images.explode(column)


@backends
def test_monthly_cost(read, dtype_backend):
    """Snapshots and custom images cost 6 cents a GB and a cent at least; other kinds and unknown sizes are missing."""
    cost = read(dtype_backend=dtype_backend).do_images.monthly_cost()

    assert [None if pd.isna(value) else round(value, 4) for value in cost] == [
        0.1404,
        0.01,
        3.0,
        None,
        None,
        None,
        0.01,
        None,
    ]
    assert (cost.name, str(cost.dtype)) == ("monthly_cost", "Float64")
    assert round(cost.sum(), 4) == 3.1604


@backends
def test_monthly_cost_at_another_rate(read, dtype_backend):
    """Another rate takes the place of the usual one; the cent stays."""
    cost = read(dtype_backend=dtype_backend).do_images.monthly_cost(rate=0.05)

    assert cost.iloc[[0, 1, 2]].tolist() == pytest.approx([0.117, 0.01, 2.5])


@backends
def test_monthly_cost_of_nothing(read, dtype_backend):
    """No images cost nothing."""
    cost = read([], dtype_backend=dtype_backend).do_images.monthly_cost()

    assert (len(cost), cost.sum(), str(cost.dtype)) == (0, 0, "Float64")


def test_monthly_cost_by_index(read):
    """The costs carry the frame's index, so that they can be assigned to it."""
    frame = read(index_col="id").iloc[[2, 0]]

    assert frame.do_images.monthly_cost().index.tolist() == [13, 11]


def test_monthly_cost_of_categories(read):
    """A kind that is a category is priced as well."""
    cost = read(dtypes={"type": "category"}).do_images.monthly_cost()

    assert cost.notna().tolist() == [True, True, True, False, False, False, True, False]


def test_monthly_cost_by_setting(read):
    """The setting price_per_gigabyte_month is the rate where none is given."""
    frame = read().head(3)

    with options.option_context(price_per_gigabyte_month=0.1):
        assert frame.do_images.monthly_cost().tolist() == pytest.approx([0.234, 0.01, 5.0])
        assert frame.do_images.monthly_cost(rate=0.05).tolist() == pytest.approx([0.117, 0.01, 2.5])


@pytest.mark.parametrize("rate", [0, -1, float("nan"), "a lot", True])
def test_monthly_cost_at_no_rate(read, rate):
    """What is no price is refused."""
    with pytest.raises(UsageError, match="price_per_gigabyte_month"):
        read().do_images.monthly_cost(rate=rate)


SERIES = [
    image(1, name="web-a", created_at="2026-03-01T00:00:00Z", tags=["prod"], regions=["nyc3"]),
    image(2, name="web-b", created_at="2026-03-03T00:00:00Z", tags=["dev"], regions=["ams3"]),
    image(3, name="db-a", created_at="2026-03-04T00:00:00Z", tags=["Prod"], regions=["nyc3", "ams3"]),
    image(4, name="db-b", created_at="2026-03-04T00:00:00Z", tags=None, regions=[]),
    image(5, name=None, created_at="2026-03-09T00:00:00Z", tags=["prod"]),
    image(6, name="web-z", created_at=None, tags=["prod"]),
]


@backends
@pytest.mark.parametrize(
    ("name", "wanted", "number"),
    [
        ("^web-", {}, 2),
        ("^web-", {"tag": "prod"}, 1),
        ("a$", {}, 3),
        (None, {"tag": "PROD"}, 3),
        (None, {"region": "NYC3"}, 3),
        (None, {"region": "ams3", "tag": "dev"}, 2),
        ("", {"tag": "dev"}, 2),
    ],
)
def test_latest(read, dtype_backend, name, wanted, number):
    """The newest image that fits is given as its row; one without a name or a time is never it."""
    row = read(SERIES, dtype_backend=dtype_backend).do_images.latest(name, **wanted)

    assert row["id"] == number
    assert row["name"] == SERIES[number - 1]["name"]


@backends
def test_latest_of_any_order(read, dtype_backend):
    """The order of the rows and the index do not count, nor do rows that were left out."""
    frame = read(SERIES, dtype_backend=dtype_backend)

    assert frame.iloc[::-1].do_images.latest("^web-")["id"] == 2
    assert frame[frame["id"] != 2].do_images.latest("^web-")["id"] == 1
    assert frame.set_index("id").do_images.latest("^web-").name == 2


@pytest.mark.parametrize(
    ("name", "wanted", "message"),
    [
        ("^mail-", {}, "latest: no image fits. Candidates are: 'db-a', 'db-b', 'web-b', 'web-a'"),
        ("^web-", {"region": "fra1"}, "latest: no image fits. Candidates are: "),
        ("^db-", {}, "latest: two of the newest were made at the same time. Candidates are: 'db-a', 'db-b'."),
        (None, {}, "latest: two of the newest were made at the same time. Candidates are: 'db-a', 'db-b', 'web-b'"),
    ],
)
def test_no_latest(read, name, wanted, message):
    """Where none fits, or two are equally new, the error names candidates, the newest first; nothing is guessed."""
    frame = read([one for one in SERIES if one["name"] and one["created_at"]])

    with pytest.raises(UsageError) as caught:
        frame.do_images.latest(name, **wanted)
    assert str(caught.value).startswith(message)


def test_no_latest_of_nothing(read):
    """A frame of no rows has no newest."""
    with pytest.raises(UsageError, match=r"^latest: no image fits\. Candidates are: none\.$"):
        read([]).do_images.latest("web")


def test_latest_by_what_is_no_expression(read):
    """What is no regular expression is refused with what is wrong with it."""
    with pytest.raises(UsageError, match=r"^name_regex is no regular expression: "):
        read(SERIES).do_images.latest("web-(")


@pytest.mark.parametrize("name", [5, b"web", ["web"]], ids=repr)
def test_latest_by_what_is_no_text(read, name):
    """What is no text is no regular expression."""
    with pytest.raises(UsageError, match=r"^name_regex is a regular expression as text, .*Nothing was sent\.$"):
        read(SERIES).do_images.latest(name)


def test_latest_of_a_list_of_tags(read):
    """One tag is looked for, and a list is none."""
    with pytest.raises(UsageError, match=r"^tags to look for are texts, one by one, not \['prod'\]"):
        read(SERIES).do_images.latest(tag=["prod"])


@backends
@pytest.mark.parametrize("status", ["NEW", "new", "pending", "deleted"])
def test_latest_that_is_ready(read, dtype_backend, status):
    """An image that is unfinished or deleted is not the newest, where the frame knows; one of unknown status may be."""
    images = [SERIES[0] | {"status": None}, SERIES[1] | {"status": status}]
    frame = read(images, dtype_backend=dtype_backend)

    assert frame.do_images.latest("^web-")["id"] == 1
    assert frame.drop(columns="status").do_images.latest("^web-")["id"] == 2


@pytest.mark.parametrize(("column", "wanted"), [("name", {}), ("created_at", {}), ("tags", {"tag": "prod"})])
def test_latest_without_a_column(read, column, wanted):
    """A frame without what latest looks at says which column it is."""
    frame = read(SERIES).drop(columns=column)

    with pytest.raises(UsageError, match=f"this frame has no column '{column}'"):
        frame.do_images.latest("web", **wanted)


def single_images(images):
    """Give a handler that answers GET /v2/images/{id} for the images there are."""
    known = {str(record["id"]): record for record in images}

    def handler(request):
        number = request.url.path.rpartition("/")[2]
        if number == "images":
            return pages_of(images)(request)
        if number in known:
            return httpx.Response(200, json={"image": known[number]})
        return httpx.Response(404, json={"id": "not_found", "message": "The resource could not be found."})

    return handler


@backends
def test_refresh(make_client, dtype_backend):
    """A refresh reads the images of the rows again, in their order, with all columns."""
    now = [*IMAGES[:3], IMAGES[3] | {"name": "renamed"}, *IMAGES[4:]]
    client = make_client(single_images(now))
    frame = read_do_images(client=make_client(pages_of(IMAGES)), columns=["id"], dtype_backend=dtype_backend)

    again = frame.iloc[[3, 0, 3]].do_images.refresh(client)

    assert again["id"].tolist() == [14, 11]
    assert again["name"].tolist() == ["renamed", "web-11"]
    assert len(again.columns) == 14
    assert [path for _, path, _ in client.sent] == ["/v2/images/14", "/v2/images/11"]


def test_refresh_of_many(make_client):
    """A hundred images and more are read again by one listing."""
    images = [image(number) for number in range(1, 151)]
    client = make_client(single_images(images))
    frame = read_do_images(client=client).iloc[::-1]
    before = len(client.sent)

    assert frame.do_images.refresh(client)["id"].tolist() == list(range(150, 0, -1))

    assert len(client.sent) == before + 1


def test_refresh_of_gone_images(make_client):
    """Images that are gone make no frame; the error names them."""
    client = make_client(single_images(IMAGES[2:]))
    frame = read_do_images(client=make_client(pages_of(IMAGES)))

    with pytest.raises(NotFoundError, match="no image 11, 12 for this token"):
        frame.do_images.refresh(client)


def test_refresh_of_nothing(make_client):
    """A frame of no rows is refreshed without a request."""
    client = make_client(pages_of([]))

    assert len(pd.DataFrame({"id": pd.Series([], dtype="int64")}).do_images.refresh(client)) == 0
    assert client.sent == []


def test_refresh_elsewhere(make_client):
    """A client of another endpoint is refused: ids mean other images there."""
    other = make_client(single_images(IMAGES), base_url="https://other.test")
    frame = read_do_images(client=make_client(pages_of(IMAGES)))

    with pytest.raises(
        UsageError, match=r"read from https://api\.test, the client speaks to https://other\.test.*Nothing"
    ):
        frame.do_images.refresh(other)

    assert other.sent == []


def test_refresh_without_provenance(make_client):
    """A frame that does not know its endpoint is read where the client speaks to."""
    client = make_client(single_images(IMAGES))

    assert pd.DataFrame({"id": [12]}).do_images.refresh(client)["name"].tolist() == ["web-12"]


def test_refresh_without_a_token():
    """Without a client and a token, refresh tells the ways to go on."""
    with pytest.raises(CredentialsError, match="No token"):
        pd.DataFrame({"id": [12]}).do_images.refresh()


def test_ids_are_json(read):
    """The ids are plain enough for JSON, where those of numpy are not."""
    frame = read()

    assert json.dumps(frame.do_images.ids) == "[11, 12, 13, 14, 15, 16, 17, 18]"
    assert isinstance(frame["id"].iloc[0], np.int64)
