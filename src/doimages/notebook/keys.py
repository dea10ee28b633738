"""The guard of keys: what is pressed in a box of ours is not taken for a command of the notebook."""

from pathlib import Path

from anywidget import AnyWidget

# The class of the box that is guarded.
GUARDED = "doimages-keys"


class Keys(AnyWidget):
    """Shows nothing, and guards the closest box around it that has the class of :data:`GUARDED`.

    With the focus on a button, JupyterLab and Notebook 7 take bare keys for their own: b adds a cell, d d deletes the
    one with the button (seen in 4.6.6 and 7.6.5). Chords, Tab and Shift+Enter still reach them.
    """

    _esm = Path(__file__).with_name("keys.js").read_text(encoding="utf-8")
