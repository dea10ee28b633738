"""Functions and operators mean in DuckDB what they mean in SQLite: SQLite itself says what that is."""

import datetime as dt
import json
import re
import sqlite3

import duckdb
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from doimages.errors import StatementError
from doimages.schema import IMAGES
from doimages.sql.functions import FUNCTIONS, OURS, to_duckdb
from doimages.sql.kinds import kind_of
from doimages.sql.parse import parse
from doimages.sql.statements import to_sql
from doimages.sql.times import read_time
from doimages.sql.vocabulary import KNOWN

KINDS = {column.name: column.type for column in IMAGES.columns}
ROWS = [
    (
        1,
        "Ubuntu-24.04",
        "2024-01-31T23:59:59Z",
        '["prod","a\\"b"]',
        '["nyc1","ams3"]',
        True,
        2.5,
        10,
        '{"a":1,"t":true}',
    ),
    (2, "db_01-snap", "2024-02-29T00:00:00Z", "[]", '["nyc1"]', False, None, 20, '{"a":"x","n":null,"l":[1,{"b":2}]}'),
    (3, "100%-Äpfel", "2023-12-31T12:30:01Z", None, "[]", False, 0.5, 20, None),
    (4, "", None, '["PROD"]', '["fra1"]', True, 7.25, None, '{"a":2.5,"t":false}'),
]
NAMES = ("id", "name", "created_at", "tags", "regions", "public", "size_gigabytes", "min_disk_size", "description")


def kind_of_column(column):
    return "string" if column.table in {"t", "json_each"} else KINDS.get(column.name)


@pytest.fixture(scope="module")
def sqlite():
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE TABLE images ({', '.join(NAMES)})")
    connection.executemany("INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", ROWS)
    yield connection
    connection.close()


def connect():
    columns = dict(zip(NAMES, map(list, zip(*ROWS, strict=True)), strict=True))
    times = [text and dt.datetime.fromisoformat(text) for text in columns["created_at"]]
    lists = {name: [text and json.loads(text) for text in columns[name]] for name in ("tags", "regions")}
    table = pa.table(
        {
            **columns,
            "created_at": pa.array(times, pa.timestamp("us", "UTC")),
            **{name: pa.array(values, pa.list_(pa.string())) for name, values in lists.items()},
        }
    )
    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone='UTC'")
    connection.register("images", table)
    return connection


@pytest.fixture(scope="module")
def duck():
    with connect() as connection:
        yield connection


DUCK = connect()
LITE = sqlite3.connect(":memory:")


def over_images(expressions, rest=""):
    return f"SELECT {expressions} FROM images {rest}"  # noqa: S608 - the tests' own words


def rewritten(sql):
    return to_duckdb(parse(sql)[0].tree, kind_of_column, text=sql)


def run(duck, sql):
    return duck.execute(to_sql(rewritten(sql), "duckdb")).fetchall()


