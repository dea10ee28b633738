"""What type an expression has, as far as it can be told before it is run."""

from collections.abc import Callable, Iterable, Mapping

from sqlglot import exp

from doimages.schema import ColumnType

ColumnKind = Callable[[exp.Column], ColumnType | None]

_DATA_TYPES: Mapping[str, ColumnType] = {
    **dict.fromkeys(
        ("TINYINT", "SMALLINT", "INT", "BIGINT", "INT128", "UTINYINT", "USMALLINT", "UINT", "UBIGINT"), "integer"
    ),
    **dict.fromkeys(("FLOAT", "DOUBLE", "DECIMAL"), "number"),
    **dict.fromkeys(("TEXT", "VARCHAR", "CHAR", "NVARCHAR", "NCHAR"), "string"),
    "BOOLEAN": "boolean",
    **dict.fromkeys(("DATE", "TIMESTAMP", "TIMESTAMPNTZ", "TIMESTAMPTZ", "TIMESTAMPLTZ"), "time"),
}

# Functions that sqlglot has no node for: ours, before they are rewritten, and DuckDB's.
_NAMED: Mapping[str, ColumnType] = {
    **dict.fromkeys(("DATE", "DATETIME", "TIME", "STRFTIME"), "string"),
    **dict.fromkeys(("SPLIT_PART", "REGEXP_REPLACE", "REGEXP_SUBSTR", "GROUP_CONCAT"), "string"),
    **dict.fromkeys(("JSON_EXTRACT", "JSON_TYPE", "JSON_GROUP_ARRAY"), "string"),
    **dict.fromkeys(("REGEXP_LIKE", "JSON_VALID"), "boolean"),
    **dict.fromkeys(("UNIXEPOCH", "JSON_ARRAY_LENGTH"), "integer"),
    **dict.fromkeys(("JULIANDAY", "TOTAL"), "number"),
    **dict.fromkeys(("NOW", "TODAY"), "time"),
}

# Nodes that are of the type of what they hold.
_AS_HELD = (
    exp.Paren,
    exp.Alias,
    exp.Neg,
    exp.Window,
    exp.Filter,
    exp.Order,
    exp.Ordered,
    exp.Max,
    exp.Min,
    exp.ArgMax,
    exp.ArgMin,
    exp.First,
    exp.Last,
    exp.AnyValue,
    exp.FirstValue,
    exp.LastValue,
    exp.NthValue,
    exp.Lag,
    exp.Lead,
    exp.Abs,
    exp.Nullif,
)
_NODES: tuple[tuple[tuple[type[exp.Expr], ...], ColumnType], ...] = (
    (
        (exp.Predicate, exp.Connector, exp.Not, exp.Boolean, exp.RegexpLike, exp.RegexpFullMatch, exp.ArrayContains),
        "boolean",
    ),
    ((exp.StartsWith, exp.EndsWith, exp.Contains), "boolean"),
    (
        (exp.JSONExtractScalar, exp.TimeToStr, exp.DPipe, exp.Concat, exp.ConcatWs, exp.GroupConcat, exp.SplitPart),
        "string",
    ),
    ((exp.Lower, exp.Upper, exp.Substring, exp.Replace, exp.Trim, exp.Left, exp.Right, exp.Reverse, exp.Chr), "string"),
    ((exp.RegexpExtract, exp.RegexpReplace, exp.Typeof, exp.Hex), "string"),
    ((exp.CurrentTimestamp, exp.CurrentDate, exp.TimestampTrunc, exp.DateTrunc), "time"),
    ((exp.Count, exp.CountIf, exp.Length, exp.StrPosition, exp.Unicode, exp.ArraySize, exp.ApproxDistinct), "integer"),
    ((exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile), "integer"),
    ((exp.Extract, exp.Year, exp.Month, exp.Day, exp.DayOfWeek, exp.DateDiff), "integer"),
    ((exp.Avg, exp.Median, exp.Stddev, exp.Variance, exp.Round, exp.Div, exp.PercentileCont, exp.Rand), "number"),
)


def kind_of(node: exp.Expr | None, kind_of_column: ColumnKind) -> ColumnType | None:
    """Tell the type of an expression; None where only DuckDB will know."""
    if isinstance(node, exp.Column):
        return kind_of_column(node)
    if isinstance(node, (*_AS_HELD, exp.Distinct, exp.Subquery)):
        return kind_of(_held(node), kind_of_column)
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul, exp.Mod, exp.Sum)):
        return _of_sum(node, kind_of_column)
    found = [] if node is None else branches(node)
    if found:
        return common_kind(kind_of(branch, kind_of_column) for branch in found if not isinstance(branch, exp.Null))
    return _own(node)


def _held(node: exp.Expr) -> exp.Expr | None:
    """Find what gives a node its type."""
    if isinstance(node, exp.Distinct):
        return node.expressions[0] if node.expressions else None
    if isinstance(node, exp.Subquery):
        selects = node.this.selects if isinstance(node.this, exp.Query) else []
        return selects[0] if len(selects) == 1 else None
    held: exp.Expr | None = node.this
    return held


def _own(node: exp.Expr | None) -> ColumnType | None:
    """Tell the type that a node has whatever it holds."""
    if isinstance(node, exp.Literal):
        return "string" if node.is_string else "integer" if node.is_int else "number"
    if isinstance(node, exp.Cast):
        return _DATA_TYPES.get(node.to.this.name) if isinstance(node.to.this, exp.DType) else None
    if isinstance(node, exp.Anonymous):
        return _NAMED.get(node.name.upper())
    return next((kind for kinds, kind in _NODES if isinstance(node, kinds)), None)


def branches(node: exp.Expr) -> list[exp.Expr]:
    """List the values an expression chooses among: CASE, COALESCE, GREATEST and their like."""
    if isinstance(node, exp.Case):
        found = [branch.args.get("true") for branch in node.args.get("ifs", ())] + [node.args.get("default")]
    elif isinstance(node, exp.If):
        found = [node.args.get("true"), node.args.get("false")]
    elif isinstance(node, (exp.Coalesce, exp.Greatest, exp.Least)):
        found = [node.this, *node.expressions]
    elif isinstance(node, exp.Anonymous) and node.name.upper() in {"IIF", "IFNULL"}:
        found = node.expressions[-2:]
    else:
        found = []
    return [branch for branch in found if branch is not None]


def common_kind(kinds: Iterable[ColumnType | None]) -> ColumnType | None:
    """Tell the type that values of these types have together."""
    found = set(kinds)
    if found == {"integer", "number"}:
        return "number"
    return found.pop() if len(found) == 1 else None


def _of_sum(node: exp.Expr, kind_of_column: ColumnKind) -> ColumnType | None:
    """Tell the type of a sum: a time and an interval are a time, two times are neither."""
    sides = (node.this, node.args.get("expression"))
    found = [kind_of(side, kind_of_column) for side in sides if side is not None]
    if "time" in found:
        return "time" if any(isinstance(side, exp.Interval) for side in sides) else None
    return common_kind(found) if set(found) <= {"integer", "number"} else None


def is_date(node: exp.Expr) -> bool:
    """Whether an expression of type time is a day without hours."""
    held = node.unnest()
    return isinstance(held, exp.CurrentDate) or (isinstance(held, exp.Cast) and held.is_type("date"))
