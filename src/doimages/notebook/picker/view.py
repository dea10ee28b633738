"""The view of a picker: one anywidget, whose files are one plain ES module and a style sheet."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import traitlets
from anywidget import AnyWidget

from doimages.pick import shown
from doimages.pick.code import SORTS
from doimages.pick.picking import Picking

_FILES = ("elements.js", "filters.js", "grid.js", "code.js", "picker.js")


def module() -> str:
    """Give the ES module."""
    return "\n".join(map(_read, _FILES))


def styles() -> str:
    """Give the style sheet."""
    return _read("picker.css")


@cache
def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


class PickerView(AnyWidget):
    """Shows what a picking tells, part by part, and hands over what the screen says."""

    _esm = module()
    _css = styles()
    filters: traitlets.List[Any] = traitlets.List().tag(sync=True)
    columns: traitlets.List[Any] = traitlets.List().tag(sync=True)
    facets = traitlets.Dict().tag(sync=True)
    window = traitlets.Dict().tag(sync=True)
    marks: traitlets.List[Any] = traitlets.List().tag(sync=True)
    status = traitlets.Dict().tag(sync=True)
    spec = traitlets.Dict().tag(sync=True)
    codes = traitlets.Dict().tag(sync=True)

    def __init__(self, picking: Picking, hear: Callable[[Mapping[str, Any]], None]) -> None:
        self._picking = picking
        rows = picking.rows
        super().__init__(
            filters=[{"key": one.key, "label": one.label, "kind": one.kind} for one in rows.filters],
            columns=[{"name": name, "label": name, "sortable": name in SORTS} for name in shown.columns(picking)],
        )
        # What the browser sends is heard as messages alone: its copy of a trait counts for nothing.
        self.on_msg(lambda _, content, __: hear(content) if isinstance(content, dict) else None)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take no trait from the browser: only ids and filters that were checked may come from there."""

    def tell(self, changed: frozenset[str], status: Mapping[str, Any], codes: Mapping[str, Any]) -> None:
        """Show what changed, in one message; ``status`` is what a picking does not know."""
        picking = self._picking
        with self.hold_sync():
            if "facets" in changed:
                self.facets = shown.facets(picking)
                self.spec = picking.spec.to_record()
            if "window" in changed:
                self.window = shown.window(picking)
            if changed & {"window", "selection"}:
                self.marks = shown.marks(picking)
            self.codes = dict(codes)
            self.status = shown.status(picking) | dict(status)