def normal(value):
    """SQLite has numbers for booleans; ours gives the numbers that stand in JSON as text."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return value
    return round(value, 8) if isinstance(value, float) else value


def same(sqlite, duck, sql):
    theirs = [tuple(map(normal, row)) for row in sqlite.execute(sql).fetchall()]
    ours = [tuple(map(normal, row)) for row in run(duck, sql)]
    assert ours == theirs, to_sql(rewritten(sql), "duckdb")


SCALARS = """
date(created_at)
datetime(created_at)
time(created_at)
julianday(created_at)
unixepoch(created_at)
date(created_at, '+1 month')
date(created_at, '-1 month', 'start of month')
date(created_at, 'start of month', '+1 month', '-1 day')
date(created_at, '+1 year', 'weekday 0', 'weekday 3', 'weekday 5', 'weekday 5')
datetime(created_at, '+1.5 days', '-2.25 hours', '+90 seconds', '+1 minute')
datetime(created_at, '+01:30', '-00:00:30', '00:10')
datetime(created_at, '+1.5 months', '-0.5 years')
datetime(created_at, 'start of year', 'utc', 'LocalTime')
datetime(1700000000.5, 'unixepoch', '-1 day'), datetime('1700000000', 'unixepoch'), datetime(-5, 'unixepoch')
datetime(2460000.5), datetime('2460000.25'), date(2460000), datetime(9e9), datetime(9e18, 'unixepoch')
datetime(id * 86400, 'unixepoch')
date('2024-02-29'), datetime('2024-02-29 10:11'), datetime('2024-02-29T10:11:12.5Z')
time('10:11'), datetime('10:11:12')
datetime('2024-02-29T10:11:12+02:00'), unixepoch('2024-02-29T10:11:12-05:30'), julianday('2024-02-29')
date(name), datetime(description), date(NULL)
datetime(replace('2024-02-29T10:11:12+02:00', 'x', '')), unixepoch(lower('2024-02-29 10:11'))
date(date(created_at, '+1 day'), '+1 day', 'weekday 1')
strftime('%Y-%m-%dT%H:%M:%S', created_at), strftime('%d/%m %H %j %w %W %%', created_at)
strftime('%s and %s', created_at), strftime('%f', '2024-01-01 00:00:01.25'), strftime('%J', created_at)
strftime('%Y', created_at) || '-' || strftime('%m', created_at, '+1 month')
julianday(created_at) - julianday('2024-01-01') > 30
created_at > date('2024-02-01'), created_at BETWEEN date('2024-01-01') AND date('2024-02-10'), created_at < '2024-01-01'
date(created_at) IN ('2024-01-31', '2023-12-31'), created_at >= date('2024-03-31', '-1 month', 'start of month')
date(created_at) = '2024-01-31', date(created_at) > '2024-01'
created_at LIKE '2024-02%', created_at LIKE '%t00:00:00z', created_at NOT LIKE '2024%', created_at GLOB '*-01-*T*'
lower(created_at), upper(created_at), length(created_at), substr(created_at, 1, 7), replace(created_at, 'T', ' ')
created_at || '!', instr(created_at, 'T'), CAST(created_at AS TEXT), trim(created_at, 'Z'), ltrim(created_at, '2')
json_extract(tags, '$[0]'), json_extract(tags, '$[1]'), json_extract(tags, '$'), json_extract(regions, '$[#-1]')
json_extract(description, '$.a'), json_extract(description, '$.t'), json_extract(description, '$.n')
json_extract(description, '$.l'), json_extract(description, '$.l[1].b'), json_extract(description, '$.zz')
json_extract(description, '$.a', '$.zz')
json_extract('{"a":{"b":{"c":true}}}', '$.a'), json_extract(json_extract('{"a":{"b":{"c":true}}}', '$.a'), '$.b')
json_extract(json_extract(json_extract('{"a":{"b":{"c":true}}}', '$.a'), '$.b'), '$.c')
json_extract(description, '$.a') > 1, json_extract(description, '$.a') <> 1, json_extract(description, '$.a') = 1
json_extract(description, '$.t') = 1, json_extract(description, '$.a') IN (1, 2.5)
tags -> 0, tags ->> 0, regions ->> '$[1]', description ->> '$.a'
json_array_length(tags), json_array_length(regions) > 1, json_array_length(description, '$.l')
json_array_length(description), json_array_length(description, '$.zz'), json_array_length('[1,2]')
json_valid(ifnull(description, 'x')), json_valid(name)
json_type(tags), json_type(description, '$.a'), json_type(description, '$.t'), json_type(description, '$.n')
json_type('[1.5,-2,12345678901234567890]', '$[2]'), json_type('[1.5,-2]', '$[0]'), json_type('[1.5,-2]', '$[1]')
iif(public, 'y', 'n'), iif(size_gigabytes > 1, 'big', 0), iif(created_at IS NULL, 'never', created_at)
iif(public = 1, id, size_gigabytes), iif(min_disk_size > 10, id, NULL)
ifnull(size_gigabytes, 0), ifnull(created_at, 'never'), ifnull(min_disk_size, 'none'), coalesce(tags, 'none')
CASE WHEN public THEN 'public' ELSE 0 END, CASE WHEN id > 2 THEN created_at ELSE name END
name LIKE 'ub%', name LIKE '%SNAP', name NOT LIKE 'db_01%'
name LIKE 'db\\_%' ESCAPE '\\', name LIKE '100x%%' ESCAPE 'x'
name LIKE NULL, '' LIKE '', name LIKE '%'
tags LIKE '%"prod"%', regions NOT LIKE '%ams%', id LIKE 1, id LIKE '1%', size_gigabytes LIKE '%.5'
name GLOB 'Ub*', name GLOB 'ub*', name NOT GLOB '*-*', name GLOB '[^U]*', name GLOB '*[0-9]?*', name GLOB '*[]x]*'
name GLOB '*[%-]*', name GLOB '*[', '[a]' GLOB '[[]a]', 'a' GLOB '[!a]', 'b' GLOB '[!a]'
'a.c' GLOB 'a.c', 'abc' GLOB 'a.c'
instr(name, '-'), substr(name, -4), substr(name, 0), substr(name, 0, 3), substr(name, -3, 2), substr(name, 4, -2)
replace(name, '-', '+'), trim(name), unicode('Ä'), char(72, 105), char(65), lower(id), substr(id * 100, 2)
replace(tags, '"', ''), id || '-' || name, length(id)
public = 1, public = true, public = 0, public <> 1, public IN (1), NOT public, public IS TRUE
strftime('%m', created_at) + 0, strftime('%Y', created_at) - 2000, json_array_length(tags) * '2'
name = 5, name <> 5, name > 5
(SELECT max(created_at) FROM images) > date('2024-01-01'), (SELECT date(max(created_at)) FROM images)
""".strip().splitlines()


@pytest.mark.parametrize("expressions", SCALARS)
def test_an_expression_gives_what_sqlite_gives(sqlite, duck, expressions):
    """The same values, row by row, over typed columns as over SQLite's text and numbers."""
    same(sqlite, duck, over_images(expressions, "ORDER BY id"))


