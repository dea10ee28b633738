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
        return "\n".join(plain(line) for line in lines)

    def _repr_html_(self) -> str:
        # A narrow table would break its caption into many lines, and a wide one the names of its rows.
        head = '<th style="white-space: nowrap; vertical-align: top">'
        rows = "".join(f"<tr>{head}{safe(name)}</th><td>{safe(text)}</td></tr>" for name, text in self.rows)
        style = "caption-side: top; text-align: left; white-space: nowrap"
        caption = f'<caption style="{style}">{safe(self.caption)}</caption>'
        # MathJax goes by the one name or the other, by its version: "$2 a month, at $0.06" is no formula.
        look = 'class="tex2jax_ignore mathjax_ignore" style="text-align: left; line-height: 1.5"'
        return f"<table {look}>{caption}<tbody>{rows}</tbody></table>"


def plain(text: str) -> str:
    """Give text that a terminal shows and does not obey."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in redact(text))


def safe(text: str) -> str:
    """Give text that a page shows and does not obey."""
    return escape(plain(text))
