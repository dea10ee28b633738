"""Laws of reading a listing: of one that stands still every image, once and in order; of one that moves, no lie.

What holds while images are made, deleted and moved between the replies, if every reply tells a total:

- no image is in a listing twice;
- if images were only made, or only deleted, however many were moved besides, none is missing that was there all along;
- if images were made and deleted, no more are missing than the fewer of the two.

The last cannot be tightened: an image deleted from page 1 after it was read and one made at the end before the last
page is read leave every total and count as they were. Nothing in the replies tells it from a listing that stood still.
Without totals the count says nothing either, and a deletion alone may hide an image; then only the first law holds.
A total that is too low by whole pages is believed where no page has a link.
"""

import asyncio
import json
from dataclasses import dataclass, field
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doimages.api.listing import Listing, Reading, read_listing
from doimages.api.portal import portal
from doimages.errors import ListingError
from doimages.schema import IMAGES

quick = settings(max_examples=100, deadline=None, derandomize=True, database=None)


@dataclass
class Server:
    """An API in miniature: a catalogue that changes before each reply as the changes say."""

    catalogue: list[int]
    page_size: int | None = None
    tells_total: bool = True
    tells_next: bool = False
    changes: list[list[tuple]] = field(default_factory=list)
    delays: list[int] = field(default_factory=list)
    told: int | None = None
    made: int = 0
    asked: list[int] = field(default_factory=list)
    states: list[list[int]] = field(default_factory=list)

    async def fetch(self, number: int, page_size: int) -> bytes:
        for _ in range(self.delays[number % len(self.delays)] if self.delays else 0):
            await asyncio.sleep(0)
        for change in self.changes[len(self.asked)] if len(self.asked) < len(self.changes) else ():
            self._change(*change)
        self.asked.append(number)
        self.states.append(list(self.catalogue))
        size = self.page_size or page_size
        body = {"images": [{"id": i} for i in self.catalogue[(number - 1) * size : number * size]]}
        if self.tells_total:
            body["meta"] = {"total": len(self.catalogue) if self.told is None else self.told}
        if self.tells_next and number * size < len(self.catalogue):
            body["links"] = {"pages": {"next": f"https://elsewhere.example/v2/images?page={number + 1}"}}
        return json.dumps(body).encode()

    def _change(self, kind: str, place: int, other: int) -> None:
        if kind == "make":
            self.made += 1
            self.catalogue.insert(place % (len(self.catalogue) + 1), 1000 + self.made)
        elif self.catalogue:
            taken = self.catalogue.pop(place % len(self.catalogue))
            if kind == "move":
                self.catalogue.insert(other % (len(self.catalogue) + 1), taken)

    def last_reading(self) -> list[set[int]]:
        """The states behind the replies of the last reading; page 1 is the first that a second one asks for."""
        starts = [place for place, number in enumerate(self.asked) if number == 1]
        start = starts[-1] if len(starts) > 1 else 0
        return [set(state) for state in self.states[start:]]


def read(server: Server, page_size: int, limit: int | None = None, hint: int | None = None) -> Listing:
    with patch("doimages.api.listing.PAGE_SIZE", page_size):
        return portal.wait(read_listing(server.fetch, Reading(IMAGES), limit=limit, hint=hint))


catalogues = st.lists(st.integers(1, 900), max_size=30, unique=True)
page_sizes = st.integers(1, 7)
hints = st.none() | st.integers(0, 40)


