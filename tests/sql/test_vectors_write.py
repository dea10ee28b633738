"""The vectors of writes: each makes a plan by reads alone; applied, it does what StackQL's documentation says."""

# ruff: noqa: S608 - statements are what is tested here

import json
import re
from dataclasses import dataclass

import pytest
from desk import T, get, listing

import doimages
from doimages.errors import NotConfirmedError, StatementError, UnknownColumnError, UsageError

SNAPSHOT, BACKUP = 200002364, 200004034
THREE = "data__name, data__region, data__url"
OWN_OLD = f"SELECT id FROM {T} WHERE private=true AND created_at < '2026-09-01'"
NAME, REGION = json.dumps({"name": "x"}), json.dumps({"region": "nyc2"})
U = "https://images.example.com"

# What planning sends: to find the rows, then the account and its images as they are now, and what uses them.
ALL, OWN, ONE = listing()[0], listing(private="true")[0], get(f"/v2/images/{SNAPSHOT}")
ACCOUNT, REGIONS, DROPLETS = (
    get("/v2/account"),
    get("/v2/regions", page=1, per_page=200),
    get("/v2/droplets", page=1, per_page=200),
)
UPDATE_ONE, DELETE_ONE = [ACCOUNT, ONE, OWN], [ACCOUNT, DROPLETS, ONE, OWN]
CREATE = [ACCOUNT, REGIONS]


@dataclass(frozen=True)
class Vector:
    """A statement, the request of each row as EXPLAIN has it, what is planned, and the requests that planning sends.

    ``steps`` are ids with fields, or fields for what is created; ``left`` are the ids of images left alone.
    ``reads`` is what EXPLAIN says will be read for the rows.
    """

    statement: str
    explained: str
    operation: str
    steps: list
    sent: list[str]
    left: tuple[int, ...] = ()
    reads: tuple[str, ...] = ()


def image(name: str, place: int = 1, **more) -> dict:
    """Give the fields of an import."""
    return {"name": name, "region": "nyc3", "url": f"{U}/{place}.img", **more}


POST, PUT, DELETE, ACT = (
    "POST /v2/images",
    "PUT /v2/images/{image_id}",
    "DELETE /v2/images/{image_id}",
    "POST /v2/images/{image_id}/actions",
)
THREE_OF_IT, PUT_NAME = f"{POST}, with name, region, url", f"{PUT}, with name"
OF_ONE, OF_OWN, OF_ALL = (
    (f"GET /v2/images/{SNAPSHOT}",),
    ("GET /v2/images?private=true&per_page=200&page=1",),
    ("GET /v2/images?per_page=200&page=1",),
)
PUBLIC = (112006329, 112050655, 112168469, 112229957, 112298115, 112354638)

