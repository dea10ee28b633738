"""The reference page of SQL: grammar, tables and functions from the code, requests and errors by asking it."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from layout import NOTE, code, table

from doimages.errors import UsageError
from doimages.execute import prepare_steps
from doimages.resources import RESOURCES, Parameter, Resource
from doimages.sql.allowed import MOST_TABLES, TABLE_FUNCTIONS
from doimages.sql.functions import FUNCTIONS
from doimages.sql.parse import MOST_STATEMENTS, MOST_WORDS
from doimages.sql.residual import MEMORY
from doimages.sql.vocabulary import KNOWN
from doimages.steps import Step, describe
from doimages.table.frame import default_dtype

HERE = Path(__file__).parent

# What to write for each statement, and what it gives. The contract tests hold that every word of the language is named.
GRAMMAR = """\
[WITH [RECURSIVE] name AS (query), ...]
SELECT [DISTINCT] expression [AS name], ... | * [EXCLUDE (column, ...)]
FROM table [[AS] name]
  [[INNER | CROSS | NATURAL | SEMI | ANTI] JOIN table [[AS] name]
    [ON predicate | USING (column, ...)]]
  [LEFT | RIGHT | FULL [OUTER] JOIN table [[AS] name] ON predicate | USING (column, ...)]
  [, json_each(column [, path]) name]
WHERE predicate
GROUP BY expression, ... | ALL
HAVING predicate
QUALIFY predicate over windows
ORDER BY expression [ASC | DESC] [NULLS FIRST | NULLS LAST], ...
LIMIT n [OFFSET m] | LIMIT m, n
[UNION | EXCEPT | INTERSECT] [ALL] query

predicate   = <> < <= > >=   [NOT] IN (...)   [NOT] BETWEEN a AND b
            [NOT] LIKE | ILIKE | REGEXP pattern   IS [NOT] NULL | TRUE | FALSE
            = ANY (...)   EXISTS (query)   AND   OR   NOT
expression  CASE WHEN predicate THEN a ELSE b END   IF(predicate, a, b)
            CAST(a AS type)   a::type   INTERVAL 30 DAY
            list[1]   json -> path   json ->> path
            function(...) [FILTER (WHERE predicate)]
window      function(...) OVER ([PARTITION BY ...] [ORDER BY ...] [frame])
frame       ROWS | RANGE BETWEEN UNBOUNDED PRECEDING | n PRECEDING | CURRENT ROW
            AND CURRENT ROW | n FOLLOWING | UNBOUNDED FOLLOWING
