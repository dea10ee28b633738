"""EXPLAIN: what it says is what is then sent, and nothing is sent to say it."""

# ruff: noqa: S608 - statements are what is tested here

import re

import pandas as pd
import pytest
from desk import get, listing

import doimages
from doimages.api.connect import embedded

SNAPSHOT, BASE = 200002364, 112006329
STATEMENTS = [
    "SELECT id FROM images",
    "SELECT id FROM images LIMIT 3",
    "SELECT id FROM images LIMIT 0",
    "SELECT id FROM images LIMIT 7 OFFSET 2",
    "SELECT id FROM images ORDER BY id LIMIT 3",
    "SELECT count(*) AS n FROM images",
    "SELECT count(*) AS n FROM images WHERE private = true AND tag_name = 'web'",
    "SELECT count(*) AS n FROM images WHERE public",
    "SELECT id FROM images WHERE page = 2 AND per_page = 7",
    "SELECT id FROM images WHERE type = 'distribution'",
    "SELECT id FROM images WHERE type IN ('distribution', 'application') AND private = true",
    "SELECT id FROM images WHERE type IN ('snapshot', 'custom')",
    "SELECT id FROM images WHERE tag_name IN ('web', 'prod')",
    f"SELECT id FROM images WHERE id IN ({SNAPSHOT}, {BASE}, 999)",
    f"SELECT id FROM images WHERE image_id = {SNAPSHOT}",
    "SELECT id FROM images WHERE image_id = 'ubuntu-24-04-x64'",
    "SELECT id FROM images WHERE id = -1",
    f"SELECT id FROM actions WHERE image_id IN ({SNAPSHOT}, {BASE})",
    "SELECT a.id FROM images a JOIN images b USING (id)",
    "SELECT id FROM images UNION SELECT id FROM images WHERE private = true",
    "WITH a AS (SELECT id FROM images WHERE tag_name = 'web') SELECT count(*) AS n FROM a",
    "SELECT x FROM f",
    "SELECT i.id FROM images i JOIN f ON f.x = i.id WHERE i.private = true",
    "SELECT 1 AS a",
    "VALUES (1, 'a')",
    "SHOW METHODS IN images WHERE SQLVerb = 'EXEC'",
    "DESCRIBE images",
    "USE digitalocean",
    f"EXEC images._get @image_id = {SNAPSHOT}",
    "EXEC /*+ SHOWRESULTS */ images._list @type = 'distribution'",
]
FRAMES = {"f": pd.DataFrame({"x": [SNAPSHOT]})}


def requests_in(plan: pd.DataFrame) -> list[str]:
    """Give the requests of a plan as the sandbox notes them: the parameters in the order of the alphabet."""
    found = []
    for step, detail in zip(plan.step, plan.detail, strict=True):
        method = re.fullmatch(r"GET ([^? ]+)(?:\?(\S*))?", detail.removesuffix(" and on"))
        if step.startswith("request") and detail != "none" and " and on, side by side" not in detail:
            assert method is not None, detail
            query = dict(pair.split("=") for pair in (method[2] or "").split("&") if pair)
            found.append(get(method[1], **query))
    return sorted(found)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_what_is_explained_is_what_is_sent(desk, statement):
    """Method, path, query and number of the requests; the columns and dtypes; and nothing before it is run."""
    plan = desk.ask(f"EXPLAIN {statement}", frames=FRAMES)
    assert desk.sent == []
    rows = desk.ask(statement, frames=FRAMES)
    assert requests_in(plan) == desk.sent
    columns = {step: detail for step, detail in plan.to_numpy() if step.startswith("column ")}
    if not statement.startswith("EXEC"):  # whose columns are the reply's
        assert columns == {f"column {name}": str(dtype) for name, dtype in rows.dtypes.items()}


def test_pages_are_told_as_far_as_they_are_known(large_desk):
    """Page 1 and more, as long as nobody has read this listing; then as many as there were the last time."""
    large_desk.ask("SELECT name FROM images")
    details = large_desk.ask("EXPLAIN SELECT name FROM images").detail.tolist()
    assert "GET /v2/images?per_page=200&page=2 to 3, side by side, if there are 450 images as the last time" in details
    details = large_desk.ask("EXPLAIN SELECT name FROM images WHERE tag_name = 'nobody'").detail.tolist()
    assert "page=2 and on, side by side, until the total that page 1 tells" in details[1]
    assert large_desk.sent == []


