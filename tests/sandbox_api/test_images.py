from __future__ import annotations

import pytest

NEW = {"name": "imported", "url": "https://example.com/disk.qcow2", "region": "nyc3"}


def read(box, image_id):
    return box.send("GET", f"/v2/images/{image_id}").json()["image"]


def test_slug(box):
    """A public image is found by its slug, and by its id."""
    image = read(box, "ubuntu-24-04-x64")

    assert image["name"] == "24.04 (LTS) x64"
    assert read(box, image["id"]) == image


@pytest.mark.parametrize("key", ["no-such-slug", "5", "-1", "1.0", "७", "9" * 40])
def test_not_there(box, key):
    """What is not there is a 404 with the API's words."""
    reply = box.send("GET", f"/v2/images/{key}")

    assert reply.status_code == 404
    assert reply.json()["id"] == "not_found"
    assert reply.json()["message"] == "The resource you were accessing could not be found."


def test_rename(box):
    """A rename changes the name and nothing else."""
    image_id = box.id_of("snapshot")
    before = read(box, image_id)

    reply = box.send("PUT", f"/v2/images/{image_id}", json={"name": "renamed"})

    assert reply.status_code == 200
    assert reply.json()["image"] == {**before, "name": "renamed"}
    assert read(box, image_id)["name"] == "renamed"


def test_custom_fields(box):
    """A custom image takes a description and a distribution, which becomes Unknown where it is not listed."""
    image_id = box.id_of("custom")

    reply = box.send("PUT", f"/v2/images/{image_id}", json={"description": "", "distribution": "Haiku"})

    assert reply.json()["image"]["description"] == ""
    assert reply.json()["image"]["distribution"] == "Unknown"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": ""}, 422),
        ({"name": "  "}, 422),
        ({"name": 5}, 422),
        ({"name": None}, 422),
        ({"description": "x"}, 422),
        ({"distribution": "Ubuntu"}, 422),
        ({}, 200),
        ({"unheard": "of"}, 200),
    ],
)
def test_update_body(box, body, status):
    """A snapshot takes a name that is not blank; unknown keys change nothing."""
    image_id = box.id_of("snapshot")
    before = read(box, image_id)

    reply = box.send("PUT", f"/v2/images/{image_id}", json=body)

    assert reply.status_code == status
    assert read(box, image_id) == before


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_not_yours(box, method):
    """Changing an image of DigitalOcean's is a 403."""
    image_id = read(box, "ubuntu-24-04-x64")["id"]

    reply = box.send(method, f"/v2/images/{image_id}", json={"name": "mine"})

    assert reply.status_code == 403
    assert reply.json()["id"] == "forbidden"
    assert read(box, image_id)["name"] == "24.04 (LTS) x64"


def test_delete_snapshot(box):
    """A deleted snapshot is gone: 204 without a body, then 404."""
    image_id = box.id_of("snapshot")

    reply = box.send("DELETE", f"/v2/images/{image_id}")

    assert (reply.status_code, reply.content) == (204, b"")
    assert box.send("GET", f"/v2/images/{image_id}").status_code == 404
    assert box.send("DELETE", f"/v2/images/{image_id}").status_code == 404


def test_delete_backup(box):
    """Deleting a backup says 204 and deletes nothing."""
    image_id = box.id_of("backup")

    assert box.send("DELETE", f"/v2/images/{image_id}").status_code == 204
    assert read(box, image_id)["type"] == "backup"


def test_delete_custom(box):
    """A deleted custom image can still be read, as deleted; deleting it again is a 422."""
    image_id = box.id_of("custom")

    assert box.send("DELETE", f"/v2/images/{image_id}").status_code == 204
    assert read(box, image_id)["status"] == "deleted"
    again = box.send("DELETE", f"/v2/images/{image_id}")
    assert again.status_code == 422
    assert again.json()["message"] == "Image Can not delete an already deleted image."
    assert box.send("PUT", f"/v2/images/{image_id}", json={"name": "x"}).status_code == 422


