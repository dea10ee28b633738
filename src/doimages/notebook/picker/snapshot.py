"""A picker as it stands, without the widget: HTML and text that stay as they are."""

from dataclasses import dataclass
from typing import Self

from doimages.pick.picking import Picking
from doimages.pick.shown import columns, to_text
from doimages.sheet import plain, safe

_TICK = "\N{CHECK MARK}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a picker showed: the line of its status, its filters, and rows as texts under their columns."""

    status: str
    filters: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int

    @classmethod
    def of(cls, picking: Picking, most: int) -> Self:
        """Take it of a picking; ``most`` is how many rows."""
        names = columns(picking)
        places = picking.places[:most]
        cells = picking.rows.cells(places, names)
        ticks = [_TICK if picking.rows.ids[place] in picking.selection else "" for place in places]
        rows = tuple((tick, *map(to_text, names, row)) for tick, row in zip(ticks, cells, strict=True))
        filters = "; ".join(f"{key}: {value}" for key, value in picking.spec.to_record().items())
        return cls(picking.status, filters, ("selected", *names), rows, len(picking.places) - len(places))

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{safe(name)}</th>' for name in self.columns)
        body = "".join("<tr>" + "".join(f"<td>{safe(text)}</td>" for text in row) + "</tr>" for row in self.rows)
        caption = "<br>".join(safe(line) for line in self._lines)
        style = "caption-side: top; text-align: left"
        return (
            f'<table class="tex2jax_ignore mathjax_ignore"><caption style="{style}">{caption}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    @property
    def _lines(self) -> list[str]:
        more = f"{self.more:,} more rows are not shown here" if self.more else ""
        return [line for line in (self.status, self.filters, more) if line]

    def __repr__(self) -> str:
        table = [self.columns, *self.rows]
        widths = [max(len(row[at]) for row in table) for at in range(len(self.columns))]
        lines = [
            "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip() for row in table
        ]
        return "\n".join([*map(plain, self._lines), *lines])
