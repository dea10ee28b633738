"""Make the pictures of these docs from cells that run in JupyterLab, on a sandbox: `python docs/pictures.py`.

It needs what tests/browser needs, Chromium and the packages of the group `test`, and no test runs it. A picture has the
same in it each time, but for ids of plans, times and ages.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests"))  # its lab starts JupyterLab

from lab import Lab, OpenNotebook, browser_context, find_chromium  # noqa: E402 - by the path above

PLACE = ROOT / "docs" / "_static"
SCALE = 1.5
VIEWPORT = {"width": 1200, "height": 2400}  # all of a cell at once: what is not in sight may not be drawn
COLOURS = 96  # enough for letters and lines, and a third of the bytes
COLUMNS = "id,name,regions,created_at,size_gigabytes"
CELLS = (
    "import doimages\nimport pandas as pd\n%load_ext doimages",
    f"%%doimages --type snapshot --tag-name web -n 5 --columns {COLUMNS}",
    'mine = pd.read_do_images(private=True)\npicker = mine.do_images.picker(sort="-size_gigabytes")\npicker',
    "mine.do_images.summary()",
)
# Of the cell alone: no tools over it, and no frame around it.
STYLE = ".jp-cell-toolbar { display: none !important } .jp-Collapser { visibility: hidden }"
MAGIC, PICKER, SUMMARY = 1, 2, 3


@contextmanager
def opened() -> Iterator[OpenNotebook]:
    """Open the cells in a page, each of its pixels drawn larger."""
    path = find_chromium()
    if path is None:
        raise SystemExit("no Chromium: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder, browser_context(path) as plain:
        context = plain.browser.new_context(viewport=VIEWPORT, device_scale_factor=SCALE)
        lab = Lab(Path(folder), context)
        with lab.served(), lab.open(CELLS) as notebook:
            notebook.page.add_style_tag(content=STYLE)
            yield notebook


def keep(notebook: OpenNotebook, name: str, cell: int, end: str = "") -> None:
    """Store the picture of a cell and its output, down to the part that a selector finds."""
    path = PLACE / name
    notebook.page.mouse.move(0, 0)
    notebook.page.evaluate("document.activeElement.blur()")
    whole = notebook.page.locator(".jp-Notebook .jp-Cell").nth(cell)
    whole.screenshot(path=path, animations="disabled")
    with Image.open(path) as made:
        height = made.height
        if end:
            height = SCALE * (notebook.page.locator(end).bounding_box()["y"] - whole.bounding_box()["y"])
        cut = made.convert("RGB").crop((0, 0, made.width, int(height)))
        cut.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    sys.stdout.write(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} KB\n")


def main() -> None:
    with opened() as notebook:
        page = notebook.page
        notebook.run(0)

        notebook.run(MAGIC)
        keep(notebook, "cell.png", MAGIC)

        notebook.run(PICKER)
        status = page.locator(".doimages-status")
        page.get_by_label("Name (text or /regex/)").fill("web")
        status.filter(has_text="of 276 images").wait_for()
        page.get_by_label("Age (>90d)").fill(">100d")
        page.get_by_role("group", name="type", exact=True).get_by_role("checkbox", name="snapshot").check()
        for place in range(3):
            page.locator(".doimages-scroll tbody tr[data-id] input").nth(place).check()
        status.filter(has_text="3 selected").wait_for()
        keep(notebook, "picker-light.png", PICKER)

        page.get_by_text("Show the code").click()
        notebook.theme("dark")
        keep(notebook, "picker-dark.png", PICKER)

        notebook.theme("light")
        page.get_by_text("Show the code").click()
        page.get_by_role("button", name="Preview plan").click()
        words = page.get_by_label("To confirm, type")
        words.fill("delete 3 images")
        page.get_by_role("button", name="Apply plan").and_(page.locator(":enabled")).wait_for()
        keep(notebook, "picker-plan.png", PICKER)

        notebook.run(SUMMARY)
        page.get_by_role("img", name="Images, GB and cost by age").wait_for()
        keep(notebook, "summary.png", SUMMARY, end="[aria-label=Oldest]")


if __name__ == "__main__":
    main()
