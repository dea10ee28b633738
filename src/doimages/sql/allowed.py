"""What a query may call: no table function but a few, and no function that looks around in DuckDB or waits."""

from difflib import get_close_matches

from sqlglot import exp

from doimages.errors import did_you_mean
from doimages.sql.place import place_of

TABLE_FUNCTIONS = ("json_each", "json_tree", "unnest", "range", "generate_series")
# The engine is locked without this; here are the ones that would still tell of it, keep state, or hang.
_DENIED = frozenset(
    (
        *("current_setting", "getvariable", "current_query", "parse_duckdb_log_message", "write_log"),
        *("sleep_ms", "pg_sleep", "setseed", "nextval", "currval", "setval"),
        *("json_serialize_sql", "json_deserialize_sql", "json_execute_serialized_sql"),
    )
)


def check_calls(tree: exp.Expr, text: str) -> None:
    """Refuse what may not be called; raises StatementError that points at it."""
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            name = _name(table.this)
            if name not in TABLE_FUNCTIONS:
                close = get_close_matches(name, TABLE_FUNCTIONS)
                message = f"no table function {name!r} here.{did_you_mean(close, TABLE_FUNCTIONS)}"
                raise place_of(table, text).error(message)
    for call in tree.find_all(exp.Func):
        if _name(call) in _DENIED:
            message = f"{_name(call)} is not there: SQL here sees rows, and nothing else."
            raise place_of(call, text).error(message)


def _name(call: exp.Expr) -> str:
    if isinstance(call, exp.Func) and not isinstance(call, exp.Anonymous):
        return str(call.sql_name()).lower()
    return str(call.name).lower()
