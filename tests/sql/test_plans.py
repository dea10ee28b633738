"""Statements that change images, by what their plans hold, refuse and return."""

# ruff: noqa: S608 - statements are what is tested here

import asyncio
import json
from functools import partial

import pandas as pd
import pytest
from clauses import conditions
from desk import T, hold
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from world import World

import doimages
from doimages.change import apply as applying
from doimages.change.application import Application
from doimages.errors import ApplyError, NotFoundError, StatementError, UnknownColumnError, UsageError

SNAPSHOT, CUSTOM, BACKUP, BASE = 200002364, 200003551, 200004034, 112006329
OTHER = 200007218
URL = "https://images.example.com/1.img"
IMPORT = f"INSERT INTO {T} (name, region, url) VALUES ('a', 'nyc3', '{URL}')"


def ids(plan) -> list[int]:
    """Give the ids of the images a plan would change."""
    return [one.image_id for one in plan.steps]


def asked(plan) -> set[int]:
    """Give the ids of all images a plan was asked about, left alone or not."""
    return set(ids(plan)) | {one.image_id for one in plan.refusals}


def sends(plan) -> list[dict]:
    """Give what each step sends."""
    return [dict(one.fields) for one in plan.steps]


def apply(plan, **options):
    """Confirm a plan and carry it out."""
    return plan.apply(confirm=plan.confirmation, progress="off", **options)


def fail(desk, statement, kind=UsageError, **arguments) -> str:
    """Ask what gives no plan, hold that nothing was written, and give the message."""
    before = json.dumps(desk.state.images)
    with pytest.raises(kind) as caught:
        desk.ask(statement, **arguments)
    assert all(one.startswith("GET ") for one in desk.sent)
    assert json.dumps(desk.state.images) == before
    return str(caught.value)


@pytest.fixture
def quick(fake_time, monkeypatch):
    """Let waiting for actions and imports take no time."""
    quicker = partial(Application, clock=fake_time.clock, sleep=fake_time.sleep)
    monkeypatch.setattr(applying, "Application", quicker)
    return fake_time


# Which images


@pytest.mark.parametrize(
    ("where", "keep"),
    [
        (
            "type = 'snapshot' AND created_at < '2026-10-20'",
            lambda i: (i["type"] == "snapshot") & (i.created_at < "2026-10-20"),
        ),
        ("type = 'custom' OR name LIKE 'web-01%'", lambda i: (i["type"] == "custom") | i.name.str.startswith("web-01")),
        ("size_gigabytes > 20 AND NOT public", lambda i: (i.size_gigabytes > 20) & ~i.public),
        ("list_contains(tags, 'staging')", lambda i: i.tags.map(lambda tags: "staging" in (tags or []))),
        ("type = 'snapshot' AND created_at < now() - INTERVAL 100 YEAR", lambda i: i.id < 0),
    ],
)
def test_a_delete_is_about_the_images_that_its_where_keeps(desk, where, keep):
    """All of them and no other, each a step or left alone with a reason; as pandas keeps them."""
    plan = desk.ask(f"DELETE FROM images WHERE {where}")
    assert asked(plan) == set(desk.images[keep(desk.images)].id)
    assert len(asked(plan)) == len(plan.steps) + len(plan.refusals)


@pytest.mark.parametrize(
    ("condition", "is_kept"),
    [
        ("name = 'other'", False),
        ("name = 'web-01-2026-11-01'", True),
        ("type = 'backup'", False),
        ("list_contains(tags, 'prod')", True),
        ("id <> 200002364", False),
        ("false", False),
    ],
)
@pytest.mark.parametrize(
    "head", ["DELETE FROM images", "UPDATE images SET name = 'x'", "REPLACE images SET name = 'x'"]
)
def test_conditions_beside_image_id_count(desk, head, condition, is_kept):
    """StackQL looks at the id alone, and deletes whatever the name is."""
    plan = desk.ask(f"{head} WHERE image_id = {SNAPSHOT} AND {condition}")
    assert asked(plan) == ({SNAPSHOT} if is_kept else set())
    assert plan.count == len(plan.steps) == int(is_kept)


