"""Filters to requests to a frame, with a note of where it came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from doimages.api.client import IMAGES_PATH, Client
from doimages.api.listing import Reading, do_all
from doimages.api.rows import concat, to_rows
from doimages.errors import DecodeError, NotFoundError
from doimages.schema import IMAGES
from doimages.table.filters import IDS_BY_LISTING, Filters
from doimages.table.frame import check_columns, check_dtypes, to_frame


@dataclass(frozen=True, slots=True)
class Shape:
    """How the frame should look; see :func:`doimages.table.frame.to_frame`."""

    columns: Sequence[str] | None = None
    index_col: str | None = None
    dtype_backend: str | None = None
    dtypes: Mapping[str, Any] | None = None

    def check(self) -> None:
        """Refuse what cannot be, before anything is sent."""
        check_columns(self.columns, self.index_col)
        check_dtypes(self.dtype_backend, self.dtypes)


async def read(client: Client, filters: Filters, shape: Shape, reading: Reading) -> pd.DataFrame:
    """Read what the filters ask for and build the frame: a whole one, or none."""
    total: int | None = 0
    is_complete = True
    if filters.keys is not None:
        rows = await _read_keys(client, filters.keys, reading)
        total = rows.num_rows
    elif filters.limit == 0:
        rows, total, is_complete = to_rows([], IMAGES), None, False
    else:
        listing = await client.listing(IMAGES, IMAGES_PATH, filters.query, limit=filters.api_limit, reading=reading)
        kept = filters.keep(listing.rows)
        if filters.api_limit is not None and kept.num_rows < min(filters.api_limit, listing.rows.num_rows):
            # The API gave rows that the filters do not want: the first so many of all are not enough.
            listing = await client.listing(IMAGES, IMAGES_PATH, filters.query, reading=reading)
            kept = filters.keep(listing.rows)
        rows = kept if filters.limit is None else kept.slice(0, filters.limit)
        total = listing.total
        is_complete = listing.is_complete and rows.num_rows == kept.num_rows
    return make_frame(rows, client, filters, shape, reading, total=total, is_complete=is_complete)


def make_frame(
    rows: pa.Table,
    client: Client,
    filters: Filters,
    shape: Shape,
    reading: Reading,
    *,
    total: int | None,
    is_complete: bool,
) -> pd.DataFrame:
    """Build the frame, and note in ``attrs["do_images"]`` where it came from: JSON scalars, never a token.

    Anything but a scalar would be copied at each step of pandas, or break ``concat`` and Parquet.
    """
    frame = to_frame(
        rows,
        columns=shape.columns,
        index_col=shape.index_col,
        dtype_backend=shape.dtype_backend,
        dtypes=shape.dtypes,
    )
    frame.attrs["do_images"] = {
        "v": 1,
        "endpoint": client.base_url,
        "token_from": client.source,
        "query": str(filters),
        "fetched_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "rows": rows.num_rows,
        "total": total,
        "requests": reading.requests,
        "complete": is_complete,
    }
    return frame


async def _read_keys(client: Client, keys: Sequence[int | str], reading: Reading) -> pa.Table:
    """Find images by id or slug, in the order asked; many are looked up in one listing first."""
    found: dict[int | str, pa.Table] = {}
    if len(keys) >= IDS_BY_LISTING:
        found = _by_key((await client.listing(IMAGES, IMAGES_PATH, reading=reading)).rows)
        reading.survey = None
    missing: dict[int | str, NotFoundError] = {}

    async def ask(place: int, key: int | str) -> None:
        if key not in found:
            reading.requests += 1
            try:
                found[key] = to_rows([_checked(await client.image(key), key)], IMAGES)
            except NotFoundError as error:
                missing[key] = error
                return
        reading.find(place, found[key])

    await do_all(ask(place, key) for place, key in enumerate(keys))
    if missing:
        raise _not_found({key: missing[key] for key in keys if key in missing})
    return concat([to_rows([], IMAGES), *(found[key] for key in keys)])


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
