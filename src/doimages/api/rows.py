"""Decoded records to typed rows, every value checked; and rows put together. No I/O."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pyarrow as pa

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

# A page nests 4 deep. pyarrow's reader and its inference of types recurse in C: from about 1,000 they end the process.
DEEPEST = 16


@cache
def arrow_struct(table: Table) -> pa.DataType:
    """Give the Arrow type of one record of the table; times stay text until the frame is made."""
    return pa.struct([(column.name, _ARROW[column.type]) for column in table.columns])


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
