"""How few requests a statement takes: limits, counts, pages, single images, actions, and what is read once."""

# ruff: noqa: S608 - statements are what is tested here

import pandas as pd
import pytest
from desk import T, get, hold, listing

TALOS, BASE, SNAPSHOT, MISSING = 200003551, 112006329, 200002364, 999
OWN = ("snapshot", "backup", "custom")


@pytest.mark.parametrize(
    ("statement", "sent"),
    [
        ("SELECT a.id FROM images a JOIN images b ON a.id = b.id", listing()),
        ("WITH a AS (SELECT * FROM images) SELECT x.id FROM a x JOIN a y USING (id)", listing()),
        (
            "SELECT id FROM images WHERE private = true UNION SELECT id FROM images WHERE true = private",
            listing(private="true"),
        ),
        ("SELECT id, (SELECT max(id) FROM images) AS most FROM images", listing()),
        ("SELECT id FROM images WHERE id IN (SELECT max(id) FROM digitalocean.compute.images)", listing()),
        ("SELECT count(*) AS n FROM images UNION ALL SELECT max(id) FROM images", listing()),
        (
            "SELECT a.id FROM images a JOIN images b ON a.id = b.id AND b.private = true",
            [*listing(), *listing(private="true")],
        ),
        (
            "SELECT id FROM images WHERE tag_name = 'prod' UNION SELECT id FROM images WHERE tag_name = 'web'",
            [*listing(tag_name="prod"), *listing(tag_name="web")],
        ),
    ],
)
def test_the_same_listing_is_read_once(desk, statement, sent):
    """Whoever asks in one statement; listings with other parameters are others."""
    assert len(desk.ask(statement)) > 0
    assert desk.sent == sorted(sent)


@pytest.mark.parametrize(
    ("tail", "sent", "rows"),
    [
        ("LIMIT 5", [get(page=1, per_page=5)], slice(0, 5)),
        ("LIMIT 5 OFFSET 3", [get(page=1, per_page=8)], slice(3, 8)),
        ("LIMIT 3, 5", [get(page=1, per_page=8)], slice(3, 8)),
        ("LIMIT 0", [], slice(0, 0)),
        ("LIMIT 200", [get(page=1, per_page=200)], slice(0, 200)),
        ("LIMIT 450", listing(3), slice(0, 450)),
        ("LIMIT 2%", listing(3), slice(0, 9)),
        ("OFFSET 447", listing(3), slice(447, 450)),
        ("WHERE page = 2", [get(page=2, per_page=200)], slice(200, 400)),
        ("WHERE per_page = 7", [get(page=1, per_page=7)], slice(0, 7)),
        ("WHERE page = 4 AND per_page = 7", [get(page=4, per_page=7)], slice(21, 28)),
        ("WHERE per_page = 7 AND page = 4 LIMIT 2", [get(page=4, per_page=7)], slice(21, 23)),
        ("WHERE page = 4", [get(page=4, per_page=200)], slice(450, 450)),
    ],
)
def test_a_limit_or_a_page_reads_no_more_than_it_needs(large_desk, tail, sent, rows):
    """LIMIT alone is a smaller page; page and per_page are exactly that page."""
    hold(large_desk.ask(f"SELECT id, name FROM {T} {tail}"), large_desk.images[["id", "name"]].iloc[rows])
    assert large_desk.sent == sent


def test_max_results_cut_what_the_statement_leaves(desk):
    """The smaller of both counts; a share of the rows is a share of all 60 of them."""
    for tail, most, rows in (("", 5, 5), ("LIMIT 3", 5, 3), ("LIMIT 7", 5, 5), ("LIMIT 6%", 5, 3), ("LIMIT 2+4", 5, 5)):
        result = desk.ask(f"SELECT id FROM {T} {tail}", max_results=most)
        hold(result, desk.images[["id"]].head(rows))


@pytest.mark.parametrize("count", ["'x'", "-1", "2.5", str(10**22)])
@pytest.mark.parametrize("clause", ["LIMIT", "LIMIT 1 OFFSET"])
def test_a_count_of_rows_that_is_none_is_refused(desk, clause, count):
    """DuckDB would tell at the first row, when the listing has been read."""
    desk.refuse(f"SELECT id FROM images {clause} {count}")


def test_a_limit_of_more_than_a_page_reads_no_page_that_it_does_not_need(large_desk):
    """250 rows are two pages of three."""
    hold(large_desk.ask(f"SELECT id FROM {T} LIMIT 250"), large_desk.images[["id"]].head(250))
    assert len(large_desk.sent) == 2


