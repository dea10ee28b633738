"""Which pages a reading asks for, and what it takes for a whole listing."""

import pyarrow as pa
import pytest

from doimages.api.model import Page
from doimages.api.survey import MOST_PAGES, Survey


def page(first: int, last: int, total: int | None = None, next_page: int | None = None) -> Page:
    return Page(pa.table({"id": pa.array(range(first, last + 1), pa.int64())}), total, next_page)


def survey(*pages: Page, size: int = 2, limit: int | None = None, hint: int | None = None) -> Survey:
    made = Survey("id", size, limit=limit, hint=hint)
    for number, one in enumerate(pages, 1):
        made.add(number, one)
    return made


@pytest.mark.parametrize(
    ("hint", "limit", "pages"),
    [
        (None, None, [1]),
        (0, None, [1]),
        (1, None, [1]),
        (2, None, [1]),
        (5, None, [1, 2, 3]),
        (5, 3, [1, 2]),
        (None, 9, [1]),
    ],
)
def test_first_pages_are_those_of_the_hint(hint, limit, pages):
    """Without a hint page 1 goes out alone; with one, all that it and the limit name."""
    assert survey(hint=hint, limit=limit).wanted() == pages


@pytest.mark.parametrize(
    ("total", "limit", "pages"),
    [(2, None, []), (3, None, [2]), (7, None, [2, 3, 4]), (7, 2, []), (7, 3, [2]), (7, 99, [2, 3, 4])],
)
def test_total_of_page_1_names_the_others(total, limit, pages):
    """Page 1 tells the total, and with it which pages there are; a limit asks for no more than it takes."""
    assert survey(page(1, 2, total), limit=limit).wanted() == pages


@pytest.mark.parametrize(
    ("first", "total", "pages"),
    [
        (page(1, 1, 3), 3, [2, 3]),  # one a page, though two were asked for
        (page(1, 3, 7), 7, [2, 3]),  # three a page
        (page(1, 7, 7), 7, []),  # all at once
        (page(1, 0, 7), 7, [2, 3, 4]),  # an empty page tells no size
    ],
)
def test_size_of_page_1_is_the_size_of_pages(first, total, pages):
    """A server that ignores per_page is taken at its own size."""
    assert survey(first).total == total
    assert survey(first).wanted() == pages


@pytest.mark.parametrize(
    ("pages", "wanted"),
    [
        ([page(1, 2)], [2]),
        ([page(1, 1)], [2]),
        ([page(1, 0)], []),
        ([page(1, 2), page(3, 2)], []),
        ([page(1, 2, next_page=2)], [2]),
        ([page(1, 2, next_page=2), page(3, 4)], []),
        ([page(1, 2, next_page=5)], []),
        ([page(1, 2), page(1, 2)], []),
    ],
)
def test_without_a_total_pages_are_walked(pages, wanted):
    """On to where a link says, or to an empty page if no page has links; a fault ends the walk."""
    assert survey(*pages).wanted() == wanted


@pytest.mark.parametrize(
    ("pages", "fault"),
    [
        ([page(1, 2, 2)], None),
        ([page(1, 0, 0)], None),
        ([page(1, 2, 3), page(3, 3, 3)], None),
        ([page(1, 2, 2), page(1, 0, 2)], None),
        ([page(1, 2, 2, next_page=1)], None),
        ([page(1, 2, 3), page(3, 4, 4)], "page 1 says there are 3 images, page 2 says 4"),
        ([page(1, 2, 3), page(3, 3)], "page 1 says there are 3 images, page 2 says nothing of it"),
        ([page(1, 2, 4), page(3, 3, 4)], "page 2 should hold 2 of 4 images, and holds 1"),
        ([page(1, 2, 4), page(2, 3, 4)], "id 2 is on two pages"),
        ([page(1, 2, 2, next_page=2)], "2 images end on page 1, yet that page names page 2 as the next"),
        ([page(1, 2, -5)], "page 1 should hold 0 of -5 images, and holds 2"),
        ([page(1, 2, 2 * MOST_PAGES + 1)], "page 1 says there are 20001 images, more than 10000 pages"),
        ([page(1, 2), page(3, 2)], None),
        ([page(1, 2, next_page=1)], "the listing does not end: page 1 names page 1 as the next"),
        ([page(1, 2, next_page=9)], "the listing does not end: page 1 names page 9 as the next"),
        ([page(1, 0, next_page=2)], "the listing does not end: page 1 is empty, yet names a next one"),
        ([page(1, 2), page(2, 3)], "id 2 is on two pages"),
    ],
)
def test_fault_says_why_a_listing_is_not_whole(pages, fault):
    """One total on every page, every page full but the last, no id on two, and nothing behind."""
    assert survey(*pages).fault() == fault


def test_id_twice_on_one_page_is_no_fault():
    """The API's own example has one id four times on a page."""
    twice = Page(pa.table({"id": pa.array([7, 7], pa.int64())}), 2, None)
    assert survey(twice).fault() is None
    assert survey(twice).rows()["id"].to_pylist() == [7, 7]


def test_rows_are_in_the_order_of_the_pages():
    """Pages may come in any order; rows come in the API's, cut at the limit."""
    made = Survey("id", 2, limit=3)
    made.add(2, page(3, 4, 4))
    made.add(1, page(1, 2, 4))
    assert made.rows()["id"].to_pylist() == [1, 2, 3]


def test_total_no_float_can_hold_is_a_fault():
    """A total of 400 digits is more than a listing may have, not an overflow."""
    assert survey(page(1, 2, 10**400)).wanted() == []
    assert survey(page(1, 2, 10**400)).fault().endswith(" images, more than 10000 pages")
