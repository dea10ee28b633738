"""INSERT, UPDATE, DELETE and EXEC are checked whole: what each asks for, and what bad ones get, with the place."""

# ruff: noqa: S608 - the statements are what is tested

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doimages.errors import StatementError, UnknownColumnError, UsageError
from doimages.sql.changes import Change, RawRead, read_change
from doimages.sql.parse import parse
from doimages.sql.statements import to_sql

T = "digitalocean.images.images"
FIELDS = ("name", "region", "url", "distribution", "description", "tags")


def read(text, place=0):
    return read_change(parse(text)[place])


def summary(text):
    """Give action, fields and rows of a change, as text."""
    change = read(text)
    assert isinstance(change, Change)
    return change.action, change.fields, to_sql(change.rows)


def refusal(text, kind=StatementError):
    """Give the message, and what the carets point at."""
    with pytest.raises(kind) as caught:
        read(text)
    error = caught.value
    message, _, carets = str(error).rsplit("\n", 2)
    line = text.splitlines()[error.line - 1]
    return message, line[error.column - 1 :][: carets.count("^")]


# What a right statement asks for: action, fields, rows.
RIGHT = [
    (
        f"INSERT INTO {T} (data__name, region, url) VALUES ('a', 'nyc3', 'u1'), ('b', 'nyc3', :u)",
        ("create", ("name", "region", "url")),
        "SELECT * FROM (VALUES ('a', 'nyc3', 'u1'), ('b', 'nyc3', :u)) AS given(name, region, url)",
    ),
    (
        "INSERT INTO images (name, region, url) SELECT name || '-copy', 'nyc3', 'x' FROM images WHERE private = true",
        ("create", ("name", "region", "url")),
        (
            "SELECT * FROM (SELECT name || '-copy', 'nyc3', 'x' FROM images WHERE private ="
            " TRUE) AS given(name, region, url)"
        ),
    ),
    (
        "WITH a AS (SELECT 1 AS id) INSERT INTO images (name, region, url) (SELECT 'n', 'r', 'u' FROM a)",
        ("create", ("name", "region", "url")),
        "WITH a AS (SELECT 1 AS id) SELECT * FROM ((SELECT 'n', 'r', 'u' FROM a)) AS given(name, region, url)",
    ),
    (
        "INSERT INTO images (name, region, url, tags, description) VALUES ('a', 'r', 'u', '[\"it''s\", \"b\"]', NULL)",
        ("create", ("name", "region", "url", "tags", "description")),
        "SELECT * FROM (VALUES ('a', 'r', 'u', ['it''s', 'b'], NULL)) AS given(name, region, url, tags, description)",
    ),
    (
        (
            "INSERT INTO images (tags, name, region, url) SELECT '[\"t\"]' AS tags, 'a',"
            " 'r', 'u' UNION SELECT ['x'], '', '', ''"
        ),
        ("create", ("tags", "name", "region", "url")),
        (
            "SELECT * FROM (SELECT ['t'] AS tags, 'a', 'r', 'u' UNION SELECT ['x'], '', '',"
            " '') AS given(tags, name, region, url)"
        ),
    ),
    (
        f"UPDATE {T} SET name = 'x-' || name, data__description = NULL WHERE image_id IN (SELECT 1) AND name LIKE 'a%'",
        ("update", ("name", "description")),
        (
            f"SELECT id, 'x-' || name AS name, NULL AS description FROM {T} WHERE image_id IN"
            " (SELECT 1) AND name LIKE 'a%'"
        ),
    ),
    (
        "REPLACE digitalocean.compute.images AS i SET i.name = :n WHERE i.id = :id",
        ("update", ("name",)),
        f"SELECT id, :n AS name FROM {T} AS i WHERE i.id = :id",
    ),
    (
        f"DELETE FROM {T} WHERE image_id = 1001 AND name = 'other'",
        ("delete", ()),
        f"SELECT id FROM {T} WHERE image_id = 1001 AND name = 'other'",
    ),
    (
        "WITH images AS (SELECT 1 AS id) DELETE FROM images WHERE images.id IN (SELECT id FROM images)",
        ("delete", ()),
        f"WITH images AS (SELECT 1 AS id) SELECT id FROM {T} WHERE images.id IN (SELECT id FROM images)",
    ),
    (
        "INSERT INTO digitalocean.compute.image_actions (image_id, data__type) VALUES (1, 'convert'), (2, 'convert')",
        ("convert", ()),
        "SELECT image_id AS id FROM (VALUES (1, 'convert'), (2, 'convert')) AS given(image_id, type)",
    ),
    (
        "INSERT INTO actions (region, type, image_id) SELECT 'ams3', 'transfer', id FROM images",
        ("transfer", ("region",)),
        (
            "SELECT image_id AS id, region FROM (SELECT 'ams3', 'transfer', id FROM images)"
            " AS given(region, type, image_id)"
        ),
    ),
    (
        f'EXEC {T}.update @image_id = 1001, @@json = \'{{"name": "it\'\'s", "description": null}}\'',
        ("update", ("name", "description")),
        f"SELECT id, 'it''s' AS name, NULL AS description FROM {T} WHERE image_id = 1001",
    ),
    (
        f"EXEC {T}.images_update @image_id = :id, @data__name = 'x' @@json = '{{\"name\": \"x\"}}'",
        ("update", ("name",)),
        f"SELECT id, 'x' AS name FROM {T} WHERE image_id = :id",
    ),
    (
        f"EXEC {T}.update @image_id = '1001' @@json = :body",
        ("update", ()),
        f"SELECT id, :body AS body FROM {T} WHERE image_id = '1001'",
    ),
    ("EXEC images.create_custom @@json = :b", ("create", ()), "SELECT * FROM (VALUES (:b)) AS given(body)"),
    ("EXEC images.convert @image_id = 7", ("convert", ()), f"SELECT id FROM {T} WHERE image_id = 7"),
    (
        'EXEC images.convert @image_id = 7 @@json = \'{"type": "convert"}\'',
        ("convert", ()),
        f"SELECT id FROM {T} WHERE image_id = 7",
    ),
    (
        'EXEC digitalocean.compute.images.transfer @image_id = 7 @@json = \'{"type":"transfer","region":"nyc2"}\'',
        ("transfer", ("region",)),
        f"SELECT id, 'nyc2' AS region FROM {T} WHERE image_id = 7",
    ),
]