def test_a_contrary_means_all_others_and_goes_too_far(desk):
    """`NOT id = ...` is every other image: stopped by the share of the account, and by the number."""
    statement = f"DELETE FROM images WHERE NOT id = {SNAPSHOT}"
    message = fail(desk, statement)
    assert "max_percent=50" in message
    assert message.endswith("Nothing was changed.")
    doimages.options.max_percent = 100
    assert asked(desk.ask(statement)) == set(desk.images.id) - {SNAPSHOT}
    doimages.options.max_count = 5
    message = fail(desk, statement)
    assert "max_count=5." in message
    assert message.endswith("Nothing was changed.")


@pytest.mark.parametrize(
    "statement", ["DELETE FROM images", "UPDATE images SET name = 'x'", "REPLACE images SET name = 'x'"]
)
def test_without_where_there_is_no_plan(desk, statement):
    """It would be every image; nothing is sent."""
    assert "without WHERE" in str(desk.refuse(statement))


def test_a_missing_image_of_image_id_is_an_error(desk):
    """As in a SELECT, and the message says that there is no plan; `id = ...` of it is a plan of no images."""
    message = fail(desk, "DELETE FROM images WHERE image_id = 999", NotFoundError)
    assert "999" in message
    assert message.endswith("No plan was made. Nothing was changed.")
    assert asked(desk.ask("DELETE FROM images WHERE id = 999")) == set()


def test_a_subquery_names_the_images(desk):
    """`image_id IN (SELECT ...)` reads what the subquery names, in whatever way it finds it."""
    newest = f"SELECT id FROM {T} WHERE type = 'snapshot' ORDER BY created_at, id LIMIT 2"
    expected = desk.images[desk.images["type"] == "snapshot"].sort_values(["created_at", "id"]).id.head(2)
    assert asked(desk.ask(f"DELETE FROM images WHERE image_id IN ({newest})")) == set(expected)


FRAME = pd.DataFrame({"image_id": [CUSTOM, 999, SNAPSHOT], "new": ["n1", "n2", 'it\'s "n3"']})


@pytest.mark.parametrize("column", ["id", "image_id"])
def test_a_frame_names_the_images(desk, column):
    """Those of the frame that there are; the frame is joined by its name, and nobody else's."""
    where = f"{column} IN (SELECT image_id FROM mine)"
    assert asked(desk.ask(f"DELETE FROM images WHERE {where}", frames={"mine": FRAME})) == {CUSTOM, SNAPSHOT}
    assert "no table 'mine'" in fail(desk, f"DELETE FROM images WHERE {where}")


@pytest.mark.parametrize(
    "new",
    [
        "(SELECT new FROM mine WHERE mine.image_id = images.id)",
        "(SELECT max(m.new) FROM mine AS m WHERE m.image_id = images.id)",
        "coalesce((SELECT new FROM mine WHERE mine.image_id = images.id), name)",
    ],
)
def test_a_frame_gives_each_image_its_value(desk, new):
    """A subquery over a frame finds the name of each image."""
    statement = f"UPDATE images SET name = {new} WHERE id IN (SELECT image_id FROM mine)"
    plan = desk.ask(statement, frames={"mine": FRAME})
    assert {one.image_id: one.fields["name"] for one in plan.steps} == {CUSTOM: "n1", SNAPSHOT: 'it\'s "n3"'}


def test_of_images_without_a_row_in_the_frame_the_value_is_missing(desk):
    """NULL cannot be sent: an error that names the image, and no plan for a part."""
    statement = "UPDATE images SET name = (SELECT new FROM mine WHERE image_id = id) WHERE type = 'snapshot'"
    message = fail(desk, statement, frames={"mine": FRAME})
    assert message == f"name of image {OTHER} would be NULL, which cannot be sent. Nothing was changed."


def test_public_images_and_backups_are_left_alone(desk):
    """Each is there with its reason; applied, nothing but reads goes out for them."""
    where = f"image_id IN ({BASE}, {BACKUP})"
    for statement in (f"DELETE FROM images WHERE {where}", f"UPDATE images SET name = 'x' WHERE {where}"):
        plan = desk.ask(statement)
        reasons = {one.image_id: one.reason for one in plan.refusals}
        assert "public" in reasons[BASE]
        assert "backup" in reasons[BACKUP]
        assert ids(plan) == []
        desk.state.log.clear()
        assert apply(plan).counts == {"refused": 2}
        assert all(one.startswith("GET ") for one in desk.sent)


