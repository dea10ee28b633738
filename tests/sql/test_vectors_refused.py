"""The vectors of what fails: refused before anything is sent, or by the API, never an empty frame."""

# ruff: noqa: S608 - statements are what is tested here

from dataclasses import dataclass, field

import httpx
import pandas as pd
import pytest
from desk import T, get, listing

import doimages
from doimages.errors import (
    CredentialsError,
    NotFoundError,
    RateLimitError,
    ServerError,
    StatementError,
    UnknownColumnError,
)
from doimages.sandbox_api.faults import Fault

SNAPSHOT, MISSING = 200002364, 999
# The words of the message say what to write instead.
REFUSED = {
    "8": (f"image_id = {SNAPSHOT} AND private = true", "private belongs to list, not to get"),
    "15": ("NOT private = true", "takes only = and IN, under AND"),
    "18": ("tag_name = 't1' OR private = true", "which cannot say OR. Write"),
    "20": ("per_page > 5", "takes only = and IN, under AND. Write LIMIT"),
    "21": ("per_page = 500", "500 is no number from 1 to 200"),
}


@pytest.mark.parametrize(("condition", "message"), REFUSED.values(), ids=REFUSED)
def test_what_a_request_cannot_say_is_refused(desk, condition, message):
    """A parameter is `=` or IN under AND, within the API's bounds; nothing is sent."""
    error = desk.refuse(f"SELECT id FROM {T} WHERE {condition}")
    assert message in str(error)
    assert "^" in str(error)


@pytest.mark.parametrize(
    ("statement", "kind", "message", "column"),
    [
        (f"SELECT id FROM {T} WHERE nosuch = 1", UnknownColumnError, "no column 'nosuch' in images. Known: id,", 49),
        ("SELECT id FROM digitalocean.images.nope", StatementError, "no resource 'nope'", 16),
    ],
    ids=["55", "56"],
)
def test_an_unknown_name_is_refused_where_it_stands(desk, statement, kind, message, column):
    """The message lists what there is, and points at the name."""
    error = desk.refuse(statement, kind)
    assert message in str(error)
    assert (error.line, error.column) == (1, column)


@pytest.mark.parametrize(
    ("condition", "paths"),
    [
        (f"image_id IN ({SNAPSHOT}, {MISSING})", [f"/v2/images/{SNAPSHOT}", f"/v2/images/{MISSING}"]),
        (f"image_id = {MISSING}", [f"/v2/images/{MISSING}"]),
    ],
    ids=["5", "6"],
)
def test_a_missing_image_is_an_error_that_names_it(desk, condition, paths):
    """StackQL prints to stderr and gives the rest of the rows, or none."""
    with pytest.raises(NotFoundError, match=str(MISSING)) as caught:
        desk.ask(f"SELECT id FROM {T} WHERE {condition}")
    assert desk.sent == [get(path) for path in paths]
    error = caught.value
    assert (error.status, error.api_id) == (404, "not_found")
    assert error.request_id


@dataclass
class Relay:
    """Hands each request to the sandbox; the client waits by a fake clock."""

    token: str
    url: str
    replies: list[int] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        reply = httpx.request(
            request.method, self.url + request.url.raw_path.decode(), headers={"authorization": f"Bearer {self.token}"}
        )
        self.replies.append(reply.status_code)
        return httpx.Response(reply.status_code, headers=dict(reply.headers), content=reply.content)


@pytest.fixture
def relay(desk):
    desk.state.log.clear()
    return Relay(desk.box.token, desk.box.url)


def test_vector_60_waits_as_long_as_the_api_says(desk, relay, make_client, fake_time):
    """429 with Retry-After: 1 is asked again after a second at least, and the rows come whole."""
    desk.state.faults.append(Fault("status", path="/v2/images", status=429, headers={"retry-after": "1"}))
    rows = pd.read_do_images(f"SELECT id FROM {T}", client=make_client(relay))
    assert rows.id.tolist() == desk.images.id.tolist()
    assert relay.replies == [429, 200]
    assert sum(fake_time.slept) >= 1
    assert desk.sent == listing() * 2


