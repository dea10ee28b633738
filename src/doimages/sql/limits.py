"""How few rows of a table a query needs."""

from sqlglot import exp
from sqlglot.optimizer.scope import walk_in_scope

from doimages.sql.site import Site

# What makes a result depend on rows beyond the first.
_WIDE = (exp.AggFunc, exp.Window, exp.Unnest, exp.Explode, exp.Subquery, exp.Query, exp.Anonymous, exp.Lambda)
_CLAUSES = ("where", "group", "having", "qualify", "distinct", "order", "joins", "laterals", "sample", "windows")


def row_limit(site: Site) -> int | None:
    """Give the most rows that count: of `SELECT columns FROM table LIMIT n`, and nothing between."""
    query = site.scope.expression
    if not _is_alone(site) or any(query.args.get(clause) for clause in _CLAUSES):
        return None
    if any(isinstance(node, _WIDE) for projection in query.expressions for node in projection.walk()):
        return None
    limit = _number(query.args.get("limit"))
    offset = _number(query.args.get("offset")) if query.args.get("offset") else 0
    return None if limit is None or offset is None else limit + offset


def is_counted(site: Site) -> bool:
    """Tell whether the query looks at no column of the table, so that only the number of its rows matters."""
    query = site.scope.expression
    if not _is_alone(site) or site.columns or any(query.args.get(clause) for clause in ("where", "joins", "laterals")):
        return False
    if any(isinstance(node, exp.Columns) for node in walk_in_scope(query)):
        return False
    stars = [node for node in walk_in_scope(query) if isinstance(node, exp.Star)]
    return all(isinstance(star.parent, exp.Count) for star in stars) and query.find(exp.Count) is not None


def _is_alone(site: Site) -> bool:
    query = site.scope.expression
    is_whole = not site.node.args.get("pivots") and not site.node.args.get("sample")
    return isinstance(query, exp.Select) and is_whole and len(site.scope.selected_sources) == 1


def _number(clause: exp.Expr | None) -> int | None:
    if clause is None or clause.args.get("limit_options"):  # LIMIT 10%, of rows that nobody has counted
        return None
    value = clause.expression
    if isinstance(value, exp.Literal) and not value.is_string and value.this.isdecimal():
        return int(value.this)
    return None
