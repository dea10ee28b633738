"""What is drawn of a summary: some rows of figures under a title, and how a figure is written."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

_SHOWN = 10
_LARGE = 10_000
_UNKNOWN = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class Row:
    """A value and its figures, None where they are not known; what is missing or empty, and the others, is no value."""

    label: str
    is_value: bool
    images: int
    gigabytes: float | None
    monthly_cost: float | None

    @property
    def texts(self) -> tuple[str, str, str]:
        """The figures, written."""
        return f"{self.images:,}", in_gigabytes(self.gigabytes), in_dollars(self.monthly_cost)


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows under a title; ``heading`` says what the values are."""

    title: str
    heading: str
    rows: tuple[Row, ...]


def to_panel(frame: pd.DataFrame) -> Panel:
    """Make a panel of figures by a value: all of them, or the first ten and the sum of the others."""
    last = len(frame) if len(frame) <= _SHOWN + 1 else _SHOWN
    rows = [
        Row(nothing(value) or str(value), not nothing(value), int(images), known(size), known(cost))
        for value, images, size, cost in frame.head(last).itertuples()
    ]
    rest = frame.iloc[last:]
    if len(rest):
        sums = rest.sum(min_count=1)
        images = int(rest["images"].sum())
        rows.append(Row(f"{len(rest):,} others", False, images, known(sums["gigabytes"]), known(sums["monthly_cost"])))
    name = str(frame.index.name)
    return Panel(f"By {name}", name, tuple(rows))


def nothing(value: Any) -> str | None:
    """Give a word for a text that there is not; None if there is one."""
    return "missing" if pd.isna(value) else None if value.strip() else "empty"


def known(value: Any) -> float | None:
    """Give a number, None for a missing one."""
    return None if pd.isna(value) else float(value)


def in_gigabytes(size: Any) -> str:
    """Write a size."""
    return _UNKNOWN if pd.isna(size) else _rounded(size)


def in_dollars(cost: Any) -> str:
    """Write a cost."""
    return _UNKNOWN if pd.isna(cost) else f"${_rounded(cost)}"


def _rounded(number: float) -> str:
    """Write a number so that it fits at the end of a bar."""
    return f"{number:,.0f}" if number >= _LARGE else f"{number:,.2f}"
