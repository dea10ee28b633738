"""Droplets: what each runs on, and what was taken of it (API pages "Droplets"). None is made or changed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doimages.sandbox_api.call import JSON, Reply, digits, not_found
from doimages.sandbox_api.images import as_shown
from doimages.sandbox_api.paging import page

if TYPE_CHECKING:
    from doimages.sandbox_api.call import Call
    from doimages.sandbox_api.state import State

PRICE_A_GIGABYTE = 0.06  # USD a month, at least a cent (product page "Snapshots", pricing)


def list_droplets(state: State, call: Call) -> Reply:
    """Answer a page of the Droplets; `name` is a whole name in any case, `tag_name` a tag, both hold together."""
    name, tag = call.query.get("name"), call.query.get("tag_name")
    rows = [
        droplet
        for droplet in state.droplets.values()
        if (name is None or name.lower() == droplet["name"].lower()) and (tag is None or tag in droplet["tags"])
    ]
    return page(call, "droplets", rows, lambda droplet: _shown(state, call, droplet))


def get_droplet(state: State, call: Call) -> Reply:
    """Answer one Droplet."""
    return Reply(200, {"droplet": _shown(state, call, _one(state, call))})


def list_droplet_snapshots(state: State, call: Call) -> Reply:
    """Answer the snapshots of one Droplet, as images."""
    return page(call, "snapshots", _taken(state, _one(state, call), "snapshot"))


def list_droplet_backups(state: State, call: Call) -> Reply:
    """Answer the backups of one Droplet, as images."""
    return page(call, "backups", _taken(state, _one(state, call), "backup"))


def list_associated(state: State, call: Call) -> Reply:
    """Answer what would be destroyed with a Droplet: the one place that quotes a snapshot's cost."""
    snapshots = [
        {
            "id": str(image["id"]),
            "name": image["name"],
            "cost": f"{max(0.01, PRICE_A_GIGABYTE * (image['size_gigabytes'] or 0)):.2f}",
        }
        for image in _taken(state, _one(state, call), "snapshot")
    ]
    nothing: list[JSON] = []
    return Reply(
        200,
        {"snapshots": snapshots, "volumes": nothing, "volume_snapshots": nothing, "reserved_ips": nothing},
    )


def _one(state: State, call: Call) -> JSON:
    droplet = state.droplets.get(digits(call.params["droplet_id"]) or 0)
    if droplet is None:
        raise not_found()
    return droplet


def _taken(state: State, droplet: JSON, kind: str) -> list[JSON]:
    return [
        image
        for image in state.images.values()
        if image["type"] == kind and state.sources.get(image["id"]) == droplet["id"]
    ]


def _shown(state: State, call: Call, droplet: JSON) -> JSON:
    # an image that is gone is shown as it last was, without its slug (digitalocean-api-java issue 82)
    image = state.images.get(droplet["image"]["id"]) or {**droplet["image"], "slug": None}
    return as_shown(
        call,
        {
            **droplet,
            "image": as_shown(call, image),
            "snapshot_ids": [image["id"] for image in _taken(state, droplet, "snapshot")],
            "backup_ids": [image["id"] for image in _taken(state, droplet, "backup")],
        },
    )
