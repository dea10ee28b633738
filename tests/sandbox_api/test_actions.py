from __future__ import annotations

import pytest


def act(box, image_id, **body):
    return box.send("POST", f"/v2/images/{image_id}/actions", json=body)


def regions_of(box, image_id):
    return box.state.images[image_id]["regions"]


@pytest.fixture
def snapshot(box):
    """A snapshot that is in nyc3 alone."""
    image_id = box.id_of("snapshot")
    box.state.images[image_id] |= {"regions": ["nyc3"], "name": "web-01"}
    return image_id


def test_transfer(box, snapshot):
    """A transfer answers 201 in progress, and its region shows when it is completed."""
    reply = act(box, snapshot, type="transfer", region="fra1")

    action = reply.json()["action"]
    assert reply.status_code == 201
    assert (action["status"], action["type"], action["region_slug"]) == ("in-progress", "transfer", "fra1")
    assert action["region"]["slug"] == "fra1"
    path = f"/v2/images/{snapshot}/actions/{action['id']}"
    states = [box.send("GET", path).json()["action"]["status"] for _ in range(2)]
    assert states == ["in-progress", "in-progress"]
    assert regions_of(box, snapshot) == ["nyc3"]
    assert box.send("GET", path).json()["action"]["completed_at"] == "2027-01-15T08:00:00Z"
    assert regions_of(box, snapshot) == ["nyc3", "fra1"]


def test_listing_shows_the_newest_first(box, snapshot):
    """The actions of an image are paged, newest first; the same ones are under /v2/actions."""
    first = act(box, snapshot, type="transfer", region="fra1").json()["action"]["id"]
    second = act(box, snapshot, type="transfer", region="tor1").json()["action"]["id"]

    listed = box.send("GET", f"/v2/images/{snapshot}/actions", params={"per_page": 1}).json()

    assert [action["id"] for action in listed["actions"]] == [second]
    assert listed["links"]["pages"]["next"].endswith(f"/v2/images/{snapshot}/actions?page=2&per_page=1")
    assert box.send("GET", f"/v2/actions/{first}").json()["action"]["id"] == first


def test_errored(box, snapshot):
    """An image named "errored" has actions that end so, without effect."""
    box.state.images[snapshot]["name"] = "will be errored"
    action = act(box, snapshot, type="transfer", region="fra1").json()["action"]

    box.state.advance()

    ended = box.send("GET", f"/v2/actions/{action['id']}").json()["action"]
    assert ended == {**action, "status": "errored", "completed_at": "2027-01-15T08:00:00Z"}
    assert regions_of(box, snapshot) == ["nyc3"]
    box.state.images[snapshot]["name"] = "web-01"
    assert act(box, snapshot, type="transfer", region="fra1").status_code == 201


def test_never_ends(box, snapshot):
    """An action begun while polls is None runs on, however often it is looked at, until advance()."""
    box.state.polls = None
    action = act(box, snapshot, type="transfer", region="fra1").json()["action"]
    path = f"/v2/images/{snapshot}/actions/{action['id']}"

    assert {box.send("GET", path).json()["action"]["status"] for _ in range(20)} == {"in-progress"}
    assert act(box, snapshot, type="transfer", region="fra1").status_code == 422
    box.state.advance()
    assert box.send("GET", path).json()["action"]["status"] == "completed"


def test_source_gone(box, snapshot):
    """An action whose image is deleted meanwhile ends errored, and can still be read."""
    action = act(box, snapshot, type="transfer", region="fra1").json()["action"]
    box.send("DELETE", f"/v2/images/{snapshot}")

    states = [box.send("GET", f"/v2/actions/{action['id']}").json()["action"]["status"] for _ in range(3)]

    assert states == ["in-progress", "in-progress", "errored"]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({}, 404, "The specified action type is not available."),
        ({"type": "rebuild"}, 404, "The specified action type is not available."),
        ({"type": "transfer"}, 422, "region must be a string"),
        ({"type": "transfer", "region": 5}, 422, "region must be a string"),
        ({"type": "transfer", "region": "mars1"}, 422, "Images can not be transferred to region mars1."),
        ({"type": "transfer", "region": "nyc3"}, 422, "Image is already available in region nyc3."),
        ({"type": "convert"}, 422, "Only a backup can be converted to a snapshot."),
    ],
)
def test_refused(box, snapshot, body, status, message):
    """What is not allowed on a snapshot says so, and begins nothing."""
    before = len(box.state.actions)

    reply = act(box, snapshot, **body)

    assert (reply.status_code, reply.json()["message"]) == (status, message)
    assert len(box.state.actions) == before


