"""A report on the screen, and what can be done next: a plan of the retry or of the undo, going on, waiting.

A click is answered on a thread of its own, as that of a plan is: planning reads all images, and going on may take long.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets  # type: ignore[import-untyped] # it has no types

from doimages.change import outcome as words
from doimages.change.apply import resume_plan
from doimages.change.guards import count
from doimages.change.plan import Plan
from doimages.change.planning import refuse_selected
from doimages.change.report import Report
from doimages.errors import UsageError
from doimages.notebook.box import NARROW, Box
from doimages.notebook.line import alert, status, words_of
from doimages.notebook.running import Running

if TYPE_CHECKING:
    from doimages.notebook.confirm import Confirmation

_UNDONE = frozenset({"create", "tag", "untag", "update"})
_BEGUN = frozenset({words.DONE, words.RUNNING})


class ReportView:
    """The widget of one report, which is another one after going on.

    ``show_plan`` gives the widget of a plan that was made here, ``keep`` takes a report that was.
    """

    def __init__(
        self, report: Report, show_plan: Callable[[Plan], "Confirmation"], keep: Callable[[Report], None]
    ) -> None:
        self._show_plan = show_plan
        self._keep = keep
        # Held by the click that is being answered.
        self._is_busy = threading.Lock()
        self._plans: list[Confirmation] = []
        self.sheet = widgets.HTML()
        self.retry = _button(self._retry)
        self.undo = _button(self._undo, "Plan the undo")
        self.go_on = _button(self._go_on, "Go on")
        self.wait = _button(self._wait, "Wait")
        self.next = widgets.HBox(layout=widgets.Layout(flex_flow="row wrap"))
        self.line = widgets.HTML()
        self.running = Running(self.line)
        self.box = Box()
        self._take(report)

    @property
    def bundle(self) -> dict[str, Any]:
        """What is shown: the widget, and for places without widgets the sheet."""
        return self.box.bundle(self._report)

    def _take(self, report: Report) -> None:
        self._report = report
        self.sheet.value = report._repr_html_()
        self.retry.description = f"Plan the retry of {count(len(_failed(report)))}"
        offered = ((self.retry, _can_retry), (self.undo, _can_undo), (self.go_on, _can_go_on), (self.wait, _can_wait))
        self.next.children = [button for button, can in offered if can(report)]
        self._draw()

    def _draw(self) -> None:
        asked = (self.next,) if self.next.children else ()
        self.box.show(self.sheet, *asked, self.line, *(plan.box for plan in self._plans))

    # The clicks

    def _retry(self, _: object) -> None:
        self._answer(self.retry, "planning the retry", lambda: self._add(self._report.retry_plan()))

    def _undo(self, _: object) -> None:
        self._answer(self.undo, "planning the undo", lambda: self._add(self._report.undo_plan()))

    def _go_on(self, _: object) -> None:
        self._answer(self.go_on, "going on", self._resume)

    def _wait(self, _: object) -> None:
        self._answer(self.wait, "waiting until all actions have ended", lambda: self._resume(wait=True))

    def _answer(self, button: widgets.Button, what: str, work: Callable[[], str]) -> None:
        """Do the work of a button on a thread, one at a time, and say how it went; a button that is gone does none."""
        if not self._is_busy.acquire(blocking=False):
            return
        if button not in self.next.children:
            self._is_busy.release()
            return
        self.line.value = status(f"Plan {self._report.plan.id}: {what}.")
        name = f"doimages-{self._report.plan.id}"
        threading.Thread(target=self._work, args=(work,), name=name, daemon=True).start()

    def _work(self, work: Callable[[], str]) -> None:
        try:
            self.line.value = status(work())
        except Exception as error:  # noqa: BLE001 - nobody else would show it
            self.line.value = alert(words_of(error))
        finally:
            self._is_busy.release()

    def _add(self, plan: Plan) -> str:
        """Show a plan beneath, in the place of the one before; one that was begun stays, with its report."""
        self._withdraw()
        self._plans.append(self._show_plan(plan))
        self._draw()
        return f"Plan {plan.id} is below: {plan.confirmation}."

    def _resume(self, *, wait: bool | None = None) -> str:
        self._withdraw()
        self._draw()
        plan = self._report.plan
        self.running.begin(f"Plan {plan.id}", "waiting" if wait else "going on")
        self.box.show(self.sheet, self.line, self.running.stop)
        try:
            report = resume_plan(plan.id, wait=wait, progress="off", watch=self.running.watch)
        finally:
            self._draw()
        self._take(report)
        self._keep(report)
        return "This report is in _doimages."

    def _withdraw(self) -> None:
        self._plans = [plan for plan in self._plans if not plan.withdraw()]


def _can_retry(report: Report) -> bool:
    """Tell whether something failed that can be planned again."""
    if not report.is_finished or not _failed(report):
        return False
    with suppress(UsageError):
        refuse_selected(report.plan)
        return True
    return False


def _can_undo(report: Report) -> bool:
    """Tell whether something was done that has a way back."""
    return report.plan.operation in _UNDONE and any(one.outcome in _BEGUN for one in report.results)


def _can_go_on(report: Report) -> bool:
    """Tell whether something is left to be sent, or to be looked for."""
    return not report.is_finished


def _can_wait(report: Report) -> bool:
    """Tell whether nothing is left but to wait for actions."""
    return report.is_finished and any(one.outcome == words.RUNNING for one in report.results)


def _failed(report: Report) -> set[int | str]:
    """Give the images that failed: their ids, and something else for those that have none yet."""
    steps = zip(report.plan.steps, report.results, strict=True)
    return {step.image_id or f"new {step.number}" for step, result in steps if result.outcome == words.FAILED}


def has_next(report: Report) -> bool:
    """Tell whether anything can be done next."""
    return any(can(report) for can in (_can_retry, _can_undo, _can_go_on, _can_wait))


def _button(on_click: Callable[[object], None], description: str = "") -> widgets.Button:
    made = widgets.Button(description=description, layout=NARROW)
    made.on_click(on_click)
    return made