QUERIES = """
SELECT total(size_gigabytes), total(id), total(strftime('%Y', created_at)) FROM images
SELECT total(id) FROM images WHERE id > 99
SELECT total(DISTINCT min_disk_size) FROM images
SELECT total(id) FILTER (WHERE id > 99), total(id) FILTER (WHERE public) FROM images
SELECT id, total(size_gigabytes) OVER (ORDER BY id) FROM images ORDER BY id
SELECT id, total(id) FILTER (WHERE id > 2) OVER (ORDER BY id) + 1 FROM images ORDER BY id
SELECT group_concat(name) FROM images
SELECT group_concat(id, '-'), group_concat(created_at), group_concat(tags, ';') FROM images
SELECT group_concat(DISTINCT min_disk_size) FROM images WHERE min_disk_size = 20
SELECT group_concat(id) FILTER (WHERE public), group_concat(id) FILTER (WHERE id > 99) FROM images
SELECT id, group_concat(name, '/') OVER (ORDER BY id) FROM images ORDER BY id
SELECT json_group_array(id), json_group_array(name) FROM images
SELECT json_group_array(id) FROM images WHERE id > 99
SELECT id, json_group_array(id) OVER (ORDER BY id) FROM images ORDER BY id
SELECT sum(json_extract(description, '$.a')) FROM images WHERE id <> 2
SELECT i.id, t.key, t.value, t.type, t.atom, t.fullkey, t.path FROM images i, json_each(i.tags) t ORDER BY 1, 2
SELECT i.id, t.key, t.value, t.type, t.atom, t.fullkey, t.path FROM images i, json_each(i.description) t ORDER BY 1, 2
SELECT i.id, t.value FROM images i JOIN json_each(i.regions) AS t ON t.value LIKE 'NYC%' ORDER BY 1
SELECT i.id, t.value FROM images i LEFT JOIN json_each(i.regions) t ON t.value = 'ams3' ORDER BY 1
SELECT images.id, json_each.value FROM images, json_each(images.regions) WHERE json_each.key > 0 ORDER BY 1
SELECT id FROM images WHERE EXISTS (SELECT 1 FROM json_each(images.tags) WHERE json_each.value = 'prod')
SELECT i.id, t.value FROM images i, json_each(i.description, '$.l') t ORDER BY t.key
SELECT key, value FROM json_each('[10,"a",null,true,[1]]')
SELECT key, value FROM json_each('{"a":false,"b":{"c":1}}')
SELECT count(*) FROM json_each('[2,10]') t WHERE t.value > 5
SELECT t.value, count(*) AS n FROM images i, json_each(i.regions) t GROUP BY t.value ORDER BY n DESC, 1
SELECT date(created_at, 'start of month') AS m, total(size_gigabytes) FROM images WHERE id < 4 GROUP BY m ORDER BY m
SELECT strftime('%Y', created_at), count(*) FROM images WHERE id < 4 GROUP BY strftime('%Y', created_at) ORDER BY 1
SELECT date(max(created_at), '+1 month', 'weekday 1', 'weekday 2') FROM images
SELECT id FROM images WHERE name LIKE 'u%' OR public AND NOT created_at LIKE '2024%' ORDER BY id
SELECT upper(date(created_at)) FROM images WHERE date(created_at) || 'x' LIKE '2024%X' ORDER BY 1
WITH a AS (SELECT id, date(created_at) AS d FROM images) SELECT count(d) FROM a WHERE d LIKE '2024%'
""".strip().splitlines()


