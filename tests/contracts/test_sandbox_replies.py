"""Every operation of the sandbox, and what it refuses, against DigitalOcean's own OpenAPI description."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx
import pytest
from openapi_core.exceptions import OpenAPIError

from doimages.sandbox_api.app import OPERATIONS, create_app
from doimages.sandbox_api.state import State

TOKEN = "sandbox-of-a-test"
EMAIL = {"recipient_email": "sammy@example.com"}
NEW = {"name": "imported", "url": "https://example.com/disk.img", "region": "nyc3", "tags": ["fresh"]}
ON_A_SNAPSHOT = {"resources": [{"resource_id": "{snapshot}", "resource_type": "image"}]}
NOT_IN_THE_DESCRIPTION = {path for _, path, _, _ in OPERATIONS if path.startswith("/v2/droplets")}

# what is asked, with which status it is answered; names in braces are filled in below
CASES: list[tuple[str, str, dict[str, Any] | None, int]] = [
    ("GET", "/v2/account", None, 200),
    ("GET", "/v2/actions", None, 200),
    ("GET", "/v2/actions?per_page=200", None, 200),
    ("GET", "/v2/actions/{action}", None, 200),
    ("GET", "/v2/actions/1", None, 404),
    ("GET", "/v2/images", None, 200),
    ("GET", "/v2/images?per_page=200", None, 200),
    ("GET", "/v2/images?page=2&per_page=200", None, 200),
    ("GET", "/v2/images?page=99", None, 200),
    ("GET", "/v2/images?private=true", None, 200),
    ("GET", "/v2/images?type=application", None, 200),
    ("GET", "/v2/images?type=distribution&tag_name=prod", None, 200),
    ("GET", "/v2/images?page=0", None, 422),
    ("POST", "/v2/images", NEW, 202),
    ("POST", "/v2/images", {**NEW, "distribution": None, "description": None}, 202),
    ("POST", "/v2/images", {}, 422),
    ("GET", "/v2/images/{snapshot}", None, 200),
    ("GET", "/v2/images/{deleted}", None, 200),
    ("GET", "/v2/images/ubuntu-24-04-x64", None, 200),
    ("GET", "/v2/images/1", None, 404),
    ("PUT", "/v2/images/{snapshot}", {"name": "renamed"}, 200),
    ("PUT", "/v2/images/{custom}", {"description": "", "distribution": "Haiku"}, 200),
    ("PUT", "/v2/images/{snapshot}", {"description": "no"}, 422),
    ("PUT", "/v2/images/{base}", {"name": "mine"}, 403),
    ("PUT", "/v2/images/1", {"name": "nobody"}, 404),
    ("DELETE", "/v2/images/{snapshot}", None, 204),
    ("DELETE", "/v2/images/{backup}", None, 204),
    ("DELETE", "/v2/images/{deleted}", None, 422),
    ("DELETE", "/v2/images/1", None, 404),
    ("GET", "/v2/images/{snapshot}/actions", None, 200),
    ("GET", "/v2/images/1/actions", None, 404),
    ("POST", "/v2/images/{snapshot}/actions", {"type": "transfer", "region": "tor1"}, 201),
    ("POST", "/v2/images/{backup}/actions", {"type": "convert"}, 201),
    ("POST", "/v2/images/{backup}/actions", {"type": "transfer", "region": "tor1"}, 422),
    ("POST", "/v2/images/{snapshot}/actions", {}, 404),
    ("GET", "/v2/images/{moved}/actions/{action}", None, 200),
    ("GET", "/v2/images/{moved}/actions/1", None, 404),
    ("POST", "/v2/images/{snapshot}/account_transfer", EMAIL, 201),
    ("POST", "/v2/images/{custom}/account_transfer", EMAIL, 400),
    ("POST", "/v2/images/1/account_transfer", EMAIL, 404),
    ("POST", "/v2/images/{offered}/account_transfer/accept", {"transfer_id": 9, "recipient_uuid": "team"}, 201),
    ("POST", "/v2/images/{offered}/account_transfer/accept", {"transfer_id": 9}, 400),
    ("POST", "/v2/images/{offered}/account_transfer/cancel", {"transfer_id": 9}, 204),
    ("POST", "/v2/images/{offered}/account_transfer/decline", {"transfer_id": 9}, 204),
    ("POST", "/v2/images/{offered}/account_transfer/decline", {"transfer_id": 8}, 404),
    ("GET", "/v2/regions", None, 200),
    ("GET", "/v2/regions?per_page=2&page=2", None, 200),
    ("GET", "/v2/snapshots?per_page=200", None, 200),
    ("GET", "/v2/snapshots?resource_type=volume", None, 200),
    ("GET", "/v2/snapshots/{snapshot}", None, 200),
    ("GET", "/v2/snapshots/{volume}", None, 200),
    ("GET", "/v2/snapshots/{backup}", None, 400),
    ("GET", "/v2/snapshots/1", None, 404),
    ("DELETE", "/v2/snapshots/{snapshot}", None, 204),
    ("DELETE", "/v2/snapshots/{backup}", None, 400),
    ("GET", "/v2/tags", None, 200),
    ("POST", "/v2/tags", {"name": "fresh"}, 201),
    ("POST", "/v2/tags", {"name": "not fit"}, 400),
    ("GET", "/v2/tags/prod", None, 200),
    ("GET", "/v2/tags/nobody", None, 404),
    ("DELETE", "/v2/tags/prod", None, 204),
    ("DELETE", "/v2/tags/nobody", None, 404),
    ("POST", "/v2/tags/prod/resources", ON_A_SNAPSHOT, 204),
    ("POST", "/v2/tags/prod/resources", {"resources": [{"resource_id": "1", "resource_type": "image"}]}, 404),
    ("DELETE", "/v2/tags/prod/resources", ON_A_SNAPSHOT, 204),
    ("DELETE", "/v2/tags/nobody/resources", {"resources": []}, 404),
]  # fmt: skip


@pytest.fixture
def state() -> State:
    return State(images=300)


@pytest.fixture
def send(state):
    app = create_app(state, token=TOKEN)

    def exchange(method: str, path: str, token: str | None = TOKEN, **options: Any) -> httpx.Response:
        async def one() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
                headers = {"authorization": f"Bearer {token}"} if token else {}
                return await client.request(method, path, headers=headers, **options)

        return asyncio.run(one())

    return exchange


@pytest.fixture
def names(state) -> dict[str, object]:
    """Images of each kind, an action and its image, and a transfer 9 that is pending."""

    def first(**wanted):
        return next(i["id"] for i in state.images.values() if wanted.items() <= i.items() and i["slug"] != "")

    moved = next(action for action in state.actions.values() if action["type"] == "transfer")
    snapshot = next(i for i in state.images.values() if i["type"] == "snapshot" and "tor1" not in i["regions"])
    state.transfers[9] = moved["resource_id"]
    return {
        "snapshot": snapshot["id"],
        "backup": first(type="backup"),
        "custom": first(type="custom", status="available"),
        "deleted": first(status="deleted"),
        "base": first(type="base"),
        "volume": next(iter(state.volume_snapshots)),
        "action": moved["id"],
        "moved": moved["resource_id"],
        "offered": moved["resource_id"],
    }


def filled(value, names):
    if isinstance(value, str):
        for name, key in names.items():
            value = value.replace(f"{{{name}}}", str(key))
        return value
    if isinstance(value, list):
        return [filled(part, names) for part in value]
    return {key: filled(part, names) for key, part in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize(("method", "path", "body", "status"), CASES)
def test_reply(send, check_reply, names, method, path, body, status):
    """The reply has the status expected and is what the description says of it."""
    reply = send(method, filled(path, names), json=filled(body, names))

    assert reply.status_code == status, reply.text
    check_reply(reply)


def test_every_operation_is_checked(description):
    """Each operation of the description, and each of the sandbox that is in it, has a case that succeeds."""
    done = {(method, path) for method, path, _, _ in OPERATIONS if path not in NOT_IN_THE_DESCRIPTION}
    described = {
        (method.upper(), path)
        for path, item in (description.spec / "paths").items()
        for method in item.keys()  # noqa: SIM118 - a path of the description, not a dict
    }
    succeeding = [(method, path.partition("?")[0]) for method, path, _, status in CASES if status < 300]

    assert done == described
    for method, path in sorted(done):
        pattern = re.sub(r"{\w+}", "[^/]+", path)
        assert any(method == asked and re.fullmatch(pattern, target) for asked, target in succeeding), path


@pytest.mark.parametrize("path", ["/v2/images", "/v2/account", "/v2/tags/prod"])
def test_who_is_asking(send, state, check_reply, path):
    """Refusals of the token, its scopes, its rate and of a fault have the shape described."""
    state.tokens["narrow"] = frozenset()
    state.limits.minute = 1

    for token, status in ((None, 401), ("narrow", 403), (TOKEN, 429)):
        if status == 429:
            send("GET", path)
        reply = send("GET", path, token=token)
        assert reply.status_code == status
        check_reply(reply)


def test_without_tag_read(send, state, check_reply):
    """Images without the key tags are still as described."""
    state.tokens["narrow"] = frozenset({"image:read"})

    check_reply(send("GET", "/v2/images?per_page=200", token="narrow"))


def test_an_import_to_its_end(send, state, check_reply):
    """An import is as described in each of its states, failed ones included."""
    good = send("POST", "/v2/images", json=NEW).json()["image"]["id"]
    bad = send("POST", "/v2/images", json={**NEW, "url": "https://example.com/fail"}).json()["image"]["id"]

    for image_id in (good, bad):
        for _ in range(4):
            check_reply(send("GET", f"/v2/images/{image_id}"))


def test_an_action_to_its_end(send, state, check_reply, names):
    """An action is as described before it is seen, while it runs, and once it is errored."""
    state.lag = 1
    path = f"/v2/images/{names['snapshot']}/actions"
    state.images[names["snapshot"]]["name"] = "errored"
    action_id = send("POST", path, json={"type": "transfer", "region": "tor1"}).json()["action"]["id"]

    replies = [send("GET", f"{path}/{action_id}") for _ in range(4)]
    for reply in replies:
        check_reply(reply)

    assert [reply.status_code for reply in replies] == [404, 200, 200, 200]
    assert replies[-1].json()["action"]["status"] == "errored"


def test_what_a_droplet_embeds(send, check_reply):
    """The description given here has no Droplets; the images and regions in them are as it says of those."""
    reply = send("GET", "/v2/droplets?per_page=200")

    def embedded(path, body):
        request = httpx.Request("GET", f"http://sandbox{path}")
        check_reply(httpx.Response(200, headers=reply.headers, json=body, request=request))

    rows = reply.json()["droplets"]
    assert len(rows) == 10
    for row in rows:
        embedded(f"/v2/images/{row['image']['id']}", {"image": row["image"]})
    embedded("/v2/regions", {"regions": [row["region"] for row in rows], "links": {}, "meta": {"total": 10}})


def test_judge(send, check_reply, names):
    """The judge does find a reply that is not as described."""
    reply = send("GET", f"/v2/images/{names['snapshot']}")
    wrong = httpx.Response(200, headers=reply.headers, json={"image": {"id": "seven"}}, request=reply.request)
    check_reply(reply)

    with pytest.raises(OpenAPIError):
        check_reply(wrong)
