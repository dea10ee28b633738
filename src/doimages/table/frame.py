"""Typed rows to a frame: the dtypes, the same for no rows, for nulls and for values nobody has seen yet."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api.types import is_integer_dtype, pandas_dtype

from doimages.errors import DecodeError, UnknownColumnError, UsageError, unknown_name
from doimages.schema import IMAGES, Column, ColumnType, Table
from doimages.settings import DTYPE_BACKENDS

_TIME = pa.timestamp("us", tz="UTC")
# The dtype of a column, by its type in the schema: the default, and dtype_backend="numpy_nullable".
_DTYPES: Mapping[ColumnType, tuple[str, str]] = {
    "integer": ("Int64", "Int64"),
    "number": ("Float64", "Float64"),
    "string": ("str", "string"),
    "boolean": ("boolean", "boolean"),
    "time": ("datetime64[us, UTC]", "datetime64[us, UTC]"),
    "strings": ("object", "object"),
    "object": ("str", "string"),
}


def default_dtype(column: Column) -> str:
    """Give the dtype a column has if nothing else is asked for; an id is never missing, so it is plain int64."""
    return "int64" if column.type == "integer" and column.required else _DTYPES[column.type][0]


def check_columns(columns: Sequence[str] | None, index_col: str | None, table: Table = IMAGES) -> None:
    """Refuse names that are no columns, before anything is sent."""
    if isinstance(columns, str):
        raise UsageError(f"columns is a list of names, not the text {columns!r}. Nothing was sent.")
    names = table.column_names if columns is None else tuple(columns)
    for name in names:
        if name not in table.column_names:
            raise UnknownColumnError(name, table.column_names, table.name)
        if names.count(name) > 1:
            raise UsageError(f"columns names {name!r} twice. Nothing was sent.")
    if index_col is not None and index_col not in names:
        raise UnknownColumnError(index_col, names, table.name)


def check_dtypes(dtype_backend: str | None, dtypes: Mapping[str, Any] | None, table: Table = IMAGES) -> None:
    """Refuse a backend or dtype that is none, before anything is sent."""
    if dtype_backend is not None and dtype_backend not in DTYPE_BACKENDS:
        raise unknown_name("dtype_backend", dtype_backend, DTYPE_BACKENDS)
    for name, dtype in ({} if dtypes is None else dtypes).items():
        if name not in table.column_names:
            raise UnknownColumnError(name, table.column_names, table.name)
        try:
            pandas_dtype(dtype)
        except TypeError:
            raise UsageError(f"dtypes[{name!r}]: {dtype!r} is no dtype that pandas knows. Nothing was sent.") from None


def to_frame(
    rows: pa.Table,
    table: Table = IMAGES,
    *,
    columns: Sequence[str] | None = None,
    index_col: str | None = None,
    dtype_backend: str | None = None,
    dtypes: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Build the frame of typed rows, one row a record, in their order, on a fresh RangeIndex.

    Sends nothing. Missing values are NaN in ``str`` columns, NaT in times, ``<NA>`` elsewhere, None in lists. Fields
    the schema does not know follow its columns. Raises DecodeError if a time is none, or ``dtypes`` does not fit.
    """
    known = {column.name: column for column in table.columns}
    names = list(columns) if columns is not None else rows.column_names
    keys = rows[table.key]
    with _collector_paused():
        # Column by column, so that no more than one is in memory twice.
        made = {name: _array(rows[name].combine_chunks(), known.get(name), name, dtype_backend, keys) for name in names}
    frame = pd.DataFrame(made, index=pd.RangeIndex(rows.num_rows), columns=names, copy=False)
    for name in names:
        if dtypes is not None and name in dtypes:
            frame[name] = _as_asked(frame[name], dtypes[name])
    return frame if index_col is None else frame.set_index(index_col)


