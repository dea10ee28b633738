"""What a query within a query sees: its tables, those around it, and what an outer join leaves open."""

from collections.abc import Iterator

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, ScopeType, walk_in_scope


def columns_in(scope: Scope) -> list[exp.Column]:
    """Give the columns that a query names itself, not its subqueries."""
    return [node for node in walk_in_scope(scope.expression) if isinstance(node, exp.Column)]


def in_from(scope: Scope) -> dict[str, tuple[exp.Selectable, exp.Table | Scope]]:
    """Give the tables of a FROM by their alias, also those that SEMI and ANTI JOIN only look at."""
    looked_at = scope.semi_or_anti_join_tables & scope.sources.keys()
    return scope.selected_sources | {
        name: (node, scope.sources[name]) for name, node in scope.references if name in looked_at
    }


def is_renamed(node: exp.Expr, source: exp.Table | Scope) -> bool:
    """Tell whether t(a, b), the table's alias or its recursive CTE, names the columns by their place."""
    level: exp.Expr | None = source.expression.parent if isinstance(source, Scope) else None
    while isinstance(level, (exp.SetOperation, exp.Subquery)):
        level = level.parent
    aliases = (node.args.get("alias"), level.args.get("alias") if isinstance(level, exp.CTE) else None)
    return any(isinstance(alias, exp.TableAlias) and alias.columns for alias in aliases)


def outwards(scope: Scope) -> Iterator[Scope]:
    """Give a scope and those around it whose columns it sees: what is derived or a CTE stands alone."""
    level: Scope | None = scope
    while level is not None:
        yield level
        is_open = level.scope_type in {ScopeType.SUBQUERY, ScopeType.UDTF, ScopeType.SET_OPERATION}
        level = level.parent if is_open or isinstance(level.expression.parent, exp.Lateral) else None


def names_given(scope: Scope) -> set[str]:
    """Give the names that SELECT gives with AS."""
    return {one.alias.lower() for one in scope.expression.args.get("expressions") or () if isinstance(one, exp.Alias)}


def optional(scope: Scope) -> set[str]:
    """Give what an outer join, or a grouping by parts, may leave without a row or a value."""
    found: set[str] = set()
    first, group = scope.expression.args.get("from_"), scope.expression.args.get("group")
    before = {first.this.alias_or_name.lower()} if first is not None else set()
    joins = scope.expression.args.get("joins") or ()
    is_plain = all(join.this.alias_or_name and not join.this.args.get("joins") for join in joins)
    if not is_plain or (group and group.find(exp.Rollup, exp.Cube, exp.GroupingSets)):
        return {name.lower() for name in in_from(scope)}
    for join in joins:
        name = join.this.alias_or_name.lower()
        is_by_place = "POSITIONAL" in {join.kind, join.method}
        if join.side in {"RIGHT", "FULL"} or is_by_place:
            found |= before
        if join.side in {"LEFT", "FULL"} or is_by_place:
            found.add(name)
        before.add(name)
    return found


def merged(scope: Scope) -> set[str]:
    """Give the columns that RIGHT and FULL joins make of one from each side: their values may be either's."""
    found: set[str] = set()
    for join in scope.expression.args.get("joins") or ():
        if join.side in {"RIGHT", "FULL"}:
            found |= {one.name.lower() for one in join.args.get("using") or ()}
            if join.method == "NATURAL":
                found.add("id")
    return found


def items_of(comprehension: exp.Comprehension) -> Iterator[exp.Column]:
    """Give what stands for an item of the list, in `[x FOR x IN list IF x = 'a']`."""
    name = comprehension.expression.name.lower()
    for part in (comprehension.this, comprehension.args.get("condition")):
        for column in part.find_all(exp.Column) if part is not None else ():
            if column.name.lower() == name and not column.table:
                yield column


def outermost(tree: exp.Expr) -> Iterator[exp.Expr]:
    """Give the queries within what is none itself, as PIVOT (SELECT ...) has."""
    for part in tree.iter_expressions():
        if isinstance(part, exp.Query):
            yield part.unnest()
        else:
            yield from outermost(part)
