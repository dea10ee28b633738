"""Operators and DuckDB's functions over operands of other types: as SQLite would have it, or an error."""

from collections.abc import Callable

from sqlglot import exp

from doimages.schema import ColumnType
from doimages.sql.documents import as_json
from doimages.sql.kinds import branches, is_date
from doimages.sql.patterns import glob_to_regex, like_to_regex
from doimages.sql.place import place_of
from doimages.sql.template import fill, fill_once, put
from doimages.sql.times import read_time

KindOf = Callable[[exp.Expr], ColumnType | None]

_COMPARED = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_MATCHED = (exp.Like, exp.ILike, exp.RegexpLike, exp.RegexpFullMatch, exp.SimilarTo, exp.Glob)
_OF_TEXT = (
    *(exp.Lower, exp.Upper, exp.Length, exp.Substring, exp.Replace, exp.Trim, exp.StrPosition, exp.Left, exp.Right),
    *(exp.Reverse, exp.StartsWith, exp.EndsWith, exp.Contains, exp.RegexpExtract, exp.Unicode),
)
_OF_NUMBERS = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Sum, exp.Avg, exp.Abs, exp.Round)
_NUMERIC = frozenset({"integer", "number"})
# In SQLite a text that is no number is above every number.
_AS_NUMBER = "CASE WHEN X IS NOT NULL THEN coalesce(TRY_CAST(X AS DOUBLE), CAST('infinity' AS DOUBLE)) END"


def make_text(node: exp.Expr, kind_of: KindOf) -> None:
    """Make an operand text: a time as the API writes it, a list as JSON."""
    kind = kind_of(node)
    if kind == "time":
        format_ = "'%Y-%m-%d'" if is_date(node) else "'%Y-%m-%dT%H:%M:%SZ'"
        _swap(node, lambda held: fill(f"strftime(CAST(X AS TIMESTAMP), {format_})", X=held))
    elif kind == "strings":
        _swap(node, lambda held: fill("CAST(to_json(X) AS VARCHAR)", X=held))
    elif kind in {"integer", "number", "boolean"}:
        _swap(node, lambda held: fill("CAST(X AS VARCHAR)", X=held))


def _swap(node: exp.Expr, make: Callable[[exp.Expr], exp.Expr]) -> None:
    """Put something around a node, in its place."""
    place = exp.Placeholder()
    node.replace(place)
    place.replace(make(node))


