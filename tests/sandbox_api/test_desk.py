from __future__ import annotations

import json

import pytest


def test_no_token(box):
    """Without a token, or with another one, every path is a 401 that says so."""
    for authorization in ({}, {"authorization": "Bearer other"}, {"authorization": "Basic sandbox-of-a-test"}):
        box.token = None
        for path in ("/v2/images", "/v2/nothing"):
            reply = box.send("GET", path, headers=authorization)
            assert reply.status_code == 401
            assert reply.json()["id"] == "unauthorized"
            assert reply.json()["message"] == "Unable to authenticate you"


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/v2/images", "image:read"),
        ("POST", "/v2/images", "image:create"),
        ("PUT", "/v2/images/5", "image:update"),
        ("DELETE", "/v2/images/5", "image:delete"),
        ("POST", "/v2/images/5/actions", "image:update"),
        ("GET", "/v2/account", "account:read"),
        ("GET", "/v2/actions", "actions:read"),
        ("GET", "/v2/regions", "regions:read"),
        ("GET", "/v2/snapshots", "snapshot:read"),
        ("GET", "/v2/droplets", "droplet:read"),
        ("POST", "/v2/tags", "tag:create"),
    ],
)
def test_scopes(box, method, path, scope):
    """A token without the scope of an operation is a 403; with it the operation is reached."""
    box.state.tokens["narrow"] = frozenset({"none"})
    box.state.tokens["fitting"] = frozenset({scope})

    box.token = "narrow"
    refused = box.send(method, path, json={})
    box.token = "fitting"
    reached = box.send(method, path, json={})

    assert refused.status_code == 403
    assert refused.json()["id"] == "forbidden"
    assert reached.status_code != 403


def test_without_tag_read(box):
    """A token without tag:read sees images without the key tags."""
    box.state.tokens["narrow"] = frozenset({"image:read"})
    box.token = "narrow"

    images = box.send("GET", "/v2/images").json()["images"]
    image = box.send("GET", f"/v2/images/{box.id_of('snapshot')}").json()["image"]

    assert not any("tags" in row for row in [*images, image])


def test_import_tags_need_a_scope(box):
    """Tags on an import need tag:create."""
    box.state.tokens["narrow"] = frozenset({"image:create"})
    box.token = "narrow"
    body = {"name": "n", "url": "https://example.com/d.img", "region": "nyc3"}

    assert box.send("POST", "/v2/images", json={**body, "tags": ["prod"]}).status_code == 403
    assert box.send("POST", "/v2/images", json=body).status_code == 202


def test_narrow_views(box):
    """Sizes of regions, snapshots of volumes and the tagging of images need scopes of their own."""
    key = next(iter(box.state.volume_snapshots))
    box.state.tokens["narrow"] = frozenset({"regions:read", "snapshot:read", "tag:create"})
    box.token = "narrow"

    assert all(region["sizes"] == [] for region in box.send("GET", "/v2/regions").json()["regions"])
    assert box.send("GET", "/v2/snapshots", params={"resource_type": "volume"}).json()["snapshots"] == []
    assert box.send("GET", f"/v2/snapshots/{key}").status_code == 403
    body = {"resources": [{"resource_id": str(box.id_of("snapshot")), "resource_type": "image"}]}
    assert box.send("POST", "/v2/tags/prod/resources", json=body).status_code == 403


def test_burst_limit(box, clock):
    """The request over the minute's limit is a 429 with retry-after; a minute after the first one it passes."""
    box.state.limits.minute = 2
    first = box.send("GET", "/v2/account")
    clock.now += 20
    box.send("GET", "/v2/account")

    refused = box.send("GET", "/v2/account")

    assert first.headers["ratelimit-limit"] == "40"
    assert first.headers["ratelimit-remaining"] == "39"
    assert first.headers["ratelimit-reset"] == "1800003600"
    assert "retry-after" not in first.headers
    assert refused.status_code == 429
    assert refused.json()["message"] == "API rate limit exceeded."
    assert refused.headers["retry-after"] == "40"
    assert refused.headers["ratelimit-remaining"] == "0"
    clock.now += 40
    assert box.send("GET", "/v2/account").status_code == 200


def test_hour_limit(box, clock):
    """The hour's limit is twenty minutes' worth, without retry-after; each request expires by itself."""
    box.state.limits.minute = 1
    for _ in range(20):
        assert box.send("GET", "/v2/account").status_code == 200
        clock.now += 60

    refused = box.send("GET", "/v2/account")

    assert refused.status_code == 429
    assert "retry-after" not in refused.headers
    assert refused.headers["ratelimit-reset"] == "1800003600"
    clock.now = 1_800_003_600
    assert box.send("GET", "/v2/account").status_code == 200


def test_spent(box, clock):
    """A quota can be spent beforehand: 40 requests remain, and the oldest expires in 40 minutes."""
    limits = box.state.limits
    limits.spend(box.token, limits.hour - 41, seconds_ago=1200)

    headers = box.send("GET", "/v2/account").headers
    assert headers["ratelimit-remaining"] == "40"
    assert int(headers["ratelimit-reset"]) - clock.now == 2400
    limits.spend(box.token, 40)
    refused = box.send("GET", "/v2/account")
    assert (refused.status_code, refused.headers["ratelimit-remaining"]) == (429, "0")
    assert int(refused.headers["ratelimit-reset"]) - clock.now == 2400
    assert "retry-after" not in refused.headers
    clock.now += 2400
    assert box.send("GET", "/v2/account").status_code == 200