@pytest.mark.parametrize(("text", "what", "rows"), RIGHT, ids=[text for text, _, _ in RIGHT])
def test_a_right_statement_gives_its_fields_and_a_query_for_its_rows(text, what, rows):
    """The rows are a query with one row a request; WHERE, CTEs and :names are in it as they were written."""
    assert summary(text) == (*what, rows)


def test_a_change_names_the_columns_its_rows_should_have():
    """A `*` may give others: whoever runs the rows holds them against these."""
    assert read("INSERT INTO images (name, region, url) SELECT * FROM t").columns == ("name", "region", "url")
    assert read("UPDATE images SET description = 'a', name = 'b' WHERE id = 1").columns == ("id", "description", "name")
    assert read("EXEC images.transfer @image_id = 1 @@json = :b").columns == ("id", "body")


@pytest.mark.parametrize(
    ("call", "statement"),
    [
        ("EXEC images.delete @image_id = 7", "DELETE FROM images WHERE image_id = 7"),
        ("EXEC images.images_update @image_id = 7 @name = 'x'", "UPDATE images SET name = 'x' WHERE image_id = 7"),
        (
            "EXEC images.create_custom @data__name = 'a', @region = 'r', @url = 'u', @tags = '[\"t\"]'",
            "INSERT INTO images (name, region, url, tags) VALUES ('a', 'r', 'u', ['t'])",
        ),
        (
            "EXEC actions.post @image_id = 7 @type = 'transfer' @region = 'r'",
            "INSERT INTO actions (image_id, type, region) VALUES (7, 'transfer', 'r')",
        ),
    ],
)
def test_exec_asks_for_the_same_change_as_the_statement(call, statement):
    """EXEC is another way to write DELETE, UPDATE and INSERT."""
    assert read(call) == read(statement)


