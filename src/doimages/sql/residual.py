"""DuckDB, in process and locked: what is left of a query once its rows are there. The only file that speaks to it.

It reads no file and no network, sees no variable of Python but the tables it is handed, and no setting can be changed
back. Source of the settings: DuckDB's page "Securing DuckDB", and trials of each.
"""

import os
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache
from itertools import pairwise
from typing import Any, NoReturn

import duckdb
import pyarrow as pa
from sqlglot import exp

from doimages.errors import StatementError, UsageError
from doimages.sql.functions import OURS
from doimages.sql.statements import to_sql
from doimages.sql.wall import check_text

MEMORY = "2GB"
_LOCKED: Mapping[str, Any] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,
    "memory_limit": MEMORY,
}


@cache
def _database() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect(":memory:", config=dict(_LOCKED))
    made.execute("SET GLOBAL TimeZone = 'UTC'")
    made.execute("SET GLOBAL lock_configuration = true")
    return made


if hasattr(os, "register_at_fork"):  # the threads of a database do not come along
    os.register_at_fork(after_in_child=_database.cache_clear)


@cache
def _functions() -> list[str]:
    """Give the names of all functions, for those that are nearly right."""
    rows = _database().cursor().sql("SELECT DISTINCT function_name FROM duckdb_functions()").fetchall()
    return [name for (name,) in rows if name.isidentifier()] + [name.lower() for name in OURS]


class Residual:
    """One query's own room in the database; tables it is handed are seen by nobody else."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._connection = _database().cursor()
        self._tables: set[str] = set()

    def hand_over(self, name: str, rows: pa.Table) -> None:
        """Make rows known under a name, in place of what had it; raises StatementError for a type DuckDB lacks."""
        try:
            self._connection.register(name, rows)
            self._tables.add(name)
        except duckdb.Error as error:
            self._refuse(error)

    def run(self, query: exp.Expr, *, with_rows: bool = True) -> pa.Table:
        """Run a query; columns of one name get numbers. Raises StatementError for what DuckDB refuses."""
        if not isinstance(query, (exp.Query, exp.Values, exp.Pivot)):  # a table it made would be seen in other rooms
            raise StatementError("only queries are run.")
        sql = to_sql(query, "duckdb")
        try:
            check_text(self._connection, sql, self._tables, self._text)
            relation = self._connection.sql(sql)
            # Fetched as a relation: execute() was seen not to end when interrupted.
            return _plain((relation if with_rows else relation.limit(0)).to_arrow_table())
        except duckdb.InterruptException:
            raise StatementError("the query was interrupted.") from None
        except duckdb.Error as error:
            self._refuse(error)
        except OverflowError:
            raise StatementError("the result has a time or interval that is too long.") from None
        except pa.ArrowInvalid:
            hint = "CAST it to DOUBLE or VARCHAR."
            raise StatementError("the result has a whole number of more than 64 bits.", hint=hint) from None

    def interrupt(self) -> None:
        """End a query that runs on another thread."""
        self._connection.interrupt()

    def close(self) -> None:
        """Let go of the tables."""
        self._connection.close()

    def _refuse(self, error: duckdb.Error) -> NoReturn:
        """Say what DuckDB said, about the statement as it was written."""
        text = str(error)
        message = re.sub(r"^[\w ]+ Error: ", "", text.split("\n", 1)[0]).rstrip(".!")
        if isinstance(error, duckdb.OutOfMemoryException):
            raise StatementError(f"the query needs more than {MEMORY} of memory; ask for fewer rows.") from None
        hint = "TRY_CAST gives NULL instead." if isinstance(error, duckdb.ConversionException) else None
        found = re.search(r"Function with name (\w+) does not exist", message)
        if found:
            close = get_close_matches(found[1].lower(), _functions(), n=3)
            hint = f"Did you mean {' or '.join(map(repr, close))}?" if close else None
            message = f"no function {found[1]!r}"
            raise self._at(found[1], StatementError(f"{message}.", hint=hint)) from None
        if message[1:2].islower():
            message = message[0].lower() + message[1:]
        raise self._marked(StatementError(f"{message}.", hint=hint), text) from None

    def _at(self, word: str, error: UsageError) -> UsageError:
        """Point at the first place of a word in the statement."""
        place = re.search(rf"\b{re.escape(word)}\b", self._text, re.IGNORECASE)
        return error.mark(self._text, place.start(), place.end()) if place else error

    def _marked(self, error: UsageError, text: str) -> UsageError:
        """Point at the word DuckDB points at, where it stands in the statement as it was written."""
        lines = text.split("\n")
        for shown, carets in pairwise(lines):
            if shown.startswith("LINE ") and carets.strip().startswith("^"):
                word = re.match(r"\"?(\w+)", shown[carets.index("^") :])
                if word:
                    return self._at(word[1], error)
        return error


def _plain(rows: pa.Table) -> pa.Table:
    """Give each column a type that a frame has, and a name of its own."""
    names: list[str] = []
    for name in rows.column_names:
        number = next(n for n in range(len(names) + 1) if (f"{name}_{n}" if n else name) not in names)
        names.append(f"{name}_{number}" if number else name)
    return pa.table([_typed(rows.column(place)) for place in range(rows.num_columns)], names=names)


def _typed(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_union(values.type) or isinstance(values.type, pa.BaseExtensionType):
        raise StatementError("a column of the result has a type that no frame has.", hint="CAST it to VARCHAR.")
    if pa.types.is_interval(values.type):
        return pa.chunked_array([[_microseconds(value) for value in values.to_pylist()]], pa.duration("us"))
    if pa.types.is_decimal(values.type) and values.type.scale:
        values = values.cast(pa.string())  # Arrow's own way from there to a float is not exact
        return values.cast(pa.float64())
    for is_kind, kind in _KINDS:
        if is_kind(values.type):
            return values.cast(kind)
    return values


def _is_whole(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale == 0))


_KINDS: tuple[tuple[Callable[[pa.DataType], bool], pa.DataType], ...] = (
    (_is_whole, pa.int64()),
    (pa.types.is_floating, pa.float64()),
    (lambda kind: pa.types.is_timestamp(kind) and kind.tz is not None, pa.timestamp("us", "UTC")),
    (pa.types.is_timestamp, pa.timestamp("us")),
    (pa.types.is_date, pa.timestamp("s")),
    (lambda kind: pa.types.is_list(kind) and pa.types.is_string(kind.value_type), pa.list_(pa.string())),
    (lambda kind: pa.types.is_null(kind) or pa.types.is_dictionary(kind), pa.string()),
)


def _microseconds(value: Any) -> int | None:
    """Give an interval's length; a month is 30 days, as where DuckDB compares them."""
    if value is None:
        return None
    return int((value.months * 30 + value.days) * 86_400_000_000 + value.nanoseconds // 1000)