def test_what_is_so_already_is_no_step(desk):
    """A name that stays, and a region where the image is."""
    [left] = desk.ask("UPDATE images SET name = name WHERE id = 200003551").refusals
    assert (left.image_id, left.outcome) == (CUSTOM, "no change")
    [left] = desk.ask(f"EXEC images.transfer @image_id = {CUSTOM}, @region = 'nyc3'").refusals
    assert (left.image_id, left.outcome) == (CUSTOM, "no change")


def test_a_plan_of_sql_is_that_of_the_frame(desk):
    """The same images and values give the same fingerprint, by SELECT and accessor or by one statement."""
    where = "type = 'snapshot' AND created_at < '2026-10-20'"
    frame, client = desk.ask(f"SELECT id FROM images WHERE {where}"), desk.box.client
    mine = frame.do_images.delete(client=client)
    assert desk.ask(f"DELETE FROM images WHERE {where}").fingerprint == mine.fingerprint
    one = desk.ask(f"SELECT id, name FROM images WHERE id = {CUSTOM}")
    mine = one.do_images.update(name=lambda image: f"x-{image['name']}", client=client)
    assert desk.ask(f"UPDATE images SET name = 'x-' || name WHERE id = {CUSTOM}").fingerprint == mine.fingerprint
    assert desk.ask(f"UPDATE images SET name = 'y-' || name WHERE id = {CUSTOM}").fingerprint != mine.fingerprint
    mine = doimages.create_custom(name="a", region="nyc3", url=URL, client=client)
    assert desk.ask(IMPORT).fingerprint == mine.fingerprint


# Which values


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ("'x-' || name", ["x-web-01-2026-11-01", "x-talos-v1.8-nyc3"]),
        ("CASE type WHEN 'custom' THEN 'c' ELSE 's-' || left(name, 6) END", ["s-web-01", "c"]),
        ("iif(type = 'custom', upper(name), name || '-old')", ["web-01-2026-11-01-old", "TALOS-V1.8-NYC3"]),
        ("type || '-' || id", ["snapshot-200002364", "custom-200003551"]),
        ("strftime('%Y', created_at) || '-' || regions[1]", ["2026-nyc3", "2026-nyc3"]),
        ("'a' || (SELECT count(*) FROM images WHERE public)", ["a6", "a6"]),
        ("(SELECT 'a')", ["a", "a"]),
    ],
)
@pytest.mark.parametrize("verb", ["UPDATE", "REPLACE"])
def test_a_value_is_any_expression_over_the_image(desk, verb, value, made):
    """One value an image, and UPDATE and REPLACE are the same request."""
    plan = desk.ask(f"{verb} images SET name = {value} WHERE image_id IN ({SNAPSHOT}, {CUSTOM})")
    assert ids(plan) == [SNAPSHOT, CUSTOM]
    assert [one["name"] for one in sends(plan)] == made
    apply(plan)
    assert [desk.state.images[one]["name"] for one in (SNAPSHOT, CUSTOM)] == made


def test_several_fields_are_one_request(desk):
    """Each field that SET names, and no other."""
    plan = desk.ask(f"UPDATE images SET description = 'd', distribution = 'Debian' WHERE image_id = {CUSTOM}")
    assert sends(plan) == [{"description": "d", "distribution": "Debian"}]
    assert apply(plan).counts == {"done": 1}
    assert desk.state.images[CUSTOM]["description"] == "d"
    assert [one.method for one in desk.state.log].count("PUT") == 1


INJECTION = "x' OR 1=1; DELETE FROM images WHERE true; --"