@given(
    columns=st.lists(st.sampled_from(FIELDS[3:]), unique=True).flatmap(
        lambda more: st.permutations([*FIELDS[:3], *more])
    ),
    prefixes=st.lists(st.sampled_from(["", "data__", "DATA__"]), min_size=6, max_size=6),
)
def test_any_order_of_columns_gives_each_field_its_value(columns, prefixes):
    """The n-th column has the n-th value, whichever are there and with whichever prefix."""
    values = {name: f"'{name} of it'" for name in FIELDS} | {"tags": "['tags of it']"}
    names = ", ".join(prefix + name for prefix, name in zip(prefixes, columns, strict=False))
    row = ", ".join(values[name] for name in columns)
    fields = tuple(columns)
    listed = ", ".join(fields)
    rows = f"SELECT * FROM (VALUES ({row})) AS given({listed})"
    assert summary(f"INSERT INTO {T} ({names}) VALUES ({row})") == ("create", fields, rows)


# A wrong statement, words of its message, and what the carets are below.
WRONG = [
    ("INSERT INTO images (name, region) VALUES ('a', 'r')", "missing required parameter url.", "name, region"),
    ("INSERT INTO images (tags) VALUES (NULL)", "missing required parameter name, region, url.", "tags"),
    ("INSERT INTO images VALUES ('a')", "Write (name, region, url) after the table", "images"),
    ("INSERT INTO images (name, region, url)", "INSERT has no rows", "images (name, region, url"),
    ("INSERT INTO images (name, region, url, data__tag) VALUES (1)", "Did you mean 'data__tags'", "data__tag"),
    ("INSERT INTO images (name, region, url, tgas) VALUES (1)", "Did you mean 'tags'", "tgas"),
    ("INSERT INTO images (name, region, url, data__url) VALUES (1)", "url is given twice", "data__url"),
    ("INSERT INTO images (image_id, name, region, url) VALUES (1)", "image_id is not set", "image_id"),
    ("INSERT INTO images (name int) VALUES (1)", "only the names of columns", "name"),
    (
        "INSERT INTO images (name, region, url) VALUES ('a', 'b', 'c'), ('a', 'b')",
        "disparity in fields to insert and supplied data: 3 fields, 2 values",
        "'a', 'b'",
    ),
    (
        "INSERT INTO images (name, region, url) SELECT 'a', 'b', 'c' UNION SELECT 'd', 'e'",
        "disparity in fields to insert and supplied data",
        "'d', 'e'",
    ),
    ("INSERT INTO images (name, region, url) VALUES ()", "disparity in fields", "images (name, region, url"),
    ("INSERT INTO images (name, region, url) VALUES ('a', 'r', NULL)", "url is required, and NULL", "'a', 'r'"),
    ("INSERT INTO images (name, region, url) SELECT NULL AS n, 'r', 'u'", "name is required, and NULL", "n"),
    ("INSERT INTO images (name, region, url) VALUES (5, 'r', 'u')", "name takes a text in single quotes", "5"),
    ("INSERT INTO images (name, region, url) VALUES ('a', \"nyc3\", 'u')", "VALUES reads no columns", '"nyc3"'),
    (
        "INSERT INTO images (name, region, url, tags) VALUES ('a', 'r', 'u', '[\"it''s\", x]')",
        "invalid JSON in tags: expecting value, at character 10 of it",
        "x",
    ),
    (
        "INSERT INTO images (name, region, url, tags) VALUES ('a', 'r', 'u', '[1]')",
        "tags takes a list of texts",
        "'[1]'",
    ),
    ("INSERT INTO images (name, region, url, tags) VALUES ('a', 'r', 'u', 'prod')", "invalid JSON in tags", "p"),
    ("INSERT INTO images (name, region, url, tags) VALUES ('a', 'r', 'u', 7)", "tags takes a list of texts", "7"),
    ("INSERT INTO images (name, region, url, tags) VALUES ('a', 'r', 'u', ['x', 7])", "tags takes a list", "'x', 7"),
    ("INSERT OR REPLACE INTO images (name) VALUES ('a')", "INSERT OR is not there", "images"),
    ("INSERT INTO images (name) VALUES ('a') ON CONFLICT DO NOTHING", "INSERT ON CONFLICT is not there", "images"),
    ("INSERT INTO images BY NAME SELECT 'a' AS name", "INSERT BY NAME is not there", "images"),
    ("INSERT INTO imags (name) VALUES ('a')", "Did you mean 'images'?", "imags"),
    ("INSERT INTO actions (image_id, type) VALUES (1, 'convrt')", "Did you mean 'convert'?", "'convrt'"),
    ("INSERT INTO actions (image_id, type) VALUES (1, :t)", "written out", "1"),
    ("INSERT INTO actions (image_id, type) SELECT * FROM t", "written out; here it cannot be told", "* FROM t"),
    ("INSERT INTO actions (image_id, type) VALUES (1, 'transfer')", "missing required parameter region", "'transfer'"),
    ("INSERT INTO actions (image_id, type, region) VALUES (1, 'convert', 'r')", "convert takes no region", "'convert'"),
    (
        "INSERT INTO actions (image_id, type, region) VALUES (1, 'transfer', 'r'), (1, 'convert', 'r')",
        "one kind of action",
        "'convert'",
    ),
    ("INSERT INTO actions (image_id, type) VALUES ('u', 'convert')", "image_id takes a whole number above zero", "'u'"),
    ("UPDATE images SET name = 'x'", "missing required parameter image_id: without WHERE this UPDATE", "images"),
    ("REPLACE images SET name = 'x'", "would change every image", "images"),
    ("UPDATE images SET WHERE id = 1", "UPDATE sets nothing", "images"),
    ("UPDATE images SET nmae = 'x' WHERE id = 1", "no field 'nmae' in SET. Did you mean 'name'?", "nmae"),
    ("UPDATE images SET image_id = 2 WHERE id = 1", "no field 'image_id' in SET", "image_id"),
    ("UPDATE images SET name = 'x', data__name = 'y' WHERE id = 1", "name is set twice", "data__name = 'y'"),
    (
        "UPDATE images SET name = 'x' AND description = 'y' WHERE id = 1",
        "with commas",
        "name = 'x' AND description = 'y'",
    ),
    ("UPDATE images SET name > 'x' WHERE id = 1", "this sets nothing", "name > 'x'"),
    ("UPDATE images SET j.name = 'x' WHERE id = 1", "this sets nothing", "j.name = 'x'"),
    ("UPDATE images SET name = 5 WHERE id = 1", "name takes a text in single quotes", "5"),
    ("UPDATE images SET name = NULL WHERE id = 1", "name is required, and NULL is no value", "name"),
    ("UPDATE images SET name = unnest(tags) WHERE id = 1", "unnest gives many", "name = unnest(tags"),
    ("UPDATE images SET name = 'x' FROM b WHERE b.id = 1", "Write WHERE image_id IN (SELECT ...)", "b"),
    ("UPDATE images, b SET name = 'x' WHERE b.id = 1", "UPDATE is about one table", "images, b"),
    ("UPDATE images SET name = 'x' WHERE id = 1 LIMIT 2", "UPDATE takes no LIMIT", "2"),
    ("UPDATE actions SET status = 'x' WHERE id = 1", "UPDATE is about images", "actions"),
    ("DELETE FROM images", "missing required parameter image_id: without WHERE this DELETE", "images"),
    ("DELETE FROM images i USING b WHERE b.id = i.id", "Write WHERE image_id IN (SELECT ...)", "b"),
    ("DELETE FROM images JOIN b ON true WHERE id = 1", "DELETE is about one table", "images JOIN b"),
    ("DELETE FROM images WHERE id = 1 ORDER BY name", "DELETE takes no ORDER", "name"),
    ("DELETE images WHERE id = 1", "Write DELETE FROM", "images WHERE id = 1"),
    ("DELETE FROM (SELECT 1) WHERE true", "takes the name of a table", "1"),
    ("DELETE FROM f(1) WHERE true", "takes the name of a table", "f(1"),
    ("DELETE FROM images i(a) WHERE a = 1", "no more than the table's name", "images i(a"),
    ("DELETE FROM actions WHERE id = 1", "DELETE is about images", "actions"),
    ("EXEC images.updat @image_id = 1", "no method 'updat'", "images.updat"),
    ("EXEC images.update @name = 'x'", "required param not supplied for exec: image_id", "images.update"),
    (
        "EXEC images.create_custom @name = 'x'",
        "required param not supplied for exec: region, url",
        "images.create_custom",
    ),
    (
        "EXEC images.create_custom @name = 'x' @@json = '{}'",
        "not supplied for exec: region, url",
        "images.create_custom",
    ),
    ("EXEC images.transfer @image_id = 1", "required param not supplied for exec: region", "images.transfer"),
    ("EXEC images.update @@json = :b", "required param not supplied for exec: image_id", "images.update"),
    ("EXEC images.update @image_id = 1", "update sets nothing", "images.update"),
    ("EXEC images.update @image_id = 1 @@json = '{}'", "update sets nothing", "images.update"),
    ("EXEC images.update @image_id = 1 @nmae = 'x'", "no parameter 'nmae' in update. Did you mean 'name'?", "nmae"),
    ("EXEC images.update @data__image_id = 1", "no parameter 'data__image_id'", "data__image_id"),
    ("EXEC images.update @image_id = 1 @name = 'x' @data__name = 'y'", "name is given twice", "data__name"),
    ("EXEC images.update @image_id = 'a-slug' @name = 'x'", "image_id takes a whole number above zero", "'a-slug'"),
    ("EXEC images.update @image_id = 1.5 @name = 'x'", "image_id takes a whole number", "1.5"),
    ("EXEC images.update @image_id = -1 @name = 'x'", "image_id takes a whole number", "-1"),
    ("EXEC images.update @image_id = true @name = 'x'", "image_id takes a whole number", "true"),
    ("EXEC images.delete @image_id = NULL", "image_id is required, and NULL is no value", "NULL"),
    ("EXEC images.update @image_id = 1 @name = 5", "name takes a text in single quotes", "5"),
    ("EXEC images.convert @image_id = 1 @region = 'r'", "no parameter 'region' in convert", "region"),
    ("EXEC images.transfer @image_id = 1 @region = 'r' @type = 'convert'", "type is 'transfer'", "'convert'"),
    ("EXEC images.delete @image_id = 1 @@json = '{}'", "takes no @@json", "'{}'"),
    ("EXEC images.update @image_id = 1 @@json = 5", "@@json takes a text in single quotes", "5"),
    ("EXEC images.update @image_id = 1 @@json = '[]'", "@@json takes a JSON object", "'[]'"),
    ("EXEC images.update @image_id = 1 @@json = 'not json'", "invalid JSON in @@json: expecting value", "n"),
    ("EXEC images.update @image_id = 1\n@@json = '{\"name\": ''x''}'", "at character 10 of it", "''"),
    ('EXEC images.update @image_id = 1 @@json = \'{"a": {"name": 1}}\'', "no field 'a' in the body", '"a"'),
    ('EXEC images.update @image_id = 1 @@json = \'{"nam": ""}\'', "Did you mean 'name'?", '"nam"'),
    ('EXEC images.update @image_id = 1 @@json = \'{"data__name": ""}\'', "it is 'name', not", '"data__name"'),
    ("EXEC images.update @image_id = 1 @@json = '{\"image_id\": 1}'", "no field 'image_id'", '"image_id"'),
    ("EXEC images.update @image_id = 1 @@json = '{\"name\": 5}'", "name takes a text", '"name"'),
    ('EXEC images.update @image_id = 1 @@json = \'{"name": {"a": 1}}\'', "no JSON object", '"name"'),
    ("EXEC images.update @image_id = 1 @@json = '{\"name\": [[1]]}'", "nor lists within a list", '"name"'),
    ('EXEC images.update @image_id = 1 @@json = \'{"name":"a","name":"a"}\'', "name is given twice", '"name"'),
    ("EXEC images.update @image_id = 1 @name='y' @@json = '{\"name\":\"x\"}'", "@@json contradicts @name", '"name"'),
    ('EXEC images.transfer @image_id = 1 @@json = \'{"type":"x","region":"r"}\'', "type is 'transfer'", '"type"'),
    ("EXEC images.update @image_id = 1 @@json = '{\"name\": NaN}'", "JSON has not", "'{\"name\": NaN}'"),
    ('EXEC images.update @image_id = 1 @@json = \'{"name": "\\ud800"}\'', "JSON has not", '\'{"name": "\\ud800"}\''),
    ("EXEC images._list @per_page = 201", "per_page takes a whole number from 1 to 200.", "201"),
    ("EXEC images._list @page = 0", "page takes a whole number above zero.", "0"),
    ("EXEC images._list @private = false", "private takes true", "false"),
    ("EXEC images._list @private = 1", "private takes true", "1"),
    ("EXEC images._list @type = 'distribtion'", "Did you mean 'distribution'?", "'distribtion'"),
    ("EXEC images._list @image_id = 1", "no parameter 'image_id' in _list", "image_id"),
    ("EXEC images._get @image_id = 'a b'", "a whole number above zero or a slug", "'a b'"),
    ("EXEC images._get", "required param not supplied for exec: image_id", "images._get"),
]


