"""Which images a person asks for, and which requests that takes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.compute as pc

from doimages.api.client import IMAGES_PATH, image_query
from doimages.api.ids import check_tag, image_keys
from doimages.errors import UsageError, unknown_name
from doimages.schema import KINDS, PAGE_SIZE, PRIVATE_KINDS, REQUEST_TYPES

# From this many ids on, one listing is cheaper than a request an image: 25 requests list 5,000 images.
IDS_BY_LISTING = 100


@dataclass(frozen=True, slots=True)
class Filters:
    """Which images: what the API filters by, the kinds that are filtered here, or ids and slugs in the order asked."""

    request_type: str | None = None
    kinds: tuple[str, ...] = ()
    private: bool = False
    tag: str | None = None
    keys: tuple[int | str, ...] | None = None
    limit: int | None = None
    # One page by its number and size, and no more; of a missing key, an error or no row.
    page: tuple[int, int] | None = None
    is_strict: bool = True

    @property
    def query(self) -> dict[str, str]:
        """The query of the listing."""
        return image_query(self.request_type, private=self.private, tag_name=self.tag)

    def requests(self, total: int | None = None) -> list[str]:
        """Say what would be sent, in words; how many pages a listing has can be told only by its last total."""
        if self.limit == 0:
            return []
        if self.keys is not None and len(self.keys) < IDS_BY_LISTING:
            return [f"GET {IMAGES_PATH}/{key}" for key in self.keys]
        query = urlencode(self.query)
        number, size = self.page or (1, min(PAGE_SIZE, self.api_limit or PAGE_SIZE))
        listing = f"GET {IMAGES_PATH}?{query}{'&' if query else ''}per_page={size}"
        if self.page or (self.api_limit is not None and self.api_limit <= size):
            return [f"{listing}&page={number}"]
        if total is None:
            return [f"{listing}&page=1", f"{listing}&page=2 and on, side by side, until the total that page 1 tells"]
        pages = max(1, -(-total // size))
        last = f" to {pages}, side by side" if pages > 2 else ""  # noqa: PLR2004 - the first page and one more
        others = [f"{listing}&page=2{last}, if there are {total} images as the last time"]
        return [f"{listing}&page=1", *(others if pages > 1 else [])]

    def keep(self, rows: pa.Table) -> pa.Table:
        """Apply every filter once more to what came: how the API combines them is nowhere documented.

        What a row does not tell keeps it: a token without tag:read sees no tags.
        """
        kept = pa.scalar(value=True)
        if self.kinds:
            kept = pc.and_(kept, pc.is_in(rows["type"], pa.array(self.kinds)))
        if self.private:
            kept = pc.and_(kept, pc.invert(pc.fill_null(rows["public"], fill_value=False)))
        if self.tag is not None:
            wanted = self.tag.casefold()
            has_tag = [
                tags is None or wanted in (tag.casefold() for tag in tags if tag is not None)
                for tags in rows["tags"].to_pylist()
            ]
            kept = pc.and_(kept, pa.array(has_tag, pa.bool_()))
        return rows if isinstance(kept, pa.Scalar) else rows.filter(kept)

    def __str__(self) -> str:
        if self.keys is not None:
            return f"GET {IMAGES_PATH}/{self.keys[0]}" if len(self.keys) == 1 else f"{len(self.keys)} images by id"
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        kinds = f", type in ({', '.join(self.kinds)})" if self.kinds else ""
        return f"GET {IMAGES_PATH}{'?' if query else ''}{query}{kinds}"

    @property
    def api_limit(self) -> int | None:
        """How many rows the listing may stop at: none if rows are filtered here afterwards."""
        return None if self.kinds or self.keys is not None else self.limit


def make_filters(
    *,
    type: str | Sequence[str] | None = None,
    private: bool = False,
    tag_name: str | None = None,
    image_id: Any = None,
    max_results: int | None = None,
) -> Filters:
    """Check the filters as a person gives them; raises UsageError before anything is sent."""
    limit = check_limit(max_results)
    if image_id is not None:
        if type is not None or private or tag_name is not None:
            raise UsageError("image_id asks for single images; type, private and tag_name filter a listing. Use one.")
        return Filters(keys=tuple(image_keys(image_id))[:limit], limit=limit)
    request_type, kinds = _check_type(type)
    only_private = bool(kinds) and PRIVATE_KINDS.issuperset(kinds)
    return Filters(
        request_type, kinds, private or only_private, None if tag_name is None else check_tag(tag_name), limit=limit
    )


def check_limit(limit: Any) -> int | None:
    """Give the most rows that are asked for, if any number is; raises UsageError."""
    if limit is None:
        return None
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
        raise UsageError(f"max_results must be a whole number, zero or more, not {limit!r}. Nothing was sent.")
    return limit


def _check_type(type: Any) -> tuple[str | None, tuple[str, ...]]:
    """Tell the request filter from the attribute: they share a name and no more (openapi, images_list)."""
    if type is None:
        return None, ()
    if isinstance(type, str) and type in REQUEST_TYPES:
        return type, ()
    if not isinstance(type, (str, Iterable)) or (not isinstance(type, str) and not tuple(type)):
        raise UsageError(f"type={type!r} is no kind of image, nor a list of some. Nothing was sent.")
    kinds = (type,) if isinstance(type, str) else tuple(type)
    for kind in kinds:
        if kind in REQUEST_TYPES:
            raise UsageError(f"type={kind!r} is a filter of the API and stands alone, not in a list. Nothing was sent.")
        if kind not in KINDS:
            raise unknown_name("type", kind, (*REQUEST_TYPES, *KINDS))
    return None, tuple(dict.fromkeys(kinds))