def test_a_parameter_is_a_value(desk):
    """Quotes and semicolons in it are letters, in WHERE, in SET, in VALUES and in RETURNING."""
    assert asked(desk.ask("DELETE FROM images WHERE name = :n", params={"n": INJECTION})) == set()
    plan = desk.ask(
        "UPDATE images SET name = :n WHERE id IN :ids RETURNING id, :n AS n", params={"n": INJECTION, "ids": [SNAPSHOT]}
    )
    assert sends(plan) == [{"name": INJECTION}]
    returned = apply(plan).returned
    assert returned.to_dict("records") == [{"id": SNAPSHOT, "n": INJECTION}]
    assert desk.state.images[SNAPSHOT]["name"] == INJECTION
    values = {"n": INJECTION, "t": ["a", "b"]}
    plan = desk.ask(f"INSERT INTO images (name, region, url, tags) VALUES (:n, 'nyc3', '{URL}', :t)", params=values)
    assert sends(plan) == [{"name": INJECTION, "region": "nyc3", "url": URL, "tags": ["a", "b"]}]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "name of image 200002364 would be NULL, which cannot be sent."),
        (5, "name of image 200002364 is 5, which is no text."),
        (True, "name of image 200002364 is True, which is no text."),
        ("", "the name of image 200002364 would be empty."),
        (" \t", "the name of image 200002364 would be empty."),
        ("x" * 256, "the name of image 200002364 would have 256 letters, more than 255."),
    ],
)
def test_a_value_that_cannot_be_sent_makes_no_plan(desk, value, said):
    """It names the image, and what is wrong with the value."""
    message = fail(desk, f"UPDATE images SET name = :n WHERE id = {SNAPSHOT}", params={"n": value})
    assert message == f"{said} Nothing was changed."


@pytest.mark.parametrize(
    "value", ["NULL || name", "length(name)", "slug", "tags", "nullif(name, name)", "id", "public"]
)
def test_an_expression_that_gives_no_text_makes_no_plan(desk, value):
    """What comes of it is looked at for each image."""
    message = fail(desk, f"UPDATE images SET name = {value} WHERE image_id = {SNAPSHOT}")
    assert message.startswith(f"name of image {SNAPSHOT} ")
    assert message.endswith("Nothing was changed.")


def test_one_bad_value_among_many_makes_no_plan(desk):
    """Never a plan of those that could be sent."""
    message = fail(desk, "UPDATE images SET name = nullif(name, 'talos-v1.8-nyc3') WHERE type = 'custom'")
    assert f"name of image {CUSTOM} would be NULL" in message


# INSERT


def test_several_rows_are_several_images(desk):
    """In the order written, each with its fields; a NULL is a field that is left out."""
    plan = desk.ask(
        "INSERT INTO images (name, region, url, description, distribution) VALUES"
        f" ('a', 'nyc3', '{URL}', NULL, 'Debian'), ('b', 'ams3', '{URL}', 'text', NULL)"
    )
    assert sends(plan) == [
        {"name": "a", "region": "nyc3", "url": URL, "distribution": "Debian"},
        {"name": "b", "region": "ams3", "url": URL, "description": "text"},
    ]
    assert plan.confirmation == "create 2 images"


@pytest.mark.parametrize(
    ("tags", "made"),
    [
        ("['a', 'b']", ["a", "b"]),
        ("""'["a", "b"]'""", ["a", "b"]),
        (":list", ["a", "b"]),
        (":json", ["a", "b"]),
        ("list_concat(['a'], :list)", ["a", "b"]),
        ("[]", []),
        ("NULL", None),
        (":none", None),
    ],
)
def test_tags_are_a_list_or_its_json(desk, tags, made):
    """However it is written; NULL means none are sent."""
    values = {"list": ["a", "b"], "json": '["a", "b"]', "none": None}
    [fields] = sends(
        desk.ask(f"INSERT INTO images (name, region, url, tags) VALUES ('a', 'nyc3', '{URL}', {tags})", params=values)
    )
    assert fields.get("tags") == made


@pytest.mark.parametrize("tags", ["prod", "5", '{"a": 1}', '["a b"]', "[1]", '["é"]', ""])
def test_tags_that_are_none_are_refused(desk, tags):
    """Before anything is sent."""
    statement = f"INSERT INTO images (name, region, url, tags) VALUES ('a', 'nyc3', '{URL}', :t)"
    message = str(desk.refuse(statement, UsageError, params={"t": tags}))
    assert "tag" in message
    assert "Nothing was" in message


