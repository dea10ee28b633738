"""Which frames a picker takes: one row an image, an integer ``id``, and columns of the types the schema has."""

from datetime import datetime
from typing import Any

import pandas as pd
from pandas.api import types

from doimages.errors import UsageError
from doimages.schema import IMAGES

_NO_ID = (
    "a picker's frame has one integer column, or index, 'id', and columns of one level; this one has not. "
    "Nothing was sent."
)
_TYPES = {"time": "time in a zone", "strings": "list of texts"}


def plain_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Give a frame with ``id`` as a column; raises UsageError for one that a picker cannot show."""
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise UsageError(f"this frame has two columns {twice[0]!r}; drop one. Nothing was sent.")
    is_index = frame.index.name == "id"
    if frame.columns.nlevels > 1 or is_index is ("id" in frame.columns):
        raise UsageError(_NO_ID)
    plain = frame.reset_index() if is_index else frame
    if not types.is_integer_dtype(plain["id"].dtype):
        raise UsageError(_NO_ID)
    if plain["id"].isna().any():
        raise UsageError("a row of this frame has no id. Nothing was sent.")
    if plain["id"].duplicated().any():
        double = plain["id"][plain["id"].duplicated()].iloc[0]
        raise UsageError(
            f"image {double} is in this frame twice, and a picker has one row an image: "
            'frame.drop_duplicates("id"). Nothing was sent.'
        )
    for column in IMAGES.columns:
        if column.name in plain.columns and not _is_of(plain[column.name], column.type):
            raise UsageError(
                f"column {column.name!r} of this frame holds no values of type {_TYPES.get(column.type, column.type)}: "
                "read it with doimages, or drop it. Nothing was sent."
            )
    return plain


def _is_of(column: "pd.Series[Any]", kind: str) -> bool:
    """Tell whether what is there of a column has a type of the schema; text is made of anything."""
    told = column.dropna()
    if kind in {"integer", "number"}:
        is_number = types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype)
        return is_number or all(types.is_number(one) for one in told)
    if kind == "time":
        # Of times without a zone nobody knows what day they are on in UTC.
        return all(isinstance(one, datetime) and one.tzinfo is not None for one in told.head(1)) and (
            types.is_datetime64_any_dtype(column.dtype) or all(isinstance(one, datetime) for one in told)
        )
    if kind == "boolean":
        return types.is_bool_dtype(column.dtype) or all(types.is_bool(one) for one in told)
    if kind == "strings":
        return all(_is_list_of_texts(one) for one in told)
    return not any(types.is_list_like(one) for one in told)


def _is_list_of_texts(cell: Any) -> bool:
    is_list = types.is_list_like(cell) and not isinstance(cell, dict)
    return is_list and all(word is None or isinstance(word, str) for word in cell)
