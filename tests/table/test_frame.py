"""The frame: its dtypes for any rows, its columns, its index, and what pandas does with it."""

import json

import numpy as np
import pandas as pd
import pytest
from scripted import image, pages_of

from doimages.api.pages import decode_pages
from doimages.api.rows import to_rows
from doimages.errors import DecodeError, UnknownColumnError, UsageError
from doimages.reader import read_do_images
from doimages.schema import IMAGES
from doimages.table.frame import default_dtype, to_frame

COLUMNS = [
    "id",
    "name",
    "description",
    "tags",
    "regions",
    "type",
    "slug",
    "status",
    "min_disk_size",
    "public",
    "created_at",
    "distribution",
    "error_message",
    "size_gigabytes",
]
TEXT = ["name", "description", "type", "slug", "status", "distribution", "error_message"]
LISTS = ["tags", "regions"]
DTYPES = {
    None: dict.fromkeys(TEXT, "str")
    | dict.fromkeys(LISTS, "object")
    | {
        "id": "int64",
        "min_disk_size": "Int64",
        "public": "boolean",
        "created_at": "datetime64[us, UTC]",
        "size_gigabytes": "Float64",
    },
    "numpy_nullable": dict.fromkeys(TEXT, "string")
    | dict.fromkeys(LISTS, "object")
    | {
        "id": "Int64",
        "min_disk_size": "Int64",
        "public": "boolean",
        "created_at": "datetime64[us, UTC]",
        "size_gigabytes": "Float64",
    },
    "pyarrow": dict.fromkeys(TEXT, "string[pyarrow]")
    | dict.fromkeys(LISTS, "list<item: string>[pyarrow]")
    | {
        "id": "int64[pyarrow]",
        "min_disk_size": "int64[pyarrow]",
        "public": "bool[pyarrow]",
        "created_at": "timestamp[us, tz=UTC][pyarrow]",
        "size_gigabytes": "double[pyarrow]",
    },
}
NULLS = {name: None for name in COLUMNS if name != "id"}
RECORDS = {
    "whole": [image(1), image(2)],
    "none": [],
    "nulls": [{"id": 1} | NULLS],
    "absent": [{"id": 1}],
    "first absent": [{"id": 1}, image(2)],
    "first null": [{"id": 1} | NULLS, image(2)],
    "whole numbers": [image(1, size_gigabytes=2)],
    "empty lists": [image(1, tags=[], regions=[])],
    "unseen words": [image(1, type="application", status="new", distribution="Unknown OS")],
}
backends = pytest.mark.parametrize("dtype_backend", DTYPES)


def decoded(records):
    """Decode the records as a page of a listing."""
    body = json.dumps({"images": records, "meta": {"total": len(records)}}).encode()
    return decode_pages([body], IMAGES)[0].rows


@pytest.fixture
def read(make_client):
    """Give a function that reads records through a client."""

    def from_records(records, **arguments):
        return read_do_images(client=make_client(pages_of(records)), **arguments)

    return from_records


@backends
@pytest.mark.parametrize("records", RECORDS.values(), ids=RECORDS)
@pytest.mark.parametrize("decode", [decoded, lambda records: to_rows(records, IMAGES)], ids=["listing", "single"])
def test_dtypes(decode, records, dtype_backend):
    """The columns have the same order and dtypes for any rows, none among them, by either way of decoding."""
    frame = to_frame(decode(records), dtype_backend=dtype_backend)

    assert frame.columns.tolist() == COLUMNS
    found = {name: str(dtype) for name, dtype in frame.dtypes.items()}
    assert found == {name: DTYPES[dtype_backend][name] for name in COLUMNS}
    assert len(frame) == len(records)


def test_default_dtypes_are_documented():
    """What the schema calls the dtype of a column is the dtype it has."""
    assert {column.name: default_dtype(column) for column in IMAGES.columns} == DTYPES[None]


@backends
@pytest.mark.parametrize("records", [[], [image(1)]], ids=["none", "one"])
def test_dtypes_of_a_read(read, records, dtype_backend):
    """A read gives the same dtypes as the frame by itself."""
    frame = read(records, dtype_backend=dtype_backend)

    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == DTYPES[dtype_backend]


