"""Frames of the notebook, as rows that SQL can join; and rows of the API with their times read."""

from collections.abc import Container, Iterable
from typing import Any

import pandas as pd
import pyarrow as pa
from pandas.api import types

from doimages.errors import UsageError
from doimages.schema import Column, ColumnType, Table
from doimages.table.frame import read_times


def with_times(rows: pa.Table, table: Table, names: Iterable[str] | None = None) -> pa.Table:
    """Give the schema's columns, or the key and those named, with times as times; DecodeError for one that is none."""
    keys = rows[table.key]
    made = {}
    for column in table.columns:
        if names is None or column.name in names or column.name == table.key:
            values = rows[column.name].combine_chunks()
            made[column.name] = read_times(values, column.name, keys) if column.type == "time" else values
    return pa.table(made)


def is_frame(value: Any) -> bool:
    """Tell whether SQL can read it as a table: a pandas frame, or anything with Arrow's PyCapsule interface."""
    return hasattr(value, "__arrow_c_stream__") and not isinstance(value, pd.Series)


def read_once(name: str, frame: Any) -> Any:
    """Give a pandas frame as it is, anything else as a table of Arrow: some can be read but once."""
    if isinstance(frame, pd.DataFrame):
        return frame
    try:
        return pa.table(frame)
    except Exception as error:  # noqa: BLE001 - whatever its maker raises
        raise UsageError(f"{name} cannot be read as a table: {error}. Nothing was sent.") from None


def column_types(frame: Any) -> dict[str, ColumnType | None]:
    """Give the type of each column of a frame or table, None where the schema has no word for it."""
    if isinstance(frame, pd.DataFrame):
        return {str(name): _type_of(frame.iloc[:, place]) for place, name in enumerate(frame.columns)}
    return {field.name: _ARROW.get(str(field.type)) for field in frame.schema}


def to_arrow(name: str, frame: Any, columns: Iterable[str] | None) -> pa.Table:
    """Give the columns that a statement names, or all; UsageError for what SQL cannot read or tell apart."""
    is_pandas = isinstance(frame, pd.DataFrame)
    made = {}
    for place, label in enumerate(frame.columns if is_pandas else frame.column_names):
        if columns is None or str(label).lower() in columns:
            if str(label) in made:
                raise UsageError(f"the frame {name} has two columns {str(label)!r}: rename one. Nothing was sent.")
            made[str(label)] = _read(name, label, frame.iloc[:, place]) if is_pandas else frame.column(place)
    # A table without columns has no rows either; the index counts them.
    return pa.table(made) if made else pa.table({"index": pa.array(range(len(frame)), pa.int64())})


def _read(name: str, label: object, series: "pd.Series[Any]") -> pa.Array:
    try:
        values = pa.array(series, from_pandas=True)
    except (ValueError, TypeError, NotImplementedError, OverflowError) as error:
        raise _unreadable(name, label, str(error)) from None
    if pa.types.is_timestamp(values.type) and values.type.unit == "ns":
        return values.cast(
            pa.timestamp("us", values.type.tz), safe=False
        )  # of what DuckDB has a finer type than frames
    if isinstance(values.type, pa.ExtensionType):  # DuckDB would take what it is stored as: a number for a period
        raise _unreadable(name, label, f"SQL has no {series.dtype}")
    return values


def _unreadable(name: str, label: object, reason: str) -> UsageError:
    return UsageError(
        f"column {label!r} of the frame {name} cannot be read by SQL: {reason}. "
        "Give it one type with astype, or leave it out. Nothing was sent."
    )


def result_table(schema: pa.Schema, required: Container[str]) -> Table:
    """Give the record of a query's result; ``object`` is what the schema has no other word for."""
    kinds = {field.name: _ARROW.get(str(field.type), "object") for field in schema}
    columns = [
        Column(name, kind, "", required=kind == "integer" and name.lower() in required) for name, kind in kinds.items()
    ]
    return Table("the result", "rows", "row", tuple(columns))


_ARROW: dict[str, ColumnType] = {
    "int64": "integer",
    "double": "number",
    "string": "string",
    "large_string": "string",
    "bool": "boolean",
    "timestamp[us, tz=UTC]": "time",
    "list<item: string>": "strings",
    "list<element: string>": "strings",
}


def _type_of(series: "pd.Series[Any]") -> ColumnType | None:
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        return "time"
    kinds: list[tuple[Any, ColumnType]] = [
        (types.is_bool_dtype, "boolean"),
        (types.is_integer_dtype, "integer"),
        (types.is_float_dtype, "number"),
    ]
    for is_kind, kind in kinds:
        if is_kind(series.dtype):
            return kind
    if types.is_object_dtype(series.dtype):
        first = next((value for value in series if value is not None), None)
        return "strings" if isinstance(first, list) and all(isinstance(one, str) for one in first) else None
    return "string" if types.is_string_dtype(series.dtype) else None
