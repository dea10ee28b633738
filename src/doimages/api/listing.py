"""Read a listing whole: all pages at once, put in order, and read again if it changed meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

import pyarrow as pa

from doimages.api.model import Page
from doimages.api.pages import decode_pages, peek_total
from doimages.api.rows import concat, to_rows
from doimages.api.survey import Survey
from doimages.errors import APIError, ListingError, TransportError
from doimages.schema import PAGE_SIZE, Table

READINGS = 3
# Pages decoded together on another thread, without the GIL, while further pages arrive.
BATCH = 16

Fetch = Callable[[int, int], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows in the API's order, the total it told (None if it did not), and whether these are all."""

    rows: pa.Table
    total: int | None
    is_complete: bool


@dataclass(slots=True)
class Reading:
    """How far a read is; it outlives an interrupt, so that what was read is not lost."""

    table: Table
    on_page: Callable[["Reading"], None] = lambda _: None
    total: int | None = None
    requests: int = 0
    rows_read: int = 0
    survey: Survey | None = None
    bodies: list[tuple[int, bytes]] = field(default_factory=list)
    found: dict[int, pa.Table] = field(default_factory=dict)

    def start(self, survey: Survey) -> None:
        """Begin a listing, or begin it again."""
        self.survey, self.rows_read = survey, 0
        self.bodies.clear()

    def take(self, numbers: Iterable[int], pages: Iterable[Page]) -> None:
        """Take decoded pages of the listing."""
        survey = self.survey
        assert survey is not None  # noqa: S101 - start() comes first
        for number, page in zip(numbers, pages, strict=True):
            survey.add(number, page)
            self.rows_read += page.rows.num_rows
        self.total = survey.total
        self.on_page(self)

    def find(self, place: int, row: pa.Table) -> None:
        """Take one image that was asked for by id or slug."""
        self.found[place] = row
        self.rows_read += 1
        self.on_page(self)

    def hand_over(self) -> list[tuple[int, bytes]]:
        """Give the bodies that came and are not decoded yet, to whoever decodes them."""
        batch, self.bodies = self.bodies, []
        return batch

    def decode(self, batch: list[tuple[int, bytes]]) -> None:
        """Decode bodies here and now."""
        if batch:
            numbers, bodies = zip(*batch, strict=True)
            self.take(numbers, decode_pages(bodies, self.table))

    def rows(self) -> pa.Table:
        """Give all that came so far, in order, though some may be missing between."""
        self.decode(self.hand_over())
        listed = [self.survey.rows()] if self.survey and self.survey.pages else []
        return concat([to_rows([], self.table), *listed, *(self.found[place] for place in sorted(self.found))])


async def read_listing(fetch: Fetch, reading: Reading, *, limit: int | None = None, hint: int | None = None) -> Listing:
    """Read the pages that ``fetch(number, page_size)`` gives into one listing.

    Page 1 tells the total and the rest goes out at once; with a hint, all go out at once. A listing that changed while
    it was read is read again, three times in all, then ListingError; never are some rows returned as all. Where no
    total can prove several pages whole, two readings must be the same.
    """
    table = reading.table
    page_size = min(PAGE_SIZE, limit or PAGE_SIZE)
    fault: str | None = None
    keys: pa.ChunkedArray | None = None
    for _ in range(READINGS):
        survey = Survey(table.key, page_size, limit=limit, hint=hint)
        reading.start(survey)
        await _read_pages(fetch, survey, reading, may_peek=fault is None)
        fault, earlier = survey.fault(), keys
        if fault is None:
            rows = survey.rows()
            keys = rows[table.key]
            is_cut = limit is not None and rows.num_rows == limit
            if not (is_cut or survey.is_proven or (earlier is not None and keys.equals(earlier))):
                fault = "no page tells a total, and two readings differ"
                hint = None
                continue
            # Without a total, a listing cut at the limit may go on.
            is_complete = not is_cut or survey.total == rows.num_rows
            return Listing(rows, survey.total, is_complete)
        hint = None
    raise ListingError(
        f"The listing of {table.plural} changed while it was read, {READINGS} times: {fault}. "
        "No frame was made; read it again when nothing else is changing it."
    )


async def _read_pages(fetch: Fetch, survey: Survey, reading: Reading, *, may_peek: bool) -> None:
    """Ask for the pages that a survey wants, until it wants no more and all are decoded."""
    asked: set[int] = set()
    while True:
        wanted = [number for number in survey.wanted() if number not in asked]
        if wanted:
            asked.update(wanted)
            # What waits is decoded while these are on their way.
            waiting = [_decode_meanwhile(reading)] if reading.bodies else []
            await do_all([*(_ask(fetch, number, survey, reading) for number in wanted), *waiting])
        elif not reading.bodies:
            return
        if wanted == [1] and may_peek and survey.hint is None:
            # Page 1 need not be decoded before the others are asked for, only looked at.
            survey.hint = peek_total(reading.bodies[0][1])
        elif reading.bodies:
            await _decode(reading)


async def _decode_meanwhile(reading: Reading) -> None:
    await asyncio.sleep(0)  # the last of the requests is to be written first
    await _decode(reading)


async def _decode(reading: Reading) -> None:
    """Decode what has come, the half of it on another thread: the reader needs no GIL."""
    batch = reading.hand_over()
    half = len(batch) // 2
    await asyncio.gather(_decode_aside(batch[:half], reading), _decode_here(batch[half:], reading))


async def _decode_aside(batch: list[tuple[int, bytes]], reading: Reading) -> None:
    if batch:
        numbers, bodies = zip(*batch, strict=True)
        reading.take(numbers, await asyncio.to_thread(decode_pages, bodies, reading.table))


async def _decode_here(batch: list[tuple[int, bytes]], reading: Reading) -> None:
    reading.decode(batch)


async def _ask(fetch: Fetch, number: int, survey: Survey, reading: Reading) -> None:
    reading.requests += 1
    try:
        body = await fetch(number, survey.page_size)
    except (APIError, TransportError) as error:
        error.add(f"The listing failed at page {number}; no frame was made.")
        raise
    reading.bodies.append((number, body))
    if len(reading.bodies) >= BATCH:
        await _decode_aside(reading.hand_over(), reading)


async def do_all(work: Iterable[Awaitable[None]]) -> None:
    """Do all side by side; if one fails, or this is cancelled, end the others before going on."""
    tasks = [asyncio.ensure_future(item) for item in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