def test_spent_in_the_minute(box, clock):
    """What was spent less than a minute ago counts for the burst, after what was spent before it."""
    box.state.limits.minute = 3
    box.send("GET", "/v2/account")
    box.state.limits.spend(box.token, 2, seconds_ago=30)

    assert box.send("GET", "/v2/account").headers["retry-after"] == "30"
    clock.now += 30
    assert box.send("GET", "/v2/account").status_code == 200


def test_each_token_has_its_own_limit(box):
    """One token's requests do not count for another."""
    box.state.limits.minute = 1
    box.state.tokens["other"] = None
    box.send("GET", "/v2/account")

    assert box.send("GET", "/v2/account").status_code == 429
    box.token = "other"
    assert box.send("GET", "/v2/account").status_code == 200


def test_every_reply_has_its_headers(box):
    """The rate limit and a request id are on every reply, refusals included; the id is in the error body."""
    box.state.tokens["narrow"] = frozenset()
    for token, path, status in (
        (box.token, "/v2/account", 200), (box.token, "/v2/x", 404), ("narrow", "/v2/account", 403), (None, "/", 401),
    ):  # fmt: skip
        box.token = token
        reply = box.send("GET", path)
        assert reply.status_code == status
        assert {"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "x-request-id"} <= set(reply.headers)
        if status != 200:
            assert reply.json()["request_id"] == reply.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/v2/images/", "/v2/images/ubuntu-24-04-x64/", "/v2/tags/prod/", "/v2/regions/"])
def test_trailing_slash(box, path):
    """A trailing slash changes nothing and redirects nowhere."""
    assert box.send("GET", path).json() == box.send("GET", path.rstrip("/")).json()


def test_slash_is_not_in_links(box):
    """The links of a page have no trailing slash before their query."""
    assert "/v2/images?" in box.send("GET", "/v2/images/").json()["links"]["pages"]["next"]


def test_head(box):
    """HEAD is GET without its body, its length included."""
    get = box.send("GET", "/v2/images")
    head = box.send("HEAD", "/v2/images")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.content))
    assert box.send("HEAD", "/v2/images/5").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PATCH", "/v2/images", "GET, HEAD, POST"),
        ("BREW", "/v2/images/5", "DELETE, GET, HEAD, PUT"),
        ("GET", "/v2/images/5/account_transfer", "POST"),
        ("HEAD", "/v2/images/5/account_transfer", "POST"),
        ("OPTIONS", "/v2/tags/prod/resources", "DELETE, POST"),
    ],
)
def test_unheard_methods(box, method, path, allow):
    """A method a path does not have is a 405 with Allow, and no permission for another origin."""
    reply = box.send(method, path, headers={"origin": "https://example.com"})

    assert reply.status_code == 405
    assert reply.headers["allow"] == allow
    assert "access-control-allow-origin" not in reply.headers
    if method != "HEAD":
        assert set(reply.json()) == {"id", "message", "request_id"}


@pytest.mark.parametrize("path", ["/", "/v2", "/v1/images", "/v2/images/5/actions/6/7", "/v2//images", "/v2/%00"])
def test_unknown_path(box, path):
    """A path that is not there is a JSON 404."""
    assert box.send("GET", path).json()["id"] == "not_found"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost", 200),
        ("[::1]:80", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
    ],
)
def test_host(box, host, status):
    """Only the local names, and the one it is served as, are answered."""
    assert box.send("GET", "/v2/account", headers={"host": host}).status_code == status


def test_log(box):
    """The log has each request and its outcome, and never the token."""
    box.send("POST", "/v2/tags/", params={"a": "1"}, json={"name": "fresh"})
    box.send("PUT", "/v2/images/5", content=b"{")
    box.token = None
    box.send("GET", "/v2/images")

    first, second, third = box.state.log
    assert (first.method, first.path, first.query, first.status) == ("POST", "/v2/tags", {"a": "1"}, 201)
    assert (first.body, first.has_authorization) == ({"name": "fresh"}, True)
    assert first.request_id == "00000000-0000-0000-0000-000000000001"
    assert (second.body, second.status) == ("{", 404)
    assert (third.body, third.has_authorization, third.status) == (None, False, 401)
    assert "sandbox-of-a-test" not in repr(box.state.log)


def test_log_forgets(box):
    """A full log forgets its older half."""
    box.send("GET", "/v2/account")
    box.state.log *= 10_000

    box.send("GET", "/v2/regions")

    assert len(box.state.log) == 5001
    assert box.state.log[-1].path == "/v2/regions"


def test_two_sandboxes_are_alike(box, clock):
    """The same requests get the same replies, byte for byte."""
    from doimages.sandbox_api.app import create_app
    from doimages.sandbox_api.state import State

    state = State(images=60, clock=clock)
    other = type(box)(state, create_app(state, token=box.token), clock)
    body = json.dumps({"name": "n", "url": "https://example.com/d.img", "region": "nyc3"})

    for one in (box, other):
        one.send("POST", "/v2/images", content=body)

    assert box.send("GET", "/v2/images").content == other.send("GET", "/v2/images").content