@pytest.mark.parametrize("sql", QUERIES)
def test_a_query_gives_what_sqlite_gives(sqlite, duck, sql):
    """Aggregates, windows and json_each in FROM: the same rows."""
    same(sqlite, duck, sql)


def test_a_statement_without_a_time_is_about_now(duck):
    """date(), date('now') and the day of now() are the same, and julianday() counts from its begin."""
    sql = "SELECT date() = date('now'), date(now()) = date(), julianday() - julianday('now') = 0, unixepoch() > 1e9"
    assert run(duck, sql) == [(True, True, True, True)]


def test_regular_expressions_are_those_of_stackql(duck):
    """A pattern is found anywhere, all matches are replaced, and no match is NULL."""
    sql = (
        "SELECT name REGEXP '^Ub', name NOT REGEXP 'x', regexp_like(created_at, 'T23'), "
        "regexp_replace(name, '[04]', '_'), "
        "regexp_replace(name, '0', '_', 'i'), regexp_substr(name, 'z+'), regexp_substr(name, '[0-9]+'), "
        "split_part(name, '-', -1), split_part(name, '-', 1) FROM images WHERE id = 1"
    )
    assert run(duck, sql) == [(True, True, True, "Ubuntu-2_.__", "Ubuntu-24._4", None, "24", "24.04", "Ubuntu")]


