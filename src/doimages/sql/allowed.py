"""What a query may call: no table function but a few, and no function that looks around in DuckDB or waits."""

from difflib import get_close_matches

from sqlglot import exp

from doimages.errors import StatementError, did_you_mean
from doimages.sql.place import place_of

MOST_TABLES = 100
TABLE_FUNCTIONS = ("json_each", "json_tree", "unnest", "range", "generate_series")
# The engine is locked without this; here are the ones that would still tell of it, keep state, or hang.
DENIED = frozenset(
    (
        *("current_setting", "getvariable", "current_query", "parse_duckdb_log_message", "write_log"),
        *("sleep_ms", "pg_sleep", "setseed", "nextval", "currval", "setval"),
        *("json_serialize_sql", "json_serialize_plan", "json_deserialize_sql", "json_execute_serialized_sql"),
    )
)


def check_calls(tree: exp.Expr, text: str) -> None:
    """Refuse what may not be called; raises StatementError that points at it."""
    for table in tree.find_all(exp.Table, exp.Lateral):
        if not isinstance(table.this, (exp.Identifier, exp.Subquery, exp.Unnest)):
            name = _name(table.this)
            if name not in TABLE_FUNCTIONS:
                close = get_close_matches(name, TABLE_FUNCTIONS)
                message = f"no table function {name!r} here.{did_you_mean(close, TABLE_FUNCTIONS)}"
                raise place_of(table, text).error(message)
    for call in tree.find_all(exp.Func):
        if _name(call) in DENIED:
            message = f"{_name(call)} is not there: SQL here sees rows, and nothing else."
            raise place_of(call, text).error(message)


def _name(call: exp.Expr | None) -> str:
    if isinstance(call, exp.Func) and not isinstance(call, exp.Anonymous):
        return str(call.sql_name()).lower()
    return "" if call is None else str(call.name).lower()


def check_size(tree: exp.Expr) -> None:
    """Refuse a query of so many tables that their order alone would keep DuckDB busy."""
    count = sum(1 for _ in tree.find_all(exp.Table))
    if count > MOST_TABLES:
        raise StatementError(f"the query reads from {count} tables, views unfolded; {MOST_TABLES} are the most.")