def test_import(box):
    """An import answers 202 and a subset, then reads NEW, pending and available."""
    reply = box.send("POST", "/v2/images", json={**NEW, "distribution": None, "description": None})

    image = reply.json()["image"]
    assert reply.status_code == 202
    assert set(image) == {
        "id", "name", "type", "distribution", "description", "created_at", "regions", "tags", "status",
        "error_message",
    }  # fmt: skip
    assert image["status"] == "NEW"
    assert image["created_at"] == "2027-01-15T08:00:00Z"
    assert [read(box, image["id"])["status"] for _ in range(4)] == ["NEW", "pending", "available", "available"]
    assert read(box, image["id"])["regions"] == ["nyc3"]


def test_import_seen_by_listing(box):
    """Polling by listing comes to an end too."""
    image_id = box.send("POST", "/v2/images", json=NEW).json()["image"]["id"]

    for _ in range(3):
        box.send("GET", "/v2/images")

    assert box.state.images[image_id]["status"] == "available"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fail.img.gz", "We had a problem decompressing your file."),
        ("disk.img.xz", "We don't support the compression format of your image."),
        ("fail.XZ", "We don't support the compression format of your image."),
    ],
)
def test_failing_import(box, name, message):
    """A url with "fail" in it, or of a format not taken, ends deleted with the API's words, and is not listed."""
    new = {**NEW, "url": f"https://example.com/{name}"}
    image_id = box.send("POST", "/v2/images", json=new).json()["image"]["id"]

    states = [read(box, image_id)["status"] for _ in range(3)]

    assert states == ["NEW", "pending", "deleted"]
    assert read(box, image_id)["error_message"] == message
    listed = box.send("GET", "/v2/images", params={"private": "true", "per_page": 200}).json()["images"]
    assert image_id not in {image["id"] for image in listed}
    assert box.send("DELETE", f"/v2/images/{image_id}").status_code == 422


def test_endless_import(box):
    """An import begun while polls is None stays NEW until advance(); reset() gives polls back."""
    box.state.polls = None
    image_id = box.send("POST", "/v2/images", json=NEW).json()["image"]["id"]

    assert {read(box, image_id)["status"] for _ in range(20)} == {"NEW"}
    box.state.advance()
    assert read(box, image_id)["status"] == "available"
    box.state.reset()
    assert box.state.polls == 2


@pytest.mark.parametrize(
    "change",
    [
        {"name": None}, {"name": ""}, {"url": None}, {"url": "file:///etc/passwd"}, {"url": 5},
        {"region": None}, {"region": "mars1"}, {"tags": "prod"}, {"tags": ["with space"]}, {"tags": [5]},
        {"distribution": 5},
    ],
)  # fmt: skip
def test_import_body(box, change):
    """An import that lacks or misspells something is a 422 and makes no image."""
    before = len(box.state.images)

    assert box.send("POST", "/v2/images", json={**NEW, **change}).status_code == 422
    assert len(box.state.images) == before


def test_import_with_tags(box):
    """Tags given to an import are made, and find it at once."""
    image_id = box.send("POST", "/v2/images", json={**NEW, "tags": ["marker:1"]}).json()["image"]["id"]

    found = box.send("GET", "/v2/images", params={"tag_name": "marker:1"}).json()["images"]
    assert [image["id"] for image in found] == [image_id]
    assert box.send("GET", "/v2/tags/marker:1").status_code == 200


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b'{"name": NaN}', 400),
        (b'{"name": "\\ud800"}', 400),
        (b'{"a":' * 100_000, 400),
        (b'{"name": ' + b"9" * 5000 + b"}", 400),
        (b"[]", 422),
        (b'"name"', 422),
        (b"null", 422),
        (b" " * 1_000_001, 413),
    ],
)
def test_hostile_bodies(box, content, status):
    """A body that is no JSON object is refused in the API's error shape, whatever it is."""
    reply = box.send("PUT", f"/v2/images/{box.id_of('snapshot')}", content=content)

    assert reply.status_code == status
    assert set(reply.json()) == {"id", "message", "request_id"}


def test_reset(box):
    """reset() gives the seeded state back."""
    fresh = box.send("GET", "/v2/images", params={"per_page": 200}).content
    image_id = box.id_of("snapshot")
    box.send("DELETE", f"/v2/images/{image_id}")
    box.send("POST", "/v2/images", json=NEW)

    box.state.reset()

    assert box.send("GET", "/v2/images", params={"per_page": 200}).content == fresh
    assert len(box.state.log) == 1