def _is_text(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and bool(node.is_string)


def _operands(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Between):
        return [node.this, node.args["low"], node.args["high"]]
    if isinstance(node, exp.In):
        return [node.this, *node.expressions]
    return [node.this, node.expression]


def _compare(node: exp.Expr, kind_of: KindOf, text: str) -> None:
    """Compare a time as a time, and a number as a number, with text."""
    operands = _operands(node)
    kinds = [kind_of(operand) for operand in operands]
    for operand, kind in zip(operands, kinds, strict=True):
        if kind != "string":
            continue
        if "time" in kinds:
            if not _is_text(operand):
                _swap(operand, lambda held: fill("CAST(X AS TIMESTAMPTZ)", X=held))
            elif read_time(operand.name) is None:
                hint = f"Write 'YYYY-MM-DD' or 'YYYY-MM-DDTHH:MM:SSZ'; or match its text: LIKE '{operand.name}%'."
                raise place_of(operand, text).error(f"{operand.name!r} is no time.", hint)
        elif not _is_text(operand) and any(kind in _NUMERIC for kind in kinds):
            _swap(operand, lambda held: fill_once(_AS_NUMBER, held))


def _to_number(node: exp.Expr) -> None:
    _swap(node, lambda held: fill("TRY_CAST(X AS DOUBLE)", X=held))


def _match(node: exp.Expr, kind_of: KindOf, _text: str) -> None:
    """LIKE ignores case; what is matched, and with what, is text."""
    make_text(node.this, kind_of)
    if not isinstance(node.expression, (exp.Any, exp.All)):
        make_text(node.expression, kind_of)
    if isinstance(node, exp.Like):
        node.replace(exp.ILike(**node.args))
    elif isinstance(node, exp.Glob) and _is_text(node.expression):
        pattern = exp.Literal.string(glob_to_regex(node.expression.name))
        put(fill("regexp_full_match(X, P)", X=node.this, P=pattern), node)


def _escape(node: exp.Expr, _kind_of: KindOf, text: str) -> None:
    """LIKE with an escape, which is one letter."""
    like, escape = node.this, node.expression
    if not (isinstance(like, exp.ILike) and _is_text(like.expression) and _is_text(escape)):
        return
    if len(escape.name) != 1:
        raise place_of(escape, text).error("an escape is one letter.")
    pattern = exp.Literal.string(like_to_regex(like.expression.name, escape.name))
    made = fill("regexp_full_match(X, P)", X=like.this, P=pattern)
    put(exp.Not(this=made) if like.args.get("negate") else made, node)


def _read(node: exp.Expr, kind_of: KindOf, _text: str) -> None:
    """Have a function of text read text; the length of a list is DuckDB's own: how many items it has."""
    if not (isinstance(node, exp.Length) and kind_of(node.this) == "strings"):
        make_text(node.this, kind_of)


def _concat(node: exp.Expr, kind_of: KindOf, _text: str) -> None:
    for part in node.expressions:
        if kind_of(part) == "time":
            make_text(part, kind_of)


def _cast(node: exp.Expr, kind_of: KindOf, _text: str) -> None:
    if kind_of(node) == "string" and kind_of(node.this) == "time":
        make_text(node.this, kind_of)


def _look_up(node: exp.Expr, kind_of: KindOf, _text: str) -> None:
    """Let -> and ->> look into a list column."""
    if kind_of(node.this) == "strings":
        _swap(node.this, lambda held: as_json(held, "strings"))


def _char(node: exp.Expr, _kind_of: KindOf, _text: str) -> None:
    """char(72, 105) is one text."""
    if len(node.expressions) > 1:
        put(exp.Concat(expressions=[exp.Chr(expressions=[code]) for code in node.expressions], safe=True), node)


def _join(node: exp.Expr, kind_of: KindOf, _text: str) -> None:
    sides = (node.this, node.expression)
    kinds = [kind_of(side) for side in sides]
    for side, kind in zip(sides, kinds, strict=True):
        if kind == "time" or (kind == "strings" and "string" in kinds):
            make_text(side, kind_of)


def _calculate(node: exp.Expr, kind_of: KindOf, _text: str) -> None:
    """Calculate with text as with the number it is; beside a time or an interval it is DuckDB's matter."""
    sides = [side for side in (node.this, node.args.get("expression")) if side is not None]
    if any(isinstance(side, exp.Interval) or kind_of(side) == "time" for side in sides):
        return
    for side in sides:
        held = side.expressions[0] if isinstance(side, exp.Distinct) and side.expressions else side
        if kind_of(held) == "string":
            _to_number(held)


def _mix(node: exp.Expr, kind_of: KindOf, _text: str) -> None:
    """Make all the values that CASE or COALESCE chooses among text if some are; in SQLite they may differ."""
    found = [branch for branch in branches(node) if not isinstance(branch, exp.Null)]
    kinds = [kind_of(branch) for branch in found]
    if None in kinds or "string" not in kinds or len(set(kinds)) == 1:
        return
    others = set(kinds) - {"string"}
    texts = [branch for branch, kind in zip(found, kinds, strict=True) if kind == "string"]
    if all(_is_text(branch) and _reads_as(branch.name, others) for branch in texts):
        return
    for branch in found:
        make_text(branch, kind_of)


def _reads_as(text: str, kinds: set[ColumnType | None]) -> bool:
    if kinds == {"time"}:
        return read_time(text) is not None
    return kinds <= _NUMERIC and text.removeprefix("-").isdecimal()


_RULES: tuple[tuple[tuple[type[exp.Expr], ...], Callable[[exp.Expr, KindOf, str], None]], ...] = (
    ((*_COMPARED, exp.Between, exp.In), _compare),
    (_MATCHED, _match),
    ((exp.Escape,), _escape),
    (_OF_TEXT, _read),
    ((exp.DPipe,), _join),
    ((exp.Concat, exp.ConcatWs), _concat),
    (_OF_NUMBERS, _calculate),
    ((exp.JSONExtract, exp.JSONExtractScalar), _look_up),
    ((exp.Cast,), _cast),
    ((exp.Chr,), _char),
    ((exp.Case, exp.Coalesce, exp.Greatest, exp.Least), _mix),
)


def rewrite(node: exp.Expr, kind_of: KindOf, text: str) -> None:
    """Rewrite what one node holds, and the node itself where its own meaning differs."""
    for kinds, rule in _RULES:
        if isinstance(node, kinds):
            rule(node, kind_of, text)
            return