def test_group_concat_has_an_order(duck):
    """ORDER BY within the brackets, with DISTINCT and a separator."""
    sql = (
        "SELECT group_concat(DISTINCT id, '<' ORDER BY id DESC), group_concat(DISTINCT 7, '-'), "
        "group_concat(DISTINCT created_at ORDER BY created_at) FROM images WHERE id > 1"
    )
    assert run(duck, sql) == [("4<3<2", "7", "2023-12-31T12:30:01Z,2024-02-29T00:00:00Z")]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("strftime(created_at, '%Y')", "2024"),
        ("list_contains(tags, 'prod')", True),
        ("length(tags)", 2),
        ("date_trunc('month', created_at) = '2024-01-01'", True),
        ("created_at + INTERVAL 1 DAY > date('2024-02-01')", True),
        ("CAST(created_at AS DATE) = date('2024-01-31')", True),
        ("CAST(created_at AS DATE) || ''", "2024-01-31"),
        ("list_filter(tags, lambda t: t LIKE 'PR%')", ["prod"]),
        ("concat(created_at, '!')", "2024-01-31T23:59:59Z!"),
        ("public = 'true'", True),
        ("coalesce(created_at, '2024-01-01') > '2020-01-01'", True),
        ("coalesce(min_disk_size, '5') + 1", 11),
        ("created_at IN (date('2024-01-31'), '2024-01-31T23:59:59Z')", True),
    ],
)
def test_what_is_duckdbs_stays_duckdbs(duck, expression, value):
    """Lists, intervals, lambdas, and strftime(time, format) are DuckDB's own."""
    assert run(duck, over_images(expression, "WHERE id = 1")) == [(value,)]


def test_json_each_keeps_the_order_of_the_rows_and_of_the_lists(duck):
    """Beside a table the items come image by image, each list in its order."""
    sql = "SELECT i.id, t.value FROM images i, json_each(i.regions) t"
    assert run(duck, sql) == [(1, "nyc1"), (1, "ams3"), (2, "nyc1"), (4, "fra1")]


@pytest.mark.parametrize(
    ("expression", "marked", "said"),
    [
        ("iif(public, 1)", "iif", "iif(condition, then, otherwise)"),
        ("total()", "total", "Write total(x)."),
        ("json_extract(tags)", "json_extract", "json_extract(json, path ...)"),
        ("date(DISTINCT name)", "date", "DISTINCT"),
        ("total(*)", "total", "Write total(x)."),
        ("total(DISTINCT id, 2)", "total", "these 2"),
        ("group_concat(DISTINCT id, '<', 3 ORDER BY id)", "group_concat", "these 3"),
        ("date('now', name)", "name", "a modifier is a text"),
        ("date('now', '+1 dog')", "'+1 dog'", "no modifier '+1 dog'"),
        ("date('now', '+1 day', 'unixepoch')", "'unixepoch'", "comes first"),
        ("date('now', '+99999999 years')", "'+99999999 years'", "no modifier"),
        ("date(created_at, 'unixepoch')", "created_at", "a time already"),
        ("date('soon')", "'soon'", "'soon' is no time"),
        ("date('2024-13-01')", "'2024-13-01'", "is no time"),
        ("date('x', 'unixepoch')", "'x'", "no number of seconds"),
        ("date(tags)", "tags", "this is no time"),
        ("date(public)", "public", "this is no time"),
        ("strftime('%Y %q', created_at)", "'%Y %q'", "strftime has no %q"),
        ("strftime(name, created_at, '+1 day')", "name", "the format is no text"),
        ("json_each(tags)", "json_each", "FROM images i, json_each(i.tags) t"),
        ("created_at > 'banana'", "'banana'", "'banana' is no time"),
        ("'2024-02' <= created_at", "'2024-02'", "LIKE '2024-02%'"),
        ("created_at BETWEEN '2024-01-01' AND '2024-02-30'", "'2024-02-30'", "is no time"),
        ("created_at IN ('2024-01-01', 'now')", "'now'", "is no time"),
        ("name LIKE 'a%' ESCAPE 'no'", "'no'", "one letter"),
        ("max(created_at) > 'x'", "'x'", "is no time"),
    ],
)
def test_what_is_wrong_is_pointed_at(expression, marked, said):
    """A StatementError says what to write instead, with carets below the part that is wrong."""
    with pytest.raises(StatementError, match=re.escape(said)) as caught:
        rewritten(over_images(expression))
    line, carets = str(caught.value).splitlines()[1:]
    assert line[carets.index("^") : carets.rindex("^") + 1] == marked


