"""The drawings of a summary: bars, as SVG that stands in a page and takes the colour of its text."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from xml.etree import ElementTree as ET

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from doimages.sheet import plain
from doimages.summary.panel import Panel, Row
from doimages.summary.summary import Summary

_WIDTH, _LABELS, _RIGHT, _ROW, _HEAD = 412, 112, 8, 20, 22  # pixels: a point is one at 72 an inch
_GAP, _SIZE = 6, 11
_MORE = "\N{HORIZONTAL ELLIPSIS}"
_LETTERS = 40  # more of them never fit
_INK = "#010203"  # no colour of ours: it stands for that of the page's text
# At least 3 to 1 on white and on JupyterLab's dark ground (WCAG 2.2, 1.4.11).
_MEASURES = (("images", "#3987c9"), ("GB", "#2a9d8f"), ("$ a month", "#c9772e"))
# Texts stay texts: glyphs as paths would lack those that the font has not, and need ids that two pictures share.
_STYLE = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],  # what matplotlib brings, and measures with; a page without it has others
    "font.size": _SIZE,
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "ytick.labelcolor": _INK,
}
_SVG = "{http://www.w3.org/2000/svg}"
_DRAWING = threading.RLock()


def draw(summary: Summary) -> list[str]:
    """Draw each panel: a row a value, a bar each for images, GB and cost."""
    with _own_style():
        return [_accessible(_drawn(panel), panel) for panel in summary.panels]


@contextmanager
def _own_style() -> Iterator[None]:
    """Draw the same whatever style was set, and leave that as it was; one at a time, for it is the process's."""
    with _DRAWING, style.context(["default", _STYLE]), warnings.catch_warnings():
        # A letter that matplotlib's font lacks is the page's to draw.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        yield


def _drawn(panel: Panel) -> ET.Element:
    height = _HEAD + _ROW * max(len(panel.rows), 1)
    figure = Figure(figsize=(_WIDTH / 72, height / 72), dpi=72)
    place = {
        "left": _LABELS / _WIDTH,
        "right": 1 - _RIGHT / _WIDTH,
        "top": 1 - _HEAD / height,
        "bottom": 0,
        "wspace": 0.1,
    }
    axes = figure.subplots(1, len(_MEASURES), sharey=True, gridspec_kw=place)
    for number, (one, (heading, colour)) in enumerate(zip(axes, _MEASURES, strict=True)):
        values = [(row.images, row.gigabytes, row.monthly_cost)[number] or 0 for row in panel.rows]
        _bars(one, heading, colour, values, [row.texts[number] for row in panel.rows])
    axes[0].set_yticks(range(len(panel.rows)), [_label(row) for row in panel.rows])
    for tick, row in zip(axes[0].get_yticklabels(), panel.rows, strict=True):
        tick.set_style("normal" if row.is_value else "italic")
    written = StringIO()
    figure.savefig(written, format="svg", metadata={"Date": None})
    return ET.fromstring(written.getvalue())  # noqa: S314 - what matplotlib wrote


def _bars(axes: Axes, heading: str, colour: str, values: list[float], texts: list[str]) -> None:
    # Nothing may be clipped, for a clip has an id, and ids are the page's.
    bars = axes.barh(range(len(values)), values, height=0.6, color=colour, clip_on=False)
    axes.bar_label(bars, texts, padding=3)
    axes.set_title(heading, loc="left", fontsize=10, pad=6)
    axes.set_xlim(0, 2.6 * max(values, default=0) or 1)
    axes.set_ylim(max(len(values), 1) - 0.5, -0.5)
    axes.patch.set_visible(False)
    axes.figure.patch.set_visible(False)
    axes.tick_params(left=False, bottom=False, labelbottom=False, length=0, pad=_GAP)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.spines["left"].set_alpha(0.5)


def _label(row: Row) -> str:
    """Give the value as the room allows; the table has it whole."""
    text = plain(row.label)
    if _fits(text):
        return text
    cut = text[:_LETTERS]
    while not _fits(cut + _MORE):
        cut = cut[:-1]
    return cut + _MORE


def _fits(text: str) -> bool:
    """Tell whether a label has room; for a letter that the font lacks it measures a box, as wide as a wide letter."""
    width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=_SIZE), ismath=False)
    return width <= _LABELS - _GAP


def _accessible(root: ET.Element, panel: Panel) -> str:
    """Give the SVG as a part of a page: named, without ids, styles and metadata, in the colour of the page's text."""
    for unwanted in ("metadata", "defs"):
        for element in root.findall(_SVG + unwanted):
            root.remove(element)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        element.attrib.pop("id", None)
        if "style" in element.attrib:
            element.set("style", element.attrib["style"].replace(_INK, "currentColor"))
        element.tail = None
        element.text = element.text if element.tag == "text" else None
    _, _, width, height = root.attrib["viewBox"].split()
    root.attrib = {
        "role": "img",
        "viewBox": root.attrib["viewBox"],
        "width": width,
        "height": height,
        "style": "max-width: 100%; height: auto; stroke-linejoin: round; display: block",
    }
    about = ET.Element("title"), ET.Element("desc")
    about[0].text = f"Images, GB and cost by {panel.heading}"
    about[1].text = "The figures are in the tables below."
    root[:0] = about
    return ET.tostring(root, encoding="unicode")
