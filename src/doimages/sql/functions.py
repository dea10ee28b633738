"""The functions that mean what they mean in StackQL, which is SQLite; and a tree of SQL made into DuckDB's."""

from collections.abc import Callable, Mapping

from sqlglot import exp

from doimages.schema import ColumnType
from doimages.sql import documents, operands, times, vocabulary
from doimages.sql.call import Call
from doimages.sql.kinds import ColumnKind, kind_of
from doimages.sql.template import fill, fill_once, put
from doimages.sql.vocabulary import Function


def _iif(call: Call) -> exp.Expr:
    condition, then, otherwise = call.arguments
    made = exp.Case(ifs=[exp.If(this=condition, true=then)], default=otherwise)
    operands.rewrite(made, call.kind_of, call.text)
    return made


def _ifnull(call: Call) -> exp.Expr:
    first, second = call.arguments
    made = exp.Coalesce(this=first, expressions=[second])
    operands.rewrite(made, call.kind_of, call.text)
    return made


def _total(call: Call) -> exp.Expr:
    """SUM, but 0.0 of no rows: around FILTER and OVER."""
    held = call.arguments[0]
    is_distinct = isinstance(held, exp.Distinct)
    value = held.expressions[0] if is_distinct else held
    whole = call.whole
    place = exp.Placeholder()
    whole.replace(place)
    made = fill("sum(DISTINCT TRY_CAST(X AS DOUBLE))" if is_distinct else "sum(TRY_CAST(X AS DOUBLE))", X=value)
    if whole is call.node:
        whole = made
    else:
        call.node.replace(made)
    place.replace(fill("coalesce(X, CAST(0 AS DOUBLE))", X=whole))
    return made


def _group_concat(call: Call) -> exp.Expr:
    """Have times and lists as text, also where they are ordered by: DISTINCT asks for the same expression there."""
    held = call.arguments[0]
    while isinstance(held, (exp.Distinct, exp.Order)):
        held = held.this if isinstance(held, exp.Order) else held.expressions[0]
    if call.kind_of(held) in {"time", "strings"}:
        same = [ordered.this for ordered in call.node.find_all(exp.Ordered) if ordered.this == held]
        for value in (held, *same):
            operands.make_text(value, call.kind_of)
    _part_separator(call.node)
    return call.node


def _part_separator(node: exp.Expr) -> None:
    """Take the separator out of DISTINCT (x, separator), which sqlglot prints as pairs for DuckDB."""
    first = node.expressions[0]
    distinct = first.this if isinstance(first, exp.Order) else first
    if not isinstance(distinct, exp.Distinct) or len(distinct.expressions) == 1:
        return
    value, separator = distinct.expressions
    distinct.set("expressions", [value])
    if isinstance(first, exp.Order):
        first.set("this", separator)
        node.set("expressions", [distinct, first])
    else:
        node.set("expressions", [distinct, separator])


def _of_text(sql: str) -> Callable[[Call], exp.Expr]:
    """Make a function of text: its arguments are X, Y and Z of the SQL, X as text."""

    def rewrite(call: Call) -> exp.Expr:
        operands.make_text(call.arguments[0], call.kind_of)
        return fill(sql, **dict(zip("XYZ", call.arguments, strict=False)))

    return rewrite


def _regexp_substr(call: Call) -> exp.Expr:
    """Find the first match; DuckDB's would give an empty text where there is none."""
    text, pattern = call.arguments
    operands.make_text(text, call.kind_of)
    text = call.arguments[0]
    return fill_once("CASE WHEN regexp_matches(X, P) THEN regexp_extract(X, P) END", text, P=pattern)


def _regexp_replace(call: Call) -> exp.Expr:
    """Replace all matches; with DuckDB's fourth argument, its options, it is DuckDB's own."""
    has_options = len(call.arguments) > 3  # noqa: PLR2004 - text, pattern, replacement
    return call.node if has_options else _of_text("regexp_replace(X, Y, Z, 'g')")(call)


_REWRITES: Mapping[str, Callable[[Call], exp.Expr]] = {
    "date": times.date,
    "datetime": times.datetime_,
    "time": times.time,
    "julianday": times.julianday,
    "unixepoch": times.unixepoch,
    "strftime": times.strftime,
    "json_extract": documents.json_extract,
    "json_array_length": documents.json_array_length,
    "json_each": documents.json_each,
    "json_type": documents.json_type,
    "json_valid": documents.json_valid,
    "json_group_array": documents.json_group_array,
    "iif": _iif,
    "ifnull": _ifnull,
    "total": _total,
    "group_concat": _group_concat,
    "split_part": _of_text("split_part(X, Y, CAST(Z AS BIGINT))"),
    "regexp_like": _of_text("regexp_matches(X, Y)"),
    "regexp_replace": _regexp_replace,
    "regexp_substr": _regexp_substr,
}
FUNCTIONS: Mapping[str, Function] = {function.name.upper(): function for function in vocabulary.OURS}
OURS = frozenset(FUNCTIONS)
DEEPEST = 12


def to_duckdb(tree: exp.Expr, kind_of_column: ColumnKind, *, text: str = "") -> exp.Expr:
    """Rewrite a tree, in place, so that DuckDB gives what SQLite would; ``text`` is what errors point into.

    Each column is asked for its type once, before anything is moved.
    """
    for column in tree.find_all(exp.Column):
        column.meta["kind"] = kind_of_column(column)

    def kind(node: exp.Expr) -> ColumnType | None:
        return kind_of(node, lambda column: column.meta.get("kind"))

    holder = exp.Paren(this=tree)
    for node in reversed(list(tree.dfs())):
        function = FUNCTIONS.get(node.name.upper()) if isinstance(node, exp.Anonymous) else None
        if function is None:
            operands.rewrite(node, kind, text)
        elif isinstance(node, exp.Anonymous):
            call = Call(node, kind, text)
            if _depth(node) > DEEPEST:
                raise call.error(f"{function.name} stands in more than {DEEPEST} functions of its kind.")
            _call(function, call)
    made: exp.Expr = holder.this.pop()
    return made


def _count(argument: exp.Expr) -> int:
    """Count what one node of arguments holds: DISTINCT has all of them in it."""
    held = argument.this if isinstance(argument, exp.Order) else argument
    return len(held.expressions) if isinstance(held, exp.Distinct) else 1


def _depth(node: exp.Expr) -> int:
    """Count the functions around a call that are rewritten: what some are made into names its argument twice."""
    depth, above = 0, node.parent
    while above is not None:
        depth += isinstance(above, exp.Anonymous) and above.name.upper() in FUNCTIONS
        above = above.parent
    return depth


def _call(function: Function, call: Call) -> None:
    count = sum(map(_count, call.arguments))
    if count < function.least or (function.most is not None and count > function.most):
        raise call.error(f"{function.name} takes other arguments than these {count}.", f"Write {function.signature}.")
    for argument in call.arguments:
        is_of_aggregates = isinstance(argument, (exp.Distinct, exp.Order)) and not function.is_aggregate
        if is_of_aggregates or isinstance(argument, exp.Star):
            raise call.error(f"{function.name} takes none of *, DISTINCT and ORDER BY.", f"Write {function.signature}.")
    made = _REWRITES[function.name](call)
    if made is not call.node and made.parent is None:
        put(made, call.node)