def test_actions_of_a_join_are_one_request_an_image(desk):
    """Which images, only the listing tells: the plan says so, with the query that finds them."""
    plan = desk.ask("EXPLAIN SELECT a.id FROM images i JOIN actions a ON a.image_id = i.id WHERE i.private = true")
    steps = plan.to_numpy().tolist()
    assert ["requests of actions_1", "GET /v2/images/{id}/actions?per_page=200&page=1 and on"] in steps
    assert "SELECT DISTINCT i.id FROM images_1 AS i" in dict(steps)["an id each of actions_1"]


@pytest.mark.parametrize(
    ("condition", "pushed", "left"),
    [
        ("private = true AND public", "private = true", "public"),
        ("tag_name IN ('a', 'b') AND size_gigabytes > 1", "tag_name = 'a' or 'b'", "size_gigabytes > 1"),
        ("type = 'snapshot'", "private = true", "type = 'snapshot'"),
        ("type = 'distribution'", "type = 'distribution'", ""),
        (f"id = {SNAPSHOT}", f"image_id = {SNAPSHOT}", f"id = {SNAPSHOT}"),
        (f"image_id = {SNAPSHOT}", f"image_id = {SNAPSHOT}", ""),
        ("name LIKE 'x%'", "nothing: all rows are read", "name ILIKE 'x%'"),
        ("id = -1", "image_id = none of its values", "id = -1"),
    ],
)
def test_the_residual_is_what_is_not_pushed_down(desk, condition, pushed, left):
    """What the request answers leaves it; what is about a column stays."""
    steps = dict(desk.ask(f"EXPLAIN SELECT id FROM images WHERE {condition}").to_numpy())
    assert steps["pushed down to images_1"] == pushed
    assert steps["residual, in DuckDB"] == f"SELECT id FROM images_1 AS images{' WHERE ' if left else ''}{left}"


@pytest.mark.parametrize(
    ("statement", "then"),
    [
        (f"DELETE FROM images WHERE image_id = {SNAPSHOT}", "DELETE /v2/images/{image_id}"),
        (f"UPDATE images SET name = 'x' WHERE image_id = {SNAPSHOT}", "PUT /v2/images/{image_id}, with name"),
        (f"EXEC images.convert @image_id = {SNAPSHOT}", "POST /v2/images/{image_id}/actions, with type = 'convert'"),
        ("INSERT INTO images (name, region, url) VALUES ('a', 'nyc3', 'http://x.com')", "POST /v2/images, with name,"),
    ],
)
def test_a_write_is_explained_and_sends_nothing(desk, statement, then):
    """What finds the rows, and what would be sent for each."""
    before = dict(desk.state.images)
    steps = dict(desk.ask(f"EXPLAIN {statement}").to_numpy())
    assert desk.sent == []
    assert steps["then, for each row"].startswith(then)
    assert desk.state.images == before


def test_explain_needs_no_token_and_starts_no_sandbox():
    """It asks nobody, not even who would be asked."""
    embedded.stop()
    plan = doimages.read_do_images("EXPLAIN SELECT id FROM images WHERE private = true")
    assert requests_in(plan) == listing(private="true")
    assert embedded.server is None
    assert "do_images" not in plan.attrs


def test_explain_of_a_view_saves_nothing(desk):
    """Nor does it drop one, or count as a statement before it."""
    desk.ask("EXPLAIN CREATE VIEW tried AS SELECT 1 AS a")
    desk.refuse("SELECT * FROM tried")
    desk.refuse("EXPLAIN CREATE VIEW tried AS SELECT 1 AS a; SELECT * FROM tried")
    rows = desk.ask("CREATE VIEW tried AS SELECT 1 AS a; EXPLAIN DROP VIEW tried; SELECT * FROM tried; DROP VIEW tried")
    assert rows.message.tolist() == ["The view tried is gone."]
    desk.refuse("EXPLAIN DROP VIEW tried")
