"""Literals that cannot be what they stand for: a number, a boolean, or a count of rows."""

import re
from collections.abc import Mapping

from sqlglot import exp

from doimages.schema import ColumnType
from doimages.sql.names import column_kind
from doimages.sql.place import place_of

_FITS: Mapping[ColumnType, tuple[str, re.Pattern[str]]] = {
    "integer": ("a whole number", re.compile(r"\s*[+-]?\d{1,19}\s*", re.ASCII)),
    "number": ("a number", re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.ASCII | re.IGNORECASE)),
    "boolean": ("true or false", re.compile(r"true|false|t|f|yes|no|y|n|1|0", re.IGNORECASE)),
}
_COUNT = re.compile(r"\d{1,18}", re.ASCII)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between, exp.In)


def check_literals(tree: exp.Expr, text: str) -> None:
    """Refuse what cannot be the column's, or a count; DuckDB would find out at the first row. Raises StatementError."""
    for clause in tree.find_all(exp.Limit, exp.Offset):
        count = clause.expression
        if isinstance(count, exp.Literal) and not _COUNT.fullmatch(count.this):
            raise place_of(count, text).error(f"{clause.key.upper()} takes a whole number of rows.")
    for node in tree.find_all(*_COMPARISONS):
        sides = [side.unnest() for side in node.iter_expressions()]
        columns = [side for side in sides if isinstance(side, exp.Column) and _is_checked(side)]
        for literal in sides:
            if columns and isinstance(literal, exp.Literal) and literal.is_string:
                kind = column_kind(columns[0])
                what, pattern = _FITS[kind]  # type: ignore[index] # it is in there: see columns
                if not pattern.fullmatch(literal.this):
                    hint = "A slug goes into image_id, or slug." if columns[0].name.lower() == "id" else None
                    message = f"{columns[0].name} is {what}, and '{literal.this}' is none."
                    raise place_of(literal, text).error(message, hint)


def _is_checked(column: exp.Column) -> bool:
    # image_id is checked where it becomes a request: there it may be a slug.
    return column_kind(column) in _FITS and column.name.lower() != "image_id"