def test_an_insert_may_select(desk):
    """A row of the query is an image: over images, over frames, and over none at all."""
    plan = desk.ask(
        f"INSERT INTO images (name, region, url, tags) SELECT name || '-copy', regions[1], '{URL}', tags"
        f" FROM images WHERE image_id IN ({CUSTOM}, {SNAPSHOT})"
    )
    assert [(one["name"], one["region"], one["tags"]) for one in sends(plan)] == [
        ("talos-v1.8-nyc3-copy", "nyc3", ["base-image"]),
        ("web-01-2026-11-01-copy", "nyc3", ["prod"]),
    ]
    frame = pd.DataFrame({"name": ["a", "b"], "url": [URL, URL]})
    plan = desk.ask("INSERT INTO images (name, region, url) SELECT name, 'nyc3', url FROM mine", frames={"mine": frame})
    assert [one["name"] for one in sends(plan)] == ["a", "b"]
    assert (
        len(desk.ask(f"INSERT INTO images (name, region, url) SELECT name, 'nyc3', '{URL}' FROM images WHERE false"))
        == 0
    )


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://images.example.com/1.img?signature=s3cret", "has a query or a fragment"),
        ("https://user:s3cret@images.example.com/1.img", "has a user name or password"),
        ("ftp://images.example.com/s3cret.img", "does not begin with"),
        ("https://127.0.0.1/s3cret.img", "cannot reach or should not"),
        ("https://images.example.com/s3cret.iso", "cannot be imported"),
    ],
)
@pytest.mark.parametrize(
    "form", ["VALUES ('a', 'nyc3', '{}')", "SELECT 'a', 'nyc3', '{}'", "VALUES ('a', 'nyc3', :url)"]
)
def test_a_url_is_looked_at_before_anything_is_sent(desk, form, url, said):
    """The error says what is wrong with it, and never shows it: it may hold a password."""
    statement = f"INSERT INTO images (name, region, url) {form.format(url)}"
    message = str(desk.refuse(statement, UsageError, params={"url": url}))
    assert said in message
    assert "s3cret" not in message
    assert message.endswith("Nothing was sent.")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (f"NULL::text, 'nyc3', '{URL}'", "name is missing"),
        (f"'a', NULL::text, '{URL}'", "region is missing"),
        ("'a', 'nyc3', NULL::text", "url is missing"),
        (f"5 + 0, 'nyc3', '{URL}'", "name of the new image is 5, which is no text"),
        (f"' ', 'nyc3', '{URL}'", "the name of the new image would be empty"),
        (f"'a', 'nyc9', '{URL}'", "no region 'nyc9'. Did you mean 'nyc3'"),
    ],
)
def test_a_row_that_is_no_image_makes_no_plan(desk, row, said):
    """What an import needs is checked in each row."""
    message = fail(desk, f"INSERT INTO images (name, region, url) SELECT {row}")
    assert said in message
    assert "Nothing was" in message


def test_an_action_is_inserted_for_each_row(desk):
    """INSERT ... SELECT over images; one that is asked for twice is one request."""
    plan = desk.ask(
        "INSERT INTO actions (image_id, type, region) SELECT id, 'transfer', 'lon1' FROM images"
        f" WHERE id IN ({CUSTOM}, {SNAPSHOT}) UNION ALL SELECT {CUSTOM}, 'transfer', 'lon1'"
    )
    assert (plan.operation, sorted(ids(plan))) == ("transfer", [SNAPSHOT, CUSTOM])
    assert sends(plan) == [{"region": "lon1"}] * 2
    assert any("given twice" in one for one in plan.warnings)


@pytest.mark.parametrize(
    ("image_id", "said"),
    [
        ("id + 0.5", "200002364.5 is no image id"),
        ("id + 0.5::DOUBLE", "200002364.5 is no image id"),
        ("-id", "-200002364 is no image id"),
        ("'x' || id", "'x200002364' is no image id"),
        ("nullif(id, id)", "a row of this statement has no id"),
        ("public", "False is no image id"),
    ],
)
def test_an_id_is_taken_as_it_is(desk, image_id, said):
    """One that would have to be rounded is another image's."""
    rows = f"SELECT {image_id}, 'transfer', 'lon1' FROM images WHERE id = {SNAPSHOT}"
    message = fail(desk, f"INSERT INTO actions (image_id, type, region) {rows}")
    assert said in message
    assert message.endswith("Nothing was changed.")


# How it goes with the rest