def test_values():
    """The values are those of the API."""
    row = to_frame(decoded([image(7, tags=["a", "b"], slug="web-x64", size_gigabytes=2)])).iloc[0]

    assert row.to_dict() == {
        "id": 7,
        "name": "web-7",
        "description": "",
        "tags": ["a", "b"],
        "regions": ["nyc3"],
        "type": "snapshot",
        "slug": "web-x64",
        "status": "available",
        "min_disk_size": 25,
        "public": False,
        "created_at": pd.Timestamp("2026-03-01T02:35:00Z"),
        "distribution": "Ubuntu",
        "error_message": "",
        "size_gigabytes": 2.0,
    }


@backends
@pytest.mark.parametrize("record", [{"id": 1}, {"id": 1} | NULLS], ids=["absent", "null"])
def test_missing(record, dtype_backend):
    """A missing value is missing to pandas in every column, be its key absent or null."""
    frame = to_frame(decoded([record, image(2)]), dtype_backend=dtype_backend)

    assert frame.iloc[0].isna().tolist() == [False] + [True] * 13
    assert not frame.iloc[1].drop("slug").isna().any()


def test_kinds_of_missing():
    """Missing is NaN in text, NaT in a time, NA in a number or truth, None for a list."""
    row = to_frame(decoded([{"id": 1}])).iloc[0]

    assert all(isinstance(row[name], float) for name in TEXT)
    assert row["created_at"] is pd.NaT
    assert all(row[name] is pd.NA for name in ("min_disk_size", "public", "size_gigabytes"))
    assert row["tags"] is None
    assert row["regions"] is None


@backends
def test_large_ids(dtype_backend):
    """An id of 63 bits is kept to the digit."""
    frame = to_frame(decoded([image(2**63 - 1), image(2**53 + 1)]), dtype_backend=dtype_backend)

    assert frame["id"].tolist() == [2**63 - 1, 2**53 + 1]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-03-01T02:35:00Z", "2026-03-01T02:35:00+00:00"),
        ("2026-03-01T02:35:00.123456Z", "2026-03-01T02:35:00.123456+00:00"),
        ("2026-03-01T02:35:00+02:00", "2026-03-01T00:35:00+00:00"),
        ("2026-03-01 02:35:00", "2026-03-01T02:35:00+00:00"),
        ("2026-03-01", "2026-03-01T00:00:00+00:00"),
        (1_772_332_500, "2026-03-01T02:35:00+00:00"),
        ("", None),
        (None, None),
    ],
)
@backends
def test_times(text, time, dtype_backend):
    """A time is read as UTC, whatever form of ISO 8601 it has; an empty one is missing."""
    found = to_frame(decoded([image(1, created_at=text)]), dtype_backend=dtype_backend)["created_at"].iloc[0]

    assert (None if found is pd.NaT or found is pd.NA else pd.Timestamp(found).isoformat()) == time


@pytest.mark.parametrize("text", ["yesterday", "01/03/2026", "2026-13-01T00:00:00Z", "2026-03-01T02:35:00Zulu"])
def test_no_time(text):
    """What is no time makes no frame, unless its column is left out."""
    rows = decoded([image(5, created_at=text)])

    with pytest.raises(DecodeError, match=f"^created_at of image 5 is '{text}', which is no ISO 8601 time") as got:
        to_frame(rows)

    assert (got.value.column, got.value.value) == ("created_at", text)
    assert to_frame(rows, columns=["id"])["id"].tolist() == [5]


@backends
def test_unknown_fields(dtype_backend):
    """Fields that the schema does not know follow its columns, in the nullable dtype of their kind."""
    extra = {"a_number": 1, "a_share": 0.5, "a_truth": True, "a_word": "x", "a_list": ["x"]}
    frame = to_frame(decoded([image(1) | extra, image(2)]), dtype_backend=dtype_backend)

    assert frame.columns.tolist()[:14] == COLUMNS
    assert sorted(frame.columns[14:]) == sorted(extra)
    for name, value in extra.items():
        found = frame[name].iloc[0]
        assert (found if isinstance(found, str) or not hasattr(found, "__len__") else list(found)) == value
        assert frame[name].isna().tolist() == [False, True]
    assert {name: str(frame[name].dtype) for name in extra} == {
        None: {"a_number": "Int64", "a_share": "Float64", "a_truth": "boolean", "a_word": "str", "a_list": "object"},
        "numpy_nullable": {
            "a_number": "Int64",
            "a_share": "Float64",
            "a_truth": "boolean",
            "a_word": "string",
            "a_list": "object",
        },
        "pyarrow": {
            "a_number": "int64[pyarrow]",
            "a_share": "double[pyarrow]",
            "a_truth": "bool[pyarrow]",
            "a_word": "string[pyarrow]",
            "a_list": "list<item: string>[pyarrow]",
        },
    }[dtype_backend]


