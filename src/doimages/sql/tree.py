"""Tokens to a tree of sqlglot's, or an error that points at where it stopped."""

from itertools import pairwise
from typing import Any, NoReturn

from sqlglot import exp
from sqlglot.errors import ParseError
from sqlglot.tokens import Token, TokenType

from doimages.errors import StatementError
from doimages.sql.cursor import Cursor
from doimages.sql.dialect import StackQL


def read_tree(tokens: list[Token], cursor: Cursor, into: Any = None) -> exp.Expr:
    """Have sqlglot read tokens, and refuse what it took for SQL and is none that is run here."""
    for token, following in pairwise(tokens):
        if token.token_type == following.token_type == TokenType.COMMA:
            raise StatementError("a comma too many.").mark(cursor.text, following.start, following.end + 1)
    parser = StackQL().parser()
    try:
        trees = parser.parse(tokens, cursor.text) if into is None else parser.parse_into(into, tokens, cursor.text)
    except ParseError as error:
        _refuse(error, tokens, cursor)
    tree = trees[0]
    if tree is None or len(trees) != 1:
        raise cursor.error("this is no statement.")
    _check(tree, cursor)
    return tree


def _refuse(error: ParseError, tokens: list[Token], cursor: Cursor) -> NoReturn:
    """Say where sqlglot stopped, in words that are about the statement."""
    found = error.errors[0] if error.errors else {}
    what = str(found.get("description") or "")
    place = [t for t in tokens if (t.line, t.col) == (found.get("line"), found.get("col"))]
    at = place[0] if place else tokens[-1]
    is_at_end = at is tokens[-1] and ("Expect" in what or "SENTINEL" in what)
    message = "the statement ends too early." if "SENTINEL" in what or is_at_end else f"{at.text} is not expected here."
    hint = 'Names stand in double quotes: "name".' if at.text == "`" or "`" in cursor.text else None
    start, end = (at.end + 1, at.end + 2) if "SENTINEL" in what else (at.start, at.end + 1)
    raise StatementError(message, hint=hint).mark(cursor.text, start, end) from None


_REFUSED: tuple[tuple[type[exp.Expr], str], ...] = (
    (exp.Command, "this is no query."),
    (exp.Into, "SELECT INTO is not there; name a variable on the magic's line."),
    (exp.Lock, "FOR UPDATE is not there: a listing cannot be locked."),
    (exp.Parameter, "values are written :name."),
)


def _check(tree: exp.Expr, cursor: Cursor) -> None:
    for node in tree.walk():
        for kind, message in _REFUSED:
            if isinstance(node, kind):
                raise cursor.error(message)
        if isinstance(node, exp.Placeholder) and not str(node.this or "").isidentifier():
            raise cursor.error("values are written :name.")
        if isinstance(node, exp.In) and not any(
            node.args.get(part) for part in ("expressions", "query", "field", "unnest")
        ):
            raise cursor.error("IN names no values.")
        if isinstance(node, exp.CTE) and not isinstance(node.this, (exp.Query, exp.Values, exp.Pivot)):
            raise cursor.error(f"{node.alias} is no query: WITH names queries alone.")
        if isinstance(node, exp.Select) and not node.expressions:
            raise cursor.error("SELECT names no columns.")
