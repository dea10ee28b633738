"""Bodies to typed rows, totals and page numbers."""

import json

import pyarrow as pa
import pytest
from scripted import image

from doimages.api.pages import decode_pages, page_number
from doimages.api.rows import arrow_struct, concat, to_rows
from doimages.errors import DecodeError
from doimages.schema import ACTIONS, IMAGES, REGIONS, SNAPSHOTS, TAGS


def body(records, **more) -> bytes:
    return json.dumps({"images": records} | more).encode()


@pytest.mark.parametrize(
    ("link", "number"),
    [
        ("https://api.digitalocean.com/v2/images?page=2&per_page=200", 2),
        ("https://api.digitalocean.com/v2/images/?page=2", 2),
        ("https://evil.example/?page=3", 3),
        ("/v2/images?page=04", 4),
        ("?page=2&page=7", 7),
        ("https://api.digitalocean.com/v2/images", None),
        ("?page=", None),
        ("?page=-1", None),
        ("?page=two", None),
        ("?page=٣", None),
        ("?page=" + "9" * 5000, None),
        ("https://[broken?page=2", None),
        ("", None),
        (None, None),
        (2, None),
        ({"href": "?page=2"}, None),
    ],
)
def test_only_the_page_number_of_a_link_is_taken(link, number):
    """Anything else in a link is untrusted; a link without a number says nothing."""
    assert page_number(link) == number


def test_page_has_rows_total_and_numbers():
    """One body is one page: all columns of the table, the total, and where the links point."""
    links = {"pages": {"next": "https://x.example/?page=2", "last": "https://x.example/?page=9"}}
    page = decode_pages([body([image(1), {"id": 2}], meta={"total": 1800}, links=links)], IMAGES)[0]
    assert (page.total, page.next_page) == (1800, 2)
    assert page.rows.schema == pa.schema(list(arrow_struct(IMAGES)))
    assert page.rows["name"].to_pylist() == ["web-1", None]


def test_bodies_are_read_together_and_kept_apart():
    """Several bodies give as many pages, in their order, empty ones too."""
    pages = decode_pages([body([image(2)]), body([]), body([image(1), image(3)])], IMAGES)
    assert [page.rows["id"].to_pylist() for page in pages] == [[2], [], [1, 3]]


def test_no_bodies_are_no_pages():
    """Nothing in, nothing out."""
    assert decode_pages([], IMAGES) == []


@pytest.mark.parametrize("space", [b" ", b"\n", b"\r\n\t"])
def test_space_around_a_body_does_not_matter(space):
    """Indented and padded JSON is JSON."""
    text = json.dumps({"images": [image(1)], "meta": {"total": 1}}, indent=2).encode()
    pages = decode_pages([space + text + space, text], IMAGES)
    assert [page.rows["id"].to_pylist() for page in pages] == [[1], [1]]


@pytest.mark.parametrize("name", ["a]", "[[", "}{", "{" * 50, '\\"]', "\u2028"])
def test_brackets_in_a_name_do_not_matter(name):
    """Brackets in text are text."""
    assert decode_pages([body([image(1, name=name)])], IMAGES)[0].rows["name"].to_pylist() == [name]


def test_one_bad_body_names_its_value():
    """A body the fast reader refuses is read again with care, and its fault told."""
    with pytest.raises(DecodeError, match=r"^public of image 3 is 'no', which is no boolean\. No frame was made\.$"):
        decode_pages([body([image(1)]), body([image(3, public="no")])], IMAGES)


def test_repeated_key_takes_the_last():
    """A key that stands twice in a record has its last value, as in every JSON reader of Python."""
    assert decode_pages([b'{"images": [{"id": 1, "id": 2}]}'], IMAGES)[0].rows["id"].to_pylist() == [2]


def test_whole_float_is_an_integer():
    """20.0 GB are 20 GB; 20.5 are none."""
    assert to_rows([image(1, min_disk_size=20.0)], IMAGES)["min_disk_size"].to_pylist() == [20]


def test_no_records_are_all_columns():
    """An empty list has the types of any other."""
    for table in (IMAGES, SNAPSHOTS, ACTIONS, REGIONS, TAGS):
        assert to_rows([], table).schema == pa.schema(list(arrow_struct(table)))


def test_concat_widens_what_differs():
    """A new field that only some pages have is missing on the others; one of two types is text."""
    joined = concat(
        [
            to_rows([image(1)], IMAGES),
            to_rows([image(2, new=1, other=1)], IMAGES),
            to_rows([image(3, new="a", other=0.5)], IMAGES),
        ]
    )
    assert joined["new"].to_pylist() == [None, "1", "a"]
    assert joined["other"].to_pylist() == [None, 1.0, 0.5]
