from __future__ import annotations

import pytest

NEW = {"name": "imported", "url": "https://example.com/disk.img", "region": "nyc3", "tags": ["marker:1"]}


def status(box, path):
    return box.send("GET", path).status_code


def ids(box, path="/v2/images", key="images", **query):
    rows = box.send("GET", path, params={"per_page": 200, **query}).json()[key]
    return [row["id"] for row in rows]


def test_none(box):
    """Unless asked otherwise, what was written is seen at once."""
    image_id = box.send("POST", "/v2/images", json=NEW).json()["image"]["id"]

    assert status(box, f"/v2/images/{image_id}") == 200
    assert image_id in ids(box)


def test_create(box):
    """A new image is a 404 by its id, and in no listing, for so many looks of each way."""
    box.state.lag = 2
    image_id = box.send("POST", "/v2/images", json=NEW).json()["image"]["id"]

    assert [status(box, f"/v2/images/{image_id}") for _ in range(4)] == [404, 404, 200, 200]
    assert [image_id in ids(box, private="true") for _ in range(4)] == [False, False, True, True]
    assert [image_id in ids(box, tag_name="marker:1") for _ in range(4)] == [False, False, True, True]


@pytest.mark.parametrize("kind", ["snapshot", "custom"])
def test_delete(box, kind):
    """A deleted image is read and listed as before for so many looks; a second delete knows better."""
    image_id = box.id_of(kind)
    before = box.send("GET", f"/v2/images/{image_id}").json()
    box.state.lag = 2
    assert box.send("DELETE", f"/v2/images/{image_id}").status_code == 204

    assert box.send("DELETE", f"/v2/images/{image_id}").status_code == (404 if kind == "snapshot" else 422)
    replies = [box.send("GET", f"/v2/images/{image_id}").json() for _ in range(3)]
    assert replies[:2] == [before, before]
    assert replies[2].get("image", {}).get("status", "none") == ("none" if kind == "snapshot" else "deleted")
    assert [image_id in ids(box) for _ in range(4)] == [True, True, False, False]


def test_tag(box):
    """A listing by tag_name lacks what was just tagged for so many looks, and shows what was untagged."""
    image_id = box.id_of("snapshot")
    body = {"resources": [{"resource_id": str(image_id), "resource_type": "image"}]}
    box.send("POST", "/v2/tags", json={"name": "fresh"})
    box.state.lag = 2

    box.send("POST", "/v2/tags/fresh/resources", json=body)
    assert "fresh" in box.send("GET", f"/v2/images/{image_id}").json()["image"]["tags"]
    assert [image_id in ids(box, tag_name="fresh") for _ in range(4)] == [False, False, True, True]
    box.send("DELETE", "/v2/tags/fresh/resources", json=body)
    assert [image_id in ids(box, tag_name="fresh") for _ in range(4)] == [True, True, False, False]


def test_listing_of_something_else(box):
    """A listing that would not show the image either way is no look at it."""
    box.state.lag = 1
    image_id = box.send("POST", "/v2/images", json=NEW).json()["image"]["id"]

    ids(box, type="application")
    ids(box, tag_name="prod")

    assert [image_id in ids(box) for _ in range(2)] == [False, True]
    assert [image_id in ids(box, tag_name="marker:1") for _ in range(2)] == [False, True]


def test_pages_agree(box):
    """All pages of a listing show the same, and count as one look."""
    box.state.lag = 2
    image_id = box.id_of("snapshot")
    box.send("DELETE", f"/v2/images/{image_id}")

    totals = [
        [box.send("GET", "/v2/images", params={"page": page}).json()["meta"]["total"] for page in (1, 2, 3)]
        for _ in range(3)
    ]

    assert totals == [[60, 60, 60], [60, 60, 60], [59, 59, 59]]


def test_two_writes(box):
    """A write over one that is not seen yet begins the looks anew, and shows what was before both."""
    image_id = box.id_of("snapshot")
    body = {"resources": [{"resource_id": str(image_id), "resource_type": "image"}]}
    box.send("POST", "/v2/tags", json={"name": "fresh"})
    box.state.lag = 1

    box.send("POST", "/v2/tags/fresh/resources", json=body)
    box.send("DELETE", f"/v2/images/{image_id}")

    assert ids(box, tag_name="fresh") == []
    assert [image_id in ids(box) for _ in range(2)] == [True, False]


def test_droplet_is_no_image(box):
    """Tagging a Droplet puts nothing into the listing of images."""
    droplet_id = next(iter(box.state.droplets))
    body = {"resources": [{"resource_id": str(droplet_id), "resource_type": "droplet"}]}
    box.state.lag = 1

    box.send("DELETE", "/v2/tags/web/resources", json=body)

    assert box.state.droplets[droplet_id]["tags"] == ["prod"]
    assert droplet_id not in ids(box, tag_name="web")


def test_action(box):
    """A fresh action is a 404, and in no listing, for so many looks; they are none of those it takes."""
    image_id = box.id_of("snapshot")
    box.state.images[image_id]["regions"] = ["nyc3"]
    box.state.lag = 2
    action = box.send("POST", f"/v2/images/{image_id}/actions", json={"type": "transfer", "region": "fra1"}).json()
    action_id = action["action"]["id"]
    path = f"/v2/images/{image_id}/actions"

    assert [action_id in ids(box, path, "actions") for _ in range(3)] == [False, False, True]
    replies = [box.send("GET", f"{path}/{action_id}") for _ in range(4)]
    assert [reply.status_code for reply in replies] == [404, 404, 200, 200]
    assert [reply.json()["action"]["status"] for reply in replies[2:]] == ["in-progress", "completed"]


def test_reset(box):
    """reset() ends the lag, and what is not seen yet is forgotten."""
    box.state.lag = 5
    image_id = box.id_of("snapshot")
    box.send("DELETE", f"/v2/images/{image_id}")

    box.state.reset()

    assert box.state.lag == 0
    box.send("DELETE", f"/v2/images/{image_id}")
    assert status(box, f"/v2/images/{image_id}") == 404