@pytest.mark.parametrize(("text", "words", "marked"), WRONG, ids=[text for text, _, _ in WRONG])
def test_a_wrong_statement_is_an_error_that_points_at_what_is_wrong(text, words, marked):
    """Each mistake has its message, and carets below the part of the statement it is in."""
    message, shown = refusal(text)
    assert words in message
    assert shown == marked


@pytest.mark.parametrize("depth", [5_000, 90_000])
def test_json_that_is_nested_too_deep_is_an_error(depth):
    """No body makes anything but a StatementError."""
    with pytest.raises(StatementError, match="invalid JSON in @@json"):
        read(f"EXEC images.update @image_id = 1 @@json = '{'[' * depth}{']' * depth}'")


def test_the_place_is_that_in_the_whole_text():
    """Of several statements over several lines, line and column are those of the text."""
    text = (
        'SELECT 1;\n-- next\nEXEC images.update @image_id = 1,\n  @@json = \'{"name":'
        ' "it\'\'s",\n "nam": 1}\'; SELECT 2 WHERE 1 = 1'
    )
    with pytest.raises(StatementError, match="Did you mean 'name'") as caught:
        read(text, 1)
    assert (caught.value.line, caught.value.column) == (5, 2)


def test_no_message_says_an_address():
    """What is wrong with a url is said without it; the marked line is redacted as everywhere."""
    text = (
        "EXEC images.create_custom @name = 'a' @region = 'r' @url = 'https://me:secret@host/a' @@json = '{\"url\": 5}'"
    )
    message, _ = refusal(text)
    assert "host" not in message
    with pytest.raises(StatementError) as caught:
        read(text)
    assert "secret" not in str(caught.value)


