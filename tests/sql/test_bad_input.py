"""What bad input gets: an error of ours that points at the place, and not one request."""

# ruff: noqa: S608 - statements are what is tested here

import pytest
from desk import Desk

from doimages.errors import StatementError, UnknownColumnError, UsageError

# » stands where the error must point, and is no part of the statement; without it the error has no place to point at.
SYNTAX = {
    "»SELEC 1": "no statement begins with SELEC. Did you mean 'SELECT'",
    "SELECT 1; »SELEC 2": "no statement begins with SELEC",
    "»SELECT": "SELECT names no columns",
    "»SELECT FROM images": "SELECT names no columns",
    "SELECT id FROM»": "ends too early",
    "SELECT id images »WHERE": "WHERE is not expected here",
    "SELECT id FROM images WHERE id »=": "= is not expected here",
    "SELECT id FROM images »ORDER BY": "not expected here",
    "SELECT id FROM images »UNION": "UNION is not expected here",
    "SELECT id,», name FROM images": "a comma too many",
    "SELECT (id »FROM images": "FROM is not expected here",
    "SELECT id») FROM images": ") is not expected here",
    "SELECT id FROM images WHERE (id = »1": "ends too early",
    "SELECT id FROM images WHERE AND »id": "id is not expected here",
    "SELECT id FROM images\n  images2\n  »images3": "images3 is not expected here",
    "SELECT 1 »1": "1 is not expected here",
    "SELECT 1 »SELECT 2": "SELECT is not expected here",
    "SELECT [»1": "ends too early",
    "SELECT count(* »FROM images": "FROM is not expected here",
    "SELECT CAST(id») FROM images": ") is not expected here",
    "SELECT * FROM images JOIN»": "ends too early",
    "WITH a AS »SELECT 1 SELECT 1": "SELECT is not expected here",
    "»SELECT id FROM images WHERE id IN": "IN names no values",
    "»SELECT id FROM images WHERE id NOT IN ()": "IN names no values",
    "»VALUES": "this is no query",
    "CREATE VIEW v AS»": "a query is missing here",
    "CREATE VIEW v»": "AS is missing here",
    "EXPLAIN»": "ends too early",
    "EXPLAIN »SELEC id FROM images": "no statement begins with SELEC",
    "EXPLAIN »images nosuch": "no statement begins with IMAGES",
    "SHOW »NOSUCH": "PROVIDERS or SERVICES",
    "SHOW METHODS IN images LIKE»": "ends too early",
    "SHOW METHODS IN images WHERE»": "a condition is missing here",
    "DESCRIBE images »extra": "should end before this",
    "EXEC images.update »image_id=1": "Write @name = value",
    "EXEC images.update @image_id = »id": "this is no value",
    "EXEC images.update @image_id=1 @@»jsn='{}'": "no @@jsn; there is @@json",
    "EXEC images.update @image_id=1, @@json='{}', @»name='x'": "@@json comes last",
    "EXEC »/*+ NOSUCH */ images._list": "no hint NOSUCH",
    # quotes, comments, and other people's dialects
    "SELECT »'a": "a quote is opened here and not closed",
    'SELECT »"a': "a quote is opened here and not closed",
    "SELECT 'it''s' || »'x": "a quote is opened here and not closed",
    "»/* all": "a comment is opened here and not closed",
    "SELECT 1 »/* 'x' ": "a comment is opened here and not closed",
    "SELECT `id»` FROM images": 'Names stand in double quotes: "name"',
    "»SELECT ?": "values are written :name",
    "»SELECT $1": "values are written :name",
    "SELECT »:1": ": is not expected here",
    "SELECT id FROM images WHERE id = »:": ": is not expected here",
    "SELECT {{ ».x }}": ". is not expected here",
    "»SELECT * INTO t FROM images": "name a variable on the magic's line",
    "»SELECT id FROM images FOR UPDATE": "a listing cannot be locked",
    "»SELECT id FROM images FOR SHARE": "a listing cannot be locked",
    "SELECT 'a»\0'": r"'\x00' is no letter",
    "SELECT id FROM images»\0": r"'\x00' is no letter",
    "SELECT '»\ud800'": r"'\ud800' is no letter",
    'SELECT id AS "»\udfff" FROM images': r"'\udfff' is no letter",
}
NAMES = {
    "SELECT id FROM »image": "no table 'image'. Did you mean 'images'?",
    "SELECT id FROM »nosuch_view": "no table 'nosuch_view'. Known: images,",
    "SELECT id FROM »azure.images.images": "no provider 'azure'. Known: digitalocean",
    "SELECT id FROM »digitalocean.image.images": "no service 'image' in digitalocean. Did you mean 'images'?",
    "SELECT id FROM »digitalocean.images.image": "no resource 'image' in digitalocean.images. Did you mean",
    "SELECT id FROM »digitalocean.images": "is a service, not a resource",
    "SELECT »x.name FROM images i": "no table 'x' in this FROM. Known: i",
    "SELECT »images.name FROM images i": "no table 'images' in this FROM",
    "SELECT »lenght(name) FROM images": "no function 'lenght'. Did you mean 'length'",
    "WITH RECURSIVE a AS (SELECT * FROM »a) SELECT * FROM a": "no table 'a'",
    "CREATE VIEW v AS SELECT * FROM »v": "no table 'v'",
    "DROP VIEW nosuch": "no view 'nosuch'. Known: none",
    "CREATE VIEW images AS SELECT 1": "take a word that is no table's",
    "CREATE VIEW »a.b AS SELECT 1": "without dots",
    "CREATE »TABLE t (a int)": "only views are created",
    "DROP »TABLE images": "only views are created and dropped",
    "»ALTER TABLE images ADD x int": "no statement begins with ALTER",
    "»TRUNCATE images": "no statement begins with TRUNCATE",
    "EXEC »images.nosuch @image_id = 1": "no method 'nosuch' in images. Known: get, list",
    "EXEC »images @image_id = 1": "its method is missing",
    "EXEC images.update @»nosuch = 1": "no parameter 'nosuch' in update. Known: image_id",
    "EXEC images._list @»nosuch = 1": "no parameter 'nosuch' in _list",
    "EXEC »images._get": "required param not supplied for exec: image_id",
    "INSERT INTO images (»nosuch) VALUES (1)": "no field 'nosuch' in INSERT. Known: name",
    "UPDATE images SET »nosuch = 1 WHERE image_id = 1": "no field 'nosuch' in SET. Known: name",
    "DELETE FROM »nosuch WHERE image_id = 1": "no table 'nosuch'",
    "SHOW SERVICES IN »nosuch": "no provider 'nosuch'",
    "SHOW RESOURCES IN »digitalocean.nosuch": "no service 'nosuch' in digitalocean",
    "SHOW INSERT INTO »nosuch": "no table 'nosuch'",
    "DESCRIBE METHOD »images.nosuch": "no method 'nosuch'",
    "SELECT id FROM images WHERE id = »:nosuch": ":nosuch has no value. Give it: params={'nosuch': ...}",
    "SELECT id FROM images WHERE id IN »:nosuch": ":nosuch has no value",
    "SELECT »* FROM images, images": "Alias already used: images",
}
COLUMNS = {
    "SELECT »nmae FROM images": "no column 'nmae' in images. Did you mean 'name'?",
    "SELECT\n  id,\n  »nmae\nFROM images": "no column 'nmae'",
    "SELECT '\u2028',\r\n »nmae\r\nFROM images": "no column 'nmae'",
    "SELECT »i.nmae FROM images i": "no column 'nmae' in i",
    "SELECT id FROM images WHERE »sluge = 'x'": "Did you mean 'slug'?",
    "SELECT id FROM images ORDER BY »nosuch": "Known: id, name",
    "SELECT id FROM images GROUP BY »nosuch": "no column 'nosuch'",
    "SELECT 1;; SELECT »nosuch FROM images": "no column 'nosuch'",
    "SELECT »ид FROM images": "no column 'ид'",
    "SELECT * EXCLUDE (»nosuch) FROM images": "no column 'nosuch'",
    "SELECT »x": "no column 'x' in a query without FROM.",
    "DELETE FROM images WHERE »nosuch = 1": "no column 'nosuch'",
    "EXPLAIN SELECT »nosuch FROM images": "no column 'nosuch'",
    "CREATE VIEW v AS SELECT »nosuch FROM images": "no column 'nosuch'",
    "SHOW METHODS IN images WHERE »nosuch = 1": "no column 'nosuch' in shown",
    "SELECT * FROM actions WHERE »nosuch = 1 AND image_id = 1": "no column 'nosuch' in actions",
}
VALUES = {
    "id = »'abc'": "id is a whole number, and 'abc' is none. A slug goes into image_id",
    "id IN (»'a', 1)": "id is a whole number",
    "public = »'maybe'": "public is true or false",
    "min_disk_size > »'big'": "min_disk_size is a whole number",
    "size_gigabytes BETWEEN »'a' AND 'b'": "size_gigabytes is a number",
    "created_at > »'yesterday'": "Write 'YYYY-MM-DD'",
    "name LIKE 'a' ESCAPE »'bb'": "an escape is one letter",
    "image_id = »0": "0 is no image id",
    "image_id = -»1": "-1 is no image id",
    "image_id = »1.5": "1.5 is no whole number",
    "image_id = »1e3": "1e3 is no whole number",
    "image_id = »9223372036854775808": "no image id",
    "image_id = »'../account'": "'../account' is no image id",
    "»image_id = NULL": "None is no image id",
    "»image_id IN (1, NULL)": "None is no image id",
    "tag_name = »''": "'' is no text",
    "tag_name = »5": "5 is no text",
    "»private = false": "it takes true, or is left out",
    "»private IN (true, false)": "it takes true, or is left out",
    "private = »'yes'": "it takes true, or is left out",
    "page = »0": "0 is no number from 1 to 1000000",
    "per_page = »201": "201 is no number from 1 to 200",
    "»page IN (1, 2)": "page takes one value",
    "id = 1 LIMIT »'x'": "LIMIT takes a whole number of rows",
    "id = 1 LIMIT »1.5": "LIMIT takes a whole number of rows",
    "id = 1 LIMIT »99999999999999999999": "LIMIT takes a whole number of rows",
    "id = 1 LIMIT 1 OFFSET »'x'": "OFFSET takes a whole number of rows",
    "id = 1 LIMIT -1": "cannot be negative",
    "created_at > 5": "an explicit cast is required",
    "list_contains(name, 'x')": "might need to add explicit type casts",
}
_ONLY = "takes only = and IN, under AND"
PARAMETERS = {
    "»tag_name = 'a' OR public": "which cannot say OR",
    "id = 1 OR »private = true": "which cannot say OR",
    "NOT »tag_name = 'a'": _ONLY,
    "»tag_name <> 'a'": _ONLY,
    "»tag_name > 'a'": _ONLY,
    "»tag_name LIKE 'a%'": _ONLY,
    "»tag_name = name": _ONLY,
    "»upper(tag_name) = 'A'": _ONLY,
    "NOT »private": _ONLY,
    "CASE WHEN »private THEN 1 END = 1": _ONLY,
    "»image_id > 5": f"{_ONLY}. For the column, write id",
    "»page BETWEEN 1 AND 2": f"{_ONLY}. Write LIMIT and OFFSET",
    "»per_page = 1 + 1": _ONLY,
    "»type <> 'application'": _ONLY,
    "»type = 'distribution' OR public": "which cannot say OR",
    "»type IN ('distribution', 'snapshot')": "Write two queries with UNION",
    "tag_name = 'a' AND »tag_name = 'b'": "tag_name is given twice",
    "id IN (SELECT id FROM images WHERE »private <> true)": _ONLY,
    "image_id = 7 AND »private = true": "private belongs to list, not to get",
}


