"""The sources of a query: which requests each takes, and its rows."""

from collections.abc import Iterable, Sequence
from itertools import product

import pyarrow as pa

from doimages.api.client import IMAGES_PATH, Client
from doimages.api.ids import image_number
from doimages.api.listing import Listing, Reading, do_all
from doimages.api.rows import concat, to_rows
from doimages.schema import ACTIONS, IMAGES, PAGE_SIZE, Table
from doimages.sql.sources import Source
from doimages.table.arrow import with_times
from doimages.table.filters import Filters
from doimages.table.read import count_rows, read_rows, requests_for


class Readings:
    """How far the reads of one query are, together."""

    def __init__(self) -> None:
        self.all: list[Reading] = []
        self.is_complete = True

    def start(self, table: Table) -> Reading:
        """Begin one more."""
        self.all.append(Reading(table))
        return self.all[-1]

    @property
    def rows_read(self) -> int:
        """Rows so far."""
        return sum(one.rows_read for one in self.all)

    @property
    def total(self) -> int | None:
        """Rows there will be, as far as is known; None if of any it is not."""
        return None if any(one.total is None for one in self.all) else sum(one.total or 0 for one in self.all)

    @property
    def requests(self) -> int:
        """Requests so far."""
        return sum(one.requests for one in self.all)


def requests_of(source: Source, client: Client | None = None) -> list[str]:
    """Say what would be sent for a source, in words; a client knows how long its last listings were."""
    if source.resource.table is ACTIONS:
        actions = [f"/{one}" for one in source.given.get("action_id", ())] or [f"?per_page={PAGE_SIZE}&page=1 and on"]
        ids = source.ids if source.feed is None else ("{id}",)
        return [f"GET {IMAGES_PATH}/{key}/actions{action}" for key in ids or () for action in actions]
    if source.is_counted:
        return [text for one in filters_of(source, limit=1) for text in one.requests()]
    return [text for one in filters_of(source) for text in requests_for(one, client)]


def filters_of(source: Source, limit: int | None = None) -> list[Filters]:
    """Give what to read for a source of images: several, if a parameter has several values."""
    given = source.given
    if "image_id" in given:
        return [Filters(keys=tuple(given["image_id"]), is_strict=source.is_strict)]
    page = (int(given.get("page", (1,))[0]), int(given.get("per_page", (PAGE_SIZE,))[0]))
    is_page = "page" in given or "per_page" in given
    return [
        Filters(
            request_type=None if kind is None else str(kind),
            private="private" in given,
            tag=None if tag is None else str(tag),
            limit=limit or source.limit,
            page=page if is_page else None,
        )
        for kind, tag in product(given.get("type", (None,)), given.get("tag_name", (None,)))
    ]


async def fetch(
    source: Source, ids: Iterable[int], client: Client, readings: Readings, needed: frozenset[str] | None
) -> pa.Table:
    """Read the rows of a source; ``ids`` are those its feed gave, ``needed`` the columns that are looked at."""
    if source.resource.table is ACTIONS:
        return await _actions(source, list(ids), client, readings, needed)
    if source.is_counted:
        (filters,) = filters_of(source)
        return pa.table({"counted": pa.nulls(await count_rows(client, filters, readings.start(IMAGES)), pa.bool_())})
    return with_times(await _images(source, client, readings), IMAGES, needed)


def no_rows(source: Source, needed: frozenset[str] | None) -> pa.Table:
    """Give a source's columns without rows."""
    if source.is_counted:
        return pa.table({"counted": pa.nulls(0, pa.bool_())})
    return with_times(to_rows([], source.resource.table), source.resource.table, needed)


async def _images(source: Source, client: Client, readings: Readings) -> pa.Table:
    """Read the listings of a source side by side; if one fails, the others end."""
    found: dict[int, Listing] = {}

    async def read(place: int, filters: Filters) -> None:
        found[place] = await read_rows(client, filters, readings.start(IMAGES))

    await do_all(read(place, filters) for place, filters in enumerate(filters_of(source)))
    readings.is_complete &= all(one.is_complete for one in found.values())
    rows = [found[place].rows for place in sorted(found)]
    return rows[0] if len(rows) == 1 else _distinct(concat(rows))


def _distinct(rows: pa.Table) -> pa.Table:
    """Leave each image in once, where it came first."""
    first: dict[int, int] = {}
    for place, key in enumerate(rows["id"].to_pylist()):
        first.setdefault(key, place)
    return rows.take(pa.array(list(first.values()), pa.int64()))  # typed, for there may be none


async def _actions(
    source: Source, ids: Sequence[int], client: Client, readings: Readings, needed: frozenset[str] | None
) -> pa.Table:
    """Read the actions of each image, side by side; the client bounds how many are on their way."""
    keys = [image_number(key) for key in source.ids or ids]
    wanted = [image_number(action) for action in source.given.get("action_id", ())]
    found: dict[int, list[pa.Table]] = {}

    async def ask(place: int, key: int) -> None:
        reading = readings.start(ACTIONS)
        if wanted:
            found[place] = [to_rows([await client.image_action(key, action)], ACTIONS) for action in wanted]
            reading.requests += len(wanted)
        else:
            found[place] = [(await client.image_actions(key, reading=reading)).rows]

    await do_all(ask(place, key) for place, key in enumerate(keys))
    rows = concat([to_rows([], ACTIONS), *(one for place in range(len(keys)) for one in found[place])])
    return with_times(rows, ACTIONS, needed)