VECTORS = {
    "65": Vector(
        f"""INSERT INTO {T} ({THREE}, data__tags) VALUES ('a','nyc3','{U}/1.img','["a","b"]') RETURNING image""",
        f"{THREE_OF_IT}, tags",
        "create",
        [image("a", tags=["a", "b"])],
        CREATE,
    ),
    "66": Vector(
        f"INSERT INTO {T} ({THREE}) VALUES ('a','nyc3','{U}/1.img') RETURNING id, status",
        THREE_OF_IT,
        "create",
        [image("a")],
        CREATE,
    ),
    "68": Vector(
        f"INSERT INTO {T} (name, region, url) VALUES ('a','nyc3','{U}/1.img'),('b','nyc3','{U}/2.img')",
        THREE_OF_IT,
        "create",
        [image("a"), image("b", 2)],
        CREATE,
    ),
    "73": Vector(
        f"INSERT INTO {T} ({THREE}) SELECT name||'-copy','nyc3','{U}/'||id||'.img' FROM {T}"
        f" WHERE private=true AND id < {BACKUP}",
        THREE_OF_IT,
        "create",
        [image("web-01-2026-11-01-copy", SNAPSHOT), image("talos-v1.8-nyc3-copy", 200003551)],
        [*CREATE[:1], OWN, REGIONS],
        reads=OF_OWN,
    ),
    "75": Vector(
        f"DELETE FROM {T} WHERE image_id = {SNAPSHOT}", DELETE, "delete", [(SNAPSHOT, {})], DELETE_ONE, reads=OF_ONE
    ),
    "78": Vector(
        f"DELETE FROM {T} WHERE image_id IN ({OWN_OLD})",
        DELETE,
        "delete",
        [(200081998, {}), (200097068, {})],
        [ACCOUNT, DROPLETS, ALL, OWN, OWN],
        left=(200057004, 200064769, 200073509),  # two unfinished, one tagged keep
        reads=OF_OWN,
    ),
    "83": Vector(
        f"DELETE FROM {T} WHERE public",
        DELETE,
        "delete",
        [],
        [ACCOUNT, DROPLETS, *(get(f"/v2/images/{one}") for one in PUBLIC), ALL, OWN],
        left=PUBLIC,
        reads=OF_ALL,
    ),
    **{
        number: Vector(statement, PUT_NAME, "update", [(SNAPSHOT, {"name": "x"})], UPDATE_ONE, reads=OF_ONE)
        for number, statement in {
            "85": f"EXEC {T}.update @image_id={SNAPSHOT}, @@json='{NAME}'",
            "85 strict": f"EXEC {T}.update @image_id={SNAPSHOT} @@json='{NAME}'",
            "86": f"EXEC {T}.update @image_id={SNAPSHOT}, @name='x'",
            "86 data__": f"EXEC {T}.images_update @image_id={SNAPSHOT}, @data__name='x'",
            "93": f"REPLACE digitalocean.compute.images SET name='x' WHERE image_id={SNAPSHOT} RETURNING image",
        }.items()
    },
    "95": Vector(
        f"EXEC digitalocean.compute.images.transfer @image_id={SNAPSHOT} @@json='{REGION}'",
        f"{ACT}, with type = 'transfer', region",
        "transfer",
        [(SNAPSHOT, {"region": "nyc2"})],
        [*UPDATE_ONE, REGIONS],
        reads=OF_ONE,
    ),
    "96": Vector(
        f"EXEC digitalocean.compute.images.convert @image_id={BACKUP}",
        f"{ACT}, with type = 'convert'",
        "convert",
        [(BACKUP, {})],
        [ACCOUNT, get(f"/v2/images/{BACKUP}"), OWN],
        reads=(f"GET /v2/images/{BACKUP}",),
    ),
}
every_vector = pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
BAD = {
    "70": (f"INSERT INTO {T} ({THREE}) VALUES ('a','nyc3')", "disparity in fields to insert and supplied data"),
    "71": (f"INSERT INTO {T} ({THREE}, data__bogus) VALUES ('a','nyc3','http://x/1','b')", "bogus"),
    "76": (f"DELETE FROM {T}", "image_id"),
    "80": (f"DELETE FROM {T} WHERE NOT image_id = {SNAPSHOT}", "image_id"),
    "81": (f"DELETE FROM {T} WHERE image_id={SNAPSHOT} OR image_id={BACKUP}", "image_id"),
    "88": (f"EXEC {T}.update @image_id={SNAPSHOT} @@json='not json'", "JSON"),
}


def apply(plan):
    """Confirm a plan and carry it out, without waiting."""
    return plan.apply(confirm=plan.confirmation, progress="off")


@every_vector
def test_a_write_makes_a_plan_and_sends_reads_only(desk, vector):
    """The plan has these steps and leaves these images alone; exactly these GETs go out, and nothing is changed."""
    before = json.dumps(desk.state.images)
    plan = desk.ask(vector.statement)
    assert isinstance(plan, doimages.Plan)
    assert plan.operation == vector.operation
    steps = [dict(one.fields) if one.image is None else (one.image_id, dict(one.fields)) for one in plan.steps]
    assert steps == vector.steps
    assert tuple(one.image_id for one in plan.refusals) == vector.left
    assert all(one.outcome == "refused" and one.reason for one in plan.refusals)
    assert desk.sent == sorted(vector.sent)
    assert json.dumps(desk.state.images) == before


@every_vector
def test_a_write_is_explained_with_its_requests(desk, vector):
    """EXPLAIN shows what finds the rows and what would be sent for each, and sends nothing."""
    told = desk.ask(f"EXPLAIN {vector.statement}")
    assert desk.sent == []
    assert told.detail[told.step == "then, for each row"].item() == vector.explained
    assert set(vector.reads) <= set(told.detail)
    assert bool(vector.reads) == told.step.str.startswith("requests of").any()
    looks = told.detail[told.step == "then, to plan"].item().split(", ")
    said, sent = ({one.partition("?")[0] for one in found} for found in ([*looks, *told.detail], vector.sent))
    assert {one for one in sent if not one.startswith("GET /v2/images/")} == {
        one for one in said if re.fullmatch(r"GET /v2/\w+", one)
    }