@quick
@given(
    ids=catalogues,
    page_size=page_sizes,
    server_size=st.none() | st.integers(1, 9),
    tells_total=st.booleans(),
    tells_next=st.booleans(),
    delays=st.lists(st.integers(0, 3), max_size=5),
    hint=hints,
    limit=st.none() | st.integers(1, 35),
)
def test_listing_that_stands_still_is_whole(ids, page_size, server_size, tells_total, tells_next, delays, hint, limit):
    """Every image once, in the API's order, whatever the server tells, from few requests, and no false claim."""
    server = Server(list(ids), server_size, tells_total, tells_next, delays=delays)
    listing = read(server, page_size, limit, hint)
    assert listing.rows["id"].to_pylist() == ids[:limit]
    assert listing.total == (len(ids) if tells_total else None)
    if listing.is_complete:
        assert listing.rows.num_rows == len(ids)
    elif tells_total or limit is None:
        assert listing.rows.num_rows < len(ids)
    size = min(page_size, limit or page_size)
    hinted = -(-min(hint or 0, limit or 40) // size)
    wanted = max(1, -(-min(len(ids), limit or 40) // (server_size or size)))
    readings = 1 if tells_total else 2
    assert len(server.asked) <= readings * (max(hinted, wanted) + (not tells_total) + (hinted if server_size else 0))
    assert all(server.asked.count(page) <= readings for page in server.asked)


@quick
@given(
    ids=catalogues.filter(len), page_size=page_sizes, tells_next=st.booleans(), hint=hints, wrong=st.integers(-3, 40)
)
def test_total_that_is_wrong_is_not_believed(ids, page_size, tells_next, hint, wrong):
    """A total that is not the number of rows makes no listing, where anything else in the replies contradicts it."""
    server = Server(list(ids), tells_next=tells_next, told=wrong)
    fills_pages = 0 < wrong < len(ids) and wrong % page_size == 0
    hides_rest = fills_pages and not tells_next
    if wrong == len(ids) or hides_rest:
        assert read(server, page_size, hint=hint).rows["id"].to_pylist() == ids[:wrong]
    else:
        with pytest.raises(ListingError):
            read(server, page_size, hint=hint)


def changes_of(*kinds: str) -> st.SearchStrategy:
    change = st.tuples(st.sampled_from(kinds), st.integers(0, 40), st.integers(0, 9))
    return st.lists(st.lists(change, max_size=2), min_size=1, max_size=14)


drifts = st.one_of(
    *(changes_of(*kinds) for kinds in (["make"], ["delete"], ["move"], ["make", "move"], ["delete", "move"])),
    changes_of("make", "delete"),
    changes_of("make", "delete", "move"),
)


@settings(quick, max_examples=300)
@given(
    ids=st.lists(st.integers(1, 900), min_size=3, max_size=15, unique=True),
    page_size=st.integers(1, 5),
    changes=drifts,
    delays=st.lists(st.integers(0, 3), max_size=5),
    hint=hints,
    limit=st.none() | st.integers(1, 20),
)
def test_listing_that_moves_is_whole_or_an_error(ids, page_size, changes, delays, hint, limit):
    """With totals, a listing that calls itself complete repeats no image, and hides none but by making and deleting."""
    server = Server(list(ids), changes=changes, delays=delays)
    try:
        listing = read(server, page_size, limit, hint)
    except ListingError:
        assert any(changes)
        return
    found = listing.rows["id"].to_pylist()
    assert len(set(found)) == len(found)
    if not listing.is_complete:
        assert limit is not None
        return
    states = server.last_reading()
    assert len(found) == listing.total
    assert set(found) <= set.union(*states)
    missing = set.intersection(*states) - set(found)
    made = set.union(*states) - states[0]
    deleted = set.union(*states) - states[-1]
    assert len(missing) <= min(len(made), len(deleted))


@quick
@given(
    ids=st.lists(st.integers(1, 900), min_size=3, max_size=15, unique=True),
    page_size=st.integers(2, 5),
    changes=changes_of("make"),
    tells_next=st.booleans(),
)
def test_walk_of_a_listing_that_grows_is_whole_or_an_error(ids, page_size, changes, tells_next):
    """Without totals pages are read one after the other, so images made meanwhile hide none that was there."""
    server = Server(list(ids), tells_total=False, tells_next=tells_next, changes=changes)
    try:
        found = read(server, page_size).rows["id"].to_pylist()
    except ListingError:
        return
    assert len(set(found)) == len(found)
    assert set.intersection(*server.last_reading()) - set(found) == set()


@quick
@given(
    ids=st.lists(st.integers(1, 900), min_size=3, max_size=15, unique=True),
    page_size=st.integers(2, 5),
    changes=drifts,
    tells_next=st.booleans(),
    hint=hints,
)
def test_walk_of_a_listing_that_moves_repeats_no_image(ids, page_size, changes, tells_next, hint):
    """Without totals an image may be missed, but none is there twice."""
    server = Server(list(ids), tells_total=False, tells_next=tells_next, changes=changes)
    try:
        found = read(server, page_size, hint=hint).rows["id"].to_pylist()
    except ListingError:
        return
    assert len(set(found)) == len(found)


@quick
@given(
    ids=st.lists(st.integers(1, 900), min_size=1, max_size=20, unique=True),
    page_size=page_sizes,
    changes=drifts,
    tells_total=st.booleans(),
    hint=hints,
)
def test_reading_ends(ids, page_size, changes, tells_total, hint):
    """However a listing changes, it is read three times at most, and no page twice in one reading."""
    server = Server(list(ids), tells_total=tells_total, changes=changes)
    try:
        read(server, page_size, hint=hint)
    except ListingError:
        assert server.asked.count(1) == 3
    most = max(map(len, server.states))
    assert len(server.asked) <= 3 * (-(-most // page_size) + 1) + -(-(hint or 0) // page_size)
    assert max(server.asked.count(number) for number in server.asked) <= 3


def test_delete_and_make_that_cancel_out_cannot_be_seen():
    """Why the law has a limit: image 3 was there all along, and no reply tells that it is missing."""
    server = Server([1, 2, 3, 4], changes=[[], [("delete", 0, 0), ("make", 3, 0)]])
    listing = read(server, 2)
    assert listing.rows["id"].to_pylist() == [1, 2, 4, 1001]
    assert listing.is_complete is True