def test_nested_unknown_fields():
    """An unknown field that nests is kept as it is."""
    frame = to_frame(decoded([image(1, extra={"a": [1]}), image(2)]))

    assert frame["extra"].tolist()[1] is None
    assert frame["extra"].iloc[0] in ({"a": [1]}, '{"a": [1]}')


@backends
@pytest.mark.parametrize("records", [[], [image(1)]], ids=["none", "one"])
def test_columns(read, records, dtype_backend):
    """The columns are those asked for, in the order asked, with the dtypes they always have."""
    asked = ["size_gigabytes", "id", "tags"]
    frame = read(records, columns=asked, dtype_backend=dtype_backend)

    assert frame.columns.tolist() == asked
    assert [str(dtype) for dtype in frame.dtypes] == [DTYPES[dtype_backend][name] for name in asked]


def test_columns_without_id(read):
    """The id may be left out."""
    assert read([image(1)], columns=("name",)).to_dict("list") == {"name": ["web-1"]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"columns": ["naem"]}, "no column 'naem' in images. Did you mean 'name'?"),
        ({"columns": ["id", "size"]}, "no column 'size' in images. Known: id, name, "),
        ({"columns": "name"}, "columns is a list of names, not the text 'name'. Nothing was sent."),
        ({"index_col": "ID"}, "no column 'ID' in images. "),
        ({"columns": ["id"], "index_col": "name"}, "no column 'name' in images. Known: id."),
        ({"dtypes": {"size": "Float32"}}, "no column 'size' in images. "),
        ({"dtypes": {"type": "categorical"}}, "dtypes['type']: 'categorical' is no dtype that pandas knows."),
        (
            {"dtype_backend": "polars"},
            "dtype_backend from argument must be one of numpy_nullable, pyarrow, not 'polars'.",
        ),
    ],
)
def test_refused(make_client, arguments, said):
    """A name that is no column, dtype or backend is refused before anything is sent."""
    client = make_client(pages_of([image(1)]))

    with pytest.raises(UsageError) as got:
        read_do_images(client=client, **arguments)

    assert str(got.value).startswith(said)
    assert client.sent == []


def test_suggestions_of_a_refusal(read):
    """The error for an unknown column has the close ones to read."""
    with pytest.raises(UnknownColumnError) as got:
        read([], columns=["regoin"])

    assert got.value.suggestions[0] == "regions"


@backends
@pytest.mark.parametrize("records", [[], [image(3), image(1)]], ids=["none", "two"])
def test_index(read, records, dtype_backend):
    """A column can be made the index, and keeps its dtype there."""
    frame = read(records, index_col="id", dtype_backend=dtype_backend)

    assert frame.index.name == "id"
    assert frame.index.tolist() == [record["id"] for record in records]
    assert str(frame.index.dtype) == DTYPES[dtype_backend]["id"]
    assert frame.columns.tolist() == COLUMNS[1:]


def test_default_index(read):
    """Without an index_col the index counts from zero."""
    assert isinstance(read([image(3)]).index, pd.RangeIndex)
    assert read([]).index.equals(pd.RangeIndex(0))


@backends
@pytest.mark.parametrize(
    "records", [[], [image(1), image(2, type="backup"), image(3, type=None)]], ids=["none", "some"]
)
def test_category(read, records, dtype_backend):
    """A column can be made a category, with no rows as well."""
    frame = read(records, dtypes={"type": "category"}, dtype_backend=dtype_backend)

    assert isinstance(frame["type"].dtype, pd.CategoricalDtype)
    assert frame["type"].cat.categories.tolist() == (["backup", "snapshot"] if records else [])
    assert frame["type"].isna().sum() == (1 if records else 0)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("size_gigabytes", "Float32"),
        ("min_disk_size", "int16"),
        ("id", "uint64"),
        ("created_at", "datetime64[ns, UTC]"),
        ("public", bool),
        ("name", pd.StringDtype("python")),
        ("name", "object"),
        ("id", np.int64),
    ],
    ids=str,
)
def test_other_dtypes(read, name, dtype):
    """A column takes any dtype that its values fit, given by name or as an object."""
    assert read([image(1)], dtypes={name: dtype})[name].dtype == pd.api.types.pandas_dtype(dtype)