RETURNING = [
    ("*", ["*"]),
    ("image, status", ["image", "status"]),
    ("json_extract(image, '$.id') AS id", ["JSON_EXTRACT(image, '$.id') AS id"]),
    ("images.name, images.*", ["images.name", "images.*"]),
    ("image_id, image_id + 1 AS n", ["id AS image_id", "id + 1 AS n"]),
    ("list_filter(tags, t -> t = 'a') AS t", ["LIST_FILTER(tags, LAMBDA t : t = 'a') AS t"]),
]


@pytest.mark.parametrize(("clause", "shown"), RETURNING)
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO images (name, region, url) VALUES ('a', 'r', 'u')",
        "UPDATE images SET name = 'a' WHERE id = 1",
        "DELETE FROM images WHERE id = 1",
    ],
)
def test_returning_takes_the_record_its_columns_and_expressions(statement, clause, shown):
    """What comes back may be named flat, or as the record."""
    assert [to_sql(one) for one in read(f"{statement} RETURNING {clause}").returning] == shown
    assert read(statement).returning == ()


def test_an_inserted_action_returns_the_action():
    """RETURNING of an action has the columns of actions."""
    text = "INSERT INTO actions (image_id, type) VALUES (1, 'convert') RETURNING"
    assert [to_sql(one) for one in read(f"{text} action, region_slug").returning] == ["action", "region_slug"]
    assert refusal(f"{text} image", UnknownColumnError)[1] == "image"