def test_a_bound_value_has_no_place_so_the_function_is_pointed_at():
    """A value that was bound stands nowhere in the text."""
    sql = "SELECT date('now', '+1 dog') FROM images"
    tree = parse(sql)[0].tree
    for literal in tree.find_all(exp.Literal):
        literal.meta.clear()
    with pytest.raises(StatementError) as caught:
        to_duckdb(tree, kind_of_column, text=sql)
    assert caught.value.column == sql.index("date") + 1


def test_an_expression_alone_is_rewritten_too():
    """The root of a tree may itself be what is replaced."""
    made = to_duckdb(parse("SELECT iif(public, 1, 2)")[0].tree.expressions[0].pop(), kind_of_column)
    assert to_sql(made, "duckdb") == "CASE WHEN public THEN 1 ELSE 2 END"
    assert made.parent is None


def test_each_column_is_asked_for_once_where_it_was_written():
    """Who tells the types may look at where a column stands."""
    asked = []

    def ask(column):
        asked.append(column.find_ancestor(exp.Select) is not None)
        return "time"

    to_duckdb(parse("SELECT date(a, 'weekday 1') || b FROM images WHERE a LIKE 'x'")[0].tree, ask)
    assert asked == [True, True, True]


@pytest.mark.parametrize(
    "call", ["date({}, 'weekday 1')", "json_extract({}, '$.a')", "regexp_substr({}, 'a')", "date({}, '+1 month')"]
)
def test_nesting_does_not_double_the_statement(call):
    """A function that needs its argument twice has it evaluated once."""
    sizes = []
    for depth in (4, 8, 12):
        made = "name"
        for _ in range(depth):
            made = call.format(made)
        sizes.append(len(to_sql(rewritten(over_images(made)), "duckdb")))
    assert sizes[2] - sizes[1] <= 1.01 * (sizes[1] - sizes[0])


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("created_at", "time"),
        ("max(created_at)", "time"),
        ("created_at - INTERVAL 1 DAY", "time"),
        ("created_at - created_at", None),
        ("now()", "time"),
        ("date('now')", "string"),
        ("date_trunc('month', created_at)", "time"),
        ("(id)", "integer"),
        ("id + size_gigabytes", "number"),
        ("sum(id)", "integer"),
        ("id > 1", "boolean"),
        ("name LIKE 'x'", "boolean"),
        ("NOT public", "boolean"),
        ("count(*) OVER ()", "integer"),
        ("julianday(created_at)", "number"),
        ("total(id) FILTER (WHERE public)", "number"),
        ("coalesce(NULL, name)", "string"),
        ("ifnull(id, size_gigabytes)", "number"),
        ("iif(public, name, id)", None),
        ("CASE WHEN public THEN name ELSE 'x' END", "string"),
        ("CAST(name AS BIGINT)", "integer"),
        ("name || 'x'", "string"),
        ("(SELECT max(created_at) FROM images)", "time"),
        ("lag(created_at) OVER (ORDER BY id)", "time"),
        ("1.5", "number"),
        ("-1", "integer"),
        ("tags", "strings"),
        ("unknown", None),
        ("group_concat(DISTINCT name)", "string"),
        ("max(DISTINCT id)", "integer"),
        ("NULL", None),
    ],
)
def test_the_type_of_an_expression_is_known(expression, kind):
    """Before anything is run; None where only DuckDB will know."""
    assert kind_of(parse(over_images(expression))[0].tree.expressions[0], kind_of_column) == kind


def test_every_function_says_what_it_does():
    """Names are unique, ours are those that the parser leaves alone, and DuckDB has the others."""
    names = [function.name for function in KNOWN]
    assert len(set(names)) == len(names)
    assert {name.upper() for name in OURS} <= {function.name.upper() for function in KNOWN}
    assert all(function.signature.startswith(function.name) for function in KNOWN)
    assert all(function.meaning.endswith(".") for function in KNOWN)
    theirs = {name for (name,) in DUCK.execute("SELECT function_name FROM duckdb_functions()").fetchall()}
    windows = {"row_number", "rank", "dense_rank", "ntile", "lag", "lead", "first_value", "last_value"}
    assert set(names) - {name.lower() for name in FUNCTIONS} - windows - theirs == {"coalesce", "unnest"} - theirs


