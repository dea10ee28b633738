"""The figures of an account, from a frame with one row an image."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

from doimages.errors import UsageError
from doimages.schema import IMAGES, PRICED_KINDS, PRIVATE_KINDS
from doimages.summary.summary import Summary
from doimages.table.frame import default_dtype

NEEDED = ("name", "type", "distribution", "regions", "size_gigabytes", "created_at")
_DTYPES: Mapping[str, Any] = {column.name: default_dtype(column) for column in IMAGES.columns}
_SHOWN = ["id", "name", "type", "distribution", "size_gigabytes", "created_at", "monthly_cost"]
_MOST = 10
_SECONDS_A_DAY = 86_400
# The ages, and from how many days on. Clocks differ: what was made in the future is new.
_AGES = {
    "under 1 day": float("-inf"),
    "1 to 7 days": 1,
    "7 to 30 days": 7,
    "30 to 90 days": 30,
    "90 to 365 days": 90,
    "over a year": 365,
}


def plain_images(frame: pd.DataFrame, ids: Sequence[int]) -> pd.DataFrame:
    """Give the columns that are summed up, in the default dtypes; raises UsageError for what cannot be summed up."""
    twice = pd.Index(ids)[pd.Index(ids).duplicated()]
    if len(twice):
        raise UsageError(
            f"image {twice[0]} is in more than one row, and would count twice. Summarise the frame as it was before "
            "explode or a join, or keep one row of each id. Nothing was sent."
        )
    columns = {name: _typed(frame[name]) for name in NEEDED}
    if (frame.columns == "public").sum() == 1:
        columns["public"] = _typed(frame["public"])
    return pd.DataFrame({"id": pd.array(ids, _DTYPES["id"]), **{name: made.array for name, made in columns.items()}})


def _typed(column: "pd.Series[Any]") -> "pd.Series[Any]":
    name = str(column.name)
    is_time = _DTYPES[name].startswith("datetime")
    if is_time and is_numeric_dtype(column.dtype):  # pandas would count nanoseconds
        raise UsageError(f"the column {name!r} holds numbers, not times. Nothing was sent.")
    try:
        return (pd.to_datetime(column, format="ISO8601", utc=True) if is_time else column).astype(_DTYPES[name])
    except (TypeError, ValueError) as error:
        raise UsageError(f"the column {name!r} cannot be read as {_DTYPES[name]}: {error}. Nothing was sent.") from None


def summarize(images: pd.DataFrame, in_regions: pd.DataFrame, made_at: datetime) -> Summary:
    """Sum up images with their ``monthly_cost``; ``in_regions`` has a row for each region that an image is in."""
    by_size = images.dropna(subset="size_gigabytes").sort_values(["size_gigabytes", "id"], ascending=[False, True])
    by_time = images.dropna(subset="created_at").sort_values(["created_at", "id"])
    return Summary(
        made_at=made_at,
        totals=_totals(images),
        by_type=_by_value(images, "type"),
        by_distribution=_by_value(images, "distribution"),
        by_region=_by_value(in_regions, "regions").rename_axis("region"),
        ages=_ages(images, made_at),
        biggest=by_size.head(_MOST)[_SHOWN].reset_index(drop=True),
        oldest=by_time.head(_MOST)[_SHOWN].reset_index(drop=True),
    )


def _totals(images: pd.DataFrame) -> pd.DataFrame:
    is_own = images["type"].isin(PRIVATE_KINDS)
    if "public" in images:
        is_own &= ~images["public"].fillna(value=False)
    is_billed = images["type"].isin(PRICED_KINDS)
    sums = _sums(images, pd.Series("all", images.index)).reindex(["all"], fill_value=0)
    totals = sums.reset_index(drop=True).assign(
        unknown_size=int(images["size_gigabytes"].isna().sum()),
        unknown_cost=int((is_billed & images["monthly_cost"].isna()).sum()),
        unknown_age=int(images["created_at"].isna().sum()),
    )
    totals.insert(1, "own_images", int(is_own.sum()))
    return totals


def _by_value(images: pd.DataFrame, column: str) -> pd.DataFrame:
    """Sum up by value: most images first, equals by the alphabet, the missing value last among them."""
    return _sums(images, images[column]).sort_index().sort_values("images", ascending=False, kind="stable")


def _ages(images: pd.DataFrame, made_at: datetime) -> pd.DataFrame:
    """Sum up by age; the ages are always these, and a missing one is there if an image has it."""
    days = (made_at - images["created_at"]).dt.total_seconds() / _SECONDS_A_DAY
    cut = pd.cut(days, [*_AGES.values(), float("inf")], right=False, labels=list(_AGES)).astype("str")
    found = _sums(images, cut.rename("age"))
    missing = found.index[found.index.isna()]
    return found.reindex([*_AGES, *missing], fill_value=0).rename_axis("age")


def _sums(images: pd.DataFrame, key: "pd.Series[Any]") -> pd.DataFrame:
    """Count images and sum up what is known of them; a sum is missing where nothing is known."""
    groups = images.groupby(key, dropna=False)
    sums = groups[["size_gigabytes", "monthly_cost"]].sum(min_count=1)
    sums.insert(0, "images", groups.size())
    return sums.rename(columns={"size_gigabytes": "gigabytes"})
