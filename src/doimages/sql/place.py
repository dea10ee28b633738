"""Where in a statement's text a part of it stands, and errors that point there."""

from dataclasses import dataclass
from typing import TypeVar

from sqlglot import exp

from doimages.errors import StatementError, UsageError

E = TypeVar("E", bound=UsageError)


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a statement's text."""

    text: str
    start: int
    end: int

    def error(self, message: str, hint: str | None = None) -> StatementError:
        """Make an error that points here."""
        return self.mark(StatementError(message, hint=hint))

    def mark(self, error: E) -> E:
        """Have an error point here."""
        return error.mark(self.text, self.start, self.end)

    def within(self, value: str, start: int, end: int) -> "Place":
        """Give the place of some letters of the quoted text that stands here; in quotes, a quote is doubled."""
        if self.text[self.start + 1 : self.end - 1].replace("''", "'") != value:
            return self  # written another way, or bound
        first, last = (self.start + 1 + at + value[:at].count("'") for at in (start, end))
        return Place(self.text, first, max(last, first + 1))


def place_of(node: exp.Expr, text: str) -> Place:
    """Give the place of a part of a tree; true, NULL and what was bound have none, then that of what they stand in.

    Of a call it is the name of the function.
    """
    above: exp.Expr | None = node
    while above is not None:
        parts = (above,) if isinstance(above, exp.Anonymous) and "start" in above.meta else above.walk()
        spans = [part.meta for part in parts if "start" in part.meta]
        if spans:
            return Place(text, min(span["start"] for span in spans), max(span["end"] for span in spans) + 1)
        above = above.parent
    return Place(text, 0, len(text))
