"""The one table a mutating statement is about, and what RETURNING may tell of it."""

from dataclasses import dataclass

from sqlglot import exp

from doimages.errors import UnknownColumnError
from doimages.resources import Resource
from doimages.schema import IMAGES, Table
from doimages.sql.lookup import find_resource
from doimages.sql.place import place_of
from doimages.sql.statements import Path

_NAMING = frozenset({"this", "db", "catalog", "alias"})
# What makes of one row none, many, or another one.
_NO_PART_OF_A_ROW = (exp.Query, exp.AggFunc, exp.Window, exp.Explode, exp.Unnest)


@dataclass(frozen=True, slots=True)
class Target:
    """A table, and the name that a column of it may have before its dot."""

    resource: Resource
    alias: str

    def has(self, column: exp.Column) -> bool:
        """Tell whether a column, by what is before its dot, is one of this table."""
        return column.table.lower() in {"", self.alias.lower()}


def find_target(node: exp.Expr | None, word: str, text: str) -> Target:
    """Find the table after INSERT INTO, UPDATE or DELETE FROM; raises StatementError."""
    if not isinstance(node, exp.Table) or isinstance(node.this, exp.Func):
        raise place_of(node or exp.Null(), text).error(f"{word} takes the name of a table here.")
    if node.args.get("joins"):
        raise joined(node, word, text)
    alias = node.args.get("alias")
    if any(value for key, value in node.args.items() if key not in _NAMING) or (alias and alias.columns):
        raise place_of(node, text).error(f"{word} takes no more than the table's name here.")
    first, last = place_of(node.parts[0], text), place_of(node.parts[-1], text)
    path = Path(tuple(part.name for part in node.parts), first.start, last.end)
    return Target(find_resource(path, text), node.alias_or_name)


def joined(node: exp.Expr, word: str, text: str) -> Exception:
    """Make the error for a second table in UPDATE or DELETE."""
    return place_of(node, text).error(f"{word} is about one table.", "Write WHERE image_id IN (SELECT ...).")


def read_returning(tree: exp.Expr, target: Target, reply: Table | None, text: str) -> tuple[exp.Expr, ...]:
    """Check RETURNING: `*`, the record as the API gives it, its columns, and expressions over them."""
    clause = tree.copy().args.get("returning")
    if not isinstance(clause, exp.Returning):
        return ()
    if clause.args.get("into"):
        raise place_of(clause.args["into"], text).error("RETURNING INTO is not there; name a variable before the SQL.")
    table = reply or IMAGES  # DELETE has no reply: it tells of the image as it was
    known = (*table.column_names, table.singular)
    aliases = dict(target.resource.aliases) if table is target.resource.table else {}
    for node in list(clause.walk()):
        if isinstance(node, _NO_PART_OF_A_ROW) and not isinstance(node, exp.ArrayFilter):
            raise place_of(node, text).error("RETURNING tells of one row: its columns, and expressions over them.")
        if not isinstance(node, exp.Column) or node.find_ancestor(exp.Lambda, exp.Comprehension):
            continue
        if not target.has(node):
            hint = f"Write {target.alias}.{node.name}, or {node.name} alone."
            raise place_of(node, text).error(f"no table {node.table!r} in RETURNING.", hint)
        name = node.name.lower()
        if name in aliases:
            node.set("this", exp.to_identifier(aliases[name]))
            if node.parent is clause:
                node.replace(exp.alias_(node.copy(), name))
        elif not node.is_star and name not in known:
            place = place_of(node, text)
            raise UnknownColumnError(node.name, known, table.name).mark(text, place.start, place.end)
    return tuple(clause.expressions)