def point(marked: str) -> tuple[str, tuple[int, int], bool]:
    """Give a statement, the line and column of its mark, and whether it has one."""
    before, mark, after = marked.partition("»")
    if not mark:
        return marked, (1, 1), False
    return before + after, (before.count("\n") + 1, len(before) - before.rfind("\n")), True


def hold(desk: Desk, marked: str, phrase: str, kind: type[UsageError]) -> None:
    """Ask what is marked, and hold the error against the phrase and the mark."""
    statement, place, is_marked = point(marked)
    error = desk.refuse(statement, kind)
    assert type(error) is kind
    message, *shown = str(error).split("\n")
    assert phrase in message
    assert (error.line, error.column) == place
    assert len(shown) == (2 if is_marked else 0)
    assert len(error._render_traceback_()) <= 3
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None


@pytest.mark.parametrize(("marked", "phrase"), (SYNTAX | NAMES).items(), ids=ascii)
def test_what_is_no_statement_is_refused_where_it_stands(desk, marked, phrase):
    """A StatementError says what is wrong and points at it, whatever the statement was to be."""
    hold(desk, marked, phrase, StatementError)


@pytest.mark.parametrize(("marked", "phrase"), COLUMNS.items(), ids=ascii)
def test_an_unknown_column_is_refused_where_it_stands(desk, marked, phrase):
    """An UnknownColumnError says what was meant, or what there is."""
    hold(desk, marked, phrase, UnknownColumnError)


