"""What the screen shows of a picking, as texts: facets, the window, marks, a line of status, the row in focus."""

from typing import Any

from doimages.pick.filters import FILTERS
from doimages.pick.picking import Picking
from doimages.sheet import plain

# How many values of one facet are shown; more are found by its search.
MOST_VALUES = 25
# How many tags and regions the action panel offers.
MOST_OFFERED = 200
_WORDS_SHOWN = 4
# The columns of the grid; the others are told of the row in focus.
_COLUMNS = (
    *("name", "id", "type", "distribution", "size_gigabytes", "monthly_cost", "created_at", "regions", "tags"),
    *("status", "min_disk_size", "public"),
)


def columns(picking: Picking) -> list[str]:
    """Give the columns of the grid."""
    return [name for name in _COLUMNS if name in picking.rows.columns]


def facets(picking: Picking) -> dict[str, Any]:
    """Give the facets: each value with how it is written and its count, the most frequent of all first."""
    return {key: _facet(picking, key, counts) for key, counts in picking.counts.items()}


def _facet(picking: Picking, key: str, counts: list[int]) -> dict[str, Any]:
    facet = picking.rows.facets[key]
    chosen = set(picking.spec.given.get(key, ()))
    text = picking.searches.get(key, "")
    codes = [code for code in facet.by_size if text.strip().casefold() in facet.labels[code].casefold()]
    shown = codes[:MOST_VALUES]
    # What is chosen stays in sight: it can be taken back.
    shown += [code for code in facet.by_size if facet.words[code] in chosen and code not in shown]
    return {
        "label": FILTERS[key].label,
        "values": [[facet.words[code], plain(facet.labels[code]), counts[code]] for code in shown],
        "all": len(facet.words),
        "more": max(0, len(codes) - MOST_VALUES),
        "search": text,
    }


def offers(picking: Picking) -> dict[str, list[str]]:
    """Give the regions and tags there are, the most frequent first."""
    names = {"region": "regions", "tag": "tags"}
    found = {one: picking.rows.facets[key] for one, key in names.items() if key in picking.rows.facets}
    return {
        one: [facet.labels[code] for code in facet.by_size if facet.words[code] is not None][:MOST_OFFERED]
        for one, facet in found.items()
    }


def window(picking: Picking) -> dict[str, Any]:
    """Give the rows of the window: texts in the order of the columns, behind their ids."""
    names = columns(picking)
    cells = picking.rows.cells(picking.window, names)
    rows = [
        [picking.rows.ids[place], *map(to_text, names, row)] for place, row in zip(picking.window, cells, strict=True)
    ]
    return {"version": picking.version, "start": picking.start, "total": len(picking.places), "rows": rows}


def marks(picking: Picking) -> list[int]:
    """Give the ids of the window that are selected."""
    ids = (picking.rows.ids[place] for place in picking.window)
    return [one for one in ids if one in picking.selection]


def status(picking: Picking) -> dict[str, Any]:
    """Give the rest: lines, numbers, and the row in focus."""
    return {
        "text": picking.status,
        "filtered": len(picking.places),
        "selected": len(picking.selection),
        "sort": picking.sort,
        "error": plain(picking.error),
        "refused": picking.is_refused,
        "ack": picking.ack,
        "focused": picking.focused,
        "details": details(picking),
    }


def details(picking: Picking) -> list[list[str]]:
    """Give all that is known of the row in focus: names and texts, nothing cut off."""
    if picking.focused not in picking.rows.places:
        return []
    names = picking.rows.columns
    (cells,) = picking.rows.cells([picking.rows.places[picking.focused]], names)
    texts = [[name, _whole(name, value)] for name, value in zip(names, cells, strict=True)]
    return [[name, text] for name, text in texts if text]


def _whole(name: str, value: Any) -> str:
    return plain(", ".join(value)) if isinstance(value, list) else to_text(name, value)


def to_text(name: str, value: Any) -> str:
    """Write a cell for the screen."""
    if value is None:
        return ""
    if isinstance(value, list):
        more = len(value) - _WORDS_SHOWN
        return plain(", ".join(value[:_WORDS_SHOWN]) + (f" +{more}" if more > 0 else ""))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "monthly_cost":
        return f"${value:.2f}"
    return f"{value:.2f}" if isinstance(value, float) else plain(str(value))
