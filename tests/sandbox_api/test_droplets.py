from __future__ import annotations

import pytest

from doimages.sandbox_api.droplet_seed import GONE_ID, droplets
from doimages.sandbox_api.seed import FIRST_DROPLET_ID, catalogue, source_droplet

KEYS = {
    "id", "name", "memory", "vcpus", "disk", "status", "created_at", "image", "size_slug", "region", "tags",
    "snapshot_ids", "backup_ids",
}  # fmt: skip


def listed(box, **query):
    return box.send("GET", "/v2/droplets", params=query).json()


def named(box, name):
    (droplet,) = listed(box, name=name)["droplets"]
    return droplet


def test_list(box):
    """Droplets are paged like every collection, and one by id is the same record."""
    first = listed(box, per_page=4)
    last = listed(box, per_page=4, page=3)["droplets"]

    assert len(first["droplets"]) == 4
    assert first["meta"] == {"total": 10}
    assert first["links"]["pages"]["next"] == "http://sandbox/v2/droplets?page=2&per_page=4"
    assert len(last) == 2
    for droplet in [*first["droplets"], *last]:
        assert set(droplet) >= KEYS
        assert {"slug", "name"} <= set(droplet["region"])
        assert box.send("GET", f"/v2/droplets/{droplet['id']}").json() == {"droplet": droplet}


@pytest.mark.parametrize("key", ["5", "x", "0", "-1", str(FIRST_DROPLET_ID + 9)])
def test_not_there(box, key):
    """A Droplet that is not there, or was destroyed, is a 404, and so is all that belongs to it."""
    for rest in ("", "/snapshots", "/backups", "/destroy_with_associated_resources"):
        assert box.send("GET", f"/v2/droplets/{key}{rest}").status_code == 404


def test_filters(box):
    """`name` is a whole name in any case, `tag_name` a tag; what fits neither is an empty page."""
    assert [droplet["id"] for droplet in listed(box, name="WEB-01")["droplets"]] == [FIRST_DROPLET_ID]
    assert listed(box, name="web")["droplets"] == []
    assert {droplet["name"] for droplet in listed(box, tag_name="web")["droplets"]} == {"web-01", "web-02", "web-03"}
    assert listed(box, tag_name="nobody")["meta"] == {"total": 0}
    assert listed(box, tag_name="web", name="db-01")["droplets"] == []


def test_scopes(box):
    """Without droplet:read Droplets are a 403; without tag:read neither they nor their images show tags."""
    box.state.tokens |= {"images": frozenset({"image:read"}), "droplets": frozenset({"droplet:read"})}
    box.token = "images"
    assert box.send("GET", "/v2/droplets").status_code == 403
    assert box.send("GET", f"/v2/droplets/{FIRST_DROPLET_ID}").status_code == 403

    box.token = "droplets"
    rows = listed(box)["droplets"]

    assert len(rows) == 10
    assert not any("tags" in record for row in rows for record in (row, row["image"]))


def test_what_they_run_on(box):
    """Two run on snapshots of the account, one on a custom image, one on an image that is gone, the rest on bases."""
    rows = listed(box)["droplets"]
    snapshots = [i["id"] for i in box.state.images.values() if i["type"] == "snapshot" and not i["public"]]

    assert sorted(row["image"]["type"] for row in rows) == ["base"] * 7 + ["custom"] + ["snapshot"] * 2
    assert {row["image"]["id"] for row in rows if row["image"]["type"] == "snapshot"} == set(snapshots[:2])
    gone = next(row["image"] for row in rows if row["image"]["id"] == GONE_ID)
    assert gone["slug"] is None
    for row in rows:
        reply = box.send("GET", f"/v2/images/{row['image']['id']}")
        assert reply.json().get("image") == (None if row["image"] is gone else row["image"])


def test_image_as_it_is_now(box):
    """The embedded image is the image as it is now; once that is gone, as it last was, without its slug."""
    image_id = named(box, "web-02")["image"]["id"]

    box.send("PUT", f"/v2/images/{image_id}", json={"name": "renamed"})
    assert named(box, "web-02")["image"]["name"] == "renamed"

    box.send("DELETE", f"/v2/images/{image_id}")
    assert named(box, "web-02")["image"]["name"] == "renamed"
    base_id = named(box, "web-01")["image"]["id"]
    assert named(box, "web-01")["image"]["slug"] == "ubuntu-24-04-x64"
    box.state.remove_image(base_id)
    assert named(box, "web-01")["image"]["slug"] is None


def test_what_was_taken(box):
    """snapshot_ids and backup_ids are the images that were taken of the Droplet and are still there."""
    web = named(box, "web-01")
    snapshots = box.send("GET", "/v2/snapshots", params={"resource_type": "droplet", "per_page": 200}).json()

    assert web["snapshot_ids"] == [
        int(row["id"]) for row in snapshots["snapshots"] if row["resource_id"] == str(web["id"])
    ]
    assert web["backup_ids"]
    assert {box.state.images[image_id]["type"] for image_id in web["backup_ids"]} == {"backup"}
    box.send("DELETE", f"/v2/images/{web['snapshot_ids'][0]}")
    assert named(box, "web-01")["snapshot_ids"] == web["snapshot_ids"][1:]


def test_orphans(box):
    """Some snapshots outlived their Droplet; every backup has its own."""
    ids = {row["id"] for row in listed(box)["droplets"]}
    sources = box.state.sources

    assert {sources[image["id"]] for image in box.state.images.values() if image["type"] == "backup"} <= ids
    assert source_droplet("golden-base-2026-11-01") in set(sources.values()) - ids


def test_tags(box):
    """A Droplet bears tags as images do; its tags are among the account's."""
    body = {"resources": [{"resource_id": str(FIRST_DROPLET_ID), "resource_type": "droplet"}]}
    box.send("POST", "/v2/tags", json={"name": "fresh"})

    assert box.send("POST", "/v2/tags/fresh/resources", json=body).status_code == 204
    tag = box.send("GET", "/v2/tags/fresh").json()["tag"]
    assert (tag["resources"]["count"], tag["resources"]["droplets"]["count"]) == (1, 1)
    assert tag["resources"]["last_tagged_uri"] == f"http://sandbox/v2/droplets/{FIRST_DROPLET_ID}"
    assert [row["id"] for row in listed(box, tag_name="fresh")["droplets"]] == [FIRST_DROPLET_ID]
    assert box.send("DELETE", "/v2/tags/fresh/resources", json=body).status_code == 204
    assert listed(box, tag_name="fresh")["droplets"] == []
    assert box.send("DELETE", "/v2/tags/web").status_code == 204
    assert listed(box, tag_name="web")["droplets"] == []
    box.state.tokens["narrow"] = frozenset({"tag:create", "image:update"})
    box.token = "narrow"
    assert box.send("POST", "/v2/tags/fresh/resources", json=body).status_code == 403


@pytest.mark.parametrize("images", [0, 1, 5, 60, 300])
def test_size(images):
    """Each Droplet but one runs on an image of the catalogue, however small that is; ids are not repeated."""
    rows = catalogue(images, seed=3)
    made = droplets(rows)

    assert [d["image"]["id"] for d in made if d["image"] not in rows] == [GONE_ID]
    assert len({d["id"] for d in made}) == len(made)
    assert made == droplets(catalogue(images, seed=3))
    assert all(source_droplet(d["name"]) == d["id"] for d in made if d["name"] not in {"web-03", "cluster-01"})
