"""What the made pages have in common."""

from collections.abc import Iterable

NOTE = "% Made by docs/generate.py from the code; change it there.\n"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def code(text: str) -> str:
    """Set a text as code, whatever quotes it has in it."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"
