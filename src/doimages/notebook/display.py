"""What the magic shows beside frames: a caption over a small table, in text and in HTML."""

from dataclasses import dataclass
from html import escape

import pandas as pd

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
        rows = "".join(f"<tr><th>{_safe(name)}</th><td>{_safe(text)}</td></tr>" for name, text in self.rows)
        caption = f'<caption style="caption-side: top; text-align: left">{_safe(self.caption)}</caption>'
        return f'<table style="text-align: left">{caption}<tbody>{rows}</tbody></table>'


class WideFrame(pd.DataFrame):
    """A frame that shows its texts in full; what pandas makes of it is a plain frame again."""

    def __repr__(self) -> str:
        with pd.option_context("display.max_colwidth", None, "display.max_columns", None, "display.width", 200):
            return super().__repr__()

    def _repr_html_(self) -> str | None:
        with pd.option_context("display.max_colwidth", None):
            made: str | None = super()._repr_html_()  # type: ignore[misc] # the stubs leave it out
            return made


def _plain(text: str) -> str:
    """Give text that a terminal shows and does not obey."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in redact(text))


def _safe(text: str) -> str:
    return escape(_plain(text))
