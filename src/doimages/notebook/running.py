"""A plan that is being carried out, on the screen: how far it is, and a button that stops it."""

from typing import TYPE_CHECKING

import ipywidgets as widgets  # type: ignore[import-untyped] # it has no types

from doimages.notebook.box import NARROW
from doimages.notebook.line import status

if TYPE_CHECKING:
    from doimages.change.application import Application


class Running:
    """Tells on a line how far a plan is; the first press of ``stop`` ends after the requests under way."""

    def __init__(self, line: widgets.HTML) -> None:
        self._line = line
        self._title = ""
        self._presses = 0
        self.application: Application | None = None
        self.stop = widgets.Button(description="Stop", layout=NARROW)
        self.stop.on_click(self._stop)

    def begin(self, title: str, first: str) -> None:
        """Begin anew: what the line calls it, and what is done first."""
        self._title, self._presses, self.application, self.stop.description = title, 0, None, "Stop"
        self._tell(first)

    def watch(self, application: "Application") -> None:
        """Show how far it is; on the thread that applies."""
        if self.application is None:
            self.application = application
            self._ask_to_stop()
            return
        note = "ending after the requests under way" if self._presses else application.note
        self._tell(f"{application.rows_read} of {application.total} over{f'; {note}' if note else ''}")

    def _stop(self, _: object = None) -> None:
        self._presses += 1
        self.stop.description = "Stop at once"
        self._ask_to_stop()

    def _ask_to_stop(self) -> None:
        application = self.application
        if application is not None and self._presses:
            application.stop("by the button")
            if self._presses > 1:
                application.cut()

    def _tell(self, how_far: str) -> None:
        self._line.value = status(f"{self._title}: {how_far}.")
