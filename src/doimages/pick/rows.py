"""The rows of a picker, read once from a frame so that a filter takes milliseconds: masks, counts, order, cells."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from doimages.errors import UsageError
from doimages.pick.code import column_of
from doimages.pick.filters import FILTERS, Age, Choice, Filter, Range, Text, pattern_of
from doimages.pick.frames import plain_frame
from doimages.pick.spec import FilterSpec
from doimages.schema import IMAGES

# What a facet calls a value that is missing.
MISSING = "(none)"
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Facet:
    """The values of a column: which are there, how each is shown, and which rows have which, a pair each."""

    words: Sequence[Any]
    labels: Sequence[str]
    codes: npt.NDArray[np.intp]
    places: npt.NDArray[np.intp]

    @cached_property
    def by_size(self) -> list[int]:
        """The codes of the values, the most frequent first, then by their labels."""
        sizes = np.bincount(self.codes, minlength=len(self.words))
        return sorted(range(len(self.words)), key=lambda code: (-sizes[code], self.labels[code]))

    def mask(self, wanted: Sequence[Any], size: int) -> Mask:
        """Tell which rows have one of the values."""
        known = {value: code for code, value in enumerate(self.words)}
        has = np.zeros(len(self.words), dtype=bool)
        has[[known[value] for value in wanted if value in known]] = True
        made = np.zeros(size, dtype=bool)
        made[self.places[has[self.codes]]] = True
        return made

    def counts(self, mask: Mask) -> npt.NDArray[np.intp]:
        """Count the rows of each value among those of the mask."""
        return np.bincount(self.codes[mask[self.places]], minlength=len(self.words))


class Rows:
    """A frame of images, one row an image; filters of columns that it lacks are not there."""

    def __init__(self, frame: pd.DataFrame) -> None:
        # Rows are found by their places, which whoever has the frame may go on to change.
        frame = frame.copy()
        plain = plain_frame(frame)
        self.frame = frame
        self._plain = plain
        self.ids: list[int] = [int(one) for one in plain["id"]]
        self.places = {one: place for place, one in enumerate(self.ids)}
        kinds = {"type", "size_gigabytes"} <= set(plain.columns)
        self.columns = tuple(name for name in IMAGES.column_names if name in plain.columns) + (
            ("monthly_cost",) if kinds else ()
        )

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def filters(self) -> tuple[Filter, ...]:
        """The filters of the columns that are there."""
        return tuple(one for one in FILTERS.values() if one.column in self.columns)

    @cached_property
    def facets(self) -> Mapping[str, Facet]:
        """The columns whose values are counted."""
        return {one.key: self._facet(one) for one in self.filters if isinstance(one, Choice)}

    def check(self, spec: FilterSpec) -> None:
        """Refuse filters of columns that are not there; raises UsageError."""
        for key in spec.given:
            if FILTERS[key] not in self.filters:
                raise UsageError(f"this frame has no column {FILTERS[key].column!r}: it cannot be filtered by {key}.")

    def masks(self, spec: FilterSpec, now: datetime | None = None) -> dict[str, Mask]:
        """Tell, for each filter that is set, which rows fit it."""
        return {key: self._mask(FILTERS[key], value, now) for key, value in spec.given.items()}

    def all_fit(self, masks: Iterable[Mask]) -> Mask:
        """Tell which rows fit all the masks."""
        fits = np.ones(len(self), dtype=bool)
        for mask in masks:
            fits &= mask
        return fits

    def order(self, mask: Mask, sort: str | None) -> npt.NDArray[np.intp]:
        """Give the places of the rows of a mask, sorted; what is missing stands last, equals by their id."""
        places = np.flatnonzero(mask)
        if sort is None:
            return places
        return places[np.argsort(self._ranks(sort)[places], kind="stable")]

    def cells(self, places: Sequence[int], columns: Sequence[str]) -> list[list[Any]]:
        """Give the values of some rows as JSON has them, a list a row."""
        rows = self._plain.iloc[list(places)]
        made: list[pd.Series[Any]] = [
            rows.do_images.monthly_cost() if name == "monthly_cost" else rows[name] for name in columns
        ]
        cells = [[to_json(value) for value in column.astype(object)] for column in made]
        return [list(row) for row in zip(*cells, strict=True)]

    def _values(self, column: str) -> "pd.Series[Any]":
        return self._costs if column == "monthly_cost" else self._plain[column]

    @cached_property
    def _costs(self) -> "pd.Series[float]":
        costs: pd.Series[float] = self._plain.do_images.monthly_cost()
        return costs

    @cached_property
    def _names(self) -> "pd.Series[str]":
        # A text stays as it is: Arrow's and Python's regular expressions differ, and so would the code that is shown.
        names = self._plain["name"].reset_index(drop=True)
        return names if names.dtype.type is str else names.astype("str")

    @cached_property
    def _small_names(self) -> "pd.Series[str]":
        return self._names.str.lower()

    @cached_property
    def _numbers(self) -> dict[str, npt.NDArray[np.float64]]:
        return {}

    @cached_property
    def _all_ranks(self) -> dict[str, npt.NDArray[np.intp]]:
        return {}

    def _ranks(self, sort: str) -> npt.NDArray[np.intp]:
        """Give the place of each row among all of them, sorted; kept, for the next window of the same order."""
        if sort not in self._all_ranks:
            column = column_of(sort)
            keys = pd.DataFrame({"value": self._values(column).to_numpy(object), "id": self.ids})
            keys["value"] = keys["value"].convert_dtypes() if column != "created_at" else pd.Series(self._times)
            by = ["id"] if column == "id" else ["value", "id"]
            ascending = [not sort.startswith("-"), True][: len(by)]
            order = keys.sort_values(by, ascending=ascending, kind="stable").index.to_numpy()
            ranks = np.empty(len(self), dtype=np.intp)
            ranks[order] = np.arange(len(self))
            self._all_ranks[sort] = ranks
        return self._all_ranks[sort]

    def _number(self, column: str) -> npt.NDArray[np.float64]:
        if column not in self._numbers:
            numbers = self._values(column).astype("Float64")
            self._numbers[column] = np.asarray(numbers.to_numpy(np.float64, na_value=np.nan), np.float64)
        return self._numbers[column]

    @cached_property
    def _times(self) -> npt.NDArray[np.datetime64]:
        times = pd.to_datetime(self._plain["created_at"], utc=True)
        return times.dt.tz_localize(None).to_numpy("datetime64[us]")

    def _mask(self, one: Filter, value: Any, now: datetime | None) -> Mask:
        if isinstance(one, Choice):
            return self.facets[one.key].mask(value, len(self))
        if isinstance(one, Text):
            return self._found(one, value)
        if isinstance(one, Age):
            line = _utc((now or datetime.now(UTC)) - timedelta(seconds=one.seconds(value)))
            return self._times < line if value[0] == ">" else self._times > line
        assert isinstance(one, Range)  # noqa: S101 - there is no other kind
        least, most = value
        fits = np.ones(len(self), dtype=bool)
        if one.kind == "days":
            fits &= self._times >= np.datetime64(least) if least else fits
            return fits & (self._times < np.datetime64(most) + np.timedelta64(1, "D")) if most else fits
        numbers = self._number(one.key)
        fits &= numbers >= least if least is not None else fits
        return fits & (numbers <= most) if most is not None else fits

    def _found(self, one: Text, value: str) -> Mask:
        # As the code that is shown has it, so that both find the same.
        ((_, (text,)),) = one.to_parts(value)
        is_pattern = pattern_of(value) is not None
        names = self._names if is_pattern else self._small_names
        return names.str.contains(text, regex=is_pattern).fillna(value=False).to_numpy(bool)

    def _facet(self, one: Choice) -> Facet:
        if one.kind == "words":
            return _facet_of_lists([_words(cell) for cell in self._plain[one.column]])
        codes, found = pd.factorize(self._plain[one.column].reset_index(drop=True))
        values = [to_json(value) for value in found]
        if (codes < 0).any():
            codes, values = np.where(codes < 0, len(values), codes), [*values, None]
        words = {None: MISSING, True: "yes", False: "no"}
        labels = [words[value] if value is None or isinstance(value, bool) else str(value) for value in values]
        return Facet(tuple(values), labels, codes, np.arange(len(self)))


def counts_of(rows: Rows, masks: Mapping[str, Mask]) -> dict[str, list[int]]:
    """Count the values of each facet among the rows that fit all other filters."""
    made = {}
    for key, facet in rows.facets.items():
        fits = rows.all_fit(mask for name, mask in masks.items() if name != key)
        made[key] = facet.counts(fits).tolist()
    return made


def _facet_of_lists(lists: Sequence[Sequence[str]]) -> Facet:
    """Count a word once a row, whatever its case; it is shown as it is written first."""
    known: dict[str | None, int] = {}
    labels: list[str] = []
    codes: list[int] = []
    places: list[int] = []
    # Words repeat thousands of times: the code of each as it is written.
    written: dict[str | None, int] = {}
    for place, words in enumerate(lists):
        for word in words or (None,):
            if word not in written:
                small = word if word is None else word.casefold()
                if small not in known:
                    known[small] = len(known)
                    labels.append(MISSING if word is None else word)
                written[word] = known[small]
            codes.append(written[word])
            places.append(place)
    pairs = np.unique(np.array([places, codes], dtype=np.intp).reshape(2, -1), axis=1)
    return Facet(tuple(known), labels, pairs[1], pairs[0])


def _utc(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


def _words(cell: Any) -> list[Any]:
    """Give the words of a cell with a list, whichever backend has it."""
    return [] if cell is None or cell is pd.NA or isinstance(cell, float) else [one for one in cell if one is not None]


def to_json(value: Any) -> Any:
    """Give a value of a frame as JSON has it; a time as text, to the minute, in UTC."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return _words(value)
    if value is None or pd.isna(value):
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(sep=" ", timespec="minutes")[:16]
    return value.item() if isinstance(value, np.generic) else value
