"""Bodies of a listing to typed columns, totals and the page numbers in links. No I/O.

pyarrow's JSON reader takes a batch of bodies at once: 20,000 images in about 40 ms of CPU where dicts cost 190
(benchmarks/). What it refuses, or would guess at, is read again by the json module, whose errors can be told.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from doimages.api.model import Page
from doimages.errors import DecodeError
from doimages.schema import Column, ColumnType, Table

_ARROW: Mapping[ColumnType, pa.DataType] = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "string": pa.string(),
    "boolean": pa.bool_(),
    "time": pa.string(),
    "strings": pa.list_(pa.string()),
    "object": pa.string(),
}
_LINKS = pa.struct([("pages", pa.struct([("next", pa.string()), ("last", pa.string())]))])
_META = pa.struct([("total", pa.int64())])
# Types of unknown fields that the reader infers as they stand; it would turn text that looks like a time into one.
_PLAIN = (pa.null(), pa.bool_(), pa.int64(), pa.float64(), pa.string(), pa.list_(pa.string()))
# A page nests 4 deep. pyarrow's reader and its inference of types recurse in C: from about 1,000 they end the process.
DEEPEST = 16
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_EXACT = 2.0**53
_PAGE_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


def decode_pages(bodies: Sequence[bytes], table: Table) -> list[Page]:
    """Read the bodies of a listing's pages, in order, into typed rows with all columns of the table.

    Keys that are missing and keys that are null are both missing values. Fields outside the schema are kept as
    further columns. Raises DecodeError, naming column, value and record, if a value does not fit.
    """
    return _decode_fast(bodies, table) or [_decode(body, table) for body in bodies]


def _decode_fast(bodies: Sequence[bytes], table: Table) -> list[Page] | None:
    if any(column.type == "object" for column in table.columns) or not all(map(_is_plain, bodies)):
        return None
    joined = b"\n".join(bodies)
    try:
        read = pj.read_json(
            pa.BufferReader(joined),
            read_options=pj.ReadOptions(use_threads=False, block_size=len(joined) + 1),
            parse_options=pj.ParseOptions(
                explicit_schema=pa.schema(
                    [(table.plural, pa.list_(arrow_struct(table))), ("meta", _META), ("links", _LINKS)]
                ),
                newlines_in_values=True,
                unexpected_field_behavior="infer",
            ),
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
        pages.append(Page(rows_of_page, total, page_number(linked.get("next")), page_number(linked.get("last"))))
        start += length
    return pages


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


@cache
def arrow_struct(table: Table) -> pa.DataType:
    """Give the Arrow type of one record of the table; times stay text until the frame is made."""
    return pa.struct([(column.name, _ARROW[column.type]) for column in table.columns])


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
        page_number(_at(linked, "last")),
    )


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def to_rows(records: Sequence[Any], table: Table) -> pa.Table:
    """Build typed rows from decoded records, checking every value; see :func:`decode_pages`."""
    for record in records:
        if not isinstance(record, dict):
            raise DecodeError(f"A record of {table.plural} is a {type(record).__name__}: {record!r}.", value=record)
    arrays = {
        column.name: pa.array([_fit(record.get(column.name), column, record) for record in records], arrow.type)
        for column, arrow in zip(table.columns, arrow_struct(table), strict=True)
    }
    for name in dict.fromkeys(key for record in records for key in record if key not in arrays):
        arrays[name] = _infer(name, [record.get(name) for record in records])
    return pa.table(arrays)


def _infer(name: str, values: list[Any]) -> pa.Array:
    """Give a field outside the schema the type its values have in common, else JSON text."""
    try:
        if _string(name) is not None and not any(_nests(value, DEEPEST) for value in values):
            return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, UnicodeEncodeError):
        pass
    texts = [None if value is None else as_text(value) for value in values]
    for text in (name, *texts):
        if text is not None and _string(text) is None:
            raise DecodeError(f"{name!r} holds {text!r}, which is no Unicode text. No frame was made.", column=name)
    return pa.array(texts, pa.string())


def _nests(value: Any, levels: int) -> bool:
    """Tell whether a value has more levels than so many."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_nests(item, levels - 1) for item in inside)


def as_text(value: Any) -> str:
    """Write a value that has no type of its own as JSON; text stays as it is."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _fit(value: Any, column: Column, record: Mapping[str, Any]) -> Any:
    """Give the value as the column holds it; refuse what would be guessing."""
    if value is None and not column.required:
        return None
    fitted = _FITS[column.type](value)
    if fitted is None:
        raise DecodeError(
            f"{column.name} of {_name(record)} is {value!r}, which is no {column.type}. No frame was made.",
            column=column.name,
            value=value,
        )
    return fitted


def _integer(value: Any) -> int | None:
    if type(value) is float and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value if type(value) is int and -(2**63) <= value < 2**63 else None


def _number(value: Any) -> float | None:
    try:
        number = float(value) if type(value) in (int, float) else math.nan
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _string(value: Any) -> str | None:
    # A lone surrogate cannot be written as UTF-8, so no column could hold it.
    return value if isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value) else None


def _time(value: Any) -> str | None:
    if type(value) is int and 0 <= value < 10**11:
        return datetime.fromtimestamp(value, UTC).isoformat()  # godo takes Unix seconds for times too
    return _string(value)


def _boolean(value: Any) -> bool | None:
    return value if type(value) is bool else None


def _strings(value: Any) -> list[Any] | None:
    fits = isinstance(value, list) and all(item is None or _string(item) is not None for item in value)
    return value if fits else None


_FITS: Mapping[ColumnType, Callable[[Any], Any]] = {
    "integer": _integer,
    "number": _number,
    "string": _string,
    "time": _time,
    "boolean": _boolean,
    "strings": _strings,
    "object": lambda value: _string(as_text(value)),
}


def _name(record: Mapping[str, Any]) -> str:
    return f"image {record['id']}" if record.get("id") is not None else _short(record)


def _short(record: Mapping[str, Any]) -> str:
    return repr(dict(record))[:120]


def concat(tables: list[pa.Table]) -> pa.Table:
    """Join tables of rows, one at least; an unknown field that has several types on the way becomes text."""
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        names = {name for table in tables for name in table.schema.names}
        unlike = {name for name in names if not _is_alike(name, tables)}
        return pa.concat_tables([_textual(table, unlike) for table in tables], promote_options="permissive")


def _is_alike(name: str, tables: list[pa.Table]) -> bool:
    try:
        pa.concat_tables(
            [table.select([name]) for table in tables if name in table.schema.names], promote_options="permissive"
        )
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return False
    return True


def _textual(table: pa.Table, names: set[str]) -> pa.Table:
    for name in names & set(table.schema.names):
        texts = [None if value is None else as_text(value) for value in table[name].to_pylist()]
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(texts, pa.string()))
    return table
