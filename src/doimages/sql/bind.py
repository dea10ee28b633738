"""`:name` values into a statement: as literals of its tree, never as text."""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pandas as pd
from sqlglot import exp
from sqlglot.tokens import TokenType

from doimages.errors import StatementError, UsageError
from doimages.sql.dialect import StackQL

# Gives the value of a name, or raises KeyError; it is asked for no name but those in the statement.
Lookup = Callable[[str], Any]


def bind(tree: exp.Expr, lookup: Lookup, text: str) -> exp.Expr:
    """Give a copy of a tree with a literal, or a list of them, for each `:name`; raises StatementError."""
    tree = tree.copy()
    for node in list(tree.find_all(exp.Placeholder)):
        name = str(node.this)
        try:
            value = lookup(name)
        except KeyError:
            hint = f"Give it: params={{'{name}': ...}}, -p {name}=..., or a variable of that name."
            raise _error(f":{name} has no value.", name, text, hint) from None
        try:
            made = _literal(value, name, text)
        except UsageError:
            raise
        except Exception as error:  # noqa: BLE001 - a value may be of a kind that raises anything when it is looked at
            message = f":{name} is a {type(value).__name__} that cannot be read ({type(error).__name__})."
            raise _error(message, name, text) from None
        _place(node, made, name, text)
    return tree


def _place(node: exp.Expr, value: exp.Expr | list[exp.Expr], name: str, text: str) -> None:
    """Put the value where the name stands; a list after IN is the list of IN, elsewhere one of SQL's lists."""
    parent = node.parent
    if isinstance(parent, exp.In) and node.arg_key in {"field", "expressions"}:
        given = value if isinstance(value, list) else [value]
        others = [one for one in parent.expressions if one is not node]
        if not others and not given:
            parent.replace(exp.false())
            return
        parent.set("field", None)
        parent.set("expressions", [*others, *given])
    elif isinstance(value, list):
        if isinstance(parent, (exp.EQ, exp.NEQ, exp.Like, exp.Limit)):
            raise _error(f":{name} is a list, and this takes one value.", name, text, f"Write IN :{name}.")
        node.replace(exp.Array(expressions=value))
    else:
        node.replace(value)


def _literal(value: Any, name: str, text: str) -> exp.Expr | list[exp.Expr]:
    value = _plain(value)
    if isinstance(value, (list, tuple, set, frozenset, range)):
        return [_scalar(_plain(one), name, text) for one in _ordered(value)]
    return _scalar(value, name, text)


def _plain(value: Any) -> Any:
    """Give what is numpy's or pandas' own, an array, a Series, an Index or one value, as Python's."""
    if not hasattr(value, "tolist") or isinstance(value, (pd.DataFrame, memoryview)):
        return value
    if type(value).__module__ == "numpy" and value.dtype.kind in "mM":  # its tolist would make numbers of nanoseconds
        value = value.astype(f"{value.dtype.kind}8[us]")
    return value.tolist()


def _ordered(values: Iterable[Any]) -> Iterable[Any]:
    return sorted(values, key=repr) if isinstance(values, (set, frozenset)) else values


def _scalar(value: Any, name: str, text: str) -> exp.Expr:
    is_nan = isinstance(value, (float, Decimal)) and value != value  # noqa: PLR0124 - so it is defined
    if value is None or value is pd.NA or value is pd.NaT or is_nan:
        return exp.null()
    if isinstance(value, bool):
        return exp.true() if value else exp.false()
    if isinstance(value, (int, float, Decimal)) and abs(value) != float("inf"):
        # A number of its own kind may print itself as it likes: SQL, for one.
        kind = next(kind for kind in (int, float, Decimal) if isinstance(value, kind))
        plain = kind(value)
        number = exp.Literal.number(str(abs(plain)))
        return exp.Neg(this=number) if plain < 0 else number
    if isinstance(value, datetime):
        return exp.cast(exp.Literal.string(value.isoformat()), "timestamptz")
    if isinstance(value, date):
        return exp.cast(exp.Literal.string(value.isoformat()), "date")
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise _error(f":{name} holds a letter that no SQL text can.", name, text)
        return exp.Literal.string("".join(value))
    hint = "Values are text, numbers, booleans, times, None, and lists of them. A frame goes into FROM by its name."
    raise _error(f":{name} is a {type(value).__name__}, which is no value.", name, text, hint)


def _error(message: str, name: str, text: str, hint: str | None = None) -> StatementError:
    error = StatementError(message, hint=hint)
    start = _find(name, text)
    return error if start is None else error.mark(text, start, start + len(name) + 1)


def _find(name: str, text: str) -> int | None:
    """Find `:name` in the text, which is not a part of a quoted text or comment."""
    tokens = StackQL().tokenize(text) if re.search(rf"[:$]\s*{re.escape(name)}\b", text) else []
    for colon, word in pairwise(tokens):
        if colon.token_type in {TokenType.COLON, TokenType.PARAMETER} and word.text == name:
            return int(colon.start)
    return None
