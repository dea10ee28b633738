"""What a person waits for in the picker: JupyterLab in Chromium, from the press of a key to what is painted.

The filter is typed as one event, so its 150 ms of waiting for more are in it. Bytes are those of the websocket.
"""

import statistics
import sys
import tempfile
from pathlib import Path

# JupyterLab is started as the tests start it.
sys.path.append(str(Path(__file__).parents[1] / "tests"))
from lab import Lab, browser_context, find_chromium

ROWS = (200, 2_000, 20_000)
SETUP = "import doimages, pandas as pd\nlisting = doimages.read_do_images()"
MANY = """repeats = -(-{rows} // len(listing))
many = pd.concat([listing] * repeats, ignore_index=True).head({rows}).assign(id=range(1, {rows} + 1))"""
CELLS = [SETUP, "many.do_images.picker()"]
NOTEBOOK = "jupyterapp.shell.currentWidget.content"
SHOWN = ".doimages-picker:not([data-old])"
FILL = f"""text => {{
    const input = document.querySelector("{SHOWN} .doimages-rail input");
    input.value = text;
    input.dispatchEvent(new Event("input", {{bubbles: true}}));
}}"""
FORGET = """() => document.querySelectorAll(".doimages-picker").forEach(one => { one.dataset.old = ""; })"""
RUN = f"""() => {{
    {NOTEBOOK}.activeCellIndex = 1;
    jupyterapp.commands.execute("notebook:run-cell");
}}"""
# What is done, and what is on the screen before and after it; the next frame is when that is painted.
MEASURE = f"""async ([act, given]) => {{
    const frame = () => new Promise(requestAnimationFrame);
    const look = () => document.querySelector("{SHOWN} .doimages-status")?.textContent
        + document.querySelector("{SHOWN} tbody tr[data-id]:last-child")?.dataset.id
        + [...document.querySelectorAll("{SHOWN} thead [aria-sort]")].map(one => one.getAttribute("aria-sort"));
    const before = look();
    const begin = performance.now();
    eval(act)(given);
    while (look() === before || !document.querySelector("{SHOWN} tbody tr[data-id]")) await frame();
    await frame();
    return performance.now() - begin;
}}"""
FACET = f"""() => document.querySelector("{SHOWN} .doimages-values input").click()"""
SORT = f"""() => document.querySelector("{SHOWN} thead .doimages-of-created_at button").click()"""
SCROLL = f"""top => {{ document.querySelector("{SHOWN} .doimages-scroll").scrollTop = top; }}"""
ALL = f"""() => document.querySelector("{SHOWN} .doimages-tools button").click()"""
STEPS = (
    ("a filter by name", FILL, ("web", "db-0", "", "/^web-0[12]/", "")),
    ("a facet", FACET, (None,) * 4),
    ("a sort", SORT, (None,) * 3),
    ("scrolling far", SCROLL, (1_500, 0, 1_500, 0)),
    ("select all filtered", ALL, (None,)),
)


def measure(notebook, act: str, given: object) -> tuple[float, int]:
    """Return the seconds and the bytes of one step."""
    if act == RUN:
        notebook.page.evaluate(FORGET)
    notebook.py("pass")  # the kernel has done what was before
    notebook.bytes_in = 0
    milliseconds = notebook.call(MEASURE, [act, given])
    notebook.py("pass")
    return milliseconds / 1000, notebook.bytes_in


def measure_rows(notebook, rows: int, repeats: int) -> dict:
    """Return the median seconds and the most bytes of each step, for a frame of so many rows."""
    notebook.py(MANY.format(rows=rows))
    measured = {"the first rows": [measure(notebook, RUN, None) for _ in range(repeats)]}
    for name, act, values in STEPS:
        measured[name] = [
            measure(notebook, act, value) for _ in range(1 if act == ALL else repeats) for value in values
        ]
    return {
        name: {
            "seconds": round(statistics.median(seconds for seconds, _ in figures), 3),
            "slowest_seconds": round(max(seconds for seconds, _ in figures), 3),
            "bytes": max(size for _, size in figures),
        }
        for name, figures in measured.items()
    }


def measure_picker(*, is_quick: bool) -> dict:
    """Return the figures by the number of rows."""
    repeats = 3 if is_quick else 7
    with tempfile.TemporaryDirectory() as folder, browser_context(find_chromium()) as context:
        lab = Lab(Path(folder), context)
        with lab.served(), lab.open(CELLS) as notebook:
            notebook.run(0)
            return {f"{rows:,}": measure_rows(notebook, rows, repeats) for rows in ROWS}


if __name__ == "__main__":
    for size, steps in measure_picker(is_quick="--quick" in sys.argv).items():
        for step, told in steps.items():
            print(f"{size:>7}  {step:22} {told}")