@pytest.mark.parametrize(
    ("records", "dtypes"),
    [
        ([image(1, min_disk_size=None)], {"min_disk_size": "int64"}),
        ([image(1)], {"name": "int64"}),
        ([image(1, public=None)], {"public": "bool"}),
        ([image(300)], {"id": "Int8"}),
        ([image(1)], {"regions": "category"}),
    ],
    ids=["missing", "text", "missing truth", "too large", "lists"],
)
def test_dtype_that_does_not_fit(read, records, dtypes):
    """Values that do not fit the dtype asked for make no frame, and are not bent to it."""
    (name,) = dtypes

    with pytest.raises(DecodeError, match=rf"^{name} does not fit dtypes\['{name}'\]=") as got:
        read(records, dtypes=dtypes)

    assert got.value.column == name


@backends
def test_attrs(read, dtype_backend):
    """The attrs hold one record of plain scalars, which JSON can hold."""
    frame = read([image(1)], dtype_backend=dtype_backend, tag_name=None)

    assert list(frame.attrs) == ["do_images"]
    assert json.loads(json.dumps(frame.attrs)) == frame.attrs
    assert {type(value) for value in frame.attrs["do_images"].values()} <= {str, int, bool, float, type(None)}


@pytest.mark.parametrize("arguments", [{"max_results": 0}, {"image_id": [1]}, {"type": ["snapshot", "custom"]}])
def test_attrs_of_other_reads(make_client, arguments):
    """They are as plain whatever was asked for."""
    page = pages_of([image(1)])

    def handler(request):
        single = request.url.path.endswith("/1")
        return type(page(request))(200, json={"image": image(1)}) if single else page(request)

    attrs = read_do_images(client=make_client(handler), **arguments).attrs

    assert json.loads(json.dumps(attrs)) == attrs


@backends
def test_concat(read, dtype_backend):
    """Two reads are put together with the dtypes of each, as is a read of nothing."""
    frames = [read(records, dtype_backend=dtype_backend) for records in ([image(1)], [image(2)], [])]

    joined = pd.concat(frames, ignore_index=True)

    assert joined["id"].tolist() == [1, 2]
    assert {name: str(dtype) for name, dtype in joined.dtypes.items()} == DTYPES[dtype_backend]


def test_concat_of_two_accounts(make_client):
    """Reads of two endpoints are put together, and the provenance, which would be wrong, is gone."""
    frames = [
        read_do_images(client=make_client(pages_of([image(1)]), base_url=f"https://{name}.test")) for name in ("a", "b")
    ]

    joined = pd.concat(frames)

    assert joined["id"].tolist() == [1, 1]
    assert joined.attrs == {}


@backends
def test_work_with_pandas(read, dtype_backend):
    """What people do with such a frame works: group, sort, merge, compare, count, describe."""
    frame = read([image(1), image(2, type="backup", size_gigabytes=None)], dtype_backend=dtype_backend)

    assert frame.groupby("type")["size_gigabytes"].sum().to_dict() == {"backup": 0.0, "snapshot": 2.34}
    assert frame.sort_values("created_at", ascending=False)["id"].tolist() == [1, 2]
    assert frame.merge(pd.DataFrame({"id": [2], "team": ["a"]}), on="id")["team"].tolist() == ["a"]
    assert frame[frame["created_at"] > pd.Timestamp("2026-01-01", tz="UTC")]["id"].tolist() == [1, 2]
    assert frame[frame["size_gigabytes"] > 1]["id"].tolist() == [1]
    assert frame[~frame["public"] & (frame["type"] == "snapshot")]["id"].tolist() == [1]
    assert frame.query("type == 'backup' and not public")["id"].tolist() == [2]
    assert frame["name"].str.upper().tolist() == ["WEB-1", "WEB-2"]
    assert frame.describe()["size_gigabytes"]["max"] == 2.34
    assert json.loads(frame.to_json(orient="records", date_format="iso"))[0]["regions"] == ["nyc3"]


@backends
def test_own_memory(read, dtype_backend):
    """Values of a frame can be changed, lists too, without changing another row's."""
    frame = read([image(1, tags=["a"]), image(2, tags=["a"])], dtype_backend=dtype_backend)
    frame.loc[0, "name"] = "changed"
    frame.loc[0, "min_disk_size"] = 50
    if dtype_backend != "pyarrow":
        frame["tags"].iloc[0].append("b")
        assert frame["tags"].tolist() == [["a", "b"], ["a"]]

    assert frame["name"].tolist() == ["changed", "web-2"]
    assert frame["min_disk_size"].tolist() == [50, 25]


def test_order(read):
    """The rows keep the order of the API."""
    assert read([image(5), image(1), image(3)])["id"].tolist() == [5, 1, 3]
