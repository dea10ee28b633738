"""Bodies of a listing to typed columns, totals and the page numbers in links. No I/O.

pyarrow's JSON reader takes a batch of bodies at once: 20,000 images in about 40 ms of CPU where dicts cost 190
(benchmarks/). What it refuses, or would guess at, is read again by the json module, whose errors can be told.
"""

import json
import re
from collections.abc import Sequence
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from doimages.api.model import Page
from doimages.api.rows import DEEPEST, arrow_struct, to_rows
from doimages.errors import DecodeError
from doimages.schema import Table

_LINKS = pa.struct([("pages", pa.struct([("next", pa.string())]))])
_META = pa.struct([("total", pa.int64())])
# Types of unknown fields that the reader infers as they stand; it would turn text that looks like a time into one.
_PLAIN = (pa.null(), pa.bool_(), pa.int64(), pa.float64(), pa.string(), pa.list_(pa.string()))
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_EXACT = 2.0**53
_TOTAL = re.compile(rb'"meta"\s*:\s*\{\s*"total"\s*:\s*([0-9]{1,9})\s*\}\s*\}\s*$')
_TAIL = 100
_MANY = 16
_PAGE_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


def decode_pages(bodies: Sequence[bytes], table: Table) -> list[Page]:
    """Read the bodies of a listing's pages, in order, into typed rows with all columns of the table.

    Keys that are missing and keys that are null are both missing values. Fields outside the schema are kept as
    further columns. Raises DecodeError, naming column, value and record, if a value does not fit.
    """
    return _decode_fast(bodies, table) or [_decode(body, table) for body in bodies]


def peek_total(body: bytes) -> int | None:
    """Look for the total at the end of a body that is not decoded yet: a hint, for it may stand elsewhere, or lie."""
    found = _TOTAL.search(body, max(0, len(body) - _TAIL))
    return int(found[1]) if found else None


def _decode_fast(bodies: Sequence[bytes], table: Table) -> list[Page] | None:
    if any(column.type == "object" for column in table.columns) or not all(map(_is_plain, bodies)):
        return None
    joined = b"\n".join(bodies)
    try:
        read = pj.read_json(
            pa.BufferReader(joined),
            read_options=pj.ReadOptions(use_threads=False, block_size=len(joined) + 1),
            parse_options=_parse_options(table),
            # Arrow's own pool is faster, but keeps what threads have let go: 60 MB more at 200,000 images.
            memory_pool=pa.system_memory_pool() if len(bodies) >= _MANY else None,
        ).combine_chunks()
    except pa.ArrowInvalid:
        return None
    lists = _whole(read[table.plural])
    if read.num_rows != len(bodies) or lists.null_count:
        return None
    rows = lists.flatten()
    extra = range(len(table.columns), rows.type.num_fields)
    if any(rows.type.field(i).type not in _PLAIN for i in extra) or rows.null_count:
        return None
    columns = pa.Table.from_struct_array(rows)
    if not _is_sound(columns, table):
        return None
    ends = pc.list_value_length(lists).to_pylist()
    totals = [meta and meta.get("total") for meta in read["meta"].to_pylist()]
    pages, start = [], 0
    for length, total, links in zip(ends, totals, read["links"].to_pylist(), strict=True):
        linked = (links or {}).get("pages") or {}
        rows_of_page = columns.slice(start, length)
        pages.append(Page(rows_of_page, total, page_number(linked.get("next"))))
        start += length
    return pages


@cache
def _parse_options(table: Table) -> pj.ParseOptions:
    return pj.ParseOptions(
        explicit_schema=pa.schema([(table.plural, pa.list_(arrow_struct(table))), ("meta", _META), ("links", _LINKS)]),
        newlines_in_values=True,
        unexpected_field_behavior="infer",
    )


def _is_sound(rows: pa.Table, table: Table) -> bool:
    """Tell whether the fast reader was strict enough.

    It lets NaN, infinity and missing ids pass, and rounds what is too large to be exact.
    """
    required = (rows[column.name] for column in table.columns if column.required)
    numbers = (column for column in rows.columns if pa.types.is_floating(column.type))
    return not any(column.null_count for column in required) and all(
        pc.all(pc.less(pc.abs(column), _EXACT), min_count=0).as_py() for column in numbers
    )


def _is_plain(body: bytes) -> bool:
    """Tell by its brackets whether a body is one object, of UTF-8, that the fast reader survives.

    It ends the process over deep nesting, and over null in place of an object. Brackets in text may make a plain body
    look otherwise, which costs time and no more.
    """
    text = body.strip()
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    left = text.translate(None, _NO_BRACKETS)[1:-1]
    for _ in range(DEEPEST):
        left = left.replace(b"[]", b"").replace(b"{}", b"")
    return not left and text.startswith(b"{") and text.endswith(b"}")


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)


def page_number(link: object) -> int | None:
    """Take the page number out of a link; all else in it is untrusted, and a link without one says nothing."""
    if not isinstance(link, str):
        return None
    try:
        found = parse_qs(urlsplit(link).query).get("page", [""])[-1]
    except ValueError:
        return None
    return int(found) if _PAGE_NUMBER.fullmatch(found) else None


def _decode(body: bytes, table: Table) -> Page:
    try:
        read = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"The answer is no whole JSON: {error}.") from None
    if not isinstance(read, dict) or not isinstance(read.get(table.plural), list):
        keys = sorted(read) if isinstance(read, dict) else type(read).__name__
        raise DecodeError(f"The answer has no list {table.plural!r}, only {keys}.", column=table.plural)
    total = _at(read, "meta", "total")
    linked = _at(read, "links", "pages")
    return Page(
        to_rows(read[table.plural], table),
        total if type(total) is int else None,
        page_number(_at(linked, "next")),
    )


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
