"""Tags, and what bears them (API pages "Tags"). Names keep the capitals they were first given."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from doimages.sandbox_api.call import JSON, Refusal, Reply, digits, forbidden, not_found
from doimages.sandbox_api.paging import page
from doimages.sandbox_api.state import is_own

if TYPE_CHECKING:
    from doimages.sandbox_api.call import Call
    from doimages.sandbox_api.state import State

TAG_NAME = re.compile(r"[a-zA-Z0-9_\-:]{1,255}", re.ASCII)
RESOURCE_TYPES = ("droplet", "database", "image", "volume", "volume_snapshot")


def list_tags(state: State, call: Call) -> Reply:
    """Answer a page of the tags with what bears them."""
    return page(call, "tags", list(state.tags), lambda name: _tag(state, call, name))


def get_tag(state: State, call: Call) -> Reply:
    """Answer one tag, wrapped once, as godo reads it (the spec's example wraps it twice)."""
    return Reply(200, {"tag": _tag(state, call, _known(state, call))})


def create_tag(state: State, call: Call) -> Reply:
    """Make a tag: 201, also for one that is there already. A bad name is a 400 of the second error shape."""
    name = call.json().get("name")
    if not isinstance(name, str) or not TAG_NAME.fullmatch(name):
        cause = f"Error validating resource tag: {name!r} contains invalid characters"
        raise Refusal(400, cause, body={"error": cause, "messages": None, "root_causes": [cause]})
    return Reply(201, {"tag": _tag(state, call, create(state, name))})


def delete_tag(state: State, call: Call) -> Reply:
    """Delete a tag and take it off everything that bears it (spec, tags_delete)."""
    name = _known(state, call)
    for bearer in (*state.images.values(), *state.volume_snapshots.values(), *state.droplets.values()):
        _take_off(state, bearer, name)
    del state.tags[name]
    return Reply(204)


def tag_resources(state: State, call: Call) -> Reply:
    """Put a tag on every resource of the body, or on none: one that is not there makes the whole call a 404."""
    name = _known(state, call)
    for bearer in _bearers(state, call):
        if name not in (bearer["tags"] or ()):
            _write(state, bearer, [*(bearer["tags"] or ()), name])
    return Reply(204)


def untag_resources(state: State, call: Call) -> Reply:
    """Take a tag off every resource of the body, or off none; this DELETE carries a body (spec)."""
    name = _known(state, call)
    for bearer in _bearers(state, call):
        _take_off(state, bearer, name)
    return Reply(204)


def create(state: State, name: str) -> str:
    """Give the tag its place and its canonical capitals: those of the first time."""
    known = next((tag for tag in state.tags if tag.lower() == name.lower()), None)
    if known is None:
        state.tags[name] = None
    return known or name


def names_of(body: JSON) -> list[str]:
    """Read the tags of a new image: null, or a list of names that fit (spec, tags_array)."""
    names = body.get("tags")
    if names is None:
        return []
    if not isinstance(names, list) or not all(isinstance(n, str) and TAG_NAME.fullmatch(n) for n in names):
        raise Refusal(422, "tags must be a list of tag names")
    return list(dict.fromkeys(names))


def _known(state: State, call: Call) -> str:
    name = call.params["tag_id"]
    if name not in state.tags:
        raise not_found()
    return name


def _bearers(state: State, call: Call) -> list[JSON]:
    resources = call.json().get("resources")
    if not isinstance(resources, list) or not resources:
        raise Refusal(422, "resources must be a list of resource_id and resource_type")
    return [_bearer(state, call, resource) for resource in resources]


def _bearer(state: State, call: Call, resource: Any) -> JSON:
    if not isinstance(resource, dict) or not isinstance(resource.get("resource_id"), str):
        raise Refusal(422, "resource_id must be a string")
    kind, key = resource.get("resource_type"), resource["resource_id"]
    if kind not in RESOURCE_TYPES:
        raise Refusal(422, f"resource_type must be one of: {', '.join(RESOURCE_TYPES)}")
    if kind == "volume_snapshot" and key in state.volume_snapshots:
        return state.volume_snapshots[key]
    number = digits(key) or 0
    if kind == "droplet" and number in state.droplets:
        if not call.may("droplet:update"):
            raise forbidden()
        return state.droplets[number]
    image = state.images.get(number) if kind == "image" else None
    if image is None:
        raise not_found()
    if not is_own(image) or not call.may("image:update"):
        raise forbidden()
    return image


def _take_off(state: State, bearer: JSON, name: str) -> None:
    if name in (bearer.get("tags") or ()):
        _write(state, bearer, [tag for tag in bearer["tags"] if tag != name])


def _write(state: State, bearer: JSON, names: list[str]) -> None:
    if state.images.get(bearer["id"]) is bearer:
        state.hold_back(("tagged",), bearer["id"], bearer)
    bearer["tags"] = names


def _tag(state: State, call: Call, name: str) -> JSON:
    images = [image["id"] for image in state.images.values() if name in (image.get("tags") or ())]
    volumes = [row["id"] for row in state.volume_snapshots.values() if name in (row["tags"] or ())]
    droplets = [droplet["id"] for droplet in state.droplets.values() if name in droplet["tags"]]
    parts = {
        "droplets": _count(call, "droplets", droplets),
        "images": _count(call, "images", images),
        "volumes": _count(call, "volumes", []),
        "volume_snapshots": _count(call, "snapshots", volumes),
        "databases": _count(call, "databases", []),
    }
    newest = parts["images" if images else "volume_snapshots" if volumes else "droplets"]
    whole = {**newest, "count": len(images) + len(volumes) + len(droplets)}
    return {"name": name, "resources": {**whole, **parts}}


def _count(call: Call, folder: str, ids: list[Any]) -> JSON:
    if not ids:
        return {"count": 0}
    return {"count": len(ids), "last_tagged_uri": f"{call.base_url}/v2/{folder}/{ids[-1]}"}