def test_twice(box, snapshot):
    """The same transfer again is refused while the first one runs."""
    act(box, snapshot, type="transfer", region="fra1")

    reply = act(box, snapshot, type="transfer", region="fra1")

    assert (reply.status_code, reply.json()["message"]) == (422, "Image already has a pending transfer.")


def test_backup(box):
    """A backup cannot be transferred; converted, it becomes a snapshot, once that is completed."""
    image_id = box.id_of("backup")

    reply = act(box, image_id, type="transfer", region="fra1")
    assert (reply.status_code, reply.json()["message"]) == (422, "Backups can not be transfered to other regions")

    assert act(box, image_id, type="convert").status_code == 201
    assert box.state.images[image_id]["type"] == "backup"
    box.state.advance()
    assert box.state.images[image_id]["type"] == "snapshot"
    assert box.send("GET", f"/v2/snapshots/{image_id}").status_code == 200


def test_closed_region(box, snapshot):
    """A region that takes no Droplets may take a transfer."""
    assert box.state.regions["nyc2"]["available"] is False
    assert act(box, snapshot, type="transfer", region="nyc2").status_code == 201


def test_unfinished_import(box):
    """An image that is not available cannot be transferred."""
    assert act(box, box.id_of("custom", "pending"), type="transfer", region="fra1").status_code == 422


def test_not_yours(box):
    """An action on an image of DigitalOcean's is a 403, on no image a 404."""
    image_id = box.send("GET", "/v2/images/ubuntu-24-04-x64").json()["image"]["id"]

    assert act(box, image_id, type="transfer", region="fra1").status_code == 403
    assert act(box, 5, type="transfer", region="fra1").status_code == 404


def test_action_of_another_image(box, snapshot):
    """An action is found under its own image only."""
    action = act(box, snapshot, type="transfer", region="fra1").json()["action"]

    assert box.send("GET", f"/v2/images/{box.id_of('backup')}/actions/{action['id']}").status_code == 404
    assert box.send("GET", "/v2/actions/5").status_code == 404


def test_account_transfer(box, snapshot):
    """A transfer to an email is pending until accepted, which moves the image away."""
    path = f"/v2/images/{snapshot}/account_transfer"

    reply = box.send("POST", path, json={"recipient_email": "sammy@example.com"})
    assert reply.status_code == 201
    transfer_id = reply.json()["transfer_id"]
    assert transfer_id > 0
    assert box.send("POST", path, json={"recipient_email": "sammy@example.com"}).status_code == 400
    accepted = box.send("POST", f"{path}/accept", json={"transfer_id": transfer_id, "recipient_uuid": "team"})
    assert (accepted.status_code, accepted.content) == (201, b"")
    assert box.send("GET", f"/v2/images/{snapshot}").status_code == 404


@pytest.mark.parametrize("way", ["cancel", "decline"])
def test_account_transfer_ends(box, snapshot, way):
    """A transfer that is cancelled or declined leaves the image where it is, and is gone itself."""
    path = f"/v2/images/{snapshot}/account_transfer"
    transfer_id = box.send("POST", path, json={"recipient_uuid": "another team"}).json()["transfer_id"]

    assert box.send("POST", f"{path}/{way}", json={"transfer_id": transfer_id}).status_code == 204
    assert box.send("POST", f"{path}/{way}", json={"transfer_id": transfer_id}).status_code == 404
    assert box.send("GET", f"/v2/images/{snapshot}").status_code == 200


def test_account_transfer_to_own_team(box, snapshot):
    """A transfer to the own team is accepted at once: transfer_id 0, and the image is gone."""
    body = {"recipient_uuid": box.state.account["team"]["uuid"]}

    reply = box.send("POST", f"/v2/images/{snapshot}/account_transfer", json=body)

    assert reply.json() == {"transfer_id": 0}
    assert snapshot not in box.state.images


@pytest.mark.parametrize(
    "body",
    [{}, {"recipient_email": "a@b.c", "recipient_uuid": "x"}, {"recipient_email": "nobody"}, {"recipient_uuid": 5}],
)
def test_account_transfer_body(box, snapshot, body):
    """A transfer without exactly one proper recipient is a 400."""
    assert box.send("POST", f"/v2/images/{snapshot}/account_transfer", json=body).status_code == 400


def test_account_transfer_snapshots_only(box):
    """Only snapshots move to another account."""
    path = f"/v2/images/{box.id_of('custom')}/account_transfer"

    assert box.send("POST", path, json={"recipient_email": "a@b.c"}).status_code == 400
    assert box.send("POST", f"{path}/accept", json={"transfer_id": 5}).status_code == 400
    assert box.send("POST", f"{path}/cancel", json={"transfer_id": True}).status_code == 400
