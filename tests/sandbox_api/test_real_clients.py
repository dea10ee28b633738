"""Two clients of the API, made by others, work with the sandbox as with the API itself."""

from __future__ import annotations

import warnings

import pytest

from doimages.sandbox_api.faults import Fault

pytestmark = pytest.mark.peers

NEW = {"name": "imported", "url": "https://example.com/disk.img", "region": "nyc3"}
# azure-core sends no bearer token over http unless a call says that it may.
PLAIN = {"enforce_https": False}


@pytest.fixture
def own(server):
    """The first image of the account, by type."""

    def first(kind: str) -> int:
        return next(
            image["id"]
            for image in server.state.images.values()
            if image["type"] == kind and not image["public"] and image["status"] == "available"
        )

    return first


@pytest.fixture
def pydo(server):
    import pydo

    with pydo.Client(server.token, endpoint=server.url) as client:
        yield client


def test_pydo_lists(server, pydo):
    """Pydo lists page by page, and with each filter."""
    first = pydo.images.list(per_page=50, **PLAIN)
    second = pydo.images.list(per_page=50, page=2, **PLAIN)

    assert len(first["images"]) + len(second["images"]) == first["meta"]["total"] == 60
    assert "private" not in server.state.log[-1].query
    own = pydo.images.list(private=True, per_page=200, **PLAIN)["images"]
    assert {image["type"] for image in own} == {"snapshot", "backup", "custom"}
    assert server.state.log[-1].query["private"] == "true"
    apps = pydo.images.list(type="application", **PLAIN)["images"]
    assert {image["type"] for image in apps} == {"application"}
    assert all("prod" in image["tags"] for image in pydo.images.list(tag_name="prod", **PLAIN)["images"])


def test_pydo_changes(server, pydo, own):
    """Pydo reads, renames, deletes and imports."""
    image_id = own("snapshot")

    assert pydo.images.get("ubuntu-24-04-x64", **PLAIN)["image"]["type"] == "base"
    assert pydo.images.update(image_id, {"name": "renamed"}, **PLAIN)["image"]["name"] == "renamed"
    assert pydo.images.delete(image_id, **PLAIN) is None
    assert pydo.images.get(image_id, **PLAIN)["id"] == "not_found"
    assert pydo.images.create_custom(NEW, **PLAIN)["image"]["status"] == "NEW"


def test_pydo_actions(server, pydo, own):
    """Pydo converts, transfers, and follows the action."""
    backup, snapshot = own("backup"), own("snapshot")
    server.state.images[snapshot]["regions"] = ["nyc3"]

    pydo.image_actions.post(backup, {"type": "convert"}, **PLAIN)
    action = pydo.image_actions.post(snapshot, {"type": "transfer", "region": "fra1"}, **PLAIN)["action"]
    server.state.advance()

    assert pydo.image_actions.get(snapshot, action["id"], **PLAIN)["action"]["status"] == "completed"
    assert pydo.images.get(backup, **PLAIN)["image"]["type"] == "snapshot"
    assert pydo.images.get(snapshot, **PLAIN)["image"]["regions"] == ["nyc3", "fra1"]
    assert len(pydo.image_actions.list(snapshot, **PLAIN)["actions"]) >= 1


def test_pydo_tags_and_account(server, pydo, own):
    """Pydo tags and untags, and reads account, regions and snapshots."""
    image_id = own("snapshot")
    body = {"resources": [{"resource_id": str(image_id), "resource_type": "image"}]}

    pydo.tags.create({"name": "fresh"}, **PLAIN)
    pydo.tags.assign_resources("fresh", body, **PLAIN)
    assert pydo.tags.get("fresh", **PLAIN)["tag"]["resources"]["images"]["count"] == 1
    pydo.tags.unassign_resources("fresh", body, **PLAIN)
    assert "fresh" not in pydo.images.get(image_id, **PLAIN)["image"]["tags"]
    assert pydo.account.get(**PLAIN)["account"]["status"] == "active"
    assert pydo.regions.list(**PLAIN)["meta"]["total"] == 15
    assert pydo.snapshots.get(str(image_id), **PLAIN)["snapshot"]["id"] == str(image_id)


def test_pydo_droplets(server, pydo):
    """Pydo lists Droplets, by name and by tag, and reads one."""
    rows = pydo.droplets.list(per_page=200, **PLAIN)["droplets"]

    assert len(rows) == 10
    assert pydo.droplets.list(name="web-01", **PLAIN)["droplets"] == rows[:1]
    assert pydo.droplets.list(tag_name="web", **PLAIN)["meta"]["total"] == 3
    assert pydo.droplets.get(rows[0]["id"], **PLAIN)["droplet"] == rows[0]
    assert server.state.log[-1].path == f"/v2/droplets/{rows[0]['id']}"


def test_pydo_sends_a_create_again(server, pydo):
    """A create whose reply is lost in a 500 is sent again by pydo, and the sandbox shows the twin."""
    before = len(server.state.images)
    server.state.faults.append(Fault("status", method="POST", status=500, work_done=True))

    pydo.images.create_custom(NEW, **PLAIN)

    assert len(server.state.images) == before + 2


@pytest.fixture
def manager(server, monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of its dependency jsonpickle
        import digitalocean
    monkeypatch.setenv("DIGITALOCEAN_END_POINT", f"{server.url}/v2/")
    manager = digitalocean.Manager(token=server.token)
    yield manager
    manager._session.close()


@pytest.fixture
def load(manager):
    """Give a function that loads an image by id or slug; its connection is closed in the end."""
    loaded = []

    def load_image(key):
        loaded.append(manager.get_image(key))
        return loaded[-1]

    yield load_image
    for image in loaded:
        image._session.close()


def test_python_digitalocean_lists(server, manager, load):
    """python-digitalocean follows the links to the end, and filters."""
    server.state.images |= {n: {**next(iter(server.state.images.values())), "id": n} for n in range(1, 401)}

    everything = manager.get_all_images()
    own = manager.get_my_images()

    assert len(everything) == 460
    assert {image.type for image in own} == {"snapshot", "backup", "custom"}
    assert {image.type for image in manager.get_app_images()} == {"application"}
    assert load("ubuntu-24-04-x64").type == "base"
    assert len(manager.get_all_regions()) == 15
    with_images = {droplet.name: droplet.image["type"] for droplet in manager.get_all_droplets()}
    assert (with_images["web-02"], with_images["cluster-01"]) == ("snapshot", "custom")


def test_python_digitalocean_changes(server, load, own):
    """python-digitalocean renames, transfers and deletes, with its trailing slashes."""
    image = load(own("snapshot"))
    server.state.images[image.id]["regions"] = ["nyc3"]

    assert image.rename("renamed")["image"]["name"] == "renamed"
    assert image.transfer("fra1")["action"]["status"] == "in-progress"
    server.state.advance()
    assert image.load().regions == ["nyc3", "fra1"]
    assert image.destroy() is True
    assert image.id not in server.state.images


def test_python_digitalocean_refused(load, own):
    """python-digitalocean shows what the sandbox says of a transfer of a backup."""
    import digitalocean

    backup = load(own("backup"))

    with pytest.raises(digitalocean.DataReadError, match="Backups can not be transfered"):
        backup.transfer("fra1")


@pytest.mark.usefixtures("manager")
def test_python_digitalocean_imports(server):
    """python-digitalocean imports an image, nulls included."""
    import digitalocean

    image = digitalocean.Image(token=server.token, **NEW).create()

    assert image.status == "NEW"
    assert image.distribution == "Unknown"
    server.state.advance()
    assert image.load().status == "available"
    image._session.close()
