"""The action panel of a picker: what is to be done with the selected images, planned, confirmed and told.

Planning reads the account, so it is done on a thread; if the selection or anything else changes meanwhile, its plan is
not shown.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets  # type: ignore[import-untyped] # it has no types
import pandas as pd

from doimages.change import plans
from doimages.change.image import Image
from doimages.change.report import Report
from doimages.errors import UsageError
from doimages.notebook.box import NARROW
from doimages.notebook.confirm import Confirmation
from doimages.notebook.line import alert, status, words_of
from doimages.pick.actions import ACTIONS, Action
from doimages.pick.pattern import Pattern
from doimages.schema import DISTRIBUTIONS

if TYPE_CHECKING:
    from doimages.api.client import Client
    from doimages.change.plan import Plan

_PREVIEWS = 3
_RUNNING = "The plan below is being applied: another one can be made when its report is there."
_PLANNING = status("planning: the images are read anew")
_DROPPED = "The plan was dropped: what it was made of has changed."


class ActionPanel:
    """A choice of actions, a value, and the plan of it under them.

    ``selected`` gives the rows, ``hidden`` how many of them the filters hide; ``keep`` takes reports, and ``told`` is
    called when a plan is there or is dropped.
    """

    def __init__(
        self,
        client: "Client",
        selected: Callable[[], pd.DataFrame],
        hidden: Callable[[], int],
        keep: Callable[[Report], None],
        told: Callable[[], None],
    ) -> None:
        self._client = client
        self._selected = selected
        self._hidden = hidden
        self._keep = keep
        self._told = told
        self._lock = threading.RLock()
        # What is being planned, or is shown; a new one each time something changes.
        self._ticket = object()
        self._confirmation: Confirmation | None = None
        self._reports: list[widgets.Widget] = []
        self.codes: dict[str, str] = {}
        wide = {"description_width": "initial"}
        self.action = widgets.Dropdown(
            options=list(ACTIONS), description="Action", style=wide, layout={"width": "auto"}
        )
        self.value = widgets.Combobox(style=wide, layout={"width": "auto"}, continuous_update=True)
        self.preview = widgets.Button(description="Preview plan", disabled=True, layout=NARROW)
        self.example = widgets.HTML()
        self.line = widgets.HTML()
        self.place = widgets.VBox()
        choice = widgets.HBox([self.action, self.value, self.preview], layout={"flex_flow": "row wrap"})
        self.box = widgets.VBox([choice, self.example, self.line, self.place])
        self._words: dict[str, list[str]] = {}
        self.action.observe(self._ask, "value")
        self.value.observe(self._change, "value")
        self.value.on_msg(self._hear)
        self.preview.on_click(self._plan)
        self._ask()

    @property
    def _action(self) -> Action:
        return ACTIONS[self.action.value]

    def offer(self, words: dict[str, list[str]]) -> None:
        """Take the tags and regions there are, to choose from."""
        self._words = words | {"distribution": list(DISTRIBUTIONS)}
        self._offer()

    def drop(self) -> None:
        """Withdraw the plan, for what it was made of has changed, and show that."""
        self.withdraw()
        self.draw()
        self._told()

    def withdraw(self) -> None:
        """See to it that the plan cannot be applied any more; one that is being applied goes on."""
        with self._lock:
            self._ticket = object()
            if self._confirmation is not None and self._confirmation.withdraw():
                self._confirmation = None
                self.line.value = status(_DROPPED)
                self._place()
            elif self.line.value == _PLANNING:
                self.line.value = status(_DROPPED)
            self.codes = {}

    def _ask(self, _: object = None) -> None:
        """Ask for what the action needs."""
        action = self._action
        self.value.description = action.asks
        self.value.layout.display = "none" if action.argument is None else ""
        self._offer()
        self.value.value = ""
        self._change()

    def _offer(self) -> None:
        self.value.options = tuple(self._words.get(self._action.argument or "", ()))

    def _change(self, _: object = None) -> None:
        self.line.value = ""
        self.drop()

    def draw(self) -> None:
        """Show what can be done with the rows that are selected now."""
        frame = self._selected()
        self.preview.disabled = not (len(frame) and self._has_value)
        self.example.value = self._examples(frame) if self._action.argument == "name" else ""

    @property
    def _has_value(self) -> bool:
        return self._action.argument is None or bool(self.value.value.strip())

    def _examples(self, frame: pd.DataFrame) -> str:
        """Show what the first names would become."""
        if not self._has_value:
            return ""
        try:
            pattern = Pattern.of(self.value.value)
            images = [Image.of(record) for record in _records(frame.head(_PREVIEWS))]
            names = [f"{image.name} → {pattern(image)}" for image in images]
        except UsageError as error:
            return alert(str(error))
        more = len(frame) - len(names)
        return "".join(map(status, [*names, *([f"and {more} more"] if more > 0 else [])]))

    def _hear(self, _: object, content: dict[str, Any], __: object) -> None:
        if content.get("event") == "submit":  # Enter
            self._plan()

    def _plan(self, _: object = None) -> None:
        frame = self._selected()
        if frame.empty or not self._has_value:
            return
        if self._confirmation is not None and self._confirmation.is_running:
            self.line.value = alert(_RUNNING)
            return
        self.drop()
        # Before the rows: those that change from here on drop the plan.
        with self._lock:
            ticket, self.line.value = self._ticket, _PLANNING
        frame = self._selected()
        work = threading.Thread(
            target=self._work, args=(ticket, self._action, self.value.value, frame), name="doimages-picker", daemon=True
        )
        work.start()

    def _work(self, ticket: object, action: Action, value: str, frame: pd.DataFrame) -> None:
        try:
            plan = action.plan(frame, value, self._client)
            codes = action.codes(frame.do_images.ids, value)
        except Exception as error:  # noqa: BLE001 - nobody else would show it
            self._show(ticket, alert(words_of(error)))
        else:
            self._show(ticket, status(f"Plan {plan.id} is below.{self._hidden_words()}"), plan, codes)

    def _hidden_words(self) -> str:
        hidden = self._hidden()
        verb = "is" if hidden == 1 else "are"
        return f" {hidden:,} of its {len(self._selected()):,} images {verb} hidden by the filters." if hidden else ""

    def _show(self, ticket: object, line: str, plan: "Plan | None" = None, codes: dict[str, str] | None = None) -> None:
        with self._lock:
            if ticket is not self._ticket:
                if plan is not None:
                    plans.forget(plan.id)
                return
            self.line.value = line
            self.codes = codes or {}
            if plan is not None:
                if self._confirmation is not None:  # begun, and broken off without a report: it says how to go on
                    self._reports.insert(0, self._confirmation.box)
                self._confirmation = made = Confirmation(plan, lambda report: self._report(made, report))
                self._place()
        self._told()

    def _place(self) -> None:
        """Show the plan, and the reports under it, the last one first."""
        asked = [] if self._confirmation is None else [self._confirmation.box]
        self.place.children = (*asked, *self._reports)

    def _report(self, of: Confirmation, report: Report) -> None:
        """Take the report of a plan, or of what was planned of that report: it stays under the plans to come."""
        with self._lock:
            if self._confirmation is of:
                self._confirmation = None
                self._reports.insert(0, of.box)
                self.line.value = ""
        self._keep(report)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give rows as records of the API, as far as a name is made of them."""
    plain = frame.reset_index() if frame.index.name == "id" else frame
    names = [name for name in ("id", "name", "type", "distribution", "created_at") if name in plain.columns]
    rows = [dict(zip(names, row, strict=True)) for row in plain[names].itertuples(index=False)]
    return [{name: _told(value) for name, value in row.items()} for row in rows]


def _told(value: Any) -> Any:
    """Give a cell as the API tells it."""
    if pd.isna(value):
        return None
    return value.tz_convert("UTC").isoformat() if isinstance(value, pd.Timestamp) else value