@pytest.mark.parametrize(
    ("clause", "kind", "words", "marked"),
    [
        ("id, nmae", UnknownColumnError, "no column 'nmae' in images. Did you mean 'name'", "nmae"),
        ("upper(i.name)", StatementError, "no table 'i' in RETURNING", "i.name"),
        ("count(*)", StatementError, "RETURNING tells of one row", "id = 1 RETURNING count(*"),
        ("(SELECT 1)", StatementError, "RETURNING tells of one row", "1"),
        ("id INTO x", StatementError, "RETURNING INTO is not there", "x"),
    ],
)
def test_returning_refuses_what_one_row_cannot_tell(clause, kind, words, marked):
    """Unknown names, other tables, counts and queries are errors."""
    message, shown = refusal(f"DELETE FROM images WHERE id = 1 RETURNING {clause}", kind)
    assert words in message
    assert clause == "count(*)" or shown == marked


@pytest.mark.parametrize(
    "text",
    [
        "INSERT /*+ AWAIT */ INTO images (name, region, url) VALUES ('a', 'r', 'u')",
        "UPDATE /*+ AWAIT */ images SET name = 'x' WHERE id = 1",
        "DELETE /*+ AWAIT */ FROM images WHERE id = 1",
        "EXEC /*+ AWAIT */ images.convert @image_id = 1",
    ],
)
def test_await_is_kept(text):
    """The hint is part of the change, and absent without it."""
    assert read(text).is_awaited
    assert not read(text.replace("/*+ AWAIT */ ", "")).is_awaited


