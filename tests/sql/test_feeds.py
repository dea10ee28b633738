"""Where the images of a join with actions come from, whatever stands beside it; and names, whatever their case."""

# ruff: noqa: S608 - statements are what is tested here

import pandas as pd
import pytest
from desk import listing

from doimages.errors import DOImagesError

OWN = "SELECT id FROM images WHERE type = 'snapshot'"


def of_images(desk):
    """The actions of the snapshots, asked for by a plain join."""
    joined = "SELECT a.id FROM images i JOIN actions a ON a.image_id = i.id WHERE i.type = 'snapshot' ORDER BY a.id"
    return desk.ask(joined).id.tolist(), desk.sent


@pytest.mark.parametrize(
    "statement",
    [
        f"SELECT a.id FROM ({OWN}) x JOIN actions a ON a.image_id = x.id ORDER BY a.id",
        f"WITH x AS ({OWN}) SELECT a.id FROM x JOIN actions a ON a.image_id = x.id ORDER BY a.id",
        f"WITH X AS ({OWN}) SELECT a.id FROM x JOIN actions a ON a.image_id = x.id ORDER BY a.id",
        f"SELECT * FROM (WITH x AS ({OWN}) SELECT a.id FROM x JOIN actions a ON a.image_id = x.id) ORDER BY id",
        f"CREATE OR REPLACE VIEW v AS {OWN}; SELECT a.id FROM v JOIN actions a ON a.image_id = v.id ORDER BY a.id",
        f"SELECT id FROM actions WHERE image_id IN ({OWN}) ORDER BY id",
    ],
)
def test_actions_are_read_for_whatever_names_images(desk, statement):
    """A derived table, a CTE, a view and a subquery send what a plain join sends."""
    expected, sent = of_images(desk)
    assert expected
    assert (desk.ask(statement).id.tolist(), desk.sent) == (expected, sent)


def test_actions_of_the_same_images_twice(desk):
    """What is fed by actions comes after them."""
    once = desk.ask("SELECT a.id FROM images i JOIN actions a ON a.image_id = i.id WHERE i.type = 'custom'")
    twice = desk.ask(
        "SELECT a.id FROM images i JOIN actions a ON a.image_id = i.id JOIN actions c ON c.image_id = a.image_id "
        "WHERE i.type = 'custom' AND c.id = a.id"
    )
    assert sorted(twice.id) == sorted(once.id)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT a.id FROM actions a JOIN actions b ON a.image_id = b.image_id",
        "SELECT a.id FROM actions a WHERE a.image_id = a.resource_id",
    ],
)
def test_actions_that_wait_for_themselves_are_refused(desk, statement):
    """Nobody says of which images they are to be."""
    assert "no image_id is given" in str(desk.refuse(statement))


def test_only_the_images_that_a_subquery_leaves_are_asked_for_their_actions(desk):
    """A predicate with a query of its own counts, too."""
    chosen = desk.images[desk.images["type"] == "snapshot"].id.head(2)
    statement = "SELECT a.id FROM images i JOIN actions a ON a.image_id = i.id WHERE i.id IN (SELECT k FROM mine)"
    desk.ask(statement, frames={"mine": pd.DataFrame({"k": chosen})})
    assert len(desk.sent) == len(listing()) + 2


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("WITH Images AS (SELECT 1 AS z) SELECT z FROM images", [1]),
        ("WITH X AS (SELECT 1 AS z) SELECT z FROM x", [1]),
        ("WITH IMAGES_1 AS (SELECT 1 AS z) SELECT max(z) FROM images, IMAGES_1", [1]),
    ],
)
def test_case_does_not_count_in_the_names_of_ctes(desk, statement, rows):
    """A CTE hides a table of its name, however it is written."""
    assert desk.ask(statement).iloc[:, 0].tolist() == rows


def test_frames_that_differ_by_case_alone_are_refused(desk):
    """SQL would take the one for the other."""
    frame = pd.DataFrame({"a": [1]})
    with pytest.raises(DOImagesError, match="two frames of the name"):
        desk.ask("SELECT * FROM d, D AS e", frames={"d": frame, "D": frame})


@pytest.mark.parametrize("join", ["RIGHT JOIN", "FULL JOIN"])
def test_an_id_that_a_join_made_of_two_is_no_image_for_sure(desk, join):
    """What stands in it may be the other side's."""
    made = desk.ask(f"SELECT id FROM images {join} mine USING (id)", frames={"mine": pd.DataFrame({"id": [777]})})
    assert 777 in made.id.tolist()
    assert made.attrs["do_images"]["ids_of"] is None
    assert made.id.dtype == "Int64"


def test_a_sum_over_all_ids_is_a_missing_id(desk):
    """ROLLUP makes a row without one."""
    assert desk.ask("SELECT id, count(*) AS n FROM images GROUP BY ROLLUP (id)").id.dtype == "Int64"


@pytest.mark.parametrize("condition", ["id IN :none", "image_id IN :none", "tag_name IN :none"])
def test_an_empty_list_needs_no_request(desk, condition):
    """No row can be in it."""
    assert desk.ask(f"SELECT id FROM images WHERE {condition}", params={"none": []}).empty
    assert desk.sent == []


def test_a_name_given_with_as_may_be_that_of_a_parameter(desk):
    """Outside WHERE and ON it is the column that SELECT names."""
    made = desk.ask("SELECT unnest(tags) AS tag_name, count(*) AS n FROM images GROUP BY tag_name ORDER BY tag_name")
    assert made.tag_name.notna().all()
    assert desk.ask("SELECT NOT public AS private FROM images ORDER BY private LIMIT 1").private.tolist() == [False]


def test_a_parameter_that_is_also_a_column_of_another_table_wants_its_table(desk):
    """Which of the two is meant decides what is asked for."""
    error = desk.refuse("SELECT 1 FROM images JOIN mine ON true WHERE tag_name = 'x'", frames={"mine": TAGS})
    assert "a parameter of a table and a column of another" in str(error)


TAGS = pd.DataFrame({"tag_name": ["x"]})


@pytest.mark.parametrize("condition", ["private = true", "type = 'snapshot'"])
def test_pivot_takes_queries_with_parameters(desk, condition):
    """The query within PIVOT is read as any other."""
    desk.ask(f"PIVOT (SELECT type, status FROM images WHERE {condition}) ON type USING count(*)")
    assert desk.sent == listing(private="true")


def test_a_view_is_a_select(desk):
    """The columns of PIVOT hang on the rows, so nothing can be checked of what reads it."""
    assert "a view is a SELECT" in str(desk.refuse("CREATE VIEW v AS PIVOT images ON type"))


def test_rows_that_were_cut_off_are_not_complete(desk):
    """Who cleans up by them should know."""
    made = desk.ask("SELECT id FROM images ORDER BY id", max_results=3)
    assert (len(made), made.attrs["do_images"]["complete"]) == (3, False)
