"""A plan on the screen: the words typed, a button, how far it is, and the report in their place.

A click runs the plan on a thread of its own: while a cell or a callback runs, a kernel takes no click, not even that of
the Stop button (measured).
"""

import threading
from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets  # type: ignore[import-untyped] # it has no types

from doimages.change import plans
from doimages.change.apply import apply_plan
from doimages.change.plan import Plan
from doimages.change.report import Report
from doimages.errors import DOImagesError
from doimages.notebook.box import NARROW, Box
from doimages.notebook.line import alert, status, words_of
from doimages.notebook.report import ReportView
from doimages.notebook.running import Running

# Nothing can be typed and nothing applied any more.
_WITHDRAWN = "This plan was withdrawn, and cannot be applied here any more."


class Confirmation:
    """The widget of one plan. What is typed is compared here, in the kernel; ``keep`` takes the report."""

    def __init__(self, plan: Plan, keep: Callable[[Report], None]) -> None:
        self._plan = plan
        self._keep = keep
        # Held while it is decided who comes first: the click that applies the plan, or who withdraws it.
        self._deciding = threading.Lock()
        # By the click that applies the plan; given back if that was refused.
        self._is_taken = False
        self._is_withdrawn = False
        # Whether requests may be on their way.
        self.is_running = False
        self.preview = widgets.HTML(plan._repr_html_())
        self.words = widgets.Text(
            # As code: a team's name with two $ in it is no formula.
            description=f"To confirm, type: <code>{escape(plan.confirmation)}</code>",
            description_allow_html=True,
            style={"description_width": "initial"},
            layout=widgets.Layout(width="auto", max_width="60em"),
        )
        self.apply = widgets.Button(
            description=f"Apply plan {plan.id}", button_style="danger", disabled=True, layout=NARROW
        )
        self.line = widgets.HTML()
        self.running = Running(self.line)
        self.box = Box()
        self._ask()
        self.words.observe(self._compare, "value")
        self.words.on_msg(self._hear)
        self.apply.on_click(self._start)

    @property
    def bundle(self) -> dict[str, Any]:
        """What is shown: the widget, and for places without widgets the preview."""
        return self.box.bundle(self._plan)

    def withdraw(self) -> bool:
        """See to it that no click and no Enter applies the plan from now on; False if it has been begun by one."""
        with self._deciding:
            is_first = not self._is_withdrawn
            self._is_withdrawn = True
            if self._is_taken:
                return False
            if is_first:
                plans.forget(self._plan.id)
                self._tell_withdrawn(_WITHDRAWN)
            return True

    def _ask(self) -> None:
        """Show the plan, and ask for the words where there is something to confirm."""
        self.box.show(self.preview, *((self.words, self.apply) if self._plan.steps else ()), self.line)

    def _tell_withdrawn(self, text: str) -> None:
        self.apply.disabled = True
        self.line.value = status(text)
        self.box.show(self.preview, self.line)

    @property
    def _fits(self) -> bool:
        return bool(self._plan.steps) and bool(self.words.value == self._plan.confirmation)

    def _compare(self, _: object = None) -> None:
        self.apply.disabled = self._is_withdrawn or not self._fits

    def _hear(self, _: object, content: dict[str, Any], __: object) -> None:
        if content.get("event") == "submit":  # Enter
            self._start()

    def _start(self, _: object = None) -> None:
        with self._deciding:
            if self._is_taken or self._is_withdrawn or not self._fits:
                return
            self._is_taken = self.is_running = True
            words = self.words.value
        threading.Thread(target=self._work, args=(words,), name=f"doimages-{self._plan.id}", daemon=True).start()

    def _work(self, words: str) -> None:
        self.running.begin(f"Plan {self._plan.id}, {self._plan.confirmation}", "looking at the images once more")
        # The preview says that nothing has been changed: that may not be so any more.
        self.box.show(self.line, self.running.stop)
        try:
            report = apply_plan(self._plan, words, progress="off", watch=self.running.watch)
        except Exception as error:  # noqa: BLE001 - nobody else would show it
            self.is_running = False
            self._refuse(error)
        else:
            self.is_running = False
            # Shown first: whatever comes of keeping it, what was done must be seen.
            self.box.show(ReportView(report, self._show_plan, self._keep).box, self.line)
            try:
                self._keep(report)
                self.line.value = status("This report is in _doimages.")
            except Exception as error:  # noqa: BLE001 - of whoever observes what was picked
                self.line.value = alert(words_of(error))

    def _show_plan(self, plan: Plan) -> "Confirmation":
        """Show a plan that was made of the report as this one is."""
        return Confirmation(plan, self._keep)

    def _refuse(self, error: Exception) -> None:
        """Say what is wrong under the plan, and ask for the words again."""
        text = words_of(error)
        if self.running.application is not None and not isinstance(error, DOImagesError):
            # Not foreseen, and perhaps in the middle: the preview would say that nothing has been changed.
            self.line.value = alert(f"{text}. doimages.resume({self._plan.id!r}) tells what was done.")
            self.box.show(self.line)
            return
        with self._deciding:
            self._is_taken = False
            self.words.value = ""
            if self._is_withdrawn:
                self._tell_withdrawn(f"{text} {_WITHDRAWN}")
                return
            self.line.value = alert(text)
            self._ask()
