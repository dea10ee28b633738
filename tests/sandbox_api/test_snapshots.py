from __future__ import annotations


def test_droplet_and_volume(box):
    """Both kinds are listed; resource_type picks one; ids are strings."""
    every = box.send("GET", "/v2/snapshots", params={"per_page": 200}).json()["snapshots"]
    volumes = box.send("GET", "/v2/snapshots", params={"resource_type": "volume"}).json()["snapshots"]
    droplets = box.send("GET", "/v2/snapshots", params={"resource_type": "droplet"}).json()["meta"]["total"]

    assert all(isinstance(row["id"], str) and isinstance(row["resource_id"], str) for row in every)
    assert [row["resource_type"] for row in volumes] == ["volume", "volume", "volume"]
    assert len(every) == len(volumes) + droplets
    assert box.send("GET", "/v2/snapshots", params={"resource_type": "house"}).status_code == 422


def test_get_and_delete(box):
    """A Droplet's snapshot is the image of that id: deleted here, gone there."""
    image_id = box.id_of("snapshot")

    assert box.send("GET", f"/v2/snapshots/{image_id}").json()["snapshot"]["id"] == str(image_id)
    assert box.send("DELETE", f"/v2/snapshots/{image_id}").status_code == 204
    assert box.send("GET", f"/v2/images/{image_id}").status_code == 404
    assert box.send("GET", f"/v2/snapshots/{image_id}").status_code == 404


def test_volume(box):
    """A volume's snapshot is found by its uuid and deleted by it."""
    path = f"/v2/snapshots/{next(iter(box.state.volume_snapshots))}"

    assert box.send("GET", path).json()["snapshot"]["resource_type"] == "volume"
    assert box.send("DELETE", path).status_code == 204
    assert box.send("GET", path).status_code == 404


def test_not_a_snapshot(box):
    """An image of another kind is a 400 with the API's words."""
    reply = box.send("DELETE", f"/v2/snapshots/{box.id_of('backup')}")

    assert (reply.status_code, reply.json()["message"]) == (400, "the resource is not a snapshot")


def test_of_a_droplet(box):
    """A Droplet lists its snapshots, its backups, and what they cost."""
    droplet = box.state.sources[box.id_of("backup")]

    backups = box.send("GET", f"/v2/droplets/{droplet}/backups").json()["backups"]
    snapshots = box.send("GET", f"/v2/droplets/{droplet}/snapshots").json()["snapshots"]
    costs = box.send("GET", f"/v2/droplets/{droplet}/destroy_with_associated_resources").json()["snapshots"]

    assert {image["type"] for image in backups} == {"backup"}
    assert {image["type"] for image in snapshots} == {"snapshot"}
    assert len(costs) == len(snapshots)
    assert all(float(row["cost"]) >= 0.01 for row in costs)
    assert box.send("GET", "/v2/droplets/5/backups").status_code == 404


def test_account_and_regions(box):
    """The account has a team; there are 15 regions and some are closed."""
    assert box.send("GET", "/v2/account").json()["account"]["team"]["name"] == "sandbox"
    regions = box.send("GET", "/v2/regions").json()["regions"]
    assert len(regions) == 15
    assert {region["available"] for region in regions} == {True, False}
    assert all("image_transfer" in region["features"] for region in regions if region["available"])
