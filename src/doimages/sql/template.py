"""DuckDB's SQL with places to fill in: what a function of ours becomes."""

from functools import lru_cache
from itertools import islice

from sqlglot import exp, parse_one

# What is this small may stand twice; what is larger is evaluated once, so that nesting never doubles a statement.
_SMALL = 10
_IT = "__it"


@lru_cache(maxsize=256)
def _parsed(sql: str) -> exp.Expr:
    tree: exp.Expr = parse_one(sql, dialect="duckdb")
    return tree


def fill(sql: str, **nodes: exp.Expr) -> exp.Expr:
    """Make a tree of SQL, with these nodes in the place of the columns of their names."""
    made = _parsed(sql).copy()
    used = set()
    for place in list(made.find_all(exp.Column)):
        if place.name in nodes:
            node = nodes[place.name]
            place.replace(wrapped(node.copy() if place.name in used else node))
            used.add(place.name)
    return made


def fill_once(sql: str, node: exp.Expr, **nodes: exp.Expr) -> exp.Expr:
    """Fill in as above, ``node`` for X; it is evaluated once, however often X stands there."""
    if len(list(islice(node.walk(), _SMALL + 1))) <= _SMALL:
        return fill(sql, X=node, **nodes)
    body = fill(sql, X=exp.to_identifier(_IT), **nodes)
    made = fill("list_extract(list_transform([X], Y), 1)", X=node, Y=exp.Null())
    transform = made.find(exp.Transform)
    if transform is not None:
        transform.set("expression", exp.Lambda(this=body, expressions=[exp.to_identifier(_IT)]))
    return made


def wrapped(node: exp.Expr) -> exp.Expr:
    """Put brackets around what would mean something else beside an operator."""
    is_whole = isinstance(node, _WHOLE) or (
        isinstance(node, exp.Func) and not isinstance(node, (exp.Binary, exp.Connector))
    )
    return node if is_whole else exp.Paren(this=node)


_WHOLE = (
    exp.Column,
    exp.Identifier,
    exp.Literal,
    exp.Boolean,
    exp.Null,
    exp.Paren,
    exp.Subquery,
    exp.Window,
    exp.Filter,
)


def put(new: exp.Expr, old: exp.Expr) -> None:
    """Replace a node of a tree."""
    is_alone = isinstance(old.parent, (exp.Alias, exp.Paren, exp.Select, exp.Subquery, exp.From, exp.Join))
    old.replace(new if is_alone else wrapped(new))
