"""Which pages of a listing to ask for, and whether what came is one whole listing. No I/O.

Page 1 tells the total, so all other pages can go out at once. The API promises neither order nor a frozen view
(api-v2 issue 93): an image made or deleted between two pages repeats or hides another. So a listing counts as whole
only if every page tells one total, every page is full but the last, no id is on two pages, and nothing follows.
"""

from collections.abc import Iterator
from operator import itemgetter

import pyarrow as pa
import pyarrow.compute as pc

from doimages.api.model import Page
from doimages.api.rows import concat

# 2,000,000 images; a listing of more is taken for one that does not end.
MOST_PAGES = 10_000


class Survey:
    """The pages of one reading of a listing; ``key`` is the column that tells its records apart.

    ``hint`` is the total of an earlier reading: a wrong one costs a request, never a row. ``limit`` is how many rows
    are wanted, None for all.
    """

    def __init__(self, key: str, page_size: int, *, limit: int | None = None, hint: int | None = None) -> None:
        self.key = key
        self.page_size = page_size
        self.limit = limit
        self.hint = hint
        self.pages: dict[int, Page] = {}

    @property
    def total(self) -> int | None:
        """The total by page 1, or None if it does not say or did not come yet."""
        return self.pages[1].total if 1 in self.pages else None

    @property
    def is_proven(self) -> bool:
        """Whether these pages alone can show that none is missing: by a total, or by being one page."""
        filled = sum(page.rows.num_rows > 0 for page in self.pages.values())
        return self.total is not None or filled <= 1

    def add(self, number: int, page: Page) -> None:
        """Take a page that came."""
        self.pages[number] = page

    def wanted(self) -> list[int]:
        """Give the numbers of the pages to ask for now, none if no more are needed."""
        if 1 not in self.pages:
            known = 0 if self.hint is None else self._least(self.hint)
            pages = _pages(known, self.page_size)
            # A hint that is out of all measure is none: page 1 is read first.
            return list(range(1, pages + 1)) if 1 <= pages <= MOST_PAGES else [1]
        if self.total is not None:
            if self._needed() > MOST_PAGES:
                return []
            return [number for number in range(1, self._needed() + 1) if number not in self.pages]
        return self._next_of_walk()

    def rows(self) -> pa.Table:
        """Put the pages that came in order, and cut them at the limit."""
        whole = concat([page.rows for _, page in sorted(self.pages.items(), key=itemgetter(0))])
        return whole if self.limit is None else whole.slice(0, self.limit)

    def fault(self) -> str | None:
        """Say why what came is no whole listing; None if it is one."""
        if self.total is None:
            return self._fault_of_walk() or self._repeated()
        return self._fault_of_totals() or self._repeated()

    def _least(self, total: int) -> int:
        return total if self.limit is None else min(total, self.limit)

    def _size(self) -> int:
        """Give the rows a page has: what was asked for, unless the server has a mind of its own."""
        first = self.pages[1].rows.num_rows
        total = self.total or 0
        return first if first and (first > self.page_size or first < min(self.page_size, total)) else self.page_size

    def _needed(self) -> int:
        return max(1, _pages(self._least(self.total or 0), self._size()))

    def _in_order(self) -> Iterator[tuple[int, Page]]:
        number = 1
        while number in self.pages:
            yield number, self.pages[number]
            number += 1

    def _next_of_walk(self) -> list[int]:
        """Without a total, go on to where the links say, or to an empty page where there are none."""
        *_, (number, page) = self._in_order()
        if number >= MOST_PAGES or self._fault_of_walk() or self._repeated():
            return []
        if self.limit is not None and sum(page.rows.num_rows for _, page in self._in_order()) >= self.limit:
            return []
        if page.next_page is not None:
            return [number + 1]
        linked = any(page.next_page is not None for _, page in self._in_order())
        return [] if linked or page.rows.num_rows == 0 else [number + 1]

    def _fault_of_walk(self) -> str | None:
        for number, page in self._in_order():
            if number >= MOST_PAGES or (page.next_page is not None and page.next_page != number + 1):
                return f"the listing does not end: page {number} names page {page.next_page} as the next"
            if page.next_page is not None and page.rows.num_rows == 0:
                return f"the listing does not end: page {number} is empty, yet names a next one"
        return None

    def _fault_of_totals(self) -> str | None:
        total, size, needed = self.total or 0, self._size(), self._needed()
        if needed > MOST_PAGES:
            return f"page 1 says there are {total} images, more than {MOST_PAGES} pages"
        for number, page in sorted(self.pages.items(), key=itemgetter(0)):
            if page.total != total:
                return f"page 1 says there are {total} images, page {number} says {_count(page.total)}"
            expected = max(0, min(size, total - size * (number - 1)))
            if page.rows.num_rows != expected:
                return f"page {number} should hold {expected} of {total} images, and holds {page.rows.num_rows}"
        last = self.pages[needed]
        if size * needed >= total and last.next_page is not None and last.next_page > needed:
            return f"{total} images end on page {needed}, yet that page names page {last.next_page} as the next"
        return None

    def _repeated(self) -> str | None:
        """Find an id on two pages. Twice on one page is no fault: the API's own example has that."""
        columns = [page.rows[self.key] for _, page in self._in_order()]
        keys = pa.chunked_array([chunk for column in columns for chunk in column.chunks], type=columns[0].type)
        if pc.count_distinct(keys).as_py() == len(keys):
            return None
        distinct = [pc.unique(column) for column in columns]
        counts = pc.value_counts(pa.chunked_array(distinct, type=distinct[0].type))
        repeated = counts.filter(pc.greater(counts.field("counts"), 1))
        if len(repeated):
            return f"{self.key} {repeated[0]['values']} is on two pages"
        return None


def _pages(rows: int, size: int) -> int:
    """Give how many pages rows fill; in whole numbers, as a total of 400 digits is no float."""
    return -(-rows // size)


def _count(total: int | None) -> str:
    return "nothing of it" if total is None else str(total)
