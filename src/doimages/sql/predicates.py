"""The predicates of one query: which of them hold for a table's every row, and what they say of its columns."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from doimages.sql.sources import Value


@dataclass(frozen=True, slots=True)
class Fact:
    """A column equals one of these values, in the rows that count; or, with a query, one of its results."""

    node: exp.Expr
    column: exp.Column
    values: tuple[Value | None, ...] = ()
    nodes: tuple[exp.Expr, ...] = ()
    other: exp.Expr | None = None


def facts(scope: Scope, alias: str) -> Iterator[Fact]:
    """Give what WHERE, and ON where it may, say under AND of a table's columns: `=`, IN, or a boolean by itself."""
    for node in conjuncts(scope, alias):
        fact = read_fact(node)
        if fact is not None:
            yield fact


def conjuncts(scope: Scope, alias: str) -> Iterator[exp.Expr]:
    """Give the predicates under AND that hold for every row of a table that counts."""
    joins = scope.expression.args.get("joins") or ()
    if any(join.method in {"ASOF", "POSITIONAL"} for join in joins):
        return  # which rows meet depends on all rows of both sides
    where = scope.expression.args.get("where")
    if where is not None:
        yield from _split(where.this)
    for join in joins:
        is_joined = join.this.alias_or_name.lower() == alias.lower()
        # An outer join keeps rows that its ON does not hold for: there it filters the other side only.
        may = {"": True, "LEFT": is_joined, "RIGHT": not is_joined}.get(join.side, False)
        if join.args.get("on") is not None and may and join.kind.upper() != "ANTI":
            yield from _split(join.args["on"])


def _split(node: exp.Expr) -> Iterator[exp.Expr]:
    node = node.unnest()
    if isinstance(node, exp.And):
        yield from _split(node.left)
        yield from _split(node.right)
    else:
        yield node


def read_fact(node: exp.Expr) -> Fact | None:
    """Read a predicate that the API could apply: an equality, a list, or a boolean column by itself."""
    if isinstance(node, exp.Column):
        return Fact(node, node, (True,), (node,))
    if isinstance(node, (exp.EQ, exp.Is)):
        return _read_equality(node)
    if isinstance(node, exp.In) and isinstance(node.this.unnest(), exp.Column):
        return _read_in(node, node.this.unnest())
    return None


def _read_equality(node: exp.EQ | exp.Is) -> Fact | None:
    sides = (node.left.unnest(), node.right.unnest())
    for column, other in (sides, sides[::-1]):
        if isinstance(column, exp.Column) and is_literal(other):
            return Fact(node, column, (literal(other),), (other,))
    first, second = sides
    if isinstance(node, exp.EQ) and isinstance(first, exp.Column) and isinstance(second, exp.Column):
        return Fact(node, first, other=second)
    return None


def _read_in(node: exp.In, column: exp.Column) -> Fact | None:
    query = node.args.get("query")
    if query is not None:
        return Fact(node, column, other=query.unnest())
    values = [value.unnest() for value in node.expressions]
    if node.args.get("unnest") or node.args.get("field") or not all(is_literal(value) for value in values):
        return None
    return Fact(node, column, tuple(literal(value) for value in values), tuple(values))


def is_literal(node: exp.Expr) -> bool:
    """Tell whether it is a value as it stands."""
    if isinstance(node, exp.Neg):
        return is_literal(node.this)
    return isinstance(node, (exp.Literal, exp.Boolean, exp.Null))


def literal(node: exp.Expr) -> Value | None:
    """Give the value: text, a whole number, a boolean, None; any other number as it is written."""
    if isinstance(node, exp.Null):
        return None
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Neg):
        inner = literal(node.this)
        return -inner if type(inner) is int else f"-{inner}"
    text = str(node.this)
    return int(text) if not node.args.get("is_string") and text.isdigit() else text