@pytest.mark.parametrize(
    "clause",
    [
        "id FROM images WHERE type <> 'base' LIMIT 2",
        "id FROM images ORDER BY id LIMIT 2",
        "DISTINCT type FROM images LIMIT 2",
        "max(id) FROM images GROUP BY type LIMIT 2",
        "row_number() OVER (ORDER BY id) FROM images LIMIT 2",
        "a.id FROM images a JOIN images b ON a.id = b.id LIMIT 2",
    ],
)
def test_a_limit_after_a_residual_reads_all(large_desk, clause):
    """What is kept, sorted, grouped or joined here must be known whole."""
    assert len(large_desk.ask(f"SELECT {clause}")) == 2
    assert large_desk.sent == listing(3)


@pytest.mark.parametrize(
    ("statement", "sent", "count"),
    [
        ("SELECT count(*) AS n FROM images", [get(page=1, per_page=1)], 450),
        ("SELECT count(*) AS n FROM images WHERE private = true", [get(page=1, per_page=1, private="true")], None),
        ("SELECT count(*) AS n FROM images WHERE tag_name = 'prod'", [get(page=1, per_page=1, tag_name="prod")], None),
        ("SELECT count(*) AS n FROM images WHERE page = 3", [get(page=3, per_page=200)], 50),
        ("SELECT count(slug) AS n FROM images", listing(3), None),
        ("SELECT count(*) AS n FROM images WHERE public", listing(3), None),
    ],
)
def test_a_count_of_a_listing_is_one_small_request(large_desk, statement, sent, count):
    """The total of the reply is the answer, and it is that of the rows themselves."""
    result = large_desk.ask(statement)
    assert large_desk.sent == sent
    hold(result, pd.DataFrame({"n": [count or len(_counted(large_desk, statement))]}, dtype="Int64"))


def _counted(desk, statement):
    rows = desk.ask(statement.replace("count(*) AS n", "id").replace("count(slug) AS n", "slug"))
    return rows.dropna()


@pytest.mark.parametrize(
    ("joined", "sent", "kept"),
    [
        ("b.private = true WHERE b.id IS NULL", listing(private="true"), lambda i: ~i["type"].isin(OWN) | i.public),
        ("b.type = 'snapshot' WHERE b.id IS NULL", listing(private="true"), lambda i: i["type"] != "snapshot"),
        ("a.type = 'snapshot' WHERE b.id IS NULL", [], lambda i: i["type"] != "snapshot"),
        ("true WHERE b.id = NULL", [], lambda i: i.id < 0),
    ],
)
def test_the_on_of_an_outer_join_filters_the_other_side_only(desk, joined, sent, kept):
    """What has no partner stays, and that a column is NULL is no request for no rows."""
    rows = desk.ask(f"SELECT a.id FROM images a LEFT JOIN images b ON a.id = b.id AND {joined} ORDER BY a.id")
    hold(rows, desk.images[kept(desk.images)][["id"]].sort_values("id"))
    assert desk.sent == sorted([*listing(), *sent])


def test_tags_in_a_list_are_a_union_without_duplicates(desk):
    """An image with both tags is one row, and counts once; StackQL gives it twice."""
    both = listing(tag_name="prod") + listing(tag_name="web")
    tags = desk.images.tags.map(lambda tags: set(tags or ()) & {"prod", "web"})
    assert tags.map(len).max() == 2
    rows = desk.ask("SELECT id FROM images WHERE tag_name IN ('prod', 'web') ORDER BY id")
    hold(rows, desk.images[tags.map(bool)][["id"]].sort_values("id"))
    assert desk.sent == sorted(both)
    assert desk.ask("SELECT count(*) AS n FROM images WHERE tag_name IN ('prod', 'web')").n.item() == len(rows)
    assert desk.sent == sorted(both)


@pytest.mark.parametrize("column", ["id", "image_id"])
def test_single_images_come_in_the_order_asked(desk, column):
    """A GET each; an image named twice is one row."""
    rows = desk.ask(f"SELECT id, name FROM images WHERE {column} IN ({TALOS}, {BASE}, {SNAPSHOT}, {TALOS})")
    hold(rows, desk.images.set_index("id").loc[[TALOS, BASE, SNAPSHOT], ["name"]].reset_index())
    assert desk.sent == sorted(get(f"/v2/images/{number}") for number in (TALOS, BASE, SNAPSHOT))


@pytest.mark.parametrize("condition", [f"id = {MISSING}", f"id IN ({MISSING}, -1, 0, {2**63})"])
def test_a_missing_id_is_no_row(desk, condition):
    """`id` is a column, so that no image has it is no error."""
    hold(desk.ask(f"SELECT id, name FROM images WHERE {condition}"), desk.images[["id", "name"]].head(0))
    assert desk.sent == [get(f"/v2/images/{MISSING}")]


