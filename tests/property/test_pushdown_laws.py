"""Laws of pushdown: whatever goes to the API, the rows are those of the same SQL over whole listings."""

# ruff: noqa: S608 - the SQL is the test's own

import pytest
from clauses import conditions
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from world import ARGUMENTS, unordered

import doimages
from doimages.errors import StatementError

quick = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
asked = st.sampled_from(list(ARGUMENTS))


@settings(quick, max_examples=300)
@given(where=conditions(""))
@example(where="id IN (200004034, 112006329, NULL, 42)")
@example(where="id = 42 OR type = 'snapshot'")
@example(where="type IN ('snapshot', NULL) AND NOT (type = 'snapshot')")
def test_where_keeps_what_it_keeps_of_the_whole_listing(world, where):
    """The rows of a WHERE are those that SQLite keeps of the listing, in its order; single ids come as asked."""
    found, paths = world.read(f"SELECT id FROM images WHERE {where}")
    expected = world.sqlite.execute(f"SELECT id FROM images WHERE {where} ORDER BY rowid").fetchall()
    if set(paths) <= {"/v2/images"} and paths:
        assert found == expected
    else:
        assert unordered(found) == unordered(expected)


@settings(quick, max_examples=50)
@given(where=conditions(""))
def test_whole_rows_are_those_of_the_listing(world, where):
    """All columns are the listing's, and a frame under the same WHERE gives the same rows."""
    found, paths = world.read(f"SELECT * FROM images WHERE {where}")
    expected = world.over(f"SELECT * FROM listing WHERE {where}", listing="")
    assert paths in (["/v2/images"], paths[:0]) or all(path.startswith("/v2/images/") for path in paths)
    assert found == expected if paths == ["/v2/images"] else unordered(found) == unordered(expected)


@settings(quick, max_examples=120)
@given(parameters=asked.filter(bool), where=conditions(""), after=st.booleans())
def test_parameters_are_the_listing_they_ask_for(world, parameters, where, after):
    """Parameters beside other predicates give the listing read with these arguments, the rest applied to it."""
    both = (f"({where})", parameters) if after else (parameters, f"({where})")
    found, _ = world.read(f"SELECT id FROM images WHERE {' AND '.join(both)}")
    assert found == world.over(f"SELECT id FROM listing WHERE {where}", listing=parameters)


limits = st.builds(
    "{}{}".format,
    st.sampled_from(["", " LIMIT 0", " LIMIT 3", " LIMIT 100"]),
    st.sampled_from(["", " OFFSET 2", " OFFSET 70"]),
)
SHAPES = (
    "SELECT id, name FROM {t}{where}{limit}",
    "SELECT upper(name), id + 1 FROM {t}{where}{limit}",
    "SELECT DISTINCT type FROM {t}{where} ORDER BY type{limit}",
    "SELECT DISTINCT ON (type) type FROM {t}{where} ORDER BY type{limit}",
    "SELECT id FROM {t}{where} ORDER BY size_gigabytes DESC, id{limit}",
    "SELECT id FROM {t}{where} ORDER BY id{limit}",
    "SELECT type, count(*), max(size_gigabytes) FROM {t}{where} GROUP BY type ORDER BY type{limit}",
    "SELECT type, count(*) AS n FROM {t}{where} GROUP BY type HAVING count(*) > 3 ORDER BY n, type{limit}",
    "SELECT count(*) FROM {t}{where}{limit}",
    "SELECT count(*), 7 FROM {t}{where}{limit}",
    "SELECT count(*) FROM {t}{where} HAVING count(*) > 40{limit}",
    "SELECT 'x', count(*) FROM {t}{where} GROUP BY 1{limit}",
    "SELECT count(*) + count(1) FROM {t}{where}{limit}",
    "SELECT count(*) OVER () FROM {t}{where}{limit}",
    "SELECT count(*) FILTER (WHERE public) FROM {t}{where}{limit}",
    "SELECT count(DISTINCT type) FROM {t}{where}{limit}",
    "SELECT max(id) FROM {t}{where}{limit}",
    "SELECT row_number() OVER (ORDER BY id) FROM {t}{where}{limit}",
    "SELECT id FROM {t}{where} QUALIFY row_number() OVER (PARTITION BY type ORDER BY id) = 1 ORDER BY id{limit}",
    "SELECT unnest(tags), id FROM {t}{where} ORDER BY 1, 2{limit}",
    "SELECT (SELECT count(*) FROM {t}) - id FROM {t}{where}{limit}",
    "SELECT count(*) FROM (SELECT id FROM {t}{where}{limit}) x",
    "SELECT id FROM (SELECT id, type FROM {t}{where}{limit}) x WHERE type = 'snapshot' ORDER BY id",
    "SELECT id FROM {t} WHERE id IN (SELECT id FROM {t}{where}{limit}) ORDER BY id",
    "WITH c AS (SELECT id FROM {t}{where}{limit}) SELECT a.id FROM c a JOIN c b ON a.id = b.id ORDER BY a.id",
    "WITH c AS (SELECT * FROM {t}{limit}) SELECT id FROM c{where} ORDER BY id",
    "FROM {t}{where}{limit}",
    "SELECT 1 FROM {t}{where}{limit}",
    "SELECT count(*) FROM (SELECT DISTINCT public FROM {t}{where}{limit}) x",
    "SELECT type, label FROM {t} i(type, label){limit}",
    "SELECT a.id, b.id FROM {t} a POSITIONAL JOIN {t} b WHERE b.type = 'snapshot'{limit}",
    "SELECT a.id, b.id FROM {t} a ASOF JOIN {t} b ON a.id >= b.id AND b.type = 'base' ORDER BY a.id{limit}",
    "SELECT a.id, b.id FROM {t} a ASOF LEFT JOIN {t} b ON a.id > b.id WHERE b.type = 'base' ORDER BY a.id{limit}",
    "SELECT a.id FROM {t} a ANTI JOIN {t} b ON a.id = b.id AND b.type = 'snapshot' ORDER BY a.id{limit}",
    "SELECT a.id FROM {t} a ANTI JOIN {t} b ON a.id = b.id AND a.type = 'snapshot' ORDER BY a.id{limit}",
    "SELECT id FROM {t} WHERE id NOT IN (SELECT id FROM {t} WHERE type = 'snapshot') ORDER BY id{limit}",
    "SELECT id FROM {t} a WHERE NOT EXISTS (SELECT 1 FROM {t} b WHERE b.id = a.id AND a.public) ORDER BY id{limit}",
    "SELECT i.id FROM {t} i{where}{limit}",
    "SELECT i.id FROM {t} i, (SELECT 1 AS one UNION ALL SELECT 2) x{where} ORDER BY i.id, one{limit}",
    "SELECT i.id, j.tag FROM {t} i, unnest(i.tags) j(tag){where} ORDER BY i.id, j.tag{limit}",
)


