"""Queries saved under a name, and what stands for them in a query that names them."""

from collections.abc import MutableMapping

from sqlglot import exp

from doimages.sql.statements import Select

# By name in lower case.
Views = MutableMapping[str, Select]


def expand(tree: exp.Expr, views: Views) -> exp.Expr:
    """Put the query of each view that FROM names in its place; a CTE of the name comes first."""
    tree = tree.copy()
    for table in _tables(tree, views):
        query = views[table.name.lower()].tree.copy()
        for node in query.walk():
            node.meta.clear()  # its places are those of another text
        alias = exp.TableAlias(this=exp.to_identifier(table.alias_or_name))
        table.replace(exp.Subquery(this=query, alias=table.args.get("alias") or alias, joins=table.args.get("joins")))
    return tree


def named_views(tree: exp.Expr, views: Views) -> list[str]:
    """Give the names of the views that a query reads from, as they are written."""
    return list(dict.fromkeys(table.name for table in _tables(tree, views)))


def _tables(tree: exp.Expr, views: Views) -> list[exp.Table]:
    return [
        table
        for table in tree.find_all(exp.Table)
        if isinstance(table.this, exp.Identifier)
        and not table.db
        and table.name.lower() in views
        and not _is_cte(table)
    ]


def _is_cte(table: exp.Table) -> bool:
    level = table.parent
    while level is not None:
        ctes = level.args.get("with_")
        if ctes is not None and table.name.lower() in {cte.alias.lower() for cte in ctes.expressions}:
            return True
        level = level.parent
    return False
