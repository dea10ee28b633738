"""A caption over a small table, in text and in HTML: how plans, reports and answers of the magic show."""

from dataclasses import dataclass
from html import escape

from doimages.redaction import redact


@dataclass(frozen=True, repr=False)
class Sheet:
    """A caption, and rows of a name and a text. No token can be in it, and nothing in it is markup."""

    caption: str
    rows: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        width = max((len(name) for name, _ in self.rows), default=0)
        lines = [self.caption, *(f"  {name:<{width}}  {text}" for name, text in self.rows)]
        return "\n".join(_plain(line) for line in lines)

    def _repr_html_(self) -> str:
        # A narrow table would break its caption into many lines, and a wide one the names of its rows.
        head = '<th style="white-space: nowrap; vertical-align: top">'
        rows = "".join(f"<tr>{head}{_safe(name)}</th><td>{_safe(text)}</td></tr>" for name, text in self.rows)
        style = "caption-side: top; text-align: left; white-space: nowrap"
        caption = f'<caption style="{style}">{_safe(self.caption)}</caption>'
        return f'<table style="text-align: left; line-height: 1.5">{caption}<tbody>{rows}</tbody></table>'


def _plain(text: str) -> str:
    """Give text that a terminal shows and does not obey."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in redact(text))


def _safe(text: str) -> str:
    return escape(_plain(text))