def test_vector_60_gives_up_with_the_wait_in_the_error(desk, relay, make_client):
    """A wait that is longer than is sensible is a RateLimitError, not an empty frame."""
    fault = Fault("status", path="/v2/images", status=429, headers={"retry-after": "3000"}, times=None)
    desk.state.faults.append(fault)
    with pytest.raises(RateLimitError) as caught:
        pd.read_do_images(f"SELECT id FROM {T}", client=make_client(relay))
    assert caught.value.retry_after == 3000


def test_vector_61_asks_again_after_a_failure_of_the_server(desk, relay, make_client):
    """One 500 to a GET costs one more GET."""
    desk.state.faults.append(Fault("status", path="/v2/images", status=500))
    rows = pd.read_do_images(f"SELECT id FROM {T}", client=make_client(relay))
    assert len(rows) == len(desk.images)
    assert relay.replies == [500, 200]


def test_vector_61_raises_where_the_server_goes_on_failing(desk, relay, make_client):
    """Always 500 is an APIError with the status; StackQL gives no rows."""
    desk.state.faults.append(Fault("status", path="/v2/images", status=500, times=None))
    with pytest.raises(ServerError) as caught:
        pd.read_do_images(f"SELECT id FROM {T}", client=make_client(relay))
    assert caught.value.status == 500
    assert len(relay.replies) > 1


def test_vector_63_says_where_a_token_may_come_from():
    """Without a token the error names both variables and the sandbox; no connection is tried."""
    with pytest.raises(CredentialsError) as caught:
        doimages.read_do_images(f"SELECT id FROM {T}")
    for word in ("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN", "sandbox"):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/etc/*')",
        "SELECT content FROM images, read_text('/etc/passwd')",
        "ATTACH 'there.db' AS there",
        "PRAGMA database_list",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "LOAD httpfs",
        "COPY images TO 'there.csv'",
        "COPY (SELECT 1) TO 'there.csv'",
        "EXPORT DATABASE 'there'",
        "CREATE TABLE there AS SELECT 1",
        f"SELECT id FROM {T}; COPY images TO 'there.csv'",
    ],
)
def test_vector_108_reaches_no_file_and_no_setting(desk, tmp_path, statement):
    """Files, settings and extensions are refused before anything is sent, and nothing is written."""
    before = sorted(tmp_path.rglob("*"))
    desk.refuse(statement)
    assert sorted(tmp_path.rglob("*")) == before


def test_vector_108_says_which_table_functions_there_are(desk):
    """One that reads files is not known at all: DuckDB, which is locked besides, is not even asked."""
    error = desk.refuse("SELECT * FROM read_csv('/etc/passwd')")
    assert "no table function 'read_csv' here. Known: json_each," in str(error)


INJECTION = "x' OR 1=1 --"


def test_vector_110_sends_a_value_as_it_is(desk):
    """What is bound to a parameter is one value of the request, quotes and all; no image has such a tag."""
    rows = desk.ask(f"SELECT id FROM {T} WHERE tag_name = :t", params={"t": INJECTION})
    assert rows.id.tolist() == []
    assert desk.sent == listing(tag_name=INJECTION)


@pytest.mark.parametrize("name", ["", INJECTION])
def test_vector_110_binds_a_value_as_a_text(desk, name):
    """A value is compared as it is: it gives the rows of that name and no others."""
    desk.state.images[SNAPSHOT]["name"] = name or "web"
    rows = desk.ask(f"SELECT id FROM {T} WHERE name = :t", params={"t": INJECTION})
    assert rows.id.tolist() == ([SNAPSHOT] if name else [])
    assert rows.id.dtype == "int64"
    assert desk.sent == listing()
