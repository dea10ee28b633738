"""What the made pages have in common."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

NOTE = "% Made by docs/generate.py from the code; change it there.\n"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def code(text: str) -> str:
    """Set a text as code, whatever quotes it has in it."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def fill(template: str, made: Mapping[str, str]) -> str:
    """Put what was made into the places ``<<name>>`` of a template; what stands on a line of its own brings its end."""
    text = (Path(__file__).parent / template).read_text(encoding="utf-8")
    return re.sub(r"^<<(\w+)>>\n|<<(\w+)>>", lambda found: made[found[1] or found[2]], text, flags=re.MULTILINE)