SHIFTS = st.builds(
    "{:+} {}".format,
    st.integers(-500, 500),
    st.sampled_from(["day", "days", "hours", "minutes", "seconds", "months", "month", "years"]),
)
FRACTIONS = st.builds("{:+.3f} {}".format, st.floats(-50, 50), st.sampled_from(["days", "hours", "months", "years"]))
OTHERS = st.sampled_from(
    ["start of day", "start of month", "start of year", "utc", "localtime", *(f"weekday {day}" for day in range(7))]
)
MOMENTS = st.integers(-(11 * 10**9), 13 * 10**9).map(
    lambda seconds: f"{dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S}"
)


@given(moment=MOMENTS, modifiers=st.lists(SHIFTS | FRACTIONS | OTHERS, max_size=4))
@example(moment="2024-01-31 00:00:00", modifiers=["+1 months"])
@example(moment="2024-02-29 23:00:00", modifiers=["+1 years", "-1 months", "weekday 0"])
@settings(max_examples=300, deadline=None)
def test_modifiers_move_a_time_as_in_sqlite(moment, modifiers):
    """Whatever the time and the modifiers, in whatever order."""
    arguments = ", ".join(f"'{word}'" for word in (moment, *modifiers))
    sql = f"SELECT datetime({arguments}), unixepoch({arguments}), strftime('%Y-%j %w %W %f', {arguments})"
    same(LITE, DUCK, sql)


@given(seconds=st.integers(-(10**10), 10**11) | st.floats(-1e9, 1e10))
@settings(max_examples=200, deadline=None)
def test_seconds_are_read_as_in_sqlite(seconds):
    """A number of seconds since 1970, whole or not."""
    same(LITE, DUCK, f"SELECT datetime({seconds!r}, 'unixepoch')")


ASCII = st.text(st.sampled_from("aAbB%_\\-[]^!*?.x0 \n'"), max_size=8)


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


@given(text=ASCII, pattern=ASCII, escape=st.sampled_from(["", "!", "x", "%", "_"]))
@settings(max_examples=400, deadline=None)
def test_like_matches_what_sqlite_matches(text, pattern, escape):
    """Case does not count; an escape may stand before whatever has a meaning."""
    end = f" ESCAPE {quoted(escape)}" if escape else ""
    sql = f"SELECT {quoted(text)} LIKE {quoted(pattern)}{end}, {quoted(text)} NOT LIKE {quoted(pattern)}{end}"
    same(LITE, DUCK, sql)


@given(text=ASCII, pattern=ASCII)
@settings(max_examples=400, deadline=None)
def test_glob_matches_what_sqlite_matches(text, pattern):
    """Case counts; sets are negated with ^."""
    same(LITE, DUCK, f"SELECT {quoted(text)} GLOB {quoted(pattern)}")


@given(text=st.text(st.sampled_from("abcÄ"), max_size=6), start=st.integers(-8, 8), length=st.integers(-8, 8))
@settings(max_examples=200, deadline=None)
def test_substr_counts_as_in_sqlite(text, start, length):
    """From the end if below zero, and backwards if the length is."""
    same(LITE, DUCK, f"SELECT substr({quoted(text)}, {start}, {length}), substr({quoted(text)}, {start})")


@given(text=st.from_regex(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,7})?)?(Z|[+-]\d\d:\d\d)?)?", fullmatch=True))
@settings(max_examples=300, deadline=None)
def test_what_is_read_as_a_time_duckdb_reads_as_the_same(text):
    """So that no literal passes the check and fails in the engine."""
    moment = read_time(text)
    if moment is not None:
        (found,) = DUCK.execute("SELECT epoch_us(CAST(? AS TIMESTAMPTZ))", [text]).fetchone()
        assert found == (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
