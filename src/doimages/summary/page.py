"""A summary in HTML: the drawings, and the figures as tables."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from doimages.sheet import safe
from doimages.summary.chart import draw
from doimages.summary.panel import Panel, in_dollars, in_gigabytes, nothing
from doimages.summary.summary import Summary

# Side by side where there is room; the styles stand at the elements, for a style sheet would reach the whole page.
_BESIDE = "display: flex; flex-wrap: wrap; gap: 12px 32px; margin: 12px 0"
_CELL = "padding: 1px 12px 1px 0; vertical-align: top; background: none; border: 0"
_TEXT = f"{_CELL}; text-align: left; min-width: 7em; max-width: 24em; overflow-wrap: anywhere; white-space: normal"
_NUMBER = f"{_CELL}; text-align: right; white-space: nowrap"
_TABLE = "border: 0; border-collapse: collapse; margin: 0; font-size: 12px"
_CAPTION = "caption-side: top; text-align: left; font-weight: bold; padding: 0 0 4px"
_FIGURES = ("images", "GB", "$ a month")


def to_html(summary: Summary) -> str:
    """Give the whole; no text of an image is markup in it, and it runs nothing."""
    drawn = "".join(
        f'<figure style="margin: 0; flex: 0 1 412px; min-width: 0"><figcaption style="font-weight: bold">'
        f"{safe(panel.title)}</figcaption>{svg}</figure>"
        for panel, svg in zip(summary.panels, draw(summary), strict=True)
    )
    tables = "".join(map(_panel_table, summary.panels))
    images = _image_table("Biggest", summary.biggest) + _image_table("Oldest", summary.oldest)
    notes = "".join(f"<li>{safe(note)}</li>" for note in summary.notes)
    return (
        f'<div class="tex2jax_ignore" style="line-height: 1.4"><p style="margin: 0"><b>{safe(summary.caption)}</b></p>'
        f'<div style="{_BESIDE}">{drawn}</div><div style="{_BESIDE}">{images}</div>'
        f'<details><summary>What is drawn, as tables</summary><div style="{_BESIDE}">{tables}</div></details>'
        f'<ul style="margin: 0; padding-left: 1.2em; font-size: 12px">{notes}</ul></div>'
    )


def _panel_table(panel: Panel) -> str:
    rows = ([row.label if row.is_value else f"({row.label})", *row.texts] for row in panel.rows)
    return _table(panel.title, [panel.heading, *_FIGURES], rows, texts=1)


def _image_table(title: str, images: pd.DataFrame) -> str:
    rows = (
        [
            *(_text(row[name]) for name in ("name", "type", "distribution")),
            "(missing)" if pd.isna(row["created_at"]) else f"{row['created_at']:%Y-%m-%d}",
            *(str(row["id"]), in_gigabytes(row["size_gigabytes"]), in_dollars(row["monthly_cost"])),
        ]
        for row in images.to_dict("records")
    )
    return _table(title, ["name", "type", "distribution", "made", "id", *_FIGURES[1:]], rows, texts=3)


def _text(value: Any) -> str:
    word = nothing(value)
    return f"({word})" if word else str(value)


def _table(title: str, heads: list[str], rows: Iterable[list[str]], texts: int) -> str:
    """Write a table whose first columns are texts, and the others numbers; the first names its row."""

    def line(cells: list[str], scope: str) -> str:
        written = []
        for place, cell in enumerate(cells):
            tag = f'th scope="{scope}"' if scope == "col" or not place else "td"
            style = _TEXT if place < texts else _NUMBER
            weight = "" if scope == "col" else "; font-weight: normal"
            written.append(f'<{tag} style="{style}{weight}">{safe(cell)}</{tag[:2]}>')
        return f"<tr>{''.join(written)}</tr>"

    body = "".join(line(cells, "row") for cells in rows)
    return (
        f'<div style="overflow-x: auto; max-width: 100%" tabindex="0" role="group" aria-label="{safe(title)}">'
        f'<table style="{_TABLE}"><caption style="{_CAPTION}">{safe(title)}</caption>'
        f"<thead>{line(heads, 'col')}</thead><tbody>{body}</tbody></table></div>"
    )
