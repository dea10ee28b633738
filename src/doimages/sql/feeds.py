"""Where the ids come from that actions are read by: the other side of `image_id = ...`, as a query of its own."""

from collections.abc import Iterable, Sequence

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from doimages.errors import StatementError
from doimages.schema import IMAGES
from doimages.sql.names import Names
from doimages.sql.predicates import conjuncts
from doimages.sql.scopes import in_from, outwards
from doimages.sql.site import Site
from doimages.sql.sources import Source

# What to write instead, where nothing tells the images.
UNFED = "Write WHERE image_id = ..., or join images: ON a.image_id = i.id."


def make_feed(others: Sequence[exp.Expr], site: Site, names: Names) -> exp.Expr | None:
    """Make the query whose result are the ids to ask for, of one of the other sides; None if none can tell them."""
    told = [one for one in others if not isinstance(one, exp.Column) or one.meta.get("site") != id(site)]
    fed = {id(one) for one in names.sites if one.resource.table is not IMAGES}
    told.sort(key=lambda one: one.meta.get("site") in fed)  # what has to be fed itself comes last
    if not told:
        return None
    other = told[0]
    if not isinstance(other, exp.Column):
        return _with_ctes(other.copy(), site.scope)
    alias = str(other.meta.get("source", other.table)).lower()
    level = next(scope for scope in outwards(site.scope) if alias in map(str.lower, in_from(scope)))
    query = exp.select(other.copy()).distinct().from_(_table(level, alias).copy())
    own = [node.copy() for node in conjuncts(level, alias) if _is_about(node, alias)]
    return _with_ctes(query.where(*own, copy=False) if own else query, level)


def in_order(sources: Iterable[Source]) -> list[Source]:
    """Put what feeds before what is fed; raises StatementError where each waits for the other."""
    done: list[Source] = []
    waiting = list(sources)
    while waiting:
        names = {one.name for one in waiting}
        ready = [one for one in waiting if one.feed is None or not _tables(one.feed) & names]
        if not ready:
            raise StatementError(
                f"{waiting[0].resource.path} is read by image, and no image_id is given: each waits for the other.",
                hint=UNFED,
            )
        done += ready
        waiting = [one for one in waiting if one not in ready]
    return done


def _tables(tree: exp.Expr) -> set[str]:
    return {table.name for table in tree.find_all(exp.Table)}


def _table(level: Scope, alias: str) -> exp.Expr:
    """Give what stands in FROM under an alias, with its alias."""
    query = level.expression
    sides = [query.args["from_"].this, *(join.this for join in query.args.get("joins") or ())]
    sides += [node for node, _ in in_from(level).values()]
    found: exp.Expr = next(side for side in sides if side.alias_or_name.lower() == alias).copy()
    found.set("joins", None)
    return found


def _with_ctes(query: exp.Expr, scope: Scope) -> exp.Expr:
    """Give a query the CTEs that it sees where it comes from."""
    ctes: list[exp.Expr] = []
    level: exp.Expr | None = scope.expression
    is_recursive = False
    while level is not None:
        held = level.args.get("with_")
        if held is not None and not any(one is level for one in query.walk()):
            ctes = [*(one.copy() for one in held.expressions), *ctes]
            is_recursive |= bool(held.args.get("recursive"))
        level = level.parent
    if ctes:
        own = query.args.get("with_")
        query.set("with_", exp.With(expressions=[*ctes, *(own.expressions if own else ())], recursive=is_recursive))
    return query


def _is_about(node: exp.Expr, alias: str) -> bool:
    """Tell whether a predicate is about one table alone; a subquery within may look at its own tables, too."""
    inner = {one.alias_or_name.lower() for query in node.find_all(exp.Query) for one in query.find_all(exp.Table)}
    sources = {str(column.meta.get("source", "")).lower() for column in node.find_all(exp.Column)}
    return alias not in inner and sources <= {alias, *inner}