@pytest.mark.parametrize(("marked", "phrase"), (VALUES | PARAMETERS).items(), ids=ascii)
def test_a_condition_that_cannot_be_is_refused(desk, marked, phrase):
    """Literals of the wrong kind or range, and parameters where a request cannot say what is meant."""
    hold(desk, f"SELECT id FROM images WHERE {marked}", phrase, StatementError)


@pytest.mark.parametrize("text", ["", ";", ";;\n;", "-- all", "/* all */", "# all", " \n\t"], ids=ascii)
def test_a_text_without_a_statement_is_refused(desk, text):
    """Python gives a statement or none; only a cell may be empty."""
    assert str(desk.refuse(text)) == "there is no statement. Nothing was sent."


@pytest.mark.parametrize("wrong", [7, b"SELECT 1", ["SELECT 1"]], ids=ascii)
def test_what_is_no_text_is_refused(desk, wrong):
    """It is named by its type."""
    assert f"a statement is text, not a {type(wrong).__name__}" in str(desk.refuse(wrong))


INJECTIONS = [
    "x' OR 1=1 --",
    "'; DROP TABLE images; --",
    'x"y',
    "x\n; SELECT 1",
    "/* x",
    "*/",
    ":t",
    "$1",
    "%",
    "\\'",
    "é🚀",
]


