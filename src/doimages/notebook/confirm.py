"""A plan on the screen: the words typed, a button, how far it is, and the report in their place.

A click runs the plan on a thread of its own: while a cell or a callback runs, a kernel takes no click, not even that of
the Stop button (measured).
"""

import threading
from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets  # type: ignore[import-untyped] # it has no types

from doimages.change.application import Application
from doimages.change.apply import apply_plan
from doimages.change.plan import Plan
from doimages.change.report import Report
from doimages.errors import DOImagesError
from doimages.redaction import redact

_VIEW = "application/vnd.jupyter.widget-view+json"
# As wide as its words: a box would stretch it over the page.
_NARROW = {"width": "auto", "align_self": "flex-start"}


class Confirmation:
    """The widget of one plan. What is typed is compared here, in the kernel; ``keep`` takes the report."""

    def __init__(self, plan: Plan, keep: Callable[[Report], None]) -> None:
        self._plan = plan
        self._keep = keep
        self._application: Application | None = None
        # Taken by the click that applies the plan; given back if that was refused.
        self._is_taken = threading.Lock()
        self._presses = 0
        self.preview = widgets.HTML(plan._repr_html_())
        self.words = widgets.Text(
            description=f"To confirm, type: {plan.confirmation}",
            style={"description_width": "initial"},
            layout=widgets.Layout(width="auto", max_width="60em"),
        )
        self.apply = widgets.Button(
            description=f"Apply plan {plan.id}", button_style="danger", disabled=True, layout=_NARROW
        )
        self.stop = widgets.Button(description="Stop", layout=_NARROW)
        self.line = widgets.HTML()
        self.box = widgets.VBox([self.preview, self.words, self.apply, self.line])
        self.words.observe(self._compare, "value")
        self.words.on_msg(self._hear)
        self.apply.on_click(self._start)
        self.stop.on_click(self._stop)

    @property
    def bundle(self) -> dict[str, Any]:
        """What is shown: the widget, and for places without widgets the preview."""
        view = self.box._repr_mimebundle_()[_VIEW]
        html = self._plan._repr_html_()
        return {"text/plain": repr(self._plan), "text/html": html, _VIEW: view}

    @property
    def _fits(self) -> bool:
        return bool(self.words.value == self._plan.confirmation)

    def _compare(self, _: object = None) -> None:
        self.apply.disabled = not self._fits

    def _hear(self, _: object, content: dict[str, Any], __: object) -> None:
        if content.get("event") == "submit":  # Enter
            self._start()

    def _start(self, _: object = None) -> None:
        if self._fits and self._is_taken.acquire(blocking=False):
            words = self.words.value
            threading.Thread(target=self._work, args=(words,), name=f"doimages-{self._plan.id}", daemon=True).start()

    def _work(self, words: str) -> None:
        self._presses, self._application, self.stop.description = 0, None, "Stop"
        self._tell("looking at the images once more")
        # The preview says that nothing has been changed: that may not be so any more.
        self.box.children = (self.line, self.stop)
        try:
            report = apply_plan(self._plan, words, progress="off", watch=self._watch)
        except Exception as error:  # noqa: BLE001 - nobody else would show it
            self._refuse(error)
        else:
            self._keep(report)
            self._say("This report is in _doimages.")
            self.box.children = (widgets.HTML(report._repr_html_()), self.line)

    def _refuse(self, error: Exception) -> None:
        """Say what is wrong under the plan, and ask for the words again."""
        text = str(error) if isinstance(error, DOImagesError) else f"{type(error).__name__}: {error}"
        self._say(" ".join(text.split()))
        if self._application is not None and not isinstance(error, DOImagesError):
            # Not foreseen, and perhaps in the middle: the preview would say that nothing has been changed.
            self._say(f"{' '.join(text.split())}. doimages.resume({self._plan.id!r}) tells what was done.")
            self.box.children = (self.line,)
            return
        self.words.value = ""
        self.box.children = (self.preview, self.words, self.apply, self.line)
        self._is_taken.release()

    def _watch(self, application: Application) -> None:
        """Show how far it is; on the thread that applies."""
        if self._application is None:
            self._application = application
            self._ask_to_stop()
            return
        note = "ending after the requests under way" if self._presses else application.note
        self._tell(f"{application.rows_read} of {application.total} over{f'; {note}' if note else ''}")

    def _stop(self, _: object = None) -> None:
        self._presses += 1
        self.stop.description = "Stop at once"
        self._ask_to_stop()

    def _ask_to_stop(self) -> None:
        application = self._application
        if application is not None and self._presses:
            application.stop("by the button")
            if self._presses > 1:
                application.cut()

    def _tell(self, how_far: str) -> None:
        self._say(f"Plan {self._plan.id}, {self._plan.confirmation}: {how_far}.")

    def _say(self, text: str) -> None:
        self.line.value = escape(redact(text))