def test_showresults_of_a_write_returns_the_record():
    """EXEC with SHOWRESULTS shows the reply's record; DELETE has no reply."""
    assert [to_sql(one) for one in read("EXEC /*+ SHOWRESULTS */ images.convert @image_id = 1").returning] == ["action"]
    assert read("EXEC /*+ SHOWRESULTS */ images.delete @image_id = 1").returning == ()
    assert read("EXEC images.convert @image_id = 1").returning == ()


@pytest.mark.parametrize(
    ("text", "method", "arguments"),
    [
        ("EXEC images._get @image_id = 'ubuntu-24-04-x64'", "_get", {"image_id": "'ubuntu-24-04-x64'"}),
        ("EXEC images.images_get @IMAGE_ID = 7", "_get", {"image_id": "7"}),
        (
            "EXEC images.list @type = 'distribution' @tag_name = :t",
            "_list",
            {"type": "'distribution'", "tag_name": ":t"},
        ),
        ("EXEC images._list @private = true, @page = 2 @per_page = 200 @tag_name = NULL", "_list", None),
        ("EXEC actions.list @image_id = 7", "list", {"image_id": "7"}),
    ],
)
def test_a_method_that_reads_is_the_whole_reply(text, method, arguments):
    """Get and list act as _get and _list; NULL is not given."""
    made = read(text)
    assert isinstance(made, RawRead)
    assert made.method.name == method
    expected = {"private": "TRUE", "page": "2", "per_page": "200"} if arguments is None else arguments
    assert {name: to_sql(value) for name, value in made.arguments.items()} == expected
    assert not made.shows_results
    assert read(text.replace("EXEC", "EXEC /*+ SHOWRESULTS */")).shows_results


def test_a_statement_is_not_changed_by_being_read():
    """The statement prints the same before and after, and gives the same change again."""
    for text, _, _ in RIGHT:
        statement = parse(text)[0]
        before = str(statement)
        assert read_change(statement) == read_change(statement)
        assert str(statement) == before


WORDS = sorted({word for text, *_ in [*RIGHT, *WRONG] for word in text.replace("(", " ( ").replace(")", " ) ").split()})


@given(
    st.sampled_from(
        ["INSERT INTO images", "UPDATE images SET", "DELETE FROM images", "EXEC images.update @image_id = 1"]
    ),
    st.lists(st.sampled_from(WORDS), max_size=12),
)
def test_no_text_makes_anything_but_a_usage_error(start, words):
    """Whatever follows, a statement is read or refused."""
    text = " ".join((start, *words))
    try:
        for statement in parse(text):
            if type(statement).__name__ in {"Insert", "Update", "Delete", "Exec"}:
                read_change(statement)
    except UsageError as error:
        assert error.line  # noqa: PT017 - most texts are refused, some are not