@pytest.mark.parametrize("value", [f"'{SNAPSHOT}'", f"{SNAPSHOT}.0"])
def test_an_id_that_is_written_otherwise_is_still_that_id(desk, value):
    """DuckDB compares the text or the float with the number, so the row is not lost on the way."""
    assert desk.ask(f"SELECT id FROM images WHERE id = {value}").id.tolist() == [SNAPSHOT]


def test_a_slug_is_no_id(desk):
    """A text that is no number is refused for the column, with the parameter named; actions take numbers only."""
    assert "A slug goes into image_id" in str(desk.refuse("SELECT id FROM images WHERE id = 'debian-12-x64'"))
    assert "is no image id" in str(desk.refuse("SELECT id FROM actions WHERE image_id = 'debian-12-x64'"))


@pytest.mark.parametrize("table", [T, "digitalocean.compute.images", "images"])
def test_all_names_of_the_images(desk, table):
    """Three names, one table."""
    hold(desk.ask(f"SELECT id FROM {table} LIMIT 2"), desk.images[["id"]].head(2))
    assert desk.sent == [get(page=1, per_page=2)]


def actions(*images):
    return [get(f"/v2/images/{number}/actions", page=1, per_page=200) for number in images]


@pytest.mark.parametrize(
    "table", ["digitalocean.images.actions", "digitalocean.compute.image_actions", "actions", "image_actions"]
)
def test_all_names_of_the_actions(desk, table):
    """Four names, one table; it is read by image."""
    rows = desk.ask(f"SELECT image_id, type, region_slug, started_at FROM {table} WHERE image_id = {TALOS}")
    assert rows.iloc[0, :3].tolist() == [TALOS, "transfer", "atl1"]
    assert str(rows.started_at.dtype) == "datetime64[us, UTC]"
    assert desk.sent == actions(TALOS)
    assert "no image_id is given" in str(desk.refuse(f"SELECT id FROM {table}"))


CUSTOM = "i.type = 'custom' AND i.private = true"


@pytest.mark.parametrize(
    "statement",
    [
        f"SELECT i.id, a.region_slug FROM images i JOIN actions a ON a.image_id = i.id WHERE {CUSTOM}",
        f"SELECT i.id, a.region_slug FROM images i LEFT JOIN actions a ON i.id = a.image_id WHERE {CUSTOM}",
        f"SELECT i.id, a.region_slug FROM images i, actions a WHERE a.image_id = i.id AND {CUSTOM}",
        f"SELECT image_id AS id, region_slug FROM actions WHERE image_id IN (SELECT id FROM images i WHERE {CUSTOM})",
    ],
)
def test_actions_of_images_are_one_request_an_image(desk, statement):
    """The listing first, then the actions of the images that WHERE leaves, and of no others."""
    wanted = desk.images[desk.images["type"] == "custom"].id
    moved = desk.images[(desk.images["type"] == "custom") & (desk.images.regions.str.len() > 1)].id
    rows = desk.ask(statement)
    assert desk.sent == sorted([*listing(private="true"), *actions(*wanted)])
    assert desk.state.log[0].path == "/v2/images"
    assert set(rows.dropna().id) == set(moved)
    assert set(rows.id) == set(wanted if "LEFT" in statement else moved)


def test_frames_join_by_the_name_they_are_given(desk):
    """The listing is read as ever; the frame's own columns come along."""
    frame = pd.DataFrame({"image_id": [TALOS, MISSING], "owner": ["ann", "bob"]})
    rows = desk.ask(
        "SELECT o.owner, i.name FROM owners o LEFT JOIN images i ON i.id = o.image_id ORDER BY o.owner",
        frames={"owners": frame, "others": frame},
    )
    assert rows.owner.tolist() == ["ann", "bob"]
    assert rows.name[0] == desk.images.set_index("id").name[TALOS]
    assert pd.isna(rows.name[1])
    assert desk.sent == listing()


def test_a_frame_alone_needs_no_request(desk):
    """SQL over a frame is SQL over a frame."""
    frame = desk.images[["name", "public"]]
    hold(desk.ask("SELECT name FROM mine WHERE public", frames={"mine": frame}), frame[frame.public][["name"]])
    assert desk.sent == []


def test_many_ids_are_one_listing_and_those_it_has_not_are_no_rows(desk):
    """`id` is a column: from a hundred values on, the listing says which of them there are."""
    ids = [*range(1, 150), *desk.images.id.tolist()]
    assert (
        desk.ask("SELECT id FROM images WHERE id IN :ids", params={"ids": ids}).id.tolist() == desk.images.id.tolist()
    )
    assert desk.sent == listing()