def _array(values: pa.Array, column: Column | None, name: str, dtype_backend: str | None, keys: pa.ChunkedArray) -> Any:
    """Give the array of one column; an array, for pandas would align each Series with the index once more."""
    if column is not None and column.type == "time":
        values = read_times(values, name, keys)
    if dtype_backend == "pyarrow":
        return pd.arrays.ArrowExtensionArray(values)
    if pa.types.is_list(values.type) and values.type.value_type in {pa.string(), pa.null()}:
        return np.fromiter(_lists(values), dtype=object, count=len(values))
    if column is None or (column.type == "object" and not pa.types.is_string(values.type)):
        return _unknown(values, dtype_backend)
    return _typed(values, default_dtype(column) if dtype_backend is None else _DTYPES[column.type][1])


def _typed(values: pa.Array, dtype: str) -> Any:
    """Hand a column over through the dtype's own Arrow reader."""
    reader = getattr(_parsed(dtype), "__from_arrow__", None)
    return values.to_numpy(zero_copy_only=False) if reader is None else reader(values)


@cache
def _parsed(dtype: str) -> Any:
    return pandas_dtype(dtype)


def _unknown(values: pa.Array, dtype_backend: str | None) -> Any:
    """Give a field outside the schema the nullable dtype of its kind, whichever backend the others have."""
    kinds: list[tuple[Callable[[pa.DataType], bool], ColumnType]] = [
        (pa.types.is_boolean, "boolean"),
        (pa.types.is_integer, "integer"),
        (pa.types.is_floating, "number"),
        (pa.types.is_string, "string"),
    ]
    for is_kind, kind in kinds:
        if is_kind(values.type):
            return _typed(values, _DTYPES[kind][0 if dtype_backend is None else 1])
    if pa.types.is_timestamp(values.type) or pa.types.is_duration(values.type):
        return values.to_numpy(zero_copy_only=False)
    return np.fromiter(values.to_pylist(), dtype=object, count=len(values))


def _lists(array: pa.ListArray) -> list[list[str] | None]:
    """Make lists that share their words: regions and tags repeat thousands of times."""
    words = array.values.dictionary_encode()  # noqa: PD011 - of Arrow, not of pandas
    known = [*words.dictionary.to_pylist(), None]
    flat = [known[i] for i in words.indices.fill_null(len(known) - 1).to_pylist()]
    ends = array.offsets.to_pylist()
    made: list[list[str] | None] = [flat[start:end] for start, end in pairwise(ends)]
    for place in pc.indices_nonzero(array.is_null()).to_pylist() if array.null_count else ():
        made[place] = None
    return made


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep Python from searching tens of thousands of new lists for cycles, again and again: half the frame's time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def read_times(values: pa.Array, name: str, keys: pa.ChunkedArray) -> pa.Array:
    """Read ISO 8601 in UTC, as every known reply has it; anything else by hand, and no guessing at month and day."""
    try:
        return values.cast(_TIME)
    except pa.ArrowInvalid:
        texts = zip(values.to_pylist(), keys.to_pylist(), strict=True)
        return pa.array([_time(text, name, key) for text, key in texts], _TIME)


def _time(text: str | None, name: str, key: Any) -> datetime | None:
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise DecodeError(
            f"{name} of image {key} is {text!r}, which is no ISO 8601 time. No frame was made; "
            f"columns=[...] without {name!r} reads the rest.",
            column=name,
            value=text,
        ) from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _as_asked(series: "pd.Series[Any]", dtype: Any) -> "pd.Series[Any]":
    name = series.name
    try:
        made = series.astype(pandas_dtype(dtype))
    except (TypeError, ValueError, NotImplementedError, OverflowError) as error:
        raise DecodeError(f"{name} does not fit dtypes[{name!r}]={dtype!r}: {error}.", column=str(name)) from None
    # A narrower integer wraps around without a word: ids would be those of other images.
    if (
        is_integer_dtype(series.dtype)
        and is_integer_dtype(made.dtype)
        and not (made == series).fillna(value=True).all()
    ):
        raise DecodeError(f"{name} has numbers too large for dtypes[{name!r}]={dtype!r}.", column=str(name))
    return made
