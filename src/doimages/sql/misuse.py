"""Parameters of a request where a request cannot say what is meant."""

from collections.abc import Mapping

from sqlglot import exp

from doimages.schema import IMAGES, REQUEST_TYPES
from doimages.sql.names import Names
from doimages.sql.predicates import is_literal, literal
from doimages.sql.site import Site

# What to write instead.
_INSTEAD: Mapping[str, str] = {
    "private": "For the column, write public = true or public = false.",
    "tag_name": "For the column, write list_contains(tags, '...').",
    "type": "For the column, write type NOT LIKE 'application'.",
    "image_id": "For the column, write id.",
    "action_id": "For the column, write id.",
    "page": "Write LIMIT and OFFSET for rows.",
    "per_page": "Write LIMIT for rows.",
}


def check_joins(site: Site, names: Names) -> None:
    """Refuse USING with a parameter that is read as a column of another name: it is no column of both sides."""
    for join in site.scope.expression.args.get("joins") or ():
        for column in join.args.get("using") or ():
            real = dict(site.resource.aliases).get(column.name.lower())
            if real is not None:
                hint = f"Write ON {site.alias}.{real} = ... .{column.name}."
                raise names.error(f"{column.name} is no column of {site.resource.table.name}.", column, hint)


def check_use(site: Site, used: set[int], names: Names) -> None:
    """Refuse a parameter under OR, NOT or any operator but `=` and IN, and one that is read as a column and is none."""
    aliases = dict(site.resource.aliases)
    for column in site.columns:
        name = column.name.lower()
        if id(column) in used or name not in _INSTEAD:
            continue
        compared = _compared(column)
        if name in site.parameters:
            if compared is None:
                message = f"{name} is a parameter of the request, not a column of {site.resource.table.name}."
                raise names.error(message, column, _INSTEAD.get(name))
        elif name == "type" and site.resource.table is IMAGES:
            if compared is None or not _asks_request_type(compared):
                continue
        elif name not in aliases or compared is None or not _has_literal(compared):
            continue
        raise _refusal(name, column, compared, names)


def _compared(column: exp.Column) -> exp.Expr | None:
    """Give the predicate that a column stands in, in WHERE or ON; None elsewhere."""
    if not isinstance(column.find_ancestor(exp.Where, exp.Join, exp.Select), (exp.Where, exp.Join)):
        return None
    node: exp.Expr = column
    while isinstance(node.parent, exp.Expr) and not isinstance(node, (exp.Predicate, exp.Connector, exp.Not)):
        if isinstance(node.parent, (exp.Where, exp.Join, exp.Connector, exp.Not)):
            break
        node = node.parent
    return node


def _asks_request_type(compared: exp.Expr) -> bool:
    is_equality = isinstance(compared, (exp.EQ, exp.NEQ, exp.In, exp.Is))
    return is_equality and any(literal(node) in REQUEST_TYPES for node in compared.find_all(exp.Literal))


def _has_literal(compared: exp.Expr) -> bool:
    return any(is_literal(node) for node in compared.iter_expressions())


def _refusal(name: str, column: exp.Column, compared: exp.Expr | None, names: Names) -> Exception:
    node = compared if compared is not None else column
    above = node.find_ancestor(exp.Or, exp.Not, exp.Case, exp.Where)
    what = "type = 'distribution' or 'application'" if name == "type" else name
    if isinstance(above, exp.Or):
        hint = f"Write {name} IN (...) for several values, or two queries with UNION. {_INSTEAD[name]}"
        return names.error(f"{what} is a parameter of the request, which cannot say OR.", node, hint)
    message = f"{what} is a parameter of the request and takes only = and IN, under AND."
    return names.error(message, node, _INSTEAD[name])