@pytest.mark.parametrize(
    "first", ["DELETE FROM images WHERE image_id = 7", IMPORT, "EXEC images.convert @image_id = 7"]
)
def test_a_write_stands_last(desk, first):
    """Its plan is the result; before another statement it would be lost, so nothing is sent."""
    message = str(desk.refuse(f"{first}; SELECT 1", UsageError))
    assert message == "A statement that changes images stands last: its plan is the result. Nothing was sent."
    desk.refuse(f"{first}; {first}", UsageError)


def test_reads_before_a_write_are_run(desk):
    """In their order, and the plan is the result."""
    plan = desk.ask(f"CREATE VIEW v AS SELECT {SNAPSHOT} AS n; DELETE FROM images WHERE image_id IN (SELECT n FROM v)")
    assert ids(plan) == [SNAPSHOT]


@pytest.mark.parametrize(
    "arguments", [{"max_results": 5}, {"columns": ["id"]}, {"index_col": "id"}, {"dtypes": {"id": "Int64"}}]
)
def test_arguments_of_frames_do_not_go_with_a_write(desk, arguments):
    """A plan is no frame, and is about all that WHERE names; EXPLAIN refuses no less."""
    message = str(desk.refuse(f"DELETE FROM images WHERE id = {SNAPSHOT}", UsageError, **arguments))
    assert next(iter(arguments)) in message
    assert message.endswith("Nothing was sent.")


def test_a_plan_can_be_awaited(desk):
    """aread_do_images gives the same plan."""
    statement = f"DELETE FROM images WHERE image_id = {SNAPSHOT}"
    plan = asyncio.run(doimages.aread_do_images(statement, client=desk.box.client))
    assert isinstance(plan, doimages.Plan)
    assert plan.fingerprint == desk.ask(statement).fingerprint


def test_a_plan_is_applied_by_its_client(desk):
    """The one of the read; another endpoint is refused, for ids mean other images there."""
    plan = desk.ask(f"DELETE FROM images WHERE image_id = {SNAPSHOT}")
    with doimages.sandbox(images=60) as other:
        with pytest.raises(UsageError, match="the client speaks to"):
            apply(plan, client=other.client)
        assert SNAPSHOT in other._server.state.images
    assert apply(plan).counts == {"done": 1}
    assert SNAPSHOT not in desk.state.images


# RETURNING, AWAIT, SHOWRESULTS


def test_returning_tells_of_the_image_as_it_is_now(desk):
    """`*` is the columns of an image with their dtypes; expressions, aliases and the whole record work."""
    where = f"WHERE image_id = {SNAPSHOT}"
    for star in ("*", "images.*"):
        rows = apply(desk.ask(f"UPDATE images SET name = 'x{star}' {where} RETURNING {star}")).returned
        shown = desk.ask(f"SELECT * FROM images {where}")
        assert list(rows.columns) == list(shown.columns)
        hold(rows, shown.astype({"id": "Int64"}))
    plan = desk.ask(
        f"UPDATE images AS i SET name = 'y' {where} RETURNING i.image_id, upper(i.name) AS n,"
        " size_gigabytes * 2 AS twice, image ->> 'name' AS within, image"
    )
    [row] = apply(plan).returned.to_dict("records")
    assert list(row) == ["image_id", "n", "twice", "within", "image"]
    record = json.loads(row["image"])
    assert (row["image_id"], row["n"], row["within"], record["name"]) == (SNAPSHOT, "Y", "y", "y")
    assert row["twice"] == 2 * record["size_gigabytes"]


@pytest.mark.parametrize("returning", ["* EXCLUDE (tags)", "images.* EXCLUDE (tags)", "* EXCLUDE (tags, image)"])
def test_a_star_leaves_the_whole_record_out(desk, returning):
    """With EXCLUDE as without."""
    rows = apply(desk.ask(f"UPDATE images SET name = 'x' WHERE id = {CUSTOM} RETURNING {returning}")).returned
    assert list(rows.columns) == [name for name in desk.images.columns if name != "tags"]


def test_without_returning_the_columns_are_told(desk):
    """A report has them all the same."""
    rows = apply(desk.ask(f"UPDATE images SET name = 'x' WHERE id = {SNAPSHOT}")).returned
    assert list(rows.columns) == list(desk.images.columns)
    assert rows.name.tolist() == ["x"]


