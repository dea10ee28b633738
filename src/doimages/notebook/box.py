"""A box on the screen, guarded from the keys of the notebook, and what stands for it where there are no widgets."""

from typing import Any

import ipywidgets as widgets  # type: ignore[import-untyped] # it has no types

from doimages.change.plan import Plan
from doimages.change.report import Report
from doimages.notebook.keys import GUARDED, Keys

# As wide as its words: a box would stretch a button over the page.
NARROW = {"width": "auto", "align_self": "flex-start"}
_VIEW = "application/vnd.jupyter.widget-view+json"


class Box(widgets.VBox):  # type: ignore[misc] # it has no types
    """One part beneath the other; none of their keys is a command of the notebook."""

    def __init__(self) -> None:
        self._keys = Keys()
        super().__init__([self._keys])
        self.add_class(GUARDED)

    def show(self, *parts: widgets.Widget) -> None:
        """Show these parts, and no others."""
        # The guard stays where it is: a front end makes anew what comes after the first change.
        self.children = (self._keys, *parts)

    def bundle(self, shown: Plan | Report) -> dict[str, Any]:
        """Give what is shown: the widget, and for places without widgets text and HTML."""
        view = self._repr_mimebundle_()[_VIEW]
        return {"text/plain": repr(shown), "text/html": shown._repr_html_(), _VIEW: view}
