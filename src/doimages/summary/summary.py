"""The summary of an account: its figures as frames, as text and as a small dashboard."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import pandas as pd

from doimages.sheet import Sheet
from doimages.summary.panel import Panel, in_dollars, in_gigabytes, to_panel

_NAMED = 3
_UNKNOWN = {"unknown_size": "size", "unknown_cost": "cost", "unknown_age": "age"}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Summary:
    """What ``df.do_images.summary()`` gives: DataFrames, which show together as a dashboard, or as text.

    Sizes are in GB, costs in US dollars a month. Only snapshots and custom images are billed by size. A sum leaves out
    what is not known, and is missing where nothing is. The dtypes are the default ones, whichever the images had.
    """

    made_at: datetime
    totals: pd.DataFrame
    by_type: pd.DataFrame
    by_distribution: pd.DataFrame
    by_region: pd.DataFrame
    ages: pd.DataFrame
    biggest: pd.DataFrame
    oldest: pd.DataFrame

    def to_frames(self) -> dict[str, pd.DataFrame]:
        """Give all of them by name."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "made_at"}

    @property
    def panels(self) -> tuple[Panel, ...]:
        """What is drawn."""
        return tuple(map(to_panel, (self.by_type, self.by_distribution, self.by_region, self.ages)))

    @property
    def caption(self) -> str:
        """The totals in words."""
        (row,) = self.totals.to_dict("records")
        return (
            f"{row['images']:,} {'image' if row['images'] == 1 else 'images'}, {row['own_images']:,} your own, "
            f"{in_gigabytes(row['gigabytes'])} GB, {in_dollars(row['monthly_cost'])} a month; "
            f"{self.made_at:%Y-%m-%d %H:%M} UTC"
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What must be known to read the figures."""
        (row,) = self.totals.to_dict("records")
        unknown = [f"{what} of {row[name]:,}" for name, what in _UNKNOWN.items() if row[name]]
        return (
            *([f"not known, and not in the sums: {', '.join(unknown)}"] if unknown else []),
            "only snapshots and custom images are billed by size",
            "an image counts in each of its regions, and is billed once",
        )

    def __repr__(self) -> str:
        rows = [
            (panel.title.lower(), ", ".join(f"{row.label} {row.texts[0]}" for row in panel.rows) or "none")
            for panel in self.panels
        ]
        rows += [
            ("biggest", f"{_named(image)}, {in_gigabytes(image.size_gigabytes)} GB") for image in _first(self.biggest)
        ]
        rows += [("oldest", f"{_named(image)}, {image.created_at:%Y-%m-%d}") for image in _first(self.oldest)]
        rows += [("note", note) for note in self.notes]
        return repr(Sheet(self.caption, tuple(rows)))

    def _repr_html_(self) -> str:
        from doimages.summary.page import to_html  # with matplotlib, for those who look

        return to_html(self)


def _first(images: pd.DataFrame) -> list[Any]:
    return list(images.head(_NAMED).itertuples(index=False))


def _named(image: Any) -> str:
    return f"image {image.id}" if pd.isna(image.name) else f"image {image.id} ({image.name!r})"
