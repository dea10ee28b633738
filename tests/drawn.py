"""A picker drawn in a bare page: the screen is the module in Chromium, the kernel's side the real one, of this process.

drawn = Drawn(bare, frame, type=["snapshot"])   # frame, state: as doimages.picker has them, read-only
drawn.rows, drawn.box(3), drawn.status          # locators
drawn.sent("filter")                            # the messages of a kind, in order
drawn.hold()                                    # replies are kept back from now on,
drawn.give(0)                                   # the first of them comes
drawn.release()                                 # all come, in order
drawn.picker                                    # the ImagePicker, with all that was heard
"""

import pandas as pd

import doimages
from doimages.notebook.picker.view import module, styles

TRAITS = ("filters", "columns", "facets", "window", "marks", "status", "spec", "codes")
# A reply is what the kernel would send: the traits that changed.
LIVE = """() => {
    const note = fake.model.send;
    Object.assign(fake, {replies: [], isHeld: false, unanswered: 0});
    fake.model.send = message => {
        note(message);
        fake.unanswered += 1;
        hear(message).then(traits => {
            fake.unanswered -= 1;
            if (fake.isHeld) fake.replies.push(traits);
            else fake.put(traits);
        });
    };
}"""
FOCUSED = """() => {
    const {activeElement: one} = document;
    if (one === document.body) return "nothing";
    if (one.matches(".doimages-scroll")) return "the grid";
    return one.ariaLabel ?? (one.labels?.[0] ?? one).innerText.split("\\n")[0].trim();
}"""


def many(images: pd.DataFrame, size: int) -> pd.DataFrame:
    """Repeat images until there are enough, each with an id of its own."""
    frame = pd.concat([images] * -(-size // len(images)), ignore_index=True).head(size)
    return frame.assign(id=range(1, size + 1))


class Drawn:
    """A page with a picker in it, and its kernel."""

    def __init__(self, bare, frame: pd.DataFrame, **state):
        self.picker = doimages.picker(frame, read_only=True, **state)
        self._view = self.picker._view
        self._told = {}
        self.widget = bare(module(), styles(), self._news())
        self.page = self.widget.page
        self.page.expose_function("hear", self._hear)
        self.page.evaluate(LIVE)
        self.rows = self.page.locator("tbody tr[data-id]")
        self.boxes = self.rows.get_by_role("checkbox")
        self.status = self.page.locator(".doimages-status")
        self.alert = self.page.locator("[role=alert]")
        self.scroller = self.page.locator(".doimages-scroll")

    def _news(self) -> dict:
        now = {name: getattr(self._view, name) for name in TRAITS}
        news = {name: value for name, value in now.items() if name not in self._told or self._told[name] != value}
        self._told = now
        return news

    def _hear(self, message: dict) -> dict:
        self._view._handle_custom_msg(message, [])
        return self._news()

    def push(self) -> None:
        """Tell what the kernel did of itself."""
        self.widget.push(**self._news())

    def sent(self, kind: str) -> list[dict]:
        return [message for message in self.widget.sent if message["kind"] == kind]

    def settle(self) -> None:
        """Wait until all that was sent is answered, on the screen or kept back."""
        self.page.wait_for_function("() => fake.unanswered === 0")

    def hold(self) -> None:
        self.page.evaluate("() => { fake.isHeld = true; }")

    def give(self, place: int = 0) -> None:
        self.page.evaluate("place => { fake.put(fake.replies.splice(place, 1)[0]); }", place)

    def release(self) -> None:
        self.page.evaluate("() => { fake.isHeld = false; fake.replies.splice(0).forEach(fake.put); }")

    @property
    def held(self) -> int:
        return self.page.evaluate("fake.replies.length")

    def field(self, label: str):
        return self.page.get_by_label(label, exact=True)

    def facet(self, label: str):
        return self.page.get_by_role("group", name=label, exact=True)

    @property
    def focused(self) -> str:
        """The name of what has the focus: of a row's box "Select NAME (ID)", of the frame of the grid "the grid"."""
        return self.page.evaluate(FOCUSED)
