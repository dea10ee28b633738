"""Statements that are nested or long beyond measure: read, or refused with an error of ours."""

# ruff: noqa: S608 - statements are what is tested here

import pytest

DEEP = {
    "brackets": "SELECT " + "(" * 3000 + "1" + ")" * 3000,
    "brackets that are open": "SELECT " + "(" * 3000,
    "CASE": "SELECT " + "CASE WHEN true THEN " * 3000 + "1" + " END" * 3000,
    "NOT": f"SELECT id FROM images WHERE {'NOT ' * 3000}public",
    "lists": "SELECT " + "[" * 3000 + "1" + "]" * 3000,
    "objects": "SELECT " + "{'a': " * 3000 + "1" + "}" * 3000,
    "calls": f"SELECT {'upper(' * 3000}name{')' * 3000} FROM images",
    "queries": f"SELECT * FROM {'(SELECT * FROM ' * 1000}images{')' * 1000}",
    "minus": f"SELECT {'- ' * 3000}1",
    # what the parser reads in a loop, and copying or printing does not
    "sums": f"SELECT 1{' + 1' * 3000}",
    "AND": f"SELECT id FROM images WHERE true{' AND true' * 3000}",
    "UNION": f"SELECT 1{' UNION ALL SELECT 1' * 1000}",
    "casts": f"SELECT 1{'::int' * 3000}",
    "texts": f"SELECT 'a'{' || chr(97)' * 3000}",
    "CTEs": f"WITH a0 AS (SELECT 1),{','.join(f'a{n} AS (SELECT * FROM a{n - 1})' for n in range(1, 900))} FROM a899",
    "views": f"CREATE VIEW deep AS SELECT {'(' * 3000}",
    "EXEC": f"EXEC images._get @image_id = {'-' * 3000}1",
    "SHOW": f"SHOW METHODS IN images WHERE {'NOT ' * 3000}true",
    "long": "SELECT '" + "a" * 200_000 + "'",
}


@pytest.mark.parametrize("statement", DEEP.values(), ids=DEEP)
def test_what_is_too_deep_or_too_long_is_refused(desk, statement):
    """No RecursionError comes out, whoever would have run into it."""
    assert len(str(desk.refuse(statement))) < 500


def test_what_is_large_and_flat_is_read(desk):
    """A list of a thousand values and a text of a hundred thousand letters are nothing out of the ordinary."""
    text = "a" * 100_000
    rows = desk.ask(f"SELECT length('{text}') AS n FROM images WHERE id NOT IN ({'999,' * 1000}998)")
    assert rows.n.eq(len(text)).all()
    assert len(rows) == len(desk.images)
