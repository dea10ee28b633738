"""One use of a function in a statement, and errors that point at it."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from doimages.errors import StatementError
from doimages.schema import ColumnType
from doimages.sql.place import place_of


@dataclass(frozen=True, slots=True)
class Call:
    """A function as it was called: its arguments, and what is known about them."""

    node: exp.Anonymous
    kind_of: Callable[[exp.Expr], ColumnType | None]
    text: str

    @property
    def arguments(self) -> list[exp.Expr]:
        """What stands between its brackets."""
        return list(self.node.expressions)

    @property
    def whole(self) -> exp.Expr:
        """The call with what belongs to it: FILTER (...) and OVER (...)."""
        node: exp.Expr = self.node
        while isinstance(node.parent, (exp.Filter, exp.Window)) and node.arg_key == "this":
            node = node.parent
        return node

    def error(self, message: str, hint: str | None = None, *, at: exp.Expr | None = None) -> StatementError:
        """Make an error that points at a part of the call, or at the function's name."""
        return place_of(self.node if at is None else at, self.text).error(message, hint)
