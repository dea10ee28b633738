"""Snapshots of Droplets and volumes in one list (API page "Snapshots")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doimages.sandbox_api.call import JSON, Refusal, Reply, forbidden, not_found
from doimages.sandbox_api.images import find_image
from doimages.sandbox_api.paging import page
from doimages.sandbox_api.state import is_own

if TYPE_CHECKING:
    from doimages.sandbox_api.call import Call
    from doimages.sandbox_api.state import State

VOLUME_SCOPE = "block_storage_snapshot:read"


def list_snapshots(state: State, call: Call) -> Reply:
    """Answer a page of snapshots; those of volumes only to a token that may see them."""
    kind = call.choice("resource_type", ("droplet", "volume"))
    rows: list[JSON] = []
    if kind != "volume":
        rows += [_snapshot(state, image) for image in state.images.values() if _is_snapshot(image)]
    if kind != "droplet" and call.may(VOLUME_SCOPE):
        rows += state.volume_snapshots.values()
    return page(call, "snapshots", rows)


def get_snapshot(state: State, call: Call) -> Reply:
    """Answer one snapshot: by number of a Droplet, by uuid of a volume."""
    volume = _volume_snapshot(state, call)
    return Reply(200, {"snapshot": volume or _snapshot(state, _image(state, call))})


def delete_snapshot(state: State, call: Call) -> Reply:
    """Delete one snapshot: 204."""
    volume = _volume_snapshot(state, call)
    if volume is not None:
        del state.volume_snapshots[volume["id"]]
    else:
        state.remove_image(_image(state, call)["id"])
    return Reply(204)


def _is_snapshot(image: JSON) -> bool:
    return image["type"] == "snapshot" and is_own(image)


def _snapshot(state: State, image: JSON) -> JSON:
    return {
        "id": str(image["id"]),
        "name": image["name"],
        "created_at": image["created_at"],
        "regions": image["regions"],
        "resource_id": str(state.sources[image["id"]]),
        "resource_type": "droplet",
        "min_disk_size": image["min_disk_size"] or 0,
        "size_gigabytes": image["size_gigabytes"] or 0,
        "tags": image["tags"],
    }


def _volume_snapshot(state: State, call: Call) -> JSON | None:
    row = state.volume_snapshots.get(call.params["snapshot_id"])
    if row is not None and not call.may(VOLUME_SCOPE):
        raise forbidden()
    return row


def _image(state: State, call: Call) -> JSON:
    image = find_image(state, call.params["snapshot_id"])
    if image is None:
        raise not_found()
    if not _is_snapshot(image):
        raise Refusal(400, "the resource is not a snapshot")
    return image