def _shape(drawn: dict, table: str) -> str:
    where = f" WHERE {drawn['where']}" if drawn["where"] else ""
    return drawn["shape"].format(t=table, where=where, limit=drawn["limit"])


shapes = st.fixed_dictionaries(
    {"shape": st.sampled_from(SHAPES), "where": st.none() | conditions("", leaves=2), "limit": limits}
)


def _is_in_order(paths: list[str]) -> bool:
    return all(path == "/v2/images" for path in paths)


@settings(quick, max_examples=250)
@given(drawn=shapes)
@example(
    drawn={
        "shape": "SELECT count(*) FROM (SELECT DISTINCT public FROM {t}{where}{limit}) x",
        "where": None,
        "limit": " LIMIT 3",
    }
)
def test_shapes_are_those_of_the_whole_listing(world, drawn):
    """LIMIT, OFFSET, ORDER BY, DISTINCT, GROUP BY and counts, also in a subquery or CTE, give the listing's rows."""
    found, paths = world.read(_shape(drawn, "images"))
    expected = world.over(_shape(drawn, "listing"), listing="")
    if _is_in_order(paths):
        assert found == expected
    else:
        assert len(found) == len(expected)  # ids come in the order asked, so a LIMIT keeps others
        if not drawn["limit"]:
            assert unordered(found) == unordered(expected)


narrow = shapes.filter(
    lambda one: one["shape"].startswith(("SELECT id FROM {t}{where}", "SELECT count(*) F", "SELECT max", "SELECT 1 F"))
)


@settings(quick, max_examples=100)
@given(first=narrow, second=narrow, word=st.sampled_from(["UNION ALL", "UNION", "EXCEPT", "INTERSECT"]))
@example(
    first={"shape": SHAPES[8], "where": None, "limit": ""},
    second={"shape": "SELECT id FROM {t}{where}{limit}", "where": None, "limit": " LIMIT 3"},
    word="UNION ALL",
)
@example(
    first={"shape": "SELECT id FROM {t}{where}{limit}", "where": None, "limit": " LIMIT 3"},
    second={"shape": "SELECT id FROM {t}{where}{limit}", "where": None, "limit": " LIMIT 100"},
    word="UNION ALL",
)
def test_queries_together_are_those_of_the_whole_listing(world, first, second, word):
    """Two queries of one statement share a listing without taking rows from each other."""
    sql = f"({_shape(first, 'images')}) {word} ({_shape(second, 'images')})"
    found, paths = world.read(sql)
    expected = world.over(sql.replace("images", "listing"), listing="")
    if _is_in_order(paths):
        assert unordered(found) == unordered(expected)


@pytest.mark.parametrize(
    "where",
    [
        "tag_name = 'prod' OR type = 'base'",
        "NOT private = true",
        "private <> true",
        "private IN (true, false)",
        "NOT (public AND tag_name = 'prod')",
        "type <> 'distribution'",
        "type = 'distribution' OR public",
        "type IN ('distribution', 'snapshot')",
        "(tag_name = 'prod' AND public) OR (tag_name = 'prod' AND NOT public)",
        "CASE WHEN public THEN private = true END",
        "tag_name = 'prod' AND tag_name = 'staging'",
        "coalesce(private, true)",
        "tag_name LIKE 'pr%'",
        "tag_name = name",
    ],
)
def test_parameter_that_no_request_can_say_is_refused(world, where):
    """A parameter anywhere but under AND with `=` or IN is an error before any request, never a wrong listing."""
    world.state.log.clear()
    with pytest.raises(StatementError):
        doimages.read_do_images(f"SELECT id FROM images WHERE {where}", client=world.client)
    assert not world.state.log
