"""Laws of decoding: the fast reader and the careful one agree, and what comes is a value, kept, or an error, told."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import image

from doimages.api.pages import _decode, _decode_fast, decode_pages
from doimages.api.rows import concat
from doimages.errors import DecodeError
from doimages.schema import ACTIONS, IMAGES, SNAPSHOTS
from doimages.table.frame import to_frame

quick = settings(max_examples=100, deadline=None, derandomize=True, database=None)

words = st.text(max_size=12)
odd_words = st.sampled_from(
    ["available", "new", "NEW", "  ", "\x00", "\u202e", "<img onerror>", "🐋", "é", "2014-11-04"]
)
times = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)).map(  # noqa: DTZ001 - the zone is written behind it
    lambda time: time.isoformat(timespec="seconds") + "Z"
)
VALUES = {
    "integer": st.integers(-(2**63), 2**63 - 1),
    "number": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53),
    "string": words | odd_words,
    "boolean": st.booleans(),
    "time": times,
    "strings": st.lists(words | st.none(), max_size=3),
}
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words | odd_words
)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
new_names = words.filter(lambda name: name not in IMAGES.column_names)


def records_of(table, fields=json_values):
    columns = [column for column in table.columns if column.type != "object"]
    known = st.fixed_dictionaries(
        {column.name: VALUES[column.type] for column in columns if column.required},
        optional={column.name: st.none() | VALUES[column.type] for column in columns if not column.required},
    )
    return st.builds(lambda record, extra: extra | record, known, st.dictionaries(new_names, fields, max_size=2))


def body_of(records, plural="images", **more) -> bytes:
    return json.dumps({plural: records, "meta": {"total": len(records)}} | more).encode()


def listed(pages):
    rows = concat([page.rows for page in pages])
    return rows.schema, rows.to_pylist(), [(page.total, page.next_page) for page in pages]


pages = st.lists(st.lists(records_of(IMAGES), max_size=4), min_size=1, max_size=3)
one_field_of_many_types = st.lists(
    st.lists(st.fixed_dictionaries({"id": st.integers(1, 9)}, optional={"new": json_values}), max_size=4),
    min_size=1,
    max_size=3,
)


@quick
@given(pages=pages | one_field_of_many_types)
def test_fast_and_careful_reader_agree(pages):
    """Where the fast reader gives rows at all, they are those of the careful one, with the same columns and types."""
    bodies = [body_of(records) for records in pages]
    fast = _decode_fast(bodies, IMAGES)
    careful = [_decode(body, IMAGES) for body in bodies]
    if fast is not None:
        assert listed(fast) == listed(careful)
    assert listed(decode_pages(bodies, IMAGES)) == listed(careful)


@quick
@given(records=st.lists(records_of(SNAPSHOTS), max_size=4))
def test_snapshots_are_read_alike_by_both(records):
    """A table whose key is text is no exception."""
    bodies = [body_of(records, "snapshots")]
    fast = _decode_fast(bodies, SNAPSHOTS)
    if fast is not None:
        assert listed(fast) == listed([_decode(bodies[0], SNAPSHOTS)])


@pytest.mark.parametrize("extra", [{}, {"new": 1}, {"new": "word"}, {"new": 0.5}, {"new": ["a"]}, {"new": None}])
def test_plain_pages_take_the_fast_reader(extra):
    """The laws above are about something: a page as the API sends it is read by the fast reader."""
    bodies = [body_of([image(1) | extra, image(2)]), body_of([image(3)])]
    assert _decode_fast(bodies, IMAGES) is not None


@quick
@given(links=json_values, meta=json_values)
def test_links_and_meta_of_any_shape_are_read_alike(links, meta):
    """What is around the images may be anything: both readers take the same numbers from it, or none."""
    bodies = [json.dumps({"images": [{"id": 1}], "links": links, "meta": meta}).encode()]
    fast = _decode_fast(bodies, IMAGES)
    careful = [_decode(body, IMAGES) for body in bodies]
    if fast is not None:
        assert listed(fast) == listed(careful)
    assert careful[0].rows["id"].to_pylist() == [1]


DTYPES = {
    backend: to_frame(decode_pages([body_of([])], IMAGES)[0].rows, dtype_backend=backend).dtypes
    for backend in (None, "numpy_nullable", "pyarrow")
}


def plain(value):
    """A cell as JSON has it; missing is None."""
    if isinstance(value, list):
        return value
    if pd.isna(value):
        return None
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, pd.Timestamp) else value


@pytest.mark.parametrize("backend", [None, "numpy_nullable", "pyarrow"])
@quick
@given(records=st.lists(records_of(IMAGES, scalars), max_size=5))
def test_frame_has_its_dtypes_and_every_value(backend, records):
    """Whatever is null, absent or new, the 14 columns keep their dtypes, and each cell is what was sent."""
    rows = decode_pages([body_of(records)], IMAGES)[0].rows
    frame = to_frame(rows, dtype_backend=backend)
    assert frame.dtypes[list(IMAGES.column_names)].equals(DTYPES[backend])
    for column in IMAGES.columns:
        sent = [record.get(column.name) for record in records]
        assert [plain(value) for value in frame[column.name].tolist()] == sent
    assert set(frame.columns) == set(IMAGES.column_names).union(*records)


@quick
@given(records=st.lists(records_of(IMAGES), max_size=3))
def test_new_field_of_any_shape_is_a_column(records):
    """A field the schema does not know is a column behind the known ones, none left out."""
    rows = decode_pages([body_of(records)], IMAGES)[0].rows
    assert set(to_frame(rows, dtype_backend="pyarrow").columns) == set(IMAGES.column_names).union(*records)


WRONG = {
    "integer": ["7", "", True, 1.5, 2**63, 1e300, [7], {"id": 7}],
    "number": ["2.34", True, [2.34], {}, 10**400, "NaN"],
    "string": [7, 0.5, True, ["a"], {"a": 1}, "\ud800"],
    "boolean": ["true", 0, 1, 1.0, [], {}],
    "time": [True, 1.5, -1, 10**11, ["2014-11-04T22:23:02Z"], {}, "\udfff"],
    "strings": ["nyc3", 7, True, {"nyc3": True}, [7], [["nyc3"]], [{}], ["\ud800"]],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(column.name, value) for column in IMAGES.columns for value in WRONG[column.type]] + [("id", None)],
    ids=lambda value: f"{type(value).__name__}-{value!r:.30}",
)
def test_value_of_the_wrong_type_is_told_with_its_column(name, value):
    """A value that fits no column is an error that names the column and shows the value; no row is left out."""
    bodies = [body_of([image(1)]), body_of([image(2), image(3) | {name: value}])]
    with pytest.raises(DecodeError, match=rf"^{name} of ") as caught:
        decode_pages(bodies, IMAGES)
    assert caught.value.column == name
    assert caught.value.value == value


@pytest.mark.parametrize("word", ["yesterday", "2014-13-01T00:00:00Z", "04/11/2014", "1415139782"])
def test_text_that_is_no_time_is_told_when_the_frame_is_made(word):
    """A time that cannot be read is no missing time."""
    rows = decode_pages([body_of([image(5, created_at=word)])], IMAGES)[0].rows
    with pytest.raises(DecodeError, match=f"created_at of image 5 is '{word}', which is no ISO 8601 time"):
        to_frame(rows)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2014-11-04T22:23:02Z", datetime(2014, 11, 4, 22, 23, 2, tzinfo=UTC)),
        ("2014-11-04T23:23:02+01:00", datetime(2014, 11, 4, 22, 23, 2, tzinfo=UTC)),
        ("2014-11-04T22:23:02", datetime(2014, 11, 4, 22, 23, 2, tzinfo=UTC)),
        ("2014-11-04T22:23:02.123456Z", datetime(2014, 11, 4, 22, 23, 2, 123456, tzinfo=UTC)),
        (1415139782, datetime(2014, 11, 4, 22, 23, 2, tzinfo=UTC)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        ("", None),
    ],
)
def test_times_are_utc(value, expected):
    """ISO 8601 of any offset and Unix seconds are one time in UTC; an empty text is missing."""
    rows = decode_pages([body_of([image(1, created_at=value)])], IMAGES)[0].rows
    assert plain(to_frame(rows)["created_at"].iloc[0]) == (expected and plain(pd.Timestamp(expected)))


whole = body_of([image(1), image(2)])
mangled = st.builds(
    lambda place, length, put: whole[:place] + put + whole[place + length :],
    st.integers(0, len(whole)),
    st.integers(0, 40),
    st.binary(max_size=4) | st.sampled_from([b"NaN", b"-Infinity", b"1e999", b"null", b"{}", b"[]", b'"', b"\\ud800"]),
)


@settings(quick, max_examples=600)
@given(body=st.binary(max_size=60) | mangled | json_values.map(lambda value: json.dumps(value).encode()))
def test_bytes_of_any_kind_are_rows_or_a_decode_error(body):
    """Whatever comes, decoding gives a page that a frame can be made of, or DecodeError, and nothing else."""
    try:
        page = decode_pages([body], IMAGES)[0]
        to_frame(page.rows, dtype_backend="pyarrow")
    except DecodeError:
        return
    assert page.rows["id"].null_count == 0


@settings(quick, max_examples=300)
@given(body=mangled)
def test_mangled_bytes_are_read_alike_by_both(body):
    """The fast reader lets nothing pass that the careful one refuses."""
    fast = _decode_fast([body], IMAGES)
    if fast is not None:
        assert listed(fast) == listed([_decode(body, IMAGES)])


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("name", ["size_gigabytes", "new"])
def test_what_json_has_no_number_for_is_refused(name, number):
    """NaN and infinity are no JSON, in a column and in a new field."""
    body = b'{"images": [{"id": 1, "%s": %s}], "meta": {"total": 1}}' % (name.encode(), number.encode())
    with pytest.raises(DecodeError, match=f"The answer is no whole JSON: {number} is no JSON number"):
        decode_pages([body], IMAGES)


@pytest.mark.parametrize(
    ("number", "kept"),
    [(2**53 + 1, 2**53 + 1), (2**63 - 1, 2**63 - 1), (2**63, "9223372036854775808"), (10**30, str(10**30))],
)
def test_large_number_in_a_new_field_is_not_rounded(number, kept):
    """A number that no column holds exactly is kept as its digits."""
    assert decode_pages([body_of([image(1, new=number)])], IMAGES)[0].rows["new"].to_pylist() == [kept]


def test_new_field_of_several_types_is_text():
    """A field that is a number on one page and a word on the next is text on both."""
    bodies = [body_of([image(1, new=5), image(2)]), body_of([image(3, new="x"), image(4, new={"a": [1]})])]
    rows = concat([page.rows for page in decode_pages(bodies, IMAGES)])
    assert rows["new"].to_pylist() == ["5", None, "x", '{"a": [1]}']


def test_region_of_an_action_of_any_shape_is_json_text():
    """A column for objects takes an object, a word or null, and refuses what is no Unicode."""
    body = body_of([{"id": 1, "region": {"slug": "nyc3"}}, {"id": 2, "region": "nyc3"}, {"id": 3}], "actions")
    assert decode_pages([body], ACTIONS)[0].rows["region"].to_pylist() == ['{"slug": "nyc3"}', "nyc3", None]
    with pytest.raises(DecodeError, match="region of image 1 is"):
        decode_pages([body_of([{"id": 1, "region": {"slug": "\ud800"}}], "actions")], ACTIONS)


@pytest.mark.parametrize("text", ["\ud800", {"a": "\ud800"}, ["\udfff"]])
def test_half_a_letter_in_a_new_field_is_told(text):
    """Text that no encoding holds is an error with the name of the field."""
    with pytest.raises(DecodeError, match=r"^'new' holds .* which is no Unicode text") as caught:
        decode_pages([body_of([image(1, new=text)])], IMAGES)
    assert caught.value.column == "new"


def test_half_a_letter_in_the_name_of_a_field_is_told():
    """A column needs a name that can be written."""
    with pytest.raises(DecodeError, match="which is no Unicode text"):
        decode_pages([body_of([image(1) | {"\ud800": 1}])], IMAGES)


def in_another_process(work: str) -> tuple[int, list[str]]:
    """What a process says that decodes on a thread with a small stack, such as macOS gives."""
    code = f"""