@every_vector
def test_an_applied_write_sends_a_request_a_step(desk, vector):
    """Nothing is sent without the words; with them one request for each step, and none for what is left alone."""
    plan = desk.ask(vector.statement)
    desk.state.log.clear()
    with pytest.raises(NotConfirmedError):
        plan.apply(confirm="yes", progress="off")
    assert desk.sent == []
    report = apply(plan)
    assert len(report) == len(vector.steps) + len(vector.left)
    request = vector.explained.partition(",")[0]
    expected = [request if type(one) is dict else request.replace("{image_id}", str(one[0])) for one in vector.steps]
    assert [one for one in desk.sent if not one.startswith("GET ")] == sorted(expected)
    report.raise_for_failures()


def test_vectors_65_to_73_make_the_images(desk):
    """Each has its name, region, URL and tags; RETURNING gives the record, or columns of it."""
    before = set(desk.state.images)
    [record] = apply(desk.ask(VECTORS["65"].statement)).returned.image
    [made] = [one for number, one in desk.state.images.items() if number not in before]
    assert json.loads(record)["id"] == made["id"]
    assert (made["name"], made["type"], {"a", "b"} <= set(made["tags"])) == ("a", "custom", True)
    told = apply(desk.ask(VECTORS["66"].statement)).returned
    assert told.columns.tolist() == ["id", "status"]
    assert set(told.id) <= set(desk.state.images) - before
    for number in ("68", "73"):
        steps = VECTORS[number].steps
        apply(desk.ask(VECTORS[number].statement))
        assert [one["name"] for one in list(desk.state.images.values())[-len(steps) :]] == [
            one["name"] for one in steps
        ]


@pytest.mark.parametrize("number", ["75", "78", "83"])
def test_vectors_75_to_83_delete_what_they_may(desk, number):
    """The images of the steps are gone, all others are there."""
    before, vector = set(desk.state.images), VECTORS[number]
    apply(desk.ask(vector.statement))
    assert before - set(desk.state.images) == {image_id for image_id, _ in vector.steps}


@pytest.mark.parametrize("number", ["85", "85 strict", "86", "86 data__", "93"])
def test_vectors_85_to_93_change_the_name(desk, number):
    """The image has the new name, and no other image is touched."""
    before = {image_id: dict(one) for image_id, one in desk.state.images.items()}
    report = apply(desk.ask(VECTORS[number].statement))
    assert {image_id: dict(one) for image_id, one in desk.state.images.items()} == before | {
        SNAPSHOT: before[SNAPSHOT] | {"name": "x"}
    }
    if number == "93":
        assert json.loads(report.returned.image.item())["name"] == "x"


@pytest.mark.parametrize(("number", "kind", "image_id"), [("95", "transfer", SNAPSHOT), ("96", "convert", BACKUP)])
def test_vectors_95_and_96_begin_an_action_with_its_type(desk, number, kind, image_id):
    """StackQL leaves the type out, or sends null; the row is the action, and it runs."""
    report = apply(desk.ask(VECTORS[number].statement))
    action = desk.state.actions[report.returned.id.item()]
    assert (action["type"], action["resource_id"]) == (kind, image_id)
    assert report.returned["type"].tolist() == [kind]
    assert report.counts == {"running": 1}
    for _ in range(4):
        desk.state.advance()
    assert desk.state.images[SNAPSHOT]["regions"] == (["nyc3", "nyc2"] if kind == "transfer" else ["nyc3"])
    assert desk.state.images[BACKUP]["type"] == ("snapshot" if kind == "convert" else "backup")


@pytest.mark.parametrize("url", ["http://x/1", f"http://x/{SNAPSHOT}", "u1"])
def test_the_urls_of_the_vectors_are_no_addresses_of_images(desk, url):
    """As the vectors write them, no image could be fetched: told before anything is sent."""
    error = desk.refuse(f"INSERT INTO {T} ({THREE}) VALUES ('a','nyc3','{url}')", UsageError)
    assert "the URL of the image" in str(error)


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
