"""Make `_static/cell.png`, the picture in README.md: a real cell and its real output, in a page that Chromium draws.

    python docs/picture.py cell.html
    chromium --headless --hide-scrollbars --force-device-scale-factor=1.5 --window-size=1130,300
        --screenshot=docs/_static/cell.png cell.html

The frame of prompts around them is made here; it is not a screenshot of Jupyter.
"""

import re
import sys
import tempfile
from html import escape
from pathlib import Path

from run_pages import shell

COLUMNS = "id,name,regions,created_at,size_gigabytes"
CELLS = (
    "%load_ext doimages",
    f"%%doimages --endpoint sandbox --type snapshot --tag-name web -n 5 --columns {COLUMNS}",
)
STYLE = """
body { margin: 0; padding: 16px 20px; background: #fff; color: #111; font: 14px sans-serif }
.row { display: flex; margin-bottom: 8px }
.prompt { width: 66px; padding-top: 9px; color: #307fc1; font: 13px monospace }
.code { flex: 1; padding: 8px 12px; background: #f6f8fa; border: 1px solid #d8dee4; font: 13px/1.5 monospace }
.code b { color: #7b2fbe } .code i { color: #0550ae; font-style: normal }
.dataframe { border-collapse: collapse; border: 0; font-size: 13px }
.dataframe td, .dataframe th { padding: 5px 12px; border: 0; text-align: right }
.dataframe thead th { border-bottom: 1px solid #999 } .dataframe tbody tr:nth-child(odd) { background: #f3f4f6 }
"""


def color(cell: str) -> str:
    text = re.sub(r"^%+\w+", r"<b>\g<0></b>", escape(cell))
    return re.sub(r"(?<= )--?[a-z][a-z-]*", r"<i>\g<0></i>", text)


def main() -> None:
    rows = []
    with tempfile.TemporaryDirectory() as folder, shell(Path(folder)) as made:
        for number, cell in enumerate(CELLS, 1):
            rows.append((f"In [{number}]:", f"<div class=code>{color(cell)}</div>"))
            result = made.run_cell(cell)
            result.raise_error()
            if result.result is not None:
                rows.append((f"Out[{number}]:", result.result._repr_html_()))
    body = "".join(f"<div class=row><div class=prompt>{prompt}</div>{content}</div>" for prompt, content in rows)
    page = f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>{body}"
    Path(sys.argv[1]).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
