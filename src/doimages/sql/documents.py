"""SQLite's functions of JSON, as DuckDB's SQL; a list column is the JSON it came as."""

from sqlglot import exp

from doimages.schema import ColumnType
from doimages.sql.call import Call
from doimages.sql.template import fill, fill_once

# What json_each(...) has as columns in FROM. The key of an object's member is text, of a list's item its number.
JSON_EACH: dict[str, ColumnType | None] = {
    "key": None,
    "value": "string",
    "type": "string",
    "atom": "string",
    "fullkey": "string",
    "path": "string",
}

# true and false are 1 and 0 in SQLite.
_SCALAR = "CASE X -> P WHEN 'true' THEN '1' WHEN 'false' THEN '0' ELSE X ->> P END"
_TYPE = (
    "CASE json_type(X, P) WHEN 'ARRAY' THEN 'array' WHEN 'OBJECT' THEN 'object' WHEN 'VARCHAR' THEN 'text' "
    "WHEN 'DOUBLE' THEN 'real' WHEN 'NULL' THEN 'null' WHEN 'BOOLEAN' THEN X ->> P "
    "WHEN 'BIGINT' THEN 'integer' WHEN 'UBIGINT' THEN 'integer' WHEN 'HUGEINT' THEN 'integer' END"
)
_ITEMS_OF_LIST = (
    "SELECT key, value, CASE WHEN value IS NULL THEN 'null' ELSE 'text' END AS type, value AS atom, "
    "'$[' || key || ']' AS fullkey, '$' AS path "
    "FROM (SELECT unnest(range(len(X))) AS key, unnest(X) AS value)"
)
_ITEMS_OF_JSON = (
    "SELECT key, "
    "CASE type WHEN 'BOOLEAN' THEN CAST(CAST(value = 'true' AS INTEGER) AS VARCHAR) ELSE value ->> '$' END AS value, "
    "CASE type WHEN 'ARRAY' THEN 'array' WHEN 'OBJECT' THEN 'object' WHEN 'VARCHAR' THEN 'text' "
    "WHEN 'DOUBLE' THEN 'real' WHEN 'NULL' THEN 'null' WHEN 'BOOLEAN' THEN value ->> '$' ELSE 'integer' END AS type, "
    "CASE type WHEN 'BOOLEAN' THEN CAST(CAST(value = 'true' AS INTEGER) AS VARCHAR) ELSE atom ->> '$' END AS atom, "
    "fullkey, path FROM json_each(X, P)"
)


def as_json(node: exp.Expr, kind: ColumnType | None) -> exp.Expr:
    """Make a list column JSON; anything else is taken for JSON already."""
    return fill("to_json(X)", X=node) if kind == "strings" else node


def _document(call: Call) -> exp.Expr:
    first = call.arguments[0]
    return as_json(first, call.kind_of(first))


def _path(call: Call) -> exp.Expr:
    return call.arguments[1] if len(call.arguments) > 1 else exp.Literal.string("$")


def json_extract(call: Call) -> exp.Expr:
    """Give the text of a scalar, the JSON of a list or object; of several paths a list."""
    document, *paths = [_document(call), *call.arguments[1:]]
    if len(paths) == 1:
        return fill_once(_SCALAR, document, P=paths[0])
    names = [f"P{place}" for place in range(len(paths))]
    parts = ", ".join(f"(X -> {name})" for name in names)
    return fill_once(
        f"CASE WHEN X IS NOT NULL THEN CAST(json_array({parts}) AS VARCHAR) END",
        document,
        **dict(zip(names, paths, strict=True)),
    )


def json_array_length(call: Call) -> exp.Expr:
    """Count the items; 0 for what is no list."""
    return fill("CAST(json_array_length(X, P) AS BIGINT)", X=_document(call), P=_path(call))


def json_type(call: Call) -> exp.Expr:
    """Give the type, in SQLite's words."""
    return fill_once(_TYPE, _document(call), P=_path(call))


def json_valid(call: Call) -> exp.Expr:
    """Tell whether a text is JSON."""
    return fill("json_valid(X)", X=_document(call))


def json_group_array(call: Call) -> exp.Expr:
    """Make the values of a group a JSON list, as text; without rows an empty one."""
    whole = call.whole
    place = exp.Placeholder()
    whole.replace(place)
    place.replace(fill("coalesce(CAST(X AS VARCHAR), '[]')", X=whole))
    return call.node


def json_each(call: Call) -> exp.Expr:
    """Make the items a table in FROM."""
    table = call.node.parent
    if not isinstance(table, exp.Table):
        raise call.error("json_each is a table.", "Write FROM images i, json_each(i.tags) t.")
    alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier("json_each"))
    first, path = call.arguments[0], _path(call)
    if call.kind_of(first) == "strings" and path == exp.Literal.string("$"):
        # In the order of the list, which json_each beside a table does not keep.
        select = fill(_ITEMS_OF_LIST, X=first)
    else:
        select = fill(_ITEMS_OF_JSON, X=_document(call), P=path)
    table.replace(exp.Subquery(this=select, alias=alias))
    return call.node