import threading
from doimages.api.pages import decode_pages
from doimages.errors import DecodeError
from doimages.schema import IMAGES
from doimages.table.frame import to_frame

def show(body):
    try:
        print(len(to_frame(decode_pages([body], IMAGES)[0].rows, dtype_backend="pyarrow")))
    except DecodeError as error:
        print(error.args[0][:10])

threading.stack_size(512 * 1024)
thread = threading.Thread(target=lambda: {work})
thread.start()
thread.join()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a": ', "}"), ('[{"a": ', "}]")])
def test_deep_nesting_does_not_end_the_process(opening, closing):
    """Pyarrow recurses in C, and would take the kernel with it."""
    deep = [f"{opening!r} * {depth} + '1' + {closing!r} * {depth}" for depth in (12, 400, 100_000)]
    work = [f"""show(('{{"images": [{{"id": 1, "x": ' + {text} + '}}]}}').encode())""" for text in deep]
    work += [f"""show(('{{"images": [], "x": ' + {text} + '}}').encode())""" for text in deep]
    refused = "The answer"
    assert in_another_process(f"[{', '.join(work)}]") == (0, ["1", "1", refused, "0", "0", refused])


def test_null_in_place_of_an_object_does_not_end_the_process():
    """Pyarrow reads a pointer that is none where a body is null."""
    bodies = [b"null", b"null{}", b"{}null{}", b'{"images": []}null', b'null\n{"images": []}']
    assert in_another_process(f"[show(body) for body in {bodies}]") == (0, ["The answer"] * 5)
