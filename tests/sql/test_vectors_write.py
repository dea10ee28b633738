"""The vectors of writes: checked whole and explained, and nothing is sent, as writes are not built yet."""

# ruff: noqa: S608 - statements are what is tested here

import json

import pytest
from desk import T, get

from doimages.errors import StatementError, UnknownColumnError, UnsupportedError

SNAPSHOT, BACKUP = 200002364, 200004034
THREE = "data__name, data__region, data__url"
OWN_OLD = f"SELECT id FROM {T} WHERE private=true AND created_at < '2026-09-01'"
NAME, REGION = json.dumps({"name": "x"}), json.dumps({"region": "nyc2"})
OWN, ONE = "GET /v2/images?private=true&per_page=200&page=1", f"GET /v2/images/{SNAPSHOT}"
POST, PUT, DELETE, ACT = (
    "POST /v2/images",
    "PUT /v2/images/{image_id}",
    "DELETE /v2/images/{image_id}",
    "POST /v2/images/{image_id}/actions",
)

# By number: the statement, the request of each row with its fields, and the requests that find the rows.
WRITES = {
    "65": (
        f"""INSERT INTO {T} ({THREE}, data__tags) VALUES ('a','nyc3','http://x/1','["a","b"]') RETURNING image""",
        f"{POST}, with name, region, url, tags",
        [],
    ),
    "66": (
        f"INSERT INTO {T} ({THREE}) VALUES ('a','nyc3','http://x/1') RETURNING id, status",
        f"{POST}, with name, region, url",
        [],
    ),
    "68": (
        f"INSERT INTO {T} (name, region, url) VALUES ('a','nyc3','http://x/1'),('b','nyc3','http://x/2')",
        f"{POST}, with name, region, url",
        [],
    ),
    "73": (
        f"INSERT INTO {T} ({THREE}) SELECT name||'-copy','nyc3','http://x/'||id FROM {T} WHERE private=true",
        f"{POST}, with name, region, url",
        [OWN],
    ),
    "75": (f"DELETE FROM {T} WHERE image_id = {SNAPSHOT}", DELETE, [ONE]),
    "78": (f"DELETE FROM {T} WHERE image_id IN ({OWN_OLD})", DELETE, [OWN]),
    "83": (f"DELETE FROM {T} WHERE public", DELETE, ["GET /v2/images?per_page=200&page=1"]),
    "85": (f"EXEC {T}.update @image_id={SNAPSHOT}, @@json='{NAME}'", f"{PUT}, with name", [ONE]),
    "85 strict": (f"EXEC {T}.update @image_id={SNAPSHOT} @@json='{NAME}'", f"{PUT}, with name", [ONE]),
    "86": (f"EXEC {T}.update @image_id={SNAPSHOT}, @name='x'", f"{PUT}, with name", [ONE]),
    "86 data__": (f"EXEC {T}.images_update @image_id={SNAPSHOT}, @data__name='x'", f"{PUT}, with name", [ONE]),
    "93": (
        f"REPLACE digitalocean.compute.images SET name='x' WHERE image_id={SNAPSHOT} RETURNING image",
        f"{PUT}, with name",
        [ONE],
    ),
    "95": (
        f"EXEC digitalocean.compute.images.transfer @image_id={SNAPSHOT} @@json='{REGION}'",
        f"{ACT}, with type = 'transfer', region",
        [ONE],
    ),
    "96": (f"EXEC digitalocean.compute.images.convert @image_id={SNAPSHOT}", f"{ACT}, with type = 'convert'", [ONE]),
}
BAD = {
    "70": (f"INSERT INTO {T} ({THREE}) VALUES ('a','nyc3')", "disparity in fields to insert and supplied data"),
    "71": (f"INSERT INTO {T} ({THREE}, data__bogus) VALUES ('a','nyc3','http://x/1','b')", "bogus"),
    "76": (f"DELETE FROM {T}", "image_id"),
    "80": (f"DELETE FROM {T} WHERE NOT image_id = {SNAPSHOT}", "image_id"),
    "81": (f"DELETE FROM {T} WHERE image_id={SNAPSHOT} OR image_id={BACKUP}", "image_id"),
    "88": (f"EXEC {T}.update @image_id={SNAPSHOT} @@json='not json'", "JSON"),
}


@pytest.mark.parametrize("statement", [one[0] for one in WRITES.values()], ids=WRITES)
def test_a_write_that_is_right_sends_nothing_and_says_that_it_is_not_built(desk, statement):
    """The statement is checked whole; the images stay as they are."""
    before = json.dumps(desk.state.images)
    error = desk.refuse(statement, UnsupportedError)
    assert "Nothing was sent." in str(error)
    assert json.dumps(desk.state.images) == before


@pytest.mark.parametrize(("statement", "write", "reads"), WRITES.values(), ids=WRITES)
def test_a_write_is_explained_with_its_requests(desk, statement, write, reads):
    """EXPLAIN shows what finds the rows and what would be sent for each, and sends nothing."""
    plan = desk.ask(f"EXPLAIN {statement}")
    assert desk.sent == []
    assert plan.detail[plan.step == "then, for each row"].item() == write
    assert set(reads) <= set(plan.detail)
    assert bool(reads) == plan.detail.str.startswith("GET").any()


@pytest.mark.parametrize(("statement", "word"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("before", ["", "EXPLAIN "])
def test_a_write_that_is_wrong_is_refused(desk, before, statement, word):
    """Never a silent subset, never the contrary of what was written; the message names what is wrong."""
    error = desk.refuse(before + statement, (StatementError, UnknownColumnError))
    assert word in str(error)
    assert "^" in str(error)


def test_vector_90_does_one_get_and_says_so(desk):
    """Without SHOWRESULTS there is a message; with it the reply as it is, {image} in one row."""
    said = desk.ask(f"EXEC {T}._get @image_id={SNAPSHOT}")
    assert said.message.tolist() == ["The operation was despatched successfully."]
    assert desk.sent == [get(f"/v2/images/{SNAPSHOT}")]
    shown = desk.ask(f"EXEC /*+ SHOWRESULTS */ {T}._get @image_id={SNAPSHOT}")
    assert shown.columns.tolist() == ["image"]
    assert json.loads(shown.image.item())["id"] == SNAPSHOT
    assert desk.sent == [get(f"/v2/images/{SNAPSHOT}")]


def test_vector_91_does_one_get_and_gives_the_whole_reply(desk):
    """One page as the API gives it by itself: one row, its keys as columns."""
    reply = desk.ask(f"EXEC /*+ SHOWRESULTS */ {T}._list @type='distribution'")
    assert desk.sent == [get(type="distribution")]
    assert set(reply.columns) == {"images", "links", "meta"}
    assert len(reply) == 1
    assert {image["type"] for image in json.loads(reply.images.item())} == {"base"}
    assert json.loads(reply.meta.item())["total"] == 6