@pytest.mark.parametrize("value", INJECTIONS, ids=ascii)
def test_a_bound_value_stays_a_value(desk, value):
    """Whatever it holds, it is compared as it is: the one image of that name, by one listing."""
    chosen = desk.images.id[5]
    desk.state.images[int(chosen)]["name"] = value
    for condition in ("name = :t", "name IN (:t)", "name IN :t", "NOT (name <> :t)"):
        rows = desk.ask(f"SELECT id, :t AS given FROM images WHERE {condition}", params={"t": value})
        assert rows.to_numpy().tolist() == [[chosen, value]]
        assert desk.sent == ["GET /v2/images?page=1&per_page=200"]


@pytest.mark.parametrize("value", INJECTIONS, ids=ascii)
def test_a_bound_value_that_a_request_cannot_take_is_refused(desk, value):
    """A slug and a number are held against their rules as if they were written out."""
    for name in ("image_id", "page", "private"):
        error = desk.refuse(f"SELECT id FROM images WHERE {name} = :t", params={"t": value})
        assert error.column == 29
        assert name in str(error)


@pytest.mark.parametrize(
    "second",
    ["SELECT nosuch FROM images", "SELEC 1", "DROP VIEW nosuch", "COPY images TO 'x.csv'", "DELETE FROM images", "'"],
)
def test_a_wrong_statement_stops_those_before_it(desk, second):
    """All statements are checked before the first one is sent, and no view is kept of them."""
    desk.refuse(f"SELECT id FROM images; CREATE VIEW early AS SELECT 1; {second}", UsageError)
    desk.refuse("SELECT * FROM early")
