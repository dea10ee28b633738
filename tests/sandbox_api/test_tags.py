from __future__ import annotations

import pytest


def bearing(*ids, kind="image"):
    return {"resources": [{"resource_id": str(key), "resource_type": kind} for key in ids]}


def test_create(box):
    """A new tag answers 201 with what bears it: nothing; making it again is no error."""
    for _ in range(2):
        reply = box.send("POST", "/v2/tags", json={"name": "Fresh:1"})
        assert reply.status_code == 201
        assert reply.json()["tag"]["name"] == "Fresh:1"
        assert reply.json()["tag"]["resources"]["count"] == 0


def test_capitals(box):
    """The first capitals are canonical: other ones find the tag on create, not in a URL."""
    box.send("POST", "/v2/tags", json={"name": "Fresh"})

    assert box.send("POST", "/v2/tags", json={"name": "fresh"}).json()["tag"]["name"] == "Fresh"
    assert box.send("GET", "/v2/tags/fresh").status_code == 404


@pytest.mark.parametrize("name", ["with space", "", "здорово", "a" * 256, "a\n", None, 5])
def test_bad_name(box, name):
    """A name that does not fit is a 400 of the second error shape."""
    reply = box.send("POST", "/v2/tags", json={"name": name})

    assert reply.status_code == 400
    assert set(reply.json()) == {"error", "messages", "root_causes"}


def test_tag_and_untag(box):
    """One call tags many images; DELETE with a body takes the tag off again."""
    ids = [box.id_of("snapshot"), box.id_of("custom")]
    box.send("POST", "/v2/tags", json={"name": "fresh"})

    assert box.send("POST", "/v2/tags/fresh/resources", json=bearing(*ids)).status_code == 204
    assert box.send("POST", "/v2/tags/fresh/resources", json=bearing(*ids)).status_code == 204
    resources = box.send("GET", "/v2/tags/fresh").json()["tag"]["resources"]
    assert resources["images"]["count"] == resources["count"] == 2
    assert resources["last_tagged_uri"].startswith("http://sandbox/v2/images/")
    assert box.send("DELETE", "/v2/tags/fresh/resources", json=bearing(ids[0])).status_code == 204
    found = box.send("GET", "/v2/images", params={"tag_name": "fresh"}).json()["images"]
    assert [image["id"] for image in found] == ids[1:]


def test_delete(box):
    """A deleted tag is taken off everything."""
    assert box.send("DELETE", "/v2/tags/prod").status_code == 204
    assert box.send("GET", "/v2/tags/prod").status_code == 404
    assert box.send("GET", "/v2/images", params={"tag_name": "prod"}).json()["meta"] == {"total": 0}


def test_unknown_tag(box):
    """Tagging with a tag that is not there is a 404."""
    assert box.send("POST", "/v2/tags/nobody/resources", json=bearing(box.id_of("snapshot"))).status_code == 404


def test_all_or_none(box):
    """One image that is not there refuses the whole call."""
    good = box.id_of("snapshot")
    box.send("POST", "/v2/tags", json={"name": "fresh"})

    assert box.send("POST", "/v2/tags/fresh/resources", json=bearing(good, 5)).status_code == 404
    assert "fresh" not in (box.state.images[good]["tags"] or ())
    box.send("POST", "/v2/tags/fresh/resources", json=bearing(good))
    assert box.send("DELETE", "/v2/tags/fresh/resources", json=bearing(good, 5)).status_code == 404
    assert "fresh" in box.state.images[good]["tags"]


def test_volume_snapshot(box):
    """A volume's snapshot bears tags too."""
    key = next(iter(box.state.volume_snapshots))

    assert box.send("DELETE", "/v2/tags/k8s/resources", json=bearing(key, kind="volume_snapshot")).status_code == 204
    assert box.send("GET", f"/v2/snapshots/{key}").json()["snapshot"]["tags"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"resources": []}, 422),
        ({"resources": ["5"]}, 422),
        ({"resources": [{"resource_id": 5, "resource_type": "image"}]}, 422),
        ({"resources": [{"resource_id": "5", "resource_type": "house"}]}, 422),
        ({"resources": [{"resource_id": "5", "resource_type": "droplet"}]}, 404),
        ({"resources": [{"resource_id": "x", "resource_type": "image"}]}, 404),
    ],
)
def test_resources_body(box, body, status):
    """A body that names no resource properly is a 422, one that is not there a 404."""
    assert box.send("POST", "/v2/tags/prod/resources", json=body).status_code == status


def test_not_yours(box):
    """An image of DigitalOcean's bears no tag of yours."""
    image_id = box.send("GET", "/v2/images/ubuntu-24-04-x64").json()["image"]["id"]

    assert box.send("POST", "/v2/tags/prod/resources", json=bearing(image_id)).status_code == 403