def test_returning_of_a_delete_tells_of_the_image_as_it_was(desk):
    """The API gives no reply: what the plan has read is told."""
    before = desk.ask(f"SELECT id, name, tags, created_at FROM images WHERE id = {SNAPSHOT}")
    plan = desk.ask(f"DELETE FROM images WHERE id = {SNAPSHOT} RETURNING id, name, tags, created_at")
    rows = apply(plan).returned
    hold(rows, before.astype({"id": "Int64"}))


def test_returning_of_no_rows_has_columns(desk):
    """With the dtypes they have for any; what was left alone is no row."""
    plan = desk.ask("DELETE FROM images WHERE public RETURNING id, name, created_at, size_gigabytes * 2 AS twice")
    rows = apply(plan).returned
    assert len(rows) == 0
    assert {name: str(dtype) for name, dtype in rows.dtypes.items()} == {
        "id": "Int64",
        "name": "str",
        "created_at": "datetime64[us, UTC]",
        "twice": "Float64",
    }


def test_returning_is_told_of_what_was_done(desk):
    """Of an image that was gone by then there is no row."""
    plan = desk.ask(f"DELETE FROM images WHERE id IN ({SNAPSHOT}, {CUSTOM}) RETURNING id")
    del desk.state.images[CUSTOM]
    report = apply(plan)
    assert report.counts == {"done": 1, "already gone": 1}
    assert report.returned.id.tolist() == [SNAPSHOT]


@pytest.mark.parametrize(
    ("returning", "kind"),
    [
        ("nosuch", UnknownColumnError),
        ("json_extract(image, '$[')", StatementError),
        ("count(*)", StatementError),
        ("(SELECT max(id) FROM images)", StatementError),
        ("upper(id, 1)", StatementError),
        ("other.id", StatementError),
        ("* EXCLUDE (nosuch)", UsageError),
    ],
)
def test_a_wrong_returning_is_told_before_anything_is_sent(desk, returning, kind):
    """It is read again when rows have come, and must not fail then."""
    desk.refuse(f"DELETE FROM images WHERE id = {SNAPSHOT} RETURNING {returning}", kind)


def test_returning_that_fails_takes_nothing_from_the_report(desk):
    """What only the values show is told when they are asked for; the error says that it is about RETURNING alone."""
    report = apply(desk.ask(f"DELETE FROM images WHERE id = {SNAPSHOT} RETURNING name::INT"))
    assert report.counts == {"done": 1}
    with pytest.raises(StatementError, match="what was done stays done: see the report") as caught:
        report.returned  # noqa: B018 - a property that asks
    assert str(caught.value).endswith("^^^^")


def test_an_expression_that_fails_makes_no_plan(desk):
    """What DuckDB says of a value, and what that means."""
    message = fail(desk, f"UPDATE images SET name = (name::INT)::TEXT WHERE id = {OTHER}", StatementError)
    assert "could not convert string" in message
    assert message.endswith("No plan was made. Nothing was changed.")


def test_await_waits_for_an_import(desk, quick):
    """The image is available then; without AWAIT its import runs on."""
    plan = desk.ask(IMPORT.replace("INSERT", "INSERT /*+ AWAIT */") + " RETURNING status, size_gigabytes")
    report = apply(plan)
    assert plan.waits
    assert quick.slept
    assert report.counts == {"done": 1}
    assert report.returned.status.tolist() == ["available"]
    assert report.returned.size_gigabytes.notna().all()
    report = apply(desk.ask(IMPORT + " RETURNING status"))
    assert report.returned.status.tolist() == ["NEW"]


def test_await_fails_loudly(desk, quick):
    """An import that fails is a failed row with the API's own words."""
    plan = desk.ask(IMPORT.replace("INSERT", "INSERT /*+ AWAIT */").replace("1.img", "fail.img"))
    report = apply(plan)
    assert report.counts == {"failed": 1}
    assert "the import failed: " in report.failed.message.item()
    assert len(report.returned) == 0
    with pytest.raises(ApplyError, match="the import failed"):
        report.raise_for_failures()


