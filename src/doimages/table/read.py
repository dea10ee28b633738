"""Filters to requests to a frame, with a note of where it came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from doimages.api.client import IMAGES_PATH, Client
from doimages.api.listing import Listing, Reading, do_all
from doimages.api.rows import concat, to_rows
from doimages.errors import DecodeError, NotFoundError, UsageError
from doimages.schema import IMAGES, Table
from doimages.table.filters import IDS_BY_LISTING, Filters
from doimages.table.frame import check_columns, check_dtypes, to_frame


@dataclass(frozen=True, slots=True)
class Shape:
    """How the frame should look; see :func:`doimages.table.frame.to_frame`."""

    columns: Sequence[str] | None = None
    index_col: str | None = None
    dtype_backend: str | None = None
    dtypes: Mapping[str, Any] | None = None

    def check(self, table: Table = IMAGES) -> None:
        """Refuse what cannot be, before anything is sent."""
        check_columns(self.columns, self.index_col, table)
        check_dtypes(self.dtype_backend, self.dtypes, table)

    def refuse(self, why: str) -> None:
        """Refuse what is for frames alone."""
        for name in ("columns", "index_col", "dtypes"):
            if getattr(self, name) is not None:
                raise UsageError(f"{name} is for frames; {why}. Nothing was sent.")


def refuse_elsewhere(origin: Mapping[str, Any], client: Client) -> None:
    """Refuse a frame, by what its attrs tell, that was read from another endpoint than the client's, for a write."""
    read_from = origin.get("endpoint", client.base_url)
    if read_from != client.base_url:
        raise UsageError(
            f"This frame was read from {read_from}, the client speaks to {client.base_url}: ids mean other images "
            "there. Give client=... of the right one. Nothing was sent."
        )


async def read(client: Client, filters: Filters, shape: Shape, reading: Reading) -> pd.DataFrame:
    """Read what the filters ask for and build the frame: a whole one, or none."""
    listing = await read_rows(client, filters, reading)
    return make_frame(
        listing.rows, client, str(filters), shape, reading, total=listing.total, is_complete=listing.is_complete
    )


async def read_rows(client: Client, filters: Filters, reading: Reading) -> Listing:
    """Read the rows that the filters ask for: all of them, or an error."""
    if filters.keys is not None:
        rows = await _read_keys(client, filters, reading)
        return Listing(rows, rows.num_rows, is_complete=True)
    if filters.limit == 0:
        return Listing(to_rows([], IMAGES), None, is_complete=False)
    if filters.page is not None:
        number, size = filters.page
        page = await client.page(IMAGES, IMAGES_PATH, {**filters.query, "page": str(number), "per_page": str(size)})
        reading.requests += 1
        rows = filters.keep(page.rows)
        return Listing(rows, page.total, is_complete=page.total == rows.num_rows)
    listing = await client.listing(IMAGES, IMAGES_PATH, filters.query, limit=filters.api_limit, reading=reading)
    kept = filters.keep(listing.rows)
    if filters.api_limit is not None and kept.num_rows < min(filters.api_limit, listing.rows.num_rows):
        # The API gave rows that the filters do not want: the first so many of all are not enough.
        listing = await client.listing(IMAGES, IMAGES_PATH, filters.query, reading=reading)
        kept = filters.keep(listing.rows)
    rows = kept if filters.limit is None else kept.slice(0, filters.limit)
    return Listing(rows, listing.total, is_complete=listing.is_complete and rows.num_rows == kept.num_rows)


def requests_for(filters: Filters, client: Client | None) -> list[str]:
    """Say what would be sent for some filters."""
    return filters.requests(None if client is None else client.last_total(IMAGES_PATH, filters.query))


async def count_rows(client: Client, filters: Filters, reading: Reading) -> int:
    """Count the images of a listing by one small request, or, where no reply tells a total, by reading them."""
    listing = await client.listing(IMAGES, IMAGES_PATH, filters.query, limit=1, reading=reading)
    if listing.total is None:
        listing = await client.listing(IMAGES, IMAGES_PATH, filters.query, reading=reading)
        return int(filters.keep(listing.rows).num_rows)
    return listing.total


def make_frame(
    rows: pa.Table,
    client: Client,
    query: str,
    shape: Shape,
    reading: Reading,
    *,
    total: int | None,
    is_complete: bool,
) -> pd.DataFrame:
    """Build the frame of a listing, and note in ``attrs["do_images"]`` where it came from."""
    frame = to_frame(
        rows,
        columns=shape.columns,
        index_col=shape.index_col,
        dtype_backend=shape.dtype_backend,
        dtypes=shape.dtypes,
    )
    made = provenance(client, query, reading.requests)
    frame.attrs["do_images"] = made | {"rows": rows.num_rows, "total": total, "complete": is_complete}
    return frame


def provenance(client: Client, query: str, requests: int) -> dict[str, Any]:
    """Tell where and when rows were read: JSON scalars, never a token.

    Anything but a scalar would be copied at each step of pandas, or break ``concat`` and Parquet.
    """
    return {
        "v": 1,
        "endpoint": client.base_url,
        "token_from": client.source,
        "query": query,
        "fetched_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "requests": requests,
    }


async def _read_keys(client: Client, filters: Filters, reading: Reading) -> pa.Table:
    """Find images by id or slug, in the order asked; many are looked up in one listing first."""
    keys = filters.keys or ()
    found: dict[int | str, pa.Table] = {}
    if len(keys) >= IDS_BY_LISTING:
        found = _by_key((await client.listing(IMAGES, IMAGES_PATH, reading=reading)).rows)
        reading.survey = None
    missing: dict[int | str, NotFoundError] = {}

    # What a listing does not have is no row; only one who wants each of them is told of it by the API itself.
    asked = keys if filters.is_strict or not found else [key for key in keys if key in found]

    async def ask(place: int, key: int | str) -> None:
        if key not in found:
            reading.requests += 1
            try:
                found[key] = to_rows([_checked(await client.image(key), key)], IMAGES)
            except NotFoundError as error:
                missing[key] = error
                return
        reading.find(place, found[key])

    await do_all(ask(place, key) for place, key in enumerate(asked))
    if missing and filters.is_strict:
        raise _not_found({key: missing[key] for key in keys if key in missing})
    return concat([to_rows([], IMAGES), *(found[key] for key in keys if key in found)])


def _by_key(rows: pa.Table) -> dict[int | str, pa.Table]:
    ids, slugs = rows["id"].to_pylist(), rows["slug"].to_pylist()
    named = {slug: place for place, slug in enumerate(slugs) if slug}
    return {key: rows.slice(place, 1) for key, place in (named | dict(zip(ids, range(len(ids)), strict=True))).items()}


def _checked(record: dict[str, Any], key: int | str) -> dict[str, Any]:
    """Hold the reply against the question: an id that was asked for is the id of the answer."""
    if not isinstance(key, int):
        return record
    if record.get("id") is None:
        record["id"] = key
    if record["id"] != key:
        raise DecodeError(f"GET {IMAGES_PATH}/{key} was answered with image {record['id']}.", column="id")
    return record


def _not_found(missing: dict[int | str, NotFoundError]) -> NotFoundError:
    first = next(iter(missing.values()))
    names = ", ".join(map(str, missing))
    return NotFoundError(
        f"There is no image {names} for this token (404 {first.api_id}). No frame was made; ask without it.",
        status=404,
        method="GET",
        url=first.url,
        api_id=first.api_id,
        request_id=first.request_id,
    )