"""
STATEMENTS = (
    ("SELECT, WITH, FROM, VALUES", "a query, as above; FROM may come first", "its rows"),
    ("PIVOT, UNPIVOT", "`PIVOT images ON type USING count(*) GROUP BY status`", "its rows"),
    (
        "SHOW",
        "`SHOW [EXTENDED] PROVIDERS`, `SERVICES [IN provider]`, `RESOURCES [IN provider.service]`, `METHODS IN table`",
        "a row each",
    ),
    (
        "",
        "`SHOW TABLES`, `VIEWS`, `AUTH`, `VERSION`; any SHOW takes `LIKE 'pattern'` or `WHERE predicate`",
        "a row each",
    ),
    ("SHOW INSERT", "`SHOW INSERT [/*+ REQUIRED */] INTO table`", "an INSERT with `:name` for each value"),
    ("DESCRIBE, DESC", "`DESCRIBE [EXTENDED] table`", "a row a column"),
    ("", "`DESCRIBE METHOD [EXTENDED] table.method`", "a row for what it takes, and for what it gives"),
    ("EXPLAIN", "`EXPLAIN statement`; before a name it is DESCRIBE", "what would be sent and done, a row a step"),
    ("CREATE, DROP", "`CREATE [OR REPLACE] VIEW name AS query`, `DROP VIEW name`", "a message"),
    (
        "INSERT",
        "`INSERT [/*+ AWAIT */] INTO table (field, ...) VALUES (...), ... | query [RETURNING expression, ... | *]`",
        "a [plan](#plans)",
    ),
    (
        "UPDATE, REPLACE",
        "`UPDATE table SET field = expression, ... WHERE predicate [RETURNING ...]`; REPLACE is the same",
        "a plan",
    ),
    ("DELETE", "`DELETE FROM table WHERE predicate [RETURNING ...]`", "a plan"),
    (
        "EXEC, EXECUTE",
        "`EXEC [/*+ SHOWRESULTS, AWAIT */] table.method @name = value, ... [@@json = '{...}']`",
        "of a method that reads, a message, or with SHOWRESULTS the reply as it is, in one row; of another, a plan",
    ),
    ("REGISTRY, AUTH, USE, SLEEP, PURGE", "as in StackQL", "a message: nothing is done, for nothing need be"),
)
# Statements whose requests and residual are shown as the code has them.
PUSHED = (
    "SELECT id, name FROM images",
    "SELECT id FROM images WHERE private = true AND tag_name = 'prod'",
    "SELECT id FROM images WHERE tag_name IN ('prod', 'web')",
    "SELECT id FROM images WHERE type = 'distribution'",
    "SELECT id FROM images WHERE type = 'snapshot' AND size_gigabytes > 20",
    "SELECT id FROM images WHERE type <> 'base' AND name LIKE 'web%'",
    "SELECT id FROM images LIMIT 5",
    "SELECT id FROM images ORDER BY created_at LIMIT 5",
    "SELECT count(*) AS n FROM images WHERE private = true",
    "SELECT id FROM images WHERE page = 2 AND per_page = 50",
    "SELECT name FROM images WHERE image_id = 'debian-12-x64'",
    "SELECT name FROM images WHERE id IN (200003551, 112006329)",
    "SELECT name FROM images WHERE id = 200003551 AND private = true",
    "SELECT status FROM actions WHERE image_id = 200003551",
    "SELECT i.name, a.type FROM images i JOIN actions a ON a.image_id = i.id WHERE i.type = 'custom'",
    "SELECT n FROM (SELECT count(*) AS n FROM images UNION SELECT max(id) FROM images)",
)
# Statements that change images: what finds the rows, and what is sent for each.
PLANNED = (
    "DELETE FROM images WHERE image_id = 200003551",
    "DELETE FROM images WHERE type = 'snapshot' AND created_at < now() - INTERVAL 90 DAY",
    "UPDATE images SET name = 'x-' || name WHERE type = 'custom'",
    "INSERT INTO images (name, region, url) VALUES ('base', 'nyc3', 'https://example.com/base.qcow2')",
    "INSERT INTO actions (image_id, type, region) SELECT id, 'transfer', 'lon1' FROM images WHERE tag_name = 'prod'",
    "EXEC images.convert @image_id = 200004034",
)
TYPED = (
    "id",
    "name, min_disk_size, size_gigabytes, public, created_at, tags",
    "count(*)",
    "sum(min_disk_size), avg(size_gigabytes)",
    "max(created_at), date_trunc('month', max(created_at))",
    "CAST(max(created_at) AS DATE)",
    "max(created_at) - min(created_at)",
    "date(max(created_at)), strftime('%Y', max(created_at))",
    "list(DISTINCT type)",
    "bool_or(public), count(*) > 5",
    "json_array_length(any_value(regions))",
    "json_extract(any_value(regions), '$[0]')",
    "5 / 2, 5 // 2, 1.5",
    "NULL",
)
WRONG = (
    "SELECT nmae FROM images",
    "SELECT id FROM digitalocean.images.image",
    "SELECT id\nFROM images\nWHERE tag_name = 'prod' OR private = true",
    "SELECT id FROM images WHERE id = 'debian-12-x64'",
    "SELECT id FROM images WHERE created_at > 'yesterday'",
    "SELECT lenght(name) FROM images",
    "SELECT name FROM images WHERE name = :name",
)
REFUSED = (
    ("files, the network, extensions", "SELECT * FROM read_csv('images.csv')"),
    ("", "COPY images TO 'images.csv'"),
    ("settings", "SET memory_limit = '1GB'"),
    ("", "SELECT current_setting('threads')"),
    ("tables of one's own", "CREATE TABLE old AS SELECT 1"),
    ("transactions", "BEGIN"),
    ("the notebook's variables", "SELECT * FROM os"),
    ("a parameter where a request cannot say it", "SELECT id FROM images WHERE NOT private = true"),
    ("a field that nobody knows", "EXEC images.update @image_id = 1, @nmae = 'x'"),
    ("all images at once", "DELETE FROM images"),
)


def prepare(statement: str) -> Step:
    """Check a statement, as every read does first; nothing is sent."""
    return prepare_steps(statement, {}.__getitem__, {}.get)[0]


def refusal(statement: str) -> UsageError:
    """Give the error of a statement that is wrong."""
    try:
        prepare(statement)
    except UsageError as error:
        return error
    raise AssertionError(statement)


def tables() -> Iterator[tuple[str, ...]]:
    for one in RESOURCES:
        yield ", ".join(map(code, one.paths)), one.description, one.table.key


def methods() -> str:
    head = ("method", "verb", "request", "what it does")

    def lines(one: Resource) -> Iterator[tuple[str, ...]]:
        for method in one.methods:
            yield ", ".join(map(code, method.names)), method.verb, f"`{method.http} {method.path}`", method.description

    return "\n".join(f"Of `{one.table.name}`:\n\n{table(head, lines(one))}" for one in RESOURCES)


def parameters() -> Iterator[tuple[str, ...]]:
    """List what WHERE may ask a request for, once each, with the tables it is for."""
    found: dict[str, tuple[Parameter, list[str]]] = {}
    for resource in RESOURCES:
        for method in resource.methods:
            for one in method.parameters if method.verb == "SELECT" else ():
                whose = found.setdefault(one.name, (one, []))[1]
                whose += [resource.table.name] if resource.table.name not in whose else []
    for name, (one, whose) in found.items():
        yield code(name), ", ".join(whose), one.type, one.description


def fields() -> Iterator[tuple[str, ...]]:
    for resource in RESOURCES:
        for method in resource.methods:
            for one in method.parameters:
                if one.in_body:
                    names = f"{code(one.name)}, {code(one.stackql_name)}"
                    yield (
                        code(f"{resource.table.name}.{method.name}"),
                        names,
                        "yes" if one.required else "",
                        one.description,
                    )


def columns() -> Iterator[tuple[str, ...]]:
    for resource in RESOURCES:
        aliases = {real: name for name, real in resource.aliases}
        for column in resource.table.columns:
            also = code(aliases[column.name]) if column.name in aliases else ""
            yield resource.table.name, code(column.name), also, code(default_dtype(column)), column.description


def pushed() -> Iterator[tuple[str, ...]]:
    for statement in PUSHED:
        lines = prepare(statement).explain()
        sent = [code(text) for name, text in lines if name.startswith("requests of") and "side by side" not in text]
        fed = [f"for each id of {code(text)}" for name, text in lines if name.startswith("an id each")]
        residual = next(text for name, text in lines if name.startswith("residual"))
        yield code(statement), "<br>".join([*sent, *fed, f"then {code(residual)}"])


def planned() -> Iterator[tuple[str, ...]]:
    for statement in PLANNED:
        lines = prepare(statement).explain()
        reads = [code(text) for name, text in lines if name.startswith("requests of")]
        yield code(statement), "<br>".join(reads) or "nothing", code(lines[-1][1])


def typed() -> Iterator[tuple[str, ...]]:
    for expressions in TYPED:
        lines = describe(prepare(f"SELECT {expressions} FROM images"))  # noqa: S608 - they stand above
        dtypes = dict.fromkeys(text for name, text in lines if name.startswith("column "))
        yield code(expressions), ", ".join(map(code, dtypes))


def functions(*, is_ours: bool) -> Iterator[tuple[str, ...]]:
    for function in KNOWN:
        if (function.name.upper() in FUNCTIONS) == is_ours:
            yield code(function.signature), function.meaning


def refused() -> Iterator[tuple[str, ...]]:
    for what, statement in REFUSED:
        yield what, code(statement), str(refusal(statement)).split("\n", 1)[0]


def differences() -> Iterator[dict[str, Any]]:
    """Give every difference from StackQL, as told in differences.toml."""
    for group in tomllib.loads((HERE / "differences.toml").read_text(encoding="utf-8"))["group"]:
        yield from ({"group": group["name"], **row} for row in group["row"])


def difference_tables() -> str:
    def lines(group: Iterable[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
        for row in group:
            yield (code(row["write"]) if row["write"] else row["what"]), row["stackql"], row["here"]

    return "\n".join(
        f"### {name}\n\n{table(('you write', 'StackQL', 'here'), lines(group))}"
        for name, group in groupby(differences(), itemgetter("group"))
    )


def plan() -> str:
    statement = "SELECT name, created_at FROM images WHERE type = 'snapshot' AND size_gigabytes > 20"
    rows = prepare(f"EXPLAIN {statement}").explain()
    width = max(len(name) for name, _ in rows)
    shown = "".join(f"{name:<{width}}  {text}\n" for name, text in rows)
    return f"```text\nEXPLAIN {statement}\n\n{shown}```"


def errors() -> str:
    found = map(refusal, WRONG)
    return "\n".join(f"```text\n{type(error).__name__}: {error}\n```\n" for error in found)


def sql_page() -> str:
    made = {
        "note": NOTE,
        "grammar": GRAMMAR,
        "statements": table(("begins with", "form", "gives"), STATEMENTS),
        "tables": table(("names", "rows", "key"), tables()),
        "columns": table(("table", "column", "also", "dtype", "meaning"), columns()),
        "parameters": table(("parameter", "table", "type", "meaning"), parameters()),
        "methods": methods(),
        "fields": table(("method", "field", "required", "meaning"), fields()),
        "pushed": table(("you write", "sent, then the residual that DuckDB runs"), pushed()),
        "planned": table(("you write", "read for the rows", "sent for each row, once confirmed"), planned()),
        "typed": table(("you write", "dtype"), typed()),
        "ours": table(("function", "meaning"), functions(is_ours=True)),
        "duckdb": table(("function", "meaning"), functions(is_ours=False)),
        "table_functions": ", ".join(map(code, TABLE_FUNCTIONS)),
        "plan": plan(),
        "refused": table(("what", "you write", "the error"), refused()),
        "memory": MEMORY,
        "most_tables": f"{MOST_TABLES:,}",
        "most_statements": f"{MOST_STATEMENTS:,}",
        "most_words": f"{MOST_WORDS:,}",
        "errors": errors(),
        "differences": difference_tables(),
    }
    text = (HERE / "sql.md.in").read_text(encoding="utf-8")
    return re.sub(r"<<(\w+)>>\n?", lambda found: made.pop(found[1]) + found[0].partition(">>")[2], text)
