"""A frame after a plan was applied: the rows of its images as they are now, those that are gone left out."""

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd


def patched(frame: pd.DataFrame, fresh: pd.DataFrame, ids: Collection[int]) -> pd.DataFrame:
    """Give the frame with the rows of some ids as in ``fresh``, a plain listing; its own columns stay as they are."""
    is_index = frame.index.name == "id"
    rows = frame.reset_index() if is_index else frame.copy()
    is_told = rows["id"].isin(set(ids)).to_numpy(bool)
    now = fresh.set_index("id")
    rows = rows[~is_told | rows["id"].isin(now.index).to_numpy(bool)]
    is_told = rows["id"].isin(set(ids)).to_numpy(bool)
    now = now.loc[rows["id"][is_told].astype("int64")]
    for name in [name for name in rows.columns if name in now.columns]:
        rows = rows.assign(**{name: _with(rows[name], is_told, now[name])})
    # A whole listing is one still, without what is gone from it.
    told = frame.attrs.get("do_images", {})
    is_whole = told.get("rows") == len(frame)
    rows.attrs = frame.attrs | ({"do_images": told | {"rows": len(rows)}} if is_whole else {})
    return rows.set_index("id") if is_index else rows


def _with(column: "pd.Series[Any]", is_told: "np.ndarray[Any, Any]", values: "pd.Series[Any]") -> "pd.Series[Any]":
    cells = column.to_numpy(object, copy=True) if column.dtype == object else column.astype(object).to_numpy(copy=True)
    places = np.flatnonzero(is_told)
    for place, value in zip(places, values.astype(object), strict=True):
        cells[place] = value
    made = pd.Series(list(cells), index=column.index, dtype=object)
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.cat.add_categories(sorted(set(made.dropna()) - set(column.cat.categories)))
    return made.astype(column.dtype)
