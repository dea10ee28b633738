"""A picker as a person uses it, without a browser: what the screen sends, and what is there when it is done."""

import re
import threading
from contextlib import contextmanager

from screen import buttons, click, parts, press_enter, shown

from doimages.notebook.picker.view import PickerView
from doimages.sandbox_api.faults import Fault

_WORKERS = re.compile(r"doimages-(picker|[0-9a-f]{8})")
_SECONDS = 60


def join():
    """Wait for all that pickers and plans do beside the kernel, and for what comes of it."""
    while workers := [one for one in threading.enumerate() if _WORKERS.fullmatch(one.name)]:
        for worker in workers:
            worker.join(_SECONDS)
            assert not worker.is_alive()


@contextmanager
def held(desk, path, method="GET"):
    """Hold the sandbox's reply to a request while the block runs; it begins when the request is there."""
    came, go_on = threading.Event(), threading.Event()

    def hold():
        came.set()
        assert go_on.wait(_SECONDS)

    desk.state.faults.append(Fault("drift", method=method, path=path, change=hold))

    def wait():
        assert came.wait(_SECONDS)

    try:
        yield wait
    finally:
        go_on.set()
    join()


class Hand:
    """Sends what the screen sends, in messages with numbers, and looks at what it shows."""

    def __init__(self, picker):
        self.picker = picker
        (self.view,) = [one for one in parts(picker) if isinstance(one, PickerView)]
        self._sequence = 0

    def send(self, kind, **rest):
        """Send a message of the grid or of the filters, which is acknowledged whatever it says."""
        self._sequence += 1
        self.view._handle_custom_msg({"kind": kind, "seq": self._sequence, **rest}, [])
        assert self.view.status["ack"] == self._sequence

    def filter(self, **spec):
        self.send("filter", spec=spec)

    def select(self, *ids, on=True):
        self.send("toggle", ids=[int(one) for one in ids], on=on)

    def refresh(self):
        self.send("refresh")
        join()

    @property
    def selected(self):
        return self.picker.selection["id"].tolist()

    @property
    def error(self):
        return self.view.status["error"]

    # The panel

    def _one(self, kind):
        (found,) = [one for one in parts(self.picker) if type(one).__name__ == kind]
        return found

    @property
    def action(self):
        return self._one("Dropdown")

    @property
    def value(self):
        return self._one("Combobox")

    @property
    def preview(self):
        return buttons(self.picker)["Preview plan"]

    def choose(self, action, value=""):
        """Choose an action, and type its value."""
        self.action.value = action
        self.value.value = value

    def plan(self, action, value=""):
        """Choose, and press the button; done when the plan is there, or the words why not."""
        self.choose(action, value)
        assert not self.preview.disabled
        click(self.preview)
        join()

    @property
    def words(self):
        """The boxes that ask for the words of a plan, the newest first."""
        return [one for one in parts(self.picker) if type(one).__name__ == "Text"]

    def type_words(self):
        """Type the words that the newest plan asks for, and give its box and its button."""
        text = self.words[0]
        text.value = text.description.partition("<code>")[2].removesuffix("</code>")
        return text, next(one for name, one in buttons(self.picker).items() if name.startswith("Apply plan"))

    def confirm(self):
        """Type the words, press Enter, and wait for the report and the rows."""
        press_enter(self.type_words()[0])
        join()

    @property
    def shown(self):
        """All that the panel, its plans and reports show, as HTML."""
        return shown(self.picker)
