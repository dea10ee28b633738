"""The last look at a residual: what DuckDB itself reads in the text it is about to run.

A tree can be printed as something else than it says, through a quoted name where SQL wants a word. So the text is read
again, by the one who runs it: one query, its tables those it was handed, its functions those that are allowed.
"""

import json
from collections.abc import Collection, Iterator
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from doimages.errors import StatementError
from doimages.sql.allowed import DENIED, TABLE_FUNCTIONS, check_calls


def check_text(connection: duckdb.DuckDBPyConnection, sql: str, tables: Collection[str], text: str) -> None:
    """Refuse a text that is more than one query over some tables; raises StatementError, and runs nothing of it."""
    kinds = [statement.type for statement in connection.extract_statements(sql)]
    if kinds == [duckdb.StatementType.MULTI]:  # PIVOT; DuckDB cannot write it as JSON
        trees = sqlglot.parse(sql, dialect="duckdb")
        if len(trees) == 1 and isinstance(trees[0], exp.Pivot):
            check_calls(trees[0], text)
            return
    if kinds != [duckdb.StatementType.SELECT]:
        raise StatementError("only queries are run, one at a time.")
    ((written,),) = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()
    known = {name.lower() for name in tables}
    nodes = list(_nodes(json.loads(written)))
    known |= {str(node["key"]).lower() for node in nodes if "key" in node and "value" in node}  # CTEs
    for node in nodes:
        name = str(node.get("function_name", node.get("table_name", ""))).lower()
        is_function = node.get("type") == "TABLE_FUNCTION"
        if is_function and str(node["function"].get("function_name", "")).lower() not in TABLE_FUNCTIONS:
            raise StatementError("this table function is not there.", hint=f"Known: {', '.join(TABLE_FUNCTIONS)}.")
        is_foreign = name not in known or node.get("schema_name") or node.get("catalog_name")
        if (node.get("type") == "BASE_TABLE" and is_foreign) or ("function_name" in node and name in DENIED):
            raise StatementError(f"{name} is not there: SQL here sees rows, and nothing else.")


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Give all objects of a JSON value, without recursing: a query may be deep."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