@pytest.mark.parametrize(
    ("statement", "image_id"),
    [
        ("EXEC /*+ AWAIT */ images.transfer @image_id = 200002364, @region = 'ams3'", SNAPSHOT),
        ("EXEC /*+ AWAIT */ images.convert @image_id = 200004034", BACKUP),
        ("INSERT /*+ AWAIT */ INTO actions (image_id, type, region) VALUES (200002364, 'transfer', 'ams3')", SNAPSHOT),
    ],
)
def test_await_waits_for_an_action(desk, quick, statement, image_id):
    """It is completed then, and the image is so."""
    report = apply(desk.ask(statement))
    assert report.counts == {"done": 1}
    [row] = report.returned.to_dict("records")
    assert (row["resource_id"], row["status"]) == (image_id, "completed")
    assert report.returned.completed_at.notna().all()


def test_showresults_gives_the_reply(desk, quick):
    """The whole record in one column, as of the EXEC methods that read; AWAIT beside it waits first."""
    statement = f"EXEC /*+ SHOWRESULTS */ images.update @image_id = {SNAPSHOT} @name = 'x'"
    rows = apply(desk.ask(statement)).returned
    assert list(rows.columns) == ["image"]
    assert json.loads(rows.image.item())["name"] == "x"
    statement = f"EXEC /*+ SHOWRESULTS, AWAIT */ images.transfer @image_id = {SNAPSHOT} @region = 'ams3'"
    rows = apply(desk.ask(statement)).returned
    assert list(rows.columns) == ["action"]
    assert json.loads(rows.action.item())["status"] == "completed"


def test_a_plan_keeps_returning_and_await_on_disk(desk, tmp_path):
    """Saved and loaded, it waits and tells the same."""
    plan = desk.ask(f"UPDATE /*+ AWAIT */ images SET name = 'x' WHERE id = {SNAPSHOT} RETURNING upper(name) AS n")
    plan.save(tmp_path / "plan.json")
    loaded = doimages.load_plan(tmp_path / "plan.json")
    assert (loaded.waits, loaded.returning) == (True, plan.returning)
    assert apply(loaded, client=desk.box.client).returned.n.tolist() == ["X"]


# Laws


@pytest.fixture(scope="module")
def world():
    made = World()
    yield made
    made.client.close()
    made.sqlite.close()


def plan_in(world, statement, params=None):
    """Plan in the world, however many images are meant, and hold that only GETs were sent."""
    doimages.options.max_count, doimages.options.max_percent = 1000, 100
    world.state.log.clear()
    before = json.dumps(world.state.images)
    plan = doimages.read_do_images(statement, params=params or {}, client=world.client)
    assert {one.method for one in world.state.log} <= {"GET"}
    assert json.dumps(world.state.images) == before
    return plan


laws = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@laws
@given(where=conditions(""))
@example(where="NOT id = 200002364")
@example(where="id = 42 OR type = 'snapshot'")
@example(where="public")
def test_a_delete_is_about_what_a_select_finds(world, where):
    """For any WHERE: each image that SELECT gives is a step or left alone with a reason, and no other is."""
    plan = plan_in(world, f"DELETE FROM images WHERE {where}")
    expected = {image_id for (image_id,) in world.sqlite.execute(f"SELECT id FROM images WHERE {where}")}
    assert asked(plan) == expected
    assert len(plan.steps) + len(plan.refusals) == len(expected)
    assert all(one.reason for one in plan.refusals)
    for step in plan.steps:
        assert step.image.public is False
        assert step.image.type in {"snapshot", "custom"}


@laws
@given(where=conditions(""), name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
@example(where="type = 'custom'", name="it's; --")
def test_an_update_gives_each_image_the_value(world, where, name):
    """For any WHERE and any name: the images that SELECT gives, each with that name, letter by letter."""
    expected = {image_id for (image_id,) in world.sqlite.execute(f"SELECT id FROM images WHERE {where}")}
    statement = f"UPDATE images SET name = :name WHERE {where}"
    if expected and not name.strip():
        with pytest.raises(UsageError, match="would be empty"):
            plan_in(world, statement, {"name": name})
        return
    plan = plan_in(world, statement, {"name": name})
    assert asked(plan) == expected
    assert all(dict(one.fields) == {"name": name} for one in plan.steps)
